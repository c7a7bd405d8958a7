"""A store's rows seen and changed past our own code, as an operator with a console would."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg

from aggregator.db import SQLITE_FILE
from tests.service import ServiceOptions


@dataclass(frozen=True)
class Rows:
    """The rows behind a service with these options, running or not."""

    options: ServiceOptions

    @property
    def database(self) -> str:
        """The address of the PostgreSQL database; empty for SQLite."""
        return self.options.environment.get("KARMAN_DATABASE", "")

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own, and give its rows."""
        return asyncio.run(self._postgres(statement)) if self.database else self._sqlite(statement)

    def count(self, table: str, where: str = "TRUE") -> int:
        """How many rows a table has."""
        [[number]] = self.sql(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(number)

    def _sqlite(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.options.data / SQLITE_FILE, timeout=20)) as connection, connection:
            connection.execute("PRAGMA foreign_keys=ON")
            return connection.execute(statement).fetchall()

    async def _postgres(self, statement: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.database)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()
