"""Notices of offers: planned once for each person when an offer goes live, at an hour that is theirs and not too often,
and put into words when they are sent.

offer goes live ──▶ on cards ──▶ planned: who asked for it, and when they may be told ──▶ queued ──▶ still true? said
"""

import asyncio
import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from aggregator import db
from aggregator.catalog.models import ReminderWish
from aggregator.catalog.quiet import PersonsDay
from aggregator.catalog.wishes import day_of
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.partners import live, offers, programmes
from aggregator.partners.models import OfferTold
from aggregator.partners.offer_values import FIELDS, Stored, stored_from
from aggregator.partners.wishes import KEY as WISHES
from aggregator.partners.wishes import Wishes
from aggregator.sync.log import bound
from aggregator.sync.spaces import PERSON
from aggregator.sync.subscriptions import Notice, PushSubscription
from aggregator.sync.webpush import Later, notices
from aggregator.turns import turns

KIND = "offer"
PAGE = 500
# How many holders are looked at at a stretch, so that nobody else waits for it.
SLICE = 15
# Moments that are tried for one notice: each cap that is met moves it on.
MAX_MOVES = 64

DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)
Cap = tuple[int, int]
"""So many in so many milliseconds."""
OF_A_SHOP: Sequence[Cap] = ((1, DAY_MS), (2, 7 * DAY_MS), (5, 30 * DAY_MS))
OF_ALL: Sequence[Cap] = ((3, DAY_MS),)
LONGEST_MS = 30 * DAY_MS
# What waited longer was not sent because nobody was there to send it.
LATE_MS = timedelta(hours=1) // timedelta(milliseconds=1)
NIGHT = (21 * 60, 9 * 60)

_log = logging.getLogger("karman.offers")


class _Planned(msgspec.Struct, frozen=True):
    """What a queued notice is about; it names nothing."""

    partner: uuid.UUID
    offer: str
    link: uuid.UUID


class _Shown(msgspec.Struct):
    """An offer as it stands on a card."""

    id: str
    title: dict[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class _Holder:
    """Somebody who holds a linked card: what it shows, and what they wish."""

    account_id: uuid.UUID
    space_id: uuid.UUID
    card_id: uuid.UUID
    link_id: uuid.UUID
    card: live.Body
    wishes: Wishes

    def shown(self, offer_id: str) -> _Shown | None:
        """The offer on the card, if it is there and the person wants to hear of it."""
        if not self.wishes.notices or self.card.slug in self.wishes.muted:
            return None
        found = (msgspec.json.decode(one, type=_Shown) for one in self.card.offers)
        return next((one for one in found if one.id == offer_id), None)


@dataclass(slots=True)
class Diary:
    """When a person is told of offers, then and soon: by shop and offer, in ms since 1970, UTC."""

    told: dict[tuple[str, str], int] = field(default_factory=dict)

    def first_free(self, partner: str, day: PersonsDay, from_ms: int, until_ms: int) -> int | None:
        """The first moment at which one more of this shop may be said; None where that is not before `until_ms`."""
        of_all = sorted(self.told.values())
        of_shop = sorted(told_ms for (shop, _), told_ms in self.told.items() if shop == partner)
        at_ms = loud_from(day, from_ms)
        for _ in range(MAX_MOVES):
            if at_ms is None or at_ms >= until_ms:
                return None
            moves = [*_moves(of_shop, OF_A_SHOP, at_ms), *_moves(of_all, OF_ALL, at_ms)]
            if not moves:
                return at_ms
            at_ms = loud_from(day, max(moves))
        return None


def _moves(told: Sequence[int], caps: Sequence[Cap], at_ms: int) -> Iterable[int]:
    """Where to a moment has to move for each cap that would not hold with it: what is planned for later counts, too."""
    for most, within_ms in caps:
        near = [one for one in told if abs(one - at_ms) < within_ms]
        for place, first in enumerate(near):
            group = near[place : place + most]
            if len(group) == most and max(group[-1], at_ms) - min(first, at_ms) < within_ms:
                yield first + within_ms
                break


def loud_from(day: PersonsDay, at_ms: int) -> int | None:
    """The first moment that is neither night nor in a person's quiet hours; None where all of their day is quiet."""
    night = PersonsDay(day.zone, NIGHT)
    for _ in range(4):
        moved_ms = night.loud_from(day.loud_from(at_ms))
        if moved_ms == at_ms:
            return at_ms
        at_ms = moved_ms
    return None


# A person who was never asked where they live has no night that could be kept; a shop that is out is not spoken of.
HELD = (
    "SELECT l.blind, l.id, l.space_id, l.card_id, l.account_id, e.key, e.schema, e.box, "
    "w.space_id AS home, w.schema AS wish_schema, w.box AS wish_box FROM link l "
    "JOIN partner p ON p.id = l.partner_id AND p.disabled_ms IS NULL "
    "JOIN member m ON m.space_id = l.space_id AND m.account_id = l.account_id "
    "JOIN entry e ON e.space_id = l.space_id AND e.key = 'live/' || {card} AND e.box IS NOT NULL "
    # What was thrown away is not spoken of, though it may still come back from the bin.
    "JOIN entry c ON c.space_id = l.space_id AND c.key = 'card/' || {card} AND c.purge_ms IS NULL "
    "JOIN member h ON h.account_id = l.account_id JOIN space s ON s.id = h.space_id AND s.kind = '{person}' "
    "JOIN entry w ON w.space_id = s.id AND w.key = '{wishes}' AND w.box IS NOT NULL "
    "WHERE EXISTS (SELECT 1 FROM reminder_wish r WHERE r.account_id = l.account_id) AND "
)
TOLD_ONES = "EXISTS (SELECT 1 FROM push_subscription d WHERE d.account_id = l.account_id)"
NEXT = f"l.partner_id = $1 AND (l.blind, l.id) > ($2, $3) AND {TOLD_ONES} ORDER BY l.blind, l.id LIMIT {PAGE}"
# Not before the offer is on the cards: who is told finds it there.
PENDING = (
    f"SELECT o.partner_id, o.{', o.'.join(FIELDS.split(', '))} FROM offer o "  # noqa: S608 - constants
    "JOIN partner p ON p.id = o.partner_id AND p.disabled_ms IS NULL "
    "WHERE o.state = 'live' AND o.starts_ms <= $1 AND o.ends_ms > $1 AND o.told_ms IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.partner_id = o.partner_id AND x.kind = 'programme') "
    "ORDER BY o.partner_id, o.id"
)
FIRST = ("", str(uuid.UUID(int=0)))


def _held(where: str) -> str:
    card = "l.card_id" if db.is_sqlite() else "CAST(l.card_id AS text)"
    return HELD.format(card=card, person=PERSON, wishes=WISHES) + where


class OfferNotices:
    """Plans notices, and words what is sent. Planning is done once for each offer and person; broken off anywhere, it
    goes on where it was.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._alone = asyncio.Lock()

    async def run(self, store: db.Store, now_ms: int) -> None:
        """The background job: plan the notices of all offers that are on cards since the last time."""
        for row in await store.read(PENDING, now_ms):
            await self._plan(uuid.UUID(str(row["partner_id"])), stored_from(row), now_ms)

    async def _plan(self, partner_id: uuid.UUID, offer: Stored, now_ms: int) -> None:
        after: tuple[str, str] | None = FIRST
        while after is not None:
            async with db.transaction():
                after = await self._plan_page(partner_id, offer.id, after, now_ms)

    async def _plan_page(
        self, partner_id: uuid.UUID, offer_id: str, after: tuple[str, str], now_ms: int
    ) -> tuple[str, str] | None:
        """Plan for some holders and give where to go on; None where nobody is left."""
        offer = await _locked(partner_id, offer_id)
        if offer is None or offer.told_ms is not None or not offer.is_on_cards(now_ms):
            return None
        rows = await db.fetch(_held(NEXT), str(partner_id), *after)
        holders: list[_Holder] = []
        async for part in turns.slices(rows, SLICE):
            holders += [holder for row in part if (holder := self._holder(row)) and holder.shown(offer_id)]
        await _tell(partner_id, offer, holders, now_ms)
        if len(rows) == PAGE:
            return rows[-1]["blind"], str(rows[-1]["id"])
        sql = "UPDATE offer SET told_ms = $1 WHERE partner_id = $2 AND id = $3"
        await db.fetch(sql, now_ms, str(partner_id), offer_id)
        return None

    def _holder(self, row: db.Row) -> _Holder | None:
        """None where something does not open, which must not keep the others from their notice."""
        try:
            card = self._keys.open(bytes(row["box"]), bound(row["space_id"], row["key"], row["schema"]))
            wishes = self._keys.open(bytes(row["wish_box"]), bound(row["home"], WISHES, row["wish_schema"]))
            names = ("account_id", "space_id", "card_id", "id")
            account, space, card_id, link = (uuid.UUID(str(row[name])) for name in names)
            return _Holder(account, space, card_id, link, live.read(card), msgspec.json.decode(wishes, type=Wishes))
        except (BoxUnreadable, msgspec.MsgspecError):
            _log.error("what %s shows or its holder wishes cannot be read", row["key"])
            return None

    async def compose(self, notice: Notice, subscription: PushSubscription, now_ms: int) -> bytes | Later | None:
        """What a notice says, if it is still true: the offer is on the person's card, and they want to hear of it."""
        about = msgspec.json.decode(notice.body, type=_Planned)
        rows = await db.fetch(_held("l.id = $1 AND l.account_id = $2"), str(about.link), str(notice.account_id))
        holder = self._holder(rows[0]) if rows else None
        shown = holder.shown(about.offer) if holder else None
        offer = await offers.find(about.partner, about.offer)
        wish = await ReminderWish.get_or_none(account_id=notice.account_id)
        if holder is None or shown is None or offer is None or wish is None or not offer.is_on_cards(now_ms):
            return None
        async with self._alone:
            at_ms = await _moved(about.partner, offer, wish, now_ms)
        if at_ms != now_ms:
            return Later(at_ms) if at_ms is not None else None
        return await _said(about.partner, holder, shown, subscription.language, bool(wish.details))


async def _said(partner_id: uuid.UUID, holder: _Holder, shown: _Shown, language: str, details: bool) -> bytes:
    said: dict[str, Any] = {"kind": KIND, "language": language, "offer": shown.id, "why": shown.why}
    said |= {"space": str(holder.space_id), "card": str(holder.card_id)}
    if details:
        programme = await programmes.require(partner_id)
        said |= {"name": _in(programme.programme.name, language), "title": _in(shown.title, language)}
    return msgspec.json.encode(said)


async def _moved(partner_id: uuid.UUID, offer: Stored, wish: ReminderWish, now_ms: int) -> int | None:
    """When to say what is due: at once but in quiet hours, and not before the moment that another device of theirs has
    been put off to. What comes late, since nobody sent for a while, keeps its distance to the others anew.
    """
    diary = (await _diaries([wish.account_id], partner_id, offer.id, now_ms))[wish.account_id]
    planned_ms = diary.told.pop((str(partner_id), offer.id), now_ms)
    if now_ms - planned_ms <= LATE_MS:
        return loud_from(day_of(wish), max(now_ms, planned_ms))
    at_ms = diary.first_free(str(partner_id), day_of(wish), now_ms, offer.ends_ms)
    if at_ms is not None:
        told = OfferTold.filter(account_id=wish.account_id, partner_id=partner_id, offer_id=offer.id)
        await told.update(told_ms=at_ms)
    return at_ms


async def _locked(partner_id: uuid.UUID, offer_id: str) -> Stored | None:
    """The offer, whose notices nobody else plans until the commit."""
    sql = f"SELECT {FIELDS} FROM offer WHERE partner_id = $1 AND id = $2"  # noqa: S608 - constants
    rows = await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", str(partner_id), offer_id)
    return stored_from(rows[0]) if rows else None


async def _tell(partner_id: uuid.UUID, offer: Stored, holders: Sequence[_Holder], now_ms: int) -> None:
    """Note and queue a notice for each of them who can be told before the offer ends, once whatever they hold."""
    people = {holder.account_id: holder for holder in reversed(holders)}
    if not people:
        return
    wishes = await ReminderWish.filter(account_id__in=list(people))
    diaries = await _diaries(list(people), partner_id, offer.id, now_ms)
    devices: dict[uuid.UUID, list[PushSubscription]] = {}
    for device in await PushSubscription.filter(account_id__in=list(people)):
        devices.setdefault(device.account_id, []).append(device)
    told, queued = [], []
    for wish in wishes:
        at_ms = _moment(diaries[wish.account_id], wish, partner_id, offer, now_ms)
        if at_ms is not None and wish.account_id in devices:
            about = _Planned(partner_id, offer.id, people[wish.account_id].link_id)
            told.append(OfferTold(account_id=wish.account_id, partner_id=partner_id, offer_id=offer.id, told_ms=at_ms))
            queued += notices(KIND, about, devices[wish.account_id], at_ms, offer.ends_ms)
    await OfferTold.bulk_create(told)
    await Notice.bulk_create(queued)


def _moment(diary: Diary, wish: ReminderWish, partner_id: uuid.UUID, offer: Stored, now_ms: int) -> int | None:
    if (str(partner_id), offer.id) in diary.told:
        return None
    return diary.first_free(str(partner_id), day_of(wish), now_ms, offer.ends_ms)


async def _diaries(
    people: Sequence[uuid.UUID], partner_id: uuid.UUID, offer_id: str, now_ms: int
) -> dict[uuid.UUID, Diary]:
    sql = (
        "SELECT account_id, partner_id, offer_id, told_ms FROM offer_told "  # noqa: S608 - placeholders only
        "WHERE (told_ms > $1 OR (partner_id = $2 AND offer_id = $3)) "
        f"AND account_id IN ({db.marks(4, len(people))})"
    )
    found = {account_id: Diary() for account_id in people}
    for row in await db.fetch(sql, now_ms - LONGEST_MS, str(partner_id), offer_id, *map(str, people)):
        diary = found[uuid.UUID(str(row["account_id"]))]
        diary.told[str(row["partner_id"]), row["offer_id"]] = row["told_ms"]
    return found


def _in(texts: dict[str, str], language: str) -> str:
    """The text in a person's language, or the next best."""
    return next(texts[one] for one in (language, "en", "ru", *texts) if one in texts)
