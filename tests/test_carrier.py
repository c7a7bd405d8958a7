"""What shops say reaches linked cards, whatever else happens at the same moment."""

import asyncio
import contextvars
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import live, outbox
from aggregator.partners.balances import Balances
from aggregator.partners.carrier import Carrier
from aggregator.partners.linked import Linked as Bodies
from aggregator.partners.links import of_number
from aggregator.partners.live import moment
from aggregator.partners.numbers import blinds as blinds_of
from aggregator.sync.spaces import lock_some
from tests.inside import Guest
from tests.linking import PROGRAMME, WAITING_FOR_A_LOCK, Linked, carried, link, number, pulled
from tests.partners import InsideShop


def said(main: int, at_ms: int, **more: Any) -> dict[str, Any]:
    return {"main": main, "as_of": moment(at_ms), **more}


async def put(shop: InsideShop, number: str, main: int, at_ms: int = 0, **more: Any) -> None:
    answer = await shop.call("PUT", f"/cards/{number}/balance", said(main, at_ms or now_ms(), **more))
    assert answer.is_success, answer.text


def test_a_balance_reaches_the_card_before_and_after_the_link(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one, since = number(), now_ms()
        await put(shop, one, 100, since - 60_000, tier="gold")
        card = await link(guest, shop, one, made_ms=since)
        await carried(guest)
        body = await card.body()
        assert body is not None
        assert body["balance"] == {
            "main": 100,
            "pending": 0,
            "expiring": [],
            "tier": {"id": "gold", "name": {"en": "Gold"}},
            "as_of": moment(since - 60_000),
        }
        assert (body["link"], body["policy"], body["since"]) == (card.id, "challenge", moment(since))
        await put(shop, one, 70, since + 2)
        await put(shop, one, 90, since + 1)
        await carried(guest)
        body = await card.body()
        assert body is not None
        assert [(step["main"], step.get("change")) for step in body["history"]] == [(70, -20), (90, -10), (100, None)]
        assert body["balance"]["main"] == 70

    at(story)


def test_a_new_link_alerts_the_standing_ones_of_others_only(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one = number()
        first = await link(guest, shop, one, made_ms=1_000)
        own = await link(guest, shop, one, made_ms=2_000)
        await carried(guest)
        assert "alert" not in (await first.body() or {"alert": 1})
        await db.fetch("UPDATE link SET account_id = NULL WHERE id = $1", own.id)
        await outbox.add([outbox.link_row(shop.id, (await blinds(own))[0], 2_000)])
        await carried(guest)
        assert (await first.body() or {})["alert"] == {"kind": "linked-elsewhere", "at": moment(2_000)}
        assert "alert" not in (await own.body() or {"alert": 1})

    at(story)


async def blinds(card: Linked) -> list[str]:
    return [row[0] for row in await card.guest.store.read("SELECT blind FROM link WHERE id = $1", card.id)]


def test_what_a_programme_changes_reaches_all_of_its_cards_page_by_page(
    at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.partners.carrier.BATCH", 2)

    async def story(guest: Guest, shop: InsideShop) -> None:
        numbers = [number() for _ in range(5)]
        cards = [await link(guest, shop, one) for one in numbers]
        for one in numbers:
            await put(shop, one, 5, tier="silver")
        await carried(guest)
        tiers = [{"id": "silver", "name": {"en": "Argentum"}}]
        assert (await shop.call("PUT", "/programme", {**PROGRAMME, "tiers": tiers})).is_success
        await outbox.add([outbox.programme_row(shop.id, now_ms()) for _ in range(3)])
        # A process that dies between two pages leaves the place to go on from.
        await guest.service.office.carrier._attempt(guest.service.office.carrier._page)
        assert await guest.store.read("SELECT 1 FROM outbox WHERE kind = 'programme' AND box IS NOT NULL")
        await carried(guest)
        names = [(await card.body() or {})["balance"]["tier"]["name"]["en"] for card in cards]
        assert names == ["Argentum"] * 5

    at(story)


def test_a_row_that_cannot_be_carried_is_put_aside_and_stops_no_other(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one, other = number(), number()
        card, second = await link(guest, shop, one), await link(guest, shop, other)
        await carried(guest)
        broken = outbox.balance_row(shop.id, (await blinds(card))[0], b"no box", now_ms())
        await outbox.add([broken])
        await put(shop, other, 7)
        await carried(guest)
        assert await second.main() == 7
        [row] = await guest.store.read("SELECT id, kind FROM outbox WHERE partner_id = $1", str(shop.id))
        assert (str(row["id"]), row["kind"]) == (broken.id, "failed-balance")
        await put(shop, one, 8)
        await carried(guest)
        assert await card.main() == 8

    at(story)


def test_an_error_of_our_own_costs_only_the_row_that_it_is_about(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one, other = number(), number()
        card, second = await link(guest, shop, one), await link(guest, shop, other)
        await carried(guest)
        [poison] = await blinds(card)
        tell = Bodies.tell

        async def failing(self: Bodies, errands: Any, at_ms: int) -> Any:
            if any(errand.blind == poison for errand in errands):
                raise RuntimeError("a mistake")
            return await tell(self, errands, at_ms)

        monkeypatch.setattr(Bodies, "tell", failing)
        await put(shop, one, 1)
        await put(shop, other, 2)
        await carried(guest)
        assert (await card.main(), await second.main()) == (None, 2)
        assert await guest.store.read("SELECT 1 FROM outbox WHERE kind = 'failed-balance'")

    at(story)


def test_what_changes_nothing_on_a_card_pokes_nobody(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one = number()
        await link(guest, shop, one)
        await put(shop, one, 5)
        await carried(guest)
        before = await pulled(guest)
        [row] = await guest.store.read("SELECT partner_id, blind, box FROM balance WHERE partner_id = $1", str(shop.id))
        await outbox.add([outbox.balance_row(shop.id, row["blind"], bytes(row["box"]), now_ms())])
        await carried(guest)
        assert await pulled(guest) == before

    at(story)


def test_a_card_of_two_members_shows_the_first_link_until_it_ends(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one = number()
        first = await link(guest, shop, one, made_ms=1_000)
        second = await link(guest, shop, one, made_ms=2_000, card=first.card)
        await put(shop, one, 5)
        await carried(guest)
        assert (await first.body() or {})["link"] == first.id
        await db.fetch("DELETE FROM link WHERE id = $1", first.id)
        await outbox.add([outbox.link_row(shop.id, (await blinds(second))[0], now_ms())])
        await carried(guest)
        body = await first.body() or {}
        assert (body["link"], body["since"], body["balance"]["main"]) == (second.id, moment(2_000), 5)

    at(story)


# ---------------------------------------------------------------- at the same moment


async def shows(card: Linked, main: int) -> None:
    """Everything is carried, and the card shows this."""
    await carried(card.guest)
    assert await card.main() == main


@pytest.mark.parametrize("profile", ["grown"], indirect=True)
def test_a_put_and_a_link_miss_each_other_whichever_commits_first(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one = number()
        began, may_end = asyncio.Event(), asyncio.Event()

        async def slow_link() -> Linked:
            async with db.transaction():
                made = await link(guest, shop, one)
                began.set()
                await may_end.wait()
            return made

        linking = asyncio.create_task(slow_link())
        await began.wait()
        await put(shop, one, 1)
        await carried(guest)
        may_end.set()
        card = await linking
        await shows(card, 1)

        other = number()
        began.clear()
        may_end.clear()

        async def slow_put() -> None:
            async with db.transaction():
                rows = [msgspec.Raw(msgspec.json.encode({"number": other, **said(2, now_ms())}))]
                await Balances(guest.service.keys).put(shop.id, rows, now_ms())
                began.set()
                await may_end.wait()

        putting = asyncio.create_task(slow_put())
        await began.wait()
        second = await link(guest, shop, other)
        await carried(guest)
        may_end.set()
        await putting
        await shows(second, 2)

    at(story)


@pytest.mark.parametrize("profile", ["grown"], indirect=True)
def test_a_card_that_moves_while_its_space_is_waited_for_is_told_where_it_is(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one = number()
        card = await link(guest, shop, one)
        await put(shop, one, 1)
        await carried(guest)
        account = {"account": guest.account}
        made = await guest.http.post("/api/households", params=account, json={"name": "Home", "own_name": "Ann"})
        away = made.json()["space"]
        await put(shop, one, 2)
        async with db.transaction():
            await lock_some([uuid.UUID(card.space), uuid.UUID(away)])
            carrying = asyncio.create_task(carried(guest), context=contextvars.Context())
            while not await guest.store.read(WAITING_FOR_A_LOCK):
                assert not carrying.done()
                await asyncio.sleep(0.01)
            await db.fetch("UPDATE link SET space_id = $1 WHERE id = $2", away, card.id)
            await db.fetch("UPDATE entry SET space_id = $1 WHERE key = $2", away, live.key(card.card))
        await carrying
        # Its box is bound to the space that it stood in, so the body was made anew, with what was said meanwhile.
        assert await card.main() == 2

    at(story)


def test_whatever_happens_at_once_ends_in_the_newest_balance(at: Any, is_proof: bool) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        keys, pokes = guest.service.keys, guest.service.pokes
        carriers = [Carrier(keys, pokes) for _ in range(3)]
        for turn in range(200 if is_proof else 4):
            since = now_ms()
            numbers = [number() for _ in range(4)]
            puts = [put(shop, one, second, since + second) for one in numbers for second in (2, 3, 1)]
            links = [link(guest, shop, one, made_ms=since) for one in numbers]
            looks = [carrier.deliver(guest.store) for carrier in carriers for _ in range(3)]
            more = [outbox.add([outbox.programme_row(shop.id, since)])]
            jobs = [*puts, *links, *looks, *more]
            random.Random(turn).shuffle(jobs)
            await asyncio.gather(*jobs)
            await carried(guest)
            found = [row async for row in _bodies(guest, numbers, shop)]
            assert [body["balance"]["main"] for body in found] == [3] * 4
            # What was carried before the link was there is not in its history.
            assert all([3, *(main for main in (2, 1) if main in steps)] == steps for steps in map(_steps, found))

    at(story)


def _steps(body: dict[str, Any]) -> list[int]:
    return [step["main"] for step in body["history"]]


async def _bodies(guest: Guest, numbers: Sequence[str], shop: InsideShop) -> AsyncIterator[dict[str, Any]]:
    """What the cards of these numbers show."""
    bodies = {put["key"]: put["value"] for put in await pulled(guest) if put["op"] == "put"}
    for one in numbers:
        [made] = await of_number(shop.id, blinds_of(guest.service.keys, shop.id, one))
        yield bodies[live.key(made.card_id)]
