"""What an offer is: as a shop puts it, as it is kept, and as the shop gets it back."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aggregator import db
from aggregator.catalog.fields import is_plain
from aggregator.errors import FieldError, Invalid
from aggregator.partners import live, numbers
from aggregator.partners.pictures import address
from aggregator.partners.programmes import Id, Known
from aggregator.partners.texts import LINE, LINES, Language

FEWEST_NUMBERS, MOST_NUMBERS = 20, 10_000
YEARS = timedelta(days=2 * 366)

State = Literal["draft", "live", "ended"]
Why = Literal["all", "tier", "number"]

# Every card carries all of its offers, whole.
MAX_LANGUAGES = 4
Title = Annotated[str, Meta(pattern=LINE, max_length=50)]
Paragraph = Annotated[str, Meta(pattern=LINES, max_length=500)]
Titles = Annotated[dict[Language, Title], Meta(min_length=1, max_length=MAX_LANGUAGES, description="By language.")]
Paragraphs = Annotated[dict[Language, Paragraph], Meta(max_length=MAX_LANGUAGES, description="By language.")]
Moment = Annotated[datetime, Meta(tz=True)]
Number = Annotated[str, Meta(min_length=1, max_length=numbers.MAX_NUMBER)]


class Audience(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom an offer is for: exactly one of all holders, those of some tiers, or those of 20 to 10,000 numbers."""

    all: bool = False
    tiers: Annotated[list[Id], Meta(max_length=20)] = []
    numbers: Annotated[list[Number], Meta(max_length=MOST_NUMBERS)] | UnsetType = UNSET


class Told(Struct, frozen=True, omit_defaults=True):
    """As `Audience`; of numbers it tells how many there are."""

    all: bool = False
    tiers: tuple[str, ...] = ()
    count: int | None = None


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shop puts. With `notify` the holders who asked for it get a notice when it goes live."""

    title: Titles
    starts_at: Moment
    ends_at: Moment
    audience: Audience
    text: Paragraphs = {}
    terms: Paragraphs = {}
    state: State = "draft"
    notify: bool = False


class Counts(Struct, frozen=True):
    """How many people have seen, opened and used an offer, rounded down to tens; null below 20."""

    seen: int | None = None
    opened: int | None = None
    used: int | None = None


class Kept(Struct, frozen=True):
    """An offer as its shop gets it."""

    id: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    terms: Mapping[str, str]
    starts_at: str
    ends_at: str
    state: State
    audience: Told
    notify: bool
    picture: str | None
    counts: Counts


class Body(Struct, frozen=True):
    """What is kept of an offer beside its columns."""

    title: dict[str, str]
    text: dict[str, str]
    terms: dict[str, str]
    audience: Told
    notify: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """An offer's row. `told_ms` is when its notices were planned; None while that has to be done."""

    id: str
    state: State
    body: Body
    picture_id: uuid.UUID | None
    starts_ms: int
    ends_ms: int
    told_ms: int | None

    def state_at(self, now_ms: int) -> State:
        """Its state; time ends an offer before the background job notes it."""
        return "ended" if self.state == "live" and self.ends_ms <= now_ms else self.state

    def is_on_cards(self, now_ms: int) -> bool:
        """Whether cards show it."""
        return self.state == "live" and self.starts_ms <= now_ms < self.ends_ms

    @property
    def picture(self) -> str | None:
        """Where its picture is shown."""
        return address(self.picture_id)


FIELDS = "id, state, body, picture_id, starts_ms, ends_ms, told_ms"


def stored_from(row: db.Row) -> Stored:
    """The offer in a row of FIELDS."""
    body = msgspec.json.decode(row["body"], type=Body)
    picture = uuid.UUID(str(row["picture_id"])) if row["picture_id"] else None
    return Stored(row["id"], row["state"], body, picture, row["starts_ms"], row["ends_ms"], row["told_ms"])


def kept(stored: Stored, counts: Counts, now_ms: int) -> Kept:
    """The offer as its shop gets it."""
    said = stored.body
    return Kept(
        id=stored.id,
        title=said.title,
        text=said.text,
        terms=said.terms,
        starts_at=live.moment(stored.starts_ms),
        ends_at=live.moment(stored.ends_ms),
        state=stored.state_at(now_ms),
        audience=said.audience,
        notify=said.notify,
        picture=stored.picture,
        counts=counts,
    )


def check(offer: Offer, programme: Known, distinct: int, now_ms: int) -> None:
    """Raises Invalid naming every field that its shape alone does not hold, and `audience-too-small` where so few
    distinct numbers are named that they are nearly persons.
    """
    if errors := [*_text_faults(offer), *_time_faults(offer, now_ms), *_audience_faults(offer.audience, programme)]:
        raise Invalid(errors)
    if offer.audience.numbers is not UNSET and distinct < FEWEST_NUMBERS:
        few = FieldError("/audience/numbers", f"At least {FEWEST_NUMBERS} different numbers are needed.")
        raise Invalid([few], "audience-too-small")


def _text_faults(offer: Offer) -> Iterator[FieldError]:
    for name, texts in {"title": offer.title, "text": offer.text, "terms": offer.terms}.items():
        for language, text in texts.items():
            if not is_plain(text.replace("\n", " ")):
                yield FieldError(f"/{name}/{language}", "Control, reordering and broken characters cannot be shown.")


def _time_faults(offer: Offer, now_ms: int) -> Iterator[FieldError]:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    if offer.ends_at <= offer.starts_at:
        yield FieldError("/ends_at", "An offer ends after it starts.")
    if offer.starts_at < now - YEARS:
        yield FieldError("/starts_at", "That is more than two years ago.")
    if offer.ends_at > now + YEARS:
        yield FieldError("/ends_at", "That is more than two years ahead.")


def _audience_faults(audience: Audience, programme: Known) -> Iterator[FieldError]:
    if [audience.all, bool(audience.tiers), audience.numbers is not UNSET].count(True) != 1:
        yield FieldError("/audience", "Exactly one of all, tiers and numbers is needed.")
    known = {tier.id for tier in programme.programme.tiers}
    for place, tier in enumerate(audience.tiers):
        if tier not in known:
            yield FieldError(f"/audience/tiers/{place}", "The programme has no such tier.")
    for place, number in enumerate(audience.numbers or ()):
        if not programme.rule.normal(number):
            yield FieldError(f"/audience/numbers/{place}", "Nothing of this is left in the programme's normal form.")


def ms(when: datetime) -> int:
    """A time in ms since 1970, UTC."""
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
