"""What running Karman takes: megabytes installed, seconds from a cold start to the first readings, memory at rest.

    python -m benchmarks.footprint [--workers 2]

Sizes are those of the distributions that `pyproject.toml` asks for, and of all they ask for. Each start is timed from
its command; CPU is that of the server and its processes together. The last line is one JSON object.
"""

import argparse
import json
import re
import time
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import httpx

from benchmarks.intake import cpu_s, drawn, form, resident_mb, started

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
LARGEST = 8


def needed(names: Iterable[str], unwanted: Iterable[str]) -> dict[str, Distribution]:
    """Distributions by name: these and all that they need, where they are installed."""
    found: dict[str, Distribution] = {}
    waiting, without = list(names), set(unwanted)
    while waiting:
        name = canonical(waiting.pop())
        if name in found or name in without:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # Another system's or version's.
            continue
        waiting += [line for line in found[name].requires or () if "extra ==" not in line]
    return found


def canonical(requirement: str) -> str:
    """The name in a requirement, as the index writes it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def size_mb(one: Distribution) -> float:
    """Of its installed files."""
    paths = (Path(str(one.locate_file(file))) for file in one.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def installed() -> dict[str, Any]:
    """Megabytes in all, and of the largest distributions."""
    project = tomllib.loads(PROJECT.read_text())
    found = needed(project["project"]["dependencies"], project["tool"]["uv"]["exclude-dependencies"])
    sizes = {name: size_mb(one) for name, one in found.items()}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    return {"all_mb": round(sum(sizes.values())), **{name: round(sizes[name]) for name in largest}}


def start(workers: int, text: str) -> dict[str, Any]:
    """From the command to the first answer, to the first card read, and what stays in memory."""
    photo, begin = drawn(0), time.monotonic()
    with started(workers, text) as service, httpx.Client(base_url=service.url, timeout=120) as client:
        ready_s, ready_cpu_s = time.monotonic() - begin, cpu_s(service.process.pid)
        client.post("/api/intake", **form(photo)).raise_for_status()
        read_s, read_cpu_s = time.monotonic() - begin, cpu_s(service.process.pid)
        for _ in range(3 * workers):
            client.post("/api/intake", **form(photo)).raise_for_status()
        return {
            "ready_s": round(ready_s, 1),
            "ready_cpu_s": round(ready_cpu_s, 1),
            "first_read_s": round(read_s, 1),
            "first_read_cpu_s": round(read_cpu_s, 1),
            "resident_mb": resident_mb(service.process.pid),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    found = {"installed": installed(), **{f"text {text}": start(asked.workers, text) for text in ("auto", "off")}}
    for name, figures in found.items():
        for figure, value in figures.items():
            print(f"{name:12}{figure:20}{value}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
