"""Codes in a picture by every engine at hand, zxing-cpp first, then zbar; each reading of one text is a vote."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import zxingcpp
from PIL import Image

from aggregator.codes import FORMATS, expand_upc_e
from aggregator.recognition.reading import Box, Code

try:
    from pyzbar import pyzbar
except ImportError:  # The binding needs the system's libzbar0, which may be missing; zxing-cpp brings all it needs.
    pyzbar = None

_log = logging.getLogger("karman.recognition")


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one engine says about one symbol of one photo; the fields are those of a Code."""

    engine: str
    photo: int
    format: str
    text: str
    raw: bytes
    box: Box
    encoding: str | None = None
    gs1: bool = False

    @property
    def symbol(self) -> tuple[str, str]:
        """The same for all readings of one symbol; the members of the EAN/UPC family report one number in common."""
        return ("ean_upc" if self.format in _EAN_UPC else self.format, self.text)


# UPC-A is absent: it is the EAN-13 with a 0 in front, bar for bar, and no engine can tell them apart.
_EAN_UPC = {"ean_13", "upc_e"}

# Linear symbologies whose symbols carry no check character of their own, so that a fragment may read as a whole.
_UNCHECKED = {"code_39", "codabar", "itf"}

_ZXING_FORMATS: Mapping[str, str] = {
    "EAN13": "ean_13",
    "UPCA": "ean_13",
    "ISBN": "ean_13",
    "EAN8": "ean_8",
    "UPCE": "upc_e",
    "DataBarExp": "databar_expanded",
    "DataBarExpStk": "databar_expanded",
}
_ZXING_SYMBOLOGIES: Mapping[str, str] = {
    "Code128": "code_128",
    "Code39": "code_39",
    "Code93": "code_93",
    "Codabar": "codabar",
    "ITF": "itf",
    "QRCode": "qr_code",
    "PDF417": "pdf417",
    "Aztec": "aztec",
    "DataMatrix": "data_matrix",
    "DataBar": "databar",
}
_ZBAR_FORMATS: Mapping[str, str] = {
    "EAN13": "ean_13",
    "EAN8": "ean_8",
    "UPCE": "upc_e",
    "CODE128": "code_128",
    "CODE39": "code_39",
    "CODE93": "code_93",
    "CODABAR": "codabar",
    "I25": "itf",
    "QRCODE": "qr_code",
    "PDF417": "pdf417",
    "DATABAR": "databar",
    "DATABAR_EXP": "databar_expanded",
}
# AIM ITS/04-023: the character sets a matrix symbol can announce.
_ECI: Mapping[int, str] = {
    2: "cp437",
    **{number: f"iso-8859-{number - 2}" for number in (*range(3, 14), *range(15, 19))},
    20: "shift-jis",
    21: "windows-1250",
    22: "windows-1251",
    23: "windows-1252",
    24: "windows-1256",
    25: "utf-16be",
    26: "utf-8",
    27: "us-ascii",
    28: "big5",
    29: "gb2312",
    30: "euc-kr",
    31: "gbk",
    32: "gb18030",
    33: "utf-16le",
    34: "utf-32be",
    35: "utf-32le",
    899: "binary",
}


def available() -> dict[str, bool]:
    """Which engines this machine has."""
    return {"zxing-cpp": True, "zbar": pyzbar is not None}


def sightings(image: Image.Image, photo: int = 0) -> list[Sighting]:
    """Every engine's readings of one picture, which is taken at its full size; an engine that fails says nothing."""
    grey = image.convert("L")
    found: list[Sighting] = []
    for name, engine in ENGINES.items():
        try:
            found.extend(engine(grey, photo))
        except Exception:
            _log.exception("%s failed on a picture of %d x %d", name, *image.size)
    return found


def merged(found: Iterable[Sighting]) -> tuple[Code, ...]:
    """One Code per symbol, the likeliest first. What the first engine says about bytes and place stands."""
    by_symbol: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in found:
        by_symbol.setdefault(sighting.symbol, []).append(sighting)
    codes = [_code(readings) for readings in by_symbol.values()]
    return tuple(sorted(codes, key=lambda code: (code.confidence, code.votes, code.area), reverse=True))


def _code(readings: list[Sighting]) -> Code:
    first = readings[0]
    votes = len({(reading.photo, reading.engine) for reading in readings})
    confidence = _confidence(first, votes)
    return Code(first.format, first.text, first.raw, votes, first.box, confidence, first.encoding, first.gs1)


def _confidence(first: Sighting, votes: int) -> float:
    """How often such a reading is right: shares measured over 449 readings of real photos, rounded down.

    zbar alone guesses the character set of a QR code, and not well.
    """
    if first.engine == "zbar" and votes == 1 and not first.text.isascii():
        return 0.7
    if FORMATS[first.format].kind == "matrix" or votes > 1:
        return 0.99
    return 0.7 if first.format in _UNCHECKED else 0.9


def _zxing(grey: Image.Image, photo: int) -> Iterator[Sighting]:
    seen = zxingcpp.read_barcodes(grey, text_mode=zxingcpp.TextMode.Plain, try_rotate=True, try_downscale=True)
    announced = _announced(grey) if any(not barcode.bytes.isascii() for barcode in seen) else {}
    for barcode in seen:
        name = _ZXING_FORMATS.get(barcode.format.name) or _ZXING_SYMBOLOGIES.get(barcode.symbology.name)
        if name is None:
            continue
        text, raw = _normal(name, barcode.text, bytes(barcode.bytes))
        gs1 = barcode.content_type is zxingcpp.ContentType.GS1
        yield Sighting("zxing-cpp", photo, name, text, raw, _corners(barcode.position), announced.get(raw), gs1)


def _announced(grey: Image.Image) -> dict[bytes, str]:
    """The character sets that symbols announce, by their payload; asked for only where it makes a difference.

    The binding tells them in this text mode alone: hexadecimal, after a symbology identifier that differs from the
    plain one where ECIs are in use, with a backslash and six digits in front of each stretch.
    """
    names: dict[bytes, str] = {}
    for barcode in zxingcpp.read_barcodes(grey, text_mode=zxingcpp.TextMode.HexECI):
        protocol = bytes.fromhex(barcode.text)
        designators = set(re.findall(rb"(?<!\\)(?:\\\\)*\\(\d{6})", protocol[3:]))
        if protocol[:3] != barcode.symbology_identifier.encode() and len(designators) == 1:
            names[bytes(barcode.bytes)] = _ECI.get(int(designators.pop()), "")
    return {raw: name for raw, name in names.items() if name}


def _zbar(grey: Image.Image, photo: int) -> Iterator[Sighting]:
    if pyzbar is None:
        return
    for symbol in pyzbar.decode(grey, [pyzbar.ZBarSymbol[name] for name in _ZBAR_FORMATS]):
        name = _ZBAR_FORMATS[symbol.type]
        text, raw = _normal(name, _text(symbol.data), symbol.data)
        yield Sighting("zbar", photo, name, text, raw, _frame(symbol.rect), None, name.startswith("databar"))


ENGINES: Mapping[str, Callable[[Image.Image, int], Iterator[Sighting]]] = {"zxing-cpp": _zxing, "zbar": _zbar}


def _text(data: bytes) -> str:
    """zbar hands QR payloads over in UTF-8 and all others as they are."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _normal(name: str, text: str, raw: bytes) -> tuple[str, bytes]:
    """EAN-13, UPC-A and UPC-E as the 13-digit number all of them stand for; everything else as it was read."""
    if name not in _EAN_UPC:
        return text, raw
    number = (expand_upc_e(text) if len(text) == 8 else text).zfill(13)
    return number, number.encode()


def _corners(position: zxingcpp.Position) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    left_top, right_top, right_bottom, left_bottom = ((corner.x, corner.y) for corner in corners)
    return (left_top, right_top, right_bottom, left_bottom)


def _frame(rect: "pyzbar.Rect") -> Box:
    left, top, right, bottom = rect.left, rect.top, rect.left + rect.width, rect.top + rect.height
    return ((left, top), (right, top), (right, bottom), (left, bottom))
