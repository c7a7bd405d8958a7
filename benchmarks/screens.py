"""From one device's edit to another's screen: a name changed over the API, and the moment Chromium's list shows it.

The edit leaves as a push does; the clock runs from its first byte to the frame after the change in the other's page.
With two processes the devices are at one each, and word goes by PostgreSQL's NOTIFY.
"""

import time
import uuid
from contextlib import ExitStack
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.wire import quantile
from tests.browser import Phone, chromium, phone
from tests.service import Person, ServiceOptions, running

EDITS = 100
WATCH = """
() => {
  window.seen = new Map();
  const look = () => {
    for (const row of document.querySelectorAll('[data-testid="card-row"] .row-name')) {
      const name = row.textContent;
      if (!window.seen.has(name)) {
        window.seen.set(name, 0);
        requestAnimationFrame(() => window.seen.set(name, performance.timeOrigin + performance.now()));
      }
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
}
"""
SEEN = """
(name) => new Promise((done) => {
  const look = () => (window.seen.get(name) ? done(window.seen.get(name)) : setTimeout(look, 5));
  look();
})
"""


def signed_in(page: Page, email: str, watched: Phone) -> None:
    """The phone is the person's, shows the wallet and is listening."""
    watched.sign_in(email)
    with page.expect_response(lambda response: "/api/sync/live" in response.url):
        watched.at("/")
    watched.synced()


def delays_ms(browser: Browser, edited_at: str, shown_at: str, edits: int) -> list[float]:
    """How long each edit took to the screen."""
    email = f"{uuid.uuid4().hex}@example.org"
    with (
        Person.signed_up(edited_at, email) as person,
        phone(browser, shown_at.replace("127.0.0.1", "localhost")) as other,
    ):
        cards = [person.keep(name=f"Карта {number}") for number in range(10)]
        signed_in(other.page, email, other)
        other.page.evaluate(WATCH)
        found = []
        for number in range(edits):
            name = f"Правка {number}"
            began = time.time() * 1000
            person.push("card.set", id=cards[0], fields={"name": name})
            found.append(other.page.evaluate(SEEN, name) - began)
        return found


def run(grown: ServiceOptions, edits: int = EDITS) -> dict[str, Any]:
    """Print the delays, and give them in milliseconds."""
    found: dict[str, dict[str, float]] = {}
    with chromium() as browser:
        for processes in (1, 2):
            with ExitStack() as stack:
                urls = [stack.enter_context(running(grown)).url for _ in range(processes)]
                delays = delays_ms(browser, urls[0], urls[-1], edits)
            name = f"{processes} process{'es' if processes > 1 else ''}"
            found[name] = {"p50_ms": round(quantile(delays, 0.5)), "p99_ms": round(quantile(delays, 0.99))}
    print(f"\n{'edit to other screen':<28}{'p50 ms':>8}{'p99 ms':>8}")
    for name, one in found.items():
        print(f"{name:<28}{one['p50_ms']:>8}{one['p99_ms']:>8}")
    return found
