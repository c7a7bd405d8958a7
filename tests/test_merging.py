"""How what several devices did becomes one card: by field in the order of arrival, uses added up once, and a repeat
harmless. The mutators run in memory here; over HTTP they are in test_sync.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aggregator.catalog.cards import MUTATORS, PICTURES, USES
from aggregator.catalog.models import CardUse
from aggregator.crypto import KeyRing
from aggregator.errors import Problem
from aggregator.sync.log import Change, Place, Staged
from aggregator.sync.mutators import Stop

KEYS = KeyRing([bytes(32)])
SPACE, CARD, OTHER = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
BY_NAME = {mutator.name: mutator for mutator in MUTATORS}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE_MS = 60_000

Mutation = tuple[str, dict[str, Any]]


@dataclass
class Server:
    """What the server has, and a clock that goes on by a minute with every batch."""

    bodies: dict[Place, dict[str, Any]] = field(default_factory=dict)
    beside: dict[Place, tuple[str | None, str | None]] = field(default_factory=dict)
    uses: set[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=set)
    now_ms: int = int(NOON.timestamp() * 1000)

    def push(self, *batch: Mutation) -> list[str]:
        """Apply a batch as one unit of work, and give `applied` or the code of the refusal for each."""
        loaded = {(SPACE, f"card/{card}"): self.bodies.get((SPACE, f"card/{card}")) for card in (CARD, OTHER)}
        change = Change(KEYS, uuid.UUID(int=9), self.now_ms, {SPACE: 0}, _loaded=dict(loaded))
        change.facts = {USES: set(self.uses), PICTURES: set()}
        outcomes = [run(change, mutation) for mutation in batch]
        for place, staged in change._kept.items():
            self.write(place, staged)
        self.uses |= {(row.card_id, row.use_id) for row in change._kept_rows if isinstance(row, CardUse)}
        self.now_ms += MINUTE_MS
        return outcomes

    def write(self, place: Place, staged: Staged) -> None:
        assert staged.body is not None
        self.bodies[place] = staged.body
        self.beside[place] = (staged.merchant, staged.expires_on)

    @property
    def card(self) -> dict[str, Any]:
        """The card everybody edits, without the times of its making."""
        return {name: value for name, value in self.bodies[SPACE, f"card/{CARD}"].items() if name != "created_at"}


def run(change: Change, mutation: Mutation) -> str:
    name, args = mutation
    change.forget()
    try:
        BY_NAME[name].run(change, msgspec.convert({"space": str(SPACE), **args}, BY_NAME[name].shape))
    except msgspec.ValidationError:
        return "invalid"
    except Problem as problem:
        return problem.code
    change.keep()
    return "applied"


def keep(card: uuid.UUID = CARD, **fields: Any) -> Mutation:
    return "card.keep", {"id": str(card), "card": {"name": "Магнит", **fields}}


def edit(**fields: Any) -> Mutation:
    return "card.set", {"id": str(CARD), "fields": fields}


def use(number: int, at: datetime, card: uuid.UUID = CARD) -> Mutation:
    return "card.use", {"id": str(card), "use": str(uuid.UUID(int=number)), "at": at.isoformat()}


BIN: Mutation = ("card.bin", {"id": str(CARD)})
RESTORE: Mutation = ("card.restore", {"id": str(CARD)})


def server(**fields: Any) -> Server:
    """A server with the card."""
    made = Server()
    made.push(keep(**fields))
    return made


# What devices may do

words = st.text("абвгд xyz", max_size=8).filter(lambda text: not text or text.strip())
values: dict[str, st.SearchStrategy[Any]] = {
    "name": words.filter(bool),
    "number": st.none() | words,
    "note": st.none() | words,
    "group": st.none() | words,
    "favourite": st.none() | st.booleans(),
    "archived": st.none() | st.booleans(),
    "colour": st.none() | st.sampled_from(["#e30613", "#00a651"]),
    "merchant": st.none() | st.sampled_from(["pyaterochka", "lenta"]),
    "expires_on": st.none() | st.dates().map(str),
    "balance": st.none() | st.builds(lambda value: {"value": value, "unit": "points"}, st.integers(-9, 9)),
    "codes": st.none() | st.lists(st.just({"format": "ean_8", "text": "96385074", "raw": "OTYzODUwNzQ="}), max_size=2),
}
fields = st.dictionaries(st.sampled_from(list(values)), st.none(), max_size=5).flatmap(
    lambda chosen: st.fixed_dictionaries({name: values[name] for name in chosen})
)
times = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
edits = fields.map(lambda chosen: edit(**chosen))
uses = st.builds(use, st.integers(1, 6), times)
doings = st.one_of(edits, uses, st.just(BIN), st.just(RESTORE), st.just(keep(note="другая")))


def shown(value: Any) -> bool:
    """Whether a value stands in a sparse body; what is empty or the default does not."""
    return value not in (None, False, "", [])


def split(mutations: Sequence[Mutation], cuts: Iterable[int]) -> list[Sequence[Mutation]]:
    """The same mutations in several batches."""
    places = sorted({0, len(mutations), *(cut % (len(mutations) + 1) for cut in cuts)})
    return [mutations[begin:end] for begin, end in pairwise(places)]


# Fields


@given(one=fields, two=fields)
def test_edits_of_different_fields_come_to_the_same_in_either_order(one: dict[str, Any], two: dict[str, Any]) -> None:
    assume(not one.keys() & two.keys())
    forth, back = server(note="была"), server(note="была")
    forth.push(edit(**one))
    forth.push(edit(**two))
    back.push(edit(**two))
    back.push(edit(**one))
    assert forth.card == back.card


@given(st.lists(fields, max_size=8))
def test_of_each_field_the_last_arrival_is_what_stands(arrivals: list[dict[str, Any]]) -> None:
    made = server()
    expected = {"name": "Магнит"}
    for arrival in arrivals:
        assert made.push(edit(**arrival)) == ["applied"]
        expected |= arrival
    assert made.card == {name: value for name, value in expected.items() if shown(value)}


@given(fields)
def test_clearing_is_the_same_as_never_having_written(chosen: dict[str, Any]) -> None:
    made = server()
    made.push(edit(**chosen))
    made.push(edit(**dict.fromkeys(chosen.keys() - {"name"})))
    assert made.card == {"name": chosen.get("name", "Магнит")}


@given(fields)
def test_what_stays_readable_beside_the_box_is_what_is_in_it(chosen: dict[str, Any]) -> None:
    made = server()
    made.push(edit(**chosen))
    assert made.beside[SPACE, f"card/{CARD}"] == (made.card.get("merchant"), made.card.get("expires_on"))


@given(st.lists(doings, max_size=12), st.lists(st.integers(0, 20), max_size=4))
def test_how_a_queue_is_cut_into_batches_does_not_matter(queue: list[Mutation], cuts: list[int]) -> None:
    whole, parts = server(), server()
    # Times apart, which are those of arrival.
    whole.push(*queue)
    for part in split(queue, cuts):
        parts.push(*part)
    assert without_times(whole.card) == without_times(parts.card)


def without_times(card: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name not in ("binned_at", "last_used_at") else "some" for name, value in card.items()}


# Keeping


@given(st.lists(doings, max_size=8), st.integers(0, 8), fields)
def test_keeping_again_at_any_moment_changes_nothing(queue: list[Mutation], moment: int, other: dict[str, Any]) -> None:
    made, again = server(), server()
    for number, mutation in enumerate(queue):
        made.push(mutation)
        if number == moment:
            assert again.push(keep(**other)) == ["applied"]
            again.now_ms -= MINUTE_MS
        again.push(mutation)
    assert made.bodies == again.bodies


def test_a_card_is_made_at_its_arrival_whatever_its_device_thinks() -> None:
    assert server().bodies[SPACE, f"card/{CARD}"]["created_at"] == "2026-11-21T12:00:00Z"


# Uses


@given(
    st.lists(st.tuples(st.integers(1, 5), times), min_size=1, max_size=10), st.randoms(), st.lists(st.integers(0, 20))
)
def test_uses_add_up_once_per_id_in_any_order_repetition_and_batches(
    reports: list[tuple[int, datetime]], chance: Any, cuts: list[int]
) -> None:
    # A use is reported with one time, however often.
    at = dict(reports)
    sent = [use(number, at[number]) for number, _ in reports]
    chance.shuffle(sent)
    made = server()
    for part in split(sent, cuts):
        made.push(*part)
    arrival = datetime.fromtimestamp(made.now_ms / 1000, UTC)
    assert made.card["uses"] == len(at)
    assert made.card["last_used_at"] <= f"{min(max(at.values()), arrival):%Y-%m-%dT%H:%M:%SZ}"
    past = [moment for moment in at.values() if moment <= NOON]
    if past:
        assert made.card["last_used_at"] >= f"{max(past):%Y-%m-%dT%H:%M:%SZ}"


@given(st.lists(times, min_size=1, max_size=6))
def test_the_last_use_is_the_latest_that_was_reported_and_never_later_than_its_arrival(moments: list[datetime]) -> None:
    made = server()
    expected = ""
    for number, moment in enumerate(moments, 1):
        arrival = datetime.fromtimestamp(made.now_ms / 1000, UTC)
        expected = max(expected, f"{min(moment, arrival):%Y-%m-%dT%H:%M:%SZ}")
        made.push(use(number, moment))
    assert made.card["last_used_at"] == expected


def test_one_use_id_counts_for_each_card_it_is_reported_for() -> None:
    made = server()
    made.push(keep(OTHER))
    made.push(use(1, NOON), use(1, NOON, OTHER), use(1, NOON))
    assert [body["uses"] for body in made.bodies.values()] == [1, 1]


# The bin


@given(st.lists(st.sampled_from([BIN, RESTORE]) | edits, max_size=10))
def test_the_last_of_binning_and_restoring_counts_and_edits_land_in_the_bin_too(queue: list[Mutation]) -> None:
    made, plain = server(), server()
    since = None
    for mutation in queue:
        if mutation is BIN and since is None:
            since = f"{datetime.fromtimestamp(made.now_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
        elif mutation is RESTORE:
            since = None
        assert made.push(mutation) == ["applied"]
        if mutation[0] == "card.set":
            plain.push(mutation)
    assert made.card.get("binned_at") == since
    assert {name: value for name, value in made.card.items() if name != "binned_at"} == plain.card


# Refusals


BROKEN: list[Mutation] = [
    edit(note="a\u0000"),
    edit(number="1\u202e2", note="и это"),
    edit(name=None),
    edit(expires_on="2026-02-30"),
    edit(codes=[{"format": "smell", "text": "1", "raw": "MQ=="}]),
    ("card.set", {"id": str(OTHER), "fields": {"note": "?"}}),
    ("card.use", {"id": str(OTHER), "use": str(SPACE), "at": NOON.isoformat()}),
    ("card.bin", {"id": str(OTHER)}),
    ("card.restore", {"id": str(OTHER)}),
    keep(OTHER, note="a\u0007"),
    edit(front=str(OTHER)),
]


@given(st.lists(doings | st.sampled_from(BROKEN), max_size=12))
def test_a_refused_mutation_leaves_no_trace_between_those_that_are_applied(queue: list[Mutation]) -> None:
    made, clean = server(), server()
    outcomes = made.push(*queue)
    applied = [mutation for mutation, outcome in zip(queue, outcomes, strict=True) if outcome == "applied"]
    assert not [mutation for mutation in applied if mutation in BROKEN]
    clean.push(*applied)
    assert (made.bodies, made.uses, made.beside) == (clean.bodies, clean.uses, clean.beside)


def test_a_missing_picture_stops_the_batch_instead_of_refusing_the_mutation() -> None:
    loaded: dict[Place, dict[str, Any] | None] = {(SPACE, f"card/{CARD}"): {"name": "Магнит"}}
    change = Change(KEYS, SPACE, 0, {SPACE: 0}, {PICTURES: set()}, _loaded=dict(loaded))
    named = {"space": str(SPACE), "id": str(CARD), "fields": {"back": str(OTHER)}}
    args = msgspec.convert(named, BY_NAME["card.set"].shape)
    with pytest.raises(Stop):
        BY_NAME["card.set"].run(change, args)


# Several devices


@given(st.lists(st.tuples(st.integers(0, 2), edits | uses), max_size=15), st.randoms())
def test_however_queues_of_devices_interleave_no_use_and_no_field_is_lost(
    done: list[tuple[int, Mutation]], chance: Any
) -> None:
    queues = [[mutation for device, mutation in done if device == number] for number in range(3)]
    order = [device for device, _ in done]
    chance.shuffle(order)
    made = server()
    expected: dict[str, Any] = {"name": "Магнит"}
    counted = set()
    for device in order:
        name, args = mutation = queues[device].pop(0)
        assert made.push(mutation) == ["applied"]
        expected |= args.get("fields", {})
        counted |= {args["use"]} if name == "card.use" else set()
    kept = {name: value for name, value in made.card.items() if name not in ("uses", "last_used_at")}
    assert kept == {name: value for name, value in expected.items() if shown(value)}
    assert made.card.get("uses", 0) == len(counted)
