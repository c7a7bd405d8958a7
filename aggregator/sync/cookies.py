"""The cookie of a pull: which versions a device holds, signed so that nobody can widen it."""

import base64
import binascii
import uuid
from dataclasses import dataclass

import msgspec

from aggregator.crypto import SIGNATURE_BYTES, KeyRing

MAX_LENGTH = 8_000


@dataclass(frozen=True, slots=True)
class Cookie:
    """The state a device holds: of which account, in which epoch of the store, each space at which version."""

    account_id: uuid.UUID
    epoch: str
    versions: dict[str, int]


def write(keys: KeyRing, cookie: Cookie) -> str:
    """The cookie as URL-safe text."""
    body = msgspec.json.encode([str(cookie.account_id), cookie.epoch, cookie.versions])
    return base64.urlsafe_b64encode(keys.sign(body) + body).rstrip(b"=").decode()


def read(keys: KeyRing, text: str) -> Cookie | None:
    """The cookie in a text, or None when it is missing, changed, or signed with unknown keys."""
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        signed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    signature, body = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    if not keys.verify(body, signature):
        return None
    account_id, epoch, versions = msgspec.json.decode(body, type=tuple[uuid.UUID, str, dict[str, int]])
    return Cookie(account_id, epoch, versions)
