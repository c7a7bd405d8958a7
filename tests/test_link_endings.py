"""A link holds while its card is the one that was linked, and its holder's: then everything that it brought goes."""

from collections.abc import Iterator

import pytest

from aggregator.accounts.sessions import iso
from aggregator.jobs import now_ms
from tests.conftest import _options
from tests.inside import Guest
from tests.linking import carried
from tests.service import PASSWORD, code
from tests.street import (
    Street,
    bodies,
    card,
    connect,
    endings,
    fresh_number,
    household,
    linked,
    links_of,
    street,
)

MONTH_MS = 31 * 86_400_000


@pytest.fixture(scope="module")
def world(profile: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Street]:
    """Shops and people."""
    with street(_options(profile, tmp_path_factory.mktemp("endings"), request)) as found:
        yield found


@pytest.mark.parametrize(
    "fields",
    [
        {"number": "7789000000000"},
        {"number": None},
        {"codes": [code("4607001234562")]},
        {"merchant": "magnit"},
    ],
    ids=["number", "no number", "code", "shop"],
)
def test_a_card_that_becomes_another_loses_its_link(world: Street, fields: dict[str, object]) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        made = await card(who, slug, fresh_number())
        link = await linked(who, made)
        assert made in await bodies(who)
        await who.push("card.set", id=made, fields=fields)
        assert await links_of(who) == []
        assert await bodies(who) == {}
        assert await endings(shop) == [(link, "changed")]

    world.tell(story())


def test_what_does_not_change_the_card_leaves_its_link_alone(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        number = fresh_number()
        made = await card(who, slug, number)
        link = await linked(who, made)
        await who.push("card.set", id=made, fields={"note": "моя", "number": f"{number[:4]} {number[4:]}"})
        await who.push("card.bin", id=made)
        await who.push("card.restore", id=made)
        assert [found["id"] for found in await links_of(who)] == [link]
        assert made in await bodies(who)
        assert await endings(shop) == []

    world.tell(story())


def test_a_card_in_the_bin_keeps_its_link_until_the_purge(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        who = await world.person()
        made = await card(who, slug, fresh_number())
        link = await linked(who, made)
        await who.push("card.bin", id=made)
        assert len(await links_of(who)) == 1
        await who.work("purge", now_ms() + MONTH_MS)
        assert await links_of(who) == []
        assert await bodies(who) == await bodies(who, "card") == {}
        assert await endings(shop) == [(link, "gone")]

    world.tell(story())


def test_a_link_goes_with_its_card_into_a_household_and_out_again(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna, boris = await world.person(), await world.person()
        home = await household(anna, boris)
        made = await card(anna, slug, fresh_number())
        link = await linked(anna, made)
        await anna.push("card.move", id=made, to=home)
        assert [(found["id"], found["space"]) for found in await links_of(anna)] == [(link, home)]
        assert (await bodies(boris))[made]["link"] == link
        await anna.push("card.move", id=made, space=home, to=anna.space)
        assert [found["space"] for found in await links_of(anna)] == [anna.space]
        assert await bodies(boris) == {}
        assert await endings(shop) == []

    world.tell(story())


def test_a_link_does_not_follow_the_card_to_where_its_holder_cannot(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna, boris = await world.person(), await world.person()
        home = await household(anna, boris)
        made = await card(anna, slug, fresh_number(), space=home)
        link = await linked(boris, made, space=home)
        await anna.push("card.move", id=made, space=home, to=anna.space)
        assert await links_of(boris) == []
        assert await bodies(anna) == {}
        assert await endings(shop) == [(link, "gone")]

    world.tell(story())


def test_a_card_that_is_changed_and_moved_at_once_loses_its_link_wherever_it_is(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna = await world.person()
        home = await household(anna)
        made = await card(anna, slug, fresh_number())
        link = await linked(anna, made)
        fields = {"number": fresh_number()}
        mutations = [
            {"id": anna.next_id, "name": "card.move", "args": {"space": anna.space, "id": made, "to": home}},
            {"id": anna.next_id + 1, "name": "card.set", "args": {"space": home, "id": made, "fields": fields}},
        ]
        body = {"client": anna.client, "mutations": mutations}
        pushed = await anna.http.post("/api/sync/push", params={"account": anna.account}, json=body)
        assert [result["status"] for result in pushed.json()["results"]] == ["applied", "applied"]
        assert await links_of(anna) == []
        assert await bodies(anna) == {}
        assert await endings(shop) == [(link, "changed")]

    world.tell(story())


def test_whoever_leaves_a_household_takes_the_link_away_unless_somebody_else_has_one(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna, boris = await world.person(), await world.person()
        home = await household(anna, boris)
        both, one = [await card(anna, slug, fresh_number(), space=home) for _ in range(2)]
        first, alone = await linked(boris, both, space=home), await linked(boris, one, space=home)
        second = (await connect(anna, both, space=home)).json()["link"]
        path = f"/api/households/{home}/members/{boris.account}"
        left = await boris.http.delete(path, params={"account": boris.account})
        assert left.status_code == 204
        assert await links_of(boris) == []
        assert {made: body["link"] for made, body in (await bodies(anna)).items()} == {both: second}
        # What the other's link has brought since, and no more.
        assert (await bodies(anna))[both]["history"] == []
        assert sorted(await endings(shop)) == sorted([(first, "gone"), (alone, "gone")])

    world.tell(story())


def test_an_heir_is_offered_what_the_own_link_shows(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop(tiers=[{"id": "gold", "name": {"ru": "Золотой"}}])
        anna, boris = await world.person(), await world.person()
        home, number = await household(anna, boris), fresh_number()
        made = await card(anna, slug, number, space=home)
        code = (await shop.call("POST", f"/cards/{number}/codes", {}, key=number)).json()["code"]
        assert (await connect(boris, made, "code", code, space=home)).status_code == 201
        assert (await connect(anna, made, space=home)).status_code == 201
        await shop.call("PUT", f"/cards/{number}/balance", {"main": 1, "tier": "gold", "as_of": "2026-01-01T00:00:00Z"})
        await shop.call("PUT", "/offers/golden", {**OFFER, "audience": {"tiers": ["gold"]}})
        assert await offered(anna, made) == ["golden"]
        left = await boris.http.delete(
            f"/api/households/{home}/members/{boris.account}", params={"account": boris.account}
        )
        assert left.status_code == 204
        assert await offered(anna, made) == []

    world.tell(story())


OFFER = {"title": {"ru": "Кофе"}, "starts_at": iso(now_ms()), "state": "live"}
OFFER |= {"ends_at": iso(now_ms() + MONTH_MS)}


async def offered(who: Guest, made: str) -> list[str]:
    """The offers on a card, once everything has been carried."""
    await carried(who)
    return [one["id"] for one in (await bodies(who))[made]["offers"]]


def test_an_account_takes_its_links_with_it(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna, boris = await world.person(), await world.person()
        home = await household(anna, boris)
        own, shared = await card(boris, slug, fresh_number()), await card(anna, slug, fresh_number(), space=home)
        ids = [await linked(boris, own), await linked(boris, shared, space=home)]
        gone = await boris.http.request("DELETE", "/api/account", json={"password": PASSWORD})
        assert gone.status_code == 204, gone.text
        assert await bodies(anna) == {}
        assert sorted(await endings(shop)) == sorted((link, "gone") for link in ids)

    world.tell(story())


def test_either_side_ends_a_link_and_a_reissue_ends_all_of_a_number(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        anna, boris = await world.person(), await world.person()
        number = fresh_number()
        cards = [await card(who, slug, number) for who in (anna, boris)]
        by_holder = await linked(anna, cards[0])
        ended = await anna.http.delete(f"/api/links/{by_holder}", params={"account": anna.account})
        assert (ended.status_code, await bodies(anna)) == (204, {})
        by_shop = await linked(anna, cards[0])
        assert (await shop.call("DELETE", f"/links/{by_shop}")).status_code == 204
        assert await bodies(anna) == {}
        again = [await linked(anna, cards[0]), await linked(boris, cards[1])]
        page = await shop.call("GET", "/links", params={"number": f"{number[:3]} {number[3:]}"})
        assert sorted(found["id"] for found in page.json()["items"]) == sorted(again)
        assert (await shop.call("POST", f"/cards/{number}/reissue")).json() == {"status": "reissued"}
        assert await bodies(anna) == await bodies(boris) == {}
        assert (await shop.call("GET", "/links")).json()["items"] == []
        reasons = dict(await endings(shop))
        assert reasons == {by_holder: "holder", by_shop: "shop", again[0]: "reissue", again[1]: "reissue"}

    world.tell(story())
