"""From a shop's put to its holder's open screen: a poke over the live stream, and the pull that brings the balance.

The clock runs from the put's first byte to the last byte of the pulled body. With two processes the shop is at one and
the holder at the other, and word goes by PostgreSQL's NOTIFY. The clients are a process of their own.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from aggregator.partners.live import moment
from benchmarks.putting import PROGRAMME, call
from benchmarks.wire import Wire, quantile, request
from tests.partners import Shop, command, shop
from tests.service import Person, ServiceOptions, running, uuid7

PUTS = 200
NUMBER = "7789001234567"
SLUG = "pyaterochka"
PAUSE_S = 0.02


@dataclass(frozen=True)
class Watch:
    """What the clients ask for."""

    put_at: str
    shown_at: str
    puts: Sequence[bytes]
    stream: bytes
    pull: bytes


def delays_ms(watch: Watch) -> list[float]:
    """How long each put took to the screen."""
    return asyncio.run(_watched(watch))


async def _watched(watch: Watch) -> list[float]:
    live, holder, partner = [await Wire.to(url) for url in (watch.shown_at, watch.shown_at, watch.put_at)]
    live.writer.write(watch.stream)
    await live.reader.readuntil(b": listening\n\n")
    found = []
    for place, put in enumerate(watch.puts):
        began = time.perf_counter()
        asked = asyncio.create_task(partner.ask(put))
        while f'"main":{place},'.encode() not in (await holder.answered(watch.pull))[1]:
            await live.reader.readuntil(b'"version"')
        found.append((time.perf_counter() - began) * 1000)
        if await asked != 200:
            raise RuntimeError("a put was refused")
        await asyncio.sleep(PAUSE_S)
    return found


def _linked(url: str, partner: Shop, person: Person) -> None:
    """The person's card is connected by a code from the till."""
    card = person.keep(name="A shop", merchant=SLUG, number=NUMBER)
    code = partner.call("POST", f"/cards/{NUMBER}/codes", {}, key=uuid7()).json()["code"]
    body = {"space": person.space, "card": card, "policy": "code", "code": code}
    person.http.post("/api/links", params={"account": person.account}, json=body).raise_for_status()


def measured(options: ServiceOptions, processes: int, puts: int) -> list[float]:
    """The delays with so many processes."""
    with ExitStack() as stack:
        services = [stack.enter_context(running(options)) for _ in range(processes)]
        partner = stack.enter_context(shop(services[0]))
        partner.call("PUT", "/programme", {**PROGRAMME, "policies": ["code"]}).raise_for_status()
        partner.call("PUT", "/programme/claim", {"slug": SLUG}).raise_for_status()
        command(options, "approve", partner.id)
        person = stack.enter_context(Person.signed_up(services[0].url))
        _linked(services[0].url, partner, person)
        began = int(time.time() * 1000)
        bodies = [{"main": place, "as_of": moment(began + place)} for place in range(puts)]
        calls = [call(partner, "PUT", f"/cards/{NUMBER}/balance", json.dumps(body).encode()) for body in bodies]
        stream, pull = request(person, "GET", "/api/sync/live"), request(person, "GET", "/api/sync/pull")
        away = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
        return away.submit(delays_ms, Watch(services[0].url, services[-1].url, calls, stream, pull)).result()


def run(name: str, made: Sequence[ServiceOptions], puts: int = PUTS) -> dict[str, Any]:
    """Print the delays with one process, two where there are stores for both, and give them in milliseconds."""
    found = {}
    print(f"\n{'put to open screen, ' + name:<36}{'p50 ms':>8}{'p99 ms':>8}")
    for processes, options in enumerate(made, start=1):
        delays = measured(options, processes, puts)
        one = {"p50_ms": round(quantile(delays, 0.5), 1), "p99_ms": round(quantile(delays, 0.99), 1)}
        words = f"{processes} process{'es' if processes > 1 else ''}"
        print(f"{words:<36}{one['p50_ms']:>8}{one['p99_ms']:>8}")
        found[words] = one
    return found
