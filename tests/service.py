"""A running service as its own process, and people who talk to it over HTTP as a device would."""

import base64
import os
import secrets
import ssl
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from aggregator.crypto import new_ring
from tests.launcher import Started, launch

START_S = 60
PASSWORD = "correct horse battery"
# Our services speak plain HTTP, and to read the certificates of this machine for each client takes 40 ms.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class ServiceOptions:
    """The command line and environment of a service."""

    data: Path
    arguments: tuple[str, ...] = ("--limit-scale", "100000", "--workers", "0")
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def on_servers(cls, data: Path, database: str, blobs: str) -> Self:
        """On PostgreSQL and S3, with a key ring from the environment."""
        return cls(data, environment={"KARMAN_DATABASE": database, "KARMAN_BLOBS": blobs, "KARMAN_KEYS": new_ring()})

    def reading(self) -> "ServiceOptions":
        """The same with a process that reads photos, which is dear to start."""
        return self.plus("--workers", "1")

    def plus(self, *arguments: str) -> "ServiceOptions":
        """The same with more arguments."""
        return ServiceOptions(self.data, (*self.arguments, *arguments), self.environment)

    def words(self, name: str, *arguments: str) -> list[str]:
        """One of the service's commands with these options."""
        return [name, "--data", str(self.data), *self.arguments, *arguments]

    def env(self) -> dict[str, str]:
        """The environment of the process."""
        return {**os.environ, **self.environment}


@dataclass
class Running:
    """A service that answers at `url`; everything it logs is in `log`."""

    url: str
    process: Started
    log: Path
    options: ServiceOptions

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> None:
        """End it politely."""
        self.process.terminate()
        self.process.communicate(timeout=20)

    def logged(self) -> str:
        """What it has logged so far."""
        return self.log.read_text()


def start(options: ServiceOptions, port: int = 0) -> Running:
    """Start a service and wait until it has printed its address."""
    log = options.data / "log"
    options.data.mkdir(parents=True, exist_ok=True)
    process = launch(options.words("serve", "--port", str(port)), options.env(), log)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        process.wait(START_S)
        raise RuntimeError(f"The service did not start:\n{log.read_text()[-4000:]}")
    return Running(address.replace("localhost", "127.0.0.1"), process, log, options)


@contextmanager
def running(options: ServiceOptions, port: int = 0) -> Iterator[Running]:
    """A service that runs inside the block."""
    found = start(options, port)
    try:
        yield found
    finally:
        found.kill()


def client(url: str, **options: Any) -> httpx.Client:
    """A browser without a page: it keeps cookies."""
    return httpx.Client(base_url=url, timeout=60, verify=NO_TLS, **options)


def uuid7() -> str:
    """A UUIDv7 (RFC 9562) as a device makes it."""
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    raw = bytearray(stamp + secrets.token_bytes(10))
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def code(text: str = "4607001234562", format: str = "ean_13") -> dict[str, str]:
    """A code as a card carries it."""
    return {"format": format, "text": text, "raw": base64.b64encode(text.encode()).decode()}


@dataclass
class Person:
    """Somebody on one signed-in device, with one queue."""

    http: httpx.Client
    email: str
    account: str
    device: str
    space: str
    client: str = field(default_factory=uuid7)
    next_id: int = 1

    @classmethod
    def signed_up(cls, url: str, email: str = "") -> Self:
        """A new account."""
        return cls._arrived(url, "/api/accounts", email or f"{uuid.uuid4().hex}@example.org")

    def another_device(self) -> "Person":
        """The same person on another device."""
        return Person._arrived(str(self.http.base_url), "/api/session", self.email)

    def at(self, url: str) -> "Person":
        """The same device, asking another process."""
        http = client(url, cookies=dict(self.http.cookies))
        return replace(self, http=http)

    @classmethod
    def _arrived(cls, url: str, path: str, email: str) -> Self:
        http = client(url)
        answer = http.post(path, json={"email": email, "password": PASSWORD, "device": "test"})
        answer.raise_for_status()
        body = answer.json()
        return cls(http, email, body["account"]["id"], body["device"]["id"], body["space"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def mutation(self, name: str, **args: Any) -> dict[str, Any]:
        """The next mutation of this device's queue, in this person's own space unless said otherwise."""
        made = {"id": self.next_id, "name": name, "args": {"space": self.space, **args}}
        self.next_id += 1
        return made

    def send(self, mutations: Sequence[dict[str, Any]]) -> httpx.Response:
        """Push a batch and give the whole answer."""
        body = {"client": self.client, "mutations": list(mutations)}
        return self.http.post("/api/sync/push", params={"account": self.account}, json=body)

    def push(self, name: str, **args: Any) -> dict[str, Any]:
        """Push one mutation and give its result."""
        answer = self.send([self.mutation(name, **args)])
        answer.raise_for_status()
        [result] = answer.json()["results"]
        return dict(result)

    def keep(self, **fields: Any) -> str:
        """Keep a card and give its id."""
        card_id = uuid7()
        assert self.push("card.keep", id=card_id, card={"name": "Магнит", **fields})["status"] == "applied"
        return card_id

    def pull(self, cookie: str = "", client: str | None = None) -> dict[str, Any]:
        """What a pull answers."""
        params = {"account": self.account, "cookie": cookie} | ({"client": client} if client else {})
        answer = self.http.get("/api/sync/pull", params=params)
        answer.raise_for_status()
        return dict(answer.json())

    def cards(self) -> dict[str, dict[str, Any]]:
        """All cards of the own space by id, as a fresh device gets them."""
        patch = self.pull()["patch"]
        return {
            put["key"].removeprefix("card/"): put["value"]
            for put in patch
            if put["op"] == "put" and put["space"] == self.space
        }

    def upload(self, picture: bytes, picture_id: str = "") -> tuple[str, httpx.Response]:
        """Upload a picture into the own space."""
        name = picture_id or uuid7()
        path = f"/api/pictures/{self.space}/{name}"
        return name, self.http.put(path, params={"account": self.account}, content=picture)
