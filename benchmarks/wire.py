"""A client that costs next to nothing: HTTP/1.1 over one kept connection, requests made beforehand."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from tests.service import Person


@dataclass
class Wire:
    """One connection to a service."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, url: str) -> Self:
        """Connect."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, request: bytes) -> int:
        """Send a request, read its answer to the end, and give the status."""
        return (await self.answered(request))[0]

    async def answered(self, request: bytes) -> tuple[int, bytes]:
        """As `ask`, with the body."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head[9:12]), await self.reader.readexactly(length)


def request(person: Person, method: str, path: str, body: bytes = b"", query: str = "") -> bytes:
    """A request of this person's device, ready to be sent."""
    cookies = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    lines = [
        f"{method} {path}?account={person.account}{query} HTTP/1.1",
        "host: localhost",
        f"cookie: {cookies}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def edits(person: Person, card_id: str) -> Iterator[bytes]:
    """Pushes that each edit one card, for ever."""
    while True:
        mutation = person.mutation("card.set", id=card_id, fields={"note": f"{time.perf_counter_ns()}"})
        body = json.dumps({"client": person.client, "mutations": [mutation]}).encode()
        yield request(person, "POST", "/api/sync/push", body)


async def hammer(url: str, requests: Iterator[bytes], until: float) -> int:
    """How many requests one connection gets answered, one after another, until that moment of the loop's clock."""
    wire = await Wire.to(url)
    count = 0
    while asyncio.get_running_loop().time() < until:
        status = await wire.ask(next(requests))
        if status != 200:
            raise RuntimeError(f"a push was answered {status}")
        count += 1
    wire.writer.close()
    return count


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def rounded(found: dict[str, Any]) -> dict[str, Any]:
    """Numbers short enough to read."""
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in found.items()}
