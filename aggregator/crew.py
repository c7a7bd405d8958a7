"""A few threads for heavy work on strangers' data, with a bound on how much of it may wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aggregator.errors import Unavailable

T = TypeVar("T")


class Crew:
    """Runs work off the event loop in `threads` threads while at most `waiting` calls are under way or wait."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting = waiting
        self._taken = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives; raises Unavailable `busy` past the bound."""
        if self._taken >= self._waiting:
            raise Unavailable("busy", "Too much is being asked for at this moment.")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
