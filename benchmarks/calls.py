"""What a pull and a push cost on both stores, in CPU of the service per request, beside a bare JSON handler.

CPU is read from /proc of the service's process, so the client's work and waiting do not count; on PostgreSQL the
database's own CPU does not count either.
"""

import base64
import io
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from aggregator.merchants.directory import Directory
from tests.service import Person, ServiceOptions, running, uuid7

CARDS = 80
REQUESTS = 300
BARE = """
import sys, uvicorn, msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def bare(request):
    return Response(msgspec.json.encode({"status": "ok"}), media_type="application/json")
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}", flush=True)
Server(uvicorn.Config(Starlette(routes=[Route("/", bare)]), port=0, log_level="error", access_log=False)).run()
"""


@dataclass(frozen=True)
class Target:
    """A kind of request and the process whose CPU it costs."""

    name: str
    pid: int
    request: Callable[[], httpx.Response]


def cpu_s(pid: int) -> float:
    """CPU seconds a process has used so far, its threads included."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def micros_per_request(target: Target) -> float:
    """CPU of one round, in microseconds per request."""
    before = cpu_s(target.pid)
    for _ in range(REQUESTS):
        target.request().raise_for_status()
    return (cpu_s(target.pid) - before) / REQUESTS * 1e6


def wallet(dice: random.Random) -> list[dict[str, Any]]:
    """The fields of 80 cards: directory shops, 13-16 digits, one code each, half with a front, a third with a note."""
    shops = dice.sample(list(Directory.read()), CARDS)
    letters = "абвгдежзиклмнопрстуфхцчшэюя "
    cards = []
    for number, shop in enumerate(shops):
        digits = "".join(dice.choices("0123456789", k=dice.randint(13, 16)))
        raw = base64.b64encode(digits.encode()).decode()
        card = {"name": shop.names[0][:80], "merchant": shop.slug, "number": digits}
        card["codes"] = [{"format": "code_128", "text": digits, "raw": raw}]
        if number % 2 == 0:
            card["front"] = uuid7()
        if number % 3 == 0:
            card["note"] = "".join(dice.choices(letters, k=30))
        cards.append(card)
    return cards


def filled(url: str, picture: bytes, dice: random.Random) -> Person:
    """Somebody with the wallet."""
    person = Person.signed_up(url)
    cards = wallet(dice)
    for card in cards:
        if "front" in card:
            person.upload(picture, card["front"])[1].raise_for_status()
    person.send([person.mutation("card.keep", id=uuid7(), card=card) for card in cards]).raise_for_status()
    return person


def pull(person: Person, encoding: str) -> Callable[[], httpx.Response]:
    """A request for the whole wallet."""
    request = person.http.build_request(
        "GET", "/api/sync/pull", params={"account": person.account}, headers={"Accept-Encoding": encoding}
    )
    return lambda: person.http.send(request)


def push(person: Person) -> Callable[[], httpx.Response]:
    """A request that edits one card."""
    card_id = next(iter(person.cards()))
    return lambda: person.send([person.mutation("card.set", id=card_id, fields={"note": str(random.random())})])


@contextmanager
def bare() -> Iterator[Target]:
    """A handler that does nothing but answer JSON, on the same server."""
    process = subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with httpx.Client(base_url=process.stdout.readline().strip()) as http:
        yield Target("bare handler", process.pid, lambda: http.get("/"))
    process.kill()
    process.communicate()


@contextmanager
def service(store: str, options: ServiceOptions, picture: bytes) -> Iterator[tuple[list[Target], dict[str, int]]]:
    """The requests to one store, and the bytes of the two pulls."""
    with running(options) as found:
        person = filled(found.url, picture, random.Random(80))
        pid = found.process.pid
        plain, packed = pull(person, "identity"), pull(person, "gzip")
        sizes = {"plain": int(plain().headers["content-length"]), "packed": int(packed().headers["content-length"])}
        yield (
            [
                Target(f"{store} pull", pid, plain),
                Target(f"{store} pull, compressed", pid, packed),
                Target(f"{store} push", pid, push(person)),
            ],
            sizes,
        )


def measure(targets: list[Target], rounds: int) -> dict[str, float]:
    """The median of each target, its rounds interleaved with the others'."""
    found: dict[str, list[float]] = {target.name: [] for target in targets}
    for target in targets:
        micros_per_request(target)
    for _ in range(rounds):
        for target in targets:
            found[target.name].append(micros_per_request(target))
    return {name: statistics.median(values) for name, values in found.items()}


def run(embedded: ServiceOptions, grown: ServiceOptions, rounds: int) -> dict[str, Any]:
    """Print a table, and give ratios to the bare handler."""
    picture = _picture()
    sqlite, postgres = service("sqlite", embedded, picture), service("postgres", grown, picture)
    with bare() as handler, sqlite as (one, sizes), postgres as (two, _):
        medians = measure([handler, *one, *two], rounds)
    base = medians["bare handler"]
    print(f"{'request':<28}{'CPU µs':>8}{'× bare':>8}")
    for name, value in medians.items():
        print(f"{name:<28}{value:>8.0f}{value / base:>8.1f}")
    print(f"wallet of {CARDS} cards: {sizes['plain']} bytes, {sizes['packed']} compressed")
    ratios = {name: round(value / base, 2) for name, value in medians.items()}
    return {"bare_us": round(base, 1), "ratios": ratios, "bytes": sizes}


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 126), "#c2410c").save(out, "WEBP")
    return out.getvalue()
