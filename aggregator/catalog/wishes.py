"""How people want to be reminded, kept, shown and removed."""

import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from aggregator.accounts.exports import Export, File, json_file
from aggregator.accounts.sessions import iso
from aggregator.catalog.models import Reminded, ReminderWish
from aggregator.catalog.quiet import DAY_MINUTES, PersonsDay
from aggregator.errors import FieldError, Invalid
from aggregator.sync.subscriptions import Notice, PushSubscription

MAX_DAYS = 90
MAX_STEPS = 8
COLUMNS = ["days", "quiet_from", "quiet_to", "zone", "details", "look_ms"]

Day = Annotated[int, Meta(ge=0, le=MAX_DAYS)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hours without a notice, `HH:MM`, over midnight where `from` is the later."""

    begins: Clock = msgspec.field(name="from")
    ends: Clock = msgspec.field(name="to")


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a person wants to be reminded; `days` are before a card's last one, `zone` is an IANA name."""

    on: bool = False
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=MAX_STEPS)] = (30, 7, 1)
    quiet: Quiet | None = Quiet("22:00", "09:00")
    zone: Annotated[str, Meta(max_length=64)] = "UTC"
    details: bool = False


def check(wish: Wish) -> None:
    """Raises Invalid for a zone nobody lives in, and for a day that is all quiet."""
    errors = []
    if _zone(wish.zone) is None:
        errors.append(FieldError("/zone", "This is no time zone of the IANA database."))
    if wish.quiet and wish.quiet.begins == wish.quiet.ends:
        errors.append(FieldError("/quiet/to", "The day would be quiet from end to end."))
    if errors:
        raise Invalid(errors)


async def wish_of(account_id: uuid.UUID) -> Wish:
    """What an account wishes; without a word of theirs, no reminders."""
    row = await ReminderWish.get_or_none(account_id=account_id)
    if row is None:
        return Wish()
    quiet = None
    if row.quiet_from is not None and row.quiet_to is not None:
        quiet = Quiet(_clock(row.quiet_from), _clock(row.quiet_to))
    days = tuple(int(day) for day in row.days.split(","))
    return Wish(row.look_ms is not None, days, quiet, row.zone, bool(row.details))


async def keep_wish(account_id: uuid.UUID, wish: Wish, now_ms: int) -> None:
    """Keep what an account wishes, from `now_ms` (ms since 1970, UTC) on."""
    row = ReminderWish(
        account_id=account_id,
        days=",".join(str(day) for day in sorted(set(wish.days), reverse=True)),
        quiet_from=_minute(wish.quiet.begins) if wish.quiet else None,
        quiet_to=_minute(wish.quiet.ends) if wish.quiet else None,
        zone=wish.zone,
        details=int(wish.details),
        look_ms=now_ms if wish.on else None,
    )
    await ReminderWish.bulk_create([row], update_fields=COLUMNS, on_conflict=["account_id"])


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return (int(hour) * 60 + int(minute)) % DAY_MINUTES


def _clock(minute: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute, 60))


def day_of(wish: ReminderWish) -> PersonsDay:
    """The days of whoever wishes so."""
    quiet = None if wish.quiet_from is None or wish.quiet_to is None else (wish.quiet_from, wish.quiet_to)
    return PersonsDay(_zone(wish.zone) or ZoneInfo("UTC"), quiet)


def _zone(name: str) -> ZoneInfo | None:
    """None for what this computer's database does not have, or no longer."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


async def erase(account_id: uuid.UUID) -> None:
    """Remove an account's wish, and everything that is or was to be told."""
    for model in (Notice, Reminded, ReminderWish, PushSubscription):
        await model.filter(account_id=account_id).delete()


async def export(asked: Export) -> AsyncIterator[File]:
    """`reminders.json`: the wish, and the devices that are told."""
    wish: dict[str, Any] = msgspec.to_builtins(await wish_of(asked.account_id))
    told = await PushSubscription.filter(account_id=asked.account_id).order_by("created_ms", "device_id")
    devices = [{"id": str(one.device_id), "endpoint": one.endpoint, "since": iso(one.created_ms)} for one in told]
    yield json_file("reminders.json", {**wish, "devices": devices})
