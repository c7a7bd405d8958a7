"""What sync costs and how soon it comes.

    python -m benchmarks.sync [--rounds N] [--only calls,writing,…]

Starts real PostgreSQL and S3, the service itself and Chromium. `calls`: CPU per pull and push. `writing`: pushes per
second. `screens`: from an edit to another's screen. `streams`: live streams held. `restoring`: a new phone's 250 cards.
The last line is one JSON object of all that was measured.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import calls, restoring, screens, streams, writing
from tests.browser import built_web
from tests.servers import PostgresServer, S3Server, postgres, seaweedfs
from tests.service import ServiceOptions


@dataclass(frozen=True)
class Stores:
    """Makes stores that nobody has used."""

    folder: Path
    rows: PostgresServer
    blobs: S3Server

    def embedded(self, name: str) -> ServiceOptions:
        """SQLite and a folder."""
        return ServiceOptions(self.folder / name)

    def grown(self, name: str) -> ServiceOptions:
        """PostgreSQL and S3."""
        return ServiceOptions.on_servers(self.folder / name, self.rows.create_database(), self.blobs.create_bucket())


@contextmanager
def stores() -> Iterator[Stores]:
    """Real servers until the block ends."""
    with tempfile.TemporaryDirectory() as folder, postgres() as rows, seaweedfs() as blobs:
        yield Stores(Path(folder), rows, blobs)


def parts(rounds: int) -> dict[str, Callable[[Stores], dict[str, Any]]]:
    """What is measured, by name."""
    return {
        "calls": lambda made: calls.run(made.embedded("calls"), made.grown("calls-grown"), rounds),
        "writing": lambda made: writing.run(made.grown("writing"), rounds),
        "screens": lambda made: screens.run(made.grown("screens")),
        "streams": lambda made: streams.run(made.embedded("streams")),
        "restoring": lambda made: restoring.run(made.embedded("restoring")),
    }


def main() -> None:
    """Print tables and, last, one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="names of parts, comma-separated; all where none is given")
    asked = parser.parse_args()
    wanted = parts(asked.rounds)
    names = asked.only.split(",") if asked.only else list(wanted)
    built_web()
    with stores() as made:
        found = {name: wanted[name](made) for name in names}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
