"""A shop on a bad network, at a server that is killed between commit and reply: once everything it sent was answered,
all is as if each call had come once, in order, over a good one.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from aggregator.jobs import now_ms
from aggregator.partners.api import ROOT
from aggregator.partners.live import moment
from tests.answers import assert_problem
from tests.partners import Shop, shop
from tests.service import NO_TLS, Running, ServiceOptions, start, uuid7
from tests.stores import Rows

NUMBERS = [str(7_789_000_000_000 + place) for place in range(5)]
MAX_TRIES = 200
# What says: the same again, a little later.
AGAIN = {409, 429, 503}


@dataclass(frozen=True)
class Op:
    """A call; those of one lane are made one after the other."""

    lane: str
    method: str
    path: str
    body: Any
    key: str = field(default_factory=uuid7)


class Lost(Exception):
    """No answer came."""


def programme(turn: int) -> dict[str, Any]:
    tiers = [{"id": one, "name": {"en": f"{one} {turn}"}} for one in ("gold", "silver")]
    return {"name": {"en": "A shop"}, "policies": ["code"], "tiers": tiers}


def offer(turn: int, state: str, base_ms: int) -> dict[str, Any]:
    title, ends = {"en": f"Offer {turn}"}, moment(base_ms + 86_400_000)
    said = {"title": title, "text": title, "terms": title, "starts_at": moment(base_ms - 60_000), "ends_at": ends}
    return {**said, "state": state, "audience": {"all": True}, "notify": False}


def plan(dice: random.Random, base_ms: int, size: int) -> list[Op]:
    """What a shop says in a while: the same whenever the dice are."""
    times = iter(dice.sample(range(10_000), 9 * size + len(NUMBERS)))

    def said(number: str) -> dict[str, Any]:
        tier = dice.choice(["gold", "silver", None])
        return {"number": number, "main": dice.randrange(1_000), "tier": tier, "as_of": moment(base_ms + next(times))}

    ops = []
    for turn in range(size):
        for _ in range(4):
            body = said(dice.choice(NUMBERS))
            ops.append(Op(f"put {uuid7()}", "PUT", f"/cards/{body.pop('number')}/balance", body))
        rows = [said(dice.choice(NUMBERS)) for _ in range(5)]
        ops.append(Op(f"batch {turn}", "POST", "/balances", {"balances": [*rows, rows[0], "nonsense"]}))
        ops.append(Op(f"code {turn}", "POST", f"/cards/{dice.choice(NUMBERS)}/codes", {}))
        ops.append(Op("programme", "PUT", "/programme", programme(turn)))
        name = f"o{turn % 3}"
        ops += [Op(name, "PUT", f"/offers/{name}", offer(turn, state, base_ms)) for state in ("draft", "live")]
    ops.append(Op("o1", "DELETE", "/offers/o1", None))
    lines = [msgspec.json.encode(said(number)) for number in NUMBERS]
    return [*ops, Op("import", "POST", "/balances/import", b"\n".join(lines), "")]


async def sent(http: httpx.AsyncClient, op: Op) -> httpx.Response:
    """One attempt; raises Lost where the server was killed meanwhile."""
    headers = {"Idempotency-Key": f'"{op.key}"'} if op.key else {}
    body = {"content": op.body} if isinstance(op.body, bytes) else {} if op.body is None else {"json": op.body}
    try:
        answer = await http.request(op.method, ROOT + op.path, headers=headers, **body)
    except httpx.TransportError:
        raise Lost from None
    if answer.status_code in AGAIN or (not op.key and b'"done":true' not in answer.content):
        raise Lost
    return answer


class BadNetwork:
    """Drops, delays, doubles and reorders what goes through it. What was given up may still arrive later."""

    def __init__(self, http: httpx.AsyncClient, dice: random.Random) -> None:
        self._http = http
        self._dice = dice
        self._loose: list[asyncio.Task[httpx.Response]] = []
        self.answered = 0

    async def tell(self, op: Op) -> httpx.Response:
        """Try until an answer comes."""
        for _ in range(MAX_TRIES):
            with suppress(Lost):
                answer = await self._attempt(op)
                assert answer.is_success, f"{op}: {answer.status_code} {answer.text}"
                self.answered += 1
                return answer
            await asyncio.sleep(self._dice.uniform(0, 0.05))
        raise AssertionError(f"{op} was never answered")

    async def _attempt(self, op: Op) -> httpx.Response:
        await asyncio.sleep(self._dice.uniform(0, 0.03))
        fate = self._dice.random()
        if fate < 0.15:
            raise Lost
        going = [asyncio.create_task(self._late(op)) for _ in range(2 if fate > 0.8 else 1)]
        self._loose += going
        if fate < 0.4:
            # The answer is lost, or the patience, and the request may yet be on its way.
            await asyncio.wait(going, timeout=self._dice.uniform(0, 0.1))
            raise Lost
        answers = await asyncio.gather(*going, return_exceptions=True)
        found = [answer for answer in answers if isinstance(answer, httpx.Response)]
        if not found:
            raise Lost
        if op.key:
            assert len({answer.content for answer in found}) == 1
        return found[-1]

    async def _late(self, op: Op) -> httpx.Response:
        await asyncio.sleep(self._dice.uniform(0, 0.05))
        return await sent(self._http, op)

    async def settle(self) -> None:
        """Everything that was on its way has arrived or is lost."""
        await asyncio.gather(*self._loose, return_exceptions=True)


def stormed(
    running: list[Running], partner: Shop, ops: Sequence[Op], kills: int, dice: random.Random
) -> dict[str, Any]:
    """Make all calls over a bad network while the server is killed again and again; gives the answers by key."""
    url = running[-1].url
    answers: dict[str, Any] = {}

    async def lane(network: BadNetwork, own: Sequence[Op]) -> None:
        for op in own:
            answers[op.key] = (await network.tell(op)).content

    async def killer(network: BadNetwork) -> None:
        for kill in range(1, kills + 1):
            while network.answered < kill * len(ops) // (kills + 1):
                await asyncio.sleep(0.005)
            await asyncio.sleep(dice.uniform(0, 0.02))
            await asyncio.to_thread(running[-1].kill)
            running.append(await asyncio.to_thread(start, running[-1].options, urlsplit(url).port or 0))

    async def storm() -> None:
        token = {"Authorization": partner.http.headers["Authorization"]}
        limits = httpx.Limits(max_connections=12)
        async with httpx.AsyncClient(base_url=url, headers=token, timeout=60, verify=NO_TLS, limits=limits) as http:
            network = BadNetwork(http, dice)
            lanes: dict[str, list[Op]] = {}
            for op in ops:
                lanes.setdefault(op.lane, []).append(op)
            await asyncio.gather(killer(network), *(lane(network, own) for own in lanes.values()))
            await network.settle()
            # Whoever asks again later is answered the same.
            for op in (one for one in ops if one.key):
                assert (await sent(http, op)).content == answers[op.key]

    asyncio.run(storm())
    return answers


def calm(partner: Shop, ops: Sequence[Op]) -> None:
    """Make all calls once."""
    for op in ops:
        content = {"content": op.body} if isinstance(op.body, bytes) else {}
        answer = partner.call(op.method, op.path, None if content else op.body, key=op.key, **content)
        assert answer.is_success, answer.text


def state(rows: Rows, partner: Shop, cards: Sequence[str]) -> dict[str, Any]:
    """Everything that the shop and its holders see, but for what is each one's own."""
    found: dict[str, Any] = {"balances": [], "cards": []}
    for number in NUMBERS:
        found["balances"].append(partner.call("GET", f"/cards/{number}/balance").json())
    for card in cards:
        body = partner.call("GET", f"/sandbox/cards/{card}").json()["live"]
        found["cards"].append({name: value for name, value in body.items() if name not in {"link", "since"}})
    found["offers"] = partner.call("GET", "/offers").json()
    found["tiers"] = partner.call("GET", "/programme").json()["tiers"]
    found["codes"] = rows.count("till_code", f"partner_id = '{partner.id}' AND used_ms IS NULL")
    found["events"] = [item["type"] for item in partner.call("GET", "/events").json()["items"]]
    return found


def connected(partner: Shop) -> list[str]:
    """Test cards of all numbers, connected."""
    partner.call("PUT", "/programme", programme(-1)).raise_for_status()
    cards = []
    for number in NUMBERS:
        made = partner.call("POST", "/sandbox/cards", {"number": number}, key=uuid7()).json()["id"]
        code = partner.call("POST", f"/cards/{number}/codes", {}, key=uuid7()).json()["code"]
        body = {"policy": "code", "code": code}
        partner.call("POST", f"/sandbox/cards/{made}/connect", body, key=uuid7()).raise_for_status()
        cards.append(made)
    return cards


async def _carried(rows: Rows) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(rows.count, "outbox"):
            await asyncio.sleep(0.05)


def test_after_a_storm_of_retries_all_is_as_after_a_clean_run(options: ServiceOptions, is_proof: bool) -> None:
    seed, size, kills = (random.randrange(10**9), 40, 20) if is_proof else (1, 2, 1)
    rows, running = Rows(options), [start(options)]
    try:
        with shop(running[0], "--sandbox") as one, shop(running[0], "--sandbox") as other:
            one_cards, other_cards = connected(one), connected(other)
            base_ms = now_ms() + 1_000
            ops = plan(random.Random(seed), base_ms, size)
            calm(other, plan(random.Random(seed), base_ms, size))
            stormed(running, one, ops, kills, random.Random(seed))
            assert len(running) == kills + 1
            asyncio.run(_carried(rows))
            assert state(rows, one, one_cards) == state(rows, other, other_cards), f"seed {seed}"
            for op in ops[:9]:
                another = one.call("POST", "/balances", {"balances": []}, key=op.key)
                assert_problem(another, 422, "idempotency-key-reused")
    finally:
        running[-1].kill()
