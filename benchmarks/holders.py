"""Holders by the thousand, put straight into a store: a wallet each, with one card that is linked to a shop."""

import asyncio
import secrets
import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from aggregator.crypto import KeyRing, read_ring
from aggregator.db import SQLITE_FILE
from aggregator.partners import numbers
from tests.service import ServiceOptions
from tests.stores import ring_of

CARD_BYTES = 300
NUMBER_DIGITS = 16
COLUMNS = {
    "space": ("id", "kind", "version", "floor", "created_ms"),
    "entry": ("space_id", "key", "version", "schema", "box"),
    "link": ("space_id", "id", "card_id", "partner_id", "policy", "blind", "number_box", "made_ms"),
}


@dataclass(frozen=True)
class Base:
    """A shop's numbers, of which those in front are linked."""

    numbers: list[str]
    linked: int

    @classmethod
    def of(cls, count: int, share: float) -> "Base":
        """So many numbers."""
        first = 10 ** (NUMBER_DIGITS - 1) + secrets.randbelow(10**9) * 10**6
        made = [str(first + place) for place in range(count)]
        return cls(made, int(count * share))


def settle(options: ServiceOptions, partner_id: str, base: Base) -> None:
    """Give the linked numbers of the base their holders."""
    keys = read_ring(msgspec.json.encode(ring_of(options)))
    rows = _rows(keys, uuid.UUID(partner_id), base.numbers[: base.linked])
    database = options.environment.get("KARMAN_DATABASE", "")
    if database:
        asyncio.run(_copied(database, rows))
    else:
        _inserted(options, rows)


def _rows(keys: KeyRing, partner_id: uuid.UUID, held: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
    now = int(time.time() * 1000)
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
    for number in held:
        space, card = uuid.uuid4(), uuid.uuid4()
        blind, box = numbers.blind(keys, partner_id, number), numbers.seal(keys, partner_id, number)
        found["space"].append((space, "person", 1, 0, now))
        found["entry"].append((space, f"card/{card}", 1, 1, secrets.token_bytes(CARD_BYTES)))
        found["link"].append((space, uuid.uuid4(), card, partner_id, "challenge", blind, box, now))
    return found


async def _copied(database: str, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    connection = await asyncpg.connect(database)
    for name, columns in COLUMNS.items():
        await connection.copy_records_to_table(name, records=rows[name], columns=columns)
        await connection.execute(f"ANALYZE {name}")
    await connection.close()


def _inserted(options: ServiceOptions, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    with closing(sqlite3.connect(options.data / SQLITE_FILE, timeout=30)) as connection, connection:
        for name, columns in COLUMNS.items():
            marks = ", ".join("?" * len(columns))
            sql = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
            connection.executemany(sql, (_texts(row) for row in rows[name]))


def _texts(row: Sequence[Any]) -> list[Any]:
    return [str(value) if isinstance(value, uuid.UUID) else value for value in row]
