"""The key ring inside a backup: sealed with a key that argon2id (RFC 9106) makes of a passphrase."""

import base64
import os

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = "karman-sealed-keys/1"
MIN_LENGTH = 10
NONCE_BYTES = 12
# The second choice of RFC 9106, section 4, for machines with little memory.
ROUNDS, MEMORY_KIB, LANES = 3, 65_536, 4


class PassphraseWrong(Exception):
    """The key ring in the backup does not open with this passphrase, or the passphrase is too short for a new one."""


class _Sealed(msgspec.Struct):
    format: str
    salt: str
    box: str


def seal(ring: bytes, passphrase: str) -> bytes:
    """The ring's JSON as a box, itself JSON; raises PassphraseWrong for one that is soon guessed."""
    if len(passphrase) < MIN_LENGTH:
        raise PassphraseWrong(f"A passphrase for the key ring has at least {MIN_LENGTH} characters.")
    salt, nonce = os.urandom(16), os.urandom(NONCE_BYTES)
    box = nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, ring, FORMAT.encode())
    return msgspec.json.encode(_Sealed(FORMAT, *(base64.b64encode(part).decode() for part in (salt, box))))


def opened(sealed: bytes, passphrase: str) -> bytes:
    """The ring's JSON; raises PassphraseWrong."""
    found = msgspec.json.decode(sealed, type=_Sealed)
    salt, box = base64.b64decode(found.salt), base64.b64decode(found.box)
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], FORMAT.encode())
    except InvalidTag as error:
        raise PassphraseWrong("The key ring in this backup does not open with this passphrase.") from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, ROUNDS, MEMORY_KIB, LANES, 32, Type.ID)
