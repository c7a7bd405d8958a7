"""How likely the first candidate is the right shop: a logistic curve fitted by `benchmarks.confidence`."""

from math import exp, log
from typing import NamedTuple

from aggregator.merchants.names import Meeting

# Above it a shop is filled in without asking; the second holds where the person's country is unknown. At these, 99 of
# 100 development queries that were accepted named the right shop (docs/matching.md).
ACCEPT = 0.9
ACCEPT_ANYWHERE = 0.97
# What is never accepted, however like: a word still being typed, or card words alone.
UNSURE = 0.5
WIDEST_GAP = 0.25


class Signs(NamedTuple):
    """What the curve is drawn over; each sign is weighed by the field of that name in WEIGHTS."""

    one: float
    like: float
    gap: float
    letters: float
    asked: float
    met: float
    same: float
    spelt: float
    script: float
    keyboard: float
    alias: float
    keyboard_short: float
    unlike_short: float


WEIGHTS = Signs(
    one=-32.23,
    like=16.19,
    gap=15.08,
    letters=0.90,
    asked=6.87,
    met=11.68,
    same=1.79,
    spelt=-1.87,
    script=-1.00,
    keyboard=3.04,
    alias=-3.08,
    keyboard_short=-12.34,
    unlike_short=-4.69,
)


def signs(met: Meeting, gap: float, is_keyboard: bool, is_alias: bool) -> Signs:
    """`gap` is how far the next other name is behind. Short words say little, most of all on another layout."""
    letters = max(met.letters, 1)
    return Signs(
        one=1.0,
        like=met.like,
        gap=min(gap, WIDEST_GAP),
        letters=log(letters),
        asked=met.asked,
        met=met.met,
        same=float(met.same),
        spelt=float(met.spelt),
        script=float(met.script),
        keyboard=float(is_keyboard),
        alias=float(is_alias),
        keyboard_short=is_keyboard / letters,
        unlike_short=(not met.same) / letters,
    )


def confidence(found: Signs) -> float:
    """0 to 1."""
    return 1 / (1 + exp(-sum(sign * weight for sign, weight in zip(found, WEIGHTS, strict=True))))
