"""Webhooks carry what the feed says: signed, at least once, in order, patiently, and past whoever does not answer."""

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import deliveries, events, webhooks
from aggregator.partners.deliveries import Sender
from aggregator.partners.events import Bell
from aggregator.partners.webhooks import Webhook
from tests.inside import Guest, opened
from tests.service import ServiceOptions
from tests.shops import TAKEN, Answer, Hooked, Shop, Verify, shop_server, verifier
from tests.test_events import NUMBER, shop

HOUR_MS = 3_600_000


@pytest.fixture
def server() -> Iterator[Shop]:
    with shop_server() as found:
        yield found


@pytest.fixture(scope="module")
def verify() -> Iterator[Verify]:
    with verifier() as found:
        yield found


@dataclass
class Town:
    """A service in this process and one shop that it tells; `later_ms` is how far its clock is ahead."""

    guest: Guest
    server: Shop
    partner_id: uuid.UUID
    later_ms: int = 0

    def clock(self) -> int:
        return now_ms() + self.later_ms

    def sender(self) -> Sender:
        service = self.guest.service
        return Sender(service.keys, service.outbound, Bell(), self.clock)

    async def hook(self, path: str = "/karman", partner_id: uuid.UUID | None = None) -> tuple[Webhook, str]:
        url = self.server.url(path)
        async with db.transaction():
            return await webhooks.add(self.guest.service.keys, partner_id or self.partner_id, url, self.clock())

    async def happen(self, times: int = 1, partner_id: uuid.UUID | None = None) -> list[str]:
        """Something that a shop is told of, so many times; gives the events' ids."""
        ids = []
        for _ in range(times):
            data = events.LinkCreated(uuid.uuid4(), NUMBER, "open")
            async with db.transaction():
                found = partner_id or self.partner_id
                id = await events.record(self.guest.service.keys, found, events.CREATED, data, self.clock())
            ids.append(str(id))
        return ids

    async def told(self, after_ms: int = 0) -> list[Hooked]:
        """What is sent when so much more time has passed."""
        self.later_ms += after_ms
        await self.sender().settle()
        return self.server.take()

    async def faring(self, webhook: Webhook) -> list[dict[str, Any]]:
        return [item for _, item in await webhooks.deliveries(self.guest.store, webhook, None, 0, 1_000)]

    async def state(self, webhook: Webhook) -> str:
        return (await webhooks.found(self.guest.service.keys, webhook.partner_id, webhook.id)).state


Story = Callable[[Town], Awaitable[None]]
Tell = Callable[[Story], None]


def telling(options: ServiceOptions, server: Shop) -> Tell:
    allowed = replace(options, environment={**options.environment, "KARMAN_PRIVATE_HOSTS": server.host})

    async def tell(story: Story) -> None:
        async with opened(allowed) as guest:
            await story(Town(guest, server, await shop()))

    return lambda story: asyncio.run(tell(story))


@pytest.fixture
def tell(tmp_path: Path, server: Shop) -> Tell:
    """On the embedded store."""
    return telling(ServiceOptions(tmp_path), server)


@pytest.fixture
def tell_on_each(options: ServiceOptions, server: Shop) -> Tell:
    """On either store."""
    return telling(options, server)


def test_the_feed_equals_the_webhooks_which_another_library_verifies(tell_on_each: Tell, verify: Verify) -> None:
    async def story(town: Town) -> None:
        _, first = await town.hook("/first")
        _, second = await town.hook("/second")
        await town.happen(7)
        hooked = await town.told()
        keys = town.guest.service.keys
        feed = (await events.page(town.guest.store, keys, town.partner_id, None, 100, town.clock())).events
        for path, secret, other in (("/first", first, second), ("/second", second, first)):
            came = [one for one in hooked if one.path == path]
            assert [one.item() for one in came] == [told.as_item() for told in feed]
            assert [verify(secret, one) for one in came] == [told.as_body() for told in feed]
            assert [verify(other, one) for one in came] == [None] * 7
        one = hooked[0]
        assert verify(first, replace(one, body=one.body.replace(b"open", b"code"))) is None
        assert verify(first, replace(one, headers={**one.headers, "webhook-id": hooked[-1].id})) is None
        assert await town.told() == []

    tell_on_each(story)


def test_a_rotated_secret_signs_beside_its_successor_for_a_day_and_no_repeat_looks_new(
    tell: Tell, verify: Verify
) -> None:
    async def story(town: Town) -> None:
        # Six minutes ago: whoever recorded it cannot send it again.
        town.later_ms = -6 * 60_000
        webhook, old = await town.hook()
        await town.happen()
        [stale] = await town.told()
        assert verify(old, stale) is None
        town.later_ms = 0
        async with db.transaction():
            _, new = await webhooks.rotate(town.guest.service.keys, town.partner_id, webhook.id, town.clock())
        await town.happen()
        [both] = await town.told()
        assert verify(old, both) == verify(new, both) is not None
        town.later_ms = 25 * HOUR_MS
        await town.happen()
        [late] = await town.told()
        assert len(both.headers["webhook-signature"].split()) == 2
        assert len(late.headers["webhook-signature"].split()) == 1

    tell(story)


def test_an_event_is_tried_ten_times_over_three_days_then_given_up_and_sent_again_when_asked(
    tell: Tell, server: Shop
) -> None:
    async def story(town: Town) -> None:
        webhook, _ = await town.hook()
        [id] = await town.happen()
        server.answers = lambda hooked: (301, {"location": server.url("/elsewhere")})
        tries = []
        while (await town.faring(webhook))[0]["state"] == "waiting":
            tries += [(hooked.id, town.later_ms) for hooked in await town.told()]
            [due] = await town.guest.store.read("SELECT next_ms FROM delivery")
            town.later_ms = max(town.later_ms, (due["next_ms"] or 0) - now_ms())
        assert [hooked for hooked, _ in tries] == [id] * 10
        assert 75 <= tries[-1][1] / HOUR_MS <= 84
        assert await town.faring(webhook) == [
            {"event": id, "type": "link.created", "state": "dead", "tries": 10, "status": 301}
            | {"next_try_at": None, "detail": None}
        ]
        server.answers = lambda hooked: TAKEN
        assert await town.told() == []
        async with db.transaction():
            assert await webhooks.replay(webhook, 0, only_dead=True) == 1
        assert [hooked.id for hooked in await town.told()] == [id]
        async with db.transaction():
            assert await webhooks.replay(webhook, 0, only_dead=True) == 0
            assert await webhooks.replay(webhook, 0, only_dead=False) == 1
        assert [hooked.id for hooked in await town.told()] == [id]

    tell(story)


def test_a_shop_that_asks_for_time_gets_it(tell: Tell, server: Shop) -> None:
    async def story(town: Town) -> None:
        await town.hook()
        await town.happen()
        server.answers = lambda hooked: (503, {"retry-after": "7200"})
        assert len(await town.told()) == 1
        assert await town.told(HOUR_MS) == []
        assert len(await town.told(HOUR_MS)) == 1

    tell(story)


def test_gone_switches_a_webhook_off_until_its_shop_asks_for_what_it_missed(tell: Tell, server: Shop) -> None:
    async def story(town: Town) -> None:
        webhook, _ = await town.hook()
        ids = await town.happen(2)
        server.answers = lambda hooked: (410, {})
        assert [hooked.id for hooked in await town.told()] == ids[:1]
        assert await town.state(webhook) == "off"
        assert [item["state"] for item in await town.faring(webhook)] == ["dead", "dead"]
        server.answers = lambda hooked: TAKEN
        ids += await town.happen()
        assert await town.told(HOUR_MS) == []
        async with db.transaction():
            await webhooks.replay(webhook, 0, only_dead=False)
        assert [hooked.id for hooked in await town.told()] == ids
        assert await town.state(webhook) == "on"

    tell(story)


def test_a_webhook_that_fails_for_days_says_so_and_recovers_by_itself(tell: Tell, server: Shop) -> None:
    async def story(town: Town) -> None:
        webhook, _ = await town.hook()
        server.answers = lambda hooked: (500, {})
        for _ in range(6):
            await town.happen()
            await town.told(24 * HOUR_MS)
        assert await town.state(webhook) == "failing"
        await town.happen()
        await town.told()
        assert (await town.faring(webhook))[-1]["state"] == "dead"
        server.answers = lambda hooked: TAKEN
        await town.happen()
        await town.told()
        assert await town.state(webhook) == "on"

    tell(story)


def test_neither_a_silent_shop_nor_a_silent_event_holds_up_others(
    tell: Tell, server: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "PATIENCE_S", 0.05)
    others_came, stuck = threading.Event(), ""

    def answers(hooked: Hooked) -> Answer:
        if hooked.path == "/silent" or hooked.id == stuck:
            assert others_came.wait(30)
        elif sum(one.path == "/quick" for one in server.hooked) >= 4 and hooked.path == "/quick":
            others_came.set()
        return TAKEN

    async def story(town: Town) -> None:
        nonlocal stuck
        silent = await shop()
        await town.hook("/silent", silent)
        await town.hook("/quick")
        await town.happen(6, silent)
        stuck, *_ = await town.happen(4)
        server.answers = answers
        hooked = await town.told()
        assert len(hooked) == 10

    tell(story)


def test_of_two_processes_one_tells_each_event_and_in_its_order(tell_on_each: Tell) -> None:
    async def story(town: Town) -> None:
        await town.hook()
        ids = await town.happen(20)
        await asyncio.gather(*(town.sender().settle() for _ in range(2)))
        assert [hooked.id for hooked in town.server.take()] == ids

    tell_on_each(story)


def test_what_a_killed_process_has_begun_is_told_again_under_the_same_id(tell: Tell, server: Shop) -> None:
    async def story(town: Town) -> None:
        await town.hook()
        ids = await town.happen(2)
        taken, go_on = threading.Event(), threading.Event()

        def answers(hooked: Hooked) -> Answer:
            taken.set()
            assert go_on.wait(30)
            return TAKEN

        server.answers = answers
        killed = asyncio.create_task(town.sender().settle())
        await asyncio.to_thread(taken.wait, 30)
        # Its lease stays, as it does when there is nobody left to hand it on.
        server.answers = lambda hooked: TAKEN
        assert [hooked.id for hooked in await town.told()] == ids[:1]
        assert [hooked.id for hooked in await town.told(deliveries.LEASE_MS + 1_000)] == ids
        go_on.set()
        await killed

    tell(story)


def test_what_comes_while_a_lane_closes_is_told_without_waiting(tell: Tell) -> None:
    async def story(town: Town) -> None:
        bell, service = Bell(), town.guest.service
        await town.hook()
        sender = Sender(service.keys, service.outbound, bell)
        tending = asyncio.create_task(sender.tend())
        ids = []
        async with asyncio.timeout(30):
            for _ in range(5):
                ids += await town.happen()
                bell.ring()
                while len(town.server.hooked) < len(ids):
                    await asyncio.sleep(0.005)
        tending.cancel()
        await asyncio.wait({tending})
        assert [hooked.id for hooked in town.server.take()] == ids

    tell(story)
