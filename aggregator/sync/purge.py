"""What has waited long enough goes: a body in the bin becomes a tombstone, and a tombstone nobody may still need goes.

A device that was away for longer than tombstones are kept is sent everything anew (`floor`).
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from aggregator import db
from aggregator.sync.live import Pokes
from aggregator.sync.spaces import lock_alone

TOMBSTONE_MS = 400 * 24 * 3_600_000
PAGE_SPACES = 200

AfterPurge = Callable[[uuid.UUID, Sequence[str]], Awaitable[None]]
"""What a package does in the same transaction when bodies under these keys of a space are gone."""

DUE = "SELECT DISTINCT space_id FROM entry WHERE purge_ms <= $1 ORDER BY space_id LIMIT $2"
ENDED = (
    "UPDATE entry SET box = NULL, merchant = NULL, expires_on = NULL, version = $1, purge_ms = $2 "
    "WHERE space_id = $3 AND purge_ms <= $4 AND box IS NOT NULL RETURNING key"
)
DROPPED = "DELETE FROM entry WHERE space_id = $1 AND purge_ms <= $2 AND box IS NULL RETURNING version"


class Purger:
    """Ends what is due, space by space; `after` is what other packages do then."""

    def __init__(self, pokes: Pokes, after: Sequence[AfterPurge]) -> None:
        self._pokes = pokes
        self._after = after

    async def run(self, store: db.Store, now_ms: int) -> None:
        """Everything that is due at `now_ms` (ms since 1970, UTC). Broken off anywhere, the rest stays due."""
        while spaces := await store.read(DUE, now_ms, PAGE_SPACES):
            for row in spaces:
                await self._purge(uuid.UUID(str(row["space_id"])), now_ms)

    async def _purge(self, space_id: uuid.UUID, now_ms: int) -> None:
        """One space, under its lock: a card that was taken out of the bin meanwhile is no longer due."""
        async with db.transaction():
            version = await lock_alone(space_id)
            if version is None:
                return
            await _drop(space_id, now_ms)
            ended = await db.fetch(ENDED, version + 1, now_ms + TOMBSTONE_MS, str(space_id), now_ms)
            changed = {space_id: version + 1} if ended else {}
            if ended:
                await db.fetch("UPDATE space SET version = $1 WHERE id = $2", version + 1, str(space_id))
                for follow in self._after:
                    await follow(space_id, [row["key"] for row in ended])
            await self._pokes.announce(changed)
        self._pokes.poke(changed)


async def _drop(space_id: uuid.UUID, now_ms: int) -> None:
    dropped = await db.fetch(DROPPED, str(space_id), now_ms)
    if dropped:
        highest = max(row["version"] for row in dropped)
        await db.fetch("UPDATE space SET floor = $1 WHERE id = $2 AND floor < $1", highest, str(space_id))
