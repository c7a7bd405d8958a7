"""What the time of an answer tells of somebody's account or card: nothing, if both cases of every pair take as long.

    python -m benchmarks.sidechannels [--rounds N] [--grown] [--only reset]

Starts the service. Both cases of a pair are asked in turn, in an order that changes each round, from one connection;
printed are the medians, and whether they differ by less than a tenth. The last line is the same as JSON.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import addresses, card_numbers
from benchmarks.pairs import Found, Pair, measured
from tests.servers import postgres, seaweedfs
from tests.service import ServiceOptions


@contextmanager
def store(grown: bool) -> Iterator[ServiceOptions]:
    """An empty one: SQLite and a folder, or PostgreSQL and S3."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options = ServiceOptions(folder)
        if grown:
            database = stack.enter_context(postgres()).create_database()
            bucket = stack.enter_context(seaweedfs()).create_bucket()
            options = ServiceOptions.on_servers(folder, database, bucket)
        yield options


def pairs(grown: bool) -> Iterator[Pair]:
    """Those of addresses and those of numbers, each while its service runs."""
    for subject in (addresses, card_numbers):
        with store(grown) as options, subject.inhabited(options) as place:
            yield from place.pairs()


def line(found: Found) -> str:
    """A row of the table."""
    names, medians = " / ".join(found.medians), " / ".join(f"{value:.2f}" for value in found.medians.values())
    return f"{found.name:24} {names:28} {medians:>18} {found.difference:>9.1%} {'' if found.holds else '  TELLS'}"


def main() -> int:
    """Print the table; 1 where a pair differs by a tenth or more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, help="how often each case is asked; each pair has its own number")
    parser.add_argument("--grown", action="store_true", help="on PostgreSQL and S3 instead of SQLite and a folder")
    parser.add_argument("--only", default="", help="pairs whose name begins so")
    asked = parser.parse_args()
    dice = random.Random(5)
    print(f"{'what':24} {'cases':28} {'medians, ms':>18} {'differ by':>9}", flush=True)
    found = {}
    for pair in pairs(asked.grown):
        if pair.name.startswith(asked.only):
            one = measured(pair, asked.rounds or pair.rounds, dice)
            print(line(one), flush=True)
            found[one.name] = {**one.medians, "difference": one.difference, "holds": one.holds}
    print(json.dumps({"rounds": asked.rounds, "grown": asked.grown, "pairs": found}, ensure_ascii=False))
    return 0 if all(one["holds"] for one in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
