"""Pictures that no card shows any more, and blobs that no picture names: what uploads and purges leave behind."""

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator, Sequence

import msgspec

from aggregator import db
from aggregator.blobs import Blobs
from aggregator.catalog.cards import card_id
from aggregator.catalog.models import CardUse
from aggregator.catalog.pictures import blob_key
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.sync.log import bound
from aggregator.sync.spaces import lock_alone

# A picture is uploaded before the mutation that names it, and its device may lose the network in between.
GRACE_MS = 24 * 3_600_000
PAGE_SPACES = 200
PAGE_CARDS = 100
PAGE_BLOBS = 500

_log = logging.getLogger("karman.pictures")

CHANGED = (
    "SELECT DISTINCT p.space_id FROM picture p JOIN space s ON s.id = p.space_id "
    "WHERE p.created_ms <= $1 AND p.checked_version < s.version AND p.space_id > $2 ORDER BY p.space_id LIMIT $3"
)
CARDS = (
    "SELECT key, schema, box FROM entry "
    "WHERE space_id = $1 AND box IS NOT NULL AND key LIKE 'card/%' AND key > $2 ORDER BY key LIMIT $3"
)
CHECKED = "UPDATE picture SET checked_version = $1 WHERE space_id = $2 AND created_ms <= $3"
_KEY = re.compile(r"pictures/([0-9a-f-]{36})/[0-9a-f-]{36}-[0-9a-f]{16}-(\d+)")


class _Shown(msgspec.Struct):
    """The pictures a card names."""

    front: str | None = None
    back: str | None = None


async def forget_uses(space_id: uuid.UUID, keys: Sequence[str]) -> None:
    """The counted uses of purged cards go with them."""
    cards = [card for key in keys if (card := card_id(key))]
    if cards:
        await CardUse.filter(space_id=space_id, card_id__in=cards).delete()


class Leftovers:
    """Finds and removes them."""

    def __init__(self, blobs: Blobs, keys: KeyRing) -> None:
        self._blobs = blobs
        self._keys = keys

    async def run(self, store: db.Store, now_ms: int) -> None:
        """Whatever is older than a day at `now_ms` (ms since 1970, UTC) and named nowhere."""
        born_by = now_ms - GRACE_MS
        last = str(uuid.UUID(int=0))
        while spaces := await store.read(CHANGED, born_by, last, PAGE_SPACES):
            for row in spaces:
                last = str(row["space_id"])
                await self._check(store, last, born_by)
        await self._sweep(store, born_by)

    async def _check(self, store: db.Store, space_id: str, born_by: int) -> None:
        """Remove what no card of one space shows, unless a card was changed while they were looked through."""
        seen = await store.read("SELECT version FROM space WHERE id = $1", space_id)
        shown = await self._shown(store, space_id)
        async with db.transaction():
            version = await lock_alone(uuid.UUID(space_id))
            if version is None or version != seen[0]["version"]:
                return
            sql = "SELECT id FROM picture WHERE space_id = $1 AND created_ms <= $2"
            old = {str(row["id"]) for row in await db.fetch(sql, space_id, born_by)}
            for id in old - shown if shown is not None else ():
                await db.fetch("DELETE FROM picture WHERE space_id = $1 AND id = $2", space_id, id)
            await db.fetch(CHECKED, version, space_id, born_by)

    async def _shown(self, store: db.Store, space_id: str) -> set[str] | None:
        """The pictures that cards of the space name, those in the bin too; None where not all cards can be read."""
        shown: set[str] = set()
        last = ""
        while page := await store.read(CARDS, space_id, last, PAGE_CARDS):
            last = page[-1]["key"]
            try:
                shown |= await asyncio.to_thread(self._named_by, space_id, page)
            except (BoxUnreadable, msgspec.DecodeError):
                _log.error("pictures of space %s stay: a card up to %s does not open", space_id, last)
                return None
        return shown

    def _named_by(self, space_id: str, page: Sequence[db.Row]) -> set[str]:
        named: set[str] = set()
        for row in page:
            body = self._keys.open(bytes(row["box"]), bound(space_id, row["key"], row["schema"]))
            card = msgspec.json.decode(body, type=_Shown)
            named |= {picture for picture in (card.front, card.back) if picture}
        return named

    async def _sweep(self, store: db.Store, born_by: int) -> None:
        """Blobs of spaces this store does not know may be another store's, and stay."""
        async for page in _pages(self._blobs.list("pictures/"), born_by):
            spaces = {match[1] for match in page}
            named, known = await _named(store, spaces), await _known(store, spaces)
            for match in page:
                if match[1] in known and match[0] not in named:
                    await self._blobs.delete(match[0])


async def _pages(keys: AsyncIterator[str], born_by: int) -> AsyncIterator[list[re.Match[str]]]:
    """Keys of blobs that are old enough, a page at a time."""
    page: list[re.Match[str]] = []
    async for key in keys:
        match = _KEY.fullmatch(key)
        if match and int(match[2]) <= born_by:
            page.append(match)
        if len(page) >= PAGE_BLOBS:
            yield page
            page = []
    if page:
        yield page


async def _known(store: db.Store, spaces: set[str]) -> set[str]:
    marks = ", ".join(f"${place}" for place in range(1, len(spaces) + 1))
    sql = f"SELECT id FROM space WHERE id IN ({marks})"  # noqa: S608 - placeholders only
    return {str(row["id"]) for row in await store.read(sql, *sorted(spaces))}


async def _named(store: db.Store, spaces: set[str]) -> set[str]:
    marks = ", ".join(f"${place}" for place in range(1, len(spaces) + 1))
    sql = f"SELECT space_id, id, upload_mark, created_ms FROM picture WHERE space_id IN ({marks})"  # noqa: S608 - placeholders only
    rows = await store.read(sql, *sorted(spaces))
    return {blob_key(row["space_id"], row["id"], bytes(row["upload_mark"]), row["created_ms"]) for row in rows}
