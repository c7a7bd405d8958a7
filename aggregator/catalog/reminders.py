"""Reminders that cards end: who is told of which, once each, on the days and at the hours that the person chose."""

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from aggregator import db
from aggregator.catalog.models import Reminded, ReminderWish
from aggregator.catalog.quiet import PersonsDay
from aggregator.catalog.wishes import day_of
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.sync.log import bound
from aggregator.sync.subscriptions import Notice, PushSubscription, Subscriptions
from aggregator.sync.webpush import Sender, queue

KIND = "cards-end"
PAGE = 200
# A notice names so many cards and counts the rest: it has to fit into one message of a push service.
MAX_NAMED = 10
# A server that was down, or a day that was quiet from morning to night, delays a reminder; this late it says little.
LATE_DAYS = 2

ENDING = (
    "SELECT e.space_id, e.key, e.expires_on, e.schema, e.box FROM entry e JOIN member m ON m.space_id = e.space_id "
    "WHERE m.account_id = $1 AND e.expires_on >= $2 AND e.expires_on <= $3 AND e.box IS NOT NULL "
    "AND e.purge_ms IS NULL ORDER BY e.expires_on, e.space_id, e.key"
)
# Whatever space it stood in: a card that was moved is the same card.
KNOWN = "SELECT 1 FROM reminded WHERE account_id = $1 AND key = $2 AND ends_on = $3 AND step = $4"
NOTED = (
    "INSERT INTO reminded (account_id, space_id, key, ends_on, step) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT DO NOTHING RETURNING key"
)

_log = logging.getLogger("karman.reminders")


class _Body(msgspec.Struct):
    """What a reminder needs of a card."""

    name: str
    archived: bool = False


class _Ending(msgspec.Struct, frozen=True):
    """A card as a queued notice names it."""

    space: uuid.UUID
    key: str
    ends: str


def step_of(days_left: int, days: Sequence[int]) -> int | None:
    """For which of the chosen days a reminder is due, or a little late, so many days before the end."""
    step = min((day for day in days if day >= days_left), default=None)
    return step if step is not None and step - days_left <= LATE_DAYS else None


class Reminding:
    """Looks what ends, and words what is sent. Done twice, it queues nothing twice."""

    def __init__(self, keys: KeyRing, subscriptions: Subscriptions) -> None:
        self._keys = keys
        self._subscriptions = subscriptions

    async def look(self, now_ms: int) -> None:
        """Queue a notice for everybody who is to be reminded of something at `now_ms` (ms since 1970, UTC)."""
        while wishes := await ReminderWish.filter(look_ms__lte=now_ms).order_by("look_ms").limit(PAGE):
            for wish in wishes:
                await self._look(wish, now_ms)

    async def _look(self, wish: ReminderWish, now_ms: int) -> None:
        day = day_of(wish)
        async with db.transaction():
            # Whoever wishes something else meanwhile is looked at again, as they wish then.
            mine = ReminderWish.filter(account_id=wish.account_id, look_ms=wish.look_ms)
            if await mine.update(look_ms=day.next_opening(now_ms)) and day.may_speak(now_ms):
                await self._remind(wish, day, now_ms)

    async def _remind(self, wish: ReminderWish, day: PersonsDay, now_ms: int) -> None:
        if not (devices := await self._subscriptions.of_account(wish.account_id)):
            return
        today, days = day.today(now_ms), [int(one) for one in wish.days.split(",")]
        last = today + timedelta(days=max(days))
        fresh = []
        rows = await db.fetch(ENDING, str(wish.account_id), today.isoformat(), last.isoformat())
        # Noting holds the space: all who hold several do so in the order of their ids.
        for row in sorted(rows, key=lambda row: str(row["space_id"])):
            step = step_of((date.fromisoformat(row["expires_on"]) - today).days, days)
            if step is not None and self._is_used(row) and await _note(wish.account_id, row, step):
                fresh.append(_Ending(uuid.UUID(str(row["space_id"])), row["key"], row["expires_on"]))
        if fresh:
            fresh.sort(key=lambda one: (one.ends, str(one.space), one.key))
            await queue(KIND, fresh, devices, now_ms, day.closes(now_ms))

    async def compose(self, notice: Notice, subscription: PushSubscription, now_ms: int) -> bytes | None:
        """What the notice says now: of cards that still end then and may still be seen."""
        wish = await ReminderWish.get_or_none(account_id=notice.account_id)
        if wish is None or wish.look_ms is None:
            return None
        ending = msgspec.json.decode(notice.body, type=list[_Ending])
        first, last = ending[0].ends, ending[-1].ends
        named = {(one.space, one.key, one.ends) for one in ending}
        rows = [
            row
            for row in await db.fetch(ENDING, str(notice.account_id), first, last)
            if (uuid.UUID(str(row["space_id"])), row["key"], row["expires_on"]) in named and self._is_used(row)
        ]
        if not rows:
            return None
        cards = [self._shown(row, bool(wish.details)) for row in rows[:MAX_NAMED]]
        said = {"kind": KIND, "language": subscription.language, "count": len(rows), "cards": cards}
        return msgspec.json.encode(said)

    def _shown(self, row: db.Row, details: bool) -> dict[str, str]:
        body = self._body(row) if details else None
        shown = {"id": row["key"].partition("/")[2], "ends": row["expires_on"]}
        return {**shown, "name": body.name} if body else shown

    def _is_used(self, row: db.Row) -> bool:
        """A card that was put into the archive may end in peace."""
        body = self._body(row)
        return body is None or not body.archived

    def _body(self, row: db.Row) -> _Body | None:
        try:
            opened = self._keys.open(bytes(row["box"]), bound(row["space_id"], row["key"], row["schema"]))
        except BoxUnreadable:
            _log.error("the body of %s in space %s does not open", row["key"], row["space_id"])
            return None
        return msgspec.json.decode(opened, type=_Body)


async def _note(account_id: uuid.UUID, row: db.Row, step: int) -> bool:
    """Whether this reminder is new."""
    if await db.fetch(KNOWN, str(account_id), row["key"], row["expires_on"], step):
        return False
    return bool(await db.fetch(NOTED, str(account_id), str(row["space_id"]), row["key"], row["expires_on"], step))


class ReminderJob:
    """Looks, then sends."""

    def __init__(self, reminding: Reminding, sender: Sender) -> None:
        self._reminding = reminding
        self._sender = sender

    async def run(self, store: db.Store, now_ms: int) -> None:
        """Everything that is due at `now_ms` (ms since 1970, UTC). Broken off anywhere, the rest stays due."""
        await self._reminding.look(now_ms)
        await self._sender.send(now_ms)
        # Two days, since somewhere it is still yesterday.
        past = datetime.fromtimestamp(now_ms / 1000, UTC).date() - timedelta(days=2)
        await Reminded.filter(ends_on__lt=past.isoformat()).delete()
