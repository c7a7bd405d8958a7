"""What the time of an answer tells of somebody's account: nothing, if both cases of every pair take as long.

    python -m benchmarks.sidechannels [--rounds 300] [--grown] [--only reset]

Starts the service with a mail server, so that sign-ups are finished by mail. Both cases of a pair are asked in turn, in
an order that changes each round, from one connection; printed are the medians, and whether they differ by less than a
tenth. The last line is the same as JSON.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.mailbox import Mailbox, link, mailbox
from tests.servers import postgres, seaweedfs
from tests.service import PASSWORD, ServiceOptions, running
from tests.stores import Rows

ROUNDS = 300
WARM_UP = 10
MOST = 0.1
WRONG = "not the password"


@dataclass(frozen=True)
class Pair:
    """Two requests that nobody may tell apart, each made anew every time."""

    name: str
    cases: dict[str, Callable[[], httpx.Response]]
    status: int


@dataclass(frozen=True)
class Found:
    """Medians in milliseconds, and by how much of the smaller one they differ."""

    name: str
    medians: dict[str, float]
    difference: float

    @property
    def holds(self) -> bool:
        return self.difference < MOST


@dataclass(frozen=True)
class Town:
    """A service and the people in it: verified, not verified, and without a password."""

    http: httpx.Client
    verified: str
    unverified: str
    without: str

    def pairs(self) -> list[Pair]:
        """Everything that a stranger can ask about an address, or about what only its owner has."""
        fresh = lambda: f"{uuid.uuid4().hex}@example.org"  # noqa: E731
        return [
            Pair("reset", {"unknown": lambda: self.reset(fresh()), "verified": lambda: self.reset(self.verified)}, 202),
            Pair(
                "reset, unverified",
                {"unknown": lambda: self.reset(fresh()), "unverified": lambda: self.reset(self.unverified)},
                202,
            ),
            Pair("sign up", {"new": lambda: self.sign_up(fresh()), "taken": lambda: self.sign_up(self.verified)}, 202),
            Pair(
                "sign in",
                {"unknown": lambda: self.sign_in(fresh()), "wrong password": lambda: self.sign_in(self.verified)},
                401,
            ),
            Pair(
                "sign in, no password",
                {"unknown": lambda: self.sign_in(fresh()), "no password": lambda: self.sign_in(self.without)},
                401,
            ),
        ]

    def sign_up(self, address: str) -> httpx.Response:
        return self.http.post("/api/accounts", json={"email": address, "password": PASSWORD, "device": "x"})

    def sign_in(self, address: str) -> httpx.Response:
        return self.http.post("/api/session", json={"email": address, "password": WRONG, "device": "x"})

    def reset(self, address: str) -> httpx.Response:
        return self.http.post("/api/password-reset", json={"email": address})


def measured(pair: Pair, rounds: int, dice: random.Random) -> Found:
    """Both cases in turn, `rounds` times."""
    took: dict[str, list[float]] = {name: [] for name in pair.cases}
    for turn in range(WARM_UP + rounds):
        for name in dice.sample(list(pair.cases), len(pair.cases)):
            started = time.perf_counter()
            answer = pair.cases[name]()
            milliseconds = (time.perf_counter() - started) * 1000
            assert answer.status_code == pair.status, answer.text
            if turn >= WARM_UP:
                took[name].append(milliseconds)
    medians = {name: statistics.median(times) for name, times in took.items()}
    least, most = min(medians.values()), max(medians.values())
    return Found(pair.name, medians, (most - least) / least)


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
def inhabited(grown: bool) -> Iterator[Town]:
    """A town on SQLite, or on PostgreSQL and S3."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options = ServiceOptions(folder)
        if grown:
            database = stack.enter_context(postgres()).create_database()
            bucket = stack.enter_context(seaweedfs()).create_bucket()
            options = ServiceOptions.on_servers(folder, database, bucket)
        box = stack.enter_context(mailbox())
        options = options.plus(*box.arguments)
        own = stack.enter_context(running(options))
        http = stack.enter_context(httpx.Client(base_url=own.url, timeout=60))
        (verified, _), (unverified, one), (without, other) = (joined(http, box) for _ in range(3))
        Rows(options).sql(f"UPDATE account SET verified_ms = NULL WHERE id = '{one}' RETURNING id")
        Rows(options).sql(f"UPDATE account SET password_hash = NULL WHERE id = '{other}' RETURNING id")
        yield Town(http, verified, unverified, without)


def main() -> int:
    """Print the table; 1 where a pair differs by a tenth or more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--grown", action="store_true", help="on PostgreSQL and S3 instead of SQLite and a folder")
    parser.add_argument("--only", default="", help="pairs whose name begins so")
    asked = parser.parse_args()
    dice = random.Random(5)
    print(f"{'what':22} {'cases':32} {'medians, ms':>18} {'differ by':>10}")
    found = []
    with inhabited(asked.grown) as town:
        for pair in (one for one in town.pairs() if one.name.startswith(asked.only)):
            one = measured(pair, asked.rounds, dice)
            names, medians = " / ".join(one.medians), " / ".join(f"{value:.2f}" for value in one.medians.values())
            print(
                f"{one.name:22} {names:32} {medians:>18} {one.difference:>9.1%} {'' if one.holds else '  TELLS'}",
                flush=True,
            )
            found.append(one)
    figures = {one.name: {**one.medians, "difference": one.difference, "holds": one.holds} for one in found}
    print(json.dumps({"rounds": asked.rounds, "grown": asked.grown, "pairs": figures}, ensure_ascii=False))
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
