"""Answers that somebody waits for come before work in bulk, which goes on all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from aggregator import turns
from aggregator.turns import People, Turns

ROUNDS = 50
BULK = "/partner/v1"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Turns that nobody else takes, of people who wait long."""
    found = Turns()
    monkeypatch.setattr(turns, "turns", found)
    monkeypatch.setattr(turns, "SOON_S", 3_600)
    monkeypatch.setattr(turns, "PATIENCE_S", 3_600)
    return found


async def _rounds() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0.001)


async def _bulk(own: Turns, done: list[int]) -> None:
    async for some in own.slices(range(6), 2):
        done.extend(some)


def test_work_in_bulk_waits_for_whoever_waits_for_an_answer(own: Turns) -> None:
    async def story() -> None:
        done: list[int] = []
        own.begin()
        work = asyncio.create_task(_bulk(own, done))
        await _rounds()
        assert done == [0, 1]
        own.end()
        await work
        assert done == [0, 1, 2, 3, 4, 5]

    asyncio.run(story())


def test_work_in_bulk_goes_on_however_many_wait(own: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.001)
    done: list[int] = []
    own.begin()
    asyncio.run(_bulk(own, done))
    assert done == [0, 1, 2, 3, 4, 5]


def test_nobody_waits_for_an_answer_that_takes_long_for_other_reasons(
    own: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SOON_S", 0)
    done: list[int] = []
    own.begin()
    asyncio.run(_bulk(own, done))
    assert done == [0, 1, 2, 3, 4, 5]


Answer = Callable[[Send], Awaitable[None]]


async def _asked(path: str, answer: Answer) -> None:
    """Ask an application for a path; its answer decides when it begins."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    scope: dict[str, Any] = {"type": "http", "path": path}
    await People(app, BULK)(scope, receive, send)


@pytest.mark.parametrize(("path", "goes_first"), [("/api/sync/pull", True), (f"{BULK}/balances/import", False)])
def test_people_go_first_until_their_answer_begins_and_shops_do_not(own: Turns, path: str, goes_first: bool) -> None:
    async def story() -> None:
        done: list[int] = []

        async def answer(send: Send) -> None:
            work = asyncio.create_task(_bulk(own, done))
            await _rounds()
            assert done == ([0, 1] if goes_first else [0, 1, 2, 3, 4, 5])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            # A stream that lives on keeps nobody waiting.
            await work

        await _asked(path, answer)

    asyncio.run(story())


def test_an_answer_that_breaks_off_keeps_nobody_waiting(own: Turns) -> None:
    async def broken(send: Send) -> None:
        raise ConnectionError

    async def story() -> None:
        with pytest.raises(ConnectionError):
            await _asked("/api/sync/pull", broken)
        done: list[int] = []
        await _bulk(own, done)
        assert done == [0, 1, 2, 3, 4, 5]

    asyncio.run(story())
