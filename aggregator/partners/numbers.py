"""Numbers of a programme: their normal form, the blind index over it, and the box that keeps the number itself."""

import unicodedata
import uuid
from functools import lru_cache
from typing import Any, Literal

from aggregator.crypto import KeyRing

MAX_NUMBER = 64
BLIND_BYTES = 16
SHOPS = 1_000

Form = Literal["digits", "alphanumeric"]
Source = Literal["printed", "payload"]


def normal(form: Form, text: str) -> str:
    """The number as a programme compares it: its digits alone, or its letters and digits, capital. Empty where nothing
    is left, or more than 64 characters.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        if form == "digits":
            text = "".join(str(unicodedata.digit(one)) for one in text if one.isdigit())
    text = text.upper()
    found = text if text.isdigit() else "".join(filter(str.isdigit if form == "digits" else str.isalnum, text))
    return found if len(found) <= MAX_NUMBER else ""


def on_card(source: Source, form: Form, body: dict[str, Any]) -> str:
    """The number of a card's body in its programme's normal form: the printed one, or what its first code says. Empty
    where the card has none.
    """
    if source == "printed":
        return normal(form, body.get("number", ""))
    codes = body.get("codes") or [{}]
    return normal(form, codes[0].get("text", ""))


def blinds(keys: KeyRing, partner_id: uuid.UUID, number: str) -> list[str]:
    """The fingerprints of a number in its normal form under every key, the one to write last."""
    text = b"%b/%b" % (_named(partner_id), number.encode())
    return [found[:BLIND_BYTES].hex() for found in keys.blinds(text)]


def blind(keys: KeyRing, partner_id: uuid.UUID, number: str) -> str:
    """As `blinds`, the one to write."""
    return blinds(keys, partner_id, number)[-1]


def seal(keys: KeyRing, partner_id: uuid.UUID, number: str) -> bytes:
    """The number in a box that opens for this programme only."""
    return keys.seal(number.encode(), _bound(partner_id))


def opened(keys: KeyRing, partner_id: uuid.UUID, box: bytes) -> str:
    """The number in a box; raises BoxUnreadable."""
    return keys.open(box, _bound(partner_id)).decode()


# To write an id out takes longer than everything else that is done with it.
@lru_cache(SHOPS)
def _named(partner_id: uuid.UUID) -> bytes:
    return str(partner_id).encode()


@lru_cache(SHOPS)
def _bound(partner_id: uuid.UUID) -> bytes:
    return f"number/{partner_id}".encode()
