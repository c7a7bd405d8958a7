"""A number is no key to somebody's account: whoever guesses, repeats, waits, or asks for what is another's gets nothing
and learns nothing.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import attempts, programmes, till_codes
from tests.answers import assert_problem, masked
from tests.conftest import _options
from tests.inside import Guest
from tests.linking import WAITING_FOR_A_LOCK
from tests.partners import InsideShop
from tests.service import PASSWORD, uuid7
from tests.street import (
    Street,
    answer,
    bodies,
    card,
    code_of,
    connect,
    endings,
    fresh_number,
    household,
    linked,
    links_of,
    street,
    told,
)

WRONG = "no code"


@pytest.fixture(scope="module")
def world(profile: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Street]:
    """Shops and people."""
    with street(_options(profile, tmp_path_factory.mktemp("attacks"), request)) as found:
        yield found


async def begun(who: Guest, made: str) -> str:
    """A challenge for a card; gives the attempt."""
    found = await connect(who, made, "challenge")
    assert found.status_code == 202, found.text
    assert found.json().keys() == {"attempt", "expires_at"}
    return str(found.json()["attempt"])


async def till_code(shop: InsideShop, number: str, **body: object) -> str:
    """A code that the shop hands out."""
    made = await shop.call("POST", f"/cards/{number}/codes", body, key=uuid7())
    assert made.status_code == 201, made.text
    return str(made.json()["code"])


async def challenges(shop: InsideShop) -> int:
    """How often the shop was asked to send a code."""
    return sum(kind == "link.challenge" for kind, _ in await told(shop))


async def carried(who: Guest) -> None:
    """Everything that waits for cards has reached them."""
    await who.service.office.carrier.deliver(who.store)


# ---------------------------------------------------------------- guessing


def test_the_code_that_the_shop_sends_links_the_card_once(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        number = fresh_number()
        attempt = await begun(who, await card(who, slug, f"{number[:5]} {number[5:]}"))
        code = await code_of(shop, attempt)
        assert code is not None
        found = await answer(who, attempt, code)
        assert found.status_code == 201
        [made] = await links_of(who)
        assert (made["id"], made["slug"], made["policy"]) == (found.json()["link"], slug, "challenge")
        assert (await told(shop))[1:] == [
            ("link.created", {"link": made["id"], "number": number, "policy": "challenge"})
        ]
        assert await code_of(shop, attempt) is None
        assert_problem(await answer(who, attempt, code), 404, "attempt-gone")

    world.tell(story())


def test_five_wrong_codes_end_a_challenge_however_many_come_at_once(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        attempt = await begun(who, await card(who, slug, fresh_number()))
        code = await code_of(shop, attempt)
        tries = await asyncio.gather(*(answer(who, attempt, WRONG) for _ in range(12)))
        codes = [found.json()["code"] for found in tries]
        assert (codes.count("wrong-code"), codes.count("attempt-gone")) == (5, 7)
        assert_problem(await answer(who, attempt, str(code)), 404, "attempt-gone")
        assert await code_of(shop, attempt) is None
        assert await links_of(who) == []

    world.tell(story())


def test_a_right_code_sent_many_times_at_once_makes_one_link(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        attempt = await begun(who, await card(who, slug, fresh_number()))
        code = str(await code_of(shop, attempt))
        tries = await asyncio.gather(*(answer(who, attempt, code) for _ in range(6)))
        assert sorted(found.status_code for found in tries) == [201, *[404] * 5]
        assert len(await links_of(who)) == 1

    world.tell(story())


def test_an_account_tries_ten_times_a_day_and_a_new_challenge_replaces_the_last(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        made = await card(who, slug, fresh_number())
        first, second = await begun(who, made), await begun(who, made)
        assert await code_of(shop, first) is None
        assert_problem(await answer(who, first, WRONG), 404, "attempt-gone")
        assert_problem(await answer(who, second, WRONG), 403, "wrong-code")
        tries = [await connect(who, made, "code", "ABCDEFGH") for _ in range(8)]
        assert {found.status_code for found in tries} == {403}
        late = await connect(who, made, "challenge")
        assert_problem(late, 429, "too-many-attempts")
        assert 0 < int(late.headers["retry-after"]) <= 86_400
        assert_problem(await connect(who, made), 429, "too-many-attempts")

    world.tell(story())


def test_a_number_is_asked_about_five_times_a_day_and_nobody_sees_when_it_no_longer_is(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        number = fresh_number()
        people = [await world.person() for _ in range(7)]
        begins = [await connect(who, await card(who, slug, number), "challenge") for who in people]
        ids = [found.json()["attempt"] for found in begins]
        assert await challenges(shop) == 5
        for found, attempt in zip(begins, ids, strict=True):
            times = found.json()["expires_at"], begins[0].json()["expires_at"]
            assert masked(found, attempt, times[0]) == masked(begins[0], ids[0], times[1])
        for _ in range(6):
            asked, silent = await answer(people[0], ids[0], WRONG), await answer(people[6], ids[6], WRONG)
            assert masked(asked, ids[0]) == masked(silent, ids[6])
        assert silent.status_code == 404

    world.tell(story())


def test_leaving_and_coming_again_gives_no_more_tries_at_a_number(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        number = fresh_number()
        attempts = []
        for _ in range(4):
            who = await world.person()
            home = await household(who)
            for space in (who.space, home):
                made = await card(who, slug, number, space=space)
                attempts.append((await connect(who, made, "challenge", space=space)).json()["attempt"])
            parted = await who.http.delete(
                f"/api/households/{home}/members/{who.account}", params={"account": who.account}
            )
            gone = await who.http.request("DELETE", "/api/account", json={"password": PASSWORD})
            assert (parted.status_code, gone.status_code) == (204, 204)
        assert len(attempts) == 8
        assert await challenges(shop) == 5
        assert {await code_of(shop, attempt) for attempt in attempts[:5]} == {None}

    world.tell(story())


def test_codes_of_the_till_die_of_wrong_tries(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        number = fresh_number()
        people = [await world.person() for _ in range(3)]
        cards = [await card(who, slug, number) for who in people]
        short, own = await till_code(shop, number, short=True), await till_code(shop, number, code="123456")
        assert short.isdigit()
        long = await till_code(shop, number)
        for _ in range(5):
            assert_problem(await connect(people[0], cards[0], "code", WRONG), 403, "wrong-code")
        for dead in (short, own):
            assert_problem(await connect(people[1], cards[1], "code", dead), 403, "wrong-code")
        for _ in range(3):
            assert_problem(await connect(people[0], cards[0], "code", WRONG), 403, "wrong-code")
        assert_problem(await connect(people[2], cards[2], "code", long), 403, "wrong-code")
        fresh = await till_code(shop, number)
        spelt = f"{fresh[:4]}-{fresh[4:]}".lower().replace("0", "o").replace("1", "l")
        assert (await connect(people[2], cards[2], "code", spelt)).status_code == 201
        assert await challenges(shop) == 0

    world.tell(story())


# ---------------------------------------------------------------- what is for something else


def test_a_code_is_good_for_its_number_its_programme_ten_minutes_and_one_link(world: Street) -> None:
    async def story() -> None:
        (shop, slug), (other, other_slug) = await world.shop(), await world.shop()
        who, later = await world.person(), await world.person()
        number, another = fresh_number(), fresh_number()
        code = await till_code(shop, number)
        for wrong in (await card(who, slug, another), await card(who, other_slug, number)):
            assert_problem(await connect(who, wrong, "code", code), 403, "wrong-code")
        made = await card(who, slug, number)
        assert (await connect(who, made, "code", code)).status_code == 201
        again = await card(later, slug, number)
        assert_problem(await connect(later, again, "code", code), 403, "wrong-code")
        expired, reissued = await till_code(shop, number), await till_code(other, number)
        await db.fetch("UPDATE till_code SET expires_ms = $1 WHERE partner_id = $2", now_ms(), str(shop.id))
        assert (await other.call("POST", f"/cards/{number}/reissue")).status_code == 200
        assert_problem(await connect(later, again, "code", expired), 403, "wrong-code")
        theirs = await card(later, other_slug, number)
        assert_problem(await connect(later, theirs, "code", reissued), 403, "wrong-code")
        assert len(await links_of(who)) == 1

    world.tell(story())


@pytest.mark.parametrize("how", ["expired", "reissued", "changed", "moved to a stranger"])
def test_a_challenge_is_over_when_its_card_or_its_time_is(world: Street, how: str) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        number = fresh_number()
        made = await card(who, slug, number)
        attempt = await begun(who, made)
        code = str(await code_of(shop, attempt))
        if how == "expired":
            await db.fetch("UPDATE link_attempt SET expires_ms = $1 WHERE id = $2", now_ms(), attempt)
        elif how == "reissued":
            assert (await shop.call("POST", f"/cards/{number}/reissue")).status_code == 200
            assert await code_of(shop, attempt) is None
        elif how == "changed":
            await who.push("card.set", id=made, fields={"number": fresh_number()})
        else:
            stranger = await world.person()
            assert_problem(await answer(stranger, attempt, code), 404, "attempt-gone")
            await who.push("card.bin", id=made)
        assert_problem(await answer(who, attempt, code), 404, "attempt-gone")
        assert await links_of(who) == []

    world.tell(story())


def test_cards_that_no_shop_or_no_holder_stands_behind_are_not_linked(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop("challenge", "open")
        who, viewer = await world.person(), await world.person()
        made = await card(who, slug, fresh_number())
        await programmes.allow_open(shop.id, False, now_ms())
        assert_problem(await connect(who, made), 409, "policy-not-offered")
        assert_problem(await connect(who, made, "code", "ABCDEFGH"), 409, "policy-not-offered")
        assert_problem(await connect(who, await card(who, slug, "---"), "challenge"), 409, "no-number")
        assert_problem(await connect(who, await card(who, "no-such-shop", "1"), "challenge"), 409, "no-programme")
        sandbox = await world.bare_shop(is_sandbox=True)
        assert (await sandbox.call("PUT", "/programme", {"name": {"en": "Test"}})).status_code == 200
        claim = (await sandbox.call("PUT", "/programme/claim", {"slug": None})).json()
        assert_problem(await connect(who, await card(who, claim["slug"], "1"), "challenge"), 409, "no-programme")
        home = await household(who, viewer)
        path = f"/api/households/{home}/members/{viewer.account}"
        await who.http.patch(path, params={"account": who.account}, json={"role": "viewer"})
        shared = await card(who, slug, fresh_number(), space=home)
        assert_problem(await connect(viewer, shared, "challenge", space=home), 403, "view-only")
        await who.push("card.bin", id=made)
        assert_problem(await connect(who, made, "challenge"), 404, "not-found")

    world.tell(story())


@pytest.mark.parametrize("profile", ["grown"], indirect=True)
def test_a_reissue_ends_the_link_that_is_made_at_that_moment(world: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who, number = await world.person(), fresh_number()
        attempt = await begun(who, await card(who, slug, number))
        code = str(await code_of(shop, attempt))
        began, may_end = _slow(monkeypatch, attempts, "make")
        answering = asyncio.create_task(answer(who, attempt, code))
        await began.wait()
        reissuing = asyncio.create_task(shop.call("POST", f"/cards/{number}/reissue"))
        while not await who.store.read(WAITING_FOR_A_LOCK):
            assert not reissuing.done()
            await asyncio.sleep(0.01)
        may_end.set()
        assert [(await one).status_code for one in (answering, reissuing)] == [201, 200]
        assert await links_of(who) == []

    world.tell(story())


@pytest.mark.parametrize("profile", ["grown"], indirect=True)
def test_a_code_of_the_till_that_a_reissue_voids_while_it_is_looked_at_links_nothing(
    world: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who, number = await world.person(), fresh_number()
        made, code = await card(who, slug, number), await till_code(shop, number)
        began, may_end = _slow(monkeypatch, till_codes, "_live")
        connecting = asyncio.create_task(connect(who, made, "code", code))
        await began.wait()
        assert (await shop.call("POST", f"/cards/{number}/reissue")).status_code == 200
        may_end.set()
        assert_problem(await connecting, 403, "wrong-code")
        assert await links_of(who) == []

    world.tell(story())


def _slow(patch: pytest.MonkeyPatch, module: object, name: str) -> tuple[asyncio.Event, asyncio.Event]:
    """A function stays at its end: events that it is there, and that it may go on."""
    began, may_end, plain = asyncio.Event(), asyncio.Event(), getattr(module, name)

    async def slow(*given: Any) -> Any:
        found = await plain(*given)
        began.set()
        await may_end.wait()
        return found

    patch.setattr(module, name, slow)
    return began, may_end


# ---------------------------------------------------------------- who sees what


def test_a_second_person_who_types_the_number_sees_nothing(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop("challenge", "code")
        holder, stranger = await world.person(), await world.person()
        number = fresh_number()
        made = await card(holder, slug, number)
        assert (await connect(holder, made, "code", await till_code(shop, number))).status_code == 201
        typed = await card(stranger, slug, number)
        attempt = await begun(stranger, typed)
        body = {"main": 1_250, "as_of": "2026-01-01T00:00:00Z"}
        assert (await shop.call("PUT", f"/cards/{number}/balance", body)).status_code == 200
        await carried(holder)
        assert (await bodies(holder))[made]["balance"]["main"] == 1_250
        unheld = await card(stranger, slug, fresh_number())
        nobodys = await begun(stranger, unheld)
        known, unknown = await answer(stranger, attempt, WRONG), await answer(stranger, nobodys, WRONG)
        assert masked(known, attempt) == masked(unknown, nobodys)
        assert await bodies(stranger) == {}
        assert await links_of(stranger) == []
        assert "alert" not in (await bodies(holder))[made]

    world.tell(story())


def test_two_holders_of_one_number_may_both_link_it_and_the_first_is_alerted(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna, boris = await world.person(), await world.person()
        number = fresh_number()
        annas = await card(anna, slug, number)
        assert (await connect(anna, annas, "code", await till_code(shop, number))).status_code == 201
        await carried(anna)
        assert "alert" not in (await bodies(anna))[annas]
        boriss = await card(boris, slug, number)
        assert (await connect(boris, boriss, "code", await till_code(shop, number))).status_code == 201
        await carried(anna)
        assert (await bodies(anna))[annas]["alert"]["kind"] == "linked-elsewhere"
        assert "alert" not in (await bodies(boris))[boriss]
        assert_problem(await connect(anna, annas), 409, "already-linked")

    world.tell(story())


def test_a_shop_reaches_only_what_it_was_asked_about(world: Street) -> None:
    async def story() -> None:
        (shop, slug), (other, _) = await world.shop(), await world.shop()
        who = await world.person()
        number = fresh_number()
        made = await card(who, slug, number)
        link = await linked(who, made)
        unlinked = await card(who, slug, fresh_number())
        for path in (f"/cards/{number}/balance", f"/cards/{fresh_number()}/balance"):
            body = {"main": 1, "as_of": "2026-01-01T00:00:00Z"}
            assert (await other.call("PUT", path, body)).json() == {"status": "stored"}
        assert (await other.call("POST", f"/cards/{number}/reissue")).json() == {"status": "reissued"}
        for asked in ({"number": number}, {"number": fresh_number()}, {}):
            assert (await other.call("GET", "/links", params=asked)).json() == {"items": [], "next": None}
        await carried(who)
        assert (await bodies(who)).keys() == {made}
        assert "balance" not in (await bodies(who))[made]
        assert await endings(shop) == await told(other) == []
        assert unlinked not in await bodies(who)
        assert [found["id"] for found in await links_of(who)] == [link]

    world.tell(story())


def test_ids_of_others_are_answered_like_random_ones(world: Street) -> None:
    async def story() -> None:
        (shop, slug), (other, _) = await world.shop(), await world.shop()
        who, stranger = await world.person(), await world.person()
        link = await linked(who, await card(who, slug, fresh_number()))
        attempt = await begun(who, await card(who, slug, fresh_number()))

        async def of_person(method: str, path: str) -> httpx.Response:
            body = {"code": "123456"} if method == "PUT" else None
            return await stranger.http.request(method, path, params={"account": stranger.account}, json=body)

        for method, path, id in (
            ("DELETE", "/api/links/{}", link),
            ("PUT", "/api/links/attempts/{}", attempt),
            ("PUT", "/api/links/attempts/{}", link),
            ("DELETE", "/api/links/{}", attempt),
        ):
            nobodys = uuid7()
            known, random = await of_person(method, path.format(id)), await of_person(method, path.format(nobodys))
            assert known.status_code == 404
            assert masked(known, id) == masked(random, nobodys)
        for id in (link, attempt, "x", str(shop.id)):
            nobodys = uuid7()
            known, random = await other.call("DELETE", f"/links/{id}"), await other.call("DELETE", f"/links/{nobodys}")
            assert known.status_code == 404
            assert masked(known, id) == masked(random, nobodys)
        assert len(await links_of(who)) == 1
        assert_problem(await answer(who, attempt, WRONG), 403, "wrong-code")

    world.tell(story())
