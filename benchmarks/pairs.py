"""Two requests that nobody may tell apart by the time of their answers."""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

WARM_UP = 10
MOST = 0.1


def nothing() -> None:
    """What most pairs need done before a request."""


@dataclass(frozen=True)
class Pair:
    """Both requests, each made anew every time, once `before` has been done, which is not measured."""

    name: str
    cases: dict[str, Callable[[], httpx.Response]]
    status: int
    rounds: int
    before: Callable[[], None] = nothing


@dataclass(frozen=True)
class Found:
    """Medians in milliseconds, and by how much of the smaller one they differ."""

    name: str
    medians: dict[str, float]
    difference: float

    @property
    def holds(self) -> bool:
        return self.difference < MOST


def measured(pair: Pair, rounds: int, dice: random.Random) -> Found:
    """Both cases in turn, `rounds` times."""
    took: dict[str, list[float]] = {name: [] for name in pair.cases}
    for turn in range(WARM_UP + rounds):
        for name in dice.sample(list(pair.cases), len(pair.cases)):
            pair.before()
            started = time.perf_counter()
            answer = pair.cases[name]()
            milliseconds = (time.perf_counter() - started) * 1000
            assert answer.status_code == pair.status, answer.text
            if turn >= WARM_UP:
                took[name].append(milliseconds)
    medians = {name: statistics.median(times) for name, times in took.items()}
    least, most = min(medians.values()), max(medians.values())
    return Found(pair.name, medians, (most - least) / least)
