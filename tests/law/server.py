"""The service in this process: restarted, purged, backed up and restored between two requests, or broken off amid one.

Only its passwords are quick, since a hundred histories would else spend most of their time on argon2.
"""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from aggregator import app, db, store
from aggregator.accounts.sessions import now_ms
from aggregator.backup import restore as restoring
from aggregator.backup import save as saving
from aggregator.backup.archive import Manifest
from aggregator.settings import Settings
from aggregator.sync.pull import Puller
from tests import inside
from tests.service import ServiceOptions

DAY_MS = 24 * 3_600_000


class Crashed(BaseException):
    """The process dies here: nothing catches it, and what was not committed is gone."""


@dataclass
class Crash:
    """When to die while a request is served: at the end of this transaction of it, before or after its commit."""

    transaction: int
    committed: bool
    _seen: int = 0

    def due(self) -> bool:
        """Whether this is the transaction; called once at the end of each."""
        self._seen += 1
        return self._seen == self.transaction


CRASH: ContextVar[Crash | None] = ContextVar("crash", default=None)


@contextmanager
def crashing() -> Iterator[None]:
    """Inside the block transactions end as CRASH says."""
    real = db.transaction

    @asynccontextmanager
    async def transaction() -> AsyncIterator[None]:
        crash = CRASH.get()
        async with real():
            yield
            is_due = crash is not None and crash.due()
            if is_due and not crash.committed:
                raise Crashed
        if is_due:
            raise Crashed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "transaction", transaction)
        yield


@dataclass(frozen=True)
class Ask:
    """A request."""

    method: str
    url: str
    body: bytes = b""
    cookie: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back; `cookie` is the one that was set, if any."""

    status: int
    body: bytes
    cookie: str = ""

    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


class Server:
    """One process that serves a store. Open it first."""

    def __init__(self, options: ServiceOptions) -> None:
        self.options = options
        self._service = inside.service(options)
        self.settings, self.jobs = self._service.settings, {job.name: job for job in self._service.jobs()}
        self._app = self._service.app()
        self._copies = _Copies(self.settings)
        self._stack = AsyncExitStack()
        self._backups = itertools.count()

    async def open(self) -> None:
        """Start on a store that may need another shape."""
        async with app.opened_store(self.settings, self._service.keys):
            pass
        await self._reopen()

    async def _reopen(self) -> None:
        self.store = await self._stack.enter_async_context(db.connected(self.settings, app.MODELS))
        puller = Puller(self.store, self._service.keys, await store.epoch())
        self._state = {"store": self.store, "puller": puller}

    async def close(self) -> None:
        """Stop."""
        await self._stack.aclose()

    async def restart(self) -> None:
        """Stop and start."""
        await self.close()
        await self._reopen()

    async def ask(self, ask: Ask) -> Answer:
        """Serve one request; raises Crashed."""
        return await asyncio.create_task(self._serve(ask))

    async def receipts(self, account: str, client: str) -> dict[int, bool]:
        """What a client's mutations came to: applied, or refused."""
        sql = "SELECT id, problem FROM receipt WHERE account_id = $1 AND client_id = $2"
        return {row["id"]: row["problem"] is None for row in await self.store.read(sql, account, client)}

    async def purge(self, days: int) -> None:
        """Do the job as if it were so many days later."""
        await self.jobs["purge"].run(self.store, now_ms() + days * DAY_MS)

    async def backup(self) -> Path:
        """Back the store up: one in ten as the command does, the others by a copy of the whole database, which is ten
        times quicker.
        """
        number = next(self._backups)
        file = self.settings.data / f"backup-{number}"
        await self.close()
        if number % 10 == 0:
            await saving.save(self.settings, file, None)
        else:
            await self._copies.save(file)
        await self._reopen()
        return file

    async def restore(self, file: Path) -> None:
        """Put a backup in the store's place, as it was made; either ends as the command does."""
        await self.close()
        if await self._copies.restore(file):
            async with db.connected(self.settings, app.MODELS):
                epoch = await store.epoch()
                await store.StoreFact.filter(name=store.EPOCH).delete()
                manifest = Manifest("", [], epoch, [], {}, 0, 0)
                await restoring._finish(restoring.Plan(file, manifest, app.ring_text(self.settings)))
        else:
            await restoring.restore(self.settings, file, lambda: "", replace=True)
        await self._reopen()

    async def _serve(self, ask: Ask) -> Answer:
        call = _Call(ask)
        await self._app(call.scope | {"state": dict(self._state)}, call.receive, call.send)
        return call.answer()


class _Copies:
    """Copies of a database that nobody is connected to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: set[Path] = set()

    async def save(self, file: Path) -> None:
        """Copy it."""
        self._made.add(file)
        if self._settings.database:
            await self._postgres(f'CREATE DATABASE "{file.name}" TEMPLATE "{self._name}"')
        else:
            shutil.copy(self._file, file)

    async def restore(self, file: Path) -> bool:
        """Put a copy in its place; False where the file is no copy."""
        if file not in self._made:
            return False
        if self._settings.database:
            await self._postgres(f'DROP DATABASE "{self._name}"')
            await self._postgres(f'CREATE DATABASE "{self._name}" TEMPLATE "{file.name}"')
        else:
            shutil.copy(file, self._file)
        return True

    @property
    def _file(self) -> Path:
        return self._settings.data / db.SQLITE_FILE

    @property
    def _name(self) -> str:
        return urlsplit(self._settings.database).path.lstrip("/")

    async def _postgres(self, statement: str) -> None:
        connection = await asyncpg.connect(urlsplit(self._settings.database)._replace(path="/postgres").geturl())
        await connection.execute(statement)
        await connection.close()


@dataclass
class _Call:
    """One request as ASGI has it."""

    ask: Ask
    start: dict[str, Any] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)

    @property
    def scope(self) -> dict[str, Any]:
        url = urlsplit(self.ask.url)
        headers = [(b"host", b"karman"), (b"content-type", b"application/json")]
        if self.ask.cookie:
            headers.append((b"cookie", f"karman={self.ask.cookie}".encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.ask.method,
            "scheme": "http",
            "path": url.path,
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("karman", 80),
        }

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.ask.body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.parts.append(message.get("body", b""))

    def answer(self) -> Answer:
        given = [value.decode() for name, value in self.start["headers"] if name.lower() == b"set-cookie"]
        cookie = next((text.partition("=")[2].partition(";")[0] for text in given), "")
        return Answer(self.start["status"], b"".join(self.parts), cookie)
