"""Fits the weights of `aggregator.merchants.confidence` to queries whose right answers are known, and prints them.

    python -m benchmarks.confidence DIRECTORY QUERIES [DIRECTORY QUERIES …]

Files are in the shape that matching evaluations read: a directory with `universe` and `entries`, and one query a line
with `query`, `expected_ids`, `klass` and `index`. Right and wrong queries weigh the same.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aggregator.merchants.confidence import Signs
from aggregator.merchants.matching import Matcher
from benchmarks.matchers import karman

# Unfinished words are never accepted, and no text decides these aliases.
LEFT_OUT = ("prefix", "alias_operator", "alias_x_other")
SHRINK = 1.0


def index_of(entries: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The index a query asks for: `full`, `primary` without aliases, `loo` without one merchant in ten."""
    if name == "primary":
        return [{**entry, "aliases": []} for entry in entries]
    if name == "loo":
        return [entry for entry in entries if int(hashlib.sha256(f"loo{entry['id']}".encode()).hexdigest(), 16) % 10]
    return entries


def examples(directory: Path, queries: Path) -> tuple[list[Signs], list[float], list[float]]:
    """Signs, whether the first answer was right, and weight of every query that may be accepted at all."""
    packed = json.loads(directory.read_text("utf-8"))
    asked = [json.loads(line) for line in queries.read_text("utf-8").splitlines()]
    asked = [query for query in asked if not (query["expected_ids"] and query["klass"].startswith(LEFT_OUT))]
    strangers = sum(not query["expected_ids"] for query in asked)
    heavy = (len(asked) - strangers) / max(strangers, 1)
    rows: list[tuple[Signs, float, float]] = []
    for name in ("full", "primary", "loo"):
        country = packed["universe"] if len(packed["universe"]) == 2 else None
        matcher = karman(index_of(packed["entries"], name), country).matcher
        here = [query for query in asked if query["index"] == name]
        rows += [row for query in here if (row := example(matcher, query, heavy))]
    signs, right, weights = zip(*rows, strict=True)
    return list(signs), list(right), list(weights)


def example(matcher: Matcher, query: dict[str, Any], heavy: float) -> tuple[Signs, float, float] | None:
    found = matcher.first_signs(query["query"])
    if found is None:
        return None
    return found[1], float(found[0] in query["expected_ids"]), 1.0 if query["expected_ids"] else heavy


def fitted(signs: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
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
    raw = slope / spread
    raw[0] = slope[0] - (raw * mean)[1:].sum()
    return raw


def main(paths: list[str]) -> None:
    gathered = [examples(Path(one), Path(two)) for one, two in zip(paths[::2], paths[1::2], strict=True)]
    columns = (np.concatenate([np.array(part[n], float) for part in gathered]) for n in range(3))
    for name, value in zip(Signs._fields, fitted(*columns), strict=True):
        print(f"    {name}={value:.2f},")


if __name__ == "__main__":
    main(sys.argv[1:])
