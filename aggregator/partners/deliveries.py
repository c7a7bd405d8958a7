"""Events on their way to webhooks: at least once each, the first time in their order, a repeat under the same id.

waiting ──2xx──▶ delivered          410: the webhook is switched off
   └─ anything else: waiting, ten tries over three days ──▶ dead

One process at a time tells a webhook, as long as it renews its lease; what a dead one has begun is done again. Each
webhook has a lane of its own, so that a slow one holds up nobody else.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.jobs import now_ms
from aggregator.outbound import NoAnswer, NotAllowed, Outbound
from aggregator.partners import events, webhooks
from aggregator.partners.events import Bell, Told
from aggregator.partners.webhooks import DEAD, DELIVERED, FAILING, ON, WAITING, Webhook

TIMEOUT_S = 20.0
GONE = 410
# Before the second try, the third, …
PAUSES = [timedelta(seconds=5), timedelta(minutes=5), *(timedelta(minutes=30 * n) for n in (1, 4, 10, 20, 28, 40, 48))]
JITTER = 0.1
MAX_PAUSE_MS = timedelta(hours=24) // timedelta(milliseconds=1)
FAILING_MS = timedelta(days=5) // timedelta(milliseconds=1)
MAX_DETAIL = 200

POLL_S = 5.0
LANES = 64
PER_LANE = 4
# A try that takes longer than this is no longer waited for before the next begins.
PATIENCE_S = 2.0
# Longer than a try; a dead process's webhooks are silent for so long.
LEASE_MS = 30_000
RENEW_MS = 8_000
# After this a lane makes room, so that with more webhooks than lanes each has its turn.
TURN_MS = 60_000
FRESH, AGAIN = 16, 4
HAND_ON_S = 2.0

TAKE = (
    "UPDATE webhook SET leased_ms = $1 WHERE id = (SELECT w.id FROM webhook w "  # noqa: S608 - constants
    "JOIN partner p ON p.id = w.partner_id AND p.disabled_ms IS NULL WHERE w.leased_ms <= $2 AND w.state <> 'off' "
    "AND EXISTS (SELECT 1 FROM delivery d WHERE d.webhook_id = w.id AND d.next_ms <= $2) "
    f"ORDER BY w.leased_ms, w.id LIMIT 1{{lock}}) RETURNING {webhooks.COLUMNS}"
)
RENEW = (
    "UPDATE webhook SET leased_ms = $1 WHERE id = $2 AND leased_ms = $3 AND state <> 'off' "
    "AND EXISTS (SELECT 1 FROM partner p WHERE p.id = webhook.partner_id AND p.disabled_ms IS NULL) RETURNING id"
)
DUE = (
    "SELECT d.seq, d.tries, e.id, e.kind, e.box, e.made_ms FROM delivery d "
    "JOIN event e ON e.partner_id = d.partner_id AND e.seq = d.seq WHERE d.webhook_id = $1 AND {due} "
    "ORDER BY d.next_ms, d.seq LIMIT $2"
)
SETTLED = (
    "UPDATE delivery SET state = $1, tries = $2, next_ms = $3, status = $4, detail = $5 "
    "WHERE webhook_id = $6 AND seq = $7"
)
WORKS = "UPDATE webhook SET state = 'on', failing_ms = NULL WHERE id = $1 AND failing_ms IS NOT NULL AND state <> 'off'"
FAILS = "UPDATE webhook SET failing_ms = $1 WHERE id = $2 AND failing_ms IS NULL"
FAILS_LONG = "UPDATE webhook SET state = 'failing' WHERE id = $1 AND state = 'on' AND failing_ms <= $2 RETURNING url"
SWITCHED_OFF = "UPDATE webhook SET state = 'off' WHERE id = $1"
GIVEN_UP = "UPDATE delivery SET state = 'dead', next_ms = NULL WHERE webhook_id = $1 AND state = 'waiting'"

_log = logging.getLogger("karman.webhooks")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try: the status of an answer, or what was wrong; `asked_ms` is how long to stay away."""

    status: int | None
    detail: str | None = None
    asked_ms: int = 0

    @property
    def is_taken(self) -> bool:
        """Whether the shop has taken the event."""
        return self.status is not None and 200 <= self.status < 300


async def post(outbound: Outbound, url: str, headers: dict[str, str], body: bytes) -> Outcome:
    """One try. What the other side says beside its status is nobody's business."""
    try:
        answer = await outbound.fetch(
            url, method="POST", headers=headers, body=body, limit_bytes=0, timeout_s=TIMEOUT_S
        )
    except (NoAnswer, NotAllowed) as error:
        return Outcome(None, str(error)[:MAX_DETAIL])
    except Exception:
        _log.exception("a webhook could not be called")
        return Outcome(None, "It could not be called.")
    return Outcome(answer.status, None, min(answer.asked_ms, MAX_PAUSE_MS))


def pause_ms(tries: int, asked_ms: int = 0) -> int | None:
    """How long to wait after so many tries; None where they were enough."""
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] / timedelta(milliseconds=1)
    return max(round(pause * random.uniform(1, 1 + JITTER)), asked_ms)  # noqa: S311


class Sender:
    """Tells webhooks what waits for them; every process may have one."""

    def __init__(self, keys: KeyRing, outbound: Outbound, bell: Bell, clock: Callable[[], int] = now_ms) -> None:
        self._keys = keys
        self._outbound = outbound
        self._bell = bell
        self._clock = clock
        self._lanes: set[asyncio.Task[None]] = set()

    async def tend(self) -> None:
        """Open a lane for each webhook that something waits for; endless."""
        try:
            while True:
                try:
                    await self._open_lanes()
                except db.STORE_ERRORS as error:
                    _log.warning("webhooks wait for the store: %s", error)
                except Exception:
                    _log.exception("webhooks wait")
                await self._bell.heard(POLL_S)
        finally:
            for lane in self._lanes:
                lane.cancel()
            if self._lanes:
                await asyncio.wait(self._lanes)

    async def settle(self) -> None:
        """Tell everything that is due, and wait until it is told."""
        while await self._open_lanes() or self._lanes:
            await asyncio.gather(*self._lanes)

    async def _open_lanes(self) -> int:
        opened = 0
        while len(self._lanes) < LANES and (lane := await self._take()):
            task = asyncio.create_task(lane.run())
            self._lanes.add(task)
            task.add_done_callback(self._closed)
            opened += 1
        return opened

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._lanes.discard(task)
        # Something may have come after the lane looked for the last time.
        self._bell.ring()

    async def _take(self) -> "Lane | None":
        now = self._clock()
        take = TAKE.format(lock="" if db.is_sqlite() else " FOR UPDATE OF w SKIP LOCKED")
        for row in await db.fetch(take, now + LEASE_MS, now):
            try:
                return Lane(self._keys, self._outbound, self._clock, webhooks.opened(self._keys, row), now)
            except BoxUnreadable:
                # Its lease keeps it from being taken again at once.
                _log.error("the secrets of the webhook %s do not open", row["id"])
        return None


class Lane:
    """What waits for one webhook, told by this process alone for as long as its lease is renewed."""

    def __init__(
        self, keys: KeyRing, outbound: Outbound, clock: Callable[[], int], webhook: Webhook, taken_ms: int
    ) -> None:
        self._keys = keys
        self._outbound = outbound
        self._clock = clock
        self._webhook = webhook
        self._taken_ms = taken_ms
        self._leased_ms = taken_ms + LEASE_MS
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_off = False

    async def run(self) -> None:
        """Tell what is due until nothing is, or others are to have their turn, and make room. After a mistake the lease
        runs out by itself, so that it is not made again at once.
        """
        is_well = True
        try:
            while self._clock() < self._taken_ms + TURN_MS and (due := await self._due()):
                if not await self._tell(due):
                    break
        except db.STORE_ERRORS as error:
            is_well = False
            _log.warning("a webhook waits for the store: %s", error)
        except Exception:
            is_well = False
            _log.exception("a webhook went wrong")
        finally:
            for task in self._under_way:
                task.cancel()
            if self._under_way:
                await asyncio.wait(self._under_way)
            if is_well:
                await self._hand_on()

    async def _due(self) -> list[db.Row]:
        """A few that were never tried, in their order, and then a few of those that are to be tried again."""
        now = self._clock()
        fresh = await db.fetch(DUE.format(due="d.next_ms = 0"), str(self._webhook.id), FRESH)
        again = DUE.format(due="d.next_ms > 0 AND d.next_ms <= $3")
        return [*fresh, *await db.fetch(again, str(self._webhook.id), AGAIN, now)]

    async def _tell(self, due: Sequence[db.Row]) -> bool:
        """Try each, begun in this order; False where the lease was lost, or the webhook is off or gone."""
        for row in due:
            if not await self._renew():
                return False
            task = asyncio.create_task(self._try(row))
            self._under_way.add(task)
            await asyncio.wait({task}, timeout=PATIENCE_S)
            self._sort_out()
            if len(self._under_way) >= PER_LANE:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                self._sort_out()
        if self._under_way:
            await asyncio.wait(self._under_way)
            self._sort_out()
        return True

    def _sort_out(self) -> None:
        """Forget those that are done; raises what one of them raised."""
        done = {task for task in self._under_way if task.done()}
        self._under_way -= done
        for task in done:
            task.result()

    async def _renew(self) -> bool:
        if self._is_off:
            return False
        now = self._clock()
        if self._leased_ms - now > LEASE_MS - RENEW_MS:
            return True
        leased = await db.fetch(RENEW, now + LEASE_MS, str(self._webhook.id), self._leased_ms)
        self._leased_ms = now + LEASE_MS
        return bool(leased)

    async def _hand_on(self) -> None:
        """Make room for others, behind those that wait longer."""
        sql = "UPDATE webhook SET leased_ms = $1 WHERE id = $2 AND leased_ms = $3"
        try:
            async with asyncio.timeout(HAND_ON_S):
                await db.fetch(sql, self._clock(), str(self._webhook.id), self._leased_ms)
        except (*db.STORE_ERRORS, TimeoutError):
            _log.info("a webhook's lease runs out by itself")

    async def _try(self, row: db.Row) -> None:
        now = self._clock()
        try:
            told = events.opened(self._keys, row, now)
        except (BoxUnreadable, msgspec.DecodeError):
            _log.error("the event %s does not open", row["id"])
            await self._note(row, DEAD, None, Outcome(None, "The event cannot be read."))
            return
        outcome = await self._post(told, now)
        if outcome.is_taken:
            await self._taken(row, outcome)
        elif outcome.status == GONE:
            await self._gone(row, outcome)
        else:
            await self._failed(row, outcome)

    async def _post(self, told: Told, now: int) -> Outcome:
        body = msgspec.json.encode(told.as_body())
        headers = self._webhook.headers(told.id, now, body)
        return await post(self._outbound, self._webhook.url, headers, body)

    async def _taken(self, row: db.Row, outcome: Outcome) -> None:
        await self._note(row, DELIVERED, None, outcome)
        await db.fetch(WORKS, str(self._webhook.id))
        # From now on what fails is tried again.
        self._webhook = replace(self._webhook, state=ON)

    async def _gone(self, row: db.Row, outcome: Outcome) -> None:
        """The shop says that nobody is there, and never will be."""
        self._is_off = True
        async with db.transaction():
            await self._note(row, DEAD, None, outcome)
            await db.fetch(SWITCHED_OFF, str(self._webhook.id))
            await db.fetch(GIVEN_UP, str(self._webhook.id))

    async def _failed(self, row: db.Row, outcome: Outcome) -> None:
        """Later, unless it was tried often enough, or the webhook has failed for days and gets one try each."""
        now = self._clock()
        pause = None if self._webhook.state == FAILING else pause_ms(row["tries"] + 1, outcome.asked_ms)
        async with db.transaction():
            await self._note(row, DEAD if pause is None else WAITING, None if pause is None else now + pause, outcome)
            await db.fetch(FAILS, now, str(self._webhook.id))
            if self._webhook.state == ON and await db.fetch(FAILS_LONG, str(self._webhook.id), now - FAILING_MS):
                _log.warning("the webhook %s has failed for days", self._webhook.id)
                self._webhook = replace(self._webhook, state=FAILING)

    async def _note(self, row: db.Row, state: str, next_ms: int | None, outcome: Outcome) -> None:
        id: uuid.UUID = self._webhook.id
        await db.fetch(SETTLED, state, row["tries"] + 1, next_ms, outcome.status, outcome.detail, str(id), row["seq"])
