"""The live bodies of linked cards, read, changed and written in bulk under the locks of their spaces."""

import logging
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.partners import balances, facts, live, numbers
from aggregator.partners.balances import Balance
from aggregator.partners.facts import Facts
from aggregator.partners.live import Body
from aggregator.sync.log import SCHEMA, bound
from aggregator.turns import turns

# How many bodies are changed at a stretch, so that nobody else waits for it.
SLICE = 15

PAIRS = "unnest($1::uuid[], $2::text[]) AS p(partner_id, blind)"
PAIRS_ON_SQLITE = (
    "(SELECT json_extract(value, '$[0]') AS partner_id, json_extract(value, '$[1]') AS blind FROM json_each($1)) AS p"
)
SPACES = (
    "SELECT id, version FROM space WHERE id IN (SELECT l.space_id FROM {pairs} "
    "JOIN link l ON l.partner_id = p.partner_id AND l.blind = p.blind) ORDER BY id"
)
LINKS = (
    "SELECT l.id, l.partner_id, l.blind, l.space_id, l.card_id, l.account_id, l.policy, l.made_ms, l.number_box, "
    "e.schema, e.box FROM {pairs} JOIN link l ON l.partner_id = p.partner_id AND l.blind = p.blind "
    "LEFT JOIN entry e ON e.space_id = l.space_id AND e.key = 'live/' || l.card_id"
)
BALANCES = (
    "SELECT b.partner_id, b.blind, b.box, b.as_of_ms FROM {pairs} "
    "JOIN balance b ON b.partner_id = p.partner_id AND b.blind = p.blind"
)
REPLACED = (
    "ON CONFLICT (space_id, key) DO UPDATE SET version = excluded.version, schema = excluded.schema, "
    "box = excluded.box, merchant = NULL, expires_on = NULL, purge_ms = NULL, moved_to = NULL"
)
WRITE_ON_SQLITE = f"INSERT INTO entry (space_id, key, version, schema, box) VALUES ($1, $2, $3, $4, $5) {REPLACED}"  # noqa: S608 - constants
WRITE = (
    "INSERT INTO entry (space_id, key, version, schema, box) "  # noqa: S608 - constants
    f"SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::smallint[], $5::bytea[]) {REPLACED}"
)
RAISE_ON_SQLITE = "UPDATE space SET version = $1 WHERE id = $2"
RAISE = (
    "UPDATE space SET version = raised.version FROM unnest($1::bigint[], $2::uuid[]) AS raised(version, id) "
    "WHERE space.id = raised.id"
)

Number = tuple[str, str]
"""A shop's id and a blind."""

_log = logging.getLogger("karman.carrier")


class Errand(Struct, frozen=True):
    """What the cards of one number have to be told: a `balance` (in its `box`), that a `link` was made, or that their
    `programme` says something else.
    """

    partner_id: str
    blind: str
    kind: Literal["balance", "link", "programme"]
    box: bytes | None = None

    @property
    def number(self) -> Number:
        """Whose it is."""
        return self.partner_id, self.blind


class LinksMoved(Exception):
    """A card has moved into another space since its space was looked up to be locked: nothing is kept, try again."""


@dataclass(slots=True)
class Told:
    """The new versions of spaces, and the errands that could not be run."""

    versions: dict[uuid.UUID, int] = field(default_factory=dict)
    failed: list[Errand] = field(default_factory=list)


OffersFor = Callable[[str, str | None, Collection[str]], Sequence[Mapping[str, Any]]]
"""What is offered to a card: by the policy of its link, its tier, and the blinds of its number."""

Offers = Callable[[uuid.UUID, int, Collection[str]], Awaitable[OffersFor]]
"""What a shop offers at a time to cards with numbers of these blinds; asked for inside the open transaction."""


async def no_offers(partner_id: uuid.UUID, now_ms: int, blinds: Collection[str]) -> OffersFor:
    """For shops that offer nothing."""
    return lambda policy, tier, blinds: ()


@dataclass(slots=True)
class _Card:
    """One card on its way: the first of its links counts, which may be several people's in a household."""

    link: db.Row
    errands: list[Errand]
    blinds: list[str]
    before: bytes = b""
    body: Body | None = None
    wants_first: bool = False
    wants_offers: bool = False
    alert_ms: int | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Its space, and the key of its body there."""
        return str(self.link["space_id"]), live.key(self.link["card_id"])


class Linked:
    """Tells linked cards what shops said."""

    def __init__(self, keys: KeyRing, offers: Offers = no_offers) -> None:
        self._keys = keys
        self._offers = offers

    async def tell(self, errands: Sequence[Errand], now_ms: int) -> Told:
        """Run errands inside the open transaction; raises LinksMoved."""
        trip = _Trip(self._keys, self._offers, now_ms)
        await trip.run(errands)
        return trip.told


class _Trip:
    """One run: the programmes, and what is told."""

    def __init__(self, keys: KeyRing, offers: Offers, now_ms: int) -> None:
        self._keys = keys
        self._offers = offers
        self._now_ms = now_ms
        self._is_rotated = len(keys.ids) > 1
        self._known: dict[str, Facts] = {}
        self.told = Told()

    async def run(self, errands: Sequence[Errand]) -> None:
        if not errands:
            return
        partners = {errand.partner_id for errand in errands}
        self._known = await _facts_of(partners)
        by_number = self._by_number(errands)
        spaces = {str(row[0]): row for row in await _of(_locking(SPACES), by_number)}
        if not spaces:
            return
        links = await _of(LINKS, by_number)
        if any(str(link["space_id"]) not in spaces for link in links):
            raise LinksMoved
        # What a shop has changed before this moment is told; what it changes later is told later.
        self._known = await _facts_of(partners)
        cards = self._cards(links, by_number)
        await self._change(cards)
        await self._write([card for card in cards if card.body is not None], spaces)

    def _by_number(self, errands: Sequence[Errand]) -> dict[Number, list[Errand]]:
        """Errands by every blind that their number may stand under."""
        found: dict[Number, list[Errand]] = {}
        for errand in errands:
            for blind in self._blinds(errand):
                found.setdefault((errand.partner_id, blind), []).append(errand)
        return found

    def _blinds(self, errand: Errand) -> list[str]:
        if errand.box is None or not self._is_between(errand.partner_id):
            return [errand.blind]
        try:
            balance = balances.opened(self._keys, errand.partner_id, errand.box)
        except (BoxUnreadable, msgspec.MsgspecError):
            # It is told as failed where it is opened for its cards.
            return [errand.blind]
        return self._aliases(errand.partner_id, balance.number, errand.blind)

    def _is_between(self, partner_id: str) -> bool:
        """Whether numbers may stand under several blinds: keys were rotated, or a normal form has changed."""
        known = self._known.get(partner_id)
        return self._is_rotated or (known is not None and known.rule.was is not None)

    def _aliases(self, partner_id: str, number: str, blind: str) -> list[str]:
        known = self._known.get(partner_id)
        return list({blind, *(known.rule.blinds(self._keys, number) if known else ())})

    def _cards(self, links: Sequence[db.Row], by_number: Mapping[Number, list[Errand]]) -> list[_Card]:
        by_card: dict[tuple[str, str], list[db.Row]] = {}
        for link in sorted(links, key=_age):
            by_card.setdefault((str(link["space_id"]), str(link["card_id"])), []).append(link)
        cards = []
        for own in by_card.values():
            errands = list(dict.fromkeys(chain.from_iterable(by_number[_number(link)] for link in own)))
            cards.append(_Card(own[0], errands, self._blinds_of(own[0])))
        _mind_twins(cards)
        return cards

    def _blinds_of(self, link: db.Row) -> list[str]:
        partner_id, blind = _number(link)
        if not self._is_between(partner_id):
            return [blind]
        try:
            number = numbers.opened(self._keys, uuid.UUID(partner_id), bytes(link["number_box"]))
        except BoxUnreadable:
            return [blind]
        return self._aliases(partner_id, number, blind)

    async def _change(self, cards: Sequence[_Card]) -> None:
        """Give every card its new body; one that cannot be read costs no other."""
        async for some in turns.slices(cards, SLICE):
            for card in some:
                self._attempt(card, self._begin)
        firsts = await self._first_balances(cards)
        offers = await self._current_offers(cards)
        async for some in turns.slices(cards, SLICE):
            for card in some:
                if card.wants_first or card.wants_offers:
                    self._attempt(card, lambda card: self._complete(card, firsts, offers))

    def _attempt(self, card: _Card, step: Callable[[_Card], None]) -> None:
        try:
            step(card)
        except Exception:
            _log.exception("a linked card could not be told what its shop said")
            self.told.failed += [errand for errand in card.errands if errand not in self.told.failed]
            card.body, card.wants_first, card.wants_offers = None, False, False

    def _begin(self, card: _Card) -> None:
        """What can be said without asking the store."""
        link, known = card.link, self._facts(card)
        card.before, body = self._read(card)
        kinds = {errand.kind for errand in card.errands}
        is_new = body is None or body.link != str(link["id"])
        if body is None or is_new:
            body = live.new(known.slug or "", str(link["id"]), link["policy"], link["made_ms"], known.unit)
        tier = _tier(body)
        if "programme" in kinds or "link" in kinds:
            body = live.with_programme(body, known.slug or "", known.unit, known.tiers)
        for errand in card.errands:
            if errand.box is not None:
                body = live.with_balance(body, self._opened(errand).shown(known.tiers))
        if card.alert_ms is not None:
            body = live.with_alert(body, card.alert_ms)
        card.body = body
        card.wants_first = is_new or "link" in kinds
        card.wants_offers = card.wants_first or "programme" in kinds or _tier(body) != tier

    def _facts(self, card: _Card) -> Facts:
        return self._known[str(card.link["partner_id"])]

    def _opened(self, errand: Errand) -> Balance:
        return balances.opened(self._keys, errand.partner_id, errand.box or b"")

    def _read(self, card: _Card) -> tuple[bytes, Body | None]:
        """The body that stands there. One that does not open any more is made anew."""
        box = card.link["box"]
        if box is None:
            return b"", None
        space_id, key = card.place
        try:
            text = self._keys.open(bytes(box), bound(space_id, key, card.link["schema"]))
            return text, live.read(text)
        except (BoxUnreadable, msgspec.MsgspecError):
            _log.error("the body of %s in space %s does not open and is made anew", key, space_id)
            return b"", None

    async def _first_balances(self, cards: Sequence[_Card]) -> dict[Number, Balance]:
        """What was known of numbers before: a link takes it from the table, since its rows may have been carried."""
        partner = {card.place: str(card.link["partner_id"]) for card in cards}
        wanted = {(partner[card.place], blind) for card in cards if card.wants_first for blind in card.blinds}
        rows = await _of(BALANCES, wanted) if wanted else []
        found = {}
        async for some in turns.slices(rows, SLICE):
            for row in some:
                partner_id = str(row["partner_id"])
                try:
                    found[partner_id, row["blind"]] = balances.opened(self._keys, partner_id, bytes(row["box"]))
                except (BoxUnreadable, msgspec.MsgspecError):
                    _log.error("a balance does not open")
        return found

    async def _current_offers(self, cards: Sequence[_Card]) -> dict[str, OffersFor]:
        wanted: dict[str, set[str]] = {}
        for card in cards:
            # Which tier a new card has is not known yet.
            if card.wants_offers:
                wanted.setdefault(str(card.link["partner_id"]), set()).update(card.blinds)
        return {
            partner_id: await self._offers(uuid.UUID(partner_id), self._now_ms, blinds)
            for partner_id, blinds in wanted.items()
        }

    def _complete(self, card: _Card, firsts: Mapping[Number, Balance], offers: Mapping[str, OffersFor]) -> None:
        """What the store was asked for."""
        body, known, partner_id = card.body, self._facts(card), str(card.link["partner_id"])
        if body is None:
            return
        if card.wants_first:
            for blind in card.blinds:
                if first := firsts.get((partner_id, blind)):
                    body = live.with_balance(body, first.shown(known.tiers))
        card.body = live.with_offers(body, offers[partner_id](body.policy, _tier(body), card.blinds))

    async def _write(self, cards: Sequence[_Card], spaces: Mapping[str, db.Row]) -> None:
        """Write the bodies that have changed, each space under its next version."""
        rows = []
        async for some in turns.slices(cards, SLICE):
            for card in some:
                text = live.written(card.body) if card.body else b""
                if text != card.before:
                    space_id, key = card.place
                    box = self._keys.seal(text, bound(space_id, key, SCHEMA))
                    rows.append((space_id, key, spaces[space_id][1] + 1, SCHEMA, box))
        raised = {space_id: version for space_id, _, version, _, _ in rows}
        await _put_all(WRITE_ON_SQLITE, WRITE, rows)
        await _put_all(RAISE_ON_SQLITE, RAISE, [(version, space_id) for space_id, version in raised.items()])
        self.told.versions = {_uuid(spaces[space_id][0]): version for space_id, version in raised.items()}


def _uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


async def _facts_of(partner_ids: Collection[str]) -> dict[str, Facts]:
    found = await facts.of([uuid.UUID(one) for one in partner_ids])
    return {str(partner_id): known for partner_id, known in found.items()}


def _age(link: db.Row) -> tuple[int, str]:
    return link["made_ms"], str(link["id"])


def _number(link: db.Row) -> Number:
    return str(link["partner_id"]), link["blind"]


def _tier(body: Body) -> str | None:
    return body.balance.tier.id if body.balance is not UNSET and body.balance.tier is not None else None


def _mind_twins(cards: Iterable[_Card]) -> None:
    """Where a link was made, cards of other people with the same number are told so."""
    by_number: dict[Number, list[_Card]] = {}
    for card in cards:
        if any(errand.kind == "link" for errand in card.errands):
            by_number.setdefault(_number(card.link), []).append(card)
    for twins in by_number.values():
        for card in twins:
            later = [twin.link["made_ms"] for twin in twins if _is_later_twin(card.link, twin.link)]
            card.alert_ms = max(later, default=None)


def _is_later_twin(link: db.Row, other: db.Row) -> bool:
    account = link["account_id"]
    is_own = account is not None and account == other["account_id"]
    return not is_own and _age(link) < _age(other)


def _locking(sql: str) -> str:
    return sql if db.is_sqlite() else f"{sql} FOR UPDATE"


async def _of(sql: str, numbers_: Collection[Number]) -> Sequence[db.Row]:
    """The rows of a statement about these numbers."""
    if db.is_sqlite():
        return await db.fetch(sql.format(pairs=PAIRS_ON_SQLITE), msgspec.json.encode(list(numbers_)).decode())
    return await db.fetch(sql.format(pairs=PAIRS), *map(list, zip(*numbers_, strict=True)))


async def _put_all(on_sqlite: str, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows and db.is_sqlite():
        await db.repeat(on_sqlite, rows)
    elif rows:
        await db.fetch(sql, *map(list, zip(*rows, strict=True)))
