"""What Lighthouse makes of the built app: performance, accessibility and best practices of a first visit, of 100.

    python -m benchmarks.lighthouse [--times N]

Lighthouse is installed on first use (scripts/lighthouse). It imitates a slow phone and reckons with this computer's own
speed, so a busy one lowers the first figure: the median of several runs is taken, and below 95 the command fails.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from tests.browser import REPOSITORY, built_web, chromium_path
from tests.service import ServiceOptions, running

TOOL = REPOSITORY / "scripts" / "lighthouse"
PAGES = ("/", "/add", "/account")
CATEGORIES = ("performance", "accessibility", "best-practices")
TIMES = 3
LIMIT = 95
RUN_S = 180

Scores = dict[str, float]


def install() -> Path:
    """Where the program is."""
    program = TOOL / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        subprocess.run(["npm", "ci", "--loglevel=error"], cwd=TOOL, check=True, stdout=subprocess.DEVNULL)
    return program


def scores(program: Path, address: str) -> Scores:
    """What one run says of a page."""
    options = ["--quiet", "--output=json", "--output-path=stdout", f"--only-categories={','.join(CATEGORIES)}"]
    command = [program, address, *options, "--chrome-flags=--headless=new --no-sandbox"]
    environment = {**os.environ, "CHROME_PATH": chromium_path()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_S, check=True)
    found = json.loads(done.stdout)["categories"]
    return {name: 100 * found[name]["score"] for name in CATEGORIES}


def medians(program: Path, address: str, times: int) -> Scores:
    """What several runs say of a page."""
    runs = [scores(program, address) for _ in range(times)]
    return {name: statistics.median(run[name] for run in runs) for name in CATEGORIES}


def main() -> None:
    """Print a table and, last, one JSON line; fails below the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES)
    times = parser.parse_args().times
    program = install()
    built_web()
    with tempfile.TemporaryDirectory() as folder, running(ServiceOptions(Path(folder))) as service:
        url = service.url.replace("127.0.0.1", "localhost")
        found = {page: medians(program, url + page, times) for page in PAGES}
    print(f"{'page':<12}" + "".join(f"{name:>16}" for name in CATEGORIES))
    for page, one in found.items():
        print(f"{page:<12}" + "".join(f"{one[name]:>16.0f}" for name in CATEGORIES))
    print(json.dumps(found))
    if min(value for one in found.values() for value in one.values()) < LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
