"""Barcode readers side by side on a folder of photos whose texts are known, and what each step of ours earns.

    python -m benchmarks.recognition DIR           ours, zxing-cpp and pyzbar: reads, wrong texts, CPU
    python -m benchmarks.recognition DIR --steps   the gain of each step of the cascade and of dropping it

DIR is walked: `NAME.txt` beside a picture holds its text, `NAME.alt` others that are as good and `NAME.extra` those of
other codes it shows, one a line; a picture without any is one that nothing may be read on. The last line is one JSON
object.
"""

import argparse
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")

import cv2
import numpy as np
import zxingcpp
from PIL import Image
from pyzbar import pyzbar

from aggregator import codes, images
from aggregator.recognition import barcodes
from aggregator.recognition.barcodes import STEPS, Search, Step
from aggregator.recognition.views import whole

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif"}
Reader = Callable[[bytes], list[str]]


@dataclass(frozen=True)
class Sample:
    """A picture, the texts of which one must be read, and those that may be read too; all in their bare form."""

    path: Path
    expected: frozenset[str]
    allowed: frozenset[str]

    @property
    def picture(self) -> bytes:
        return self.path.read_bytes()


def samples(root: Path) -> list[Sample]:
    pictures = sorted(path for path in root.rglob("*") if path.suffix.lower() in PICTURES)
    return [sample(path) for path in pictures]


def sample(path: Path) -> Sample:
    first = path.with_suffix(".txt")
    expected = {first.read_bytes().decode("utf-8", "replace")} if first.exists() else set()
    expected |= set(lines(path.with_suffix(".alt")))
    bare_expected = frozenset(bare(text) for text in expected)
    return Sample(path, bare_expected, bare_expected | {bare(text) for text in lines(path.with_suffix(".extra"))})


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()] if path.exists() else []


def bare(text: str) -> str:
    """What readers and lists of texts agree on: no control characters, spaces or marks, GTINs in 13 digits."""
    text = re.sub(r"<[A-Z0-9+]{2,6}>|[\s()*\x00-\x1f\x7f\u2400-\u2424\ufeff]", "", text)
    text = re.sub(r"^[A-D]([0-9\-$:/.+]+)[A-D]$", r"\1", text)
    text = re.sub(r"^01(\d{14})$", r"\1", text)
    if re.fullmatch(r"[01]\d{7}", text) and codes.gs1_valid(codes.expand_upc_e(text)):
        text = codes.expand_upc_e(text)
    for length in (13, 12):
        if re.fullmatch(rf"\d{{{length}}}(\d{{2}}|\d{{5}})", text) and codes.gs1_valid(text[:length]):
            text = text[:length]  # The rest is an add-on symbol's (EAN-2, EAN-5).
    return f"0{text}" if re.fullmatch(r"\d{12}", text) else text


def ours(picture: bytes) -> list[str]:
    return [code.text for code in barcodes.merged(barcodes.sightings(images.decode(picture)))]


def by_zxing(picture: bytes) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))]


def by_pyzbar(picture: bytes) -> list[str]:
    return [found.data.decode("utf-8", "replace") for found in pyzbar.decode(Image.open(io.BytesIO(picture)))]


READERS: dict[str, Reader] = {"ours": ours, "zxing-cpp": by_zxing, "pyzbar": by_pyzbar}


def compared(found: Sequence[Sample]) -> dict[str, Any]:
    """All readers on every picture in turn, so that a machine that slows down slows all of them."""
    results = {name: Tally() for name in READERS}
    for name, read in READERS.items():
        read(found[0].picture)
        results[name] = Tally()
    for one in found:
        picture = one.picture
        for name, read in READERS.items():
            start = time.thread_time()
            texts = read(picture)
            results[name].add(one, texts, time.thread_time() - start)
    return {name: tally.summary() for name, tally in results.items()}


class Tally:
    """What one reader did on the pictures so far."""

    def __init__(self) -> None:
        self.read = self.photos = self.wrong = self.blanks = self.answered = 0
        self.photo_ms: list[float] = []
        self.blank_ms: list[float] = []

    def add(self, one: Sample, texts: Sequence[str], seconds: float) -> None:
        said = {bare(text) for text in texts}
        if one.expected:
            self.photos += 1
            self.read += bool(said & one.expected)
            self.wrong += bool(said - one.allowed)
            self.photo_ms.append(1000 * seconds)
        else:
            self.blanks += 1
            self.answered += bool(said - one.allowed)
            self.blank_ms.append(1000 * seconds)

    def summary(self) -> dict[str, Any]:
        counts = {"photos": self.photos, "read": self.read, "wrong": self.wrong}
        blanks = {"without_code": self.blanks, "answered": self.answered}
        return {**counts, **blanks, "cpu_ms": spread(self.photo_ms), "cpu_ms_without_code": spread(self.blank_ms)}


def spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    median, high = np.percentile(values, [50, 95])
    figures = {"mean": np.mean(values), "median": median, "p95": high, "most": max(values)}
    return {name: round(float(value), 1) for name, value in figures.items()}


# ---------------------------------------------------------------- the steps


@dataclass
class Run:
    """How far a photo went through the steps: the texts that stood, and the CPU milliseconds of each step taken."""

    texts: frozenset[str]
    spent_ms: dict[str, float]

    @property
    def last(self) -> str:
        return list(self.spent_ms)[-1]


def run(one: Sample, steps: Sequence[Step]) -> Run:
    """The cascade without its time budget, so that a busy machine gives the same table."""
    search = Search(0, whole(np.asarray(images.decode(one.picture).convert("L"))))
    spent: dict[str, float] = {}
    for step in steps:
        start = time.thread_time()
        step.run(search)
        spent[step.name] = 1000 * (time.thread_time() - start)
        if search.done:
            break
    return Run(frozenset(bare(code.text) for code in barcodes.merged(search.found)), spent)


def by_step(found: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    """One row a step: photos that came to it, reads it settled, reads lost and wrong texts gained without it, cost."""
    full = [(one, run(one, STEPS)) for one in found]
    for step in STEPS:
        reached = [(one, way) for one, way in full if step.name in way.spent_ms]
        settled = sum(way.last == step.name and bool(way.texts & one.expected) for one, way in reached)
        cost = float(np.mean([way.spent_ms[step.name] for _, way in reached])) if reached else 0.0
        rest = [other for other in STEPS if other is not step]
        without = [(one, way, run(one, rest)) for one, way in reached]
        lost = sum(bool(way.texts & one.expected) - bool(new.texts & one.expected) for one, way, new in without)
        wrong = sum(bool(new.texts - one.allowed) - bool(way.texts - one.allowed) for one, way, new in without)
        yield {"step": step.name, "reached": len(reached), "settled": settled, "lost": lost, "wrong": wrong, "ms": cost}


def print_steps(rows: Sequence[dict[str, Any]]) -> None:
    print("| step | photos that come to it | reads it settles | lost without it | wrong texts without it | CPU, ms |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print("| {step} | {reached} | {settled} | {lost} | {wrong:+d} | {ms:.0f} |".format(**row))
    print(json.dumps({"steps": rows}))


def print_readers(results: dict[str, Any]) -> None:
    base = results["zxing-cpp"]["cpu_ms"].get("mean")
    for name, result in results.items():
        share = f"{result['read'] / result['photos']:.1%}" if result["photos"] else "-"
        times = f"{result['cpu_ms']['mean'] / base:.2f}" if base else "-"
        print(f"{name:10} read {share}, {result['wrong']} wrong of {result['photos']}; ", end="")
        print(f"{result['answered']} of {result['without_code']} without a code answered; ", end="")
        print(f"CPU {times} times zxing-cpp's; ms {result['cpu_ms']}, without a code {result['cpu_ms_without_code']}")
    print(json.dumps(results))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", action="store_true", help="the gain of each step and of dropping it")
    parser.add_argument("--every", type=int, default=1, help="only every so many pictures")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    found = samples(asked.folder)[:: asked.every]
    if asked.steps:
        print_steps(list(by_step(found)))
    else:
        print_readers(compared(found))


if __name__ == "__main__":
    main()
