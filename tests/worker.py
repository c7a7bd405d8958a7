"""One of several processes that share a job: `python -m tests.worker DATA FOLDER`. It notes itself in FOLDER/notes each
time it has run, and "overlap" where it met another that was still at it.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from aggregator import app, db
from aggregator.jobs import Job, Runner
from aggregator.settings import read
from tests.servers import is_running

LEASE_S = 4


def work_in(folder: Path) -> Job:
    """A job that takes a moment and must not be run twice at once."""
    busy, notes = folder / "busy", folder / "notes"

    async def run(store: db.Store, now_ms: int) -> None:
        # The file of one who was killed amid it stays.
        met = busy.exists() and is_running(int(busy.read_text()))
        mark = folder / str(os.getpid())
        mark.write_text(str(os.getpid()))
        mark.rename(busy)
        await asyncio.sleep(0.5)
        busy.unlink()
        with notes.open("a") as file:
            file.write("overlap\n" if met else f"{os.getpid()}\n")

    return Job("shared", timedelta(0), run)


async def main(data: str, folder: str) -> None:
    chosen = read({"data": data})
    async with app.opened_store(chosen, app.ring(chosen)) as store:
        await Runner(store, [work_in(Path(folder))], lease_s=LEASE_S).run(0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
