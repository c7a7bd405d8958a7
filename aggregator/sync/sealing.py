"""Bodies and the key ring: sealed anew under the ring's latest key, and counted under one that is to be dropped."""

import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from itertools import groupby

from aggregator import db, store
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.sync.log import bound
from aggregator.sync.spaces import lock_alone

PAGE = 200
UNDER = "substr(box, 1, 4)"
# Nobody's id, below all others.
FIRST = ("00000000-0000-0000-0000-000000000000", "")
PAGES = (
    "SELECT space_id, key, schema, box FROM entry WHERE (space_id, key) > ($1, $2) AND box IS NOT NULL "
    "AND {which} ORDER BY space_id, key LIMIT $4"
)
REPLACED = "UPDATE entry SET box = $1 WHERE space_id = $2 AND key = $3 AND box = $4"

_log = logging.getLogger("karman.keys")


class Bodies:
    """The sealed bodies of all spaces."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def reseal(self, opened: db.Store, now_ms: int) -> None:
        """Every body under an older key gets a new box, a page at a time. Its version stays: no device need know."""
        async with store.resealing(self._keys, "bodies") as is_needed:
            if is_needed:
                async for page in _pages(opened, f"{UNDER} <> $3", self._keys.ids[-1]):
                    for space_id, rows in groupby(page, key=lambda row: str(row["space_id"])):
                        await self._reseal(uuid.UUID(space_id), list(rows))

    async def under(self, opened: db.Store, key_id: bytes) -> int:
        """How many bodies would be lost with this key. One that does not open is lost already."""
        count = 0
        async for page in _pages(opened, f"{UNDER} = $3", key_id):
            count += sum(self._open(row) is not None for row in page)
        return count

    async def _reseal(self, space_id: uuid.UUID, rows: Sequence[db.Row]) -> None:
        async with db.transaction():
            await lock_alone(space_id)
            for row in rows:
                if (body := self._open(row)) is not None:
                    box = self._keys.seal(body, bound(space_id, row["key"], row["schema"]))
                    # Not where somebody has written a new one since the page was read.
                    await db.fetch(REPLACED, box, str(space_id), row["key"], bytes(row["box"]))

    def _open(self, row: db.Row) -> bytes | None:
        try:
            return self._keys.open(bytes(row["box"]), bound(row["space_id"], row["key"], row["schema"]))
        except BoxUnreadable:
            _log.error("the body of %s in space %s does not open", row["key"], row["space_id"])
            return None


async def _pages(opened: db.Store, which: str, key_id: bytes) -> AsyncIterator[Sequence[db.Row]]:
    after = FIRST
    while rows := await opened.read(PAGES.format(which=which), *after, key_id, PAGE):
        yield rows
        after = (str(rows[-1]["space_id"]), rows[-1]["key"])
