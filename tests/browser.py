"""A headless Chromium of phone size for tests and screenshots, and the pages in it, each watched for anything wrong."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from aggregator.settings import read

REPOSITORY = Path(__file__).resolve().parent.parent
PHONE = {"width": 390, "height": 844}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str:
    """Where the browser is; raises RuntimeError where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("No Chromium is installed: run `make setup-tests`.")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser that ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, *arguments])
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
