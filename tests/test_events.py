"""What a shop is told comes in one order without gaps, whole and readable to nobody else, and codes go when they are
over."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import events
from tests.partners import InsideShop, Open, inside_shop, opened
from tests.service import ServiceOptions

Story = Callable[[Open, InsideShop], Awaitable[None]]
NUMBER = "7789001234567"


def tell(options: ServiceOptions, story: Story) -> None:
    async def run() -> None:
        async with opened(options) as found:
            await story(found, await inside_shop(found.http))

    asyncio.run(run())


def challenge(minutes: int = 10, code: str = "808080") -> events.Challenge:
    return events.Challenge(uuid.uuid4(), NUMBER, code, datetime.now(UTC) + timedelta(minutes=minutes))


async def record(found: Open, partner_id: uuid.UUID, data: events.Challenge, *, fails: bool = False) -> None:
    async with db.transaction():
        await events.record(found.service.keys, partner_id, events.CHALLENGE, data, now_ms())
        if fails:
            raise LookupError


async def feed(found: Open, partner_id: uuid.UUID, after: int | None = None, limit: int = 1_000) -> events.Page:
    return await events.page(found.store, found.service.keys, partner_id, after, limit, now_ms())


def test_the_feed_is_the_order_of_commits_and_has_no_gaps(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        partner_id = shop.id
        seen: list[events.Told] = []

        async def write(turn: int) -> None:
            with suppress(LookupError):
                await record(found, partner_id, challenge(), fails=turn % 3 == 0)

        async def read() -> None:
            while len(seen) < 20:
                page = await feed(found, partner_id, seen[-1].seq if seen else None, 5)
                seen.extend(page.events)
                await asyncio.sleep(0.01)

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(read())
            for turn in range(30):
                group.create_task(write(turn))
        assert [told.seq for told in seen] == list(range(1, 21))
        whole = await feed(found, partner_id)
        assert whole.events == seen
        assert not whole.is_torn

    tell(options, story)


def test_a_code_is_told_until_its_attempt_is_over_and_never_after(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        partner_id, stranger = shop.id, (await inside_shop(found.http)).id
        spent, open_, late = challenge(), challenge(), challenge(minutes=-1)
        for data in (spent, open_, late):
            await record(found, partner_id, data)
        before = (await feed(found, partner_id)).events
        async with db.transaction():
            await events.blank(found.service.keys, stranger, open_.attempt)
            await events.blank(found.service.keys, partner_id, spent.attempt)
        after = (await feed(found, partner_id)).events
        assert [told.data["code"] for told in before] == ["808080", "808080", None]
        assert [told.data["code"] for told in after] == [None, "808080", None]
        assert [told.id for told in after] == [told.id for told in before]
        assert after[0].data["attempt"] == str(spent.attempt)
        await events.tidy(found.service.keys, found.store, now_ms())
        boxes = await found.store.read("SELECT id, box FROM event WHERE partner_id = $1 ORDER BY seq", str(partner_id))
        kept = [b"808080" in found.service.keys.open(bytes(row["box"]), f"event/{row['id']}".encode()) for row in boxes]
        assert kept == [False, True, False]

    tell(options, story)


def test_events_go_after_30_days_and_whoever_had_not_read_them_is_told_so(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        partner_id = shop.id
        for _ in range(4):
            await record(found, partner_id, challenge())
        old = "UPDATE event SET made_ms = $2 WHERE partner_id = $1 AND seq <= 2"
        await db.fetch(old, str(partner_id), now_ms() - 31 * 86_400_000)
        await events.tidy(found.service.keys, found.store, now_ms())
        pages = [await feed(found, partner_id, after) for after in (None, 0, 1, 2, 4)]
        assert [[told.seq for told in page.events] for page in pages] == [[3, 4], [3, 4], [3, 4], [3, 4], []]
        assert [page.is_torn for page in pages] == [False, True, True, False, False]
        assert pages[-1].last == 4

    tell(options, story)


def test_what_an_event_says_is_what_its_kind_says() -> None:
    with pytest.raises(TypeError):
        asyncio.run(events.record(None, uuid.uuid4(), events.CREATED, challenge(), 0))  # type: ignore[arg-type]
