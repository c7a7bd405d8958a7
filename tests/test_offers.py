"""Shops put offers under their own ids; cards show what is for them, from start to end; nobody is counted alone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import numbers, offers
from tests.answers import assert_problem, pointers
from tests.partners import InsideShop, Open, inside_shop, opened
from tests.service import ServiceOptions

PROGRAMME = {
    "name": {"ru": "Лавка", "en": "Corner shop"},
    "tiers": [{"id": "gold", "name": {"ru": "Золотой"}}, {"id": "base", "name": {"ru": "Обычный"}}],
}
NOW = datetime.now(UTC)
HOUR_MS = 3_600_000
MANY = [f"77890{place:08}" for place in range(25)]

Story = Callable[[Open, InsideShop], Awaitable[None]]


def told(options: ServiceOptions, story: Story) -> None:
    """Tell a story of a shop with a programme at a service in this process."""

    async def tell() -> None:
        async with opened(options) as found:
            await story(found, await with_programme(found))

    asyncio.run(tell())


async def with_programme(found: Open) -> InsideShop:
    shop = await inside_shop(found.http)
    answer = await shop.call("PUT", "/programme", PROGRAMME)
    assert answer.is_success, answer.text
    return shop


def hours(number: float) -> str:
    """A moment so many hours from now."""
    return (NOW + timedelta(hours=number)).isoformat()


def offer(**fields: Any) -> dict[str, Any]:
    usual = {"title": {"ru": "Минус 20 %", "en": "20% off"}, "starts_at": hours(-1), "ends_at": hours(5)}
    return {**usual, "audience": {"all": True}, "state": "live", **fields}


async def put(shop: InsideShop, id: str = "spring", status: int = 201, **fields: Any) -> dict[str, Any]:
    answer = await shop.call("PUT", f"/offers/{id}", offer(**fields))
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_an_offer_is_put_under_the_shops_own_id_and_read_back(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        made = await put(shop, text={"ru": "Две строки:\nвот вторая"}, audience={"tiers": ["gold", "base", "gold"]})
        assert made["counts"] == {"seen": None, "opened": None, "used": None}
        assert (made["state"], made["audience"]) == ("live", {"tiers": ["base", "gold"]})
        assert (await put(shop, status=200, title={"en": "30% off"}))["title"] == {"en": "30% off"}
        await put(shop, "another", audience={"numbers": MANY}, state="draft")
        assert (await shop.call("GET", "/offers/another")).json()["audience"] == {"count": len(MANY)}
        page = (await shop.call("GET", "/offers?limit=1")).json()
        assert [one["id"] for one in page["items"]] == ["another"]
        rest = (await shop.call("GET", f"/offers?limit=1&after={page['next']}")).json()
        assert ([one["id"] for one in rest["items"]], rest["next"]) == (["spring"], None)

    told(ServiceOptions(tmp_path), story)


def test_another_shops_offer_is_as_unknown_as_one_that_nobody_has(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        await put(shop, "mine", state="draft")
        other = await with_programme(found)
        for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/picture"), ("DELETE", "/picture")):
            for id in ("mine", "nobodys"):
                assert_problem(await other.call(method, f"/offers/{id}{path}", content=b""), 404, "not-found")
        await put(other, "mine", audience={"all": True})
        assert (await shop.call("GET", "/offers/mine")).json()["state"] == "draft"
        assert (await other.call("GET", "/offers")).json()["items"][0]["state"] == "live"

    told(ServiceOptions(tmp_path), story)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"title": {"ru": "б" * 51}}, "/title"),
    ({"title": {}}, "/title"),
    ({"title": {"ru": "Скидка\n"}}, "/title"),
    ({"text": {"ru": "Скидка \x07"}}, "/text"),
    ({"terms": {"ru": "нет \u202eксидок"}}, "/terms/ru"),
    ({"text": {"a" * 9: "x"}}, "/text"),
    ({"ends_at": hours(-2)}, "/ends_at"),
    ({"ends_at": hours(24 * 800)}, "/ends_at"),
    ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at"),
    ({"starts_at": "2026-01-01T00:00:00"}, "/starts_at"),
    ({"audience": {}}, "/audience"),
    ({"audience": {"all": True, "tiers": ["gold"]}}, "/audience"),
    ({"audience": {"tiers": ["gold", "platinum"]}}, "/audience/tiers/1"),
    ({"audience": {"numbers": [*MANY, "—"]}}, "/audience/numbers/25"),
    ({"audience": {"numbers": [f"{one:012}" for one in range(10_001)]}}, "/audience/numbers"),
    ({"state": "gone"}, "/state"),
    ({"picture": "https://elsewhere.example/x.png"}, "/picture"),
]


def test_what_cannot_be_shown_or_meant_is_refused_by_name(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        for fields, pointer in REFUSED:
            refused = await shop.call("PUT", "/offers/spring", offer(**fields))
            assert pointers(assert_problem(refused, 422, "invalid")) == [pointer], fields
        written = [one for number in MANY[:19] for one in (number, f" {number[:5]}-{number[5:]}")]
        refused = await shop.call("PUT", "/offers/spring", offer(audience={"numbers": written}))
        assert_problem(refused, 422, "audience-too-small")
        assert_problem(await shop.call("GET", "/offers/spring"), 404, "not-found")
        assert_problem(await shop.call("PUT", "/offers/a%20b", offer()), 422, "invalid")
        await put(shop, audience={"numbers": [*written, MANY[19]]})
        nameless = await inside_shop(found.http)
        assert_problem(await nameless.call("PUT", "/offers/spring", offer()), 409, "no-programme")

    told(ServiceOptions(tmp_path), story)


def test_twenty_are_live_at_once_and_one_that_ended_makes_room(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        for place in range(20):
            await put(shop, f"offer-{place}", starts_at=hours(place), ends_at=hours(30))
        await put(shop, "past", ends_at=hours(-0.5))
        await put(shop, "draft", state="draft")
        assert_problem(await shop.call("PUT", "/offers/draft", offer()), 409, "too-many-live")
        assert (await shop.call("DELETE", "/offers/offer-3")).status_code == 204
        assert (await shop.call("DELETE", "/offers/offer-3")).status_code == 204
        await put(shop, "draft", 200)
        # A full house does not keep a shop from saying what is in it.
        await put(shop, "offer-4", 200, title={"ru": "Иначе"})
        assert (await shop.call("GET", "/offers/past")).json()["state"] == "ended"

    told(ServiceOptions(tmp_path), story)


def test_cards_show_what_is_for_them_from_start_to_end(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        keys = found.service.keys

        async def shown(
            tier: str | None = None, number: str = "", hour: int = 0, policy: str = "code"
        ) -> dict[str, str]:
            blinds = numbers.blinds(keys, shop.id, number)
            for_card = await offers.on_cards(shop.id, now_ms() + hour * HOUR_MS, blinds)
            return {one["id"]: one["why"] for one in for_card(policy, tier or None, blinds)}

        await put(shop, "everybody", ends_at=hours(2))
        await put(shop, "golden", audience={"tiers": ["gold"]})
        await put(shop, "named", audience={"numbers": MANY})
        await put(shop, "tomorrow", starts_at=hours(24), ends_at=hours(48))
        await put(shop, "draft", state="draft")
        assert await shown() == {"everybody": "all"}
        assert await shown("base", "1" * 13) == {"everybody": "all"}
        assert await shown("gold", MANY[7]) == {"everybody": "all", "golden": "tier", "named": "number"}
        # Whoever typed a number is not yet its holder.
        assert await shown("gold", MANY[7], policy="open") == {"everybody": "all"}
        await put(shop, "named", 200, audience={"numbers": MANY[:7] + MANY[8:]})
        assert await shown("gold", MANY[7], hour=1) == {"everybody": "all", "golden": "tier"}
        assert await shown("gold", MANY[8], hour=3) == {"golden": "tier", "named": "number"}
        assert await shown(hour=25) == {"tomorrow": "all"}
        await shop.call("DELETE", "/offers/golden")
        assert await shown("gold") == {"everybody": "all"}

    told(options, story)


def test_cards_are_told_when_an_offer_starts_and_when_it_ends(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        async def turned(hour: float) -> int:
            """How many times the cards were told."""
            await offers.turn(found.store, now_ms() + round(hour * HOUR_MS))
            return len(await db.fetch("DELETE FROM outbox WHERE kind = 'programme' RETURNING id"))

        await put(shop, "tomorrow", starts_at=hours(24), ends_at=hours(48), audience={"numbers": MANY})
        await turned(0)
        assert [await turned(hour) for hour in (23, 24.1, 24.2, 47, 48.1, 48.2)] == [0, 1, 0, 0, 1, 0]
        assert (await shop.call("GET", "/offers/tomorrow")).json()["state"] == "ended"
        assert await db.fetch("SELECT blind FROM offer_number") == []
        await put(shop, "tomorrow", 200, starts_at=hours(24), ends_at=hours(72))
        assert (await shop.call("GET", "/offers/tomorrow")).json()["state"] == "live"
        await put(shop, "tomorrow", 200, ends_at=hours(72))
        assert [await turned(1), await turned(1)] == [1, 0]
        await put(shop, "tomorrow", 200, ends_at=hours(72))
        assert await turned(1) == 0
        await turned(24 * 500)
        assert (await shop.call("GET", "/offers")).json()["items"] == []

    told(options, story)


def test_an_offers_picture_is_made_anew_and_goes_with_it(tmp_path: Path, red_picture: bytes) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        await put(shop)
        headers = {"Content-Type": "image/png"}
        answers = [
            await shop.call("PUT", "/offers/spring/picture", content=red_picture, headers=headers) for _ in range(2)
        ]
        first, second = (answer.json()["picture"] for answer in answers)
        assert (await found.http.get(first)).status_code == 404
        assert (await found.http.get(second)).headers["content-type"] == "image/webp"
        assert (await put(shop, status=200))["picture"] == second
        [shown] = (await offers.on_cards(shop.id, now_ms(), ()))("code", None, ())
        assert shown["picture"] == second
        await offers.turn(found.store, now_ms() + 24 * 500 * HOUR_MS)
        assert (await found.http.get(second)).status_code == 404

    told(ServiceOptions(tmp_path), story)
