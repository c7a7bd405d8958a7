"""Tortoise's SQLite client with transactions that take the write lock at their start and always give it back."""

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import aiosqlite
from tortoise.backends.base.client import TransactionalDBClient
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError


class ImmediateTransaction(SqliteTransactionWrapper):
    async def begin(self) -> None:
        """A deferred transaction that first reads and then writes can fail at the write; IMMEDIATE waits its turn
        here.
        """
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    async def execute_script(self, query: str) -> None:
        """The driver's executescript commits what is open; inside a transaction statements must run one by one."""
        for statement in _statements(query):
            await self.execute_query(statement)


class ImmediateContext(SqliteTransactionContext):
    async def __aenter__(self) -> TransactionalDBClient:
        # When another process holds the write lock too long BEGIN fails, and this process's lock must not stay taken.
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await self.connection.begin()
        except BaseException:
            await self._abandon()
            self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection  # type: ignore[no-any-return]

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        # A COMMIT that fails, on a full disk say, may leave its transaction open; the next one must not inherit it.
        try:
            await (self.connection.rollback() if exc_type else self._commit())
        finally:
            get_connections().reset(self.token)
            self._trxlock.release()

    async def _commit(self) -> None:
        try:
            await self.connection.commit()
        except sqlite3.Error as error:
            await self._abandon()
            raise OperationalError(error) from error

    async def _abandon(self) -> None:
        """Roll back whatever ran on the connection's thread, a cancelled BEGIN included."""
        connection: aiosqlite.Connection | None = self.connection._connection
        if connection is not None:
            # It queues behind a BEGIN that still waits there, and does nothing outside a transaction.
            await asyncio.shield(connection.rollback())


class Client(SqliteClient):
    def _in_transaction(self) -> Any:
        return ImmediateContext(ImmediateTransaction(self), self._lock)


def _statements(script: str) -> Iterator[str]:
    part = ""
    for piece in script.split(";"):
        part += piece + ";"
        if sqlite3.complete_statement(part):
            if part.strip(" \n;"):
                yield part
            part = ""


client_class = Client
