"""The network between devices and a server: it loses, repeats and delays, and writes down what passes."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.law.book import Book, demand
from tests.law.server import CRASH, Answer, Ask, Crash, Crashed

LOST = {"lost": True}

FATES = (
    "request lost",
    "answer lost",
    "repeated",
    "late",
    "crash before commit",
    "crash after commit",
    "crash after the second",
)
"""What may happen to a request. A late one is lost to its device and comes to the server some time afterwards."""


class Serves(Protocol):
    """What answers requests."""

    async def ask(self, ask: Ask) -> Answer:
        """Serve one; raises Crashed."""

    async def receipts(self, account: str, client: str) -> dict[int, bool]:
        """What a client's mutations came to: applied, or refused."""


@dataclass
class Network:
    """`books` are by account. A fate is of the device's next call to that path. `met` counts fates, and what answers
    told.
    """

    server: Serves
    books: dict[str, Book] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    fates: dict[tuple[str, str], str] = field(default_factory=dict)
    late: list[tuple[str, Ask]] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def forget(self) -> None:
        """Another history begins."""
        for left in (self.books, self.fates, self.late):
            left.clear()

    async def carry(self, request: dict[str, Any]) -> dict[str, Any]:
        """Bring a device's request to the server and the answer back, as fate has it."""
        device = request["device"]
        ask = Ask(request["method"], request["url"], (request["body"] or "").encode(), self.cookies.get(device, ""))
        fate = self.fates.pop((device, urlsplit(ask.url).path.rpartition("/")[2]), "")
        self.met[fate] += 1
        if fate == "late":
            self.late.append((device, ask))
        if fate in {"late", "request lost"}:
            return LOST
        answer = await self._crash(device, ask, fate) if fate.startswith("crash") else await self.bring(device, ask)
        if fate == "repeated":
            answer = await self.bring(device, ask)
        return LOST if answer is None or fate == "answer lost" else self._hand_over(device, ask, answer)

    async def bring(self, device: str, ask: Ask) -> Answer | None:
        """Bring a request to the server; None where it died."""
        answer: Answer | None = None
        with suppress(Crashed):
            answer = await self.server.ask(ask)
        if _is_push(ask) and (answer is None or answer.status == 200):
            await self._note(device, ask, answer)
        return answer

    async def deliver_late(self, index: int) -> None:
        """A late request arrives; nobody waits for its answer."""
        device, ask = self.late.pop(index)
        await self.bring(device, ask)

    async def _crash(self, device: str, ask: Ask, fate: str) -> Answer | None:
        crash = Crash(2 if fate.endswith("second") else 1, committed=not fate.endswith("before commit"))
        token = CRASH.set(crash)
        try:
            return await self.bring(device, ask)
        finally:
            CRASH.reset(token)

    async def _note(self, device: str, ask: Ask, answer: Answer | None) -> None:
        account, body = _account(ask), json.loads(ask.body)
        if account not in self.books or not body["mutations"]:
            return
        outcomes = _outcomes(answer) if answer else await self.server.receipts(account, body["client"])
        self.books[account].carried_out(device, body["client"], body["mutations"], outcomes)

    def _hand_over(self, device: str, ask: Ask, answer: Answer) -> dict[str, Any]:
        demand(answer.status < 500, f"{ask.method} {ask.url} was answered {answer.status} {answer.body[:300]!r}")
        self.met.update(_codes(answer))
        if answer.cookie:
            self.cookies[device] = answer.cookie
        if _is_push(ask) and answer.status == 200 and (book := self.books.get(_account(ask))):
            book.answered(json.loads(ask.body)["mutations"], _outcomes(answer))
        return {"status": answer.status, "body": answer.body.decode()}


def _codes(answer: Answer) -> Iterator[str]:
    """What an answer refuses, and whether it tells of a restore."""
    said = answer.json() if answer.body.startswith(b"{") else {}
    if "code" in said:
        yield said["code"]
    for result in said.get("results", ()):
        if "problem" in result:
            yield result["problem"]["code"]
    if "restored" in said:
        yield "restored"


def _is_push(ask: Ask) -> bool:
    return urlsplit(ask.url).path == "/api/sync/push"


def _account(ask: Ask) -> str:
    return parse_qs(urlsplit(ask.url).query)["account"][0]


def _outcomes(answer: Answer) -> Mapping[int, bool]:
    return {result["id"]: result["status"] == "applied" for result in answer.json()["results"]}
