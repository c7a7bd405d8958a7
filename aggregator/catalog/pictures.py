"""Pictures of cards: re-encoded without metadata, sealed, written once, and readable inside their space only."""

import uuid

from tortoise.exceptions import IntegrityError

from aggregator import db
from aggregator.accounts.sessions import now_ms
from aggregator.blobs import Blobs
from aggregator.catalog.models import Picture
from aggregator.crew import Crew
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.errors import Conflict, Forbidden, NotFound
from aggregator.images import decode, encode_webp
from aggregator.sync.log import Need
from aggregator.sync.spaces import VIEWER, role_in

MAX_UPLOAD_BYTES = 2_000_000
MAX_SIDE = 1_600
MAX_PIXELS = 25_000_000
# One at a time: a picture at the limits takes some 200 MB while it is decoded.
THREADS = 1
MAX_WAITING = 16


class Pictures:
    """The pictures of all spaces: rows in the store, sealed bytes among the blobs."""

    def __init__(self, blobs: Blobs, keys: KeyRing) -> None:
        self._blobs = blobs
        self._keys = keys
        self._crew = Crew("pictures", THREADS, MAX_WAITING)

    async def put(
        self, store: db.Store, account_id: uuid.UUID, space_id: uuid.UUID, id: uuid.UUID, upload: bytes
    ) -> bool:
        """Keep an upload, and say whether it is new; raises NotFound outside the account's spaces, Forbidden where it
        may only look, Conflict for another picture under the same id, UnsupportedMedia or TooLarge for what is no
        picture.
        """
        role = await role_in(store, account_id, space_id)
        if role is None:
            raise NotFound
        if role == VIEWER:
            raise Forbidden("view-only", "You may look at the cards here and show them, but not change them.")
        marks = self._keys.blinds(b"upload/%b/" % space_id.bytes + upload)
        if await self._is_repeat(space_id, id, marks):
            return False
        image = await self._crew.run(lambda: _reencoded(upload))
        created_ms = now_ms()
        # The bytes are durable before the row that names them; a crash in between leaves a blob that nothing names.
        key = blob_key(space_id, id, marks[-1], created_ms)
        await self._blobs.put(key, self._keys.seal(image, bound(space_id, id)))
        row = Picture(space_id=space_id, id=id, upload_mark=marks[-1], size_bytes=len(image), created_ms=created_ms)
        try:
            return await self._record(row, marks)
        except NotFound:
            await self._blobs.delete(key)
            raise

    async def get(self, store: db.Store, account_id: uuid.UUID, space_id: uuid.UUID, id: uuid.UUID) -> bytes:
        """The picture as WebP; raises NotFound."""
        sql = (
            "SELECT p.upload_mark, p.created_ms FROM picture p JOIN member m ON m.space_id = p.space_id "
            "WHERE p.space_id = $1 AND p.id = $2 AND m.account_id = $3"
        )
        rows = await store.read(sql, str(space_id), str(id), str(account_id))
        if not rows:
            raise NotFound
        box = await self._blobs.get(blob_key(space_id, id, bytes(rows[0][0]), rows[0][1]))
        if box is None:
            raise NotFound
        return self._keys.open(box, bound(space_id, id))

    async def copy(self, need: Need) -> Picture | None:
        """Copy a picture's bytes from one space into another, and give the row that is to name them: without it they go
        with the next tidying. None where there are none, or none that open. The picture itself stays where it is.
        """
        source, target, id = need
        row = await Picture.filter(space_id=source, id=id).first()
        box = row and await self._blobs.get(blob_key(source, id, bytes(row.upload_mark), row.created_ms))
        try:
            image = self._keys.open(box, bound(source, id)) if box else None
        except BoxUnreadable:
            image = None
        if image is None:
            return None
        mark, created_ms = self._keys.blinds(b"copy/%b/" % target.bytes + image)[-1], now_ms()
        await self._blobs.put(blob_key(target, id, mark, created_ms), self._keys.seal(image, bound(target, id)))
        return Picture(space_id=target, id=id, upload_mark=mark, size_bytes=len(image), created_ms=created_ms)

    async def _is_repeat(self, space_id: uuid.UUID, id: uuid.UUID, marks: list[bytes]) -> bool:
        known = await Picture.filter(space_id=space_id, id=id).only("upload_mark").first()
        if known is not None and bytes(known.upload_mark) not in marks:
            raise Conflict("picture-exists", "Another picture has this id; a picture is written once.")
        return known is not None

    async def _record(self, row: Picture, marks: list[bytes]) -> bool:
        try:
            await Picture.bulk_create([row])
        except IntegrityError:
            if await self._is_repeat(row.space_id, row.id, marks):
                return False
            # Not the picture stood in the way, so the space has gone meanwhile.
            raise NotFound from None
        return True


def blob_key(space_id: uuid.UUID | str, id: uuid.UUID | str, mark: bytes, created_ms: int) -> str:
    """Where a picture's box stands among the blobs. Mark and time keep uploads under one id apart: of two at once one
    loses, and one may come after the other was purged.
    """
    return f"pictures/{space_id}/{id}-{mark[:8].hex()}-{created_ms}"


def bound(space_id: uuid.UUID, id: uuid.UUID) -> bytes:
    """What a picture's box is bound to, so that it opens nowhere else."""
    return f"picture/{space_id}/{id}".encode()


def _reencoded(upload: bytes) -> bytes:
    return encode_webp(decode(upload, max_pixels=MAX_PIXELS, target_side=MAX_SIDE), MAX_SIDE, MAX_UPLOAD_BYTES)
