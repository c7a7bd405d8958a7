"""Notices of offers come to who asked for them, once, at an hour of theirs and not often, and say why."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from aggregator import db
from aggregator.partners import credentials, programmes
from tests.inside import Guest, opened
from tests.linking import PROGRAMME, Linked, carried, link, shop_with
from tests.partners import InsideShop
from tests.pushes import Browser, PushService, push_service
from tests.service import PASSWORD, ServiceOptions, uuid7

ZONE = ZoneInfo("Asia/Yekaterinburg")
NOW = datetime.now(UTC)
# Tomorrow there, so that it is later than what is written now.
TODAY = datetime.now(ZONE).date() + timedelta(days=1)
QUIET = {"from": "22:00", "to": "10:30"}
NUMBER = "7789004455667788"

Story = Callable[[Guest, Browser], Awaitable[None]]
Told = Callable[[Story], None]


@pytest.fixture
def pushes() -> Iterator[PushService]:
    with push_service() as found:
        yield found


def telling(options: ServiceOptions, pushes: PushService) -> Told:
    """Tells a story of somebody who wants to hear of offers."""
    allowed = replace(options, environment={**options.environment, "KARMAN_PRIVATE_HOSTS": pushes.host})

    async def tell(story: Story) -> None:
        async with opened(allowed) as guest:
            browser = Browser(pushes)
            await wish(guest)
            body = {"subscription": browser.subscription(), "language": "ru"}
            await call(guest, "PUT", "/api/reminders/device", body)
            await mutate(guest, "offers.wish", notices=True)
            await story(guest, browser)

    return lambda story: asyncio.run(tell(story))


@pytest.fixture
def told(tmp_path: Path, pushes: PushService) -> Told:
    """On the embedded store."""
    return telling(ServiceOptions(tmp_path), pushes)


@pytest.fixture
def told_on_each(options: ServiceOptions, pushes: PushService) -> Told:
    """On either store."""
    return telling(options, pushes)


async def call(guest: Guest, method: str, path: str, body: Any = None) -> httpx.Response:
    answer = await guest.http.request(method, path, params={"account": guest.account}, json=body)
    assert answer.is_success, answer.text
    return answer


async def mutate(guest: Guest, name: str, **args: Any) -> None:
    assert (await guest.push(name, **args)).json()["results"][0]["status"] == "applied"


async def wish(guest: Guest, quiet: dict[str, str] | None = QUIET, details: bool = False) -> None:
    body = {"on": False, "days": [1], "quiet": quiet, "zone": ZONE.key, "details": details}
    await call(guest, "PUT", "/api/reminders", body)


def at(clock: str = "12:00", days: int = 0) -> int:
    """A moment of the person's day, in ms since 1970, UTC."""
    local = datetime.combine(TODAY + timedelta(days=days), time.fromisoformat(clock), ZONE)
    return round(local.timestamp() * 1000)


async def work(guest: Guest, clock: str = "12:00", days: int = 0) -> None:
    """The background jobs at a time."""
    await guest.work("offer-notices", at(clock, days))
    await guest.work("reminders", at(clock, days))


async def shop_of(guest: Guest, number: str = NUMBER) -> tuple[InsideShop, Linked]:
    """An approved shop, and a card of the guest's that is linked to it."""
    shop = await shop_with(guest, {**PROGRAMME, "name": {"ru": "Лавка", "en": "Corner shop"}})
    await shop.call("PUT", "/programme/claim", {"slug": None})
    await programmes.approve(shop.id, guest.service.directory, 0)
    card = uuid7()
    await mutate(guest, "card.keep", id=card, card={"name": "Лавка", "number": number})
    linked = await link(guest, shop, number, card=card)
    await carried(guest)
    return shop, linked


async def announce(guest: Guest, shop: InsideShop, id: str = "spring", days: float = 60, **fields: Any) -> None:
    """The offer goes live and reaches the cards."""
    until = (NOW + timedelta(days=days)).isoformat()
    usual = {"title": {"ru": "Минус 20 %", "en": "20% off"}, "starts_at": NOW.isoformat(), "ends_at": until}
    usual |= {"audience": {"all": True}, "state": "live", "notify": True}
    answer = await shop.call("PUT", f"/offers/{id}", {**usual, **fields})
    assert answer.is_success, answer.text
    await carried(guest)


def test_a_notice_says_little_and_why_to_the_one_who_asked_once(told_on_each: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        shop, card = await shop_of(guest)
        again = await shop_of(guest)
        await link(guest, shop, NUMBER, card=again[1].card)
        await carried(guest)
        await announce(guest, shop, "silent", notify=False)
        await announce(guest, shop)
        for clock in ("12:00", "12:05", "15:00"):
            await work(guest, clock)
        [pushed] = pushes.take()
        said = browser.read(pushed)
        assert said.pop("card") in {card.card, again[1].card}
        assert said == {"kind": "offer", "language": "ru", "space": guest.space, "offer": "spring", "why": "all"}
        assert b"spring" not in pushed.body
        # Put again it is the same offer.
        await announce(guest, shop, title={"ru": "Минус 30 %"})
        await work(guest, days=1)
        assert pushes.take() == []
        await wish(guest, details=True)
        await announce(guest, shop, "named", audience={"numbers": [NUMBER, *(f"{one:016}" for one in range(19))]})
        await work(guest, days=2)
        said = browser.read(pushes.take()[0])
        assert (said["name"], said["title"], said["why"]) == ("Лавка", "Минус 20 %", "number")

    told_on_each(story)


def test_night_and_quiet_hours_put_a_notice_off_but_not_past_the_offers_end(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        shop, _ = await shop_of(guest)
        until = at("08:00", 1) / 1000 - NOW.timestamp()
        await announce(guest, shop, "tonight", days=until / 86_400)
        await announce(guest, shop)
        came = []
        for day, clock in (
            (0, "21:30"),
            (0, "23:00"),
            (1, "08:59"),
            (1, "09:30"),
            (1, "10:29"),
            (1, "10:31"),
            (2, "12:00"),
        ):
            await work(guest, clock, day)
            came += [(day, clock, browser.read(pushed)["offer"]) for pushed in pushes.take()]
        assert came == [(1, "10:31", "spring")]
        # Without quiet hours of one's own it is the night that counts, and what is wished at the last moment, too.
        await wish(guest, quiet=None)
        await announce(guest, shop, "next")
        await work(guest, "21:00", 9)
        await wish(guest, quiet={"from": "08:00", "to": "20:00"})
        for clock in ("09:01", "19:00", "20:01"):
            await work(guest, clock, 10)
            came += [(10, clock, "next") for _ in pushes.take()]
        assert came[1:] == [(10, "20:01", "next")]

    told(story)


DAY_MS = 86_400_000


def test_a_shop_is_heard_once_a_day_twice_a_week_and_five_times_a_month(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        shop, _ = await shop_of(guest)
        for id in "abcdef":
            await announce(guest, shop, id)
        came: list[tuple[int, str]] = []
        for day in range(45):
            # Nobody sends for a week.
            if 8 <= day < 15:
                continue
            for clock in ("11:00", "20:55"):
                await work(guest, clock, day)
                came += [(day, browser.read(pushed)["offer"]) for pushed in pushes.take()]
        days = [day for day, _ in came]
        assert sorted(id for _, id in came) == [*"abcdef"]
        assert all(later > earlier for earlier, later in pairwise(days))
        assert all(days[place + 2] - days[place] >= 7 for place in range(4))
        assert days[5] - days[0] >= 30

    told(story)


def test_what_comes_late_keeps_its_distance_on_every_device(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        await tell_another_device(guest, Browser(pushes, "two"))
        shop, _ = await shop_of(guest)
        for id in "ab":
            await announce(guest, shop, id)
        await guest.work("offer-notices", at())
        came = []
        for day, clock in ((8, "12:00"), (8, "20:00"), (9, "12:30")):
            await guest.work("reminders", at(clock, day))
            came.append(len(pushes.take()))
        assert came == [2, 0, 2]

    told(story)


async def tell_another_device(guest: Guest, browser: Browser) -> None:
    """The same person signs in once more, and that device is told, too."""
    email = (await guest.http.get("/api/session")).json()["account"]["email"]
    async with httpx.AsyncClient(transport=guest.http._transport, base_url="http://karman") as http:
        signed_in = await http.post("/api/session", json={"email": email, "password": PASSWORD, "device": "tablet"})
        assert signed_in.is_success, signed_in.text
        body = {"subscription": browser.subscription(), "language": "ru"}
        await call(replace(guest, http=http), "PUT", "/api/reminders/device", body)


def test_all_shops_together_are_heard_three_times_a_day(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        for number in range(5):
            shop, _ = await shop_of(guest, f"{number:013}")
            await announce(guest, shop)
        came = []
        for day in range(3):
            for clock in ("12:00", "12:10", "20:30"):
                await work(guest, clock, day)
                came += [day] * len(pushes.take())
        assert came == [0, 0, 0, 1, 1]

    told(story)


def test_what_is_no_longer_so_when_it_would_be_said_is_not_said(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        async def ended(shop: InsideShop, card: Linked, slug: str) -> None:
            await shop.call("DELETE", "/offers/spring")

        async def unlinked(shop: InsideShop, card: Linked, slug: str) -> None:
            await call(guest, "DELETE", f"/api/links/{card.id}")

        async def binned(shop: InsideShop, card: Linked, slug: str) -> None:
            await mutate(guest, "card.bin", id=card.card)

        async def muted(shop: InsideShop, card: Linked, slug: str) -> None:
            await mutate(guest, "offers.wish", slug=slug, muted=True)

        async def silenced(shop: InsideShop, card: Linked, slug: str) -> None:
            await mutate(guest, "offers.wish", notices=False)

        async def disabled(shop: InsideShop, card: Linked, slug: str) -> None:
            await credentials.set_disabled(shop.id, 0)

        async def nothing(shop: InsideShop, card: Linked, slug: str) -> None:
            pass

        for place, happens in enumerate((nothing, ended, unlinked, binned, muted, disabled, silenced)):
            shop, card = await shop_of(guest, f"{uuid.uuid4().int % 10**13:013}")
            slug = ((await card.body()) or {})["slug"]
            await announce(guest, shop)
            # Planned at night, for the morning.
            await work(guest, "22:30", 2 * place)
            assert await db.fetch("SELECT id FROM notice")
            await happens(shop, card, slug)
            await work(guest, "10:31", 2 * place + 1)
            assert len(pushes.take()) == (happens is nothing), happens.__name__
            assert not await db.fetch("SELECT id FROM notice")

    told(story)


def test_who_did_not_ask_or_muted_the_shop_or_has_no_known_zone_is_not_told(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest, browser: Browser) -> None:
        shop, card = await shop_of(guest)
        slug = ((await card.body()) or {})["slug"]
        await mutate(guest, "offers.wish", slug=slug, muted=True)
        await announce(guest, shop)
        await work(guest)
        await mutate(guest, "offers.wish", slug=slug, muted=False)
        await mutate(guest, "offers.wish", notices=False)
        await announce(guest, shop, "second")
        await work(guest)
        await mutate(guest, "offers.wish", notices=True)
        await db.fetch("DELETE FROM reminder_wish")
        await announce(guest, shop, "third")
        await work(guest)
        await wish(guest)
        await announce(guest, shop, "fourth")
        await work(guest)
        assert [browser.read(pushed)["offer"] for pushed in pushes.take()] == ["fourth"]

    told(story)
