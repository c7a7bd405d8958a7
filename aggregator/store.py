"""What a store knows of itself: its epoch, and which keys sealed it."""

import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from tortoise import fields
from tortoise.models import Model

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.settings import Settings

HOLD, HOLD_FILE = 0x6B61726D6171, "in-use.lock"
IN_USE = "The store is in use: the service or another command works on it. Stop it first."
EPOCH, RESTORING = "epoch", "restoring"
KNOWN_TEXT = b"karman key check"
KEY_CHECK = "key-check/"
RESEALED = "resealed/"
# The step that makes room for facts.
SHAPED_BY = "0001_initial"


class StoreFact(Model):
    """One fact under one name."""

    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.TextField()

    class Meta:
        table = "store_fact"


class HalfRestored(Exception):
    """A restore from backup broke off: what there is may lack anything."""


class StoreInUse(Exception):
    """Somebody works on the store in a way that must be alone."""


class KeysMissing(Exception):
    """The store was sealed with keys that the ring lacks; opening it would lose people's cards."""


async def epoch() -> str:
    """The store's epoch, made on first use. A restore from backup renews it, so that devices fetch everything anew."""
    fact, _ = await StoreFact.get_or_create(name=EPOCH, defaults={"value": secrets.token_hex(8)})
    return fact.value


@asynccontextmanager
async def held(settings: Settings, *, alone: bool = False) -> AsyncIterator[None]:
    """Inside the block the store is in use, by us alone or with others who hold it so; raises StoreInUse. The hold ends
    with the process, however it ends.
    """
    if not settings.database:
        with _file_held(settings.data, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            yield
        return
    connection = await asyncpg.connect(settings.database)
    try:
        take = "SELECT pg_try_advisory_lock($1)" if alone else "SELECT pg_try_advisory_lock_shared($1)"
        if not await connection.fetchval(take, HOLD):
            raise StoreInUse(IN_USE)
        yield
    finally:
        await connection.close()


@contextmanager
def _file_held(folder: Path, how: int) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / HOLD_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreInUse(IN_USE) from None
        yield
    finally:
        os.close(descriptor)


async def refuse_half_restored() -> None:
    """Raises HalfRestored while a restore has begun and not ended."""
    if await StoreFact.exists(name=RESTORING):
        raise HalfRestored(
            "The store is half restored: a restore from backup broke off, and cards or pictures may be missing. Run "
            "`python -m aggregator restore` with the same file again."
        )


async def verify_keys(ring: KeyRing) -> None:
    """Prove that the ring opens what this store holds; raises KeysMissing. Writes nothing."""
    for fact in await StoreFact.filter(name__startswith=KEY_CHECK):
        open_check(ring, fact.name, fact.value)


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


async def forget_key(key_id: bytes) -> None:
    """The store no longer demands this key."""
    await StoreFact.filter(name=f"{KEY_CHECK}{key_id.hex()}").delete()


@asynccontextmanager
async def resealing(ring: KeyRing, what: str) -> AsyncIterator[bool]:
    """Whether something may still be sealed with an older key than the ring's latest; after the block, all of it has
    been looked at."""
    name = f"{RESEALED}{what}/{ring.ids[-1].hex()}"
    is_needed = len(ring.ids) > 1 and not await StoreFact.exists(name=name)
    yield is_needed
    if is_needed:
        await StoreFact.get_or_create(name=name, defaults={"value": ""})


async def reseal_again() -> None:
    """Somebody sealed with an older key after all was looked at."""
    await StoreFact.filter(name__startswith=RESEALED).delete()


def open_check(ring: KeyRing, name: str, value: str) -> None:
    """Prove that the ring opens one key check; raises KeysMissing."""
    try:
        if ring.open(bytes.fromhex(value), name.encode()) == KNOWN_TEXT:
            return
    except BoxUnreadable:
        pass
    raise KeysMissing(
        f"This store was sealed with the key {name.removeprefix(KEY_CHECK)}, which the key ring given here "
        "does not hold. Start with the ring that belongs to this store."
    )
