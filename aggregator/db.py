"""Rows: the connections to SQLite or PostgreSQL, transactions, and plain queries that run on both."""

import functools
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosqlite
import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError, OperationalError
from tortoise.transactions import in_transaction

from aggregator.settings import Settings

APP = "karman"
MIGRATION_LOCK, KEYS_LOCK = 0x6B61726D616E, 0x6B61726D616F
SQLITE_FILE = "karman.sqlite3"
BUSY_MS = 5_000
POOL_MAX = 10

STORE_ERRORS = (
    OSError,
    sqlite3.DatabaseError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What asyncpg raises when a connection is lost between two steps of a transaction.
    asyncpg.InternalClientError,
    DBConnectionError,
    OperationalError,
)
"""What a store raises that does not answer, has no room or breaks off: nobody's mistake, and worth another try."""

Row = Any
"""One result row: columns by position and by name."""


def _sqlite(settings: Settings) -> dict[str, Any]:
    pragmas = {"journal_mode": "WAL", "synchronous": "FULL", "busy_timeout": BUSY_MS, "foreign_keys": "ON"}
    return {"engine": "aggregator.sqlite", "credentials": {"file_path": str(settings.data / SQLITE_FILE), **pragmas}}


async def _left_as_it_is(_: Any) -> None:
    """A connection goes back to the pool without RESET ALL and its like, which every read would wait for. Settings,
    locks and cursors therefore belong to a transaction, never to a session; asyncpg rolls back what is open by itself.
    """


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    credentials = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password or "") or None,
        "database": parts.path.lstrip("/"),
        "maxsize": POOL_MAX,
        "server_settings": {"application_name": "karman", "timezone": "UTC"},
        "ssl": dict(parse_qsl(parts.query)).get("sslmode"),
        "reset": _left_as_it_is,
    }
    return {"engine": "tortoise.backends.asyncpg", "credentials": credentials}


def config(settings: Settings, models: Sequence[str], migrations: str = "aggregator.migrations") -> dict[str, Any]:
    """Tortoise's configuration for the store that `settings` names."""
    connection = _postgres(settings.database) if settings.database else _sqlite(settings)
    app = {"models": list(models), "default_connection": "default", "migrations": migrations}
    return {"connections": {"default": connection}, "apps": {APP: app}, "use_tz": True}


class Store:
    """The open rows of one process. SQLite gets a second, read-only connection, so that reads never wait for a
    commit.
    """

    def __init__(self, settings: Settings, reader: aiosqlite.Connection | None) -> None:
        self.settings = settings
        self._reader = reader

    async def read(self, sql: str, *values: Any) -> Sequence[Row]:
        """The rows of one query on one snapshot, outside any transaction. Parameters are `$1`, `$2`, …"""
        if self._reader is None:
            return (await client().execute_query(sql, list(values)))[1]
        return list(await self._reader.execute_fetchall(_numbered(sql), values))


def client() -> BaseDBAsyncClient:
    """The current connection: the open transaction's, if there is one."""
    return get_connection("default")


def is_sqlite() -> bool:
    """Whether rows are in SQLite, for the few statements that differ."""
    return client().capabilities.dialect == "sqlite"


def marks(first: int, count: int) -> str:
    """So many parameters for a list: `$2, $3, $4`."""
    return ", ".join(f"${place}" for place in range(first, first + count))


@functools.cache
def _numbered(sql: str) -> str:
    return re.sub(r"\$(\d+)", r"?\1", sql)


async def fetch(sql: str, *values: Any) -> Sequence[Row]:
    """The rows a statement gives, RETURNING included, on the current connection. Parameters are `$1`, `$2`, …"""
    async with client().acquire_connection() as connection:
        if isinstance(connection, aiosqlite.Connection):
            return list(await connection.execute_fetchall(_numbered(sql), values))
        return list(await connection.fetch(sql, *values))


async def repeat(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement once for each row of values, in a transaction; it gives nothing. Parameters are `$1`, `$2`, …"""
    async with client().acquire_connection() as connection:
        if isinstance(connection, aiosqlite.Connection):
            await connection.executemany(_numbered(sql), rows)
        else:
            await connection.executemany(sql, rows)


async def lock_alone(name: int) -> None:
    """Wait until no other process holds this name; until the commit. SQLite's transactions are alone anyway."""
    if not is_sqlite():
        await fetch("SELECT pg_advisory_xact_lock($1)", name)


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """Everything inside commits together or not at all. On SQLite it holds the one write lock: no network inside."""
    async with in_transaction("default"):
        yield


@asynccontextmanager
async def connected(
    settings: Settings, models: Sequence[str], migrations: str = "aggregator.migrations"
) -> AsyncIterator[Store]:
    """The store, open for this process until the block ends."""
    settings.data.mkdir(parents=True, exist_ok=True)
    # Tortoise caches SQL per connection name without the dialect, so a process that opens one store after another
    # must forget.
    EXECUTOR_CACHE.clear()
    await Tortoise.init(config=config(settings, models, migrations), _enable_global_fallback=True)
    try:
        await client().execute_query("SELECT 1")
        reader = await _reader(settings)
        try:
            yield Store(settings, reader)
        finally:
            if reader is not None:
                await reader.close()
    finally:
        await Tortoise.close_connections()


async def _reader(settings: Settings) -> aiosqlite.Connection | None:
    if settings.database:
        return None
    reader = await aiosqlite.connect(settings.data / SQLITE_FILE, isolation_level=None)
    reader.row_factory = sqlite3.Row
    await reader.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    await reader.execute("PRAGMA query_only=ON")
    return reader
