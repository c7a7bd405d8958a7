"""Events: what a shop is told, in an order without gaps. The feed is the truth, and webhooks carry the same.

The number of an event is counted up on the shop's row, which stays locked until the commit: so the order of numbers is
the order of commits, and whoever has read up to one has missed none before it.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from aggregator import db
from aggregator.accounts.sessions import iso
from aggregator.crypto import KeyRing

KEPT_MS = timedelta(days=30) // timedelta(milliseconds=1)
# The longest that a challenge may live, and the job's own hour.
UNBLANKED_MS = timedelta(hours=3) // timedelta(milliseconds=1)

Policy = Literal["challenge", "code", "open"]


class Challenge(msgspec.Struct, frozen=True):
    """Somebody says that this card is theirs: send the code to the contact that you have for the number. `code` is
    null once the attempt is over."""

    attempt: uuid.UUID
    number: str
    code: str | None
    expires_at: datetime


class LinkCreated(msgspec.Struct, frozen=True):
    """A holder has connected a card."""

    link: uuid.UUID
    number: str
    policy: Policy


class LinkEnded(msgspec.Struct, frozen=True):
    """A link is over: the holder or the shop ended it, the number was reissued, the card was changed or is gone."""

    link: uuid.UUID
    number: str
    policy: Policy
    reason: Literal["holder", "shop", "reissue", "changed", "gone"]


class Ping(msgspec.Struct, frozen=True):
    """Sent by a self-test alone, and never in the feed."""

    words: str


CHALLENGE, CREATED, ENDED, PING = "link.challenge", "link.created", "link.ended", "selftest.ping"
BODIES: Mapping[str, type[msgspec.Struct]] = {
    CHALLENGE: Challenge,
    CREATED: LinkCreated,
    ENDED: LinkEnded,
    PING: Ping,
}
"""What an event of each kind says."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as its shop gets it: in the feed whole, from a webhook without `id`, which is in a header there."""

    seq: int
    id: uuid.UUID
    type: str
    timestamp: str
    data: Any

    def as_item(self) -> dict[str, Any]:
        """In the feed."""
        return {"id": str(self.id), **self.as_body()}

    def as_body(self) -> dict[str, Any]:
        """In a webhook (Standard Webhooks 1.0)."""
        return {"type": self.type, "timestamp": self.timestamp, "data": self.data}


class Bell:
    """Tells this process's sender that something was recorded; other processes look by themselves every few seconds."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Call it after the commit; a ring that is forgotten costs seconds, not events."""
        self._rung.set()

    async def heard(self, timeout_s: float) -> None:
        """Wait for a ring, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        self._rung.clear()


COUNTED = "UPDATE partner SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq"
NEW = "INSERT INTO event (partner_id, seq, id, kind, box, made_ms) VALUES ($1, $2, $3, $4, $5, $6)"
QUEUED = (
    "INSERT INTO delivery (webhook_id, seq, partner_id, state, tries, next_ms) "
    "SELECT id, {seq}, partner_id, 'waiting', 0, 0 FROM webhook WHERE partner_id = $1 AND state <> 'off'"
)
FOUND = "SELECT seq, id, kind, box, made_ms FROM event WHERE id = $1 AND partner_id = $2"
REPLACED = "UPDATE event SET box = $1 WHERE id = $2"


async def record(keys: KeyRing, partner_id: uuid.UUID, kind: str, data: msgspec.Struct, now_ms: int) -> uuid.UUID:
    """Tell a shop, inside the caller's transaction, and give the event's id; ring the bell after the commit.

    It locks the shop's row: lock spaces before, and tell several shops in the order of their ids.
    """
    if not isinstance(data, BODIES[kind]):
        raise TypeError(f"{kind} does not say {data!r}.")
    id = challenge_id(data.attempt) if isinstance(data, Challenge) else uuid.uuid4()
    [row] = await db.fetch(COUNTED, str(partner_id))
    box = keys.seal(msgspec.json.encode(data), bound(id))
    await db.fetch(NEW, str(partner_id), row["event_seq"], str(id), kind, box, now_ms)
    seq = "$2" if db.is_sqlite() else "CAST($2 AS bigint)"
    await db.fetch(QUEUED.format(seq=seq), str(partner_id), row["event_seq"])
    return id


def challenge_id(attempt_id: uuid.UUID) -> uuid.UUID:
    """The id of the event that tells of an attempt."""
    return uuid.uuid5(attempt_id, CHALLENGE)


async def blank(keys: KeyRing, partner_id: uuid.UUID, attempt_id: uuid.UUID) -> None:
    """Take the code out of the event that told of an attempt, inside the caller's transaction: the attempt is over."""
    for row in await db.fetch(FOUND, str(challenge_id(attempt_id)), str(partner_id)):
        await _blank(keys, row)


async def _blank(keys: KeyRing, row: db.Row) -> None:
    id = uuid.UUID(str(row["id"]))
    data = msgspec.json.decode(keys.open(bytes(row["box"]), bound(id)), type=Challenge)
    if data.code is not None:
        box = keys.seal(msgspec.json.encode(msgspec.structs.replace(data, code=None)), bound(id))
        await db.fetch(REPLACED, box, str(id))


def opened(keys: KeyRing, row: db.Row, now_ms: int) -> Told:
    """The event in a row with seq, id, kind, box and made_ms; raises BoxUnreadable. The code of a challenge that has
    expired is never told, wherever it may still stand.
    """
    id = uuid.UUID(str(row["id"]))
    data = msgspec.json.decode(keys.open(bytes(row["box"]), bound(id)), type=BODIES[row["kind"]])
    if isinstance(data, Challenge) and data.expires_at.timestamp() * 1000 <= now_ms:
        data = msgspec.structs.replace(data, code=None)
    return Told(row["seq"], id, row["kind"], iso(row["made_ms"]), msgspec.to_builtins(data))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a shop's events, oldest first; `last` is the number to go on after. `is_torn` where events after the
    number that was asked for have been deleted meanwhile."""

    events: Sequence[Told]
    last: int
    is_torn: bool


# One statement, so that the shop's number and its events are of the same moment.
PAGE = (
    "SELECT p.event_seq, e.seq, e.id, e.kind, e.box, e.made_ms "
    "FROM partner p LEFT JOIN event e ON e.partner_id = p.id AND e.seq > $2 WHERE p.id = $1 ORDER BY e.seq LIMIT $3"
)


async def page(
    store: db.Store, keys: KeyRing, partner_id: uuid.UUID, after: int | None, limit: int, now_ms: int
) -> Page:
    """What a shop was told after an event's number; from the oldest that is kept where there is none."""
    rows = await store.read(PAGE, str(partner_id), after or 0, limit)
    found = [opened(keys, row, now_ms) for row in rows if row["seq"] is not None]
    newest: int = rows[0]["event_seq"] if rows else 0
    if not found:
        return Page([], newest if after is None else after, after is not None and after < newest)
    return Page(found, found[-1].seq, after is not None and found[0].seq > after + 1)


LAST_OLD = "SELECT partner_id, max(seq) AS seq FROM event WHERE made_ms <= $1 GROUP BY partner_id"
OVER = "SELECT seq, id, kind, box, made_ms FROM event WHERE kind = $1 AND made_ms BETWEEN $2 AND $3"


async def tidy(keys: KeyRing, store: db.Store, now_ms: int) -> None:
    """The background job: events of 30 days go with their deliveries, and codes of challenges that nobody answered."""
    for row in await store.read(LAST_OLD, now_ms - KEPT_MS):
        async with db.transaction():
            for table in ("delivery", "event"):
                sql = f"DELETE FROM {table} WHERE partner_id = $1 AND seq <= $2"  # noqa: S608 - constants
                await db.fetch(sql, str(row["partner_id"]), row["seq"])
    for row in await store.read(OVER, CHALLENGE, now_ms - UNBLANKED_MS, now_ms):
        told = opened(keys, row, now_ms)
        if told.data["code"] is None:
            async with db.transaction():
                await _blank(keys, row)


def bound(id: uuid.UUID) -> bytes:
    return f"event/{id}".encode()
