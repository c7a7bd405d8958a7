"""A person's day: which date it is for them, when it is quiet, and from when to when something may be said."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
# Nobody wants to be told at midnight that a day has begun.
MORNING = 9 * 60

Quiet = tuple[int, int]
"""From which minute of the day to which; over midnight where the first is the larger."""


@dataclass(frozen=True, slots=True)
class PersonsDay:
    """The days of one person in their time zone. Moments are milliseconds since 1970, UTC."""

    zone: ZoneInfo
    quiet: Quiet | None

    def today(self, now_ms: int) -> date:
        """The date there."""
        return self._local(now_ms).date()

    def next_opening(self, now_ms: int) -> int:
        """When the next day's news may be told first, after now."""
        return next(moment for moment in self._openings(now_ms) if moment > now_ms)

    def may_speak(self, now_ms: int) -> bool:
        """Whether today's news may be told at this moment."""
        local = self._local(now_ms)
        return not self._is_quiet(_minute(local)) and now_ms >= self._moment(local.date(), self._opening())

    def closes(self, now_ms: int) -> int:
        """When that ends: as quiet begins, or with the day."""
        local = self._local(now_ms)
        if self.quiet and self.quiet[0] > _minute(local):
            return self._moment(local.date(), self.quiet[0])
        return self._moment(local.date() + timedelta(days=1), 0)

    def loud_from(self, now_ms: int) -> int:
        """The first moment from now on that is not quiet."""
        local = self._local(now_ms)
        if self.quiet is None or not self._is_quiet(_minute(local)):
            return now_ms
        ends = self.quiet[1]
        day = local.date() if ends > _minute(local) else local.date() + timedelta(days=1)
        # Where clocks are set back, that hour has been already.
        return max(now_ms, self._moment(day, ends))

    def _openings(self, now_ms: int) -> Iterator[int]:
        today = self.today(now_ms)
        for days in range(3):
            yield self._moment(today + timedelta(days=days), self._opening())

    def _opening(self) -> int:
        """The minute of the day; where a morning is quiet, as soon as quiet ends, be it in the small hours."""
        return self.quiet[1] if self.quiet and self._is_quiet(MORNING) else MORNING

    def _is_quiet(self, minute: int) -> bool:
        if self.quiet is None:
            return False
        begins, ends = self.quiet
        return begins <= minute < ends if begins < ends else minute >= begins or minute < ends

    def _local(self, now_ms: int) -> datetime:
        return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self.zone)

    def _moment(self, day: date, minute: int) -> int:
        local = datetime.combine(day, time(*divmod(minute, 60)), self.zone)
        return round(local.timestamp() * 1000)


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute
