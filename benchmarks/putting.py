"""Balances per second, one by one and in batches, beside a driver that writes the same rows into the same tables.

Counted from the first byte until the last linked card's body is committed. The clients and the driver are processes of
their own. The driver commits at most 500 rows at a time and locks wallets in the order of their ids, as the service
does; one connection puts while another carries.
"""

import asyncio
import json
import secrets
import sqlite3
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import asyncpg

from aggregator.db import SQLITE_FILE
from aggregator.partners.live import moment
from aggregator.partners.numbers import BLIND_BYTES
from benchmarks.holders import Base, settle
from benchmarks.wire import Wire
from tests import launcher
from tests.partners import Shop, shop
from tests.service import Running, ServiceOptions, running

ROWS = 10_000
BATCH = 1_000
LINES = 2
SHARE = 0.5
CHUNK = 500
DEVICES = 8
SINGLES = 1_000
PROGRAMME = {"name": {"en": "A shop"}, "tiers": [{"id": "gold", "name": {"en": "Gold"}}]}
# What the service's boxes take.
NUMBER_BYTES, BALANCE_BYTES, LIVE_BYTES = 48, 100, 640

UPSERT = (
    "INSERT INTO balance SELECT $1::uuid, * FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bigint[]) "
    "ON CONFLICT (partner_id, blind) DO UPDATE SET number_box = excluded.number_box, box = excluded.box, "
    "as_of_ms = excluded.as_of_ms WHERE balance.as_of_ms < excluded.as_of_ms RETURNING blind"
)
QUEUE = (
    "INSERT INTO outbox SELECT id, $1::uuid, 'balance', blind, box, $5 "
    "FROM unnest($2::uuid[], $3::text[], $4::bytea[]) AS put(id, blind, box)"
)
TAKE = (
    "WITH taken AS MATERIALIZED (SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) "
    "DELETE FROM outbox o USING taken WHERE o.id = taken.id RETURNING o.blind, o.box"
)
LOCK = (
    "SELECT id, version FROM space WHERE id IN (SELECT space_id FROM link WHERE partner_id = $1 "
    "AND blind = ANY($2::text[])) ORDER BY id FOR UPDATE"
)
READ = (
    "SELECT l.space_id, l.card_id, e.box FROM link l LEFT JOIN entry e ON e.space_id = l.space_id "
    "AND e.key = 'live/' || l.card_id WHERE l.partner_id = $1 AND l.blind = ANY($2::text[])"
)
WRITE = (
    "INSERT INTO entry (space_id, key, version, schema, box) SELECT space_id, key, version, 1, box "
    "FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bytea[]) AS put(space_id, key, version, box) "
    "ON CONFLICT (space_id, key) DO UPDATE SET version = excluded.version, box = excluded.box"
)
RAISE = (
    "UPDATE space SET version = raised.version FROM unnest($1::uuid[], $2::bigint[]) AS raised(id, version) "
    "WHERE space.id = raised.id"
)


@dataclass(frozen=True)
class Stage:
    """A store with a shop and its base, for the service or for the driver."""

    options: ServiceOptions
    partner_id: str
    base: Base

    @property
    def database(self) -> str:
        """The PostgreSQL database; empty for SQLite."""
        return self.options.environment.get("KARMAN_DATABASE", "")


# ---------------------------------------------------------------- the service


def body_of(numbers: Sequence[str], at_ms: int) -> bytes:
    """A batch."""
    rows = [
        {"number": number, "main": place, "pending": 5, "tier": "gold", "as_of": moment(at_ms)}
        for place, number in enumerate(numbers)
    ]
    return json.dumps({"balances": rows}).encode()


def call(shop: Shop, method: str, path: str, body: bytes) -> bytes:
    """A request of the shop's program, ready to be sent."""
    lines = [
        f"{method} /partner/v1{path} HTTP/1.1",
        "host: localhost",
        f"authorization: {shop.http.headers['Authorization']}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def singles_of(shop: Shop, numbers: Sequence[str], at_ms: int) -> list[bytes]:
    """A put for each number."""
    body = json.dumps({"main": 7, "pending": 5, "tier": "gold", "as_of": moment(at_ms)}).encode()
    return [call(shop, "PUT", f"/cards/{number}/balance", body) for number in numbers]


def sent(url: str, stage: Stage, requests: Sequence[bytes], lines: int) -> float:
    """The seconds until everything that the requests say is on cards; they go over so many connections."""

    async def client() -> float:
        wires = [await Wire.to(url) for _ in range(lines)]
        began = time.perf_counter()
        await asyncio.gather(*(_asked(wire, requests[place::lines]) for place, wire in enumerate(wires)))
        await _carried(stage)
        return time.perf_counter() - began

    return asyncio.run(client())


async def _asked(wire: Wire, requests: Sequence[bytes]) -> None:
    for request in requests:
        if (status := await wire.ask(request)) != 200:
            raise RuntimeError(f"a put was answered {status}")


async def _carried(stage: Stage) -> None:
    """Wait until nothing is on its way to cards."""
    if stage.database:
        connection = await asyncpg.connect(stage.database)
        while await connection.fetch("SELECT 1 FROM outbox LIMIT 1"):
            await asyncio.sleep(0.01)
        await connection.close()
        return
    with closing(sqlite3.connect(stage.options.data / SQLITE_FILE)) as rows:
        while rows.execute("SELECT 1 FROM outbox LIMIT 1").fetchall():
            await asyncio.sleep(0.01)


# ---------------------------------------------------------------- the driver


def _values(count: int) -> Iterator[tuple[uuid.UUID, bytes, bytes]]:
    for _ in range(count):
        yield uuid.uuid4(), secrets.token_bytes(NUMBER_BYTES), secrets.token_bytes(BALANCE_BYTES)


def driven(stage: Stage, blinds: Sequence[str], at_ms: int, chunk: int, lines: int) -> float:
    """The seconds that the driver alone takes for the same rows."""
    if stage.database:
        return asyncio.run(_driven(stage, blinds, at_ms, chunk, lines))
    return _driven_sqlite(stage, blinds, at_ms, chunk)


async def _driven(stage: Stage, blinds: Sequence[str], at_ms: int, chunk: int, lines: int) -> float:
    putting = [await asyncpg.connect(stage.database) for _ in range(lines)]
    carrying = await asyncpg.connect(stage.database)
    rows = list(zip(blinds, _values(len(blinds)), strict=True))
    lives = [secrets.token_bytes(LIVE_BYTES) for _ in range(CHUNK)]
    partner = uuid.UUID(stage.partner_id)
    done = asyncio.Event()

    async def put(connection: Any, mine: Sequence[Any]) -> None:
        for start in range(0, len(mine), chunk):
            part = sorted(mine[start : start + chunk])
            named, values = zip(*part, strict=True)
            ids, number_boxes, boxes = zip(*values, strict=True)
            async with connection.transaction():
                await connection.fetch(UPSERT, partner, named, number_boxes, boxes, [at_ms] * len(named))
                await connection.fetch(QUEUE, partner, ids, named, boxes, at_ms)

    async def carry() -> None:
        while True:
            is_last = done.is_set()
            async with carrying.transaction():
                taken = await carrying.fetch(TAKE, CHUNK)
                if taken:
                    await _carry(carrying, partner, [row[0] for row in taken], lives)
            if not taken:
                if is_last:
                    return
                await asyncio.sleep(0.005)

    began = time.perf_counter()
    carrier = asyncio.create_task(carry())
    await asyncio.gather(*(put(connection, rows[place::lines]) for place, connection in enumerate(putting)))
    done.set()
    await carrier
    took = time.perf_counter() - began
    for connection in (*putting, carrying):
        await connection.close()
    return took


async def _carry(connection: Any, partner: uuid.UUID, blinds: Sequence[str], lives: Sequence[bytes]) -> None:
    versions = {row[0]: row[1] + 1 for row in await connection.fetch(LOCK, partner, blinds)}
    links = await connection.fetch(READ, partner, blinds)
    if links:
        spaces = [row[0] for row in links]
        keys = [f"live/{row[1]}" for row in links]
        await connection.fetch(WRITE, spaces, keys, [versions[one] for one in spaces], lives[: len(links)])
        await connection.fetch(RAISE, list(versions), list(versions.values()))


def _driven_sqlite(stage: Stage, blinds: Sequence[str], at_ms: int, chunk: int) -> float:
    rows = list(zip(blinds, _values(len(blinds)), strict=True))
    partner = stage.partner_id
    with closing(sqlite3.connect(stage.options.data / SQLITE_FILE, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        began = time.perf_counter()
        for start in range(0, len(rows), chunk):
            part = rows[start : start + chunk]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO balance VALUES (?, ?, ?, ?, ?) ON CONFLICT (partner_id, blind) DO UPDATE SET "
                "number_box = excluded.number_box, box = excluded.box, as_of_ms = excluded.as_of_ms "
                "WHERE balance.as_of_ms < excluded.as_of_ms",
                [(partner, blind, number_box, box, at_ms) for blind, (_, number_box, box) in part],
            )
            connection.executemany(
                "INSERT INTO outbox VALUES (?, ?, 'balance', ?, ?, ?)",
                [(str(id), partner, blind, box, at_ms) for blind, (id, _, box) in part],
            )
            connection.execute("COMMIT")
            _carry_sqlite(connection, partner)
        return time.perf_counter() - began


def _carry_sqlite(connection: sqlite3.Connection, partner: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    take = f"DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT {CHUNK}) RETURNING blind, box"
    blinds = json.dumps([row[0] for row in connection.execute(take).fetchall()])
    links = connection.execute(
        "SELECT l.space_id, l.card_id, s.version, e.box FROM json_each(?) p JOIN link l ON l.partner_id = ? "
        "AND l.blind = p.value JOIN space s ON s.id = l.space_id "
        "LEFT JOIN entry e ON e.space_id = l.space_id AND e.key = 'live/' || l.card_id",
        (blinds, partner),
    ).fetchall()
    connection.executemany(
        "INSERT INTO entry (space_id, key, version, schema, box) VALUES (?, ?, ?, 1, ?) "
        "ON CONFLICT (space_id, key) DO UPDATE SET version = excluded.version, box = excluded.box",
        [(space, f"live/{card}", version + 1, secrets.token_bytes(LIVE_BYTES)) for space, card, version, _ in links],
    )
    connection.executemany(
        "UPDATE space SET version = ? WHERE id = ?", [(version + 1, space) for space, _, version, _ in links]
    )
    connection.execute("COMMIT")


# ---------------------------------------------------------------- both in turn


def staged(service: Running, partner: Shop, count: int) -> Stage:
    """The shop has a programme and a base with holders."""
    partner.call("PUT", "/programme", PROGRAMME).raise_for_status()
    base = Base.of(count, SHARE)
    settle(service.options, partner.id, base)
    return Stage(service.options, partner.id, base)


def beside(options: ServiceOptions, count: int) -> tuple[Stage, list[str]]:
    """A store of the same shape for the driver, and the blinds of its numbers."""
    with running(options) as service, shop(service) as partner:
        stage = staged(service, partner, count)
    found = launcher.ended(options.words("migrate"), options.env())
    assert found.status == 0, found.errors
    return stage, _blinds(stage)


def _blinds(stage: Stage) -> list[str]:
    """Blinds of the linked numbers, and as many more of nobody's."""
    sql = "SELECT blind FROM link"
    if stage.database:
        held = asyncio.run(_asked_rows(stage.database, sql))
    else:
        with closing(sqlite3.connect(stage.options.data / SQLITE_FILE)) as connection:
            held = [row[0] for row in connection.execute(sql)]
    free = len(stage.base.numbers) - len(held)
    mixed = [*held, *(secrets.token_hex(BLIND_BYTES) for _ in range(free))]
    return sorted(mixed, key=lambda _: secrets.randbits(32))


async def _asked_rows(database: str, sql: str) -> list[str]:
    connection = await asyncpg.connect(database)
    rows = await connection.fetch(sql)
    await connection.close()
    return [row[0] for row in rows]


def measured(options: ServiceOptions, apart: ServiceOptions, rounds: int, count: int) -> dict[str, list[float]]:
    """Balances per second of each round, in turn, since whatever else the machine does comes and goes."""
    names = ("batched", "driver, batched", "single", "driver, single")
    found: dict[str, list[float]] = {name: [] for name in names}
    raw, blinds = beside(apart, count)
    with (
        running(options) as service,
        shop(service) as partner,
        ProcessPoolExecutor(1, get_context("spawn")) as away,
    ):
        stage = staged(service, partner, count)
        mixed = sorted(stage.base.numbers, key=lambda _: secrets.randbits(32))
        singles = min(SINGLES, count)
        for turn in range(rounds + 1):
            at_ms = int(time.time() * 1000)
            parts = [mixed[start : start + BATCH] for start in range(0, count, BATCH)]
            batches = [call(partner, "POST", "/balances", body_of(part, at_ms)) for part in parts]
            one_by_one = singles_of(partner, mixed[:singles], at_ms + 1)
            rates = (
                count / away.submit(sent, service.url, stage, batches, LINES).result(),
                count / away.submit(driven, raw, blinds, at_ms, CHUNK, LINES).result(),
                singles / away.submit(sent, service.url, stage, one_by_one, DEVICES).result(),
                singles / away.submit(driven, raw, blinds[:singles], at_ms + 1, 1, DEVICES).result(),
            )
            # The first time no card shows anything yet.
            for name, rate in zip(names, rates, strict=True):
                found[name] += [rate] if turn else []
    return found


def run(name: str, options: ServiceOptions, apart: ServiceOptions, rounds: int, count: int = ROWS) -> dict[str, Any]:
    """Print the median rates, and give the medians of their ratios to the driver's of the same round."""
    found = measured(options, apart, rounds, count)
    print(f"\n{'balances on ' + name:<28}{'1/s':>8}{'÷ driver':>10}")
    told: dict[str, Any] = {}
    for kind in ("batched", "single"):
        base = found[f"driver, {kind}"]
        ratio = statistics.median(rate / raw for rate, raw in zip(found[kind], base, strict=True))
        print(f"{kind:<28}{statistics.median(found[kind]):>8.0f}{ratio:>10.2f}")
        print(f"{'  the driver, same rows':<28}{statistics.median(base):>8.0f}")
        told[kind] = {"per_s": round(statistics.median(found[kind])), "ratio": round(ratio, 3)}
    return told
