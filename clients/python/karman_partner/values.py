"""What is sent and answered, as values. Texts are by language: `{"ru": "Скидка", "en": "Discount"}`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct, field

Texts = Mapping[str, str]
Policy = Literal["challenge", "code", "open"]


def _now() -> datetime:
    return datetime.now(UTC)


# ---------------------------------------------------------------- programme


class Numbering(Struct, frozen=True, omit_defaults=True, rename={"source": "from"}):
    """Which number of a card is meant (`printed`, or the `payload` of its code), and what such numbers look like."""

    source: Literal["printed", "payload"] = "printed"
    form: Literal["digits", "alphanumeric"] = "digits"
    lengths: Sequence[int] = ()
    prefixes: Sequence[str] = ()
    check: Literal["luhn", "gs1"] | None = None


class Unit(Struct, frozen=True, omit_defaults=True):
    """What is counted: `points` by their names for one, few and many, or `money` (ISO 4217) in its smallest unit."""

    points: Mapping[str, Sequence[str]] | None = None
    money: str | None = None


class Tier(Struct, frozen=True):
    """A level of the programme."""

    id: str
    name: Texts


class Outlet(Struct, frozen=True, omit_defaults=True):
    """One of the shop's places; `hours` as in OpenStreetMap's `opening_hours`."""

    id: str
    name: str
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    hours: str | None = None


class Programme(Struct, frozen=True, omit_defaults=True):
    """What a shop says of its programme."""

    name: Texts
    about: Texts | None = None
    colour: str | None = None
    site: str | None = None
    phone: str | None = None
    email: str | None = None
    number: Numbering = Numbering()
    unit: Unit | None = None
    tiers: Sequence[Tier] = ()
    policies: Sequence[Policy] = ("challenge",)
    outlets: Sequence[Outlet] = ()


class Claim(Struct, frozen=True):
    """Which entry of the directory the shop says it is."""

    slug: str
    state: Literal["waiting", "approved"]


class ProgrammeShown(Programme, frozen=True, kw_only=True):
    """The programme as it stands; `slug` once a claim was approved."""

    version: int
    slug: str | None = None
    claim: Claim | None = None
    logo: str | None = None


# ---------------------------------------------------------------- balances


class Expiring(Struct, frozen=True):
    """So much of a balance goes on that day."""

    amount: int
    on: date


class Balance(Struct, frozen=True, omit_defaults=True):
    """A balance of a number, in the smallest unit. Of two the one with the later `as_of` counts, whichever comes first;
    without one it is of this moment.
    """

    number: str
    main: int
    pending: int = 0
    expiring: Sequence[Expiring] = ()
    tier: str | None = None
    as_of: datetime = field(default_factory=_now)


class BalanceShown(Struct, frozen=True):
    """The balance that was put last."""

    main: int
    pending: int
    expiring: Sequence[Expiring]
    tier: str | None
    as_of: datetime


class RowProblem(Struct, frozen=True):
    """Why a row was not kept."""

    code: str
    detail: str
    pointer: str = ""


class Result(Struct, frozen=True):
    """What came of a row: `older` where something newer, or the same, was said before."""

    status: Literal["stored", "older", "invalid"]
    problem: RowProblem | None = None


class Trouble(Struct, frozen=True):
    """A line of an import that was not kept, counted from 1."""

    line: int
    problem: RowProblem


class Progress(Struct, frozen=True):
    """How far an import is: lines that have been read, what came of them, and which are newly not kept (at most 100 of
    each part are told).
    """

    read: int = 0
    stored: int = 0
    older: int = 0
    invalid: int = 0
    troubles: Sequence[Trouble] = ()


# ---------------------------------------------------------------- links


class Link(Struct, frozen=True):
    """A card that its holder has connected. A holder is known by `id` alone."""

    id: str
    number: str
    policy: Policy
    since: datetime


class TillCode(Struct, frozen=True):
    """A code that connects one card with a number."""

    code: str
    expires_at: datetime


# ---------------------------------------------------------------- offers


class Audience(Struct, frozen=True, omit_defaults=True):
    """Whom an offer is for: exactly one of all holders, some tiers, or 20 to 10,000 numbers. Answers tell their `count`
    alone.
    """

    all: bool = False
    tiers: Sequence[str] = ()
    numbers: Sequence[str] | None = None
    count: int | None = None


class Offer(Struct, frozen=True, omit_defaults=True):
    """What is offered, to whom, and from when to when."""

    title: Texts
    starts_at: datetime
    ends_at: datetime
    audience: Audience = field(default_factory=lambda: Audience(all=True))
    text: Texts = {}
    terms: Texts = {}
    state: Literal["draft", "live", "ended"] = "draft"
    notify: bool = False


class Counts(Struct, frozen=True):
    """How many people have seen, opened and used an offer, in tens; None below 20."""

    seen: int | None = None
    opened: int | None = None
    used: int | None = None


class OfferShown(Offer, frozen=True, kw_only=True):
    """An offer as it stands."""

    id: str
    picture: str | None = None
    counts: Counts = Counts()


# ---------------------------------------------------------------- events


class Challenge(Struct, frozen=True):
    """Send `code` to the contact that you have for the number; it is None once the attempt is over."""

    attempt: str
    number: str
    code: str | None
    expires_at: datetime


class Created(Struct, frozen=True):
    """A link was made."""

    link: str
    number: str
    policy: Policy


class Ended(Struct, frozen=True):
    """A link is over."""

    link: str
    number: str
    policy: Policy
    reason: str


class LinkChallenge(Struct, frozen=True, kw_only=True, tag_field="type", tag="link.challenge"):
    """Somebody says that a card is theirs."""

    id: str = ""
    timestamp: datetime
    data: Challenge


class LinkCreated(Struct, frozen=True, kw_only=True, tag_field="type", tag="link.created"):
    """A holder has connected a card."""

    id: str = ""
    timestamp: datetime
    data: Created


class LinkEnded(Struct, frozen=True, kw_only=True, tag_field="type", tag="link.ended"):
    """A link is over."""

    id: str = ""
    timestamp: datetime
    data: Ended


class OtherEvent(Struct, frozen=True, kw_only=True):
    """A self-test's ping, or an event of a later version of the service."""

    id: str = ""
    type: str
    timestamp: datetime
    data: Any


Known = LinkChallenge | LinkCreated | LinkEnded
Event = Known | OtherEvent

_known = msgspec.json.Decoder(Known)
_kind = msgspec.json.Decoder(OtherEvent)
KINDS = {"link.challenge", "link.created", "link.ended"}


def event_from(text: bytes | Raw, event_id: str = "") -> Event:
    """The event in a JSON text; a webhook's tells its id in a header."""
    other = _kind.decode(text)
    found: Event = _known.decode(text) if other.type in KINDS else other
    return msgspec.structs.replace(found, id=event_id) if event_id else found


class EventPage(Struct, frozen=True):
    """Events, oldest first. Keep `next`: it is where to go on, also after a restart."""

    items: Sequence[Event]
    next: str

    def __iter__(self) -> Iterator[Event]:
        return iter(self.items)


class Webhook(Struct, frozen=True):
    """Where events are sent to."""

    id: str
    url: str
    state: str


class WebhookMade(Webhook, frozen=True, kw_only=True):
    """A webhook with its secret, which is told this once."""

    secret: str


class Check(Struct, frozen=True):
    """One thing that a self-test has looked at."""

    name: str
    ok: bool
    words: str
    webhook: str | None = None
