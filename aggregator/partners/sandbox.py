"""Test cards of sandbox shops: holders who are nobody, by the same code as everybody else's.

Such a holder is a space that no account is in, so no device ever pulls it, and what looks for people does not find it;
the card and its space have one id.
"""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.errors import Conflict, Forbidden, NotFound
from aggregator.partners import attempts, links, live, numbers, programmes
from aggregator.partners.attempts import Begun, Tried, Wanted
from aggregator.partners.credentials import lock
from aggregator.partners.links import Holder, Link
from aggregator.partners.news import News
from aggregator.partners.programmes import Known, Policy
from aggregator.sync.log import Change, Staged, bound
from aggregator.sync.models import Space
from aggregator.sync.spaces import lock_some

KIND = "sandbox"
MAX_CARDS = 100

COUNT = "SELECT count(*) AS n FROM sandbox_card WHERE partner_id = $1"
NOTED = "INSERT INTO sandbox_card (partner_id, id, made_ms) VALUES ($1, $2, $3)"
MINE = "SELECT id FROM sandbox_card WHERE partner_id = $1 AND id = $2"
BODIES = (
    "SELECT c.id, c.made_ms, e.key, e.schema, e.box FROM sandbox_card c JOIN entry e ON e.space_id = c.id "
    "WHERE c.partner_id = $1 AND e.box IS NOT NULL{which} ORDER BY c.made_ms, c.id"
)
WAITING = (
    "SELECT id FROM link_attempt WHERE space_id = $1 AND policy = 'challenge' AND ended_ms IS NULL "
    "AND expires_ms > $2 ORDER BY made_ms DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Card:
    """A test card: its number as it was made, and the body of its shop as a phone gets it, None where there is none."""

    id: uuid.UUID
    made_ms: int
    number: str
    live: dict[str, Any] | None


class Sandbox:
    """What a sandbox shop does in its holders' place. Every verb raises NotFound for what is not the shop's."""

    def __init__(self, keys: KeyRing, news: News) -> None:
        self._keys = keys
        self._news = news

    async def add(self, partner_id: uuid.UUID, name: str, number: str, now_ms: int) -> Card:
        """A new card with this number and code, inside the caller's transaction; raises Conflict where there are
        enough.
        """
        await lock(partner_id)
        if (await db.fetch(COUNT, str(partner_id)))[0]["n"] >= MAX_CARDS:
            raise Conflict("too-many-cards", f"A sandbox has at most {MAX_CARDS} test cards: delete one first.")
        id = uuid.uuid4()
        await Space.create(id=id, kind=KIND, version=0, floor=0, created_ms=now_ms)
        change = self._change(id, 0, now_ms)
        change.put(id, f"card/{id}", Staged(_body(name, number)))
        change.keep()
        await change.flush()
        await db.fetch(NOTED, str(partner_id), str(id), now_ms)
        return Card(id, now_ms, number, None)

    async def find(self, store: db.Store, partner_id: uuid.UUID, card_id: uuid.UUID) -> Card:
        """A card as it is."""
        rows = await store.read(BODIES.format(which=" AND c.id = $2"), str(partner_id), str(card_id))
        if not rows:
            raise NotFound
        return self._card(rows)

    async def all(self, store: db.Store, partner_id: uuid.UUID) -> list[Card]:
        """The shop's cards, oldest first."""
        by_card: dict[str, list[db.Row]] = {}
        for row in await store.read(BODIES.format(which=""), str(partner_id)):
            by_card.setdefault(str(row["id"]), []).append(row)
        return [self._card(rows) for rows in by_card.values()]

    async def remove(self, partner_id: uuid.UUID, card_id: uuid.UUID, now_ms: int) -> None:
        """The holder throws the card away, inside the caller's transaction: its link ends."""
        await self._opened(partner_id, card_id, now_ms)
        # With what was tried for the card, the codes of challenges are to go from the feed.
        await attempts.end_of_card(self._keys, Holder(None, card_id, card_id), now_ms)
        await links.end(self._keys, await _links(card_id), "gone", now_ms)
        await db.fetch("DELETE FROM sandbox_card WHERE partner_id = $1 AND id = $2", str(partner_id), str(card_id))
        await db.fetch("DELETE FROM space WHERE id = $1", str(card_id))

    async def tell(self) -> None:
        """Wake whom it concerns, after the commit."""
        self._news.tell()

    async def connect(
        self, partner_id: uuid.UUID, card_id: uuid.UUID, policy: Policy, code: str, now_ms: int
    ) -> Begun | uuid.UUID:
        """The holder taps Connect: a challenge that was begun, or the id of a link. Refuses as `Linking.connect`."""
        async with db.transaction():
            change = await self._opened(partner_id, card_id, now_ms)
            known = await programmes.require(partner_id)
            wanted = await self._wanted(change, card_id, known)
            if policy not in known.policies:
                raise Conflict("policy-not-offered", "The programme does not link cards this way.")
            if await _links(card_id):
                raise Conflict("already-linked", "This card is connected already.")
            made = await self._attempt(wanted, policy, code, now_ms)
        self._news.tell()
        if made is None:
            raise wrong()
        return made

    async def _attempt(self, wanted: Wanted, policy: Policy, code: str, now_ms: int) -> Begun | uuid.UUID | None:
        if policy == "challenge":
            return await attempts.challenge(self._keys, wanted, now_ms)
        if policy == "code":
            return await attempts.by_till_code(self._keys, wanted, code, now_ms)
        return await attempts.by_number(self._keys, wanted, now_ms)

    async def confirm(self, partner_id: uuid.UUID, card_id: uuid.UUID, code: str, now_ms: int) -> uuid.UUID:
        """The holder types the code of the last challenge: the id of the link. Refuses as `Linking.confirm`."""
        async with db.transaction():
            change = await self._opened(partner_id, card_id, now_ms)
            tried = await self._tried(partner_id, card_id, code, now_ms)
            made = await self._answered(change, tried) if tried is not None and tried.is_right else None
        self._news.tell()
        if made is not None:
            return made
        if tried is None or tried.is_right:
            raise Conflict("attempt-gone", "No challenge of this card waits for an answer; begin again.")
        raise wrong()

    async def _tried(self, partner_id: uuid.UUID, card_id: uuid.UUID, code: str, now_ms: int) -> Tried | None:
        for row in await db.fetch(WAITING, str(card_id), now_ms):
            attempt_id = uuid.UUID(str(row["id"]))
            return await attempts.tried(self._keys, attempt_id, partner_id, code, now_ms, is_sandbox=True)
        return None

    async def _answered(self, change: Change, tried: Tried) -> uuid.UUID | None:
        """The link, if the programme still knows the card by the number that was asked about."""
        try:
            known = await programmes.require(tried.partner_id)
            wanted = await self._wanted(change, tried.holder.card_id, known)
        except Conflict:
            return None
        if wanted.number != numbers.opened(self._keys, tried.partner_id, tried.number_box):
            return None
        return await attempts.linked(self._keys, wanted, "challenge", change.now_ms)

    async def _opened(self, partner_id: uuid.UUID, card_id: uuid.UUID, now_ms: int) -> Change:
        """The card's space, locked."""
        versions = await lock_some([card_id])
        if card_id not in versions or not await db.fetch(MINE, str(partner_id), str(card_id)):
            raise NotFound
        return self._change(card_id, versions[card_id], now_ms)

    async def _wanted(self, change: Change, card_id: uuid.UUID, known: Known) -> Wanted:
        place = (card_id, f"card/{card_id}")
        await change.load([place])
        number = numbers.on_card(known.rule.source, known.rule.form, change.get(*place) or {})
        if not number:
            raise Conflict("no-number", "The programme's numbers do not look like this card's.")
        return Wanted(Holder(None, card_id, card_id), known.rule, number)

    def _change(self, card_id: uuid.UUID, version: int, now_ms: int) -> Change:
        return Change(self._keys, links.NOBODY, now_ms, {card_id: version})

    def _card(self, rows: Sequence[db.Row]) -> Card:
        """The card whose bodies these are."""
        id = uuid.UUID(str(rows[0]["id"]))
        bodies = {row["key"]: self._body(id, row) for row in rows}
        return Card(id, rows[0]["made_ms"], bodies[f"card/{id}"]["number"], bodies.get(live.key(id)))

    def _body(self, id: uuid.UUID, row: db.Row) -> dict[str, Any]:
        opened = self._keys.open(bytes(row["box"]), bound(id, row["key"], row["schema"]))
        return dict(msgspec.json.decode(opened))


def wrong() -> Forbidden:
    """The code is another."""
    return Forbidden("wrong-code", "This is not the code.")


def _body(name: str, number: str) -> dict[str, Any]:
    """A card as a person would keep it, printed number and code alike."""
    code = {"format": "code_128", "text": number, "raw": base64.b64encode(number.encode()).decode()}
    return {"name": name, "number": number, "codes": [code]}


async def _links(card_id: uuid.UUID) -> list[Link]:
    return await links.of_cards([(card_id, card_id)])
