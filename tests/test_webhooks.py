"""Webhooks carry what the feed says: signed, at least once, in order, patiently, and past whoever does not answer."""

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import credentials, deliveries, events, selftest, webhooks
from aggregator.partners.deliveries import Sender
from aggregator.partners.events import Bell
from aggregator.partners.webhooks import Webhook
from tests.answers import assert_problem, pointers
from tests.partners import InsideShop, Open, inside_shop, opened
from tests.receivers import TAKEN, Answer, Hooked, Receiver, Verify, receiver, verifier
from tests.service import ServiceOptions
from tests.test_events import NUMBER

HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own sender looks only when it is rung, so that tests have the clock in their hands, and a busy
    machine is quick enough.
    """
    monkeypatch.setattr(deliveries, "POLL_S", 3_600)
    monkeypatch.setattr(selftest, "QUICK_MS", 60_000)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture(scope="module")
def verify() -> Iterator[Verify]:
    with verifier() as found:
        yield found


@dataclass
class Town:
    """A service in this process and one shop that it tells; `later_ms` is how far its clock is ahead."""

    open: Open
    server: Receiver
    shop: InsideShop
    later_ms: int = 0

    def clock(self) -> int:
        return now_ms() + self.later_ms

    def sender(self) -> Sender:
        service = self.open.service
        return Sender(service.keys, service.outbound, Bell(), self.clock)

    async def hook(self, path: str = "/karman", partner_id: uuid.UUID | None = None) -> tuple[Webhook, str]:
        url = self.server.url(path)
        async with db.transaction():
            return await webhooks.add(self.open.service.keys, partner_id or self.shop.id, url, self.clock())

    async def happen(self, times: int = 1, partner_id: uuid.UUID | None = None) -> list[str]:
        """Something that a shop is told of, so many times; gives the events' ids."""
        ids = []
        for _ in range(times):
            data = events.LinkCreated(uuid.uuid4(), NUMBER, "open")
            async with db.transaction():
                found = partner_id or self.shop.id
                id = await events.record(self.open.service.keys, found, events.CREATED, data, self.clock())
            ids.append(str(id))
        return ids

    async def told(self, after_ms: int = 0) -> list[Hooked]:
        """What is sent when so much more time has passed."""
        self.later_ms += after_ms
        await self.sender().settle()
        return self.server.take()

    async def faring(self, webhook_id: uuid.UUID | str) -> list[dict[str, Any]]:
        return list((await self.shop.call("GET", f"/webhooks/{webhook_id}/deliveries")).json()["items"])

    async def state(self, webhook: Webhook) -> str:
        return (await webhooks.found(self.open.service.keys, webhook.partner_id, webhook.id)).state


Story = Callable[[Town], Awaitable[None]]
Tell = Callable[[Story], None]


def telling(options: ServiceOptions, server: Receiver) -> Tell:
    allowed = replace(options, environment={**options.environment, "KARMAN_PRIVATE_HOSTS": server.host})

    async def tell(story: Story) -> None:
        async with opened(allowed) as found:
            await story(Town(found, server, await inside_shop(found.http)))

    return lambda story: asyncio.run(tell(story))


@pytest.fixture
def tell(embedded: ServiceOptions, server: Receiver) -> Tell:
    """On the embedded store."""
    return telling(embedded, server)


@pytest.fixture
def tell_on_each(options: ServiceOptions, server: Receiver) -> Tell:
    """On either store."""
    return telling(options, server)


def test_the_feed_equals_the_webhooks_which_another_library_verifies(tell_on_each: Tell, verify: Verify) -> None:
    async def story(town: Town) -> None:
        _, first = await town.hook("/first")
        _, second = await town.hook("/second")
        await town.happen(7)
        hooked = await town.told()
        keys = town.open.service.keys
        feed = (await events.page(town.open.store, keys, town.shop.id, None, 100, town.clock())).events
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
            _, new = await webhooks.rotate(town.open.service.keys, town.shop.id, webhook.id, town.clock())
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
    tell: Tell, server: Receiver
) -> None:
    async def story(town: Town) -> None:
        webhook, _ = await town.hook()
        [id] = await town.happen()
        server.answers = lambda hooked: (301, {"location": server.url("/elsewhere")})
        tries = []
        while (await town.faring(webhook.id))[0]["state"] == "waiting":
            tries += [(hooked.id, town.later_ms) for hooked in await town.told()]
            [due] = await town.open.store.read("SELECT next_ms FROM delivery")
            town.later_ms = max(town.later_ms, (due["next_ms"] or 0) - now_ms())
        assert [hooked for hooked, _ in tries] == [id] * 10
        assert 75 <= tries[-1][1] / HOUR_MS <= 84
        assert await town.faring(webhook.id) == [
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


def test_a_shop_that_asks_for_time_gets_it(tell: Tell, server: Receiver) -> None:
    async def story(town: Town) -> None:
        await town.hook()
        await town.happen()
        server.answers = lambda hooked: (503, {"retry-after": "7200"})
        assert len(await town.told()) == 1
        assert await town.told(HOUR_MS) == []
        assert len(await town.told(HOUR_MS)) == 1

    tell(story)


def test_gone_switches_a_webhook_off_until_its_shop_asks_for_what_it_missed(tell: Tell, server: Receiver) -> None:
    async def story(town: Town) -> None:
        webhook, _ = await town.hook()
        ids = await town.happen(2)
        server.answers = lambda hooked: (410, {})
        assert [hooked.id for hooked in await town.told()] == ids[:1]
        assert await town.state(webhook) == "off"
        assert [item["state"] for item in await town.faring(webhook.id)] == ["dead", "dead"]
        server.answers = lambda hooked: TAKEN
        ids += await town.happen()
        assert await town.told(HOUR_MS) == []
        async with db.transaction():
            await webhooks.replay(webhook, 0, only_dead=False)
        assert [hooked.id for hooked in await town.told()] == ids
        assert await town.state(webhook) == "on"

    tell(story)


def test_a_webhook_that_fails_for_days_says_so_and_recovers_by_itself(tell: Tell, server: Receiver) -> None:
    async def story(town: Town) -> None:
        webhook, _ = await town.hook()
        server.answers = lambda hooked: (500, {})
        for _ in range(6):
            await town.happen()
            await town.told(24 * HOUR_MS)
        assert await town.state(webhook) == "failing"
        await town.happen()
        await town.told()
        assert (await town.faring(webhook.id))[-1]["state"] == "dead"
        answers = iter([TAKEN, (500, {})])
        server.answers = lambda hooked: next(answers)
        await town.happen(2)
        await town.told()
        assert await town.state(webhook) == "on"
        # What fails now is tried again.
        assert [item["state"] for item in await town.faring(webhook.id)][-2:] == ["delivered", "waiting"]

    tell(story)


def test_neither_a_silent_shop_nor_a_silent_event_holds_up_others(
    tell: Tell, server: Receiver, monkeypatch: pytest.MonkeyPatch
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
        silent = (await inside_shop(town.open.http)).id
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


def test_what_a_killed_process_has_begun_is_told_again_under_the_same_id(tell: Tell, server: Receiver) -> None:
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
        bell, service = Bell(), town.open.service
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


def test_a_shop_keeps_a_few_webhooks_at_public_addresses(tell: Tell) -> None:
    async def story(town: Town) -> None:
        shop, url = town.shop, town.server.url()
        assert_problem(await shop.call("POST", "/webhooks", {"url": url}), 400, "idempotency-key-needed")
        for wrong in ("http://shop.example/", "https://10.0.0.1/", "ftp://shop.example/", "https://a:b@shop.example/"):
            refused = await shop.call("POST", "/webhooks", {"url": wrong}, key="wrong")
            assert (refused.status_code, pointers(refused.json())) == (422, ["/url"])
        made = [await shop.call("POST", "/webhooks", {"url": url}, key=f"hook {n}") for n in (0, 0, 1, 2, 3, 4, 5)]
        assert [answer.status_code for answer in made] == [201] * 6 + [409]
        assert made[0].json() == made[1].json()
        hook = made[0].json()
        shown = (await shop.call("GET", "/webhooks")).json()["items"]
        assert [item["id"] for item in shown] == [answer.json()["id"] for answer in made[1:6]]
        assert "secret" not in shown[0]
        for answer in made[2:6]:
            await shop.call("DELETE", f"/webhooks/{answer.json()['id']}")
        rotated = await shop.call("POST", f"/webhooks/{hook['id']}/secret", key="rotate")
        assert rotated.json()["secret"] != hook["secret"]

    tell(story)


def test_a_shop_pages_through_what_happened_and_has_it_sent_again_from_where_it_likes(tell_on_each: Tell) -> None:
    async def story(town: Town) -> None:
        shop, hook = town.shop, (await town.hook())[0].id
        ids = await town.happen(5)
        assert len(await town.told()) == 5
        found, cursor = [], ""
        for _ in range(4):
            page = await shop.call("GET", f"/events?limit=2{cursor}")
            found += [item["id"] for item in page.json()["items"]]
            assert ("link" in page.headers) == (len(page.json()["items"]) == 2)
            cursor = f"&after={page.json()['next']}"
        assert found == ids
        ids += await town.happen()
        assert [item["id"] for item in (await shop.call("GET", f"/events?{cursor}")).json()["items"]] == ids[5:]
        again = await shop.call("POST", f"/webhooks/{hook}/replay", {"after": cursor.removeprefix("&after=")})
        assert again.json() == {"queued": 1}
        async with asyncio.timeout(30):
            while not all(item["state"] == "delivered" for item in await town.faring(hook)):
                await asyncio.sleep(0.01)
        assert [hooked.id for hooked in town.server.take()] == ids[5:]
        listed = await shop.call("GET", f"/webhooks/{hook}/deliveries?state=delivered&limit=4")
        assert [item["event"] for item in listed.json()["items"]] == ids[:4]
        rest = await shop.call("GET", f"/webhooks/{hook}/deliveries?state=delivered&after={listed.json()['next']}")
        assert ([item["event"] for item in rest.json()["items"]], rest.json()["next"]) == (ids[4:], None)
        # As after a restore from backup.
        await db.fetch("UPDATE store_fact SET value = 'another' WHERE name = 'epoch'")
        assert_problem(await shop.call("GET", f"/events?{cursor}"), 422, "cursor-too-old")

    tell_on_each(story)


def test_another_shops_webhook_and_cursor_are_as_good_as_none(tell: Tell) -> None:
    async def story(town: Town) -> None:
        stranger = await inside_shop(town.open.http)
        webhook, _ = await town.hook()
        await town.happen()
        cursor = (await town.shop.call("GET", "/events")).json()["next"]
        for method, path, body in (
            ("DELETE", "", None),
            ("POST", "/secret", None),
            ("POST", "/replay", {"after": None}),
            ("GET", "/deliveries", None),
        ):
            answers = [
                await stranger.call(method, f"/webhooks/{id}{path}", body, key=uuid.uuid4().hex if body is None else "")
                for id in (webhook.id, uuid.uuid4(), "x")
            ]
            bodies = [{**answer.json(), "request_id": ""} for answer in answers]
            assert [answer.status_code for answer in answers] == [404] * 3
            assert bodies[0] == bodies[1] == bodies[2]
        for text in (cursor, cursor[:-2], "x"):
            assert_problem(await stranger.call("GET", f"/events?after={text}"), 422, "invalid")
        assert (await stranger.call("GET", "/events")).json()["items"] == []
        assert len(await town.told()) == 1

    tell(story)


def test_a_shop_that_was_shut_out_is_told_nothing_until_it_is_let_in(
    tell: Tell, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "RENEW_MS", -1)

    async def story(town: Town) -> None:
        loop = asyncio.get_running_loop()

        def shuts_out(hooked: Hooked) -> Answer:
            ending = credentials.set_disabled(town.shop.id, now_ms())
            asyncio.run_coroutine_threadsafe(ending, loop).result(30)
            return TAKEN

        await town.hook()
        await credentials.set_disabled(town.shop.id, now_ms())
        ids = await town.happen()
        assert await town.told() == []
        await credentials.set_disabled(town.shop.id, None)
        assert [hooked.id for hooked in await town.told()] == ids
        # Nor while it is being told.
        server.answers = shuts_out
        ids = await town.happen(2)
        assert [hooked.id for hooked in await town.told()] == ids[:1]
        await credentials.set_disabled(town.shop.id, None)
        assert [hooked.id for hooked in await town.told(deliveries.LEASE_MS + 1_000)] == ids[1:]

    tell(story)


def test_the_self_test_says_in_words_what_is_right_and_what_is_not(
    tell: Tell, server: Receiver, verify: Verify
) -> None:
    async def story(town: Town) -> None:
        async def checked() -> dict[str, bool]:
            report = (await town.shop.call("POST", "/selftest")).json()["checks"]
            assert "a secret of the shop" not in str(report)
            return {check["name"]: check["ok"] for check in report}

        assert await checked() == {"webhook": False}
        _, secret = await town.hook()
        # It takes whatever comes, then refuses what is forged or old, then knows what it has had, then is gone.
        assert await checked() == {
            "reachable": True, "takes": True, "quick": True, "twice": True, "forged": False, "old": True
        }  # fmt: skip
        server.answers = lambda hooked: TAKEN if verify(secret, hooked) else (400, {"x": "a secret of the shop"})
        assert all((await checked()).values())
        server.answers = lambda hooked: TAKEN if verify(secret, hooked) else (200, {"content-length": "no answer"})
        assert [name for name, ok in (await checked()).items() if not ok] == ["forged", "old"]
        known: set[str] = set()

        def once(hooked: Hooked) -> Answer:
            is_new = hooked.id not in known
            known.add(hooked.id)
            return TAKEN if is_new and verify(secret, hooked) else (409, {})

        server.answers = once
        assert [name for name, ok in (await checked()).items() if not ok] == ["twice"]
        server.answers = lambda hooked: (302, {"location": "http://127.0.0.1:1/"})
        assert await checked() == {"reachable": True, "takes": False, "quick": True}
        assert (await town.shop.call("GET", "/events")).json()["items"] == []

    tell(story)
