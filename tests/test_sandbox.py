"""A sandbox shop plays its holders itself, by the same code as everybody's, and nobody else notices."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aggregator.jobs import now_ms
from aggregator.partners import sandbox
from tests import inside
from tests.answers import assert_problem
from tests.partners import InsideShop, inside_shop
from tests.service import ServiceOptions, uuid7

NUMBER = "7789001234567"
PROGRAMME = {"name": {"en": "Mint"}, "policies": ["challenge", "code"], "unit": {"points": {"en": ["point", "points"]}}}
Story = Callable[[inside.Guest, InsideShop], Awaitable[None]]


def tell(options: ServiceOptions, story: Story) -> None:
    async def run() -> None:
        async with inside.opened(options) as guest:
            guest.http.cookies.clear()
            await story(guest, await inside_shop(guest.http, is_sandbox=True))

    asyncio.run(run())


async def card(shop: InsideShop, number: str = NUMBER) -> str:
    """A new test card."""
    made = await shop.call("POST", "/sandbox/cards", {"number": number}, key=uuid7())
    assert made.status_code == 201, made.text
    return f"/sandbox/cards/{made.json()['id']}"


async def put(shop: InsideShop, main: int, minutes: int = -60) -> None:
    as_of = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    answer = await shop.call("PUT", f"/cards/{NUMBER}/balance", {"main": main, "as_of": as_of})
    assert answer.is_success, answer.text


async def live(shop: InsideShop, path: str, is_there: Callable[[Any], bool]) -> Any:
    """What the holder's phone shows, once it shows what is waited for."""
    async with asyncio.timeout(30):
        while not is_there(found := (await shop.call("GET", path)).json()["live"]):
            await asyncio.sleep(0.02)
    return found


async def told(shop: InsideShop) -> list[tuple[str, Any]]:
    return [(item["type"], item["data"]) for item in (await shop.call("GET", "/events")).json()["items"]]


def test_a_sandbox_shop_goes_the_whole_way_with_a_test_card(options: ServiceOptions) -> None:
    async def story(guest: inside.Guest, shop: InsideShop) -> None:
        path = await card(shop)
        assert_problem(await shop.call("POST", f"{path}/connect", {"policy": "challenge"}), 409, "no-programme")
        assert (await shop.call("PUT", "/programme", PROGRAMME)).is_success
        assert_problem(await shop.call("POST", f"{path}/connect", {"policy": "open"}), 409, "policy-not-offered")
        assert_problem(await shop.call("POST", f"{path}/confirm", {"code": "123456"}), 409, "attempt-gone")
        await put(shop, 1_200)
        assert (await shop.call("GET", path)).json()["live"] is None

        begun = await shop.call("POST", f"{path}/connect", {"policy": "challenge"})
        [(kind, challenge)] = await told(shop)
        assert (begun.status_code, kind, challenge["attempt"]) == (202, "link.challenge", begun.json()["attempt"])
        wrong = f"{(int(challenge['code']) + 1) % 1_000_000:06}"
        assert_problem(await shop.call("POST", f"{path}/confirm", {"code": wrong}), 403, "wrong-code")
        linked = await shop.call("POST", f"{path}/confirm", {"code": challenge["code"]})
        link = linked.json()["link"]
        assert await told(shop) == [
            ("link.challenge", {**challenge, "code": None}),
            ("link.created", {"link": link, "number": NUMBER, "policy": "challenge"}),
        ]
        first = await live(shop, path, lambda body: body is not None and "balance" in body)
        assert (first["link"], first["balance"]["main"]) == (link, 1_200)
        await put(shop, 1_000, minutes=1)
        await put(shop, 900, minutes=2)
        assert (await live(shop, path, lambda body: body["balance"]["main"] == 900))["history"][0]["change"] == -100

        twin = await card(shop)
        till = await shop.call("POST", f"/cards/{NUMBER}/codes", {}, key=uuid7())
        assert_problem(
            await shop.call("POST", f"{twin}/connect", {"policy": "code", "code": "ABCDEFGH"}), 403, "wrong-code"
        )
        by_code = await shop.call("POST", f"{twin}/connect", {"policy": "code", "code": till.json()["code"]})
        assert by_code.status_code == 201
        alert = await live(shop, path, lambda body: "alert" in body)
        assert alert["alert"]["kind"] == "linked-elsewhere"
        assert (await shop.call("DELETE", f"/links/{link}")).status_code == 204
        assert (await shop.call("GET", path)).json()["live"] is None
        assert (await shop.call("DELETE", twin)).status_code == 204
        assert [data["reason"] for kind, data in await told(shop) if kind == "link.ended"] == ["shop", "gone"]
        assert [item["number"] for item in (await shop.call("GET", "/sandbox/cards")).json()["items"]] == [NUMBER]
        assert (await shop.call("GET", "/links")).json()["items"] == []

    tell(options, story)


def test_what_looks_after_peoples_cards_leaves_test_cards_alone(embedded: ServiceOptions) -> None:
    async def story(guest: inside.Guest, shop: InsideShop) -> None:
        assert (await shop.call("PUT", "/programme", PROGRAMME)).is_success
        path, gone = await card(shop), await card(shop)
        begun = await shop.call("POST", f"{path}/connect", {"policy": "challenge"})
        [(_, challenge)] = await told(shop)
        assert (await shop.call("POST", f"{path}/confirm", {"code": challenge["code"]})).is_success
        assert begun.status_code == 202
        await put(shop, 5)
        before = await live(shop, path, lambda body: body is not None and "balance" in body)
        await shop.call("POST", f"{gone}/connect", {"policy": "challenge"})
        await shop.call("DELETE", gone)
        assert (await told(shop))[-1][1]["code"] is None
        for job in guest.service.jobs():
            await job.run(guest.store, now_ms() + 720_000)
        assert (await shop.call("GET", path)).json()["live"] == before

    tell(embedded, story)


def test_test_cards_are_few_and_a_sandboxs_own(embedded: ServiceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_CARDS", 2)

    async def story(guest: inside.Guest, shop: InsideShop) -> None:
        path = await card(shop)
        stranger = await inside_shop(guest.http, is_sandbox=True)
        ordinary = await inside_shop(guest.http)
        calls: list[tuple[str, str, Any]] = [
            ("GET", "", None),
            ("DELETE", "", None),
            ("POST", "/connect", {"policy": "challenge"}),
            ("POST", "/confirm", {"code": "123456"}),
        ]
        for method, rest, body in calls:
            answers = [
                await other.call(method, f"{address}{rest}", body)
                for other in (stranger, ordinary)
                for address in (path, f"/sandbox/cards/{uuid7()}", "/sandbox/cards/x")
            ]
            for answer in answers:
                assert_problem(answer, 404, "not-found")
            assert len({str({**answer.json(), "request_id": ""}) for answer in answers}) == 1
        assert_problem(await ordinary.call("GET", "/sandbox/cards"), 404, "not-found")
        made = await ordinary.call("POST", "/sandbox/cards", {"number": NUMBER}, key=uuid7())
        assert_problem(made, 404, "not-found")
        await card(shop)
        assert_problem(
            await shop.call("POST", "/sandbox/cards", {"number": NUMBER}, key=uuid7()), 409, "too-many-cards"
        )

    tell(embedded, story)
