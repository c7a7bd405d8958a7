"""A service in this process with shops and people, open for all tests of a file: for what happens between them."""

import asyncio
import itertools
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import live, programmes
from aggregator.partners.links import NOBODY, link_from
from aggregator.sync.log import Change, Staged
from aggregator.sync.spaces import lock_some
from tests.inside import Guest, opened, quick_passwords
from tests.partners import InsideShop, inside_shop
from tests.service import PASSWORD, ServiceOptions, uuid7

T = TypeVar("T")
_numbers = itertools.count(7_789_000_000_001)


def fresh_number() -> str:
    """A number that nobody has."""
    return str(next(_numbers))


@dataclass
class Street:
    """`first` is somebody; more people and shops come when they are asked for."""

    first: Guest
    run: Any
    _slugs: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._slugs = (merchant.slug for merchant in self.first.service.directory)

    def tell(self, story: Coroutine[Any, Any, T]) -> T:
        """What a story comes to."""
        found: T = self.run(story)
        return found

    def client(self) -> httpx.AsyncClient:
        """A browser that nobody has used."""
        return httpx.AsyncClient(transport=self.first.http._transport, base_url="http://karman")

    async def person(self) -> Guest:
        """Somebody who has just signed up."""
        http = self.client()
        credentials = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD, "device": "test"}
        with quick_passwords():
            body = (await http.post("/api/accounts", json=credentials)).json()
        return Guest(http, body["account"]["id"], body["space"], uuid7(), self.first.service, self.first.store)

    async def bare_shop(self, *, is_sandbox: bool = False) -> InsideShop:
        """A shop that the operator has just let in."""
        return await inside_shop(self.client(), is_sandbox=is_sandbox)

    async def shop(self, *policies: str, **programme: Any) -> tuple[InsideShop, str]:
        """A shop with an approved programme that offers these policies (all, unless said), and its slug."""
        shop, slug = await self.bare_shop(), next(self._slugs)
        body = {"name": {"ru": "Лавка"}, "policies": policies or ("challenge", "code", "open"), **programme}
        assert (await shop.call("PUT", "/programme", body)).status_code == 200
        assert (await shop.call("PUT", "/programme/claim", {"slug": slug})).status_code == 200
        await programmes.approve(shop.id, self.first.service.directory, now_ms())
        await programmes.allow_open(shop.id, True, now_ms())
        return shop, slug


@contextmanager
def street(options: ServiceOptions) -> Iterator[Street]:
    """A street on this store, inside the block."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        guest = runner.run(stack.enter_async_context(opened(options)))
        try:
            yield Street(guest, runner.run)
        finally:
            runner.run(stack.aclose())


async def card(who: Guest, slug: str, number: str, space: str = "", **fields: Any) -> str:
    """A new card of a shop in the own space, or in another."""
    made = uuid7()
    body = {"name": "Лавка", "merchant": slug, "number": number, **fields}
    answer = await who.push("card.keep", id=made, card=body, **({"space": space} if space else {}))
    assert answer.json()["results"][0]["status"] == "applied", answer.text
    return made


async def connect(who: Guest, card_id: str, policy: str = "open", code: str = "", space: str = "") -> httpx.Response:
    """Connect a card."""
    body = {"space": space or who.space, "card": card_id, "policy": policy} | ({"code": code} if code else {})
    return await who.http.post("/api/links", params={"account": who.account}, json=body)


async def answer(who: Guest, attempt: str, code: str) -> httpx.Response:
    """Answer a challenge."""
    path = f"/api/links/attempts/{attempt}"
    return await who.http.put(path, params={"account": who.account}, json={"code": code})


async def linked(who: Guest, card_id: str, space: str = "") -> str:
    """Connect a card by its number, put what its shop says of it on the card, and give the link's id."""
    made = await connect(who, card_id, space=space)
    assert made.status_code == 201, made.text
    link_id = str(made.json()["link"])
    await show(who, link_id)
    return link_id


async def show(who: Guest, link_id: str) -> None:
    """What a card shows once a balance has come."""
    [row] = await db.fetch("SELECT * FROM link WHERE id = $1", link_id)
    found = link_from(row)
    async with db.transaction():
        spaces = await lock_some([found.space_id])
        change = Change(who.service.keys, NOBODY, now_ms(), spaces)
        history = [{"as_of": live.moment(found.made_ms + 1), "main": 5}]
        body: dict[str, Any] = {"slug": "x", "link": link_id, "policy": found.policy}
        body |= {"since": live.moment(found.made_ms), "unit": {"money": "RUB"}, "offers": [], "history": history}
        change.put(found.space_id, live.key(found.card_id), Staged(body))
        change.keep()
        await change.flush()


async def links_of(who: Guest) -> list[dict[str, Any]]:
    """The links that somebody has."""
    found = await who.http.get("/api/links", params={"account": who.account})
    return list(found.json()["links"])


async def bodies(who: Guest, kind: str = "live") -> dict[str, dict[str, Any]]:
    """What somebody's devices have of a kind of body, by the card."""
    pulled = await who.http.get("/api/sync/pull", params={"account": who.account})
    puts = [put for put in pulled.json()["patch"] if put["op"] == "put" and put["key"].startswith(f"{kind}/")]
    return {put["key"].partition("/")[2]: put["value"] for put in puts}


async def told(shop: InsideShop) -> list[tuple[str, dict[str, Any]]]:
    """Everything that a shop was told."""
    found = await shop.call("GET", "/events", params={"limit": 1_000})
    assert found.status_code == 200, found.text
    return [(item["type"], item["data"]) for item in found.json()["items"]]


async def endings(shop: InsideShop) -> list[tuple[str, str]]:
    """Link and reason of every link that the shop was told the end of."""
    return [(data["link"], data["reason"]) for kind, data in await told(shop) if kind == "link.ended"]


async def code_of(shop: InsideShop, attempt: str) -> str | None:
    """The code that the shop was told for an attempt."""
    [code] = [
        data["code"] for kind, data in await told(shop) if kind == "link.challenge" and data["attempt"] == attempt
    ]
    return None if code is None else str(code)


async def household(who: Guest, *others: Guest) -> str:
    """A household of somebody with others in it."""
    own = {"account": who.account}
    made = await who.http.post("/api/households", params=own, json={"name": "Дом", "own_name": "Анна"})
    space = str(made.json()["space"])
    for other in others:
        asked = await who.http.post(f"/api/households/{space}/invitations", params=own, json={"role": "member"})
        entrance = {"token": asked.json()["token"], "own_name": "Борис"}
        joined = await other.http.post("/api/invitations/join", params={"account": other.account}, json=entrance)
        assert joined.status_code == 200, joined.text
    return space
