"""What a person may write on a card: shapes and limits, checked in one place for `card.keep` and `card.set`."""

import base64
import binascii
import re
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aggregator.codes import FORMATS
from aggregator.errors import FieldError, Invalid

MAX_PAYLOAD = 7_100
MAX_RAW_BASE64 = (MAX_PAYLOAD + 2) // 3 * 4
MAX_CODES = 8
SAFE_INTEGER = 2**53 - 1

# Characters that reorder what stands around them (Unicode UAX #9) could make one number look like another.
REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")

ONE_LINE = ("name", "number", "pin", "group")


class Code(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A code as decoded: its symbology, its text, and in base64 the bytes it carries."""

    format: str
    text: Annotated[str, Meta(min_length=1, max_length=MAX_PAYLOAD)]
    raw: Annotated[str, Meta(min_length=4, max_length=MAX_RAW_BASE64)]
    encoding: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,32}\Z")] | None = None
    gs1: bool = False


class Balance(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount of the smallest unit, as typed in by the person."""

    value: Annotated[int, Meta(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]
    unit: Annotated[str, Meta(pattern=r"^(points|[A-Z]{3})\Z")]


class CardFields(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every field a person may write. What is not sent is UNSET; null clears."""

    name: Annotated[str, Meta(min_length=1, max_length=80)] | UnsetType = UNSET
    merchant: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,79}\Z")] | None | UnsetType = UNSET
    number: Annotated[str, Meta(max_length=64)] | None | UnsetType = UNSET
    codes: Annotated[list[Code], Meta(max_length=MAX_CODES)] | None | UnsetType = UNSET
    pin: Annotated[str, Meta(max_length=32)] | None | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=2_000)] | None | UnsetType = UNSET
    colour: Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}\Z")] | None | UnsetType = UNSET
    favourite: bool | None | UnsetType = UNSET
    archived: bool | None | UnsetType = UNSET
    group: Annotated[str, Meta(max_length=40)] | None | UnsetType = UNSET
    valid_from: str | None | UnsetType = UNSET
    expires_on: str | None | UnsetType = UNSET
    balance: Balance | None | UnsetType = UNSET
    front: uuid.UUID | None | UnsetType = UNSET
    back: uuid.UUID | None | UnsetType = UNSET

    def pictures(self) -> list[uuid.UUID]:
        """The pictures these fields name."""
        return [picture for picture in (self.front, self.back) if isinstance(picture, uuid.UUID)]

    def written(self) -> dict[str, Any]:
        """The fields that were sent, as JSON values; None where one is cleared. False is the default and clears too."""
        sent: dict[str, Any] = msgspec.to_builtins(self)
        return {name: None if value in (False, "", []) else value for name, value in sent.items()}


def check(fields: CardFields, root: str) -> None:
    """Raises Invalid naming, below the JSON pointer `root`, every field that cannot be kept."""
    if errors := [FieldError(f"{root}/{name}", detail) for name, detail in _faults(fields)]:
        raise Invalid(errors)


def _faults(fields: CardFields) -> Iterator[tuple[str, str]]:
    for name in ONE_LINE:
        if isinstance(text := getattr(fields, name), str) and not is_plain(text):
            yield name, "Control, reordering and broken characters cannot be kept."
    if isinstance(fields.name, str) and not fields.name.strip():
        yield "name", "A card needs a name."
    if isinstance(fields.note, str) and not is_plain(fields.note.replace("\n", " ").replace("\t", " ")):
        yield "note", "Control, reordering and broken characters cannot be kept."
    for name in ("valid_from", "expires_on"):
        if isinstance(day := getattr(fields, name), str) and not _is_day(day):
            yield name, "A day is written YYYY-MM-DD."
    if isinstance(fields.codes, list):
        yield from _code_faults(fields.codes)


def _code_faults(codes: list[Code]) -> Iterator[tuple[str, str]]:
    for index, code in enumerate(codes):
        if code.format not in FORMATS:
            yield f"codes/{index}/format", f"Known are {', '.join(sorted(FORMATS))}."
        if not _is_encodable(code.text):
            yield f"codes/{index}/text", "Broken characters cannot be kept."
        if not _is_base64(code.raw):
            yield f"codes/{index}/raw", "The payload's bytes are written in base64."


def is_plain(text: str) -> bool:
    """Whether a line can be shown as it is: no control, reordering or broken characters."""
    return _is_encodable(text) and not any(
        unicodedata.category(character) == "Cc" or character in REORDERING for character in text
    )


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_day(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
