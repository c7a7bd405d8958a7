"""A whole base of balances as NDJSON: read, kept and told of chunk by chunk, however long it is.

bytes ──▶ lines ──▶ chunks ──▶ one transaction each ──▶ how far it is; nothing is told as read that is not kept
                       └── waits while cards have not been told of what came before
"""

import asyncio
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from starlette.requests import ClientDisconnect

from aggregator import db
from aggregator.errors import BadRequest, Problem, TooManyRequests, Unavailable
from aggregator.http import BODY_TIMEOUT_S, STORE_DOWN
from aggregator.jobs import now_ms as clock_ms
from aggregator.partners.balances import Balances, Result, RowProblem
from aggregator.partners.carrier import ON_THEIR_WAY, Carrier

MAX_LINE_BYTES = 4_096
CHUNK_ROWS = 250
TELL_EVERY = 1_000
MAX_TOLD = 100
# So many rows wait for cards at most. Reading and carrying then take turns, which leaves a core to whoever waits for an
# answer, and what others put meanwhile waits behind little.
MAX_WAITING = CHUNK_ROWS
LOOK_AGAIN_S = 0.01
PATIENCE_S = 5
WAITING = f"SELECT count(*) FROM (SELECT 1 FROM {ON_THEIR_WAY} LIMIT $1) AS waiting"  # noqa: S608 - constants

TOO_LONG = RowProblem("too-large", f"A line has at most {MAX_LINE_BYTES} bytes.", "")


class Progress(Struct, frozen=True, kw_only=True):
    """How many lines have been read, and what came of them: all of it is kept."""

    read: int
    stored: int
    older: int
    invalid: int


class Trouble(Struct, frozen=True, kw_only=True):
    """A line that was not kept, counted from 1."""

    line: int
    problem: RowProblem


class Done(Progress, frozen=True, kw_only=True):
    """The last line; where `done` is false the rest was not read, and `problem` says why. Send all of it again then."""

    done: bool
    problem: dict[str, Any] | UnsetType = UNSET


@dataclass(slots=True)
class _Count:
    read: int = 0
    stored: int = 0
    older: int = 0
    invalid: int = 0

    def progress(self) -> Progress:
        return Progress(read=self.read, stored=self.stored, older=self.older, invalid=self.invalid)

    def done(self, problem: Problem | None = None) -> Done:
        said = problem.body() if problem else UNSET
        counts = msgspec.structs.asdict(self.progress())
        return Done(**counts, done=problem is None, problem=said)


class Import:
    """One import of one shop. `charge` counts balances against what it may send, and raises TooManyRequests."""

    def __init__(
        self,
        balances: Balances,
        carrier: Carrier,
        partner_id: uuid.UUID,
        store: db.Store,
        charge: Callable[[int], None],
    ) -> None:
        self._balances = balances
        self._carrier = carrier
        self._partner_id = partner_id
        self._store = store
        self._charge = charge
        self._count = _Count()

    async def run(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Keep what comes, and tell of it in lines of JSON. Where the sender breaks off, it ends."""
        problem: Problem | None = None
        try:
            async for lines in chunks(patient(body)):
                told = self._count.read // TELL_EVERY
                for trouble in await self._keep(lines):
                    yield _line(trouble)
                if self._count.read // TELL_EVERY > told:
                    yield _line(self._count.progress())
        except ClientDisconnect:
            return
        except Problem as found:
            problem = found
        except db.STORE_ERRORS:
            problem = Unavailable(*STORE_DOWN, 10)
        yield _line(self._count.done(problem))

    async def _keep(self, lines: Sequence[bytes | None]) -> list[Trouble]:
        """Keep a chunk; None is a line that was too long. Gives which of its lines are told as bad."""
        await self._wait(len(lines))
        rows = [Raw(line) for line in lines if line is not None]
        async with db.transaction():
            found = iter(await self._balances.put(self._partner_id, rows, clock_ms()))
        self._carrier.wake()
        results = [Result("invalid", TOO_LONG) if line is None else next(found) for line in lines]
        return list(self._counted(results))

    def _counted(self, results: Sequence[Result]) -> Iterator[Trouble]:
        for result in results:
            self._count.read += 1
            self._count.stored += result.status == "stored"
            self._count.older += result.status == "older"
            if result.problem is not UNSET:
                self._count.invalid += 1
                if self._count.invalid <= MAX_TOLD:
                    yield Trouble(line=self._count.read, problem=result.problem)

    async def _wait(self, amount: int) -> None:
        """Wait until so many more may come."""
        while True:
            try:
                self._charge(amount)
                break
            except TooManyRequests as error:
                await asyncio.sleep(min(PATIENCE_S, int(error.headers["Retry-After"])))
        # Other processes carry, too, and cannot wake this one.
        while (await self._store.read(WAITING, MAX_WAITING))[0][0] >= MAX_WAITING:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AGAIN_S)


async def patient(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The parts of a body; raises BadRequest when nothing comes for too long."""
    parts = aiter(body)
    while True:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                part = await anext(parts)
        except TimeoutError:
            raise BadRequest("too-slow", f"Nothing came for {BODY_TIMEOUT_S} s.") from None
        except StopAsyncIteration:
            return
        yield part


async def chunks(parts: AsyncIterable[bytes]) -> AsyncIterator[list[bytes | None]]:
    """The lines of a text, some at a time; None for one that is too long. Empty ones at the end of it are none."""
    lines: list[bytes | None] = []
    async for line in split(parts):
        lines.append(line)
        if len(lines) == CHUNK_ROWS:
            yield lines
            lines = []
    if lines:
        yield lines


async def split(parts: AsyncIterable[bytes]) -> AsyncIterator[bytes | None]:
    """The lines of a text, of which no more than one part and one line are held at a time."""
    begun, is_long = b"", False
    async for part in parts:
        *whole, rest = (begun + part).split(b"\n")
        for line in whole:
            yield None if is_long or len(line) > MAX_LINE_BYTES else line
            is_long = False
        is_long = is_long or len(rest) > MAX_LINE_BYTES
        begun = b"" if is_long else rest
    if is_long or begun:
        yield None if is_long else begun


async def at_the_end(told: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same at once, when there is no more. Most reverse proxies pass no more of a body on once it is answered."""
    yield b"".join([line async for line in told])


def _line(said: Struct) -> bytes:
    return msgspec.json.encode(said) + b"\n"
