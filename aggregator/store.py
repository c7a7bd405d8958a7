"""What a store knows of itself: its epoch, and which keys sealed it."""

import secrets

from tortoise import fields
from tortoise.models import Model

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing

KNOWN_TEXT = b"karman key check"


class StoreFact(Model):
    """One fact under one name."""

    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.TextField()

    class Meta:
        table = "store_fact"


class KeysMissing(Exception):
    """The store was sealed with keys that the ring lacks; opening it would lose people's cards."""


async def epoch() -> str:
    """The store's epoch, made on first use. A restore from backup renews it, so that devices fetch everything anew."""
    fact, _ = await StoreFact.get_or_create(name="epoch", defaults={"value": secrets.token_hex(8)})
    return fact.value


async def check_keys(ring: KeyRing) -> None:
    """Prove that the ring opens what this store holds, and note its new keys; raises KeysMissing before anything is
    written.
    """
    async with db.transaction():
        known = {fact.name: bytes.fromhex(fact.value) for fact in await StoreFact.filter(name__startswith="key-check/")}
        for name, box in known.items():
            _open_check(ring, name, box)
        for key_id in ring.ids:
            name = f"key-check/{key_id.hex()}"
            if name not in known:
                box = ring.seal_with(key_id, KNOWN_TEXT, name.encode())
                await StoreFact.create(name=name, value=box.hex())


def _open_check(ring: KeyRing, name: str, box: bytes) -> None:
    try:
        if ring.open(box, name.encode()) == KNOWN_TEXT:
            return
    except BoxUnreadable:
        pass
    raise KeysMissing(
        f"This store was sealed with the key {name.removeprefix('key-check/')}, which the key ring given here "
        "does not hold. Start with the ring that belongs to this store."
    )
