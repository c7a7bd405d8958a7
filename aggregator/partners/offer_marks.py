"""That people have seen, opened and used offers: counted once each, for shops only in numbers that hide everybody."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from aggregator import db
from aggregator.accounts.exports import Export, File, json_file
from aggregator.accounts.sessions import iso
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.partners import live, wishes
from aggregator.partners.models import OfferMark, OfferTold
from aggregator.partners.numbers import BLIND_BYTES
from aggregator.partners.offer_values import Counts
from aggregator.partners.programmes import Read
from aggregator.sync.log import bound

FEWEST_PEOPLE = 20
STEP = 10
MAX_MARKS = 100

Kind = Literal["seen", "opened", "used"]


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person did with an offer on a card of theirs."""

    space: uuid.UUID
    card: uuid.UUID
    offer: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Kind


class Marks(Struct, frozen=True, forbid_unknown_fields=True):
    """What a device has to tell."""

    marks: Annotated[list[Mark], Meta(max_length=MAX_MARKS)]


class _Carried(Struct):
    """An offer on a card, as far as a mark goes."""

    id: str


def holders(keys: KeyRing, account_id: uuid.UUID) -> list[str]:
    """What stands for a person beside their marks, under every key, the one to write last."""
    return [found[:BLIND_BYTES].hex() for found in keys.blinds(f"offers/{account_id}".encode())]


async def keep(keys: KeyRing, account_id: uuid.UUID, marks: Sequence[Mark]) -> None:
    """Count what a person did, once each; what is about no offer on a card that they may see counts nothing."""
    if not marks:
        return
    carried = await _carried(keys, account_id, {(mark.space, mark.card) for mark in marks})
    counted = {
        (partner, mark.offer, mark.kind)
        for mark in marks
        for partner, offers in carried.get((mark.space, mark.card), {}).items()
        if mark.offer in offers
    }
    if counted:
        await _count(holders(keys, account_id), sorted(counted))


Cards = dict[tuple[uuid.UUID, uuid.UUID], dict[str, set[str]]]


async def _carried(keys: KeyRing, account_id: uuid.UUID, cards: set[tuple[uuid.UUID, uuid.UUID]]) -> Cards:
    """Space and card -> shop -> ids of the offers that stand on the card."""
    spaces = sorted({str(space) for space, _ in cards})
    ids = sorted({live.key(card) for _, card in cards})
    sql = (
        "SELECT e.space_id, e.key, e.schema, e.box, l.card_id, l.partner_id FROM entry e "  # noqa: S608 - placeholders only
        "JOIN member m ON m.space_id = e.space_id AND m.account_id = $1 JOIN link l ON l.space_id = e.space_id "
        f"AND e.key = 'live/' || {'l.card_id' if db.is_sqlite() else 'CAST(l.card_id AS text)'} "
        f"WHERE e.box IS NOT NULL AND e.space_id IN ({db.marks(2, len(spaces))}) "
        f"AND e.key IN ({db.marks(2 + len(spaces), len(ids))})"
    )
    found: Cards = {}
    for row in await db.fetch(sql, str(account_id), *spaces, *ids):
        place = (uuid.UUID(str(row["space_id"])), uuid.UUID(str(row["card_id"])))
        found.setdefault(place, {})[str(row["partner_id"])] = _offers(keys, row)
    return found


def _offers(keys: KeyRing, row: db.Row) -> set[str]:
    try:
        text = keys.open(bytes(row["box"]), bound(row["space_id"], row["key"], row["schema"]))
    except BoxUnreadable:
        return set()
    return {msgspec.json.decode(offer, type=_Carried).id for offer in live.read(text).offers}


async def _count(mine: Sequence[str], marks: Sequence[tuple[str, str, Kind]]) -> None:
    """Under an older key the person may have been counted already."""
    async with db.transaction():
        old = mine[:-1]
        known = await OfferMark.filter(holder__in=old).values_list("partner_id", "offer_id", "kind") if old else []
        seen = {(str(partner), offer, kind) for partner, offer, kind in known}
        rows = [
            OfferMark(partner_id=partner, offer_id=offer, kind=kind, holder=mine[-1])
            for partner, offer, kind in marks
            if (partner, offer, kind) not in seen
        ]
        await OfferMark.bulk_create(rows, ignore_conflicts=True)


async def counts(partner_id: uuid.UUID, ids: Sequence[str], read: Read = db.fetch) -> dict[str, Counts]:
    """What a shop is told of each of its offers: tens, and nothing below 20 people."""
    if not ids:
        return {}
    sql = (
        "SELECT offer_id, kind, count(*) AS people FROM offer_mark "  # noqa: S608 - placeholders only
        f"WHERE partner_id = $1 AND offer_id IN ({db.marks(2, len(ids))}) GROUP BY offer_id, kind"
    )
    found: dict[str, dict[str, int | None]] = {id: {} for id in ids}
    for row in await read(sql, str(partner_id), *ids):
        found[row["offer_id"]][row["kind"]] = told(row["people"])
    return {id: msgspec.convert(of_offer, Counts) for id, of_offer in found.items()}


def told(people: int) -> int | None:
    """A number of people as a shop is told it."""
    return None if people < FEWEST_PEOPLE else people // STEP * STEP


async def erase(keys: KeyRing, account_id: uuid.UUID) -> None:
    """Remove a person's marks."""
    await OfferMark.filter(holder__in=holders(keys, account_id)).delete()


async def export(keys: KeyRing, asked: Export) -> AsyncIterator[File]:
    """`offers.json`: what the person wishes of offers, did with which, and of which they are told when."""
    mine = OfferMark.filter(holder__in=holders(keys, asked.account_id)).order_by("partner_id", "offer_id", "kind")
    marks: list[dict[str, Any]] = [
        {"shop": str(partner), "offer": offer, "kind": kind}
        for partner, offer, kind in await mine.values_list("partner_id", "offer_id", "kind")
    ]
    told = OfferTold.filter(account_id=asked.account_id).order_by("told_ms", "partner_id", "offer_id")
    notices = [
        {"shop": str(partner), "offer": offer, "at": iso(told_ms)}
        for partner, offer, told_ms in await told.values_list("partner_id", "offer_id", "told_ms")
    ]
    wished = await wishes.of(keys, asked.account_id)
    yield json_file("offers.json", {"wishes": msgspec.to_builtins(wished), "marks": marks, "notices": notices})
