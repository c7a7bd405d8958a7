"""What the catalogue keeps of an account, shown to its person and removed: cards, pictures and counted uses."""

import uuid
from collections.abc import AsyncIterator

import msgspec

from aggregator import db
from aggregator.accounts.exports import Export, File, once
from aggregator.accounts.leaving import Afterwards
from aggregator.blobs import Blobs
from aggregator.catalog.cards import card_id
from aggregator.catalog.models import CardUse, GoneSpace, Picture
from aggregator.catalog.pictures import Pictures
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.errors import NotFound
from aggregator.sync.log import bound
from aggregator.sync.spaces import lock_own

PAGE = 100
SPACES = "SELECT space_id FROM member WHERE account_id = $1 ORDER BY space_id"
CARDS = (
    "SELECT key, schema, box FROM entry WHERE space_id = $1 AND key > $2 AND key LIKE 'card/%' AND box IS NOT NULL "
    "ORDER BY key LIMIT $3"
)
PICTURES = "SELECT id FROM picture WHERE space_id = $1 AND CAST(id AS text) > $2 ORDER BY CAST(id AS text) LIMIT $3"


class Belongings:
    """The catalogue's share in leaving."""

    def __init__(self, blobs: Blobs, keys: KeyRing, pictures: Pictures) -> None:
        self._blobs = blobs
        self._keys = keys
        self._pictures = pictures

    async def erase(self, account_id: uuid.UUID) -> Afterwards:
        """Remove the rows of the spaces that nobody else is in; the bytes of their pictures go afterwards."""
        return await self.empty(await lock_own(account_id))

    async def empty(self, spaces: list[uuid.UUID]) -> Afterwards:
        """As `erase`, of spaces that nobody is in any more. What it gives may fail, and is then done by `tidy`."""
        for model in (Picture, CardUse):
            await model.filter(space_id__in=spaces).delete()
        if spaces:
            await GoneSpace.bulk_create([GoneSpace(id=space_id) for space_id in spaces], ignore_conflicts=True)

        async def remove() -> None:
            for space_id in spaces:
                await self._remove(space_id)

        return remove

    async def tidy(self, store: db.Store, now_ms: int) -> None:
        """Remove the pictures of spaces that went while the picture store did not answer."""
        for row in await store.read("SELECT id FROM gone_space"):
            await self._remove(uuid.UUID(str(row["id"])))

    async def _remove(self, space_id: uuid.UUID) -> None:
        async for key in self._blobs.list(f"pictures/{space_id}/"):
            await self._blobs.delete(key)
        await GoneSpace.filter(id=space_id).delete()

    async def export(self, asked: Export) -> AsyncIterator[File]:
        """`cards/<space>.json` and `pictures/<space>/<id>.webp` of every space the account may enter."""
        for row in await asked.store.read(SPACES, str(asked.account_id)):
            space_id = uuid.UUID(str(row[0]))
            yield File(f"cards/{space_id}.json", self._cards(asked, space_id))
            async for picture_id in _pictures(asked.store, space_id):
                try:
                    image = await self._pictures.get(asked.store, asked.account_id, space_id, picture_id)
                except (BoxUnreadable, NotFound):
                    asked.problems.append(_problem(space_id, "picture", picture_id))
                else:
                    yield File(f"pictures/{space_id}/{picture_id}.webp", once(image), packs=False)

    async def _cards(self, asked: Export, space_id: uuid.UUID) -> AsyncIterator[bytes]:
        """A JSON list, a page of cards at a time."""
        before, after = b"[\n", ""
        while rows := await asked.store.read(CARDS, str(space_id), after, PAGE):
            for body in filter(None, [self._card(asked, space_id, row) for row in rows]):
                yield before + body
                before = b",\n"
            after = rows[-1]["key"]
        yield b"\n]\n" if before == b",\n" else b"[]\n"

    def _card(self, asked: Export, space_id: uuid.UUID, row: db.Row) -> bytes | None:
        card = card_id(row["key"])
        try:
            opened = self._keys.open(bytes(row["box"]), bound(space_id, row["key"], row["schema"]))
        except BoxUnreadable:
            asked.problems.append(_problem(space_id, "card", card))
            return None
        return msgspec.json.encode({"id": str(card), **msgspec.json.decode(opened)})


async def _pictures(store: db.Store, space_id: uuid.UUID) -> AsyncIterator[uuid.UUID]:
    after = ""
    while rows := await store.read(PICTURES, str(space_id), after, PAGE):
        for row in rows:
            after = str(row[0])
            yield uuid.UUID(after)


def _problem(space_id: uuid.UUID, kind: str, id: uuid.UUID | None) -> dict[str, str]:
    return {"space": str(space_id), kind: str(id), "problem": "It is kept but does not open, so it is not in here."}
