"""Symbologies and check digits as values: which codes Karman knows, and what each of them can carry."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["linear", "matrix"]


@dataclass(frozen=True, slots=True)
class Symbology:
    """One kind of code.

    name      its name in the W3C Shape Detection API (or `databar`, `databar_expanded`), used everywhere
    kind      whether it is drawn as bars or as a field of modules
    alphabet  the characters it carries; None where it carries any bytes
    check     whether a symbol of this kind can carry a text: characters, length and check digit
    """

    name: str
    kind: Kind
    alphabet: frozenset[str] | None
    check: Callable[[str], bool]


DIGITS = frozenset("0123456789")
ASCII = frozenset(map(chr, range(128)))
LATIN_1 = frozenset(map(chr, range(256)))
CODABAR = DIGITS | frozenset("-$:/.+ABCD")

# How many characters a kind can hold at most, where its specification sets one number for the largest symbol.
QR_BYTES = 2_953
PDF417_BYTES = 1_108
AZTEC_BYTES = 1_914
DATA_MATRIX_BYTES = 1_555
# The longest digits-only payloads are longer than the byte ones.
QR_DIGITS = 7_089
PDF417_DIGITS = 2_710
AZTEC_DIGITS = 3_832
DATA_MATRIX_DIGITS = 3_116


def gs1_check_digit(body: str) -> str:
    """The digit that completes a GTIN-8, -12, -13, -14 or SSCC (GS1 General Specifications, section 7.9).

    `body` is the number without its check digit, of any length; raises ValueError where it is not all digits.
    """
    if not _all_digits(body):
        raise ValueError("a check digit is computed over digits only")
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def gs1_valid(number: str) -> bool:
    """Whether the last digit of `number` is the GS1 check digit of those before it."""
    return len(number) > 1 and _all_digits(number) and gs1_check_digit(number[:-1]) == number[-1]


def luhn_valid(number: str) -> bool:
    """Whether `number` passes the Luhn formula (ISO/IEC 7812-1, annex B)."""
    if len(number) < 2 or not _all_digits(number):
        return False
    doubled = (int(digit) * (1, 2)[place % 2] for place, digit in enumerate(reversed(number)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def expand_upc_e(text: str) -> str:
    """The UPC-A number of 12 digits behind an 8-digit UPC-E one (GS1 General Specifications, section 5.2.2.4.2).

    `text` is number system (0 or 1), six digits and the check digit; raises ValueError for anything else.
    """
    if not re.fullmatch(r"[01][0-9]{7}", text):
        raise ValueError("a UPC-E number is 0 or 1 and seven more digits")
    system, six, check = text[0], text[1:7], text[7]
    if six[5] in "012":
        return f"{system}{six[:2]}{six[5]}0000{six[2:5]}{check}"
    if six[5] == "3":
        return f"{system}{six[:3]}00000{six[3:5]}{check}"
    if six[5] == "4":
        return f"{system}{six[:4]}00000{six[4]}{check}"
    return f"{system}{six[:5]}0000{six[5]}{check}"


def compress_upc_e(number: str) -> str:
    """The 8 digits a UPC-E symbol prints for a UPC-A number (12 digits, or 13 with a 0 in front).

    Raises ValueError where the number has no UPC-E form.
    """
    upc_a = number[1:] if len(number) == 13 and number.startswith("0") else number
    if not re.fullmatch(r"[01][0-9]{11}", upc_a):
        raise ValueError("only a UPC-A number of system 0 or 1 has a UPC-E form")
    system, maker, item, check = upc_a[0], upc_a[1:6], upc_a[6:11], upc_a[11]
    for six in _upc_e_forms(maker, item):
        if expand_upc_e(system + six + check) == upc_a:
            return system + six + check
    raise ValueError("this UPC-A number has too few zeros for a UPC-E form")


def _upc_e_forms(maker: str, item: str) -> tuple[str, ...]:
    """The four ways to leave zeros out, in the order the standard prefers them; only a fitting one expands back."""
    return (maker[:2] + item[2:] + maker[2], maker[:3] + item[3:] + "3", maker[:4] + item[4:] + "4", maker + item[4:])


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _gtin(*lengths: int) -> Callable[[str], bool]:
    return lambda text: len(text) in lengths and gs1_valid(text)


def _upc_e(text: str) -> bool:
    """Both forms count: the eight printed digits, and the expanded number that readers report."""
    try:
        return gs1_valid(expand_upc_e(text) if len(text) == 8 else expand_upc_e(compress_upc_e(text)))
    except ValueError:
        return False


def _databar(text: str) -> bool:
    """A GTIN-14, alone or under its application identifier (01)."""
    return _gtin(14)(text[2:] if len(text) == 16 and text.startswith("01") else text)


def _codabar(text: str) -> bool:
    """Start and stop letters come in pairs or, typed by a person, not at all."""
    return re.fullmatch(r"[A-D][0-9\-$:/.+]+[A-D]|[0-9\-$:/.+]+", text) is not None


def _itf(text: str) -> bool:
    """Digits are interleaved in pairs."""
    return _all_digits(text) and len(text) % 2 == 0


def _text_of(alphabet: frozenset[str]) -> Callable[[str], bool]:
    return lambda text: bool(text) and alphabet.issuperset(text)


def _any_text(most_bytes: int, most_digits: int) -> Callable[[str], bool]:
    return lambda text: 0 < len(text) <= (most_digits if _all_digits(text) else most_bytes)


FORMATS: Mapping[str, Symbology] = MappingProxyType(
    {
        symbology.name: symbology
        for symbology in (
            Symbology("ean_13", "linear", DIGITS, _gtin(13)),
            Symbology("ean_8", "linear", DIGITS, _gtin(8)),
            Symbology("upc_a", "linear", DIGITS, _gtin(12)),
            Symbology("upc_e", "linear", DIGITS, _upc_e),
            Symbology("code_128", "linear", LATIN_1, _text_of(LATIN_1)),
            # The 43 characters of plain Code 39 and Code 93 reach all of ASCII by pairs ("full ASCII").
            Symbology("code_39", "linear", ASCII, _text_of(ASCII)),
            Symbology("code_93", "linear", ASCII, _text_of(ASCII)),
            Symbology("codabar", "linear", CODABAR, _codabar),
            Symbology("itf", "linear", DIGITS, _itf),
            Symbology("qr_code", "matrix", None, _any_text(QR_BYTES, QR_DIGITS)),
            Symbology("pdf417", "matrix", None, _any_text(PDF417_BYTES, PDF417_DIGITS)),
            Symbology("aztec", "matrix", None, _any_text(AZTEC_BYTES, AZTEC_DIGITS)),
            Symbology("data_matrix", "matrix", None, _any_text(DATA_MATRIX_BYTES, DATA_MATRIX_DIGITS)),
            Symbology("databar", "linear", DIGITS, _databar),
            Symbology("databar_expanded", "linear", ASCII, _text_of(ASCII)),
        )
    }
)
