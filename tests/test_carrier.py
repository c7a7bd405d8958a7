"""What shops say reaches linked cards, whatever else happens at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import outbox
from aggregator.partners.carrier import Carrier
from aggregator.partners.linked import Linked as Bodies
from aggregator.partners.live import moment
from tests import inside
from tests.inside import Guest
from tests.linking import PROGRAMME, Linked, carried, link, number, pulled, shop_with
from tests.partners import InsideShop
from tests.service import ServiceOptions


def said(main: int, at_ms: int, **more: Any) -> dict[str, Any]:
    return {"main": main, "as_of": moment(at_ms), **more}


async def put(shop: InsideShop, number: str, main: int, at_ms: int = 0, **more: Any) -> None:
    answer = await shop.call("PUT", f"/cards/{number}/balance", said(main, at_ms or now_ms(), **more))
    assert answer.is_success, answer.text


Story = Callable[[Guest, InsideShop], Awaitable[None]]


@pytest.fixture(scope="module")
def at(fresh_options: Callable[[], ServiceOptions]) -> Iterator[Callable[[Story], None]]:
    """Runs stories of somebody and a new shop at one service in this process, which carries when it is told to."""
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Carrier, "tend", _idle)
        stay = AsyncExitStack()
        guest = runner.run(stay.enter_async_context(inside.opened(fresh_options())))

        async def run(story: Story) -> None:
            await story(guest, await shop_with(guest))

        yield lambda story: runner.run(run(story))
        runner.run(stay.aclose())


async def _idle(self: Carrier, store: db.Store) -> None:
    await asyncio.Event().wait()


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
