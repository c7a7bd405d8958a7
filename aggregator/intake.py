"""The story of a photo: parts of a form -> reading -> merchants -> draft. Nothing of a photo is kept or logged."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.accounts.sessions import Sessions
from aggregator.errors import BadRequest, FieldError, Invalid, TooLarge, Unauthorized, Unavailable
from aggregator.http import answer
from aggregator.images import MAX_BYTES
from aggregator.limits import Limiter, address_key
from aggregator.merchants.candidates import Candidate, verdict
from aggregator.merchants.routes import country_of
from aggregator.recognition.reading import Face, Reading
from aggregator.recognition.workers import Pool

MAX_PHOTOS = 4
MAX_TOTAL_BYTES = 30 * 1024 * 1024
# All uploads together, read and waiting; more is answered `busy`.
MAX_HELD_BYTES = 256 * 1024 * 1024
# Of one network: three cards of photos at the limit.
MAX_CALLER_BYTES = 96 * 1024 * 1024
UPLOAD_TIMEOUT_S = 120

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
            self._guests.hit(_network(request))

    async def _account(self, request: Request) -> str:
        if self._sessions is None:
            return ""
        try:
            return str((await self._sessions.check(request.state["store"], request)).account_id)
        except Unauthorized:
            return ""


def _network(request: Request) -> str:
    return address_key(request.client.host if request.client else "")


def routes(pool: Pool, allowance: Allowance, match: Match) -> list[BaseRoute]:
    """`POST /api/intake`, open to guests."""
    held = Held(MAX_HELD_BYTES)

    async def intake(request: Request) -> Response:
        await allowance.count(request)
        country = _country(request)
        async with photos_of(request, held) as photos:
            reading = await pool.read(photos)
        return answer(await draft(reading, match, country))

    return [Route("/api/intake", intake, methods=["POST"])]


async def draft(reading: Reading, match: Match, country: str | None) -> dict[str, Any]:
    """The answer: what was read, the merchants it may mean, and what each step took."""
    start = time.perf_counter_ns()
    merchants = await asyncio.to_thread(match, reading, country)
    match_ms = round((time.perf_counter_ns() - start) / 1_000_000)
    return {
        "codes": reading.codes,
        "number": reading.number,
        "merchants": [
            {"slug": m.slug, "name": m.name, "score": round(m.score, 3), "reasons": m.reasons} for m in merchants
        ],
        "verdict": verdict(merchants, country),
        "face": _shown(reading.face) if reading.face else None,
        "timings_ms": reading.timings_ms | {"match": match_ms},
    }


class Held:
    """How many bytes of photos are in memory at once, in all and of one caller, so that nobody takes all the room."""

    def __init__(self, limit_bytes: int, caller_bytes: int = MAX_CALLER_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._caller_bytes = caller_bytes
        self._bytes = 0
        self._by_caller: Counter[str] = Counter()

    def take(self, caller: str, count: int) -> None:
        """Count bytes in; raises Unavailable `busy` past a limit."""
        if self._bytes + count > self._limit_bytes or self._by_caller[caller] + count > self._caller_bytes:
            raise Unavailable("busy", "Too many photos are being sent just now.", 5)
        self._bytes += count
        self._by_caller[caller] += count

    def give(self, caller: str, count: int) -> None:
        """Count them out."""
        self._bytes -= count
        self._by_caller[caller] -= count
        if not self._by_caller[caller]:
            del self._by_caller[caller]


@asynccontextmanager
async def photos_of(request: Request, held: Held) -> AsyncIterator[list[bytes]]:
    """The bytes of the parts named `photo`, counted in `held` until the block ends.

    Raises Invalid (names the field), TooLarge, Unavailable `busy`, and BadRequest where the sender stops halfway.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise _invalid("photo", "Send multipart/form-data with one to four parts named photo.")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_TOTAL_BYTES:
        raise _too_large()
    taken, caller = 0, _network(request)

    async def body() -> AsyncGenerator[bytes, None]:
        nonlocal taken
        async for chunk in request.stream():
            held.take(caller, len(chunk))
            taken += len(chunk)
            if taken > MAX_TOTAL_BYTES:
                raise _too_large()
            yield chunk

    try:
        yield await _parsed(PhotoParser(request.headers, body()))
    finally:
        held.give(caller, taken)


async def _parsed(parser: "PhotoParser") -> list[bytes]:
    try:
        async with asyncio.timeout(UPLOAD_TIMEOUT_S):
            form = await parser.parse()
    except MultiPartException as error:
        raise _invalid("photo", error.message) from error
    except TimeoutError:
        raise BadRequest("too-slow", f"The photos did not arrive within {UPLOAD_TIMEOUT_S} s.") from None
    except ClientDisconnect:
        raise BadRequest("incomplete", "The photos did not arrive in full.") from None
    photos = [await part.read() for part in form.getlist("photo") if isinstance(part, UploadFile)]
    await form.close()
    if not photos:
        raise _invalid("photo", "At least one photo is needed.")
    return photos


class PhotoParser(MultiPartParser):
    """Starlette's parser for parts named `photo`: in memory, never on disk, and refused while they still arrive."""

    spool_max_size = MAX_TOTAL_BYTES + 1

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self._part_bytes = 0

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_part.field_name != "photo":
            raise _invalid(self._current_part.field_name, "There is no such field; photos come in parts named photo.")
        if self._current_part.file is None:
            raise _invalid("photo", "A photo is sent as a file, with a filename.")
        if self._current_files > MAX_PHOTOS:
            raise _invalid("photo", f"At most {MAX_PHOTOS} photos are read at once.")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._part_bytes += end - start
        if self._part_bytes > MAX_BYTES:
            raise TooLarge("too-large", f"A photo may have at most {MAX_BYTES} bytes.")
        super().on_part_data(data, start, end)


def _country(request: Request) -> str | None:
    errors: list[FieldError] = []
    country = country_of(request, errors)
    if errors:
        raise Invalid(errors)
    return country


def _shown(face: Face) -> dict[str, str]:
    picture = base64.b64encode(face.picture).decode()
    return {"picture": f"data:image/webp;base64,{picture}", "colour": face.colour}


def _invalid(field: str, detail: str) -> Invalid:
    """The refusal of one part of the form, by its JSON pointer."""
    return Invalid([FieldError("/" + field.replace("~", "~0").replace("/", "~1"), detail)])


def _too_large() -> TooLarge:
    return TooLarge("too-large", f"The photos together may have at most {MAX_TOTAL_BYTES} bytes.")
