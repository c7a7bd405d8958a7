"""How many live streams one process holds, what memory each takes, and how soon a poke has reached all of an account.

The client is a process of its own. Memory is the service's resident set, before and with the streams.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.wire import Wire, request
from tests.service import Person, ServiceOptions, running

STREAMS = 2_000
PER_ACCOUNT = 32
OPENING_AT_ONCE = 32
SETTLE_S = 2.0
PAGE_BYTES = 4_096


@dataclass(frozen=True)
class Ready:
    """What the client asks for: requests that open a stream each, and the address."""

    url: str
    openings: Sequence[bytes]


def hold(pipe: Connection, ready: Ready) -> None:
    """The client's process: open all streams, tell how many are open, then when each was poked."""

    async def client() -> None:
        wires = await _opened(ready)
        pipe.send(len(wires))
        pokes = [asyncio.create_task(_poked(wire)) for wire in wires[:PER_ACCOUNT]]
        pipe.send([await poke for poke in pokes])
        await asyncio.to_thread(pipe.recv)

    asyncio.run(client())


async def _opened(ready: Ready) -> list[Wire]:
    """Every stream that was answered 200 and has said its first word."""
    places = asyncio.Semaphore(OPENING_AT_ONCE)

    async def opened(opening: bytes) -> Wire | None:
        async with places:
            wire = await Wire.to(ready.url)
            wire.writer.write(opening)
            head = await wire.reader.readuntil(b"\r\n\r\n")
            await wire.reader.readuntil(b": listening\n\n")
            return wire if b" 200 " in head.split(b"\r\n", 1)[0] else None

    found = await asyncio.gather(*(opened(opening) for opening in ready.openings))
    return [wire for wire in found if wire is not None]


async def _poked(wire: Wire) -> float:
    """When the stream next spoke of a version, by the clock that processes share."""
    await wire.reader.readuntil(b'"version"')
    return time.monotonic()


def resident_bytes(pid: int) -> int:
    """What a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def _people(url: str, count: int) -> list[Person]:
    # Passwords are hashed by two threads of the service.
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda _: Person.signed_up(url), range(count)))


def run(embedded: ServiceOptions, streams: int = STREAMS) -> dict[str, Any]:
    """Print what was held, and give it."""
    with running(embedded) as service:
        people = _people(service.url, -(-streams // PER_ACCOUNT))
        openings = [request(person, "GET", "/api/sync/live") for person in people for _ in range(PER_ACCOUNT)]
        mine, theirs = get_context("spawn").Pipe()
        client = get_context("spawn").Process(target=hold, args=(theirs, Ready(service.url, openings[:streams])))
        before = resident_bytes(service.process.pid)
        client.start()
        with closing(mine):
            held = mine.recv()
            time.sleep(SETTLE_S)
            each = (resident_bytes(service.process.pid) - before) / held
            pushed_at = time.monotonic()
            people[0].keep()
            delays_ms = sorted((heard - pushed_at) * 1000 for heard in mine.recv())
            mine.send("enough")
        client.join()
    found = {"held": held, "bytes_each": round(each), "poke_last_ms": round(delays_ms[-1], 1)}
    print(
        f"\n{held} streams in one process, {each / 1024:.1f} KiB each; a poke reached all {PER_ACCOUNT} devices of an"
    )
    print(f"account in {delays_ms[-1]:.0f} ms from the push's start, the first in {delays_ms[0]:.0f} ms")
    return found
