"""Taking a card in with a real browser: the camera's hints, photos read step by step, two sides, shared pictures."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser import Phone, chromium, phone
from tests.samples import card, code, encoded
from tests.screens import ean, face, on_table
from tests.service import Running
from tests.service import code as kept_code

EAN = "4607001234562"
BACK = ean("220088012399")
NAVY = Image.new("RGB", (1000, 640), "navy")


def far_away() -> Image.Image:
    """A code so small in the picture that a phone does not read it, though bars are seen."""
    table = Image.new("RGB", (1280, 960), (188, 186, 184))
    label = code("ean_13", EAN, 8)
    small = (round(label.width * 1.25 / 8), round(label.height * 1.25 / 8))
    table.paste(label.resize(small, Image.Resampling.LANCZOS), (560, 420))
    return table


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera is too far away from a code."""
    film = tmp_path_factory.mktemp("camera") / "card.mjpeg"
    film.write_bytes(encoded(far_away(), quality=92) * 2)
    with chromium("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}") as found:
        yield found


def picture(image: Image.Image) -> dict[str, object]:
    """A file as the gallery hands it over."""
    return {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": encoded(image, quality=88)}


FRONT = on_table(face("LENTA", "#1d4ed8"))


# The camera


def test_a_camera_too_far_away_says_so_and_then_offers_a_photo(browser: Browser, site: Running) -> None:
    with phone(browser, site.url, "/add", installs=False, permissions=["camera"]) as guest:
        expect(guest.page.get_by_role("status").filter(has_text="Поднесите карту ближе")).to_be_visible()
        guest.id("shoot").click()
        expect(guest.page.locator(".code-said")).to_contain_text(EAN)


# Step by step


class Slow:
    """A server that reads photos as slowly as the test wants: it sends a line when told, and stops when told."""

    def __init__(self) -> None:
        self.lines: Queue[bytes | None] = Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/intake"

    def tell(self, step: str, **found: Any) -> None:
        """One step is done."""
        self.lines.put(json.dumps({"step": step, **found}).encode() + b"\n")

    def break_off(self) -> None:
        """The connection is lost."""
        self.lines.put(None)

    @contextmanager
    def serving(self) -> Iterator["Slow"]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        yield self
        self.lines.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _handler(slow) -> type[BaseHTTPRequestHandler]:  # noqa: N805  (the handler's own self is in it)
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.end_headers()
                while line := slow.lines.get():
                    self.wfile.write(line)

            def log_message(self, *_words: object) -> None:
                pass

        return Handler


LENTA: Mapping[str, Any] = {"slug": "lenta", "name": "Лента", "score": 0.97, "reasons": [{"code": "name"}]}
FOUND = {"codes": [{**kept_code(EAN), "confidence": 0.99, "votes": 2, "box": [[10, 10], [90, 10], [90, 40], [10, 40]]}]}
NUMBER = {"number": {"text": "7789001234123412", "confidence": 0.9, "check": "luhn"}}
MATCH = {"merchants": [LENTA], "verdict": "accept"}


def states(guest: Phone) -> list[str]:
    """How far each step is."""
    return [
        str(one) for one in guest.id("steps").locator("li").evaluate_all("all => all.map((li) => li.dataset.state)")
    ]


def test_what_the_server_finds_is_shown_as_it_finds_it_and_stays_when_the_connection_breaks(guest: Phone) -> None:
    with Slow().serving() as slow:
        guest.page.route("**/api/intake*", lambda route: route.continue_(url=slow.url))
        guest.id("add").click()
        guest.id("gallery").set_input_files([picture(NAVY)])
        expect(guest.id("steps")).to_be_visible()
        assert states(guest) == ["now", "later", "later", "later"]
        slow.tell("barcodes", **FOUND)
        assert guest.shown_code() == [("EAN13", EAN)]
        assert states(guest) == ["done", "now", "later", "later"]
        slow.tell("card")
        slow.tell("text", **NUMBER)
        expect(guest.id("number-seen")).to_contain_text("7789 0012 3412 3412")
        assert states(guest) == ["done", "done", "done", "now"]
        slow.tell("match", **MATCH)
        expect(guest.id("shop")).to_have_value("Лента")
        slow.break_off()
        expect(guest.page.get_by_text("Связь оборвалась")).to_be_visible()
        expect(guest.id("shop")).to_have_value("Лента")
        guest.id("ask-again").click()
        slow.tell("done", **FOUND, **NUMBER, **MATCH, face=None, timings_ms={})
        expect(guest.page.get_by_text("надпись на карте")).to_be_visible()
        guest.keep()
        assert guest.shown_code() == [("EAN13", EAN)]


def test_a_number_that_is_only_offered_is_asked_about_before_a_card_is_kept_without_it(guest: Phone) -> None:
    with Slow().serving() as slow:
        guest.page.route("**/api/intake*", lambda route: route.continue_(url=slow.url))
        guest.at("/add")
        guest.id("gallery").set_input_files([picture(NAVY)])
        slow.tell("done", codes=[], **NUMBER, **MATCH, face=None, timings_ms={})
        expect(guest.id("shop")).to_have_value("Лента")
        expect(guest.id("number")).to_have_value("")
        guest.id("keep").click()
        expect(guest.page.get_by_text("Номер ещё не вписан")).to_be_visible()
        expect(guest.id("number-seen")).to_be_focused()
        guest.id("number-seen").click()
        expect(guest.id("number")).to_have_value("7789001234123412")
        guest.keep()
        expect(guest.id("till-number")).to_have_text("7789 0012 3412 3412")


# Two sides


COUNT_PHOTOS = """
  window.sent = [];
  const fetched = window.fetch;
  window.fetch = (url, init) => {
    if (init?.body instanceof FormData) window.sent.push(init.body.getAll('photo').length);
    return fetched(url, init);
  };
"""


def test_a_front_without_a_code_and_a_back_make_one_card(guest: Phone) -> None:
    guest.page.add_init_script(COUNT_PHOTOS)
    guest.at("/add")
    guest.id("gallery").set_input_files([picture(FRONT)])
    expect(guest.id("side-front")).to_have_attribute("data-cut", "true")
    guest.id("shop").fill("Магнит у дома")
    guest.page.locator('[data-testid="other-side"]').set_input_files([picture(card(content=BACK))])
    expect(guest.page.locator(".code-said")).to_contain_text(BACK)
    expect(guest.id("side-back")).to_be_visible()
    expect(guest.id("shop")).to_have_value("Магнит у дома")
    expect(guest.id("steps")).to_have_count(0)
    assert guest.page.evaluate("window.sent") == [1, 2]
    guest.keep()
    assert guest.shown_code() == [("EAN13", BACK)]
    for side in ("Лицевая сторона", "Оборот"):
        expect(guest.page.get_by_role("img", name=side)).to_be_visible()


# Shared pictures

FORM = """({ action, method, enctype, params }) => {
  const form = Object.assign(document.createElement('form'), { id: 'share', action, method, enctype });
  const field = { type: 'file', multiple: true, name: params.files[0].name };
  form.append(Object.assign(document.createElement('input'), field));
  document.body.append(form);
}"""


def share(guest: Phone, *pictures: Image.Image) -> None:
    """As the system does when pictures are shared into the app: post the form that the manifest describes."""
    target = guest.page.evaluate("fetch('/manifest.webmanifest').then(async (got) => (await got.json()).share_target)")
    guest.page.evaluate(FORM, target)
    guest.page.locator("#share input").set_input_files([picture(one) for one in pictures])
    with guest.page.expect_navigation():
        guest.page.evaluate("document.getElementById('share').submit()")


def names_of(guest: Phone) -> Sequence[str]:
    guest.at("/")
    expect(guest.id("card-row").first).to_be_visible()
    return guest.names()


@pytest.mark.installed
def test_two_pictures_shared_without_a_network_become_the_sides_of_a_guests_card(guest: Phone) -> None:
    guest.go_offline()
    share(guest, FRONT, card(content=BACK))
    expect(guest.id("one-card")).to_be_visible()
    guest.page.go_back()
    guest.id("go-on").click()
    guest.id("one-card").click()
    expect(guest.page.locator(".code-said")).to_contain_text(BACK)
    expect(guest.page.get_by_text("Сети нет")).to_be_visible()
    guest.id("shop").fill("Лента")
    guest.keep()
    assert guest.shown_code() == [("EAN13", BACK)]
    for side in ("Лицевая сторона", "Оборот"):
        expect(guest.page.get_by_role("img", name=side)).to_be_visible()
    guest.page.reload()
    assert guest.shown_code() == [("EAN13", BACK)]
    assert "karman-shared" not in guest.stored()


@pytest.mark.installed
def test_more_pictures_shared_at_once_are_cards_one_after_the_other(guest: Phone) -> None:
    share(guest, card(content=EAN), NAVY, card(content=BACK))
    for nth, (text, name) in enumerate([(EAN, "Первая"), ("", ""), (BACK, "Третья")], 1):
        expect(guest.id("nth")).to_have_text(f"Карта {nth} из 3")
        if not name:
            guest.id("skip").click()
            continue
        expect(guest.page.locator(".code-said")).to_contain_text(text)
        guest.id("shop").fill(name)
        guest.id("keep").click()
    guest.page.wait_for_url("**/c/*")
    assert names_of(guest) == ["Первая", "Третья"]
