"""Take a picture of every screen at phone size, light and dark, in Russian and English, into docs/screenshots."""

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.browser import PHONE, REPOSITORY, Phone, built_web, chromium, phone
from tests.loyalty import club
from tests.partners import Shop
from tests.samples import encoded
from tests.screens import CLUB, MORE_SCENES, SCENES, Scene, Wallets, face, fill, on_table, store_of
from tests.service import Person, Running, ServiceOptions, running

LOCALES = {"ru": "ru-RU", "en": "en-GB"}
THEMES = ("light", "dark")
QUALITY = 60
# Nothing blinks, moves or counts in a picture.
STILL = """() => {
  document.querySelectorAll('.toast').forEach((toast) => toast.remove());
}"""


def main() -> None:
    """Take them all, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="scenes to take; all of them by default")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "docs" / "screenshots")
    options = parser.parse_args()
    scenes = [scene for scene in (*MORE_SCENES, *SCENES) if not options.names or scene.name in options.names]
    built_web()
    options.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running(ServiceOptions(Path(data) / "data").reading()) as service,
        chromium(*camera(Path(data) / "card.mjpeg")) as browser,
        club(service, CLUB) as shop,
    ):
        for language in LOCALES:
            with people(service, language, shop) as wallets, phones(browser, service.url, language, wallets) as owned:
                for scene in scenes:
                    take(scene, wallets, owned, browser, language, options.folder)


def camera(film: Path) -> tuple[str, ...]:
    """A camera that looks at a card whose code is on its other side."""
    film.write_bytes(encoded(on_table(face("LENTA", "#1d4ed8")), quality=90) * 2)
    return "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"


@contextmanager
def people(service: Running, language: str, shop: Shop) -> Iterator[Wallets]:
    """The people whose wallets are shown, with addresses that look like somebody's."""
    with ExitStack() as stack:
        names = [f"{name}.{language}@example.org" for name in ("anna", "boris", "vera", "galina")]
        owners = [stack.enter_context(Person.signed_up(service.url, name)) for name in names]
        yield fill(*owners, store_of(service), shop)


@contextmanager
def phones(browser: Browser, url: str, language: str, wallets: Wallets) -> Iterator[dict[str, Phone]]:
    """Their phones, signed in."""
    with ExitStack() as stack:
        owners = wallets.by_name()
        owned = {who: stack.enter_context(phone(browser, url, **look(language))) for who in owners}
        for who, person in owners.items():
            owned[who].sign_in(person.email)
            owned[who].synced()
        yield owned


def look(language: str) -> dict[str, object]:
    """How a phone is set up for pictures."""
    return {
        "locale": LOCALES[language],
        "timezone_id": "Europe/Moscow",
        "permissions": ["camera"],
        "reduced_motion": "reduce",
    }


def take(
    scene: Scene, wallets: Wallets, owned: dict[str, Phone], browser: Browser, language: str, folder: Path
) -> None:
    """One scene in both themes; a guest's phone is new for each."""
    with ExitStack() as stack:
        shown = owned.get(scene.who)
        if shown is None:
            shown = stack.enter_context(phone(browser, str(wallets.sample.http.base_url), **look(language)))
        scene.show(shown, wallets)
        for theme in THEMES:
            shown.page.emulate_media(color_scheme=theme)
            shown.page.evaluate(STILL)
            save(
                shown.page.screenshot(animations="disabled", caret="hide"),
                folder / f"{scene.name}-{language}-{theme}.webp",
            )
        scene.after(shown)


def save(shot: bytes, path: Path) -> None:
    """Write a picture small."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.resize((PHONE["width"], PHONE["height"]), Image.Resampling.LANCZOS).save(
        path, "WEBP", quality=QUALITY, method=6
    )
    print(f"{path.name}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
