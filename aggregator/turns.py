"""Whose turn it is in one process: answers that somebody waits for come before work in bulk.

An event loop gives every task a turn in each of its rounds, so an answer that takes ten rounds waits for ten slices of
whatever else is done. Work in bulk therefore waits before each of its slices while there is somebody to be answered.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer that takes longer waits for something else: a photo being read, or a store that is busy.
SOON_S = 0.05
# What a slice waits at most, so that work in bulk goes on however many there are to be answered.
PATIENCE_S = 0.005
LOOK_AGAIN_S = 0.0005

T = TypeVar("T")


class Turns:
    """How many wait for an answer, and until when that counts."""

    def __init__(self) -> None:
        self._waiting = 0
        self._until = 0.0

    def begin(self) -> None:
        """Somebody waits for an answer."""
        self._waiting += 1
        self._until = time.monotonic() + SOON_S

    def end(self) -> None:
        """The answer is there."""
        self._waiting -= 1

    async def give(self) -> None:
        """Let others have their turn, and those first who wait for an answer."""
        await asyncio.sleep(0)
        ends = time.monotonic() + PATIENCE_S
        # An event would belong to one loop, and cost every answer more than this look costs work in bulk.
        while self._waiting and time.monotonic() < min(ends, self._until):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AGAIN_S)

    async def slices(self, rows: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
        """Rows of work in bulk, a slice at each turn; what is one slice waits for nobody."""
        for start in range(0, len(rows), size):
            if start:
                await self.give()
            yield rows[start : start + size]


turns = Turns()


class People:
    """What answers people. Shops' own programs wait at `bulk`, the path below which work in bulk comes in."""

    def __init__(self, app: ASGIApp, bulk: str) -> None:
        self._app = app
        self._bulk = bulk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._bulk):
            await self._app(scope, receive, send)
            return
        is_waiting = True

        def answered() -> None:
            nonlocal is_waiting
            if is_waiting:
                is_waiting = False
                turns.end()

        async def told(message: Message) -> None:
            # A live stream has begun its answer long before it ends.
            answered()
            await send(message)

        turns.begin()
        try:
            await self._app(scope, receive, told)
        finally:
            answered()
