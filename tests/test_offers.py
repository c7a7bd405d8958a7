"""Shops put offers under their own ids; cards show what is for them, from start to end; nobody is counted alone."""

import asyncio
import io
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec

from aggregator import db
from aggregator.app import opened_store
from aggregator.jobs import now_ms
from aggregator.partners import credentials, numbers, offers, programmes
from aggregator.partners.models import OfferMark
from aggregator.partners.offer_values import Offer
from tests import inside
from tests.answers import assert_problem, pointers
from tests.inside import Guest
from tests.linking import carried, link, shop_with
from tests.partners import InsideShop, Open, inside_shop, opened
from tests.service import PASSWORD, ServiceOptions, uuid7

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


def at(hour: float) -> int:
    """The same in ms since 1970, UTC."""
    return round(datetime.fromisoformat(hours(hour)).timestamp() * 1000)


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
            for id in ("mine", "nobodys", "%00", "é" * 70):
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
            for_card = await offers.for_cards(shop.id, now_ms() + hour * HOUR_MS, blinds)
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
    made = inside.service(options)

    async def story(store: db.Store, partner_id: uuid.UUID) -> None:
        async def put_at(hour: float, **fields: Any) -> None:
            asked = msgspec.convert(offer(**fields), Offer)
            async with db.transaction():
                await offers.put(made.keys, partner_id, "one", asked, at(hour))

        async def turned(hour: float) -> int:
            """How many times the cards are told then, by what has happened since."""
            await offers.turn(store, at(hour))
            return len(await db.fetch("DELETE FROM outbox RETURNING id"))

        await put_at(0, starts_at=hours(24), ends_at=hours(48), audience={"numbers": MANY})
        assert [await turned(hour) for hour in (23, 24.1, 24.2, 47, 48.1, 48.2)] == [0, 1, 0, 0, 1, 0]
        [one] = await offers.page(partner_id, "", 9)
        assert one.state == "ended"
        assert await db.fetch("SELECT blind FROM offer_number") == []
        await put_at(49, ends_at=hours(72))
        await put_at(49, ends_at=hours(72))
        assert [await turned(49), await turned(50)] == [1, 0]
        await put_at(51, ends_at=hours(72), title={"en": "Half price"})
        await put_at(51, ends_at=hours(72), title={"en": "Half price"}, state="draft")
        assert [await turned(52), await turned(80)] == [2, 0]
        await turned(24 * 500)
        assert await offers.page(partner_id, "", 9) == []

    async def tell() -> None:
        async with opened_store(made.settings, made.keys) as store:
            partner_id, _ = await credentials.add_partner("Лавка", False)
            async with db.transaction():
                programme = msgspec.convert(PROGRAMME, programmes.Programme)
                await programmes.put(partner_id, programme, made.directory, at(0))
            await db.fetch("DELETE FROM outbox")
            await story(store, partner_id)

    asyncio.run(tell())


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
        [shown] = (await offers.for_cards(shop.id, now_ms(), ()))("code", None, ())
        assert shown["picture"] == second
        await offers.turn(found.store, now_ms() + 24 * 500 * HOUR_MS)
        assert (await found.http.get(second)).status_code == 404

    told(ServiceOptions(tmp_path), story)


def test_what_people_did_with_an_offer_on_a_card_of_theirs_counts_once_and_for_its_shop(
    options: ServiceOptions,
) -> None:
    async def story(guest: Guest) -> None:
        shop, other = await shop_with(guest), await shop_with(guest)
        await put(shop)
        await put(other)
        await put(shop, "golden", audience={"tiers": ["gold"]})
        card = await link(guest, shop, "7789")
        await carried(guest)
        assert [one["id"] for one in (await card.body() or {})["offers"]] == ["spring"]

        async def mark(offer: str = "spring", kind: str = "seen", **place: str) -> None:
            one = {"space": card.space, "card": card.card, "offer": offer, "kind": kind, **place}
            asked = {"params": {"account": guest.account}, "json": {"marks": [one, one]}}
            assert (await guest.http.post("/api/offers/marks", **asked)).status_code == 204

        for _ in range(2):
            await mark()
            await mark(kind="used")
        await mark("golden")
        await mark(card=uuid7())
        await mark(space=uuid7())
        counted = {(row["offer_id"], row["kind"]) for row in await db.fetch("SELECT offer_id, kind FROM offer_mark")}
        assert counted == {("spring", "seen"), ("spring", "used")}
        assert await marks_of(shop) == 2
        files = (await guest.http.get("/api/account/export", params={"account": guest.account})).content
        with ZipFile(io.BytesIO(files)) as export:
            assert len(json.loads(export.read("offers.json"))["marks"]) == 2
        left = await guest.http.request(
            "DELETE", "/api/account", params={"account": guest.account}, json={"password": PASSWORD}
        )
        assert left.status_code == 204
        assert await marks_of(shop) == 0

    async def tell() -> None:
        async with inside.opened(options) as guest:
            await story(guest)

    asyncio.run(tell())


async def marks_of(shop: InsideShop) -> int:
    [row] = await db.fetch("SELECT count(*) AS marks FROM offer_mark WHERE partner_id = $1", str(shop.id))
    return int(row["marks"])


def test_a_shop_is_told_tens_from_twenty_people_on_and_another_audience_counts_anew(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        await put(shop, audience={"numbers": MANY})

        async def seen_by(people: int) -> int | None:
            known = await marks_of(shop)
            rows = [
                OfferMark(partner_id=shop.id, offer_id="spring", kind="seen", holder=uuid.uuid4().hex)
                for _ in range(people - known)
            ]
            await OfferMark.bulk_create(rows)
            return (await shop.call("GET", "/offers/spring")).json()["counts"]["seen"]  # type: ignore[no-any-return]

        assert [await seen_by(people) for people in (19, 20, 29, 30)] == [None, 20, 20, 30]
        await put(shop, status=200, audience={"numbers": [*reversed(MANY)]}, title={"en": "Half price"})
        assert await seen_by(30) == 30
        for state, left in (("ended", 30), ("live", 0)):
            # Whom it was for is forgotten with its end, so who is meant afterwards counts as another audience.
            await put(shop, status=200, audience={"numbers": MANY}, state=state)
            assert await marks_of(shop) == left
        await put(shop, status=200, audience={"numbers": [MANY[0], *(f"000{one:010}" for one in range(19))]})
        assert await seen_by(19) is None
        await put(shop, status=200, audience={"all": True})
        assert await marks_of(shop) == 0

    told(ServiceOptions(tmp_path), story)
