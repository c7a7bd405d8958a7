"""What has to be carried to cards: rows that a write adds in its own transaction, whoever holds what.

A row of kind `balance` says what a shop put for a number, one of `link` that a card was linked, one of `programme` that
all cards of a programme need another look.
"""

import secrets
import threading
import uuid
from collections.abc import Sequence

from msgspec import Struct

from aggregator import db
from aggregator.jobs import now_ms as clock_ms

RANDOM_BITS = 74
LOW_BITS = 62
LOW = (1 << LOW_BITS) - 1
ALL = (
    "INSERT INTO outbox (id, partner_id, kind, blind, box, made_ms) "
    "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bigint[])"
)
ONE = "INSERT INTO outbox (id, partner_id, kind, blind, box, made_ms) VALUES ($1, $2, $3, $4, $5, $6)"


class Row(Struct, frozen=True):
    """As `models.OutboxRow`. The `box` of a balance is the one in its table."""

    id: str
    partner_id: str
    kind: str
    blind: str | None
    box: bytes | None
    made_ms: int


def balance_row(partner_id: uuid.UUID | str, blind: str, box: bytes, now_ms: int) -> Row:
    """A balance was put for the number with this blind."""
    return Row(new_id(), str(partner_id), "balance", blind, box, now_ms)


def link_row(partner_id: uuid.UUID | str, blind: str, now_ms: int) -> Row:
    """A card was linked under this number, or its link has got this blind: it gets what is known of the number."""
    return Row(new_id(), str(partner_id), "link", blind, None, now_ms)


def programme_row(partner_id: uuid.UUID | str, now_ms: int) -> Row:
    """Something changed that all cards of a programme show: its offers, its unit, its tiers, its slug."""
    return Row(new_id(), str(partner_id), "programme", None, None, now_ms)


async def add(rows: Sequence[Row]) -> None:
    """Add rows inside the transaction of the write that they are about; call `Carrier.wake` after its commit."""
    values = [(row.id, row.partner_id, row.kind, row.blind, row.box, row.made_ms) for row in rows]
    if len(rows) == 1:
        await db.fetch(ONE, *values[0])
    elif rows and db.is_sqlite():
        await db.repeat(ONE, values)
    elif rows:
        await db.fetch(ALL, *map(list, zip(*values, strict=True)))


class _Ids:
    """UUIDv7 (RFC 9562, section 5.7), each above the last one of this process: time, then random bits that are drawn
    once a millisecond and count up within it (section 6.2, method 2).
    """

    def __init__(self) -> None:
        self._stamp = 0
        self._rest = 0
        self._alone = threading.Lock()

    def next(self, now_ms: int) -> str:
        with self._alone:
            if now_ms > self._stamp:
                # The upper half is left free to count into.
                self._stamp, self._rest = now_ms, secrets.randbits(RANDOM_BITS - 1)
            else:
                self._rest += 1
            stamp, rest = self._stamp, self._rest
        high, low = rest >> LOW_BITS, rest & LOW
        text = f"{stamp << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_ids = _Ids()


def new_id() -> str:
    """The next UUIDv7 of this process: it sorts after all before it."""
    return _ids.next(clock_ms())
