"""Take the README's first pictures from the demo, once its shop has said a few things."""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.demo import EMAIL, PASSWORD, sample
from scripts.screenshots import look, save
from tests.browser import REPOSITORY, Phone, built_web, chromium, phone

PICTURES = {"demo-wallet": "/", "demo-till": "/c/{card}"}
# Enough for points to have come and gone, and for two offers.
STEPS = 5
# For pictures of shops and of codes to be there.
SETTLED_MS = 3_000


def main() -> None:
    """Take them into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "docs" / "screenshots")
    options = parser.parse_args()
    built_web()
    with sample("127.0.0.1", 0) as bakery, chromium() as browser:
        for _ in range(STEPS):
            bakery.step()
        with phone(browser, bakery.address, installs=False, **look("ru")) as shown:
            sign_in(shown)
            for name, path in PICTURES.items():
                shown.at(path.format(card=bakery.card))
                shown.page.wait_for_timeout(SETTLED_MS)
                shot = shown.page.screenshot(animations="disabled", caret="hide")
                save(shot, options.folder / f"{name}-ru-light.webp")


def sign_in(shown: Phone) -> None:
    """To the demo's account."""
    shown.at("/account")
    shown.id("sign-mode").click()
    shown.id("email").fill(EMAIL)
    shown.id("password").fill(PASSWORD)
    shown.id("sign-in").click()
    expect(shown.id("sign-out")).to_be_visible()
    shown.synced()


if __name__ == "__main__":
    main()
