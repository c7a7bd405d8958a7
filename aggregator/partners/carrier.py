"""Carries to linked cards what the outbox holds, in every process: woken after a commit, and every few seconds for what
a process that died has left.

take rows ──▶ links of their numbers ──▶ lock spaces in id order ──▶ links and bodies as they are by then
      └── deleted ◀── one commit ◀── versions ◀── bodies, sealed ◀──┘                   pokes after it
"""

import asyncio
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import asyncpg
from tortoise.exceptions import IntegrityError

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.jobs import now_ms as clock_ms
from aggregator.partners import outbox
from aggregator.partners.linked import Errand, Linked, LinksMoved, Offers, Told, no_offers
from aggregator.sync.live import Pokes

BATCH = 250
LOOK_EVERY_S = 5.0
OUTAGE_S = 2.0
# So that what is done for a held number is not heard in the answer to whoever comes next.
PAUSE_S = (0.01, 0.03)
ATTEMPTS = 8
FAILED = "failed-"

# What was put aside stays for the operator, and nobody waits for it.
ON_THEIR_WAY = "outbox WHERE kind IN ('balance', 'link', 'programme')"
WAITING = f"SELECT 1 FROM {ON_THEIR_WAY} LIMIT 1"  # noqa: S608 - constants
FIELDS = "id, partner_id, kind, blind, box"
OF_NUMBERS = "SELECT id FROM outbox WHERE kind IN ('balance', 'link') ORDER BY id LIMIT $1"
TAKE_ON_SQLITE = f"DELETE FROM outbox WHERE id IN ({OF_NUMBERS}) RETURNING {FIELDS}"  # noqa: S608 - constants
TAKE = (
    f"WITH taken AS MATERIALIZED ({OF_NUMBERS} FOR UPDATE SKIP LOCKED) "  # noqa: S608 - constants
    "DELETE FROM outbox o USING taken WHERE o.id = taken.id RETURNING o.id, o.partner_id, o.kind, o.blind, o.box"
)
PROGRAMME = "SELECT id, partner_id, box FROM outbox WHERE kind = 'programme' ORDER BY id LIMIT 1"
# A pass that begins after them sees all that they are about.
ALIKE = "SELECT id FROM outbox WHERE kind = 'programme' AND partner_id = $1 AND box IS NULL AND id <> $2"
NUMBERS = "SELECT DISTINCT blind FROM link WHERE partner_id = $1 AND blind > $2 ORDER BY blind LIMIT $3"
# What the store itself refuses of some row; everything else that it raises is an outage.
REFUSED = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, sqlite3.IntegrityError, IntegrityError)

SET_ASIDE = "UPDATE outbox SET kind = $1 || kind WHERE id = $2"

Work = Callable[[], Awaitable[Told | None]]
"""A piece of work inside the open transaction; None where there was none."""

_log = logging.getLogger("karman.carrier")


class Carrier:
    """This process's carrier; any number of processes carry at a time on PostgreSQL."""

    def __init__(self, keys: KeyRing, pokes: Pokes, offers: Offers = no_offers) -> None:
        self._linked = Linked(keys, offers)
        self._pokes = pokes
        self._awake = asyncio.Event()
        self._alone = asyncio.Lock()
        self._taken: Sequence[str] = ()
        self._singles = 0

    def wake(self) -> None:
        """Something was added to the outbox; to be called after the commit."""
        self._awake.set()

    async def tend(self, store: db.Store) -> None:
        """Carry what this process's calls have added, and what others left; endless."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), LOOK_EVERY_S)
                await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311
            self._awake.clear()
            try:
                await self.deliver(store)
            except db.STORE_ERRORS as error:
                _log.warning("what shops said waits for the store: %s", error)
                await asyncio.sleep(OUTAGE_S)

    async def deliver(self, store: db.Store) -> None:
        """Carry everything that waits and that nobody else carries at this moment; raises what the store raises."""
        async with self._alone:
            while await store.read(WAITING):
                has_carried = await self._attempt(self._batch)
                if not await self._attempt(self._page) and not has_carried:
                    return

    async def _attempt(self, work: Work) -> bool:
        """Do a piece of work, and tell whether there was any. Rows of one that fails are tried one by one, and a row
        that fails alone is put aside: it must not stop the others.
        """
        try:
            return await self._done(work)
        except Exception as error:
            if isinstance(error, db.STORE_ERRORS) and not isinstance(error, REFUSED):
                raise
            _log.exception("what shops said could not be carried")
            if len(self._taken) == 1:
                await db.fetch(SET_ASIDE, FAILED, self._taken[0])
            else:
                self._singles = len(self._taken)
            return True

    async def _done(self, work: Work) -> bool:
        for _ in range(ATTEMPTS):
            try:
                async with db.transaction():
                    told = await work()
                    if told is None:
                        return False
                    await self._pokes.announce(told.versions)
            except LinksMoved:
                continue
            self._pokes.poke(told.versions)
            return True
        raise LinksMoved

    async def _batch(self) -> Told | None:
        """Carry some rows about numbers; None where there are none."""
        limit = 1 if self._singles else BATCH
        self._singles = max(0, self._singles - 1)
        rows = await db.fetch(TAKE_ON_SQLITE if db.is_sqlite() else TAKE, limit)
        self._taken = [str(row["id"]) for row in rows]
        if not rows:
            return None
        by_errand = {_errand(row): row for row in rows}
        told = await self._linked.tell(list(by_errand), clock_ms())
        await outbox.add([_aside(by_errand[errand]) for errand in told.failed])
        return told

    async def _page(self) -> Told | None:
        """Carry what a programme says to some of its cards, and note how far that is done; None where none waits."""
        rows = await db.fetch(_skipping(PROGRAMME))
        self._taken = [str(row["id"]) for row in rows]
        if not rows:
            return None
        [row] = rows
        partner_id, after = str(row["partner_id"]), bytes(row["box"] or b"").decode()
        if not after:
            await db.fetch(f"DELETE FROM outbox WHERE id IN ({_skipping(ALIKE)})", partner_id, *self._taken)  # noqa: S608 - constants
        blinds = [found[0] for found in await db.fetch(NUMBERS, partner_id, after, BATCH)]
        told = await self._linked.tell([Errand(partner_id, blind, "programme") for blind in blinds], clock_ms())
        if len(blinds) < BATCH:
            await db.fetch("DELETE FROM outbox WHERE id = $1", *self._taken)
        else:
            await db.fetch("UPDATE outbox SET box = $1 WHERE id = $2", blinds[-1].encode(), *self._taken)
        return told


def _skipping(sql: str) -> str:
    return sql if db.is_sqlite() else f"{sql} FOR UPDATE SKIP LOCKED"


def _errand(row: db.Row) -> Errand:
    return Errand(str(row["partner_id"]), row["blind"], row["kind"], None if row["box"] is None else bytes(row["box"]))


def _aside(row: db.Row) -> outbox.Row:
    """A row under a kind that nobody carries, for the operator to look at."""
    kind = f"{FAILED}{row['kind']}"
    return outbox.Row(str(row["id"]), str(row["partner_id"]), kind, row["blind"], row["box"], clock_ms())
