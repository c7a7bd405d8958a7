"""The code drawn is the code read: random payloads of every symbology, drawn by the shipped app in a real browser,
photographed from its screen and read by zxing-cpp, give the same symbology and the same bytes.
"""

import base64
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import gcd
from pathlib import Path
from typing import Any, Self

import pytest
import zxingcpp
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page

from aggregator.codes import compress_upc_e, expand_upc_e, gs1_check_digit
from tests.browser import REPOSITORY, built_web, chromium, launched
from tests.conftest import IS_PROOF
from tests.service import ServiceOptions, running

BATCH = 8
BATCHES = 120 if IS_PROOF else 4

property_test = settings(
    max_examples=BATCHES,
    deadline=None,
    # A failing batch tells enough as it is: making it smaller takes minutes of drawing.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Code:
    """A code as a card carries it; `encoding` is the one its symbol announces."""

    format: str
    raw: bytes
    gs1: bool = False
    encoding: str | None = None

    def body(self) -> dict[str, Any]:
        """As JSON of a card."""
        named = {"encoding": self.encoding} if self.encoding else {}
        marked = {"gs1": True} if self.gs1 else {}
        text = self.raw.decode("latin-1")
        return {"format": self.format, "text": text, "raw": base64.b64encode(self.raw).decode(), **named, **marked}


CARRY_FNC1 = {"code_128", "qr_code", "aztec", "data_matrix"}
CARRY_ECI = {"qr_code", "pdf417", "aztec", "data_matrix"}

# Normal forms (docs/drawing.md): where reading gives something else than was kept, though the symbol is the same.


def normal(code: Code) -> Code:
    """What a reader says to the symbol of a code."""
    if code.format in NORMAL_FORMS:
        return NORMAL_FORMS[code.format](code)
    is_marked = code.gs1 and code.format in CARRY_FNC1
    encoding = code.encoding if code.encoding in ENCODINGS.values() and code.format in CARRY_ECI else None
    return Code(code.format, code.raw, is_marked, encoding)


def _upc_a(code: Code) -> Code:
    return Code("ean_13", code.raw.rjust(13, b"0"))


def _upc_e(code: Code) -> Code:
    number = code.raw.decode()
    return Code("upc_e", (expand_upc_e(number) if len(number) == 8 else number).rjust(13, "0").encode())


def _codabar(code: Code) -> Code:
    text = code.raw.upper()
    return Code("codabar", text if text[:1].isalpha() else b"A" + text + b"A")


def _databar(code: Code) -> Code:
    return Code("databar", code.raw if len(code.raw) == 16 else b"01" + code.raw, gs1=True)


def _databar_expanded(code: Code) -> Code:
    return Code("databar_expanded", code.raw, gs1=True)


NORMAL_FORMS: Mapping[str, Callable[[Code], Code]] = {
    "upc_a": _upc_a,
    "upc_e": _upc_e,
    "codabar": _codabar,
    "databar": _databar,
    "databar_expanded": _databar_expanded,
}

# Reading

F = zxingcpp.BarcodeFormat
# Code 39 by its two plain kinds, as the phone asks for it: as a whole, six letters may be an Italian pharmacy number.
NAMES = {
    F.EAN13: "ean_13",
    F.EAN8: "ean_8",
    F.UPCE: "upc_e",
    F.Code128: "code_128",
    F.Code39Std: "code_39",
    F.Code39Ext: "code_39",
    F.Code39: "code_39",
    F.Code93: "code_93",
    F.Codabar: "codabar",
    F.ITF: "itf",
    F.QRCode: "qr_code",
    F.PDF417: "pdf417",
    F.Aztec: "aztec",
    F.DataMatrix: "data_matrix",
    F.DataBarOmni: "databar",
    F.DataBarExp: "databar_expanded",
}
WANTED = [wanted for wanted in NAMES if wanted is not F.Code39]
ENCODINGS = {3: "iso-8859-1", 7: "iso-8859-5", 20: "shift-jis", 22: "windows-1251", 25: "utf-16be", 26: "utf-8"}


def reading(picture: Image.Image) -> list[Code]:
    """Every code in a picture."""
    found = zxingcpp.read_barcodes(picture, formats=WANTED, text_mode=zxingcpp.TextMode.HexECI)
    return [_read(barcode) for barcode in found]


def _read(barcode: zxingcpp.Barcode) -> Code:
    name = NAMES[barcode.format]
    # In this mode the text is in the ECI protocol only where the symbol announces a character set.
    protocol = bytes.fromhex(barcode.text)
    designator = re.search(rb"\A\]..\\(\d{6})", protocol)
    announced = designator and protocol[:3] != barcode.symbology_identifier.encode()
    encoding = ENCODINGS.get(int(designator[1]), "?") if designator and announced else None
    return Code(name, bytes(barcode.bytes), barcode.content_type is zxingcpp.ContentType.GS1, encoding)


# Drawing


@dataclass(frozen=True)
class Screen:
    """A phone's window in CSS pixels, and how many device pixels make one of them."""

    width: int
    height: int
    ratio: float


SCREENS = (
    Screen(390, 844, 3),
    Screen(360, 800, 2),
    Screen(412, 915, 2.625),
)


Box = Sequence[float]


@dataclass
class Paper:
    """The page that shows codes as the till does."""

    page: Page
    session: CDPSession
    chunk: str

    @classmethod
    def at(cls, url: str, chunk: str, browser: Browser, **options: Any) -> Self:
        """The page in a browser."""
        page = browser.new_page(**options)
        page.goto(url)
        return cls(page, page.context.new_cdp_session(page), chunk)

    def reread(self, codes: Sequence[Code], screen: Screen) -> list[list[Code] | str]:
        """What a reader sees of each code on that screen, or why the code is not drawn."""
        metrics = {"width": screen.width, "height": screen.height, "deviceScaleFactor": screen.ratio, "mobile": True}
        self.session.send("Emulation.setDeviceMetricsOverride", metrics)
        return [one if isinstance(one, str) else reading(one) for one in self.shown(codes)]

    def shown(self, codes: Sequence[Code]) -> list[Image.Image | str]:
        """Each code as it stands on the screen, quiet zone included, in device pixels, or why it is not drawn."""
        arguments = [self.chunk, [code.body() for code in codes]]
        boxes: list[Box | str] = self.page.evaluate("([chunk, codes]) => show(chunk, codes)", arguments)
        width, height, ratio = self.page.evaluate(
            "[innerWidth, document.documentElement.scrollHeight, devicePixelRatio]"
        )
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        options = {"format": "png", "captureBeyondViewport": True, "optimizeForSpeed": True, "clip": clip}
        data = self.session.send("Page.captureScreenshot", options)["data"]
        picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
        return [box if isinstance(box, str) else _cut(picture, box, ratio) for box in boxes]


def _cut(picture: Image.Image, box: Box, ratio: float) -> Image.Image:
    left, top, width, height = (round(side * ratio) for side in box)
    return picture.crop((left, top, left + width, top + height))


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """The built app with one page more, served by the service."""
    folder = tmp_path_factory.mktemp("drawing")
    web = folder / "web"
    shutil.copytree(built_web(), web)
    _build_page(web / "assets" / "drawing-page")
    [chunk] = (web / "assets").glob("draw-*.js")
    options = ServiceOptions(folder / "data").plus("--web", str(web))
    with running(options) as service, chromium() as browser:
        yield Paper.at(f"{service.url}/assets/drawing-page/index.html", f"/assets/{chunk.name}", browser)


def _build_page(folder: Path) -> None:
    configuration = "tests/drawing-page/vite.config.ts"
    command = ["npx", "--no-install", "vite", "build", "--config", configuration, "--outDir", str(folder)]
    subprocess.run(command, cwd=REPOSITORY / "web", check=True, capture_output=True)


def assert_reread(paper: Paper, codes: Sequence[Code], screen: Screen) -> None:
    for code, seen in zip(codes, paper.reread(codes, screen), strict=True):
        assert seen == [normal(code)], f"{code} was seen as {seen} on {screen}"


# Payloads


def digits(smallest: int, largest: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=smallest, max_size=largest)


def checked(length: int) -> st.SearchStrategy[str]:
    """Numbers of that many digits, the last of which is the GS1 check digit."""
    return digits(length - 1, length - 1).map(lambda body: body + gs1_check_digit(body))


def zero_suppressed(system_and_six: str) -> str:
    return system_and_six + gs1_check_digit(expand_upc_e(system_and_six + "0")[:11])


# A number that ends in 5 to 9 after zeros can be written in several ways; the standard's one is what readers expand.
UPC_E = (
    st.tuples(st.sampled_from("01"), digits(6, 6))
    .map("".join)
    .map(zero_suppressed)
    .filter(lambda number: compress_upc_e(expand_upc_e(number)) == number)
)

PRINTABLE = "".join(map(chr, range(32, 127)))
GS1_CHARACTERS = re.sub("[#$@\\[\\\\\\]^`{|}~ ]", "", PRINTABLE)
CODE_39 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"

# What an escape, a macro or an application identifier looks like, as plain bytes.
LOOKALIKES = st.sampled_from(
    [b"^FNC1", b"^ECI000026", b"^^", b"^065", b"%%", b"\\000026", b"(01)04607001234562", b"[)>\x1e05\x1d1\x1e\x04"]
)


def text_of(alphabet: str, smallest: int, largest: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=smallest, max_size=largest)


def any_bytes(largest: int) -> st.SearchStrategy[bytes]:
    """All that people's cards carry, and worse: text in two alphabets and encodings, digits, raw bytes."""
    cyrillic = st.text("АБВГДЕЁЖЗабвгдеёжзь №«»—", min_size=1, max_size=largest // 3)
    return st.one_of(
        st.binary(min_size=1, max_size=largest),
        text_of(PRINTABLE, 1, largest).map(str.encode),
        digits(1, largest).map(str.encode),
        cyrillic.map(str.encode),
        cyrillic.map(lambda text: text.encode("cp1251")),
        st.tuples(LOOKALIKES, st.binary(max_size=4)).map(b"".join).filter(lambda raw: len(raw) <= largest),
    )


DATES = st.dates().map(lambda day: day.strftime("%y%m%d"))
# Application identifiers whose values have one length, and those whose values end with a separator.
FIXED = {
    "00": checked(18),
    "01": checked(14),
    "17": DATES,
    "20": digits(2, 2),
    "3103": digits(6, 6),
    "410": checked(13),
}
VARIABLE = ("10", "21", "240", "8200", "91")


@st.composite
def gs1_elements(draw: st.DrawFn, characters: str = GS1_CHARACTERS, most: int = 3) -> bytes:
    """Element strings: some of fixed length, then some that end with a separator, the last without it."""
    fixed = draw(st.lists(st.sampled_from(sorted(FIXED)), unique=True, max_size=2))
    variable = draw(st.lists(st.sampled_from(VARIABLE), unique=True, min_size=1, max_size=most))
    first = "".join(ai + draw(FIXED[ai]) for ai in fixed)
    rest = [ai + draw(st.text(characters, min_size=1, max_size=12)) for ai in variable]
    return (first + "\x1d".join(rest)).encode()


def plain(name: str, payloads: st.SearchStrategy[bytes] | st.SearchStrategy[str]) -> st.SearchStrategy[Code]:
    return payloads.map(lambda raw: Code(name, raw.encode() if isinstance(raw, str) else raw))


def gs1(name: str, payloads: st.SearchStrategy[bytes]) -> st.SearchStrategy[Code]:
    return payloads.map(lambda raw: Code(name, raw, gs1=True))


def announced(name: str) -> st.SearchStrategy[Code]:
    """Text whose encoding the symbol announces."""
    texts = st.text("Карман №7 pocket", min_size=1, max_size=24)
    encodings = st.sampled_from(["utf-8", "windows-1251", "iso-8859-5", "utf-16be"])
    return st.tuples(texts, encodings).map(lambda pair: Code(name, pair[0].encode(pair[1]), encoding=pair[1]))


def matrix(name: str) -> st.SearchStrategy[Code]:
    return plain(name, any_bytes(120)) | plain(name, any_bytes(400)) | announced(name)


# First code of a stretch of ASCII, its shift character, and the letter it begins with (ISO/IEC 16388, annex A).
STRETCHES = (
    *((0x7B, "%P"), (0x61, "+A"), (0x60, "%W"), (0x5B, "%K"), (0x40, "%V"), (0x3B, "%F"), (0x21, "/A")),
    *((0x1B, "%A"), (0x01, "$A"), (0x00, "%U")),
)


def in_pairs(character: str) -> str:
    """A character as Code 39 spells all of ASCII."""
    if re.fullmatch(r"[0-9A-Z\-. ]", character):
        return character
    first, (shift, letter) = next((first, pair) for first, pair in STRETCHES if ord(character) >= first)
    return shift + chr(ord(letter) + ord(character) - first)


def is_told_apart(text: str) -> bool:
    """Whether readers can know the pairs of a Code 39 from a plain text with a check character; others are refused."""

    def checks(symbols: str) -> bool:
        *values, last = map(CODE_39.index, symbols)
        return bool(values) and sum(values) % 43 == last

    is_plain = set(text) <= set(CODE_39)
    if is_plain and (not re.search(r"[$%/+][A-Z]", text) or checks(text)):
        return True
    return not checks("".join(map(in_pairs, text)))


# As long as fits the screens above: a linear code has two device pixels for few of its modules there.
CODABAR = "0123456789-$:/.+"
ENDS = st.sampled_from("ABCD")
ASCII = "".join(map(chr, range(128)))
CODES: Mapping[str, st.SearchStrategy[Code]] = {
    "ean_13": plain("ean_13", checked(13)),
    "ean_8": plain("ean_8", checked(8)),
    "upc_a": plain("upc_a", checked(12)),
    "upc_e": plain("upc_e", UPC_E),
    "code_128": plain("code_128", any_bytes(24))
    | plain("code_128", text_of(PRINTABLE, 1, 48) | digits(1, 80))
    | gs1("code_128", gs1_elements(most=2)),
    "code_39": plain("code_39", (text_of(CODE_39, 1, 40) | text_of(ASCII, 1, 24)).filter(is_told_apart)),
    "code_93": plain("code_93", text_of(CODE_39, 1, 60) | text_of(ASCII, 1, 30)),
    "codabar": plain("codabar", st.tuples(ENDS, text_of(CODABAR, 2, 40), ENDS).map("".join) | text_of(CODABAR, 2, 40)),
    # Readers ignore ITF of two digits: any two bars look like it.
    "itf": plain("itf", st.integers(2, 40).flatmap(lambda pairs: digits(2 * pairs, 2 * pairs))),
    "qr_code": matrix("qr_code") | gs1("qr_code", gs1_elements(GS1_CHARACTERS.replace("%", ""))),
    "pdf417": matrix("pdf417"),
    "aztec": matrix("aztec"),
    "data_matrix": matrix("data_matrix") | gs1("data_matrix", gs1_elements()),
    "databar": plain("databar", checked(14) | checked(14).map(lambda number: f"01{number}")),
    "databar_expanded": plain("databar_expanded", gs1_elements(most=2).filter(lambda raw: len(raw) <= 40)),
}


@pytest.mark.parametrize("symbology", CODES)
def test_what_is_drawn_is_read_as_the_same_symbology_and_bytes(symbology: str, paper: Paper) -> None:
    @property_test
    @given(st.lists(CODES[symbology], min_size=6, max_size=BATCH), st.sampled_from(SCREENS))
    def holds(codes: list[Code], screen: Screen) -> None:
        assert_reread(paper, codes, screen)

    holds()


# Digits are likelier than the rest to pass as something: each symbology that takes a payload must show just that.
ANYTHING = st.builds(
    Code,
    st.sampled_from(sorted(CODES)),
    st.one_of(
        digits(1, 16).map(str.encode),
        text_of(CODE_39 + CODABAR, 1, 16).map(str.encode),
        text_of(GS1_CHARACTERS + "\x1d", 1, 16).map(lambda text: f"10{text}".encode()),
        st.binary(min_size=1, max_size=16),
    ),
    st.booleans(),
    st.sampled_from([None, "utf-8", "windows-1251", "nonsense"]),
)


def is_read_at_all(code: Code) -> bool:
    """Readers ignore two bars (ITF) or one character (Codabar): anything looks like them."""
    return len(code.raw) > {"itf": 2, "codabar": 3}.get(code.format, 0)


@property_test
@given(st.lists(ANYTHING.filter(is_read_at_all), min_size=6, max_size=BATCH), st.sampled_from(SCREENS))
def test_what_a_symbology_cannot_carry_is_refused_and_never_drawn_as_something_else(
    paper: Paper, codes: list[Code], screen: Screen
) -> None:
    for code, seen in zip(codes, paper.reread(codes, screen), strict=True):
        assert isinstance(seen, str) or seen == [normal(code)], f"{code} was seen as {seen} on {screen}"


@pytest.fixture(scope="module", params=[2.0, 2.625, 3.5])
def real_pixels(request: pytest.FixtureRequest, paper: Paper) -> Iterator[Paper]:
    """The page on a screen that really has so many device pixels: an emulated one puts boxes on CSS pixels."""
    emulating = paper.page.context.browser
    assert emulating
    with launched(emulating.browser_type, f"--force-device-scale-factor={request.param}") as browser:
        yield Paper.at(paper.page.url, paper.chunk, browser, no_viewport=True)


def test_a_module_is_as_many_whole_device_pixels_as_fit(real_pixels: Paper) -> None:
    [picture] = real_pixels.shown([Code("ean_13", b"4607001234562")])
    assert isinstance(picture, Image.Image)
    row = picture.crop((0, picture.height // 2, picture.width, picture.height // 2 + 1)).tobytes()
    runs = [len(list(run)) for _colour, run in groupby(row)]
    # 95 modules of bars, quiet zones of 11 and 7.
    module = int(real_pixels.page.evaluate("innerWidth * devicePixelRatio")) // 113
    assert gcd(*runs[1:-1]) == module
    # The box itself may stand between two pixels.
    assert (runs[0], runs[-1]) == pytest.approx((11 * module, 7 * module), abs=1)
    assert set(row) == {0, 255}, "black and white and nothing between"


def test_a_matrix_is_made_of_equal_squares(real_pixels: Paper) -> None:
    _above, picture = real_pixels.shown([Code("ean_8", b"96385074"), Code("qr_code", b"12345")])
    assert isinstance(picture, Image.Image)
    # A QR code of version 1 has 21 modules, and quiet zones of 4.
    side = 29 * (picture.width // 29)
    small = picture.resize((29, 29), Image.Resampling.NEAREST, (0, 0, side, side))
    again = small.resize((side, side), Image.Resampling.NEAREST)
    assert picture.crop((0, 0, side, side)).tobytes() == again.tobytes()


@pytest.mark.parametrize(
    ("symbology", "length"), [("qr_code", 2953), ("pdf417", 1034), ("aztec", 1914), ("data_matrix", 1555)]
)
def test_the_largest_symbol_is_read_from_a_phone(symbology: str, length: int, paper: Paper) -> None:
    payload = bytes(place * place % 256 for place in range(length))
    assert_reread(paper, [Code(symbology, payload)], SCREENS[0])
