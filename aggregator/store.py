"""What a store knows of itself: its epoch, and which keys sealed it."""

import secrets

from tortoise import fields
from tortoise.models import Model

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing

KNOWN_TEXT = b"karman key check"
KEY_CHECK = "key-check/"
# The step that makes room for facts.
SHAPED_BY = "0001_initial"


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


async def verify_keys(ring: KeyRing) -> None:
    """Prove that the ring opens what this store holds; raises KeysMissing. Writes nothing."""
    for fact in await StoreFact.filter(name__startswith=KEY_CHECK):
        _open_check(ring, fact.name, bytes.fromhex(fact.value))


async def note_keys(ring: KeyRing) -> None:
    """Let the store demand every key of the ring from now on; raises KeysMissing as `verify_keys` does.

    One process at a time, so that of two with different rings on a new store only one goes on.
    """
    async with db.transaction():
        await db.lock_alone(db.KEYS_LOCK)
        await verify_keys(ring)
        names = {f"{KEY_CHECK}{key_id.hex()}": key_id for key_id in ring.ids}
        known = {fact.name for fact in await StoreFact.filter(name__in=list(names))}
        for name in names.keys() - known:
            box = ring.seal_with(names[name], KNOWN_TEXT, name.encode())
            await StoreFact.create(name=name, value=box.hex())


def _open_check(ring: KeyRing, name: str, box: bytes) -> None:
    try:
        if ring.open(box, name.encode()) == KNOWN_TEXT:
            return
    except BoxUnreadable:
        pass
    raise KeysMissing(
        f"This store was sealed with the key {name.removeprefix(KEY_CHECK)}, which the key ring given here "
        "does not hold. Start with the ring that belongs to this store."
    )
