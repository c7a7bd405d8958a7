"""How soon the code is on the screen, cold and without a network, beside a page of the same service worker that has
nothing to do; and how much script a first visit to the wallet and the till takes.

    python -m benchmarks.startup [--times N]

Every start is a new process of Chromium on one profile that has the app and a card, after the service was stopped. The
page with nothing to do is the app's own icon, from the same cache. Times run from the navigation's start.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, BrowserType, sync_playwright

from tests.browser import ARGUMENTS, PHONE, Phone, Watch, built_web, chromium, chromium_path, phone
from tests.service import ServiceOptions, running

TIMES = 9
NUMBER = "4607001234562"
EMPTY = "/favicon.svg"
LIMIT_BYTES = 60_000
LIMIT_RATIO = 3
WATCH = """
const look = () => {
  if (window.codeShownAt || !document.querySelector('svg[data-testid="code"]')) return;
  window.codeShownAt = -1;
  requestAnimationFrame(() => setTimeout(() => (window.codeShownAt = performance.now())));
};
new MutationObserver(look).observe(document, { subtree: true, childList: true });
"""
LOADED = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
SCRIPT_BYTES = """
performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)
"""


@contextmanager
def browser(kind: BrowserType, profile: Path) -> Iterator[BrowserContext]:
    """A new process on the profile."""
    context = kind.launch_persistent_context(
        str(profile), executable_path=chromium_path(), args=list(ARGUMENTS), viewport=PHONE
    )
    yield context
    context.close()


def install(kind: BrowserType, profile: Path, url: str) -> str:
    """Let the profile have the app and a card; gives its id."""
    with browser(kind, profile) as context:
        new = Phone(context.pages[0], url, Watch())
        new.at("/")
        new.installed()
        card = new.add_by_typing("Магнит", NUMBER)
        new.until("document.querySelector('svg[data-testid=\"code\"]') !== null")
        return card


def code_ms(kind: BrowserType, profile: Path, address: str) -> float:
    """From the navigation's start to the frame with the code."""
    with browser(kind, profile) as context:
        context.add_init_script(WATCH)
        page = context.pages[0]
        page.goto(address)
        Phone(page, "", Watch()).until("window.codeShownAt > 0")
        return float(page.evaluate("window.codeShownAt"))


def empty_ms(kind: BrowserType, profile: Path, address: str) -> float:
    """From the navigation's start to a frame after everything was loaded."""
    with browser(kind, profile) as context:
        page = context.pages[0]
        page.goto(address)
        return float(page.evaluate(LOADED))


def script_bytes(url: str) -> int:
    """What a browser that was never here fetches of script, compressed, before the wallet and a card's code stand."""
    with chromium() as fresh, phone(fresh, url) as new:
        new.until("document.querySelector('.pane.list') !== null")
        return int(new.page.evaluate(SCRIPT_BYTES))


def starts(url_of: Path, profile: Path, times: int) -> tuple[list[float], list[float], int]:
    """The times of both pages, in turn, and the bytes of script."""
    with sync_playwright() as playwright:
        kind = playwright.chromium
        with running(ServiceOptions(url_of)) as service:
            url = service.url.replace("127.0.0.1", "localhost")
            card = install(kind, profile, url)
        pairs = [
            (code_ms(kind, profile, f"{url}/c/{card}"), empty_ms(kind, profile, url + EMPTY)) for _ in range(times)
        ]
    with running(ServiceOptions(url_of)) as service:
        size = script_bytes(service.url.replace("127.0.0.1", "localhost"))
    return [code for code, _ in pairs], [empty for _, empty in pairs], size


def main() -> None:
    """Print what was measured and, last, one JSON line; fails where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES)
    times = parser.parse_args().times
    built_web()
    with tempfile.TemporaryDirectory() as folder:
        codes, empties, size = starts(Path(folder) / "data", Path(folder) / "profile", times)
    code, empty = statistics.median(codes), statistics.median(empties)
    print(f"cold start without a network, median of {times}: code after {code:.0f} ms, empty page {empty:.0f} ms")
    print(
        f"ratio {code / empty:.2f}, at most {LIMIT_RATIO}; script of a first visit {size} bytes, at most {LIMIT_BYTES}"
    )
    print(json.dumps({"ratio": round(code / empty, 2), "code_ms": round(code), "script_bytes": size}))
    if code / empty > LIMIT_RATIO or size > LIMIT_BYTES:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
