"""What a card shows of its shop is a function of what the shop has said, however often and in whatever order it came;
and the rows that carry it there are made in order.
"""

import uuid
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.partners import live
from aggregator.partners.live import MAX_HISTORY, Balance, Body, Tier, moment
from aggregator.partners.outbox import new_id

SINCE_MS = 60_000
POINTS = msgspec.Raw(b'{"points":{"en":["point","points"]}}')
GOLD = {"gold": {"en": "Gold"}}


def linked(policy: str = "challenge") -> Body:
    return live.new("pyaterochka", "a-link", policy, SINCE_MS, POINTS)


def said(at_ms: int, main: int = 100, tier: Tier | None = None) -> Balance:
    return Balance(main, 0, (), tier, moment(at_ms))


def after(body: Body, balances: Sequence[Balance]) -> Body:
    return reduce(live.with_balance, balances, body)


balances = st.dictionaries(st.integers(0, 2 * SINCE_MS), st.integers(-1_000, 1_000), max_size=70).map(
    lambda found: [said(at_ms, main) for at_ms, main in found.items()]
)


@given(balances, st.data(), st.sampled_from(["challenge", "code", "open"]))
def test_any_order_and_repetition_of_balances_ends_in_the_same_body(
    found: list[Balance], data: st.DataObject, policy: str
) -> None:
    repeated = found + [one for one in found if data.draw(st.booleans())]
    shuffled = data.draw(st.permutations(repeated))
    body = after(linked(policy), shuffled)
    assert live.written(body) == live.written(after(linked(policy), found))
    assert live.read(live.written(body)) == live.read(live.written(after(linked(policy), found)))


@given(balances)
def test_the_history_holds_the_newest_since_the_link_and_what_it_began_with(found: list[Balance]) -> None:
    body = after(linked(), found)
    times = sorted((one.as_of for one in found), reverse=True)
    since = [time for time in times if time > moment(SINCE_MS)]
    assert [step.as_of for step in body.history] == times[: min(len(since) + 1, MAX_HISTORY)]
    for newer, older in pairwise(body.history):
        assert newer.change == newer.main - older.main
    if found:
        assert body.history[-1].change is msgspec.UNSET
        assert isinstance(body.balance, Balance)
        assert body.balance.as_of == times[0]


def test_an_equal_time_loses_and_a_late_one_is_sorted_in() -> None:
    body = after(linked(), [said(SINCE_MS + 9, 30), said(SINCE_MS + 9, 31), said(SINCE_MS + 5, 10)])
    assert body.balance == said(SINCE_MS + 9, 30)
    assert [(step.main, step.change) for step in body.history] == [(30, 20), (10, msgspec.UNSET)]


def test_who_knows_the_number_only_sees_no_history() -> None:
    body = after(linked("open"), [said(SINCE_MS + 1), said(SINCE_MS + 2)])
    assert body.balance == said(SINCE_MS + 2)
    assert not body.history


def test_the_body_is_what_the_wire_says() -> None:
    body = live.with_balance(linked(), said(SINCE_MS + 1, 1250, live.tier_of(GOLD, "gold")))
    body = live.with_alert(live.with_offers(body, [{"id": "o1"}]), SINCE_MS + 7)
    assert msgspec.json.decode(live.written(live.with_alert(body, SINCE_MS))) == {
        "slug": "pyaterochka",
        "link": "a-link",
        "policy": "challenge",
        "since": "1970-01-01T00:01:00.000Z",
        "unit": {"points": {"en": ["point", "points"]}},
        "balance": {
            "main": 1250,
            "pending": 0,
            "expiring": [],
            "tier": {"id": "gold", "name": {"en": "Gold"}},
            "as_of": "1970-01-01T00:01:00.001Z",
        },
        "history": [{"as_of": "1970-01-01T00:01:00.001Z", "main": 1250}],
        "offers": [{"id": "o1"}],
        "alert": {"kind": "linked-elsewhere", "at": "1970-01-01T00:01:00.007Z"},
    }
    assert b'"balance"' not in live.written(linked())


@pytest.mark.parametrize(("tiers", "shown"), [({"gold": {"en": "Golden"}}, "Golden"), ({}, None)])
def test_a_programme_that_changes_renames_what_its_cards_show(tiers: dict[str, live.Texts], shown: str | None) -> None:
    money = msgspec.Raw(b'{"money":"RUB"}')
    body = live.with_balance(linked(), said(SINCE_MS + 1, 5, live.tier_of(GOLD, "gold")))
    body = live.with_programme(body, "magnit", money, tiers)
    assert (body.slug, body.unit) == ("magnit", money)
    assert isinstance(body.balance, Balance)
    assert (body.balance.tier.name["en"] if body.balance.tier else None) == shown


def test_ids_of_rows_come_in_order_and_are_of_version_7() -> None:
    made = [new_id() for _ in range(5_000)]
    assert made == sorted(set(made))
    found = [uuid.UUID(one) for one in made]
    assert {(one.version, one.variant) for one in found} == {(7, uuid.RFC_4122)}
