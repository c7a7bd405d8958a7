"""Background work is done by one process at a time, again after a failure, and by another process after a death."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator import app, db, jobs
from aggregator.jobs import Job, Runner, beside
from aggregator.settings import read
from tests.service import ServiceOptions
from tests.stores import Rows

NOW_MS = 1_800_000_000_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
PATIENCE_S = 120


@dataclass
class Clock:
    """A time that passes when it is told to."""

    ms: int = NOW_MS

    def __call__(self) -> int:
        return self.ms


@dataclass
class Work:
    """A job's work: notes when it ran; fails, or does not end, when told to."""

    ran: list[int] = field(default_factory=list)
    fails: bool = False
    endless: bool = False
    broken_off: int = 0

    async def run(self, store: db.Store, now_ms: int) -> None:
        self.ran.append(now_ms)
        if self.fails:
            raise ValueError("no")
        if self.endless:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.broken_off += 1
                raise

    def job(self, every: timedelta = timedelta(hours=1)) -> Job:
        return Job("sweep", every, self.run)


@asynccontextmanager
async def opened(options: ServiceOptions) -> AsyncIterator[db.Store]:
    """The store, open inside the block."""
    chosen = read({"data": str(options.data)}, options.environment)
    async with app.opened_store(chosen, app.ring(chosen)) as store:
        yield store


def on_a_store(options: ServiceOptions, story: Callable[[db.Store], Awaitable[None]]) -> None:
    """Tell a story on an open store."""

    async def told() -> None:
        async with opened(options) as store:
            await story(store)

    asyncio.run(told())


async def until(condition: Callable[[], Any]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def state() -> tuple[Any, ...]:
    """The job's row: due, leased until, holder, failures."""
    [row] = await db.fetch("SELECT due_ms, leased_ms, holder, failures FROM job")
    return tuple(row)


# Due


def test_a_job_runs_when_it_is_due_and_not_again_before_its_time(options: ServiceOptions) -> None:
    async def story(store: db.Store) -> None:
        clock, work = Clock(), Work()
        runner = Runner(store, [work.job()], clock)
        assert await runner.turn(work.job())
        clock.ms += HOUR - 1
        assert not await runner.turn(work.job())
        clock.ms += 1
        assert await runner.turn(work.job())
        assert work.ran == [NOW_MS, NOW_MS + HOUR]

    on_a_store(options, story)


def test_when_a_job_is_due_outlives_the_process(options: ServiceOptions) -> None:
    clock, work = Clock(), Work()

    async def story(store: db.Store) -> None:
        await Runner(store, [work.job()], clock).turn(work.job())

    on_a_store(options, story)
    clock.ms += HOUR - 1
    on_a_store(options, story)
    assert len(work.ran) == 1
    clock.ms += 1
    on_a_store(options, story)
    assert len(work.ran) == 2


def test_a_job_that_fails_is_logged_and_tried_again_ever_later(
    options: ServiceOptions, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(store: db.Store) -> None:
        clock, work = Clock(), Work(fails=True)
        runner, job = Runner(store, [], clock), work.job(timedelta(minutes=5))
        for wait_ms in (MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE):
            assert await runner.turn(job)
            clock.ms += wait_ms - 1
            assert not await runner.turn(job)
            clock.ms += 1
        work.fails = False
        assert await runner.turn(job)
        assert await state() == (clock.ms + 5 * MINUTE, 0, None, 0)

    on_a_store(options, story)
    assert [record.getMessage() for record in caplog.records] == ["the job sweep failed and will be tried again"] * 5
    assert caplog.records[0].exc_info is not None


def test_a_job_that_cancels_itself_has_failed_and_ends_nothing_else(options: ServiceOptions) -> None:
    async def gives_up(store: db.Store, now_ms: int) -> None:
        raise asyncio.CancelledError

    async def story(store: db.Store) -> None:
        assert await Runner(store, [], Clock()).turn(Job("sweep", timedelta(hours=1), gives_up))
        assert await state() == (NOW_MS + MINUTE, 0, None, 1)

    on_a_store(options, story)


# Leased


def test_what_one_runs_no_other_runs(options: ServiceOptions) -> None:
    async def story(store: db.Store) -> None:
        clock, work, other = Clock(), Work(endless=True), Work()
        async with beside(_turn(Runner(store, [], clock), work.job())):
            await until(lambda: work.ran)
            clock.ms += 59 * SECOND
            assert not await Runner(store, [], clock).turn(other.job())
        assert other.ran == []

    on_a_store(options, story)


async def _turn(runner: Runner, job: Job) -> None:
    await runner.turn(job)


def test_the_lease_of_one_who_died_passes_on_when_it_ends(options: ServiceOptions) -> None:
    async def story(store: db.Store) -> None:
        clock, work = Clock(), Work()
        # Of a process that was killed nothing is left but its lease.
        await db.fetch(
            "INSERT INTO job (name, due_ms, leased_ms, holder, failures) VALUES ($1, $2, $3, $4, 0)",
            *("sweep", NOW_MS, NOW_MS + MINUTE, "dead"),
        )
        runner = Runner(store, [], clock)
        clock.ms += MINUTE - 1
        assert not await runner.turn(work.job())
        clock.ms += 1
        assert await runner.turn(work.job())

    on_a_store(options, story)


def test_a_lease_is_renewed_while_the_job_runs(options: ServiceOptions) -> None:
    async def story(store: db.Store) -> None:
        clock, work, other = Clock(), Work(endless=True), Work()
        async with beside(_turn(Runner(store, [], clock, lease_s=0.3), work.job())):
            await until(lambda: work.ran)
            clock.ms += 200
            async with asyncio.timeout(PATIENCE_S):
                while (await state())[1] != clock.ms + 300:
                    await asyncio.sleep(0.01)
            clock.ms += 200
            assert not await Runner(store, [], clock, lease_s=0.3).turn(other.job())
        assert other.ran == []

    on_a_store(options, story)


def test_who_loses_the_lease_stops_and_leaves_the_job_to_the_other(
    options: ServiceOptions, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(store: db.Store) -> None:
        work = Work(endless=True)
        async with beside(_turn(Runner(store, [], Clock(), lease_s=0.3), work.job())):
            await until(lambda: work.ran)
            taken = NOW_MS + MINUTE
            await db.fetch("UPDATE job SET holder = 'other', leased_ms = $1", taken)
            await until(lambda: work.broken_off)
            await until(lambda: caplog.records)
            assert await state() == (NOW_MS, taken, "other", 0)

    on_a_store(options, story)
    assert "was taken over" in caplog.text


def test_who_ends_after_losing_the_lease_leaves_the_job_to_the_other(options: ServiceOptions) -> None:
    taken = NOW_MS + MINUTE, "other"

    async def is_robbed(store: db.Store, now_ms: int) -> None:
        await db.fetch("UPDATE job SET leased_ms = $1, holder = $2", *taken)

    async def story(store: db.Store) -> None:
        await Runner(store, [], Clock()).turn(Job("sweep", timedelta(hours=1), is_robbed))
        assert await state() == (NOW_MS, *taken, 0)

    on_a_store(options, story)


def test_who_is_told_to_stop_hands_the_job_on_at_once(options: ServiceOptions) -> None:
    async def story(store: db.Store) -> None:
        work, other = Work(endless=True), Work()
        async with beside(_turn(Runner(store, [], Clock()), work.job())):
            await until(lambda: work.ran)
        assert work.broken_off == 1
        assert await state() == (NOW_MS, 0, None, 0)
        assert await Runner(store, [], Clock()).turn(other.job())

    on_a_store(options, story)


# All day long


def test_every_job_is_done_beside_the_others_and_all_stop_together(options: ServiceOptions) -> None:
    async def story(store: db.Store) -> None:
        long, short = Work(endless=True), Work()
        work = [Job("long", timedelta(hours=1), long.run), Job("short", timedelta(hours=1), short.run)]
        async with beside(Runner(store, work).run(0)):
            await until(lambda: long.ran and short.ran)
        assert long.broken_off == 1
        assert len(asyncio.all_tasks()) == 1

    on_a_store(options, story)


def test_a_job_waits_out_a_store_that_does_not_answer_and_says_so_once(
    options: ServiceOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jobs, "OUTAGE_S", 0.05)

    async def story(store: db.Store) -> None:
        work = Work()
        await db.client().execute_script("ALTER TABLE job RENAME TO away")
        async with beside(Runner(store, [work.job()]).run(0)):
            await until(lambda: caplog.records)
            await asyncio.sleep(0.3)
            assert work.ran == []
            await db.client().execute_script("ALTER TABLE away RENAME TO job")
            await until(lambda: work.ran)

    with caplog.at_level(logging.INFO, "karman"):
        on_a_store(options, story)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["the job sweep waits for the store"]


def test_a_row_that_an_operator_removed_is_made_anew(
    options: ServiceOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jobs, "MIN_SLEEP_S", 0.01)

    async def story(store: db.Store) -> None:
        ran: list[int] = []

        async def forgets_itself(store: db.Store, now_ms: int) -> None:
            ran.append(now_ms)
            await db.fetch("DELETE FROM job")

        async with beside(Runner(store, [Job("sweep", timedelta(hours=1), forgets_itself)]).run(0)):
            await until(lambda: len(ran) > 2)

    on_a_store(options, story)
    assert caplog.records == []


# Processes


@contextmanager
def workers(options: ServiceOptions, folder: Path, count: int) -> Iterator[dict[int, subprocess.Popen[str]]]:
    """Processes that share one job, by process id."""
    command = [sys.executable, "-m", "tests.worker", str(options.data), str(folder)]
    started = [subprocess.Popen(command, env=options.env(), text=True) for _ in range(count)]
    try:
        yield {process.pid: process for process in started}
    finally:
        for process in started:
            process.kill()
            process.wait()


def seen(folder: Path) -> list[str]:
    """What the workers noted, oldest first."""
    notes = folder / "notes"
    return notes.read_text().splitlines() if notes.exists() else []


def busy(folder: Path) -> int | None:
    """The id of the worker that is at it just now."""
    try:
        return int((folder / "busy").read_text())
    except FileNotFoundError:
        return None


def test_of_several_processes_one_works_and_when_it_is_killed_another_goes_on(
    options: ServiceOptions, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    deadline = time.monotonic() + PATIENCE_S
    with workers(options, folder, 3) as processes:
        while (first := busy(folder)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        processes[first].kill()
        processes[first].wait()
        before = len(seen(folder))
        while len(seen(folder)) < before + 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    later = seen(folder)[before:]
    assert str(first) not in later
    assert "overlap" not in seen(folder)
    assert Rows(options).count("job") == 1
