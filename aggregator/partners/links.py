"""Links: cards that holders have connected to a shop's programme. What a link does to cards and tells the shop
happens in the transaction that makes or ends it, under the lock of the card's space.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.partners import events, live, numbers, outbox
from aggregator.partners.models import Link as Row
from aggregator.partners.programmes import Policy, Rule
from aggregator.sync.log import Change, Staged
from aggregator.sync.purge import TOMBSTONE_MS
from aggregator.sync.spaces import lock_some

Reason = Literal["holder", "shop", "reissue", "changed", "gone"]
COLUMNS = "id, space_id, card_id, account_id, partner_id, policy, blind, number_box, made_ms"
NOBODY = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose card is linked; a sandbox's test cards are nobody's."""

    account_id: uuid.UUID | None
    space_id: uuid.UUID
    card_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands in the store."""

    id: uuid.UUID
    space_id: uuid.UUID
    card_id: uuid.UUID
    account_id: uuid.UUID | None
    partner_id: uuid.UUID
    policy: Policy
    blind: str
    number_box: bytes
    made_ms: int

    def number(self, keys: KeyRing) -> str:
        """The number that was linked; empty where its box does not open."""
        try:
            return numbers.opened(keys, self.partner_id, self.number_box)
        except BoxUnreadable:
            return ""


def link_from(row: db.Row) -> Link:
    """The link in a row of COLUMNS."""
    id, space_id, card_id, partner_id = (
        uuid.UUID(str(row[name])) for name in ("id", "space_id", "card_id", "partner_id")
    )
    account_id = uuid.UUID(str(row["account_id"])) if row["account_id"] else None
    sealed = bytes(row["number_box"])
    return Link(id, space_id, card_id, account_id, partner_id, row["policy"], row["blind"], sealed, row["made_ms"])


# ---------------------------------------------------------------- finding


async def of_cards(places: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> list[Link]:
    """The links of cards, each in its space, the oldest first."""
    wanted = set(places)
    if not wanted:
        return []
    spaces, cards = ([str(one) for one in {place[part] for place in wanted}] for part in (0, 1))
    sql = (
        f"SELECT {COLUMNS} FROM link WHERE space_id IN ({db.marks(1, len(spaces))}) "  # noqa: S608 - placeholders only
        f"AND card_id IN ({db.marks(len(spaces) + 1, len(cards))}) ORDER BY made_ms, id"
    )
    found = map(link_from, await db.fetch(sql, *spaces, *cards))
    return [link for link in found if (link.space_id, link.card_id) in wanted]


async def of_number(partner_id: uuid.UUID, blinds: Sequence[str]) -> list[Link]:
    """The links of a number of a programme."""
    sql = f"SELECT {COLUMNS} FROM link WHERE partner_id = $1 AND blind IN ({db.marks(2, len(blinds))})"  # noqa: S608 - placeholders only
    return [link_from(row) for row in await db.fetch(sql, str(partner_id), *blinds)]


async def of_account(account_id: uuid.UUID) -> list[Link]:
    """The links that an account has made."""
    sql = f"SELECT {COLUMNS} FROM link WHERE account_id = $1 ORDER BY made_ms, id"  # noqa: S608 - constants
    return [link_from(row) for row in await db.fetch(sql, str(account_id))]


async def of_partner(partner_id: uuid.UUID, text: str) -> Link | None:
    """The shop's link with this id; None for another's, and for what is no id."""
    try:
        link_id = uuid.UUID(text)
    except ValueError:
        return None
    return next((link for link in await _by_ids([link_id]) if link.partner_id == partner_id), None)


async def _by_ids(ids: Sequence[uuid.UUID]) -> list[Link]:
    sql = f"SELECT {COLUMNS} FROM link WHERE id IN ({db.marks(1, len(ids))}) ORDER BY made_ms, id"  # noqa: S608 - placeholders only
    return [link_from(row) for row in await db.fetch(sql, *map(str, ids))]


# ---------------------------------------------------------------- making


async def make(keys: KeyRing, holder: Holder, rule: Rule, number: str, policy: Policy, now_ms: int) -> uuid.UUID:
    """A new link of a number in its normal form, inside the open transaction that holds the space; gives its id."""
    link_id, partner_id = uuid.uuid4(), rule.partner_id
    blind = numbers.blind(keys, partner_id, number)
    row = Row(
        space_id=holder.space_id,
        id=link_id,
        card_id=holder.card_id,
        account_id=holder.account_id,
        partner_id=partner_id,
        policy=policy,
        blind=blind,
        number_box=numbers.seal(keys, partner_id, number),
        made_ms=now_ms,
    )
    await Row.bulk_create([row])
    await outbox.add([outbox.link_row(partner_id, blind, now_ms)])
    await events.record(keys, partner_id, events.CREATED, events.LinkCreated(link_id, number, policy), now_ms)
    return link_id


# ---------------------------------------------------------------- ending


async def end(keys: KeyRing, links: Sequence[Link], reason: Reason, now_ms: int) -> dict[uuid.UUID, int]:
    """End links inside the open transaction, and give the new versions of their spaces, for `Pokes`."""
    if not links:
        return {}
    spaces = await lock_some({link.space_id for link in links})
    # A link may have ended, or gone elsewhere with its card, before its space was locked.
    standing = await _by_ids([link.id for link in links])
    spaces |= await lock_some({link.space_id for link in standing} - spaces.keys())
    change = Change(keys, NOBODY, now_ms, spaces)
    await end_in(change, standing, reason)
    change.keep()
    return await change.flush()


async def end_in(change: Change, links: Sequence[Link], reason: Reason) -> None:
    """As `end`, as a part of a change that holds their spaces: bodies are staged, and everything else is done."""
    if not links:
        return
    ended = {link.id for link in links}
    cards = {(link.space_id, link.card_id) for link in links}
    others = [link for link in await of_cards(cards) if link.id not in ended]
    await change.load((space_id, live.key(card_id)) for space_id, card_id in cards)
    for space_id, card_id in cards:
        heirs = [link for link in others if (link.space_id, link.card_id) == (space_id, card_id)]
        _end_on_card(change, space_id, live.key(card_id), ended, heirs)
    # What is offered to a card depends on its link, and may be more by another.
    await outbox.add([outbox.link_row(link.partner_id, link.blind, change.now_ms) for link in others])
    await forget(change.keys, links, reason, change.now_ms)


async def forget(keys: KeyRing, links: Sequence[Link], reason: Reason, now_ms: int) -> None:
    """Remove links and tell their shops, inside the open transaction, where nothing stands on their cards any more."""
    ids = [str(link.id) for link in links]
    await db.fetch(f"DELETE FROM link WHERE id IN ({db.marks(1, len(ids))})", *ids)  # noqa: S608 - placeholders only
    # In the order of shops, as everybody locks them.
    for link in sorted(links, key=lambda link: str(link.partner_id)):
        said = events.LinkEnded(link.id, link.number(keys), link.policy, reason)
        await events.record(keys, link.partner_id, events.ENDED, said, now_ms)


def _end_on_card(change: Change, space_id: uuid.UUID, key: str, ended: set[uuid.UUID], heirs: Sequence[Link]) -> None:
    """What the shop sent goes from the card, or stays by another's link."""
    try:
        body = change.get(space_id, key)
    except BoxUnreadable:
        body = {}
    if body is None or (body and uuid.UUID(body["link"]) not in ended):
        return
    if body and heirs:
        change.put(space_id, key, Staged(_inherited(body, heirs[0])))
    else:
        change.put(space_id, key, gone(change.now_ms))


def gone(now_ms: int) -> Staged:
    """What is left of a body."""
    return Staged(None, purge_ms=now_ms + TOMBSTONE_MS)


def _inherited(body: Mapping[str, Any], heir: Link) -> dict[str, Any]:
    """What a card shows by another link than before: no more than that link would have shown."""
    since = live.moment(heir.made_ms)
    is_open = heir.policy == live.WITHOUT_HISTORY
    history = [step for step in body["history"] if step["as_of"] > since and not is_open]
    offers = [offer for offer in body["offers"] if offer["why"] == "all" or not is_open]
    own = {"link": str(heir.id), "policy": heir.policy, "since": since, "history": history, "offers": offers}
    return {**body, **own}
