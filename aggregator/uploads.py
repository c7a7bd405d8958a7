"""Photos that arrive in a form: parts named `photo`, in memory and never on disk, within bounds for everybody."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from aggregator.errors import BadRequest, FieldError, Invalid, TooLarge, Unavailable
from aggregator.images import MAX_BYTES
from aggregator.limits import network_of

MAX_PHOTOS = 4
MAX_TOTAL_BYTES = 30 * 1024 * 1024
# All uploads together, read and waiting; more is answered `busy`.
MAX_HELD_BYTES = 256 * 1024 * 1024
# Of one network: three cards of photos at the limit.
MAX_CALLER_BYTES = 96 * 1024 * 1024
UPLOAD_TIMEOUT_S = 120


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
    taken, caller = 0, network_of(request)

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


def _invalid(field: str, detail: str) -> Invalid:
    """The refusal of one part of the form, by its JSON pointer."""
    return Invalid([FieldError("/" + field.replace("~", "~0").replace("/", "~1"), detail)])


def _too_large() -> TooLarge:
    return TooLarge("too-large", f"The photos together may have at most {MAX_TOTAL_BYTES} bytes.")
