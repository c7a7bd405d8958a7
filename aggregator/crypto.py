"""The key ring: sealed boxes for what people keep, signatures for what we hand out, and blind indexes.

A ring holds one or more 32-byte secrets. The last one seals; every one of them opens. From each secret separate keys
are derived with HKDF (RFC 5869), so that a signature can never be mistaken for a box.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT = "karman-keys/1"
SECRET_BYTES = 32
ID_BYTES = 4
NONCE_BYTES = 12
SIGNATURE_BYTES = 16


class KeysUnreadable(Exception):
    """The key ring is missing or damaged; the message says which and what to do."""


class BoxUnreadable(Exception):
    """A box was changed, bound to something else, or sealed with a key this ring lacks."""


def _derive(secret: bytes, purpose: str, length: int = 32) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"karman " + purpose.encode()).derive(secret)


@dataclass(frozen=True, slots=True)
class Key:
    """One secret and what is derived from it. `id` names it in boxes without telling anything about it."""

    id: bytes
    box: AESGCM
    signing: bytes
    index: bytes

    @classmethod
    def of(cls, secret: bytes) -> "Key":
        return cls(
            id=_derive(secret, "id", ID_BYTES),
            box=AESGCM(_derive(secret, "box")),
            signing=_derive(secret, "signature"),
            index=_derive(secret, "index"),
        )


class KeyRing:
    """Seals and opens boxes (AES-256-GCM, NIST SP 800-38D) and signs short texts (HMAC-SHA256).

    A box is key id (4 bytes), nonce (12), ciphertext and tag; `bound` is authenticated but not kept inside it.
    """

    def __init__(self, ring: list[bytes]) -> None:
        if not ring or any(len(secret) != SECRET_BYTES for secret in ring):
            raise KeysUnreadable("A key ring needs at least one secret of 32 bytes.")
        keys = [Key.of(secret) for secret in ring]
        self._keys = {key.id: key for key in keys}
        self._current = keys[-1]

    @property
    def ids(self) -> list[bytes]:
        """The ids of all keys, the sealing one last."""
        return list(self._keys)

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        """The box of `plain`, which opens only with the same `bound`."""
        return self.seal_with(self._current.id, plain, bound)

    def seal_with(self, key_id: bytes, plain: bytes, bound: bytes) -> bytes:
        """As `seal`, with a named key of the ring."""
        nonce = os.urandom(NONCE_BYTES)
        return key_id + nonce + self._keys[key_id].box.encrypt(nonce, plain, bound)

    def open(self, box: bytes, bound: bytes) -> bytes:
        """What was sealed; raises BoxUnreadable."""
        try:
            return self._keys[box[:4]].box.decrypt(box[4:16], box[16:], bound)
        except (KeyError, InvalidTag, ValueError) as error:
            raise BoxUnreadable("A box does not open with this key ring.") from error

    def sign(self, text: bytes) -> bytes:
        """A 16-byte signature of `text`."""
        return hmac.digest(self._current.signing, text, hashlib.sha256)[:SIGNATURE_BYTES]

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether any key of the ring signed `text`; takes the same time for every wrong signature."""
        found = False
        for key in self._keys.values():
            made = hmac.digest(key.signing, text, hashlib.sha256)[:SIGNATURE_BYTES]
            found |= hmac.compare_digest(made, signature)
        return found

    def blinds(self, text: bytes) -> list[bytes]:
        """The keyed fingerprints (HMAC-SHA256, 32 bytes) of a text under every key, the sealing one's last.

        Equal texts have equal fingerprints, which tell nothing of the text. Write the last and look for all of them.
        """
        return [hmac.digest(key.index, text, hashlib.sha256) for key in self._keys.values()]


def new_ring() -> str:
    """A fresh key ring as JSON."""
    return _written([secrets.token_bytes(SECRET_BYTES)])


def read_ring(text: str | bytes) -> KeyRing:
    """The ring in a JSON text as `new_ring` makes it; raises KeysUnreadable."""
    return KeyRing(_secrets(text))


def _secrets(text: str | bytes) -> list[bytes]:
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise KeysUnreadable(f"This key ring has the format {found['format']!r}; this version reads {FORMAT!r}.")
        return [base64.b64decode(secret, validate=True) for secret in found["keys"]]
    except (ValueError, KeyError, TypeError) as error:
        raise KeysUnreadable("The key ring is damaged: it is not the JSON that was written.") from error


def _written(ring: list[bytes]) -> str:
    return json.dumps({"format": FORMAT, "keys": [base64.b64encode(secret).decode() for secret in ring]})


def rotated(text: str | bytes) -> str:
    """A ring's JSON with a fresh key that seals from now on; the others go on opening. Raises KeysUnreadable."""
    return _written([*_secrets(text), secrets.token_bytes(SECRET_BYTES)])


def without(text: str | bytes, key_id: bytes) -> str:
    """A ring's JSON without one key; raises KeysUnreadable."""
    return _written([secret for secret in _secrets(text) if Key.of(secret).id != key_id])


def joined(first: str | bytes, second: str | bytes) -> str:
    """The JSON of a ring with the keys of both, the second's sealing one last; raises KeysUnreadable."""
    later = _secrets(second)
    return _written([*(secret for secret in _secrets(first) if secret not in later), *later])


def ring_at(path: Path) -> KeyRing:
    """The ring in a file, which is made on first use: durable, and readable by its owner only. Of two processes that
    make it at once both take the first one's. Raises KeysUnreadable.
    """
    return read_ring(text_at(path))


def text_at(path: Path) -> str:
    """As `ring_at`, the JSON, unread."""
    if not path.exists():
        _write_once(path, new_ring())
    return path.read_text(errors="replace")


def replace_ring(path: Path, text: str) -> None:
    """Put a ring's JSON into the file, whole or not at all; durable on return."""
    with _part(path, text) as part:
        part.rename(path)


def _write_once(path: Path, text: str) -> None:
    # Unlike a rename, a link never replaces a ring that another process has sealed with meanwhile.
    with _part(path, text) as part, suppress(FileExistsError):
        path.hardlink_to(part)


@contextmanager
def _part(path: Path, text: str) -> Iterator[Path]:
    """A durable file beside `path` with the text, to be given its name in the block; then that is durable, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
        yield part
    finally:
        os.close(handle)
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
