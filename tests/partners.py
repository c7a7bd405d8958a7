"""Shops in tests: let in as an operator does it, or straight into the store of a service in this process, and calling
the partner API over HTTP.
"""

import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from aggregator import db
from aggregator.app import Service
from aggregator.jobs import now_ms
from aggregator.partners import credentials
from aggregator.partners.api import ROOT, SCOPES
from tests import inside, launcher
from tests.service import Running, ServiceOptions, client

ALL = " ".join(SCOPES)


@dataclass
class Shop:
    """A shop's program: `http` carries a token that allows everything."""

    http: httpx.Client
    id: str
    secret: str
    name: str

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", **options: Any) -> httpx.Response:
        """Call the API at a path below its root, with JSON where there is a body and an Idempotency-Key where one is
        given.
        """
        return self.http.request(method, ROOT + path, **_options(body, key, options))

    def token(self, scope: str = ALL) -> str:
        """A fresh token."""
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = self.http.post("/oauth/token", data=form, auth=(self.id, self.secret))
        answer.raise_for_status()
        return str(answer.json()["access_token"])


def _options(body: Any, key: str, options: dict[str, Any]) -> dict[str, Any]:
    headers = dict(options.pop("headers", {})) | ({"Idempotency-Key": f'"{key}"'} if key else {})
    return options | {"headers": headers} | ({} if body is None else {"json": body})


def command(options: ServiceOptions, *words: str) -> str:
    """What a `partner` command prints."""
    ended = launcher.ended([*options.words("partner"), *words], options.env())
    assert ended.status == 0, ended.errors
    return ended.said


def introduced(options: ServiceOptions, name: str, *words: str) -> tuple[str, str]:
    """Client id and secret of a shop that the operator lets in. `words` are more of the command, e.g. `--sandbox`."""
    said = command(options, "add", name, *words)
    found = re.search(r"^client id +(\S+)$\n^client secret +(\S+)$", said, re.MULTILINE)
    assert found is not None, said
    return found[1], found[2]


@contextmanager
def shop(service: Running, *words: str, name: str = "") -> Iterator[Shop]:
    """A shop that the operator lets in at a running service, and its program with a token. `words` are more of the
    command, e.g. `--sandbox`.
    """
    name = name or f"Shop {uuid.uuid4().hex[:8]}"
    shop_id, secret = introduced(service.options, name, *words)
    with client(service.url) as http:
        made = Shop(http, shop_id, secret, name)
        http.headers["Authorization"] = f"Bearer {made.token()}"
        yield made


@dataclass
class InsideShop:
    """A shop at a service in this process, with a token that allows everything."""

    http: httpx.AsyncClient
    id: uuid.UUID
    secret: str
    token: str

    async def call(self, method: str, path: str, body: Any = None, *, key: str = "", **options: Any) -> httpx.Response:
        """As `Shop.call`."""
        asked = _options(body, key, options)
        asked["headers"] = {"Authorization": f"Bearer {self.token}"} | asked["headers"]
        return await self.http.request(method, ROOT + path, **asked)


async def inside_shop(http: httpx.AsyncClient, scopes: str = ALL, *, is_sandbox: bool = False) -> InsideShop:
    """A shop that is put straight into the open store; `http` calls a service in this process without cookies."""
    partner_id, secret = await credentials.add_partner(f"Shop {uuid.uuid4().hex[:8]}", is_sandbox)
    token = credentials.new_token()
    await credentials.keep_token(token, partner_id, scopes, now_ms())
    return InsideShop(http, partner_id, secret, token)


@dataclass
class Open:
    """A service that is open in this process, and nobody in it."""

    http: httpx.AsyncClient
    service: Service
    store: db.Store


@asynccontextmanager
async def opened(options: ServiceOptions) -> AsyncIterator[Open]:
    """A service that is open inside the block; `inside.opened` has somebody signed in, too."""
    made = inside.service(options)
    app = made.app()
    async with made.lifespan(Starlette()) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = dict(state)
            await app(scope, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(with_state), base_url="http://karman") as http:
            yield Open(http, made, state["store"])
