"""Pictures and the key ring: sealed anew under the ring's latest key, and counted under one that is to be dropped."""

import logging
import uuid
from collections.abc import AsyncIterator

from aggregator import db, store
from aggregator.blobs import Blobs
from aggregator.catalog.pictures import blob_key, bound
from aggregator.crypto import ID_BYTES, BoxUnreadable, KeyRing

PAGE = 200
FIRST = "00000000-0000-0000-0000-000000000000"
PAGES = (
    "SELECT space_id, id, upload_mark, created_ms FROM picture WHERE (space_id, id) > ($1, $2) "
    "ORDER BY space_id, id LIMIT $3"
)

_log = logging.getLogger("karman.keys")


class SealedPictures:
    """The sealed pictures of all spaces."""

    def __init__(self, blobs: Blobs, keys: KeyRing) -> None:
        self._blobs = blobs
        self._keys = keys

    async def reseal(self, opened: db.Store, now_ms: int) -> None:
        """Every picture under an older key gets a new box in the place of the old one."""
        async with store.resealing(self._keys, "pictures") as is_needed:
            if is_needed:
                async for row, box in self._boxes(opened):
                    if box[:ID_BYTES] != self._keys.ids[-1] and (image := self._open(row, box)) is not None:
                        await self._blobs.put(_key(row), self._keys.seal(image, _bound(row)))

    async def under(self, opened: db.Store, key_id: bytes) -> int:
        """How many pictures would be lost with this key. One that does not open is lost already."""
        count = 0
        async for row, box in self._boxes(opened):
            count += box[:ID_BYTES] == key_id and self._open(row, box) is not None
        return count

    async def _boxes(self, opened: db.Store) -> AsyncIterator[tuple[db.Row, bytes]]:
        after = (FIRST, FIRST)
        while rows := await opened.read(PAGES, *after, PAGE):
            for row in rows:
                if (box := await self._blobs.get(_key(row))) is not None:
                    yield row, box
            after = (str(rows[-1]["space_id"]), str(rows[-1]["id"]))

    def _open(self, row: db.Row, box: bytes) -> bytes | None:
        try:
            return self._keys.open(box, _bound(row))
        except BoxUnreadable:
            _log.error("the picture %s in space %s does not open", row["id"], row["space_id"])
            return None


def _key(row: db.Row) -> str:
    return blob_key(row["space_id"], row["id"], bytes(row["upload_mark"]), row["created_ms"])


def _bound(row: db.Row) -> bytes:
    return bound(uuid.UUID(str(row["space_id"])), uuid.UUID(str(row["id"])))
