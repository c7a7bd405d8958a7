"""Reminders that cards end come on the chosen days, in waking hours, once, and tell nobody else anything."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as some

from aggregator.catalog.quiet import DAY_MINUTES, PersonsDay
from tests.answers import assert_problem
from tests.inside import Guest, opened
from tests.pushes import Browser, Pushed, PushService, push_service
from tests.service import PASSWORD, Person, Running, ServiceOptions, uuid7
from tests.stores import Rows, rotated

ZONE = ZoneInfo("Asia/Yekaterinburg")
# Tomorrow there, so that it is later than what is written now.
TODAY = datetime.now(ZONE).date() + timedelta(days=1)
QUIET = {"from": "22:00", "to": "08:30"}
NAME, NUMBER = "Магнит у дома", "7789004455667788"
TABLES = ("reminder_wish", "reminded", "push_subscription", "notice")

Story = Callable[[Guest], Awaitable[None]]


@pytest.fixture
def pushes() -> Iterator[PushService]:
    with push_service() as found:
        yield found


Told = Callable[[Story], None]


def telling(options: ServiceOptions, pushes: PushService) -> Told:
    """Tells a story at a service that may call the push service."""
    allowed = replace(options, environment={**options.environment, "KARMAN_PRIVATE_HOSTS": pushes.host})

    async def tell(story: Story) -> None:
        async with opened(allowed) as guest:
            await story(guest)

    return lambda story: asyncio.run(tell(story))


@pytest.fixture
def told(tmp_path: Path, pushes: PushService) -> Told:
    """On the embedded store."""
    return telling(ServiceOptions(tmp_path), pushes)


@pytest.fixture
def told_on_each(options: ServiceOptions, pushes: PushService) -> Told:
    """On either store."""
    return telling(options, pushes)


def at(clock: str = "10:00", days: int = 0) -> int:
    """A moment of the person's day, in ms since 1970, UTC."""
    local = datetime.combine(TODAY + timedelta(days=days), time.fromisoformat(clock), ZONE)
    return round(local.timestamp() * 1000)


def in_days(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


async def call(guest: Guest, method: str, path: str, body: Any = None) -> httpx.Response:
    answer = await guest.http.request(method, path, params={"account": guest.account}, json=body)
    assert answer.is_success, answer.text
    return answer


async def wish(guest: Guest, **wishes: Any) -> None:
    chosen = {"on": True, "days": [3, 0], "quiet": QUIET, "zone": ZONE.key, "details": False}
    await call(guest, "PUT", "/api/reminders", {**chosen, **wishes})


async def subscribe(guest: Guest, browser: Browser, language: str = "ru") -> None:
    body = {"subscription": browser.subscription(), "language": language}
    await call(guest, "PUT", "/api/reminders/device", body)


async def work(guest: Guest, clock: str = "10:00", days: int = 0) -> None:
    await guest.work("reminders", at(clock, days))


async def card(guest: Guest, days: int, name: str = NAME, **fields: Any) -> str:
    made = uuid7()
    answer = await guest.push(
        "card.keep", id=made, card={"name": name, "number": NUMBER, "expires_on": in_days(days), **fields}
    )
    assert answer.json()["results"][0]["status"] == "applied"
    return made


async def is_told(guest: Guest) -> bool:
    return bool((await call(guest, "GET", "/api/reminders")).json()["device"])


# ---------------------------------------------------------------- what is said, and to whom


def test_a_reminder_opens_in_its_browser_alone_and_names_neither_shop_nor_number(
    told: Told, pushes: PushService
) -> None:
    async def story(guest: Guest) -> None:
        browser = Browser(pushes)
        await wish(guest)
        await subscribe(guest, browser)
        id = await card(guest, 3)
        await card(guest, 40)
        await work(guest)
        [pushed] = pushes.take()
        said = {"kind": "cards-end", "language": "ru", "count": 1, "cards": [{"id": id, "ends": in_days(3)}]}
        assert browser.read(pushed) == said
        assert id.encode() not in pushed.body
        with pytest.raises(InvalidTag):
            Browser(pushes).read(pushed)
        key = (await call(guest, "GET", "/api/reminders")).json()["key"]
        claims = pushed.claims(key)
        assert claims["aud"] == f"http://{pushes.host}"
        assert 0 < claims["exp"] - datetime.now(UTC).timestamp() <= 86_400
        assert_lives(pushed, 12 * 3_600)

    told(story)


def test_names_are_told_only_to_who_chose_so_and_a_full_wallet_fits_into_one_notice(
    told: Told, pushes: PushService
) -> None:
    async def story(guest: Guest) -> None:
        browser = Browser(pushes)
        await wish(guest, details=True)
        await subscribe(guest, browser, "en")
        for number in range(25):
            await card(guest, 3 if number else 2, f"{number}" + "Ж" * 78)
        await work(guest)
        [pushed] = pushes.take()
        said = browser.read(pushed)
        assert (said["language"], said["count"], len(said["cards"])) == ("en", 25, 10)
        assert (said["cards"][0]["name"][0], said["cards"][0]["ends"]) == ("0", in_days(2))
        assert NUMBER not in str(said)

    told(story)


def test_each_person_of_a_household_is_reminded_once_wherever_the_card_is_moved(
    told_on_each: Told, pushes: PushService
) -> None:
    async def story(guest: Guest) -> None:
        await wish(guest)
        await subscribe(guest, Browser(pushes, "phone"))
        id = await card(guest, 3)
        await work(guest)
        assert [pushed.path for pushed in pushes.take()] == ["/phone"]
        household = (await call(guest, "POST", "/api/households", {"name": "Дом", "own_name": "Аня"})).json()["space"]
        invitations = f"/api/households/{household}/invitations"
        token = (await call(guest, "POST", invitations, {"role": "viewer"})).json()["token"]
        moved = await guest.push("card.move", id=id, to=household)
        assert moved.json()["results"][0]["status"] == "applied"
        credentials = {"email": "friend@example.org", "password": PASSWORD, "device": "test"}
        friend = replace(guest, http=_fresh(guest), account="")
        friend.account = (await friend.http.post("/api/accounts", json=credentials)).json()["account"]["id"]
        await call(friend, "POST", "/api/invitations/join", {"token": token, "own_name": "Петя"})
        for person, name in ((guest, "phone"), (friend, "friend")):
            await wish(person)
            await subscribe(person, Browser(pushes, name))
        for clock in ("11:00", "18:00"):
            await work(guest, clock)
        assert [pushed.path for pushed in pushes.take()] == ["/friend"]
        await friend.http.aclose()

    told_on_each(story)


def _fresh(guest: Guest) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=guest.http._transport, base_url="http://karman")


# ---------------------------------------------------------------- when


def test_the_chosen_days_come_once_each_even_after_days_without_a_server(told: Told, pushes: PushService) -> None:
    async def story(guest: Guest) -> None:
        await wish(guest, days=[30, 14, 7, 1, 0])
        await subscribe(guest, Browser(pushes))
        await card(guest, 32)
        came = []
        for day in range(36):
            # The server is down for two days, and for a day that nothing was to be said on.
            if day in (18, 19, 22):
                continue
            for clock in ("00:10", "08:00", "09:00", "12:30", "21:59", "23:00"):
                await work(guest, clock, day)
                came += [(32 - day, clock)] * len(pushes.take())
        assert came == [(left, "09:00") for left in (30, 12, 7, 1, 0)]

    told(story)


def assert_lives(pushed: Pushed, seconds: int) -> None:
    """The push service keeps it until the quiet hours begin, less what sending took."""
    assert seconds - 10 < int(pushed.headers["ttl"]) <= seconds


def test_nothing_comes_in_quiet_hours_and_what_could_not_be_said_before_them_is_not_said(
    told: Told, pushes: PushService
) -> None:
    async def story(guest: Guest) -> None:
        await wish(guest, quiet={"from": "08:00", "to": "20:00"}, days=[3])
        await subscribe(guest, Browser(pushes))
        await card(guest, 3)
        await work(guest, "15:00")
        assert pushes.take() == []
        pushes.status = 503
        await work(guest, "20:01")
        [waiting] = pushes.take()
        assert_lives(waiting, 4 * 3_600 - 60)
        pushes.status = 201
        await work(guest, "00:30", 1)
        assert pushes.take() == []
        # A server that was down all day comes back at night.
        await wish(guest, days=[3])
        await card(guest, 5)
        await work(guest, "23:00", 2)
        assert pushes.take() == []
        await work(guest, "09:00", 3)
        assert len(pushes.take()) == 1

    told(story)


@given(
    zone=some.sampled_from(["Europe/Moscow", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    quiet=some.none() | some.tuples(*[some.integers(0, DAY_MINUTES - 1)] * 2).filter(lambda pair: pair[0] != pair[1]),
    now=some.integers(1_577_836_800_000, 2_051_222_400_000),
)
def test_every_day_opens_once_outside_of_quiet_hours_whatever_the_clocks_do(
    zone: str, quiet: tuple[int, int] | None, now: int
) -> None:
    day = PersonsDay(ZoneInfo(zone), quiet)
    dates: list[date] = []
    for _ in range(5):
        now = day.next_opening(now)
        local = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
        # Where clocks leap over the hour, the moment stands for the one that was left out.
        leaps = local.utcoffset() != (local - timedelta(hours=3)).astimezone(UTC).astimezone(ZoneInfo(zone)).utcoffset()
        assert day.may_speak(now) or leaps
        assert now < day.closes(now) <= now + 27 * 3_600_000
        dates.append(day.today(now))
    assert len(set(dates)) == 5


# ---------------------------------------------------------------- what changes meanwhile


def test_cards_that_no_longer_end_are_not_spoken_of_even_when_the_notice_was_waiting(
    told: Told, pushes: PushService
) -> None:
    async def story(guest: Guest) -> None:
        browser = Browser(pushes)
        await wish(guest)
        await subscribe(guest, browser)
        binned, renewed, endless, archived, left = [await card(guest, 3) for _ in range(5)]
        pushes.status = 503
        await work(guest)
        assert browser.read(pushes.take()[0])["count"] == 5
        await guest.push("card.bin", id=binned)
        await guest.push("card.set", id=renewed, fields={"expires_on": in_days(90)})
        await guest.push("card.set", id=endless, fields={"expires_on": None})
        await guest.push("card.set", id=archived, fields={"archived": True})
        await work(guest, "11:00")
        assert [shown["id"] for shown in browser.read(pushes.take()[0])["cards"]] == [left]
        pushes.status = 201
        await wish(guest, on=False)
        await work(guest, "13:00")
        assert pushes.take() == []

    told(story)


def test_a_subscription_that_is_gone_goes_and_a_busy_push_service_is_asked_again(
    told: Told, pushes: PushService, tmp_path: Path
) -> None:
    async def story(guest: Guest) -> None:
        await wish(guest, days=[3, 2, 1])
        await subscribe(guest, Browser(pushes))
        await card(guest, 3)
        pushes.status, pushes.answer = 429, {"retry-after": "1800"}
        for clock in ("10:00", "10:20", "10:31"):
            await work(guest, clock)
        assert len(pushes.take()) == 2
        pushes.status, pushes.answer = 201, {}
        for clock in ("11:05", "12:00"):
            await work(guest, clock)
        assert len(pushes.take()) == 1
        for status, left in ((400, True), (410, False)):
            pushes.status = status
            await work(guest, "10:00", 1 if left else 2)
            await work(guest, "12:00", 1 if left else 2)
            assert (len(pushes.take()), await is_told(guest)) == (1, left)
        assert await asyncio.to_thread(Rows(ServiceOptions(tmp_path)).count, "notice") == 0

    told(story)


@pytest.mark.parametrize("wait", ["9" * 30, "9" * 5_000, "-1", "soon"])
def test_a_push_service_that_asks_for_nonsense_is_asked_again_and_delays_nobody(
    told: Told, pushes: PushService, wait: str
) -> None:
    async def story(guest: Guest) -> None:
        await wish(guest)
        await subscribe(guest, Browser(pushes))
        await card(guest, 3)
        pushes.status, pushes.answer = 429, {"retry-after": wait}
        await work(guest)
        pushes.status, pushes.answer = 201, {}
        await work(guest, "10:10")
        assert len(pushes.take()) == 2

    told(story)


def test_an_expired_subscription_and_a_browser_that_changed_hands_are_told_nothing(
    told: Told, pushes: PushService
) -> None:
    async def story(guest: Guest) -> None:
        await wish(guest)
        browser = Browser(pushes)
        expiring = {**browser.subscription(), "expirationTime": at("09:30")}
        await call(guest, "PUT", "/api/reminders/device", {"subscription": expiring, "language": "ru"})
        await card(guest, 3)
        await work(guest)
        assert (pushes.take(), await is_told(guest)) == ([], False)
        await subscribe(guest, browser)
        stranger = replace(guest, http=_fresh(guest), account="")
        credentials = {"email": "next@example.org", "password": PASSWORD, "device": "test"}
        stranger.account = (await stranger.http.post("/api/accounts", json=credentials)).json()["account"]["id"]
        await subscribe(stranger, browser)
        assert (await is_told(guest), await is_told(stranger)) == (False, True)
        await stranger.http.aclose()

    told(story)


def test_the_key_that_signs_notices_outlives_a_rotation_of_keys(tmp_path: Path) -> None:
    async def key(options: ServiceOptions) -> str:
        async with opened(options) as guest:
            found = (await call(guest, "GET", "/api/reminders")).json()["key"]
            await guest.work("reseal-vapid", at())
            under = [await guest.service.vapid.under(id) for id in guest.service.keys.ids]
            assert under == [0] * (len(under) - 1) + [1]
            return str(found)

    before = asyncio.run(key(ServiceOptions(tmp_path)))
    assert asyncio.run(key(rotated(ServiceOptions(tmp_path)))) == before


# ---------------------------------------------------------------- who goes takes it along


def test_a_device_that_goes_is_told_no_more_and_an_account_leaves_nothing(
    told_on_each: Told, pushes: PushService, options: ServiceOptions
) -> None:
    async def story(guest: Guest) -> None:
        email = (await guest.http.get("/api/session")).json()["account"]["email"]
        credentials = {"email": email, "password": PASSWORD, "device": "test"}
        devices = {}
        for name in ("signed-out", "revoked", "told-no-more"):
            devices[name] = replace(guest, http=_fresh(guest))
            answer = await devices[name].http.post("/api/session", json=credentials)
            await subscribe(devices[name], Browser(pushes, name))
            if name == "revoked":
                revoked = answer.json()["device"]["id"]
        await subscribe(guest, Browser(pushes, "stays"))
        await wish(guest)
        await card(guest, 3)
        pushes.status = 503
        await work(guest)
        assert len(pushes.take()) == 4
        await devices["signed-out"].http.delete("/api/session")
        await guest.http.delete(f"/api/devices/{revoked}")
        await call(devices["told-no-more"], "DELETE", "/api/reminders/device")
        await work(guest, "11:00")
        assert [pushed.path for pushed in pushes.take()] == ["/stays"]
        counts = {table: await asyncio.to_thread(Rows(options).count, table) for table in TABLES}
        assert counts == dict.fromkeys(TABLES, 1)
        await guest.http.request("DELETE", "/api/account", json={"password": PASSWORD})
        counts = {table: await asyncio.to_thread(Rows(options).count, table) for table in TABLES}
        assert counts == dict.fromkeys(TABLES, 0)
        for device in devices.values():
            await device.http.aclose()

    told_on_each(story)


def test_what_cannot_be_is_named_and_nothing_of_it_kept(person: Person) -> None:
    def put(path: str, body: dict[str, Any]) -> httpx.Response:
        return person.http.put(path, params={"account": person.account}, json=body)

    for bad, field in (
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"zone": "../../etc/passwd"}, "/zone"),
        ({"quiet": {"from": "24:00", "to": "09:00"}}, "/quiet/from"),
        ({"quiet": {"from": "09:00", "to": "09:00"}}, "/quiet/to"),
        ({"days": []}, "/days"),
        ({"days": [91]}, "/days/0"),
        ({"days": [*range(9)]}, "/days"),
    ):
        problem = assert_problem(put("/api/reminders", {"on": True, **bad}), 422, "invalid")
        assert problem["errors"][0]["pointer"] == field
    with push_service() as service:
        good = Browser(service).subscription()
        bad = ("https://127.0.0.1/x", "http://example.org/x", "https://u@example.org", "https://example.org:99999", "x")
        for endpoint in (*bad, good["endpoint"]):
            body = {"subscription": {**good, "endpoint": endpoint}, "language": "ru"}
            problem = assert_problem(put("/api/reminders/device", body), 422, "invalid")
            assert problem["errors"][0]["pointer"] == "/subscription/endpoint"
        keys = {"p256dh": good["keys"]["auth"], "auth": "AAAA"}
        body = {"subscription": {"endpoint": "https://push.example.org/x", "keys": keys}, "language": "ru"}
        problem = assert_problem(put("/api/reminders/device", body), 422, "invalid")
        assert len(problem["errors"]) == 2
        body["subscription"] = {**good, "endpoint": "https://push.example.org/x", "expirationTime": 1e300}
        problem = assert_problem(put("/api/reminders/device", body), 422, "invalid")
        assert problem["errors"][0]["pointer"] == "/subscription/expirationTime"
    answer = person.http.get("/api/reminders", params={"account": person.account}).json()
    assert (answer["on"], answer["device"], answer["quiet"]) == (False, False, {"from": "22:00", "to": "09:00"})


def test_every_device_of_an_account_sees_the_same_wish(service: Running, person: Person) -> None:
    chosen = {"on": True, "days": [0, 7, 7], "quiet": None, "zone": "Europe/Moscow", "details": True}
    put = person.http.put("/api/reminders", params={"account": person.account}, json=chosen)
    assert put.status_code == 200
    with person.another_device() as other:
        seen = other.http.get("/api/reminders", params={"account": person.account}).json()
    assert {name: seen[name] for name in chosen} == {**chosen, "days": [7, 0]}
