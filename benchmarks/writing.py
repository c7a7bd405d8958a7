"""Pushes per second on PostgreSQL, by one and by two processes, beside what the driver does with the same rows.

A push is a card edited by a device of its own account; so many devices push at once, each waiting for its answer. The
clients and the driver's loop are processes of their own. Everything shares this machine's cores.
"""

import asyncio
import itertools
import secrets
import statistics
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import asyncpg

from benchmarks.wire import edits, hammer
from tests.service import Person, ServiceOptions, running

DEVICES = 8
SECONDS = 4.0
WARM_S = 1.0
DRIVER = "the driver, same rows"
BOX_BYTES = 300

SETUP = """
CREATE TABLE IF NOT EXISTS raw_space (id uuid PRIMARY KEY, version bigint);
CREATE TABLE IF NOT EXISTS raw_client (account_id uuid, id uuid, last_id bigint, PRIMARY KEY (account_id, id));
CREATE TABLE IF NOT EXISTS raw_entry (
  space_id uuid, key varchar(80), version bigint, box bytea, PRIMARY KEY (space_id, key));
CREATE TABLE IF NOT EXISTS raw_receipt (
  account_id uuid, client_id uuid, id bigint, body_hash bytea, PRIMARY KEY (account_id, client_id, id));
"""


def pushed(urls: Sequence[str], people: Sequence[tuple[Person, str]], seconds: float) -> float:
    """Pushes per second of devices spread over the processes at these addresses."""

    async def devices() -> int:
        until = asyncio.get_running_loop().time() + seconds
        places = zip(itertools.cycle(urls), people, strict=False)
        return sum(await asyncio.gather(*(hammer(url, edits(one, card), until) for url, (one, card) in places)))

    return asyncio.run(devices()) / seconds


def raw(database: str, seconds: float) -> float:
    """Transactions per second of the driver alone, each writing what a push writes, on as many connections."""

    async def devices() -> int:
        setup = await asyncpg.connect(database)
        await setup.execute(SETUP)
        await setup.close()
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*(_raw_device(database, until) for _ in range(DEVICES))))

    return asyncio.run(devices()) / seconds


async def _raw_device(database: str, until: float) -> int:
    connection = await asyncpg.connect(database)
    account, client, space = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    await connection.execute("INSERT INTO raw_space VALUES ($1, 0)", space)
    await connection.execute("INSERT INTO raw_client VALUES ($1, $2, 0)", account, client)
    await connection.execute(
        "INSERT INTO raw_entry VALUES ($1, 'card/1', 0, $2)", space, secrets.token_bytes(BOX_BYTES)
    )
    count = 0
    while time.perf_counter() < until:
        count += 1
        async with connection.transaction():
            await connection.fetch("SELECT last_id FROM raw_client WHERE account_id = $1 FOR UPDATE", account)
            await connection.fetch("SELECT version FROM raw_space WHERE id = $1 FOR UPDATE", space)
            await connection.fetch("SELECT box FROM raw_entry WHERE space_id = $1 AND key = 'card/1'", space)
            box = secrets.token_bytes(BOX_BYTES)
            sql = "UPDATE raw_entry SET version = $1, box = $2 WHERE space_id = $3 AND key = 'card/1'"
            await connection.execute(sql, count, box, space)
            await connection.execute("UPDATE raw_space SET version = $1 WHERE id = $2", count, space)
            sql = "INSERT INTO raw_receipt VALUES ($1, $2, $3, $4)"
            await connection.execute(sql, account, client, count, secrets.token_bytes(32))
            sql = "UPDATE raw_client SET last_id = $1 WHERE account_id = $2 AND id = $3"
            await connection.execute(sql, count, account, client)
    await connection.close()
    return count


def _arrived(url: str) -> list[tuple[Person, str]]:
    """People who are new, each with one card."""
    people = [Person.signed_up(url, f"{uuid.uuid4().hex}@example.org") for _ in range(DEVICES)]
    return [(person, person.keep()) for person in people]


def _client(urls: Sequence[str], seconds: float) -> float:
    """In a process of its own: people arrive, warm up, and push."""
    people = _arrived(urls[0])
    pushed(urls, people, WARM_S)
    return pushed(urls, people, seconds)


def measured(urls: Sequence[str], database: str, rounds: int, seconds: float) -> dict[str, list[float]]:
    """The rates of each round: in turn, since whatever else the machine does comes and goes."""
    found: dict[str, list[float]] = {"1 process": [], "2 processes": [], DRIVER: []}
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        for _ in range(rounds):
            found["1 process"].append(apart.submit(_client, urls[:1], seconds).result())
            found[DRIVER].append(apart.submit(raw, database, seconds).result())
            found["2 processes"].append(apart.submit(_client, urls, seconds).result())
    return found


def run(grown: ServiceOptions, rounds: int, seconds: float = SECONDS) -> dict[str, Any]:
    """Print the median rates, and give the medians of their ratios to the driver's of the same round."""
    with running(grown) as one, running(grown) as other:
        found = measured([one.url, other.url], grown.environment["KARMAN_DATABASE"], rounds, seconds)
    ratios = {
        name: statistics.median(rate / base for rate, base in zip(rates, found[DRIVER], strict=True))
        for name, rates in found.items()
    }
    print(f"\n{'pushes on PostgreSQL':<28}{'1/s':>8}{'÷ driver':>10}")
    for name, rates in found.items():
        print(f"{name:<28}{statistics.median(rates):>8.0f}{ratios[name]:>10.2f}")
    driver = round(statistics.median(found.pop(DRIVER)))
    return {"driver_per_s": driver, "ratios": {name: round(ratios[name], 3) for name in found}}
