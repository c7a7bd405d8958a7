"""The body under `live/<card>` as a value: what a card shows of its shop, made and changed by pure functions.

Any order and repetition of the same balances ends in the same body.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

MAX_HISTORY = 50
# What holders of such a link have proved is that they know the number.
WITHOUT_HISTORY = "open"
# A shop says much of the same moment.
REMEMBERED = 4_096
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Texts = Mapping[str, str]
"""Language -> text."""


class Expiring(Struct, frozen=True):
    """Points that go `on` a day, `YYYY-MM-DD`."""

    amount: int
    on: str


class Tier(Struct, frozen=True):
    """A tier, with its name in each of the programme's languages."""

    id: str
    name: Texts


class Balance(Struct, frozen=True):
    """What a shop says of a number; amounts are whole numbers of the programme's smallest unit. `as_of` is `moment`."""

    main: int
    pending: int
    expiring: tuple[Expiring, ...]
    tier: Tier | None
    as_of: str


class Step(Struct, frozen=True):
    """A balance that was; `change` is what made it of the one before, where that one is known."""

    as_of: str
    main: int
    change: int | UnsetType = UNSET


class Alert(Struct, frozen=True):
    """Something the holder should know: `linked-elsewhere` is that somebody else has linked the same number."""

    kind: str
    at: str


class Body(Struct, frozen=True):
    """The body. `unit` is the programme's, and `offers` what each offer says, as JSON."""

    slug: str
    link: str
    policy: str
    since: str
    unit: Raw
    history: tuple[Step, ...] = ()
    offers: tuple[Raw, ...] = ()
    balance: Balance | UnsetType = UNSET
    alert: Alert | UnsetType = UNSET


_decoder = msgspec.json.Decoder(Body)
_encoder = msgspec.json.Encoder()


def key(card_id: object) -> str:
    """Where a card's body stands in its space."""
    return f"live/{card_id}"


@lru_cache(REMEMBERED)
def moment(at_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, to the millisecond: texts in the order of the times."""
    return (EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03}Z"


def read(text: bytes) -> Body:
    """The body in a JSON text; raises msgspec.MsgspecError."""
    return _decoder.decode(text)


def written(body: Body) -> bytes:
    """The body as JSON."""
    return _encoder.encode(body)


def new(slug: str, link: str, policy: str, made_ms: int, unit: Raw) -> Body:
    """What a card shows at first."""
    return Body(slug, link, policy, moment(made_ms), unit)


def with_balance(body: Body, balance: Balance) -> Body:
    """The body once the shop has said this: what is not newer than what it shows goes into the history alone."""
    known = body.balance
    shown = balance if known is UNSET or known.as_of < balance.as_of else known
    if body.policy == WITHOUT_HISTORY:
        return replace(body, balance=shown)
    return replace(body, balance=shown, history=_remembered(body.history, balance, body.since))


def _remembered(history: tuple[Step, ...], balance: Balance, since: str) -> tuple[Step, ...]:
    """The history with one more balance. Of those before the link the newest is kept, as what the others began with."""
    if history and since < history[0].as_of < balance.as_of and len(history) < MAX_HISTORY:
        # As most come.
        return (Step(balance.as_of, balance.main, balance.main - history[0].main), *history)
    if any(step.as_of == balance.as_of for step in history):
        return history
    steps = sorted((*history, Step(balance.as_of, balance.main)), key=lambda step: step.as_of, reverse=True)
    before = next((place for place, step in enumerate(steps) if step.as_of <= since), len(steps))
    return _with_changes(steps[: min(before + 1, MAX_HISTORY)])


def _with_changes(steps: Sequence[Step]) -> tuple[Step, ...]:
    # The last one's depends on what is not kept, and so on the order in which balances came.
    pairs = pairwise(steps)
    changes = [Step(step.as_of, step.main, step.main - older.main) for step, older in pairs]
    return (*changes, Step(steps[-1].as_of, steps[-1].main))


def with_programme(body: Body, slug: str, unit: Raw, tiers: Mapping[str, Texts]) -> Body:
    """The body once the programme has this slug, unit and tiers; a tier that it has no more is not shown."""
    balance = body.balance
    if balance is not UNSET and balance.tier is not None:
        balance = replace(balance, tier=tier_of(tiers, balance.tier.id))
    return replace(body, slug=slug, unit=unit, balance=balance)


def tier_of(tiers: Mapping[str, Texts], tier_id: str | None) -> Tier | None:
    """The tier with this id, if the programme has it."""
    return Tier(tier_id, tiers[tier_id]) if tier_id is not None and tier_id in tiers else None


def with_offers(body: Body, offers: Sequence[Mapping[str, Any]]) -> Body:
    """The body with these offers, and no others."""
    return replace(body, offers=tuple(Raw(_encoder.encode(offer)) for offer in offers))


def with_alert(body: Body, at_ms: int) -> Body:
    """The body once somebody else has linked the number, at that time; the latest counts."""
    at = moment(at_ms)
    if body.alert is not UNSET and body.alert.at >= at:
        return body
    return replace(body, alert=Alert("linked-elsewhere", at))
