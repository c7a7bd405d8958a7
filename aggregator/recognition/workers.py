"""The pool: a fixed number of recognition processes behind a bounded queue.

    read() ── queue ── one attendant per process: hand the photos over, wait, settle
                         └─ died or too slow: kill it, answer `reading-failed`, start another

Every caller waits on a future of its own and only attendants speak to processes, so nothing needs a lock.
"""

import asyncio
import logging
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from aggregator.errors import Problem, TooLarge, Unavailable, UnsupportedMedia
from aggregator.recognition.reading import Reading
from aggregator.recognition.wire import Answer, Done, Failed, Frames, Progress, Refused, Request, as_news, packed

# By name, so that the server itself never loads the decoders.
READER = "aggregator.recognition.pipeline:read"
# By what the setting `text` says.
READERS = {"auto": "aggregator.recognition.pipeline:read_with_text", "off": READER}
# Four photos of 12 megapixels take about 5 s of a core, which may be shared with many. What computes for too long ends
# itself much sooner (`leash`); this is for what does not even compute.
TIMEOUT_S = 60.0
START_TIMEOUT_S = 60.0
# A photo of 50 megapixels peaks between 0.5 and 1.1 GB, by its format; what asks for far more is no photo.
MEMORY_BYTES = 2_000_000_000
RESIDENT_BYTES = 700_000_000
# What a card takes, until it is known what cards take here.
USUAL_S = 1.5
MOST_WAIT_S = 60

_REFUSALS: dict[int, type[Problem]] = {kind.status: kind for kind in (TooLarge, UnsupportedMedia)}
_log = logging.getLogger("karman.recognition")
T = TypeVar("T")


class Pool:
    """Reads photos in `workers` processes while at most `queue` calls wait; without a process every call is refused.

    timeout_s       what a card may take; its process is killed after that
    reader          `module:function` from photos to a Reading, as each process imports it
    memory_bytes    what a process may ask for; beyond it the card is refused and the process replaced
    resident_bytes  what a process may keep between cards; one that keeps more is replaced now and then
    """

    def __init__(
        self,
        workers: int,
        queue: int,
        timeout_s: float = TIMEOUT_S,
        reader: str = READER,
        memory_bytes: int = MEMORY_BYTES,
        resident_bytes: int = RESIDENT_BYTES,
    ) -> None:
        self._workers = workers
        self._queue = queue
        self._timeout_s = timeout_s
        self._options = {"reader": reader, "memory-bytes": memory_bytes, "resident-bytes": resident_bytes}
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._open: set[_Job] = set()
        self._crew: set[_Worker] = set()
        self._idle = 0
        self._attendants: list[asyncio.Task[None]] = []
        self._usual_s = USUAL_S
        self._turns = Turns()

    @property
    def pids(self) -> frozenset[int]:
        """The processes that live."""
        return frozenset(worker.pid for worker in self._crew if worker.lives)

    @property
    def alive(self) -> int:
        """How many processes live; less than `workers` only while one is being replaced."""
        return len(self.pids)

    async def start(self) -> None:
        """Start every process and wait until all are warm; raises OSError where they cannot start."""
        hired = await asyncio.gather(*(self._hire() for _ in range(self._workers)), return_exceptions=True)
        crew = [worker for worker in hired if isinstance(worker, _Worker)]
        for problem in hired:
            if isinstance(problem, BaseException):
                await asyncio.gather(*(worker.end() for worker in crew))
                raise problem
        self._crew.update(crew)
        self._attendants = [asyncio.create_task(self._attend(worker)) for worker in crew]

    async def close(self) -> None:
        """End every process; who still waits is told that the reading failed."""
        for attendant in self._attendants:
            attendant.cancel()
        await asyncio.gather(*self._attendants, return_exceptions=True)
        self._attendants.clear()
        # An attendant cancelled before it ever ran has ended nobody.
        await asyncio.gather(*(worker.end() for worker in self._crew))
        self._crew.clear()
        for job in self._open:
            job.fail("The service is stopping.", 5)

    async def read(self, photos: Sequence[bytes]) -> Reading:
        """What the photos of one card say.

        Raises UnsupportedMedia or TooLarge for the photos' sake, Unavailable `busy` where the queue is full, and
        Unavailable `reading-failed` where the process died or took too long over them.
        """
        job = self._admit(Request(list(photos)))
        try:
            return await self._in_time(job.reading)
        finally:
            self._leave(job)

    async def read_by_steps(self, photos: Sequence[bytes]) -> AsyncGenerator[Progress, None]:
        """The same, told step by step; the last Progress, `done`, has the whole reading. Raises what `read` raises."""
        job = self._admit(Request(list(photos), by_steps=True))
        try:
            while (progress := await self._in_time(job.progress.get())) is not None:
                yield progress
            yield Progress("done", await job.reading)
        finally:
            self._leave(job)

    def _admit(self, request: Request) -> "_Job":
        if not self._workers:
            raise Unavailable("busy", "This process of the service reads no photos.", MOST_WAIT_S)
        if self._jobs.qsize() >= self._queue + self._idle:
            raise self._busy()
        job = _Job(request)
        self._open.add(job)
        self._jobs.put_nowait(job)
        return job

    async def _in_time(self, coming: Awaitable[T]) -> T:
        """Wait no longer than a call can take; raises Unavailable `busy`."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await coming
        except TimeoutError:
            raise self._busy() from None

    def _leave(self, job: "_Job") -> None:
        job.reading.cancel()
        self._open.discard(job)

    @property
    def _patience_s(self) -> float:
        """The longest a call can take when everything before it takes the longest it may."""
        return self._timeout_s * (self._queue // self._workers + 2)

    def _busy(self) -> Unavailable:
        pace_s = self._usual_s / max(1, self.alive)
        # As early as half of the queue has been read: whoever comes then has room, and no process has nothing to do.
        wait_s = self._turns.next_s(self._jobs.qsize() / 2 * pace_s, pace_s)
        return Unavailable("busy", "Too many photos are being read just now.", wait_s)

    async def _attend(self, worker: "_Worker") -> None:
        """Keep one place of the crew filled and at work."""
        while True:
            try:
                await self._serve(worker)
            finally:
                self._crew.discard(worker)
                await worker.end()
            worker = await self._replacement()
            self._crew.add(worker)

    async def _serve(self, worker: "_Worker") -> None:
        """Hand jobs to one process until it should be replaced."""
        while (job := await self._next(worker)) is not None:
            if not await self._do(worker, job):
                return

    async def _next(self, worker: "_Worker") -> "_Job | None":
        """The next job somebody still waits for; None where the process ended meanwhile."""
        self._idle += 1
        coming = asyncio.create_task(self._jobs.get())
        try:
            await asyncio.wait({coming, worker.gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._idle -= 1
            coming.cancel()
        if not coming.done():
            return None
        if worker.lives:
            return coming.result()
        # It died while it had nothing to do: this is the next one's.
        self._jobs.put_nowait(coming.result())
        return None

    async def _do(self, worker: "_Worker", job: "_Job") -> bool:
        """Settle one job; whether the process can take another."""
        if job.reading.done():
            return True
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await worker.ask(job.request, job.progress.put_nowait)
        except TimeoutError:
            _log.error("recognition process %d took more than %g s over a card", worker.pid, self._timeout_s)
            job.fail("These photos took too long to read.")
            return False
        except ConnectionError:
            _log.error("recognition process %d died over a card", worker.pid)
            job.fail("These photos could not be read.")
            return False
        except Exception:
            _log.exception("recognition process %d gave an answer that cannot be read", worker.pid)
            job.fail("These photos could not be read.")
            return False
        self._usual_s += (clock() - start - self._usual_s) / 8
        job.settle(answer.outcome)
        return not answer.worn

    async def _replacement(self) -> "_Worker":
        """A new process, however often it takes."""
        pause_s = 0.5
        while True:
            try:
                return await self._hire()
            except OSError:
                _log.exception("no recognition process can be started; next attempt in %g s", pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(30.0, pause_s * 2)

    async def _hire(self) -> "_Worker":
        return await _Worker.start(self._options)


class Turns:
    """When those who were refused are told to come again: one after the other, as fast as cards are read.

    Told one and the same time, all but a few would be refused again.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def next_s(self, soonest_s: float, pace_s: float) -> int:
        """Whole seconds, 1 to MOST_WAIT_S, to wait for the next turn: at least `soonest_s`, `pace_s` after the last."""
        now = time.monotonic()
        self._next = min(max(self._next, now + soonest_s) + pace_s, now + MOST_WAIT_S)
        return max(1, math.ceil(self._next - now))


@dataclass(eq=False, slots=True)
class _Job:
    """The photos of one card, the caller's future, and what is known meanwhile: None when nothing more comes."""

    request: Request
    reading: asyncio.Future[Reading] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    progress: asyncio.Queue[Progress | None] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.reading.add_done_callback(lambda _: self.progress.put_nowait(None))

    def settle(self, outcome: Done | Refused | Failed) -> None:
        if isinstance(outcome, Failed):
            _log.error("a card could not be read:\n%s", outcome.trace)
            self.fail("These photos could not be read.")
        elif self.reading.done():
            return
        elif isinstance(outcome, Refused):
            self.reading.set_exception(_REFUSALS[outcome.status](outcome.code, outcome.detail))
        else:
            self.reading.set_result(outcome.reading)

    def fail(self, detail: str, retry_after_s: int = 2) -> None:
        if not self.reading.done():
            self.reading.set_exception(Unavailable("reading-failed", detail, retry_after_s))


class _Worker(asyncio.Protocol):
    """One process, as seen from here. `gone` is done as soon as it has closed its end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._received = Frames()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.gone = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(cls, options: Mapping[str, object]) -> Self:
        """A process that is warm; raises OSError where it is not within START_TIMEOUT_S."""
        ours, theirs = socket.socketpair()
        with theirs:
            worker = cls(_spawn(theirs.fileno(), options))
        loop = asyncio.get_running_loop()
        worker._transport, _ = await loop.create_unix_connection(lambda: worker, sock=ours)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await worker._frame()
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    async def ask(self, request: Request, hear: Callable[[Progress], None]) -> Answer:
        """The process's answer, and before it what it tells meanwhile; raises ConnectionError where it dies first."""
        if self._transport is None or self.gone.done():
            raise ConnectionResetError
        self._transport.write(packed(request))
        while isinstance(news := as_news(await self._frame()), Progress):
            hear(news)
        return news

    async def _frame(self) -> bytes:
        body = await self._frames.get()
        if body is None:
            raise ConnectionResetError
        return body

    async def end(self) -> None:
        """Kill the process, whatever it does, and wait until it is no more."""
        self._process.kill()
        if self._transport is not None:
            self._transport.abort()
        await asyncio.to_thread(self._process.wait)

    def data_received(self, data: bytes) -> None:
        for body in self._received.after(data):
            self._frames.put_nowait(body)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set_result(None)
        self._frames.put_nowait(None)


def _spawn(wire: int, options: Mapping[str, object]) -> subprocess.Popen[bytes]:
    """Start a process that inherits nothing of ours but one end of the wire, in a group of its own (no Ctrl-C)."""
    words = {"socket": wire, "parent": os.getpid(), **options}
    # One photo, one core: the pool is what runs in parallel.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1")
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return subprocess.Popen(  # noqa: S603 -- every word of the command is our own
        [sys.executable, "-P", "-m", "aggregator.recognition.worker", *(f"--{k}={v}" for k, v in words.items())],
        env=os.environ | threads | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(wire,),
        process_group=0,
    )
