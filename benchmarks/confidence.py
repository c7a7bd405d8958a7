"""Fits the weights of `aggregator.merchants.confidence` to queries whose right answers are known, and prints them.

    python -m benchmarks.confidence DIRECTORY QUERIES [DIRECTORY QUERIES …]

Files are in the shape that `benchmarks.queries.read` reads. Right and wrong queries weigh the same; of the wrong ones
shops that the directory lacks weigh most, then people's names, since those are what is really typed and printed. The
constant is then shifted so that scores at `ACCEPT` mean the precision it stands for.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aggregator.merchants.confidence import Signs
from aggregator.merchants.matching import Matcher
from benchmarks.matchers import karman
from benchmarks.queries import Query, Task, index_of, read

SHRINK = 1.0

Floats = NDArray[np.float64]


def examples(task: Task) -> tuple[list[Signs], list[float], list[float]]:
    """Signs, whether the first answer was right, and weight of every query that may be accepted at all."""
    asked = [query for query in task.queries if query.may_be_accepted]
    strangers = sum(not query.answers for query in asked)
    heavy = (len(asked) - strangers) / max(strangers, 1)
    rows: list[tuple[Signs, float, float]] = []
    for name in sorted({query.variant for query in asked}):
        matcher = karman(index_of(task.entries, name), task.country).matcher
        here = [query for query in asked if query.variant == name]
        rows += [row for query in here if (row := example(matcher, query, heavy))]
    signs, right, weights = zip(*rows, strict=True)
    return list(signs), list(right), list(weights)


def example(matcher: Matcher, query: Query, heavy: float) -> tuple[Signs, float, float] | None:
    found = matcher.first_signs(query.text)
    if found is None:
        return None
    return found[1], float(found[0] in query.answers), 1.0 if query.answers else heavy * weight_of(query.klass)


def weight_of(klass: str) -> float:
    return 4.0 if "unlisted" in klass else 2.0 if "person" in klass else 0.5


def fitted(signs: Floats, right: Floats, weights: Floats) -> Floats:
    """Logistic regression by Newton's method on standardised signs, the first of which is the constant."""
    mean, spread = signs.mean(0), signs.std(0) + 1e-9
    mean[0], spread[0] = 0, 1
    scaled = (signs - mean) / spread
    slope = np.zeros(signs.shape[1])
    for _ in range(60):
        guess = 1 / (1 + np.exp(-scaled @ slope))
        gradient = scaled.T @ (weights * (guess - right)) + SHRINK * slope
        curvature = (scaled * (weights * guess * (1 - guess))[:, None]).T @ scaled + SHRINK * np.eye(len(slope))
        slope -= np.linalg.solve(curvature, gradient)
    raw: Floats = slope / spread
    raw[0] = slope[0] - (raw * mean)[1:].sum()
    return raw


def main(paths: list[str]) -> None:
    gathered = [examples(read(Path(one), Path(two))) for one, two in zip(paths[::2], paths[1::2], strict=True)]
    columns = (np.concatenate([np.array(part[n], float) for part in gathered]) for n in range(3))
    for name, value in zip(Signs._fields, fitted(*columns), strict=True):
        print(f"    {name}={value:.2f},")


if __name__ == "__main__":
    main(sys.argv[1:])
