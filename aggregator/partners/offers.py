"""Offers: what a shop says to the holders of its cards, to whom, and from when to when.

draft ⇄ live ──▶ ended      put again, an ended one may become live once more
A live offer is on cards from its start to its end; what has to reach them goes through the outbox.
"""

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.errors import Conflict, NotFound
from aggregator.partners import live, numbers, outbox
from aggregator.partners.offer_values import FIELDS, Body, Offer, Stored, Told, Why, check, ms, stored_from
from aggregator.partners.pictures import drop
from aggregator.partners.programmes import Known, Read, require

MAX_LIVE = 20
MAX_OFFERS = 2_000
# Shops report of last year's; after that an offer is gone, and its id is free.
KEPT_MS = timedelta(days=400) // timedelta(milliseconds=1)
PAGE = 500


@dataclass(frozen=True, slots=True)
class Current:
    """An offer that cards show at this moment; `numbers` are the blinds of those that it is for."""

    stored: Stored
    numbers: frozenset[str]

    def why(self, tier: str | None, blinds: Collection[str]) -> Why | None:
        """Why a card of this tier, with a number of these blinds, shows the offer; None where it does not."""
        audience = self.stored.body.audience
        if audience.all:
            return "all"
        if tier is not None and tier in audience.tiers:
            return "tier"
        return "number" if not self.numbers.isdisjoint(blinds) else None

    def body(self) -> dict[str, Any]:
        """What a card shows of it, but for why."""
        kept = self.stored
        said = {"id": kept.id, "title": kept.body.title, "text": kept.body.text, "terms": kept.body.terms}
        said |= {"starts_at": live.moment(kept.starts_ms), "ends_at": live.moment(kept.ends_ms)}
        return said | {"picture": kept.picture} if kept.picture else said


def for_card(offers: Sequence[Current], policy: str, tier: str | None, blinds: Collection[str]) -> list[dict[str, Any]]:
    """What a card's live body says of the offers that are for it. Under `open` whoever typed a number would see what
    was meant for its holder: such a card gets what is for all.
    """
    if policy == "open":
        tier, blinds = None, ()
    found = ((offer, offer.why(tier, blinds)) for offer in offers)
    return [{**offer.body(), "why": why} for offer, why in found if why is not None]


LIVE = (
    f"SELECT {FIELDS} FROM offer WHERE partner_id = $1 AND state = 'live' AND starts_ms <= $2 AND ends_ms > $2 "  # noqa: S608 - constants
    "ORDER BY ends_ms, id"
)


async def current(partner_id: uuid.UUID, now_ms: int, blinds: Collection[str] | None = None) -> list[Current]:
    """The offers that a shop's cards show at `now_ms`, those that end first first. Of audiences by number only what
    concerns these blinds is read; all of it where none are given.
    """
    found = [stored_from(row) for row in await db.fetch(LIVE, str(partner_id), now_ms)]
    by_number = [one.id for one in found if one.body.audience.count]
    named = await _numbers(partner_id, by_number, blinds) if by_number else {}
    return [Current(one, frozenset(named.get(one.id, ()))) for one in found]


async def for_cards(
    partner_id: uuid.UUID, now_ms: int, blinds: Collection[str]
) -> Callable[[str, str | None, Collection[str]], list[dict[str, Any]]]:
    """`for_card` with the offers that a shop's cards show at `now_ms`; `blinds` are of their numbers."""
    return partial(for_card, await current(partner_id, now_ms, blinds))


async def _numbers(partner_id: uuid.UUID, ids: Sequence[str], blinds: Collection[str] | None) -> dict[str, set[str]]:
    sql = f"SELECT offer_id, blind FROM offer_number WHERE partner_id = $1 AND offer_id IN ({db.marks(2, len(ids))})"  # noqa: S608 - placeholders only
    if blinds is not None:
        sql += f" AND blind IN ({db.marks(2 + len(ids), len(blinds))})"
    named: dict[str, set[str]] = {}
    for row in await db.fetch(sql, str(partner_id), *ids, *(blinds or ())):
        named.setdefault(row["offer_id"], set()).add(row["blind"])
    return named


# ---------------------------------------------------------------- what shops do, each inside the open transaction


async def put(keys: KeyRing, partner_id: uuid.UUID, id: str, offer: Offer, now_ms: int) -> tuple[Stored, bool]:
    """The offer under the shop's own id is this one from now on; tells also whether it is new. Raises Invalid, and
    Conflict `no-programme`, `too-many-live`, `too-many-offers`.
    """
    await _lock(partner_id)
    programme = await require(partner_id)
    named = await asyncio.to_thread(_named, programme, keys, offer)
    check(offer, programme, len(named), now_ms)
    before = await find(partner_id, id)
    fresh = _stored(id, offer, before, len(named))
    if before is None or fresh.state == "live":
        await _require_room(partner_id, before, fresh, now_ms)
    # Who would be counted must not be found out by counting others beside them, one list after the other.
    has_others = await _name(partner_id, fresh, before, named)
    if before is not None and (has_others or before.body.audience != fresh.body.audience):
        await _forget_marks(partner_id, id)
    await _write(partner_id, fresh, now_ms)
    await _announce(partner_id, before, fresh, now_ms, anew=has_others)
    return fresh, before is None


async def end(partner_id: uuid.UUID, id: str, now_ms: int) -> None:
    """The offer is over, and gone from all cards; raises NotFound."""
    await _lock(partner_id)
    before = await require_offer(partner_id, id)
    await db.fetch("UPDATE offer SET state = 'ended' WHERE partner_id = $1 AND id = $2", str(partner_id), id)
    await _forget_numbers(partner_id, id)
    if before.is_on_cards(now_ms):
        await outbox.add([outbox.programme_row(partner_id, now_ms)])


async def set_picture(partner_id: uuid.UUID, id: str, picture_id: uuid.UUID | None, now_ms: int) -> uuid.UUID | None:
    """The offer has this picture, or none; gives the id of the one before. Raises NotFound."""
    await _lock(partner_id)
    before = await require_offer(partner_id, id)
    sql = "UPDATE offer SET picture_id = $1 WHERE partner_id = $2 AND id = $3"
    await db.fetch(sql, str(picture_id) if picture_id else None, str(partner_id), id)
    if before.is_on_cards(now_ms):
        await outbox.add([outbox.programme_row(partner_id, now_ms)])
    return before.picture_id


async def find(partner_id: uuid.UUID, id: str, read: Read = db.fetch) -> Stored | None:
    """The shop's offer; None where there is none."""
    sql = f"SELECT {FIELDS} FROM offer WHERE partner_id = $1 AND id = $2"  # noqa: S608 - constants
    rows = await read(sql, str(partner_id), id)
    return stored_from(rows[0]) if rows else None


async def require_offer(partner_id: uuid.UUID, id: str, read: Read = db.fetch) -> Stored:
    """As `find`; raises NotFound."""
    found = await find(partner_id, id, read)
    if found is None:
        raise NotFound
    return found


async def page(partner_id: uuid.UUID, after: str, limit: int, read: Read = db.fetch) -> list[Stored]:
    """The shop's offers with ids above `after`, in their order."""
    sql = f"SELECT {FIELDS} FROM offer WHERE partner_id = $1 AND id > $2 ORDER BY id LIMIT $3"  # noqa: S608 - constants
    return [stored_from(row) for row in await read(sql, str(partner_id), after, limit)]


def _named(programme: Known, keys: KeyRing, offer: Offer) -> dict[str, bytes]:
    """The blinds of an audience by number, each with the box of its number; a thread's work, as there may be many."""
    found = {programme.rule.normal(number) for number in offer.audience.numbers or ()} - {""}
    partner = programme.partner_id
    return {numbers.blind(keys, partner, one): numbers.seal(keys, partner, one) for one in sorted(found)}


def _stored(id: str, offer: Offer, before: Stored | None, distinct: int) -> Stored:
    asked = offer.audience
    audience = Told(asked.all, tuple(sorted(set(asked.tiers))), distinct or None)
    told_ms = before.told_ms if before else None
    return Stored(
        id=id,
        state=offer.state,
        body=Body(offer.title, offer.text, offer.terms, audience, offer.notify),
        picture_id=before.picture_id if before else None,
        starts_ms=ms(offer.starts_at),
        ends_ms=ms(offer.ends_at),
        # Told once is told; what is not to be told has nothing to plan.
        told_ms=(told_ms or None) if offer.notify else (told_ms or 0),
    )


async def _lock(partner_id: uuid.UUID) -> None:
    """One write of a shop's offers at a time, or two at once would both find room."""
    if not db.is_sqlite():
        await db.fetch("SELECT 1 FROM programme WHERE partner_id = $1 FOR UPDATE", str(partner_id))


async def _require_room(partner_id: uuid.UUID, before: Stored | None, fresh: Stored, now_ms: int) -> None:
    sql = (
        "SELECT count(*) AS offers, count(CASE WHEN state = 'live' AND ends_ms > $1 THEN 1 END) AS live "
        "FROM offer WHERE partner_id = $2 AND id <> $3"
    )
    [row] = await db.fetch(sql, now_ms, str(partner_id), fresh.id)
    if fresh.state_at(now_ms) == "live" and row["live"] >= MAX_LIVE:
        raise Conflict("too-many-live", f"At most {MAX_LIVE} offers are live at once; end another one first.")
    if before is None and row["offers"] >= MAX_OFFERS:
        raise Conflict("too-many-offers", f"At most {MAX_OFFERS} offers are kept.")


async def _name(partner_id: uuid.UUID, fresh: Stored, before: Stored | None, named: Mapping[str, bytes]) -> bool:
    """The offer is for these numbers; tells whether it was for others. An ended one needs none and keeps its counts."""
    id = fresh.id
    if fresh.state == "ended":
        await _forget_numbers(partner_id, id)
        return False
    known: set[str] = set()
    if before is not None and before.body.audience.count:
        sql = "SELECT blind FROM offer_number WHERE partner_id = $1 AND offer_id = $2"
        known = {row["blind"] for row in await db.fetch(sql, str(partner_id), id)}
    if known == named.keys():
        return False
    await _forget_numbers(partner_id, id)
    new = "INSERT INTO offer_number (partner_id, offer_id, blind, number_box) VALUES ($1, $2, $3, $4)"
    await db.repeat(new, [(str(partner_id), id, blind, box) for blind, box in named.items()])
    return True


async def _write(partner_id: uuid.UUID, fresh: Stored, now_ms: int) -> None:
    sql = (
        "INSERT INTO offer (partner_id, id, state, body, starts_ms, ends_ms, told_ms, changed_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (partner_id, id) DO UPDATE SET "
        "state = excluded.state, body = excluded.body, starts_ms = excluded.starts_ms, ends_ms = excluded.ends_ms, "
        "told_ms = excluded.told_ms, changed_ms = excluded.changed_ms"
    )
    body = msgspec.json.encode(fresh.body).decode()
    moments = (fresh.starts_ms, fresh.ends_ms, fresh.told_ms, now_ms)
    await db.fetch(sql, str(partner_id), fresh.id, fresh.state, body, *moments)


async def _announce(partner_id: uuid.UUID, before: Stored | None, fresh: Stored, now_ms: int, *, anew: bool) -> None:
    """Have cards told, where what they show is another."""
    was = before if before is not None and before.is_on_cards(now_ms) else None
    shown = fresh if fresh.is_on_cards(now_ms) else None
    if (was or shown) and (anew or was is None or shown is None or _face(was) != _face(shown)):
        await outbox.add([outbox.programme_row(partner_id, now_ms)])


def _face(stored: Stored) -> tuple[Any, ...]:
    said = stored.body
    return said.title, said.text, said.terms, said.audience, stored.starts_ms, stored.ends_ms


async def _forget_numbers(partner_id: uuid.UUID, id: str) -> None:
    await db.fetch("DELETE FROM offer_number WHERE partner_id = $1 AND offer_id = $2", str(partner_id), id)


async def _forget_marks(partner_id: uuid.UUID, id: str) -> None:
    await db.fetch("DELETE FROM offer_mark WHERE partner_id = $1 AND offer_id = $2", str(partner_id), id)


# ---------------------------------------------------------------- what time does


OVER = "state = 'live' AND ends_ms <= $1"
BEGUN = "state = 'live' AND starts_ms <= $1 AND starts_ms > changed_ms"


async def turn(store: db.Store, now_ms: int) -> None:
    """The background job: offers that have started since they were put reach cards, those that have ended leave them,
    and those that ended long ago are forgotten.
    """
    sql = f"SELECT DISTINCT partner_id FROM offer WHERE ({OVER}) OR ({BEGUN})"  # noqa: S608 - constants
    for row in await store.read(sql, now_ms):
        await _turn(uuid.UUID(str(row["partner_id"])), now_ms)
    long_ago = now_ms - KEPT_MS
    for row in await store.read("SELECT partner_id, id FROM offer WHERE ends_ms <= $1 LIMIT $2", long_ago, PAGE):
        await _forget(uuid.UUID(str(row["partner_id"])), row["id"], long_ago)


async def _turn(partner_id: uuid.UUID, now_ms: int) -> None:
    async with db.transaction():
        await _lock(partner_id)
        ended = f"UPDATE offer SET state = 'ended' WHERE {OVER} AND partner_id = $2 RETURNING id"  # noqa: S608 - constants
        for row in await db.fetch(ended, now_ms, str(partner_id)):
            await _forget_numbers(partner_id, row["id"])
        begun = f"UPDATE offer SET changed_ms = $1 WHERE {BEGUN} AND partner_id = $2"  # noqa: S608 - constants
        await db.fetch(begun, now_ms, str(partner_id))
        await outbox.add([outbox.programme_row(partner_id, now_ms)])


async def _forget(partner_id: uuid.UUID, id: str, before_ms: int) -> None:
    """An offer goes with everything that is about it, unless it was put anew a moment ago."""
    mine = (str(partner_id), id)
    old = "DELETE FROM offer WHERE partner_id = $1 AND id = $2 AND ends_ms <= $3 RETURNING picture_id"
    async with db.transaction():
        for row in await db.fetch(old, *mine, before_ms):
            await drop(row["picture_id"])
            for table in ("offer_number", "offer_mark", "offer_told"):
                await db.fetch(f"DELETE FROM {table} WHERE partner_id = $1 AND offer_id = $2", *mine)  # noqa: S608 - constants
