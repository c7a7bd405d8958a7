"""Balances: what a shop says of a number, checked, sealed and kept, whoever holds the number; the newest `as_of` stays.

rows ──check──▶ sealed ──▶ one upsert of the newest of each number ──▶ those that lost are looked up ──▶ outbox
"""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.errors import Conflict, FieldError
from aggregator.http import field_error
from aggregator.partners import facts, live, numbers, outbox
from aggregator.partners.facts import Facts, Read
from aggregator.partners.programmes import Rule
from aggregator.turns import turns

# What a float carries exactly, and so every reader of JSON.
MOST = 2**53 - 1
MAX_EXPIRING = 10
MAX_ROWS = 10_000
AHEAD_MS = 5 * 60_000
MAX_NUMBER = 200
# How many are sealed at a stretch: less than a millisecond, so that nobody else waits for it.
SLICE = 25
# How many are written in one statement.
PART = 250
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

COLUMNS = "partner_id, blind, number_box, box, as_of_ms"
NEWER = (
    "ON CONFLICT (partner_id, blind) DO UPDATE SET number_box = excluded.number_box, box = excluded.box, "
    "as_of_ms = excluded.as_of_ms WHERE balance.as_of_ms < excluded.as_of_ms"
)
ONE = f"INSERT INTO balance ({COLUMNS}) VALUES ($1, $2, $3, $4, $5) {NEWER}"  # noqa: S608 - constants
ALL = (
    f"INSERT INTO balance ({COLUMNS}) SELECT $1::uuid, * FROM unnest($2::text[], $3::bytea[], $4::bytea[], "  # noqa: S608 - constants
    f"$5::bigint[]) AS put(blind, number_box, box, as_of_ms) {NEWER} RETURNING blind"
)
TIMES = "SELECT blind, as_of_ms FROM balance WHERE partner_id = $1 AND blind "
KEPT = "SELECT blind, box, as_of_ms FROM balance WHERE partner_id = $1 AND blind "

Amount = Annotated[int, Meta(ge=-MOST, le=MOST)]
Number = Annotated[
    str, Meta(min_length=1, max_length=MAX_NUMBER, description="As printed; blanks and dashes do no harm.")
]


class Expiring(Struct, frozen=True, forbid_unknown_fields=True):
    """So much of the balance goes on that day."""

    amount: Annotated[int, Meta(ge=0, le=MOST)]
    on: date


class Put(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A balance in the smallest unit of the programme: points, or kopecks where it counts money. `as_of` is when it was
    so, with its offset.
    """

    main: Amount
    pending: Amount = 0
    expiring: Annotated[tuple[Expiring, ...], Meta(max_length=MAX_EXPIRING)] = ()
    tier: Annotated[str, Meta(max_length=64)] | None = None
    as_of: Annotated[datetime, Meta(tz=True)]


class NumberedPut(Put, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As `Put`, of this number."""

    number: Number


class Given(Struct, frozen=True):
    """The balance as it was put last."""

    main: int
    pending: int
    expiring: list[Expiring]
    tier: str | None
    as_of: str


class Balance(Struct, frozen=True, array_like=True):
    """What is sealed: of which number, and what was said of it. Days are `YYYY-MM-DD`, sorted."""

    number: str
    main: int
    pending: int
    expiring: tuple[live.Expiring, ...]
    tier: str | None
    as_of_ms: int

    def shown(self, tiers: dict[str, live.Texts]) -> live.Balance:
        """As cards show it."""
        tier = live.tier_of(tiers, self.tier)
        return live.Balance(self.main, self.pending, self.expiring, tier, live.moment(self.as_of_ms))


class RowProblem(Struct, frozen=True):
    """Why a row was not kept; `pointer` is a JSON pointer into the row."""

    code: str
    detail: str
    pointer: str


class Result(Struct, frozen=True):
    """What came of a row: `older` where the shop has said something newer, or the same, of that number before."""

    status: Literal["stored", "older", "invalid"]
    problem: RowProblem | UnsetType = UNSET

    @property
    def refused(self) -> FieldError | None:
        """Why the row was not kept."""
        return FieldError(self.problem.pointer, self.problem.detail) if self.problem is not UNSET else None


STORED, OLDER = Result("stored"), Result("older")


class Sealed(Struct, frozen=True):
    """A balance ready to be written. `blinds` are those that its number may stand under, the one to write last."""

    blinds: list[str]
    number_box: bytes
    box: bytes
    as_of_ms: int

    @property
    def blind(self) -> str:
        """The one to write."""
        return self.blinds[-1]


_encode = msgspec.json.Encoder().encode
_balance = msgspec.json.Decoder(Balance)
_numbered = msgspec.json.Decoder(NumberedPut)


class Refused(Exception):
    """A row that cannot be kept."""

    def __init__(self, field: FieldError) -> None:
        super().__init__(field.detail)
        self.field = field

    @property
    def result(self) -> Result:
        """As its row is answered."""
        return Result("invalid", RowProblem("invalid", self.field.detail, self.field.pointer))


class Balances:
    """Keeps what shops say of numbers."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def facts(self, partner_id: uuid.UUID, read: Read = db.fetch) -> Facts:
        """What is needed of the shop's programme; raises Conflict `no-programme`."""
        found = await facts.of([partner_id], read)
        if partner_id not in found:
            raise Conflict("no-programme", "Put the programme first: it says how numbers are read.")
        return found[partner_id]

    async def put(self, partner_id: uuid.UUID, rows: Sequence[NumberedPut | Raw], now_ms: int) -> list[Result]:
        """Keep what may be kept, inside the open transaction, and say what came of each. Wake the carrier after its
        commit. Raises Conflict `no-programme`.
        """
        known = await self.facts(partner_id)
        made = [one async for one in self._sealed(known, rows, now_ms)]
        sealed = [one for one in made if isinstance(one, Sealed)]
        told = iter(await keep(partner_id, sealed, now_ms))
        return [one if isinstance(one, Result) else next(told) for one in made]

    async def _sealed(
        self, known: Facts, rows: Sequence[NumberedPut | Raw], now_ms: int
    ) -> AsyncIterator[Sealed | Result]:
        async for part in turns.slices(rows, SLICE):
            for row in part:
                try:
                    yield self.sealed(known, row, now_ms)
                except Refused as refused:
                    yield refused.result

    def sealed(self, known: Facts, row: NumberedPut | Raw, now_ms: int) -> Sealed:
        """One row, checked and sealed; raises Refused."""
        put = _read(row) if isinstance(row, Raw) else row
        number = _number(known, put.number)
        balance = checked(known, number, put, now_ms)
        partner_id = known.rule.partner_id
        return Sealed(
            blinds=_blinds(self._keys, known.rule, put.number, number),
            number_box=numbers.seal(self._keys, partner_id, number),
            box=seal(self._keys, partner_id, balance),
            as_of_ms=balance.as_of_ms,
        )

    async def get(self, partner_id: uuid.UUID, number: str, read: Read) -> Given | None:
        """What the shop put last for a number; None where it put nothing. Raises Conflict `no-programme`."""
        known = await self.facts(partner_id, read)
        blinds = known.rule.blinds(self._keys, number) if known.rule.normal(number) else []
        balance = await newest(self._keys, partner_id, blinds, read)
        if balance is None:
            return None
        expiring = [Expiring(one.amount, date.fromisoformat(one.on)) for one in balance.expiring]
        return Given(balance.main, balance.pending, expiring, balance.tier, live.moment(balance.as_of_ms))


def checked(known: Facts, number: str, put: Put, now_ms: int) -> Balance:
    """The balance as it is kept; raises Refused for what the shape alone does not hold."""
    as_of_ms = (put.as_of - EPOCH) // MILLISECOND
    if as_of_ms > now_ms + AHEAD_MS:
        raise Refused(FieldError("/as_of", "It is more than 5 minutes ahead."))
    if as_of_ms < 0:
        raise Refused(FieldError("/as_of", "It is before 1970."))
    if put.tier is not None and put.tier not in known.tiers:
        raise Refused(FieldError("/tier", "The programme has no such tier."))
    expiring = sorted((one.on.isoformat(), one.amount) for one in put.expiring)
    days = tuple(live.Expiring(amount, day) for day, amount in expiring)
    return Balance(number, put.main, put.pending, days, put.tier, as_of_ms)


def _blinds(keys: KeyRing, rule: Rule, text: str, number: str) -> list[str]:
    return rule.blinds(keys, text) if rule.was else numbers.blinds(keys, rule.partner_id, number)


def _read(row: Raw) -> NumberedPut:
    try:
        return _numbered.decode(row)
    except msgspec.ValidationError as error:
        raise Refused(field_error(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(FieldError("", "This is not JSON.")) from None


def _number(known: Facts, text: str) -> str:
    number = known.rule.normal(text)
    if not number:
        wanted = {"digits": "1-64 digits", "alphanumeric": "1-64 letters and digits"}[known.rule.form]
        raise Refused(FieldError("/number", f"{wanted} are needed."))
    return number


def seal(keys: KeyRing, partner_id: uuid.UUID, balance: Balance) -> bytes:
    """The balance in a box that opens for this programme only."""
    return keys.seal(_encode(balance), _bound(partner_id))


def opened(keys: KeyRing, partner_id: uuid.UUID | str, box: bytes) -> Balance:
    """The balance in a box; raises BoxUnreadable."""
    return _balance.decode(keys.open(box, _bound(partner_id)))


@lru_cache(numbers.SHOPS)
def _bound(partner_id: uuid.UUID | str) -> bytes:
    return f"balance/{partner_id}".encode()


async def newest(keys: KeyRing, partner_id: uuid.UUID, blinds: Sequence[str], read: Read = db.fetch) -> Balance | None:
    """What stands under the blinds of one number."""
    rows = await _under(KEPT, partner_id, blinds, read) if blinds else []
    row = max(rows, key=lambda one: int(one["as_of_ms"]), default=None)
    return None if row is None else opened(keys, partner_id, bytes(row["box"]))


async def keep(partner_id: uuid.UUID, rows: Sequence[Sealed], now_ms: int) -> list[Result]:
    """Write rows as if one after the other, and note in the outbox what cards may have to be told of."""
    # In one order, or two batches of the same numbers could wait for each other.
    order = sorted(range(len(rows)), key=lambda place: rows[place].blind)
    results = dict.fromkeys(range(len(rows)), STORED)
    for start in range(0, len(order), PART):
        places = order[start : start + PART]
        results |= zip(places, await _keep(partner_id, [rows[place] for place in places], now_ms), strict=True)
    return list(results.values())


async def _keep(partner_id: uuid.UUID, rows: Sequence[Sealed], now_ms: int) -> list[Result]:
    await _gather(partner_id, rows)
    best: dict[str, Sealed] = {}
    for row in rows:
        if row.blind not in best or best[row.blind].as_of_ms < row.as_of_ms:
            best[row.blind] = row
    named = Counter(row.blind for row in rows)
    before = await _upsert(partner_id, best, [blind for blind, count in named.items() if count > 1])
    return await _told(partner_id, rows, before, now_ms)


async def _gather(partner_id: uuid.UUID, rows: Sequence[Sealed]) -> None:
    """Bring what stands under other blinds of these numbers under the ones to write."""
    others = {blind: row.blind for row in rows for blind in row.blinds if blind != row.blind}
    if not others:
        return
    sql = "SELECT blind, number_box, box, as_of_ms FROM balance WHERE partner_id = $1 AND blind "
    found = await _under(sql, partner_id, list(others))
    if found:
        await _under(
            "DELETE FROM balance WHERE partner_id = $1 AND blind ", partner_id, [row["blind"] for row in found]
        )
        moved = [Sealed([others[row["blind"]]], bytes(row["number_box"]), bytes(row["box"]), row[3]) for row in found]
        # A number may stand under two others.
        newest_last = sorted(moved, key=lambda row: row.as_of_ms)
        await _upsert(partner_id, {row.blind: row for row in newest_last})


async def _upsert(partner_id: uuid.UUID, rows: Mapping[str, Sealed], twice: Collection[str] = ()) -> dict[str, int]:
    """Write those of the rows that are newer than what stands there. Gives since when what stood there was so, where
    that may matter: for rows that lost, and numbers that are named `twice`.
    """
    values = [(row.blind, row.number_box, row.box, row.as_of_ms) for row in rows.values()]
    if db.is_sqlite():
        before = await _times(partner_id, list(rows))
        newer = [value for value in values if before.get(value[0], -1) < value[3]]
        await db.repeat(ONE, [(str(partner_id), *value) for value in newer])
        return before
    before = await _times(partner_id, list(twice))
    written = await db.fetch(ALL, str(partner_id), *map(list, zip(*values, strict=True)))
    lost = rows.keys() - {row[0] for row in written}
    return before | await _times(partner_id, list(lost))


async def _times(partner_id: uuid.UUID, blinds: Sequence[str]) -> dict[str, int]:
    rows = await _under(TIMES, partner_id, blinds) if blinds else []
    return {row[0]: row[1] for row in rows}


async def _under(sql: str, partner_id: uuid.UUID, blinds: Sequence[str], read: Read = db.fetch) -> Sequence[db.Row]:
    """The rows of a statement that ends before the blinds."""
    if db.is_sqlite():
        return await read(f"{sql} IN (SELECT value FROM json_each($2))", str(partner_id), _encode(blinds).decode())  # noqa: S608 - constants
    return await read(f"{sql} = ANY($2::text[])", str(partner_id), list(blinds))


async def _told(partner_id: uuid.UUID, rows: Sequence[Sealed], before: dict[str, int], now_ms: int) -> list[Result]:
    """What came of each row, as if one had come after the other. Those that change nothing are not carried."""
    results, waiting, shop = [], [], str(partner_id)
    for row in rows:
        known = before.get(row.blind, -1)
        results.append(STORED if known < row.as_of_ms else OLDER)
        before[row.blind] = max(known, row.as_of_ms)
        if known != row.as_of_ms:
            # Links may still stand under another, which the number in its new form need not tell.
            waiting += [outbox.balance_row(shop, blind, row.box, now_ms) for blind in dict.fromkeys(row.blinds)]
    await outbox.add(waiting)
    return results
