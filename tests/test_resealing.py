"""Shops and holders notice nothing of other keys, nor holders of another normal form of their numbers."""

from collections.abc import Iterator

import pytest

from aggregator import db
from aggregator.crypto import KeyRing, new_ring, read_ring, rotated, without
from aggregator.jobs import now_ms
from aggregator.partners.resealing import PartnerBoxes
from tests.inside import Guest
from tests.partners import InsideShop
from tests.service import ServiceOptions
from tests.street import Street, answer, bodies, card, code_of, connect, fresh_number, street, told

JOB = "reseal-partners"
LATER_MS = 120_000


@pytest.fixture
def world(options: ServiceOptions) -> Iterator[Street]:
    """Shops and people, on a store of their own, since its keys are changed."""
    with street(options) as found:
        yield found


def turn(ring: KeyRing, text: str) -> None:
    """What a restart with other keys does."""
    fresh = read_ring(text)
    ring._keys, ring._current = fresh._keys, fresh._current


async def put(shop: InsideShop, number: str, main: int) -> None:
    as_of = f"2026-01-01T00:00:{main:02}Z"
    stored = await shop.call("PUT", f"/cards/{number}/balance", {"main": main, "as_of": as_of})
    assert stored.json() == {"status": "stored"}, stored.text


async def shown(who: Guest, made: str) -> int:
    """The balance on a card, once everything has been carried."""
    await who.service.office.carrier.deliver(who.store)
    return int((await bodies(who))[made]["balance"]["main"])


async def numbers_of(shop: InsideShop, number: str) -> list[str]:
    """The numbers of the links that a number finds."""
    return [found["number"] for found in (await shop.call("GET", "/links", params={"number": number})).json()["items"]]


def test_a_rotation_of_keys_changes_nothing_for_shops_and_holders(world: Street) -> None:
    async def story() -> None:
        who, keys = world.first, world.first.service.keys
        before = new_ring()
        after = rotated(before)
        [old, _] = read_ring(after).ids
        turn(keys, before)
        shop, slug = await world.shop()
        number, waiting = fresh_number(), fresh_number()
        made = await card(who, slug, number)
        assert (await connect(who, made)).status_code == 201
        await put(shop, number, 1)
        await put(shop, waiting, 1)
        asked = (await connect(who, await card(who, slug, waiting), "challenge")).json()["attempt"]
        code = str(await code_of(shop, asked))
        assert await shown(who, made) == 1
        turn(keys, after)
        # Between the keys.
        await put(shop, number, 2)
        assert (await shown(who, made), await numbers_of(shop, number)) == (2, [number])
        await who.work(JOB, now_ms())
        assert await PartnerBoxes(keys).under(who.store, old) == 0
        assert (await answer(who, asked, code)).status_code == 201
        # Without the old one.
        turn(keys, without(after, old))
        await put(shop, number, 3)
        assert (await shown(who, made), await numbers_of(shop, number)) == (3, [number])
        assert (await shop.call("GET", f"/cards/{waiting}/balance")).json()["main"] == 1
        assert [kind for kind, _ in await told(shop)] == ["link.created", "link.challenge", "link.created"]
        [rows] = await db.fetch("SELECT count(*) FROM balance WHERE partner_id = $1", str(shop.id))
        assert rows[0] == 2
        assert (await shop.call("POST", f"/cards/{number}/reissue")).status_code == 200
        assert made not in await bodies(who)

    world.tell(story())


def test_numbers_in_another_normal_form_are_the_same_cards(world: Street) -> None:
    async def story() -> None:
        who = world.first
        shop, slug = await world.shop(number={"form": "alphanumeric"})
        digits, waiting = fresh_number(), fresh_number()
        made = await card(who, slug, f"ab-{digits}")
        assert (await connect(who, made)).status_code == 201
        await put(shop, f"AB{digits}", 1)
        await put(shop, f"CD{waiting}", 1)
        assert await shown(who, made) == 1
        body = {"name": {"ru": "Лавка"}, "policies": ["open"], "number": {"form": "digits"}}
        assert (await shop.call("PUT", "/programme", body)).status_code == 200
        await put(shop, f"AB{digits}", 2)
        assert (await shown(who, made), await numbers_of(shop, f"AB{digits}")) == (2, [f"AB{digits}"])
        # Somebody comes between the forms, of whom the shop has spoken before.
        late = await card(who, slug, f"cd-{waiting}")
        assert (await connect(who, late)).status_code == 201
        await who.service.office.carrier.deliver(who.store)
        await who.work(JOB, now_ms() + LATER_MS)
        assert await shown(who, late) == 1
        was = await db.fetch("SELECT number_was FROM programme WHERE partner_id = $1", str(shop.id))
        assert was[0][0] is None
        await put(shop, digits, 3)
        assert (await shown(who, made), await numbers_of(shop, digits)) == (3, [digits])
        [rows] = await db.fetch("SELECT count(*) FROM balance WHERE partner_id = $1", str(shop.id))
        assert rows[0] == 2
        # And back, which asks for letters that were not kept.
        assert (await shop.call("PUT", "/programme", {**body, "number": {"form": "alphanumeric"}})).status_code == 200
        await who.work(JOB, now_ms() + LATER_MS)
        await put(shop, f"AB{digits}", 4)
        assert (await shown(who, made), await numbers_of(shop, f"AB{digits}")) == (4, [f"AB{digits}"])

    world.tell(story())
