"""What a call of the partner API is: endpoints declared as values, from which routes and OpenAPI are made alike."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request

from aggregator import db

ROOT = "/partner/v1"
# Characters of a number or an id in a path.
MAX_NAME = 200

Scope = Literal["programme", "balances", "links", "offers", "events", "keys"]
SCOPES: tuple[Scope, ...] = ("programme", "balances", "links", "offers", "events", "keys")


@dataclass(frozen=True, slots=True)
class Caller:
    """The shop that calls: whose token it was, and what the token allows."""

    partner_id: uuid.UUID
    name: str
    sandbox: bool
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call:
    """One call, checked: `path` and `query` as strings, `body` as the endpoint's shape. A write runs inside the
    transaction that keeps its answer under the Idempotency-Key; `after` is done once that has committed. `charge`
    counts so many balances against the shop's allowance and raises TooManyRequests.
    """

    caller: Caller
    request: Request
    store: db.Store
    now_ms: int
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    after: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    charge: Callable[[int], None] = lambda balances: None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a value that msgspec writes as JSON, None for no body, or parts of NDJSON as they come."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query; `shape` is a type with msgspec's constraints."""

    name: str
    shape: Any
    words: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing a shop can do.

    path       below `ROOT`, with names in braces
    scope      what a token must allow; None where any token will do
    body       the shape of the JSON body, None where there is none. `media` is another type of body (an image, NDJSON),
               which the handler reads itself with `http.read_body(call.request, …)`; of a write it is there already
    max_bytes  how long a body may be
    answers    status -> the shape of its JSON body, None for an empty one
    problems   the codes of the problems that this endpoint may answer beside those of every endpoint; with
               `idempotency-key-needed` the gate asks for a key, since the same again would make another
    writes     whether it changes something: it takes Idempotency-Key, and the handler runs in a transaction
    streams    as `writes`, but the handler makes its own transactions, and a repeat is harmless by itself. Its reply's
               body may be an asynchronous iterator of NDJSON (bytes), which is sent while the call's body is read
    """

    method: str
    path: str
    summary: str
    handler: Handler
    scope: Scope | None
    body: Any = None
    media: str | None = None
    query: Sequence[Parameter] = ()
    answers: Mapping[int, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()
    writes: bool = False
    streams: bool = False
    words: str = ""
    max_bytes: int = 1_000_000
