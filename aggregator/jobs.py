"""Background work that any process may do: leased, so that one does it at a time; where in doubt it is done again.

due ──take the lease──▶ run, renewing the lease ──▶ due again after `every`; after a failure sooner, with back-off
         └─ somebody else holds it: look again when their lease ends, for they may have died
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tortoise import fields
from tortoise.models import Model

from aggregator import db

LEASE_S = 60.0
# A start is busy enough; what was missed while nobody ran can wait a little longer.
START_AFTER_S = 15.0
BACK_OFF_S = 60
MAX_DOUBLINGS = 12
# Sleeping longer would not notice a changed clock, or an operator who made a job due.
MAX_SLEEP_S = 600.0
MIN_SLEEP_S = 1.0
OUTAGE_S = 10.0
HAND_ON_S = 2.0

_log = logging.getLogger("karman.jobs")


class JobState(Model):
    """When a job is due, who does it until when, and how often it has failed since it last succeeded.

    Times are milliseconds since 1970, UTC; `leased_ms` is 0 where nobody does it.
    """

    name = fields.CharField(max_length=64, primary_key=True)
    due_ms = fields.BigIntField()
    leased_ms = fields.BigIntField()
    holder = fields.CharField(max_length=32, null=True)
    failures = fields.IntField()

    class Meta:
        table = "job"


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done again and again.

    name   tells it from the others, in the store too: a job that gets another name starts anew
    every  how long after a success it is due again
    run    does it, given the open store and the time (milliseconds since 1970, UTC). It may be broken off anywhere and
           run again: what it does twice must do no harm. Anything it raises is logged and it is tried again.
    """

    name: str
    every: timedelta
    run: Callable[[db.Store, int], Coroutine[Any, Any, None]]


class LeaseLost(Exception):
    """Another process has taken over, since ours did not renew its lease in time."""


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Endless work goes on beside the block and has stopped when it is left."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


class Runner:
    """Does a process's share of the jobs. Clocks of machines on one store may differ by less than the lease."""

    def __init__(
        self, store: db.Store, jobs: Sequence[Job], clock: Callable[[], int] = now_ms, lease_s: float = LEASE_S
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._lease_s = lease_s
        self._holder = uuid.uuid4().hex

    async def run(self, start_after_s: float = START_AFTER_S) -> None:
        """Do what is due, each job beside the others, until cancelled."""
        await asyncio.sleep(start_after_s)
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._tend(job))

    async def _tend(self, job: Job) -> None:
        is_out = False
        while True:
            try:
                await self.turn(job)
                pause_s = await self._pause_s(job)
                is_out = False
            except Exception as error:
                # Once an outage: what else does not work then is logged by others.
                if not is_out:
                    trace = None if isinstance(error, db.STORE_ERRORS) else error
                    _log.warning("the job %s waits for the store: %s", job.name, error, exc_info=trace)
                pause_s, is_out = OUTAGE_S, True
            await asyncio.sleep(pause_s)

    async def turn(self, job: Job) -> bool:
        """Run the job if it is due and nobody else does it; tells whether it was run. Raises what the store raises."""
        now = self._clock()
        failures = await self._take(job, now)
        if failures is None:
            return False
        try:
            await self._work(job, now)
        except asyncio.CancelledError:
            await self._hand_on(job)
            raise
        except LeaseLost:
            _log.warning("the job %s took too long between two renewals and was taken over", job.name)
        except Exception as error:
            _log.error("the job %s failed and will be tried again", job.name, exc_info=error)
            await self._settle(job, self._clock() + _back_off_ms(job, failures), failures + 1)
        else:
            await self._settle(job, self._clock() + _ms(job.every.total_seconds()), 0)
        return True

    async def _take(self, job: Job, now: int) -> int | None:
        """Take the lease and give how often the job has failed, or None where it is not due or is somebody else's."""
        new = "INSERT INTO job (name, due_ms, leased_ms, failures) VALUES ($1, $2, 0, 0) ON CONFLICT (name) DO NOTHING"
        take = (
            "UPDATE job SET leased_ms = $1, holder = $2 "
            "WHERE name = $3 AND due_ms <= $4 AND leased_ms <= $4 RETURNING failures"
        )
        async with db.transaction():
            await db.fetch(new, job.name, now)
            taken = await db.fetch(take, now + _ms(self._lease_s), self._holder, job.name, now)
        return taken[0]["failures"] if taken else None

    async def _work(self, job: Job, now: int) -> None:
        """Run the job and renew the lease all the while; raises LeaseLost, or what the job raises."""
        work = asyncio.create_task(job.run(self._store, now))
        try:
            while not (await asyncio.wait({work}, timeout=self._lease_s / 3))[0]:
                await self._renew(job)
        finally:
            work.cancel()
            await asyncio.wait({work})
        if work.cancelled():
            raise RuntimeError("It was cancelled from within.")
        work.result()

    async def _renew(self, job: Job) -> None:
        # Where the lease has run out but nobody took it, it is still ours.
        sql = "UPDATE job SET leased_ms = $1 WHERE name = $2 AND holder = $3 RETURNING name"
        if not await db.fetch(sql, self._clock() + _ms(self._lease_s), job.name, self._holder):
            raise LeaseLost

    async def _settle(self, job: Job, due_ms: int, failures: int) -> None:
        sql = (
            "UPDATE job SET due_ms = $1, leased_ms = 0, holder = NULL, failures = $2 WHERE name = $3 AND holder = $4 "
            "RETURNING name"
        )
        await db.fetch(sql, due_ms, failures, job.name, self._holder)

    async def _hand_on(self, job: Job) -> None:
        """Give the lease back, so that another process need not wait for its end."""
        sql = "UPDATE job SET leased_ms = 0, holder = NULL WHERE name = $1 AND holder = $2 RETURNING name"
        with suppress(*db.STORE_ERRORS):
            async with asyncio.timeout(HAND_ON_S):
                await db.fetch(sql, job.name, self._holder)

    async def _pause_s(self, job: Job) -> float:
        """How long nothing needs to be done for the job."""
        rows = await self._store.read("SELECT due_ms, leased_ms FROM job WHERE name = $1", job.name)
        next_ms: int = max((max(row["due_ms"], row["leased_ms"]) for row in rows), default=0)
        return min(MAX_SLEEP_S, max(MIN_SLEEP_S, (next_ms - self._clock()) / 1000))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _back_off_ms(job: Job, failures: int) -> int:
    """Twice as long after every failure, but never longer than after a success."""
    return _ms(min(BACK_OFF_S * 2.0 ** min(failures, MAX_DOUBLINGS), job.every.total_seconds()))
