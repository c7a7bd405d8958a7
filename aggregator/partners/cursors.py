"""Lists in pages: where the next page begins is told by a cursor, signed and good for one shop and one list only."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from aggregator.crypto import SIGNATURE_BYTES, KeyRing
from aggregator.errors import FieldError, Invalid
from aggregator.partners.api import Call, Parameter, Reply

T = TypeVar("T")

USUAL, MOST = 100, 1_000
MAX_CURSOR = 500

LIMIT = Parameter("limit", Annotated[int, Meta(ge=1, le=MOST)], f"How many items at most; {USUAL} if not said.")
AFTER = Parameter("after", Annotated[str, Meta(max_length=MAX_CURSOR)], "`next` of the page before; none: the first.")


class Paged(Struct, frozen=True):
    """What every list answers: `items` of one page, and `next`, the cursor of the page after it."""

    items: list[Any]
    next: str | None


def limit_of(call: Call) -> int:
    """How many items are asked for."""
    return int(call.query.get("limit", USUAL))


class Cursors:
    """Makes and reads cursors. A list's name binds them: say in it also what the list is filtered by."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def asked(self, call: Call, name: str, shape: type[T]) -> T | None:
        """The position after which to go on, None for the beginning; raises Invalid for what is no cursor of this shop
        and list.
        """
        text = call.query.get("after", "")
        return self.read(call, name, text, shape) if text else None

    def read(self, call: Call, name: str, text: str, shape: type[T]) -> T:
        """The position in a cursor, wherever it was sent; raises Invalid."""
        try:
            signed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _not_ours() from None
        signature, body = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not self._keys.verify(_bound(call, name) + body, signature):
            raise _not_ours()
        return msgspec.json.decode(body, type=shape)

    def made(self, call: Call, name: str, position: Any) -> str:
        """The cursor of a position, a JSON value."""
        body = msgspec.json.encode(position)
        signed = self._keys.sign(_bound(call, name) + body) + body
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def page(self, call: Call, name: str, items: Sequence[Any], last: Any) -> Reply:
        """A page with `Link` to the next. `last` is the position of its last item; None where the list ends with it."""
        if last is None:
            return Reply({"items": items, "next": None})
        cursor = self.made(call, name, last)
        query = urlencode({**call.query, "after": cursor})
        link = {"Link": f'<{call.request.url.path}?{query}>; rel="next"'}
        return Reply({"items": items, "next": cursor}, headers=link)


def _bound(call: Call, name: str) -> bytes:
    return f"cursor/{call.caller.partner_id}/{name}/".encode()


def _not_ours() -> Invalid:
    return Invalid([FieldError("/after", "This is no cursor of this list.")])
