"""What a service keeps, seen and changed past our own code, as an operator with a console would."""

import asyncio
import json
import secrets
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from aggregator.app import KEYS_FILE
from aggregator.blobs import S3Address, s3_client
from aggregator.db import SQLITE_FILE
from tests.service import Person, ServiceOptions, client


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
        return self.answers([statement])[0]

    def answers(self, statements: Iterable[str]) -> list[list[tuple[Any, ...]]]:
        """The rows of each statement, asked one after the other."""
        return asyncio.run(self._postgres(*statements)) if self.database else [*map(self._sqlite, statements)]

    def count(self, table: str, where: str = "TRUE") -> int:
        """How many rows a table has."""
        [[number]] = self.sql(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(number)

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Inside the block nobody else can write to the table; reading goes on."""
        if self.database:
            with asyncio.Runner() as runner:
                connection = runner.run(asyncpg.connect(self.database))
                runner.run(connection.execute(f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE"))
                yield
                runner.run(connection.close())
        else:
            with closing(self._connected()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield

    def _sqlite(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self._connected()) as connection:
            return connection.execute(statement).fetchall()

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.options.data / SQLITE_FILE, timeout=20, isolation_level=None)
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    async def _postgres(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        connection = await asyncpg.connect(self.database)
        try:
            return [[tuple(row) for row in await connection.fetch(statement)] for statement in statements]
        finally:
            await connection.close()


@dataclass(frozen=True)
class Kept:
    """The sealed pictures behind a service with these options, by key."""

    options: ServiceOptions

    def all(self) -> dict[str, bytes]:
        """Every key with its bytes."""
        return self._objects() if self._is_s3 else self._files()

    def copy(self, old: str, new: str) -> None:
        """Put the bytes under one key under another as well."""
        data = self.all()[old]
        if self._is_s3:
            client, bucket = self._s3()
            client.put_object(Bucket=bucket, Key=new, Body=data)
        else:
            file = self._root / f"{new}.blob"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def delete(self, key: str) -> None:
        """Remove a key."""
        if self._is_s3:
            client, bucket = self._s3()
            client.delete_object(Bucket=bucket, Key=key)
        else:
            (self._root / f"{key}.blob").unlink()

    @property
    def _is_s3(self) -> bool:
        return "KARMAN_BLOBS" in self.options.environment

    @property
    def _root(self) -> Path:
        return self.options.data / "pictures"

    def _files(self) -> dict[str, bytes]:
        root = self._root
        return {str(path.relative_to(root).with_suffix("")): path.read_bytes() for path in root.rglob("*.blob")}

    def _objects(self) -> dict[str, bytes]:
        client, bucket = self._s3()
        found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {entry["Key"]: client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read() for entry in found}

    def _s3(self) -> tuple[Any, str]:
        address = S3Address.parse(self.options.environment["KARMAN_BLOBS"])
        return s3_client(address, 1), address.bucket


def ring_of(options: ServiceOptions) -> dict[str, Any]:
    """The service's key ring."""
    text = options.environment.get("KARMAN_KEYS") or (options.data / KEYS_FILE).read_text()
    return dict(json.loads(text))


def with_ring(options: ServiceOptions, ring: dict[str, Any]) -> ServiceOptions:
    """The same store with another key ring."""
    if "KARMAN_KEYS" in options.environment:
        return replace(options, environment={**options.environment, "KARMAN_KEYS": json.dumps(ring)})
    (options.data / KEYS_FILE).write_text(json.dumps(ring))
    return options


def rotated(options: ServiceOptions) -> ServiceOptions:
    """The same store with one more key, which seals from now on."""
    ring = ring_of(options)
    return with_ring(options, {**ring, "keys": [*ring["keys"], b64encode(secrets.token_bytes(32)).decode()]})


@contextmanager
def returned(person: Person, url: str) -> Iterator[Person]:
    """The same person on the same device, at a service that was started again."""
    with client(url, cookies=person.http.cookies) as browser:
        yield replace(person, http=browser)
