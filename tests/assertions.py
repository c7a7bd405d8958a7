"""Keys of shops' programs, and assertions signed with them (RFC 7523), made without the service's JOSE library."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Sign = Callable[[bytes], bytes]


def b64(data: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class Key:
    """A key pair: its algorithm, its public half as a JWK, and how it signs."""

    alg: str
    jwk: dict[str, str]
    sign: Sign


def es256() -> Key:
    """A key on P-256."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": b64(numbers.x.to_bytes(32, "big")),
        "y": b64(numbers.y.to_bytes(32, "big")),
    }

    def sign(text: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return Key("ES256", jwk, sign)


def ps256(bits: int = 2048) -> Key:
    """An RSA key."""
    private = rsa.generate_private_key(65537, bits)
    numbers = private.public_key().public_numbers()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    jwk = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    return Key("PS256", jwk, lambda text: private.sign(text, pss, hashes.SHA256()))


def eddsa() -> Key:
    """A key on Ed25519."""
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Key("EdDSA", {"kty": "OKP", "crv": "Ed25519", "x": b64(public)}, private.sign)


def assertion(header: dict[str, Any], claims: dict[str, Any], sign: Sign) -> str:
    """A compact JWS (RFC 7515)."""
    head, body = (b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{head}.{body}.{b64(sign(f'{head}.{body}'.encode()))}"


def claims(client_id: str, issuer: str, **other: Any) -> dict[str, Any]:
    """What an assertion says; None leaves a claim out."""
    now = int(time.time())
    usual = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    return {name: value for name, value in (usual | other).items() if value is not None}


def form(signed: str, **other: str) -> dict[str, str]:
    """What is sent to the token endpoint."""
    usual = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    return usual | other
