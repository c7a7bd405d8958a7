"""What the time of an answer tells of a card's number: whether somebody holds it, asked by its shop and by others who
have typed it.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from aggregator.jobs import now_ms
from aggregator.partners.live import moment
from benchmarks.pairs import Pair
from tests.partners import Shop, shop
from tests.service import Person, ServiceOptions, running, uuid7
from tests.stores import Rows

ROUNDS = 1_000
# Each is asked about many times: what an answer leaves behind is taken away before the next.
NUMBERS = 50
SLUG = "magnit"
PROGRAMME = {"name": {"en": "Shop"}, "policies": ["challenge", "code", "open"]}
LEFT = ("link_attempt", "till_code", "event")

Ask = Callable[[str], httpx.Response]


@dataclass(frozen=True)
class Street:
    """A shop; somebody who holds cards of it, half of them connected; and somebody else who has typed the connected
    ones' numbers, and as many that nobody holds.
    """

    rows: Rows
    shop: Shop
    typist: Person
    cards: dict[str, str]
    held: list[str]
    linked: list[str]
    free: list[str]

    def pairs(self) -> list[Pair]:
        """Everything that can be asked about a number."""
        return [
            self._by_shop("balance", self.balance, 200),
            self._by_shop("balances", self.balances, 200),
            self._by_shop("code for the till", lambda number: self._call("POST", f"/cards/{number}/codes", {}), 201),
            self._by_shop("reissue", lambda number: self._call("POST", f"/cards/{number}/reissue", {}), 200),
            self._by_shop("links", lambda number: self._call("GET", f"/links?number={number}"), 200),
            self._by_typist("challenge", "challenge", 202),
            self._by_typist("wrong code", "code", 403),
            self._by_typist("open", "open", 201),
        ]

    def _by_shop(self, name: str, ask: Ask, status: int) -> Pair:
        return self._pair(f"shop: {name}", "held", self.held, ask, status)

    def _by_typist(self, name: str, policy: str, status: int) -> Pair:
        return self._pair(f"person: {name}", "linked", self.linked, lambda number: self.connect(number, policy), status)

    def _pair(self, name: str, known: str, numbers: list[str], ask: Ask, status: int) -> Pair:
        cases = {}
        for case, asked in ((known, itertools.cycle(numbers)), ("unknown", itertools.cycle(self.free))):
            cases[case] = lambda asked=asked: ask(next(asked))
        return Pair(name, cases, status, ROUNDS, self._tidy)

    def _tidy(self) -> None:
        """As if nothing had been asked yet, so that no cap is met."""
        mine = f"DELETE FROM link WHERE account_id = '{self.typist.account}' RETURNING id"
        self.rows.answers([mine, *(f"DELETE FROM {table} RETURNING 1" for table in LEFT)])

    def balance(self, number: str) -> httpx.Response:
        body = {"main": 5, "as_of": moment(now_ms())}
        return self._call("PUT", f"/cards/{number}/balance", body)

    def balances(self, number: str) -> httpx.Response:
        return self._call("POST", "/balances", {"balances": [{"number": number, "main": 5, "as_of": moment(now_ms())}]})

    def connect(self, number: str, policy: str) -> httpx.Response:
        return connect(self.typist, self.cards[number], policy)

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.shop.call(method, path, body, key="" if method == "GET" else uuid7())


def connect(who: Person, card: str, policy: str) -> httpx.Response:
    """Connect a card, with a wrong code where there must be one."""
    body = {"space": who.space, "card": card, "policy": policy} | ({"code": "000000"} if policy == "code" else {})
    return who.http.post("/api/links", params={"account": who.account}, json=body)


@contextmanager
def inhabited(options: ServiceOptions) -> Iterator[Street]:
    """A street of an empty store."""
    made = [str(7_789_000_000_000 + place) for place in range(3 * NUMBERS)]
    held, linked, free = made[:NUMBERS], made[NUMBERS : 2 * NUMBERS], made[2 * NUMBERS :]
    with running(options) as service, shop(service, "--slug", SLUG, "--open") as found:
        found.call("PUT", "/programme", PROGRAMME).raise_for_status()
        holder, typist = Person.signed_up(service.url), Person.signed_up(service.url)
        theirs = {number: holder.keep(merchant=SLUG, number=number) for number in held + linked}
        cards = {number: typist.keep(merchant=SLUG, number=number) for number in linked + free}
        rows = Rows(service.options)
        for number in linked:
            connect(holder, theirs[number], "open").raise_for_status()
            rows.sql("DELETE FROM link_attempt RETURNING id")
        yield Street(rows, found, typist, cards, held, linked, free)
