"""Rate limits: who is refused, for how long, and what a flood of strangers costs."""

import time

import pytest

from aggregator.errors import TooManyRequests
from aggregator.limits import Limiter, address_key


def refused(limiter: Limiter, key: str) -> TooManyRequests | None:
    try:
        limiter.hit(key)
    except TooManyRequests as problem:
        return problem
    return None


def test_the_sixth_call_of_a_minute_is_refused_and_told_when_to_come_again():
    limiter = Limiter("5/minute")
    assert [refused(limiter, "a") for _ in range(5)] == [None] * 5
    problem = refused(limiter, "a")
    assert problem.status == 429
    assert 1 <= int(problem.headers["Retry-After"]) <= 60


def test_one_caller_over_the_limit_does_not_stop_another():
    limiter = Limiter("1/hour")
    limiter.hit("a")
    assert refused(limiter, "a")
    assert not refused(limiter, "b")


def test_two_minutes_later_the_caller_is_welcome_again(monkeypatch):
    limiter, now = Limiter("2/minute"), time.time()
    limiter.hit("a")
    limiter.hit("a")
    assert refused(limiter, "a")
    monkeypatch.setattr(time, "time", lambda: now + 121)
    assert not refused(limiter, "a")


def test_a_day_limit_holds_when_the_minute_limit_has_passed(monkeypatch):
    limiter, start = Limiter("2/minute; 3/day"), 86_400 * 20_000.0
    outcomes = []
    for minute in range(4):
        monkeypatch.setattr(time, "time", lambda minute=minute: start + minute * 300)
        outcomes.append(refused(limiter, "a"))
    assert outcomes[:3] == [None] * 3
    assert int(outcomes[3].headers["Retry-After"]) > 3_600


def test_a_flood_of_new_keys_forgets_the_longest_idle_one_first():
    limiter = Limiter("1/hour", keys=10)
    limiter.hit("quiet")
    for number in range(9):
        limiter.hit(f"flood {number}")
    assert refused(limiter, "quiet")
    for number in range(20):
        limiter.hit(f"more {number}")
    assert not refused(limiter, "quiet")
    assert refused(limiter, "more 19")


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("a socket", "a socket"),
    ],
)
def test_neighbours_in_one_ipv6_network_are_one_caller(host, key):
    assert address_key(host) == key
