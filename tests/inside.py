"""The service inside the test's own process, for what cannot be reached from without."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from aggregator import db
from aggregator.accounts import passwords
from aggregator.app import Service
from aggregator.settings import read
from tests.service import PASSWORD, ServiceOptions, uuid7


def service(options: ServiceOptions) -> Service:
    """The service that the options describe, not yet open."""
    names = {"data": str(options.data), "limit_scale": "100000", "workers": "0"}
    return Service(read(names, options.environment))


@dataclass
class Guest:
    """Somebody who has just signed up at a service in this process."""

    http: httpx.AsyncClient
    account: str
    space: str
    client: str
    service: Service
    store: db.Store
    next_id: int = 1

    async def work(self, name: str, now_ms: int) -> None:
        """Do a background job of the service as if it were that time (ms since 1970, UTC)."""
        [job] = [job for job in self.service.jobs() if job.name == name]
        await job.run(self.store, now_ms)

    async def upload(self, picture: bytes) -> str:
        """A picture in the own space."""
        name = uuid7()
        path = f"/api/pictures/{self.space}/{name}"
        answer = await self.http.put(path, params={"account": self.account}, content=picture)
        assert answer.is_success, answer.text
        return name

    async def push(self, name: str, **args: Any) -> httpx.Response:
        """Push one mutation; its number is used up by an outcome only."""
        mutation = {"id": self.next_id, "name": name, "args": {"space": self.space, **args}}
        body = {"client": self.client, "mutations": [mutation]}
        answer = await self.http.post("/api/sync/push", params={"account": self.account}, json=body)
        self.next_id += answer.status_code == httpx.codes.OK
        return answer

    async def keep(self, **fields: Any) -> httpx.Response:
        """Push a new card."""
        return await self.push("card.keep", id=uuid7(), card={"name": "Магнит", **fields})

    async def names(self) -> list[str]:
        """The names of all cards, as a fresh device gets them."""
        answer = await self.http.get("/api/sync/pull", params={"account": self.account})
        return [put["value"]["name"] for put in answer.json()["patch"] if put["op"] == "put"]


@contextmanager
def quick_passwords() -> Iterator[None]:
    """Inside the block passwords take argon2 no time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@asynccontextmanager
async def opened(options: ServiceOptions) -> AsyncIterator[Guest]:
    """A service that is open inside the block, and somebody signed in to it."""
    made = service(options)
    app = made.app()
    async with made.lifespan(Starlette()) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = dict(state)
            await app(scope, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(with_state), base_url="http://karman") as http:
            credentials = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD, "device": "test"}
            with quick_passwords():
                body = (await http.post("/api/accounts", json=credentials)).json()
            yield Guest(http, body["account"]["id"], body["space"], uuid7(), made, state["store"])
