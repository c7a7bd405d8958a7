"""What shops' balances cost, and how soon they are seen.

    python -m benchmarks.partner [--rounds N] [--rows N] [--cards N] [--only putting,putting-sqlite,…]

Starts real PostgreSQL and S3, and the service itself. `putting`: balances per second beside a driver that writes the
same rows. `showing`: from a put to its holder's open screen. `importing`: a whole base, and what others feel of it. The
last line is one JSON object of all that was measured.
"""

import argparse
import json
from collections.abc import Callable
from typing import Any

from benchmarks import importing, putting, showing
from benchmarks.sync import Stores, stores

Part = Callable[[Stores], dict[str, Any]]


def parts(rounds: int, rows: int, cards: int) -> dict[str, Part]:
    """What is measured, by name."""
    return {
        "putting": lambda made: putting.run("PostgreSQL", made.grown("put"), made.grown("raw"), rounds, rows),
        "putting-sqlite": lambda made: putting.run("SQLite", made.embedded("put"), made.embedded("raw"), rounds, rows),
        "showing": lambda made: showing.run("PostgreSQL", [made.grown("show-1"), made.grown("show-2")]),
        "showing-sqlite": lambda made: showing.run("SQLite", [made.embedded("show")]),
        "importing": lambda made: importing.run("PostgreSQL", made.grown("import"), cards),
        "importing-sqlite": lambda made: importing.run("SQLite", made.embedded("import"), cards),
    }


def main() -> None:
    """Print tables and, last, one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=putting.ROWS)
    parser.add_argument("--cards", type=int, default=importing.CARDS)
    parser.add_argument("--only", default="", help="names of parts, comma-separated; all where none is given")
    asked = parser.parse_args()
    wanted = parts(asked.rounds, asked.rows, asked.cards)
    names = asked.only.split(",") if asked.only else list(wanted)
    with stores() as made:
        found = {name: wanted[name](made) for name in names}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
