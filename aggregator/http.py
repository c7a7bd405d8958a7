"""One way to read a request and to answer it: JSON in and out, problem details, request ids and the headers every
answer carries.
"""

import asyncio
import errno
import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg
import msgspec
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator import db
from aggregator.errors import (
    BadRequest,
    FieldError,
    Forbidden,
    Invalid,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)

T = TypeVar("T")

JSON_LIMIT_BYTES = 1_000_000
MAX_NAME = 80
MAX_DETAIL = 200
BODY_TIMEOUT_S = 60
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

_log = logging.getLogger("karman")
_answering: ContextVar[str] = ContextVar("answering", default="-")
_encoder = msgspec.json.Encoder()


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(_encoder.encode(body), status, headers, media_type="application/json")


def problem_answer(problem: Problem, request_id: str, base: str = "") -> Response:
    """A problem details answer (RFC 9457). `base` makes its type an absolute address."""
    body = problem.body() | {"request_id": request_id}
    text = _encoder.encode(body | {"type": f"{base}{body['type']}"})
    return Response(text, problem.status, problem.headers, media_type="application/problem+json")


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; raises TooLarge as soon as it passes the limit, announced or not, and BadRequest when its sender
    stops halfway.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise TooLarge("too-large", f"At most {limit_bytes} bytes are read here.")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _within(request, limit_bytes)
    except TimeoutError:
        raise BadRequest("too-slow", f"The body did not arrive within {BODY_TIMEOUT_S} s.") from None
    except ClientDisconnect:
        raise BadRequest("incomplete", "The body did not arrive in full.") from None


async def _within(request: Request, limit_bytes: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit_bytes:
            raise TooLarge("too-large", f"At most {limit_bytes} bytes are read here.")
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, shape: type[T], limit_bytes: int = JSON_LIMIT_BYTES) -> T:
    """The body as `shape`; raises UnsupportedMedia, TooLarge, BadRequest (no JSON) or Invalid (which names the
    field).
    """
    require_json(request)
    return decode_json(await read_body(request, limit_bytes), shape)


def require_json(request: Request) -> None:
    """Raises UnsupportedMedia for a body that does not come as JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("not-json", "Send JSON with Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("not-json", "Send the JSON uncompressed.")


def decode_json(body: bytes, shape: type[T]) -> T:
    """A body as `shape`; raises BadRequest or Invalid."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Invalid([field_error(error)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("not-json", "The body is not JSON.") from error


def field_error(error: msgspec.ValidationError, root: str = "") -> FieldError:
    """The refused field of a msgspec error, its path turned into a JSON pointer below `root`.

    A member of an object of any members has no name in the error, so the object is named; a member nobody asked for is
    cut short, since its sender chose its length.
    """
    detail, _, path = str(error).partition(" - at `")
    parts = [name or index for name, index in re.findall(r"\.([^.\[\]`]+)|\[(\d+|\.\.\.)\]", path)]
    parts = parts[: parts.index("...")] if "..." in parts else parts
    if named := re.search(r"field `([^`]+)", detail):
        parts.append(named[1][:MAX_NAME].replace("~", "~0").replace("/", "~1"))
    return FieldError(root + "".join(f"/{part}" for part in parts), detail[:MAX_DETAIL])


def query_uuid(request: Request, name: str) -> uuid.UUID:
    """A UUID from the query; raises Invalid."""
    try:
        return uuid.UUID(request.query_params.get(name, ""))
    except ValueError:
        raise Invalid([FieldError(f"/{name}", "A UUID is needed in the query.")]) from None


def path_uuid(request: Request, name: str) -> uuid.UUID | None:
    """A UUID from the path, or None when it is not one: an address nobody can have."""
    try:
        return uuid.UUID(request.path_params[name])
    except ValueError:
        return None


def request_id(scope: Scope) -> str:
    """The id that the answer and the log share."""
    return str(scope.get("state", {}).get("request_id", ""))


class Frame:
    """What surrounds every call: a request id, the headers of every answer, and no writes from other origins.

    Plain ASGI, so that a live stream passes through untouched.
    """

    def __init__(self, app: ASGIApp, fixed_origin: str, secure: bool, content_policy: str) -> None:
        """`fixed_origin` is the public address; empty means whatever host the page was asked from."""
        self.app = app
        self.origin = fixed_origin
        headers = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(self), screen-wake-lock=(self), geolocation=(self), microphone=()",
            "content-security-policy": content_policy,
        }
        if secure:
            headers["strict-transport-security"] = "max-age=31536000"
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = name
        _answering.set(name)
        if self._is_foreign(scope):
            refusal = problem_answer(
                Forbidden("cross-origin", "Writes are taken from this site's own pages only."), name
            )
            await refusal(scope, receive, self._framed(send, name))
            return
        try:
            await self.app(scope, receive, self._framed(send, name))
        except Exception as error:
            # What has been answered and logged already must not cost the connection and a second trace.
            if not scope["state"].get("noted"):
                _log.error("request %s broke off: %s", name, scope["path"], exc_info=error)
                raise

    def _framed(self, send: Send, name: str) -> Send:
        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *self.headers, (b"x-request-id", name.encode())]
                if all(header != b"cache-control" for header, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        return framed

    def _is_foreign(self, scope: Scope) -> bool:
        """Browsers name the origin of every write; programs that are no browser send none and hold no cookies by
        accident.
        """
        if scope["method"] in SAFE_METHODS:
            return False
        headers = Headers(scope=scope)
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return True
        origin = headers.get("origin")
        if origin is None:
            return False
        theirs = _origin(origin)
        return theirs is None or theirs != _origin(self.origin or f"{scope['scheme']}://{headers.get('host', '')}")


def _origin(address: str) -> str | None:
    """Scheme, host and port, spelled one way; None for what cannot be read."""
    try:
        parts = urlsplit(address)
        default = {"http": 80, "https": 443}.get(parts.scheme)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or default}"
    except ValueError:
        return None


def note_mistake(what: str, error: Exception) -> None:
    """Log an error of our own with its trace, under the id of the request that is being answered."""
    _log.error("request %s failed: %s", _answering.get(), what, exc_info=error)


def surprise(request: Request, error: Exception) -> Response:
    """The answer to an error nobody foresaw: the trace goes to the log under the request id, never to the client."""
    request.scope["state"]["noted"] = True
    note_mistake(f"{request.method} {request.url.path}", error)
    return _problem(request, Problem("failed", "This was our mistake and has been noted."))


def refusal(request: Request, error: Exception) -> Response:
    """The answer to a Problem."""
    return _problem(request, cast(Problem, error))


# A connection that breaks during a commit does not tell whether it happened; sending the same again is harmless.
STORE_DOWN = ("store-unavailable", "The store does not answer just now; send the same again.")


def store_error(request: Request, error: Exception) -> Response:
    """A store that cannot answer, or has no room, is not the caller's fault and not the end."""
    surprise(request, error)
    full = "disk is full" in str(error) or isinstance(error, asyncpg.DiskFullError)
    full = full or getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    code, detail = ("store-full", "There is no room left; nothing was kept.") if full else STORE_DOWN
    return refusal(request, Unavailable(code, detail, 10))


def failure(request: Request, error: Exception) -> Response:
    """The answer to whatever went wrong."""
    if isinstance(error, Problem):
        return refusal(request, error)
    return store_error(request, error) if isinstance(error, db.STORE_ERRORS) else surprise(request, error)


def _problem(request: Request, problem: Problem) -> Response:
    state = request.scope.get("state", {})
    return problem_answer(problem, request_id(request.scope), state.get("problems_at", ""))


Handler = Callable[[Request, Exception], Response]
