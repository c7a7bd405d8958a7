"""What shops have to do with a person, shown to that person and removed with their account."""

import uuid
from collections.abc import AsyncIterator

import msgspec

from aggregator import db
from aggregator.accounts.exports import Export, File, json_file
from aggregator.accounts.leaving import Afterwards
from aggregator.accounts.sessions import now_ms
from aggregator.crypto import KeyRing
from aggregator.partners import attempts, links, live
from aggregator.partners.models import OfferTold
from aggregator.partners.news import News
from aggregator.sync.spaces import lock_own

LINKS = (
    "SELECT l.id, l.space_id, l.card_id, l.policy, l.made_ms, g.slug, g.body FROM link l "
    "JOIN programme g ON g.partner_id = l.partner_id WHERE l.account_id = $1 ORDER BY l.made_ms, l.id"
)


class _Named(msgspec.Struct):
    """What an export says of a programme."""

    name: dict[str, str]


class Traces:
    """This package's share in leaving."""

    def __init__(self, keys: KeyRing, news: News) -> None:
        self._keys = keys
        self._news = news

    async def erase(self, account_id: uuid.UUID) -> Afterwards:
        """End the account's links, which their shops are told, and remove all else that names it."""
        # In the order in which everybody locks: spaces, attempts, shops.
        await lock_own(account_id)
        now = now_ms()
        await attempts.orphan(self._keys, account_id, now)
        versions = await links.end(self._keys, await links.of_account(account_id), "gone", now)
        await OfferTold.filter(account_id=account_id).delete()
        await self._news.announce(versions)

        async def tell() -> None:
            self._news.tell(versions)

        return tell

    async def export(self, asked: Export) -> AsyncIterator[File]:
        """`links.json`: which cards are connected to which shops."""
        rows = await asked.store.read(LINKS, str(asked.account_id))
        yield json_file("links.json", [_link(row) for row in rows])


def _link(row: db.Row) -> dict[str, object]:
    ids = {name: str(row[column]) for name, column in {"id": "id", "space": "space_id", "card": "card_id"}.items()}
    shop = msgspec.json.decode(row["body"], type=_Named).name
    return {**ids, "slug": row["slug"], "shop": shop, "policy": row["policy"], "since": live.moment(row["made_ms"])}
