"""The two barcode libraries behind one interface: a view of a photo goes in, what they read on it comes out."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import zxingcpp

from aggregator.codes import FORMATS, expand_upc_e
from aggregator.recognition.reading import Box
from aggregator.recognition.views import CROP, Pixels, View

try:
    from pyzbar import pyzbar
except ImportError:  # The binding needs the system's libzbar0, which may be missing; zxing-cpp brings all it needs.
    pyzbar = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one engine says about one symbol on one view of a photo; the other fields are those of a Code.

    variant   the view it was read on; `plain` is the photo as it came
    sure      False where the reading counts only together with another one
    treated   whether the view's pixels were changed first
    """

    engine: str
    photo: int
    format: str
    text: str
    raw: bytes
    box: Box
    encoding: str | None = None
    gs1: bool = False
    variant: str = "plain"
    sure: bool = True
    treated: bool = False

    @property
    def symbol(self) -> tuple[str, str]:
        """The same for all readings of one symbol; the members of the EAN/UPC family report one number in common."""
        return ("ean_upc" if self.format in EAN_UPC else self.format, self.text)

    @property
    def upright(self) -> bool:
        """Whether the view was a straightened crop, so that scan lines run through the whole symbol."""
        return self.variant.startswith(CROP)

    @property
    def linear(self) -> bool:
        return FORMATS[self.format].kind == "linear"


# UPC-A is absent: it is the EAN-13 with a 0 in front, bar for bar, and no engine can tell them apart.
EAN_UPC = {"ean_13", "upc_e"}

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


# Everything that an upright crop of bars can be; matrix codes are read at any angle on the photo itself.
_BARS = zxingcpp.barcode_formats_from_str("AllLinear,PDF417")


def zxing(view: View, photo: int) -> Iterator[Sighting]:
    """What zxing-cpp reads; a crop is upright already, and holds bars."""
    seen = _zxing_read(view.pixels, view.as_taken)
    announced = _announced(view.pixels) if any(not barcode.bytes.isascii() for barcode in seen) else {}
    for barcode in seen:
        name = _ZXING_FORMATS.get(barcode.format.name) or _ZXING_SYMBOLOGIES.get(barcode.symbology.name)
        if name is None:
            continue
        text, raw = _normal(name, barcode.text, bytes(barcode.bytes))
        gs1 = barcode.content_type is zxingcpp.ContentType.GS1
        box = view.box(_corners(barcode.position))
        yield Sighting("zxing-cpp", photo, name, text, raw, box, announced.get(raw), gs1, view.name, True, view.treated)


def _zxing_read(pixels: Pixels, any_way: bool) -> list[zxingcpp.Barcode]:
    mode = zxingcpp.TextMode.Plain
    if any_way:
        return zxingcpp.read_barcodes(pixels, text_mode=mode)
    return zxingcpp.read_barcodes(pixels, _BARS, text_mode=mode, try_rotate=False, try_downscale=False)


def _announced(pixels: Pixels) -> dict[bytes, str]:
    """The character sets that symbols announce, by their payload; asked for only where it makes a difference.

    The binding tells them in this text mode alone: hexadecimal, after a symbology identifier that differs from the
    plain one where ECIs are in use, with a backslash and six digits in front of each stretch.
    """
    names: dict[bytes, str] = {}
    for barcode in zxingcpp.read_barcodes(pixels, text_mode=zxingcpp.TextMode.HexECI):
        protocol = bytes.fromhex(barcode.text)
        designators = set(re.findall(rb"(?<!\\)(?:\\\\)*\\(\d{6})", protocol[3:]))
        if protocol[:3] != barcode.symbology_identifier.encode() and len(designators) == 1:
            names[bytes(barcode.bytes)] = _ECI.get(int(designators.pop()), "")
    return {raw: name for raw, name in names.items() if name}


def zbar_works() -> bool:
    """Whether the system has zbar's library."""
    return pyzbar is not None


def zbar(view: View, photo: int) -> Iterator[Sighting]:
    """What zbar reads; nothing where its library is missing."""
    if pyzbar is None:
        return
    height, width = view.pixels.shape
    pixels = (np.ascontiguousarray(view.pixels).tobytes(), width, height)
    for symbol in pyzbar.decode(pixels, [pyzbar.ZBarSymbol[name] for name in _ZBAR_FORMATS]):
        name = _ZBAR_FORMATS[symbol.type]
        text, raw = _normal(name, _text(symbol.data), symbol.data)
        gs1 = name.startswith("databar")
        yield Sighting(
            "zbar", photo, name, text, raw, view.box(_frame(symbol.rect)), None, gs1, view.name, True, view.treated
        )


Engine = Callable[[View, int], Iterator[Sighting]]


def _text(data: bytes) -> str:
    """zbar hands QR payloads over in UTF-8 and all others as they are."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _normal(name: str, text: str, raw: bytes) -> tuple[str, bytes]:
    """EAN-13, UPC-A and UPC-E as the 13-digit number all of them stand for; everything else as it was read."""
    if name not in EAN_UPC:
        return text, raw
    number = (expand_upc_e(text) if len(text) == 8 else text).zfill(13)
    return number, number.encode()


def _corners(position: zxingcpp.Position) -> list[tuple[float, float]]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return [(corner.x, corner.y) for corner in corners]


def _frame(rect: "pyzbar.Rect") -> list[tuple[float, float]]:
    left, top, right, bottom = rect.left, rect.top, rect.left + rect.width, rect.top + rect.height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
