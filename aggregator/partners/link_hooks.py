"""What becomes of links when cards change: looked at in the transaction that writes the cards.

the number, first code or shop is another   ended: `changed`
the card has moved                          goes along, where its holder may go, too
the card was purged, or its holder has left ended: `gone`, or another member's link of the same card takes over
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aggregator import db
from aggregator.accounts.sessions import now_ms
from aggregator.catalog.cards import card_id
from aggregator.crypto import KeyRing
from aggregator.partners import links, live, numbers
from aggregator.partners.links import Link
from aggregator.sync.log import Change, Written
from aggregator.sync.purge import TOMBSTONE_MS

MOVED = "UPDATE link SET space_id = $1 WHERE id = $2"
BURIED = (
    "UPDATE entry SET box = NULL, version = (SELECT version FROM space WHERE id = entry.space_id), purge_ms = $2 "
    "WHERE space_id = $1 AND box IS NOT NULL AND key IN ({keys})"
)


async def follow_cards(change: Change) -> None:
    """The hook: one query where cards have become others, and one where somebody leaves."""
    before = {place: written.before for written in change.written() if (place := _touched(written)) is not None}
    changed, gone = [], await _of_parted(change)
    for link in await links.of_cards(before):
        here = await _taken_along(change, link)
        after = change.get(here.space_id, _key(link)) if here.space_id in change.spaces else None
        if after is None or not await _may_enter(change, link, here):
            gone.append(here)
        elif identity(after) != identity(before[link.space_id, link.card_id]):
            changed.append(here)
    await links.end_in(change, changed, "changed")
    change.keep()
    ended = {link.id for link in changed}
    await links.end_in(change, list({link.id: link for link in gone if link.id not in ended}.values()), "gone")


def identity(body: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """What makes a card the one that was linked: its shop, its number however it is grouped, and its first code."""
    body = body or {}
    codes = body.get("codes") or [{}]
    return body.get("merchant", ""), numbers.normal("alphanumeric", body.get("number", "")), codes[0].get("text", "")


def _key(link: Link) -> str:
    return f"card/{link.card_id}"


def _touched(written: Written) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The card at a place, where it may have had links and is another since."""
    found = card_id(written.key)
    if found is None or written.before is None:
        return None
    after = written.after.body
    return None if after is not None and identity(after) == identity(written.before) else (written.space_id, found)


async def _taken_along(change: Change, link: Link) -> Link:
    """The link where its card is now."""
    space_id = change.whereabouts(link.space_id, _key(link))
    if space_id != link.space_id:
        await db.fetch(MOVED, str(space_id), str(link.id))
    return replace(link, space_id=space_id)


async def _may_enter(change: Change, link: Link, here: Link) -> bool:
    """Whether whoever made the link may see the card where it is now."""
    if here.space_id == link.space_id or link.account_id in {change.account_id, None}:
        return True
    sql = "SELECT 1 FROM member WHERE space_id = $1 AND account_id = $2"
    return bool(await db.fetch(sql, str(here.space_id), str(link.account_id)))


async def _of_parted(change: Change) -> list[Link]:
    """The links of those who leave, in the spaces that they leave."""
    found = []
    for account_id, space_id in change.parted:
        found += [link for link in await links.of_account(account_id) if link.space_id == space_id]
    return found


class AfterCards:
    """What a purge does to the links of the cards that are gone. Other packages' rows go in the same transaction."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def __call__(self, space_id: uuid.UUID, keys: Sequence[str]) -> None:
        cards = [card for key in keys if (card := card_id(key)) is not None]
        standing = await links.of_cards((space_id, card) for card in cards)
        if standing:
            now = now_ms()
            names = [live.key(link.card_id) for link in standing]
            sql = BURIED.format(keys=db.marks(3, len(names)))
            await db.fetch(sql, str(space_id), now + TOMBSTONE_MS, *names)
            await links.forget(self._keys, standing, "gone", now)
