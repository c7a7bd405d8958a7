"""A shop's whole base as NDJSON: how long it takes, what memory, and what others' pulls feel of it.

Half of the numbers are linked. The importer and the device that pulls are processes of their own.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from aggregator.partners.live import moment
from benchmarks.holders import Base
from benchmarks.putting import Stage, _carried, staged
from benchmarks.streams import resident_bytes
from benchmarks.wire import Wire, quantile, request
from tests.partners import Shop, shop
from tests.service import Person, Running, ServiceOptions, running

CARDS = 242_339
LINES_AT_ONCE = 500
PULL_EVERY_S = 0.02
IDLE_S = 20.0
LOOK_EVERY_S = 0.25
WALLET = 20
# The first part of an import fills pools and caches.
SETTLED = 0.2


def parts(base: Base, at_ms: int) -> Iterator[bytes]:
    """The lines, some at a time."""
    as_of = moment(at_ms)
    for start in range(0, len(base.numbers), LINES_AT_ONCE):
        some = base.numbers[start : start + LINES_AT_ONCE]
        rows = ({"number": number, "main": start + place, "as_of": as_of} for place, number in enumerate(some))
        yield b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def imported(pipe: Connection, url: str, head: bytes, stage: Stage, at_ms: int) -> None:
    """The importer's process: tells how long it took until the base was read, and until all cards showed it."""

    async def client() -> tuple[float, float, dict[str, Any]]:
        wire = await Wire.to(url)
        began = time.perf_counter()
        wire.writer.write(head)
        told = asyncio.create_task(_last_line(wire))
        for part in parts(stage.base, at_ms):
            wire.writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await wire.writer.drain()
        wire.writer.write(b"0\r\n\r\n")
        last = await told
        read = time.perf_counter() - began
        await _carried(stage)
        return read, time.perf_counter() - began, last

    pipe.send(asyncio.run(client()))


async def _last_line(wire: Wire) -> dict[str, Any]:
    """The line that says that it is done."""
    while b'"done"' not in (line := await wire.reader.readline()):
        if not line:
            raise RuntimeError("the import broke off")
    return dict(json.loads(line))


def pulled(pipe: Connection, url: str, pull: bytes) -> None:
    """The device's process: pulls at its pace until it hears anything, and tells how long each pull took."""

    async def client() -> list[float]:
        wire = await Wire.to(url)
        await wire.ask(pull)
        pipe.send("ready")
        found = []
        while not pipe.poll():
            began = time.perf_counter()
            if await wire.ask(pull) != 200:
                raise RuntimeError("a pull was refused")
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PULL_EVERY_S)
        return found

    found = asyncio.run(client())
    pipe.recv()
    pipe.send(found)


class Device:
    """A device that pulls inside the block; then `delays_ms` is known."""

    def __init__(self, url: str, person: Person) -> None:
        self._pipe, theirs = get_context("spawn").Pipe()
        cookie = person.pull()["cookie"]
        pull = request(person, "GET", "/api/sync/pull", query=f"&cookie={cookie}")
        self._process = get_context("spawn").Process(target=pulled, args=(theirs, url, pull))
        self.delays_ms: list[float] = []

    def __enter__(self) -> "Device":
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("enough")
        self.delays_ms = self._pipe.recv()
        self._process.join()


def _head(partner: Shop) -> bytes:
    lines = [
        "POST /partner/v1/balances/import HTTP/1.1",
        "host: localhost",
        f"authorization: {partner.http.headers['Authorization']}",
        "content-type: application/x-ndjson",
        "transfer-encoding: chunked",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _watched(service: Running, head: bytes, stage: Stage) -> tuple[tuple[float, float, dict[str, Any]], list[int]]:
    """What the importer tells, and the service's memory all the while."""
    mine, theirs = get_context("spawn").Pipe()
    at_ms = int(time.time() * 1000)
    client = get_context("spawn").Process(target=imported, args=(theirs, service.url, head, stage, at_ms))
    sizes = []
    client.start()
    with closing(mine):
        while not mine.poll(LOOK_EVERY_S):
            sizes.append(resident_bytes(service.process.pid))
            if not client.is_alive():
                raise RuntimeError("the importer died")
        told = mine.recv()
    client.join()
    return told, sizes


def run(name: str, options: ServiceOptions, cards: int = CARDS) -> dict[str, Any]:
    """Print what an import takes, and give it."""
    with running(options) as service, shop(service) as partner, Person.signed_up(service.url) as person:
        stage = staged(service, partner, cards)
        for number in range(WALLET):
            person.keep(name=f"Card {number}")
        idle, busy = Device(service.url, person), Device(service.url, person)
        with idle:
            time.sleep(IDLE_S)
        with busy:
            (read_s, shown_s, last), sizes = _watched(service, _head(partner), stage)
    if (last["stored"], last["done"]) != (cards, True):
        raise RuntimeError(f"the import ended with {last}")
    settled = sizes[int(len(sizes) * SETTLED) :]
    found = {
        "cards": cards,
        "read_s": round(read_s, 1),
        "shown_s": round(shown_s, 1),
        "per_s": round(cards / shown_s),
        "memory_grew_mb": round((max(settled) - settled[0]) / 2**20, 1),
        "memory_mb": round(max(settled) / 2**20),
        "pull_idle_p99_ms": round(quantile(idle.delays_ms, 0.99), 1),
        "pull_busy_p50_ms": round(quantile(busy.delays_ms, 0.5), 1),
        "pull_busy_p99_ms": round(quantile(busy.delays_ms, 0.99), 1),
    }
    found["pull_ratio"] = round(found["pull_busy_p99_ms"] / found["pull_idle_p99_ms"], 2)
    print(f"\nimport of {cards} balances on {name}")
    for what, value in found.items():
        print(f"  {what:<24}{value:>10}")
    return found
