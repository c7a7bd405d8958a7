"""A headless Chromium of phone size for tests and screenshots, and what people do in it: watched for anything wrong."""

import fcntl
import io
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import zxingcpp
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Response,
    expect,
    sync_playwright,
)

from aggregator.settings import read
from tests.service import PASSWORD

REPOSITORY = Path(__file__).resolve().parent.parent
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 30_000
# Half of what a window costs is pages of the browser's own that no test looks at. The others are what Playwright turns
# off, which this list replaces.
NOT_NEEDED = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "SpareRendererForSitePerProcess"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "OptimizationHints", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "NetworkTimeServiceQuerying"),
)
ARGUMENTS = (
    f"--disable-features={','.join(NOT_NEEDED)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=PATIENCE_MS)


def chromium_path() -> str:
    """Where the browser is; raises RuntimeError where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("No Chromium is installed: run `make setup-tests`.")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser that ends with the block."""
    with sync_playwright() as playwright, launched(playwright.chromium, *arguments) as browser:
        yield browser


@contextmanager
def launched(kind: BrowserType, *arguments: str) -> Iterator[Browser]:
    """One more browser beside those that run."""
    browser = kind.launch(executable_path=chromium_path(), args=[*ARGUMENTS, *arguments])
    yield browser
    browser.close()


def built_web() -> Path:
    """The folder of the built web app; built anew where its sources are newer, by one process at a time."""
    web = REPOSITORY / "web"
    folder = read({}).web
    if folder != web / "dist":
        return folder
    with (web / "node_modules" / ".karman-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_fresh(web):
            subprocess.run(["npm", "run", "--silent", "build"], cwd=web, check=True, capture_output=True)
    return folder


def _is_fresh(web: Path) -> bool:
    page = web / "dist" / "index.html"
    sources = [*(web / "src").rglob("*"), *(web / "public").rglob("*"), *web.glob("*.*")]
    return page.exists() and page.stat().st_mtime >= max(path.stat().st_mtime for path in sources if path.is_file())


# Watching


@dataclass
class Watch:
    """Whatever goes wrong in a page: errors in its script or its console, answers that nobody expected."""

    faults: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    may_fail: bool = False

    def over(self, page: Page) -> None:
        """Watch one page."""
        page.on("pageerror", lambda error: self.faults.append(f"{error.message}\n{error.stack}"))
        page.on("console", self._said)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # The browser writes a line of its own for every failed request; answers are judged by their status below.
        is_request = message.text.startswith("Failed to load resource")
        if is_request and ("status of" in message.text or self.may_fail):
            return
        self.faults.append(f"console: {message.text} ({message.location['url']})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status} from {response.request.method} {response.url}: {_told(response)}")


def _told(response: Response) -> str:
    try:
        return response.text()[:500]
    except Error:
        return "(no body)"


# One phone


@dataclass
class Phone:
    """A browser profile of its own on a phone-sized screen, and the thumbs on it."""

    page: Page
    url: str
    watch: Watch

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def id(self, test_id: str) -> Locator:
        """What carries a test id, where it can be seen."""
        return self.page.locator(f'[data-testid="{test_id}"]:visible')

    def at(self, path: str) -> None:
        """Open an address."""
        self.page.goto(self.url + path)

    def another_tab(self, path: str = "/") -> "Phone":
        """The same profile in one more tab."""
        page = self.context.new_page()
        self.watch.over(page)
        tab = Phone(page, self.url, self.watch)
        tab.at(path)
        return tab

    def press(self, text: str) -> None:
        """Press the button or link of that name."""
        found = self.page.get_by_role("button", name=text, exact=True)
        found.or_(self.page.get_by_role("link", name=text, exact=True)).first.click()

    def until(self, condition: str) -> None:
        """Wait for a JavaScript expression to hold. Playwright's own way needs `eval`, which the page forbids."""
        self.page.evaluate(
            f"new Promise((done) => {{ const look = () => ({condition}) ? done() : setTimeout(look, 50); look() }})"
        )

    # The network

    def go_offline(self) -> None:
        """Lose the network, as in a shop's cellar; requests may fail from here on."""
        self.watch.may_fail = True
        self.context.set_offline(True)

    def go_online(self) -> None:
        """Find the network again."""
        self.context.set_offline(False)

    def installed(self) -> None:
        """Wait until the app can be opened without a network."""
        self.until("navigator.serviceWorker.controller !== null")

    # Cards

    def add_by_typing(self, shop: str, number: str = "", keep: bool = True) -> str:
        """Type a card in and give its id."""
        self.at("/add")
        self.id("type").click()
        self.id("shop").fill(shop)
        self.id("number").fill(number)
        return self.keep() if keep else ""

    def keep(self) -> str:
        """Keep the card that is on the confirm screen and give its id."""
        self.id("keep").click()
        self.page.wait_for_url("**/c/*")
        return urlsplit(self.page.url).path.removeprefix("/c/")

    def edit(self, card: str, **fields: str) -> None:
        """Change fields of a card."""
        self.at(f"/c/{card}/edit")
        for name, value in fields.items():
            self.id(name).fill(value)
        self.id("save").click()
        self.page.wait_for_url(f"**/c/{card}")

    def names(self) -> list[str]:
        """The names in the list, from top to bottom."""
        return [row.strip() for row in self.page.locator('[data-testid="card-row"] .row-name').all_text_contents()]

    def shown_code(self) -> list[tuple[str, str]]:
        """The codes a reader sees where the till shows one: format and text of each."""
        code = self.id("code")
        expect(code).to_be_visible()
        return reads(code.screenshot())

    # The account

    def sign_up(self, email: str) -> None:
        """Make an account."""
        self.at("/account")
        self._credentials(email)
        self.id("sign-up").click()
        expect(self.id("sign-out")).to_be_visible()

    def sign_in(self, email: str) -> None:
        """Sign in to an account."""
        self.at("/account")
        self.id("sign-mode").click()
        self._credentials(email)
        self.id("sign-in").click()
        expect(self.id("sign-out")).to_be_visible()

    def _credentials(self, email: str) -> None:
        self.id("email").fill(email)
        self.id("password").fill(PASSWORD)

    def sign_out(self) -> None:
        """Sign out and wait until the device is wiped."""
        self.at("/account")
        self.id("sign-out").click()
        self.id("sign-out-yes").click()
        expect(self.id("sign-in")).to_be_visible()

    def synced(self) -> None:
        """Wait until everything is in the account."""
        expect(self.page.locator('[data-testid="sync"]')).to_have_attribute("data-state", "idle")

    def stored(self) -> str:
        """All that this profile keeps: every database, both storages and every cache, as one text."""
        return str(self.page.evaluate(STORED))


@contextmanager
def phone(browser: Browser, url: str, path: str = "/", installs: bool = True, **options: Any) -> Iterator[Phone]:
    """A new phone at an address; ends with whatever was wrong on it. Without a service worker nothing is installed,
    which is a quarter of what a phone costs.
    """
    chosen: dict[str, Any] = {
        "viewport": PHONE,
        "device_scale_factor": 2,
        "has_touch": True,
        "locale": "ru-RU",
        **options,
    }
    context = browser.new_context(**chosen)
    context.set_default_timeout(PATIENCE_MS)
    if not installs:
        context.add_init_script("delete Navigator.prototype.serviceWorker")
    watch = Watch()
    page = context.new_page()
    watch.over(page)
    found = Phone(page, url, watch)
    found.at(path)
    yield found
    context.close()
    assert watch.faults == []


def reads(picture: bytes) -> list[tuple[str, str]]:
    """Format and text of every code in a picture."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    found = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain)
    return [(barcode.format.name, barcode.text) for barcode in found]


def holding(text: str, needles: Sequence[str]) -> list[str]:
    """Which of the needles a text holds."""
    return [needle for needle in needles if needle in text]


STORED = """async () => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const plain = async (value) => {
    if (value instanceof Blob || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return 'picture bytes';
    if (Array.isArray(value)) return Promise.all(value.map(plain));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([k, v]) => [k, await plain(v)])));
  };
  const all = { local: { ...localStorage }, session: { ...sessionStorage }, state: history.state };
  for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name));
    all[name] = {};
    for (const store of db.objectStoreNames) {
      const values = db.transaction(store).objectStore(store);
      const [keys, rows] = await Promise.all([done(values.getAllKeys()), done(values.getAll())]);
      all[name][store] = { keys, rows: await plain(rows) };
    }
    db.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const isText = /json|text|html/.test(response.headers.get('content-type') ?? '');
      all[`${name} ${request.url}`] = isText && !request.url.includes('/assets/') ? await response.text() : 'asset';
    }
  }
  return JSON.stringify(all);
}"""
