"""The story of a photo: parts of a form -> reading -> merchants -> draft. Nothing of a photo is kept or logged."""

import asyncio
import base64
import heapq
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any, NamedTuple, Self

import msgspec
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from aggregator.accounts.sessions import Sessions
from aggregator.errors import FieldError, Invalid, Problem, Unauthorized
from aggregator.http import answer
from aggregator.limits import Limiter, network_of
from aggregator.merchants.candidates import Candidate, Verdict, verdict
from aggregator.merchants.routes import country_of
from aggregator.recognition.reading import Line, Reading
from aggregator.recognition.wire import Progress
from aggregator.recognition.workers import Pool
from aggregator.uploads import MAX_HELD_BYTES, Held, photos_of

# Of a face that is a page of rules: a name is among its larger lines, and no name is as long as a sentence.
MOST_LINES = 24
MOST_LETTERS = 70

Match = Callable[[Reading, str | None], Sequence[Candidate]]


class Allowance:
    """How many photos are read for whom: for guests by network, for people who are signed in by account, and more."""

    def __init__(self, guests: Limiter, members: Limiter | None = None, sessions: Sessions | None = None) -> None:
        self._guests = guests
        self._members = members
        self._sessions = sessions

    @classmethod
    def scaled(cls, scale: int, sessions: Sessions) -> Self:
        """A wallet at a sitting, not a pile."""
        guests = Limiter(f"{30 * scale}/minute; {300 * scale}/day")
        return cls(guests, Limiter(f"{120 * scale}/minute; {2_000 * scale}/day"), sessions)

    async def count(self, request: Request) -> None:
        """Count one call; raises TooManyRequests."""
        account = await self._account(request)
        if account and self._members:
            self._members.hit(account)
        else:
            self._guests.hit(network_of(request))

    async def _account(self, request: Request) -> str:
        if self._sessions is None:
            return ""
        try:
            return str((await self._sessions.check(request.state["store"], request)).account_id)
        except Unauthorized:
            return ""


def routes(pool: Pool, allowance: Allowance, match: Match) -> list[BaseRoute]:
    """`POST /api/intake`, open to guests."""
    held = Held(MAX_HELD_BYTES)

    async def intake(request: Request) -> Response:
        await allowance.count(request)
        country = _country(request)
        if NDJSON in request.headers.get("accept", ""):
            return await by_steps(request, pool, held, lambda reading: identified(reading, match, country))
        async with photos_of(request, held) as photos:
            reading = await pool.read(photos)
        return answer(_draft(reading, await identified(reading, match, country)))

    return [Route("/api/intake", intake, methods=["POST"])]


class Identified(NamedTuple):
    """The merchants that a card may be of, what to do with them, and how long it took."""

    merchants: Sequence[Candidate]
    verdict: Verdict
    match_ms: int

    def shown(self) -> dict[str, Any]:
        """Their part of a draft."""
        fields = [
            {"slug": m.slug, "name": m.name, "score": round(m.score, 3), "reasons": m.reasons} for m in self.merchants
        ]
        return {"merchants": fields, "verdict": self.verdict}


async def identified(reading: Reading, match: Match, country: str | None) -> Identified:
    """Whose card it may be."""
    start = time.perf_counter_ns()
    merchants = await asyncio.to_thread(match, structs.replace(reading, lines=_telling(reading.lines)), country)
    return Identified(merchants, verdict(merchants, country), round((time.perf_counter_ns() - start) / 1_000_000))


def _telling(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines that may name a shop, in their order: the largest, each once; the small print only takes time."""
    once = {line.text: line for line in reversed(lines) if len(line.text) <= MOST_LETTERS}
    largest = heapq.nlargest(MOST_LINES, once.values(), key=lambda line: line.height)
    return tuple(line for line in lines if line in largest)


def _draft(reading: Reading, found: Identified) -> dict[str, Any]:
    """The answer: what was read, the merchants it may mean, and what each step took."""
    timings = {"timings_ms": reading.timings_ms | {"match": found.match_ms}}
    sides = {"sides": {"front": reading.front, "back": reading.back}}
    read = {"codes": reading.codes, "number": reading.number}
    return {**read, **found.shown(), "face": _face(reading), **sides, **timings}


# ---------------------------------------------------------------- step by step


NDJSON = "application/x-ndjson"
Identify = Callable[[Reading], Awaitable[Identified]]
# What of a draft is known after a step; other steps have nothing to show.
SHOWN: Mapping[str, Callable[[Reading], dict[str, Any]]] = {
    "barcodes": lambda reading: {"codes": reading.codes},
    "text": lambda reading: {"number": reading.number},
}


class Stepwise(StreamingResponse):
    """Lines of JSON. What `held` holds is let go when they are sent, or nobody listens any more."""

    media_type = NDJSON

    def __init__(self, lines: AsyncIterator[bytes], held: AsyncExitStack) -> None:
        # A proxy that collects an answer before it passes it on would undo the steps.
        super().__init__(lines, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


async def by_steps(request: Request, pool: Pool, held: Held, identify: Identify) -> Response:
    """The draft as a line per finished step; what is refused before the first step is refused with its own status."""
    until_sent = AsyncExitStack()
    try:
        photos = await until_sent.enter_async_context(photos_of(request, held))
        coming = await until_sent.enter_async_context(aclosing(pool.read_by_steps(photos)))
        return Stepwise(_lines(await anext(coming), coming, identify), until_sent)
    except BaseException:
        await until_sent.aclose()
        raise


async def _lines(first: Progress, coming: AsyncIterator[Progress], identify: Identify) -> AsyncIterator[bytes]:
    try:
        yield _line(first.step, SHOWN.get(first.step, _nothing)(first.reading))
        async for progress in coming:
            if progress.step != "done":
                yield _line(progress.step, SHOWN.get(progress.step, _nothing)(progress.reading))
                continue
            found = await identify(progress.reading)
            yield _line("match", found.shown())
            yield _line("done", _draft(progress.reading, found))
    except Problem as problem:
        # The status has been sent: the last line tells what went wrong.
        yield _line("failed", {"problem": problem.body(), "retry_after_s": problem.headers.get("Retry-After")})


def _nothing(reading: Reading) -> dict[str, Any]:
    return {}


def _line(step: str, known: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"step": step, **known}) + b"\n"


def _country(request: Request) -> str | None:
    errors: list[FieldError] = []
    country = country_of(request, errors)
    if errors:
        raise Invalid(errors)
    return country


def _face(reading: Reading) -> dict[str, str] | None:
    if reading.face is None:
        return None
    picture = base64.b64encode(reading.face.picture).decode()
    return {"picture": f"data:image/webp;base64,{picture}", "colour": reading.face.colour}
