"""The way in for shops: endpoints become routes, and every call passes the same checks in the same order.

token ──▶ rate ──▶ scope ──▶ query ──▶ body ─┬─ reads:   handler
                                             ├─ writes:  key ──▶ BEGIN, handler, COMMIT ──▶ what is to be done after
                                             └─ streams: handler, which commits by itself
   └── refused: a problem; whatever comes of it, headers tell what is left, and the call is noted for the shop's log
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from aggregator import db
from aggregator.accounts.sessions import now_ms
from aggregator.errors import FieldError, Forbidden, Invalid, NotFound, Problem, Unauthorized
from aggregator.http import decode_json, failure, note_mistake, read_body, require_json
from aggregator.limits import network_of
from aggregator.partners import idempotency
from aggregator.partners.allowance import Allowance
from aggregator.partners.api import MAX_NAME, ROOT, Call, Caller, Endpoint, Parameter, Reply
from aggregator.partners.credentials import Tokens
from aggregator.partners.idempotency import Memory, Once
from aggregator.partners.request_log import Note, RequestLog, shown_path

REALM = 'Bearer realm="karman"'
NDJSON = "application/x-ndjson"


class NotThisWay(Problem):
    """The address is right and the method is not."""

    status = 405
    title = "This is not how it is done"


@dataclass(slots=True)
class _Visit:
    """A call on its way through: who calls, once that is known, and what was refused."""

    request: Request
    endpoint: Endpoint
    at_ms: int = field(default_factory=now_ms)
    started: float = field(default_factory=time.perf_counter)
    caller: Caller | None = None
    code: str | None = None


class Gate:
    """Lets calls in. `address` is where this service is, for the types of problems."""

    def __init__(self, tokens: Tokens, allowance: Allowance, memory: Memory, log: RequestLog, address: str) -> None:
        self._tokens = tokens
        self._allowance = allowance
        self._memory = memory
        self._log = log
        self._address = address

    def routes(self, endpoints: Sequence[Endpoint]) -> list[BaseRoute]:
        """A route for each path, and one for every address below `ROOT` that is none."""
        paths: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        # What is spelled out comes before what any name fits.
        found = sorted(paths.items(), key=lambda item: item[0].count("{"))
        return [
            *(Route(ROOT + path, _Door(self._answering(methods))) for path, methods in found),
            Route(ROOT + "/{rest:path}", _Door(self._nothing)),
        ]

    def _answering(self, methods: dict[str, Endpoint]) -> Any:
        allowed = ", ".join(sorted({*methods} | ({"HEAD"} if "GET" in methods else set())))

        async def answering(request: Request) -> Response:
            endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
            if endpoint is None:
                problem = NotThisWay("method-not-allowed", f"Here is {allowed}.", headers={"Allow": allowed})
                return self._refused(request, problem)
            return await self._visited(_Visit(request, endpoint))

        return answering

    async def _nothing(self, request: Request) -> Response:
        return self._refused(request, NotFound("not-found", "There is nothing at this address."))

    def _refused(self, request: Request, error: Exception) -> Response:
        request.scope["state"]["problems_at"] = self._address
        answer = failure(request, error)
        answer.headers.update(self._allowance.headers(None))
        return answer

    async def _visited(self, visit: _Visit) -> Response:
        """The answer to a call, whatever comes of it."""
        visit.request.scope["state"]["problems_at"] = self._address
        try:
            answer = response(await self._handled(visit))
        except Exception as error:
            visit.code = error.code if isinstance(error, Problem) else "failed"
            answer = failure(visit.request, error)
        answer.headers.update(self._allowance.headers(visit.caller.partner_id if visit.caller else None))
        if visit.caller is not None:
            self._log.add(_note(visit, visit.caller, answer.status_code))
        return answer

    async def _handled(self, visit: _Visit) -> Reply:
        request, endpoint = visit.request, visit.endpoint
        visit.caller = caller = await self._caller(request)
        self._allowance.call(caller.partner_id)
        if endpoint.scope is not None and endpoint.scope not in caller.scopes:
            raise _out_of_scope(endpoint.scope)
        query = asked_query(request, endpoint.query)
        raw = b"" if endpoint.streams and endpoint.body is None else await _raw_body(request, endpoint)
        call = Call(
            caller=caller,
            request=request,
            store=request.state.store,
            now_ms=visit.at_ms,
            path=named(request.path_params),
            query=query,
            body=None if endpoint.body is None else decode_json(raw, endpoint.body),
            charge=lambda amount: self._allowance.balances(caller.partner_id, amount),
        )
        return await self._written(call, endpoint, raw) if endpoint.writes else await endpoint.handler(call)

    async def _written(self, call: Call, endpoint: Endpoint, raw: bytes) -> Reply:
        once = _once(call, endpoint, raw)
        async with self._memory.alone(once):
            async with db.transaction():
                reply = await self._memory.run(once, call.now_ms, lambda: endpoint.handler(call))
            for more in call.after:
                await _attempt(more)
        return reply

    async def _caller(self, request: Request) -> Caller:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthorized("token-needed", "Send Authorization: Bearer …", headers={"WWW-Authenticate": REALM})
        try:
            return await self._tokens.caller(request.state.store, token.strip())
        except Unauthorized as error:
            self._allowance.wrong_token(network_of(request))
            error.headers["WWW-Authenticate"] = f'{REALM}, error="invalid_token"'
            raise


@dataclass(frozen=True, slots=True)
class _Door:
    """An address as Starlette sees it: with a function it would answer by itself to methods that it was not given."""

    handler: Callable[[Request], Awaitable[Response]]

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        answer = await self.handler(Request(scope, receive, send))
        await answer(scope, receive, send)


def _out_of_scope(scope: str) -> Problem:
    headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}
    return Forbidden("scope-missing", f"This token does not allow {scope}.", headers=headers)


def asked_query(request: Request, parameters: Iterable[Parameter]) -> dict[str, str]:
    """The query, checked; raises Invalid for what nobody asked for, what is said twice, and what is no such value."""
    shapes = {parameter.name: parameter.shape for parameter in parameters}
    found: dict[str, str] = {}
    errors: list[FieldError] = []
    for name, text in request.query_params.multi_items():
        detail = "It is said twice." if name in found else _wrong(text, shapes[name]) if name in shapes else UNKNOWN
        found[name] = text
        errors += [FieldError(f"/{name[:80]}", detail)] if detail else []
    if errors:
        raise Invalid(errors)
    return found


UNKNOWN = "There is no such parameter."


def named(path: dict[str, str]) -> dict[str, str]:
    """The names in a path; raises Invalid for those that are longer than any."""
    detail = f"It has more than {MAX_NAME} characters."
    if errors := [FieldError(f"/{name}", detail) for name, text in path.items() if len(text) > MAX_NAME]:
        raise Invalid(errors)
    return path


def _wrong(text: str, shape: Any) -> str:
    try:
        msgspec.convert(text, shape, strict=False)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


async def _raw_body(request: Request, endpoint: Endpoint) -> bytes:
    """What was sent, read before any transaction begins; a handler that reads it again gets the same."""
    if endpoint.body is None and endpoint.media is None:
        return b""
    if endpoint.body is not None:
        require_json(request)
    raw = await read_body(request, endpoint.max_bytes)
    request._body = raw
    return raw


def _once(call: Call, endpoint: Endpoint, raw: bytes) -> Once | None:
    key = idempotency.asked_key(call.request, endpoint)
    if key is None:
        return None
    is_json = endpoint.body is not None
    return idempotency.once(call.caller.partner_id, key, idempotency.fingerprint(call.request, raw, is_json))


async def _attempt(more: Any) -> None:
    try:
        await more()
    except Exception as error:
        # It is committed: what is left to do is made up for by background work.
        note_mistake("after a shop's call", error)


def _note(visit: _Visit, caller: Caller, status: int) -> Note:
    path = shown_path(visit.endpoint.path, visit.request.path_params)
    took_ms = round((time.perf_counter() - visit.started) * 1000)
    return Note(caller.partner_id, visit.at_ms, visit.endpoint.method, path, status, visit.code, took_ms)


def response(reply: Reply) -> Response:
    """A reply as it is sent."""
    headers = dict(reply.headers)
    if isinstance(reply.body, AsyncIterator):
        return _Stream(reply.body, reply.status, headers)
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    return Response(msgspec.json.encode(reply.body), reply.status, headers, media_type="application/json")


class _Stream(Response):
    """NDJSON that is begun with its first part, while the call's body may still be read. Starlette's own would look out
    for the end of the connection, and eat the body that way.
    """

    media_type = NDJSON

    def __init__(self, parts: AsyncIterator[bytes], status: int, headers: dict[str, str]) -> None:
        super().__init__(b"", status, headers)
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        first = await anext(self._parts, b"")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
