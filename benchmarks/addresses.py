"""What the time of an answer tells a stranger of an address: whether it has an account, verified or with a password."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.pairs import Pair
from tests.mailbox import Mailbox, link, mailbox
from tests.service import PASSWORD, ServiceOptions, client, running
from tests.stores import Rows

ROUNDS = 300
WRONG = "not the password"


@dataclass(frozen=True)
class Town:
    """A service and the people in it: verified, not verified, and without a password."""

    http: httpx.Client
    verified: str
    unverified: str
    without: str

    def pairs(self) -> list[Pair]:
        """Everything that a stranger can ask about an address, or about what only its owner has."""
        return [
            self._pair("reset", self.reset, 202, "verified", self.verified),
            self._pair("reset, unverified", self.reset, 202, "unverified", self.unverified),
            self._pair("sign up", self.sign_up, 202, "taken", self.verified),
            self._pair("sign in", self.sign_in, 401, "wrong password", self.verified),
            self._pair("sign in, no password", self.sign_in, 401, "no password", self.without),
        ]

    def _pair(self, name: str, ask: Callable[[str], httpx.Response], status: int, known: str, address: str) -> Pair:
        cases = {"unknown": lambda: ask(f"{uuid.uuid4().hex}@example.org"), known: lambda: ask(address)}
        return Pair(name, cases, status, ROUNDS)

    def sign_up(self, address: str) -> httpx.Response:
        return self.http.post("/api/accounts", json={"email": address, "password": PASSWORD, "device": "x"})

    def sign_in(self, address: str) -> httpx.Response:
        return self.http.post("/api/session", json={"email": address, "password": WRONG, "device": "x"})

    def reset(self, address: str) -> httpx.Response:
        return self.http.post("/api/password-reset", json={"email": address})


def joined(http: httpx.Client, box: Mailbox) -> tuple[str, str]:
    """Somebody who has opened the mail: the address and the account."""
    address = f"{uuid.uuid4().hex}@example.org"
    http.post("/api/accounts", json={"email": address, "password": PASSWORD, "device": "x"}).raise_for_status()
    _, token = link(box.next(address))
    answer = http.post("/api/accounts/confirm", json={"token": token, "device": "x"})
    answer.raise_for_status()
    http.cookies.clear()
    return address, answer.json()["account"]["id"]


@contextmanager
def inhabited(options: ServiceOptions) -> Iterator[Town]:
    """A town of an empty store, with a mail server, so that sign-ups are finished by mail."""
    with mailbox() as box, running(options.plus(*box.arguments)) as own, client(own.url) as http:
        (verified, _), (unverified, one), (without, other) = (joined(http, box) for _ in range(3))
        Rows(options).sql(f"UPDATE account SET verified_ms = NULL WHERE id = '{one}' RETURNING id")
        Rows(options).sql(f"UPDATE account SET password_hash = NULL WHERE id = '{other}' RETURNING id")
        yield Town(http, verified, unverified, without)
