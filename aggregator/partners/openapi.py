"""The partner API described as OpenAPI 3.1, made from the endpoints and shapes that calls are checked with."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import UnionType
from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.partners.api import MAX_NAME, ROOT, SCOPES, Endpoint, Parameter
from aggregator.partners.idempotency import KEY_PATTERN
from aggregator.partners.problem_texts import PAGES

VERSION = "1.0.0"
JSON, NDJSON, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"
ABOUT = (
    "Balances and offers of a loyalty programme, live on its holders' cards. A shop is let in by the operator, gets a "
    "token for 15 minutes at `/oauth/token`, puts its programme, and then balances by card number, whether or not "
    "anybody holds the number. Every answer carries `X-Request-Id`; `GET /requests` shows your calls of 7 days."
)
SCOPE_WORDS = {
    "programme": "The programme, its logo and its claim of a directory entry",
    "balances": "Balances of card numbers",
    "links": "Which numbers are connected, codes for the till, and reissues",
    "offers": "Offers and their counts",
    "events": "The feed of events, and webhooks",
    "keys": "Your own keys and secrets",
}
ALWAYS = ("token-needed", "token-wrong", "too-many-requests", "failed", "store-unavailable", "store-full")
WITH_BODY = ("incomplete", "too-slow", "too-large")
OF_WRITES = ("idempotency-key-malformed", "idempotency-key-in-use", "idempotency-key-reused")
# Where one code comes with several statuses, here are those that it has for shops.
STATUSES = {"wrong-code": (403,), "attempt-gone": (409,)}
TRIED_AGAIN = {409, 429, 503}
PATH_WORDS = {
    "number": "The card's number, as the programme's `number.form` reads it.",
    "kid": "The key's id, of your choice.",
}
TEXT = {"type": "string"}
HEADERS: dict[str, Any] = {
    "X-Request-Id": {"description": "Names this call to us and in `GET /requests`.", "schema": TEXT, "required": True},
    "RateLimit-Policy": {"description": "What is allowed.", "schema": TEXT, "required": True},
    "RateLimit": {"description": "What is left of it.", "schema": TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "WWW-Authenticate": {"description": "RFC 6750.", "schema": TEXT},
    "Idempotent-Replayed": {"description": "`true`: this was done before under the key.", "schema": TEXT},
    "Link": {"description": 'The next page, `rel="next"` (RFC 8288).', "schema": TEXT},
}
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A string of your own, quoted or bare, kept for 24 hours: the same call again is done once.",
    "schema": {"type": "string", "pattern": KEY_PATTERN},
}


class OpenApi:
    """The document of one service; `address` is where that is, `events` what webhooks carry by its type."""

    def __init__(self, endpoints: Sequence[Endpoint], events: Mapping[str, Any], address: str) -> None:
        self._endpoints = endpoints
        self._events = events
        self._address = address

    def routes(self) -> list[BaseRoute]:
        """`GET /partner/v1/openapi.json`, for everybody."""
        return [Route(f"{ROOT}/openapi.json", self._sent)]

    async def _sent(self, request: Request) -> Response:
        body, etag = self._written
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=JSON)

    @cached_property
    def _written(self) -> tuple[bytes, str]:
        body = msgspec.json.encode(self.document())
        return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    def document(self) -> dict[str, Any]:
        """The whole description."""
        schemas = _Schemas([*_shapes(self._endpoints), *self._events.values()])
        refusals = _Refusals()
        paths: dict[str, dict[str, Any]] = {}
        for endpoint in self._endpoints:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas, refusals)
        return {
            "openapi": "3.1.0",
            "info": {"title": "Karman for shops", "version": VERSION, "description": ABOUT},
            "servers": [{"url": self._address + ROOT}],
            "externalDocs": {"url": f"{self._address}/problems", "description": "What problems mean"},
            "tags": [{"name": name, "description": SCOPE_WORDS[name]} for name in SCOPES],
            "paths": paths,
            "webhooks": {name: _webhook(name, schemas.of(shape)) for name, shape in self._events.items()},
            "components": self._components(schemas, refusals),
        }

    def _components(self, schemas: "_Schemas", refusals: "_Refusals") -> dict[str, Any]:
        flow = {"tokenUrl": f"{self._address}/oauth/token", "scopes": SCOPE_WORDS}
        return {
            "schemas": dict(sorted(schemas.components.items())) | {"Problem": _PROBLEM},
            "responses": refusals.components,
            "headers": HEADERS,
            "securitySchemes": {"oauth2": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
        }


class _Schemas:
    """The schemas of all shapes, made at once, so that shapes of one name in two modules get different ones."""

    def __init__(self, shapes: Sequence[Any]) -> None:
        parts = [part for shape in shapes for part in _parts(shape)]
        made, components = msgspec.json.schema_components(parts, ref_template="#/components/schemas/{name}")
        self._made = {id(part): _flowing(schema) for part, schema in zip(parts, made, strict=True)}
        self.components: dict[str, Any] = _flowing(components)

    def of(self, shape: Any) -> dict[str, Any]:
        """The schema of one of the shapes."""
        found = [self._made[id(part)] for part in _parts(shape)]
        return found[0] if len(found) == 1 else {"anyOf": found}


class _Refusals:
    """Answers that are problems, each set of codes described once."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, tuple[str, ...]], str] = {}
        self.components: dict[str, Any] = {}

    def of(self, status: int, codes: Sequence[str]) -> dict[str, Any]:
        """A reference to the answer with this status and one of these codes."""
        known = status, tuple(sorted(codes))
        if known not in self._names:
            name = f"Problem{status}-{sum(one == status for one, _ in self._names) + 1}"
            self._names[known], self.components[name] = name, _refusal(*known)
        return {"$ref": f"#/components/responses/{self._names[known]}"}


def _parts(shape: Any) -> tuple[Any, ...]:
    """What is answered may be one of several objects, which msgspec does not read and so does not describe."""
    return get_args(shape) if isinstance(shape, UnionType) else (shape,)


def _shapes(endpoints: Sequence[Endpoint]) -> list[Any]:
    found: list[Any] = []
    for endpoint in endpoints:
        parameters = [parameter.shape for parameter in endpoint.query]
        found += [shape for shape in (endpoint.body, *endpoint.answers.values(), *parameters) if shape is not None]
    return found


def _flowing(schema: Any) -> Any:
    """The same with descriptions in one line, which come as docstrings are written."""
    if isinstance(schema, list):
        return [_flowing(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: " ".join(value.split()) if name == "description" and isinstance(value, str) else _flowing(value)
        for name, value in schema.items()
    }


def _operation(endpoint: Endpoint, schemas: _Schemas, refusals: _Refusals) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "description": endpoint.words,
        "tags": [endpoint.scope] if endpoint.scope else [],
        "security": [{"oauth2": [endpoint.scope] if endpoint.scope else []}],
        "parameters": list(_parameters(endpoint, schemas)),
        "responses": _responses(endpoint, schemas) | _refused(endpoint, refusals),
    }
    if endpoint.body is not None:
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas.of(endpoint.body)}}}
    elif endpoint.media is not None:
        schema: dict[str, Any] = {} if endpoint.media != NDJSON else TEXT
        # A base may be empty.
        is_required = endpoint.media != NDJSON
        made["requestBody"] = {"required": is_required, "content": {endpoint.media: {"schema": schema}}}
    return {name: value for name, value in made.items() if value not in ("", [])}


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"[a-z]+", endpoint.path)
    return endpoint.method.lower() + "".join(word.capitalize() for word in words)


def _parameters(endpoint: Endpoint, schemas: _Schemas) -> Any:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        schema = TEXT | {"minLength": 1, "maxLength": MAX_NAME}
        words = {"description": PATH_WORDS[name]} if name in PATH_WORDS else {}
        yield {"name": name, "in": "path", "required": True, "schema": schema} | words
    yield from (_query(parameter, schemas) for parameter in endpoint.query)
    if endpoint.writes:
        yield KEY_HEADER | ({"required": True} if "idempotency-key-needed" in endpoint.problems else {})


def _query(parameter: Parameter, schemas: _Schemas) -> dict[str, Any]:
    schema = schemas.of(parameter.shape)
    return {"name": parameter.name, "in": "query", "description": parameter.words, "schema": schema}


def _responses(endpoint: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    return {str(status): _answer(endpoint, shape, schemas) for status, shape in endpoint.answers.items()}


def _refused(endpoint: Endpoint, refusals: _Refusals) -> dict[str, Any]:
    codes: dict[int, list[str]] = {}
    for code in problems_of(endpoint):
        for status in STATUSES.get(code, PAGES[code].statuses):
            codes.setdefault(status, []).append(code)
    return {str(status): refusals.of(status, names) for status, names in sorted(codes.items())}


def problems_of(endpoint: Endpoint) -> list[str]:
    """The codes of everything that an endpoint may answer beside what it is asked for."""
    found = [*ALWAYS, *endpoint.problems]
    found += ["scope-missing"] if endpoint.scope else []
    found += ["not-found"] if "{" in endpoint.path else []
    found += ["not-json"] if endpoint.body is not None else []
    found += WITH_BODY if endpoint.body is not None or endpoint.media else []
    found += OF_WRITES if endpoint.writes else []
    # A query that nobody asked for, and a name in the path that is none.
    found += ["invalid"]
    return sorted({*found})


def _answer(endpoint: Endpoint, shape: Any, schemas: _Schemas) -> dict[str, Any]:
    headers = [*("X-Request-Id", "RateLimit-Policy", "RateLimit")]
    headers += ["Idempotent-Replayed"] if endpoint.writes else []
    headers += ["Link"] if any(parameter.name == "after" for parameter in endpoint.query) else []
    words = endpoint.summary if shape is not None else "Done."
    made: dict[str, Any] = {"description": words, "headers": _named(headers)}
    if shape is not None:
        media = NDJSON if endpoint.streams and endpoint.media == NDJSON else JSON
        made["content"] = {media: {"schema": _lines(schemas.of(shape)) if media == NDJSON else schemas.of(shape)}}
    return made


def _lines(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON value a line, which OpenAPI 3.1 has no word for."""
    return {"type": "string", "description": "A JSON value a line.", "contentMediaType": JSON, "contentSchema": schema}


def _named(headers: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _refusal(status: int, codes: Sequence[str]) -> dict[str, Any]:
    headers = ["X-Request-Id", "RateLimit-Policy", "RateLimit"]
    headers += {401: ["WWW-Authenticate"], 403: ["WWW-Authenticate"]}.get(status, [])
    headers += ["Retry-After"] if status in TRIED_AGAIN else []
    named = {"type": "object", "properties": {"code": {"enum": [*codes]}, "status": {"const": status}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, named]}
    words = "; ".join(f"`{code}`: {PAGES[code].en.what}" for code in codes)
    return {"description": words, "headers": _named(headers), "content": {PROBLEM: {"schema": schema}}}


def _webhook(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """As Standard Webhooks 1.0 has it: the id and the time are in headers, and signed with the body."""
    body = {
        "type": "object",
        "properties": {"type": {"const": name}, "timestamp": {"type": "string", "format": "date-time"}, "data": data},
        "required": ["type", "timestamp", "data"],
    }
    headers = [
        {"name": header, "in": "header", "required": True, "schema": TEXT}
        for header in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    post = {
        "operationId": "on" + "".join(word.capitalize() for word in name.split(".")),
        "summary": name,
        "tags": ["events"],
        "parameters": headers,
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": {"2XX": {"description": "Taken. Anything else, and silence, is tried again."}},
    }
    return {"post": post}


_PROBLEM = {
    "title": "Problem",
    "description": "Problem details (RFC 9457). `type` is the address of a page about `code`.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "code": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "request_id": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": TEXT, "detail": TEXT},
                "required": ["pointer", "detail"],
            },
        },
    },
    "required": ["type", "code", "title", "status", "detail", "request_id"],
}
