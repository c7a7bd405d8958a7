"""What each step of the matcher earns and costs: with the steps above it only, and with all others but it.

    python -m benchmarks.ladder DIRECTORY QUERIES [--every N] [--write FILE]

Prints a Markdown table; `--write` puts it between the marks `<!-- ladder -->` of a file.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from rapidfuzz.distance.Indel import normalized_similarity as indel

from aggregator.merchants import matching, names
from aggregator.merchants.names import Windows
from benchmarks.matching import Answer, Ask, answered, by_class, coverage, macro, ours
from benchmarks.queries import Entry, Task, read

PRECISION = 0.99
MARK = "<!-- ladder -->"

# Letters that the index can tell apart without knowing how they sound: it takes ASCII.
_LETTERS = str.maketrans("абвгдежзийклмнопрстуфхцчшщъыьэюя", "ABCDEFGHIJKLMNOPQRSTUVWXYZ!$%&*+")


def unspelt(text: str) -> str:
    return text.translate(_LETTERS).encode("ascii", "replace").decode()


def only_latin(query: Windows, index: Windows, columns: Sequence[int]) -> names.Floats:
    """Likeness by spelling and sound alone."""
    spelt = names.each(indel, query.latin, [index.latin[at] for at in columns])
    sound = names.each(indel, query.fold, [index.fold[at] for at in columns])
    half: names.Floats = (spelt + sound) / np.float32(2)
    return half


def whole(each_weight: Sequence[float]) -> list[tuple[int, int]]:
    return [(0, len(each_weight))] if each_weight else []


def even(words: Sequence[str]) -> list[float]:
    return [1.0] * len(words)


class Change(NamedTuple):
    """What stands for a name of a module or class when a step is left out."""

    module: ModuleType | type
    name: str
    instead: Any


# In the order they are added; each with what being without it means.
STEPS: Mapping[str, Sequence[Change]] = {
    "Cyrillic in Latin letters": [Change(names, "latin", unspelt), Change(matching, "latin", unspelt)],
    "as it sounds": [Change(names, "fold", str), Change(names, "folds", list)],
    "its own letters, with swaps": [Change(names, "alike", only_latin)],
    "card words weigh little": [Change(names, "weights", even)],
    "runs of words": [Change(names, "spans", whole)],
    "the other keyboard layout": [Change(matching, "other_layout", lambda text: None)],
    "look-alike letters": [Change(matching, "repairs", lambda words: [])],
    "beginnings of names": [Change(names.NameIndex, "beginning", lambda index, key: ())],
    "fitted confidence": [Change(matching.Matcher, "_confidence", lambda matcher, top, gap: min(1.0, top.score))],
}


@contextmanager
def without(steps: Sequence[str]) -> Iterator[None]:
    patches = [patch.object(change.module, change.name, change.instead) for step in steps for change in STEPS[step]]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()


def timed(spent_ms: list[float]) -> Callable[[Sequence[Entry], str | None], Ask]:
    """Our matcher, which notes its processor time for every question."""

    def make(entries: Sequence[Entry], country: str | None) -> Ask:
        ask = ours(entries, country)

        def clocked(text: str) -> Answer:
            start = time.thread_time()
            answer = ask(text)
            spent_ms.append((time.thread_time() - start) * 1000)
            return answer

        return clocked

    return make


def figures(task: Task, missing: Sequence[str]) -> dict[str, float]:
    spent_ms: list[float] = []
    with without(missing):
        results = answered(timed(spent_ms), task)
    found = macro(by_class(results))
    return {**found, "covered": coverage(results, PRECISION), "ms": median(spent_ms)}


# ---------------------------------------------------------------- telling


COLUMNS = {"noise_first": "noise", "alias_first": "aliases", "prefix_five": "beginnings", "covered": "accepted"}


def rungs(task: Task) -> Iterator[tuple[str, dict[str, float], dict[str, float] | None]]:
    """Per step: the figures with it and all before it, and with all but it."""
    steps = list(STEPS)
    yield "letter pairs and triples, edit distance", figures(task, steps), None
    for place, step in enumerate(steps):
        print(step, file=sys.stderr)
        yield step, figures(task, steps[place + 1 :]), figures(task, [step])


def row(step: str, found: dict[str, float], dropped: dict[str, float] | None, full: dict[str, float]) -> str:
    cells = [f"{100 * found.get(key, 0):.1f}" for key in COLUMNS] + [f"{found['ms']:.1f}"]
    losses = [f"{100 * (dropped.get(key, 0) - full.get(key, 0)):+.1f}" if dropped else "–" for key in COLUMNS]
    return f"| {step} | {' | '.join(cells)} | {' | '.join(losses)} |"


def markdown(task: Task) -> str:
    found = list(rungs(task))
    full = found[-1][1]
    head = [*COLUMNS.values(), "ms", *(f"{name} without it" for name in COLUMNS.values())]
    lines = [f"| step | {' | '.join(head)} |", "|---|" + "--:|" * len(head)]
    return "\n".join([*lines, *(row(*one, full) for one in found)])


def written(path: Path, made: str) -> None:
    text = path.read_text("utf-8")
    pattern = re.compile(f"{MARK}.*?{MARK}", re.DOTALL)
    path.write_text(pattern.sub(lambda _: f"{MARK}\n{made}\n{MARK}", text), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ladder")
    parser.add_argument("directory", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    task = read(options.directory, options.queries)
    made = markdown(task._replace(queries=task.queries[:: options.every]))
    print(made)
    if options.write:
        written(options.write, made)


if __name__ == "__main__":
    main()
