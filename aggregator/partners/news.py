"""Whom to wake after a commit: devices that listen, the carrier of what cards show, and the sender of events."""

import uuid
from collections.abc import Callable, Mapping, Sequence

from aggregator.sync.live import Pokes


class News:
    """One process's ways of saying that something has changed: hints, which are made up for where they are lost."""

    def __init__(self, pokes: Pokes, wake: Sequence[Callable[[], None]]) -> None:
        self._pokes = pokes
        self._wake = wake

    async def announce(self, versions: Mapping[uuid.UUID, int]) -> None:
        """Tell the other processes' devices with the commit, inside the transaction."""
        await self._pokes.announce(versions)

    def tell(self, versions: Mapping[uuid.UUID, int] | None = None) -> None:
        """Tell this process, after the commit."""
        self._pokes.poke(versions or {})
        for wake in self._wake:
            wake()
