"""Our matcher beside naive rapidfuzz, in one run: how often the right shop is first and among five, and at what cost.

    python -m benchmarks.matching [DIRECTORY QUERIES] [--country CC] [--each N] [--every N] [--precision P]

Without files the questions are made from the packed directory; `--every N` takes each Nth. Ratios of processor time are
what to trust: both sides answer the same questions in turn. The last line is JSON.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any, NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from aggregator.merchants.directory import directory
from benchmarks.matchers import karman
from benchmarks.queries import Entry, Query, Task, index_of, made, read

LIMIT = 5
SMALL_CLASS = 100
RACED = 200

Answer = list[tuple[str, float]]
Ask = Callable[[str], Answer]
Make = Callable[[Sequence[Entry], str | None], Ask]


class Result(NamedTuple):
    """A question and what one matcher said to it."""

    query: Query
    answer: Answer

    @property
    def score(self) -> float:
        return self.answer[0][1] if self.answer else 0.0

    @property
    def is_first(self) -> bool:
        return bool(self.answer) and self.answer[0][0] in self.query.answers

    @property
    def is_found(self) -> bool:
        return any(slug in self.query.answers for slug, _ in self.answer[:LIMIT])


def ours(entries: Sequence[Entry], country: str | None) -> Ask:
    matcher = karman(entries, country)
    return lambda text: matcher.match(text, LIMIT)


def naive(entries: Sequence[Entry], country: str | None) -> Ask:
    """WRatio over all names, letter case and signs taken away, as its documentation shows it."""
    names = [(name, entry["id"]) for entry in entries for name in (*entry["names"], *entry["aliases"])]
    texts = [default_process(name) for name, _ in names]

    def ask(text: str) -> Answer:
        best: dict[str, float] = {}
        for _, score, row in process.extract(default_process(text), texts, scorer=fuzz.WRatio, limit=4 * LIMIT):
            best.setdefault(names[row][1], score / 100)
        return list(best.items())[:LIMIT]

    return ask


def answered(make: Make, task: Task) -> list[Result]:
    """Every question put to the directory it means."""
    results = []
    for name in sorted({query.variant for query in task.queries}):
        ask = make(index_of(task.entries, name), task.country)
        results += [Result(query, ask(query.text)) for query in task.queries if query.variant == name]
    return results


# ---------------------------------------------------------------- figures


def by_class(results: Iterable[Result]) -> dict[str, dict[str, float]]:
    """Per class of answerable questions: how many, and the shares answered first and among five."""
    groups: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.query.answers:
            groups[result.query.klass].append(result)
    return {
        klass: {"n": len(group), "first": fmean(r.is_first for r in group), "five": fmean(r.is_found for r in group)}
        for klass, group in sorted(groups.items())
    }


def macro(classes: dict[str, dict[str, float]]) -> dict[str, float]:
    """Means over the classes of a group, each class weighing the same; aliases that no text decides are left out."""
    groups: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for klass, row in classes.items():
        kind = klass.partition("_")[0].rstrip("345") if klass.startswith(("alias", "prefix")) else "noise"
        if kind != "alias" or (row["n"] >= SMALL_CLASS and Query("", frozenset(), klass).may_be_accepted):
            groups[kind].append(row)
    return {f"{kind}_{key}": fmean(r[key] for r in rows) for kind, rows in groups.items() for key in ("first", "five")}


def coverage(results: Iterable[Result], precision: float) -> float:
    """How many questions are answered rightly at the lowest score from where `precision` of all accepted is right.

    Questions without an answer weigh as much together as all others.
    """
    judged = sorted((r for r in results if r.query.may_be_accepted), key=lambda r: -r.score)
    answerable = sum(bool(r.query.answers) for r in judged)
    heavy = answerable / max(len(judged) - answerable, 1)
    right = wrong = best = 0.0
    for place, result in enumerate(judged):
        right += result.is_first
        wrong += 0 if result.is_first else 1 if result.query.answers else heavy
        is_last_of_score = place + 1 == len(judged) or judged[place + 1].score < result.score
        if is_last_of_score and right >= precision * (right + wrong):
            best = right
    return best / max(answerable, 1)


def race(task: Task, own: Ask, other: Ask) -> dict[str, float]:
    """Processor milliseconds of both for the same questions in turn: 95th percentiles, and their ratio."""
    spent: tuple[list[float], list[float]] = ([], [])
    for query in task.queries[:: max(1, len(task.queries) // RACED)]:
        for ask, times in zip((other, own), spent, strict=True):
            start = time.thread_time()
            ask(query.text)
            times.append((time.thread_time() - start) * 1000)
    naive_ms, own_ms = (quantiles(times, n=20)[-1] for times in spent)
    return {"naive_p95_ms": naive_ms, "ours_p95_ms": own_ms, "ratio_p95": own_ms / naive_ms}


def measured(task: Task, precision: float) -> dict[str, Any]:
    start = time.process_time()
    own = ours(task.entries, task.country)
    build_s = time.process_time() - start
    sides = {"ours": answered(ours, task), "naive": answered(naive, task)}
    tables = {side: by_class(results) for side, results in sides.items()}
    return {
        "merchants": len(task.entries),
        "queries": len(task.queries),
        "build_cpu_s": build_s,
        "classes": tables,
        "macro": {side: macro(table) for side, table in tables.items()},
        "coverage": {side: coverage(results, precision) for side, results in sides.items()},
        "cpu": race(task, own, naive(task.entries, task.country)),
    }


# ---------------------------------------------------------------- telling


def table(found: dict[str, Any]) -> str:
    lines = [f"{'':20}{'n':>6}{'ours, first':>14}{'five':>8}{'naive, first':>16}{'five':>8}"]
    for klass, row in found["classes"]["ours"].items():
        other = found["classes"]["naive"][klass]
        lines.append(
            f"{klass:20}{row['n']:6}{row['first']:14.1%}{row['five']:8.1%}{other['first']:16.1%}{other['five']:8.1%}"
        )
    covered, cpu = found["coverage"], found["cpu"]
    lines.append(f"accepted rightly: ours {covered['ours']:.1%}, naive {covered['naive']:.1%}")
    lines.append(f"processor time, p95: {cpu['ratio_p95']:.2f} of naive; index built in {found['build_cpu_s']:.2f} s")
    return "\n".join(lines)


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def chosen() -> tuple[Task, argparse.Namespace]:
    """The questions that the command line asks for, and the rest of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching")
    parser.add_argument("files", nargs="*", type=Path, metavar="DIRECTORY QUERIES")
    parser.add_argument("--country", default="ru")
    parser.add_argument("--each", type=int, default=150)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--precision", type=float, default=0.99)
    options = parser.parse_args()
    task = read(*options.files) if options.files else made(directory(), options.country or None, options.each)
    return task._replace(queries=task.queries[:: options.every]), options


def main() -> None:
    task, options = chosen()
    found = measured(task, options.precision)
    print(table(found))
    print(json.dumps(rounded(found), ensure_ascii=False))


if __name__ == "__main__":
    main()
