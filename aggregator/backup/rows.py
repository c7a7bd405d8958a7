"""Rows as lines of JSON that either store reads: out of one snapshot, and into empty tables.

The first line of a table names its columns with their kinds; bytes are base64, UUIDs text.
"""

import base64
import gzip
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import aiosqlite
import asyncpg
import msgspec
from tortoise import Tortoise, fields
from tortoise.models import Model

from aggregator import db
from aggregator.settings import Settings

BATCH = 500
# Leases are of processes that are long gone when a backup is restored.
LEFT_OUT = {"job"}
# Other tables point to these, so they are filled first.
PARENTS = ("account", "partner", "space")
BYTES, UUID, PLAIN = "bytes", "uuid", "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the kinds of its columns by name."""

    name: str
    columns: dict[str, str]

    @property
    def names(self) -> str:
        """The columns as SQL lists them."""
        return ", ".join(f'"{column}"' for column in self.columns)


def tables() -> list[Table]:
    """Every table of this version that is backed up, parents first."""
    found = [_table(model) for model in Tortoise.apps[db.APP].values()]
    kept = [table for table in found if table.name not in LEFT_OUT]
    return sorted(kept, key=lambda table: (table.name not in PARENTS, table.name))


def _table(model: type[Model]) -> Table:
    meta = model._meta
    kinds = {fields.BinaryField: BYTES, fields.UUIDField: UUID}
    columns = {
        column: kinds.get(type(meta.fields_map[name]), PLAIN) for name, column in meta.fields_db_projection.items()
    }
    return Table(meta.db_table, columns)


Query = Callable[[str], AsyncIterator[Sequence[Any]]]
"""The rows of a query, a few at a time in memory."""


@asynccontextmanager
async def snapshot(settings: Settings) -> AsyncIterator[Query]:
    """Queries inside the block see one moment of the store, whatever is written meanwhile."""
    opened = _postgres_snapshot(settings.database) if settings.database else _sqlite_snapshot(settings)
    async with opened as query:
        yield query


@asynccontextmanager
async def _postgres_snapshot(url: str) -> AsyncIterator[Query]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield lambda sql: connection.cursor(sql, prefetch=BATCH)
    finally:
        await connection.close()


@asynccontextmanager
async def _sqlite_snapshot(settings: Settings) -> AsyncIterator[Query]:
    async with aiosqlite.connect(settings.data / db.SQLITE_FILE, isolation_level=None) as connection:
        await connection.execute(f"PRAGMA busy_timeout={db.BUSY_MS}")
        await connection.execute("PRAGMA query_only=ON")
        await connection.execute("BEGIN")
        # The moment is that of the first read.
        await connection.execute_fetchall("SELECT count(*) FROM sqlite_master")

        async def query(sql: str) -> AsyncIterator[Sequence[Any]]:
            async with connection.execute(sql) as cursor:
                async for row in cursor:
                    yield row

        yield query


async def dump(query: Query, table: Table, file: IO[bytes], see: Callable[[dict[str, Any]], None] | None) -> int:
    """Write a table as packed lines of JSON and give the number of its rows; `see` is shown each row."""
    count = 0
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as packed:
        packed.write(msgspec.json.encode(table.columns) + b"\n")
        async for row in query(f'SELECT {table.names} FROM "{table.name}"'):  # noqa: S608 - names from our models
            packed.write(msgspec.json.encode(_portable(table, row)) + b"\n")
            if see is not None:
                see(dict(zip(table.columns, row, strict=True)))
            count += 1
    return count


def _portable(table: Table, row: Sequence[Any]) -> list[Any]:
    """Both stores' ways to hold a value as one; msgspec writes bytes as base64."""
    return [
        str(value) if kind == UUID and value is not None else value
        for kind, value in zip(table.columns.values(), row, strict=True)
    ]


@contextmanager
def opened(file: IO[bytes]) -> Iterator[tuple[list[str], Iterator[list[Any]]]]:
    """The columns of a dump and its rows, each value as a store takes it."""
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        columns = msgspec.json.decode(packed.readline(), type=dict[str, str])
        yield list(columns), _decoded(packed, list(columns.values()))


def _decoded(packed: gzip.GzipFile, kinds: list[str]) -> Iterator[list[Any]]:
    for line in packed:
        yield [_own(kind, value) for kind, value in zip(kinds, msgspec.json.decode(line), strict=True)]


def _own(kind: str, value: Any) -> Any:
    if value is None or kind == PLAIN:
        return value
    return base64.b64decode(value) if kind == BYTES else str(uuid.UUID(value))


async def load(name: str, file: IO[bytes], keep: Callable[[list[Any]], bool]) -> int:
    """Fill an empty table from a dump with the rows that are to be kept; gives how many the dump has."""
    count = 0
    with opened(file) as (columns, found):
        while batch := list(islice(found, BATCH)):
            count += len(batch)
            await _insert(name, columns, [row for row in batch if keep(row)])
    return count


async def _insert(name: str, columns: list[str], rows: list[list[Any]]) -> None:
    async with db.client().acquire_connection() as connection:
        if isinstance(connection, aiosqlite.Connection):
            quoted, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
            await connection.executemany(f'INSERT INTO "{name}" ({quoted}) VALUES ({marks})', rows)  # noqa: S608 - names from a checked backup
        else:
            await connection.copy_records_to_table(name, records=rows, columns=columns)
