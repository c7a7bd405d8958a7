"""A push service and a browser that subscribed at it, with nothing of what sends: RFC 8291 and 8292 read backwards."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

POINT_BYTES = 65
RECORD_BYTES = 4_096


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Pushed:
    """One POST that a push service has received."""

    path: str
    headers: dict[str, str]
    body: bytes

    def claims(self, application_key: str) -> dict[str, Any]:
        """What the sender says of itself, proven with the key that the page subscribed with (RFC 8292)."""
        scheme, _, rest = self.headers["authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert (scheme.lower(), parts["k"]) == ("vapid", application_key)
        point = raw(application_key)
        key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:])})
        return dict(jwt.decode(parts["t"], key, algorithms=["ES256"]).claims)


@dataclass
class PushService:
    """Listens on localhost; answers with `status` and `answer`, and keeps what came."""

    port: int
    status: int = 201
    answer: dict[str, str] = field(default_factory=dict)
    pushed: list[Pushed] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def take(self) -> list[Pushed]:
        """What came since it was last asked."""
        taken, self.pushed = self.pushed, []
        return taken


@contextmanager
def push_service() -> Iterator[PushService]:
    """One that answers inside the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.pushed.append(Pushed(self.path, headers, body))
            self.send_response(service.status)
            for name, value in {"content-length": "0", **service.answer}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = PushService(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


class Browser:
    """Has the only keys that open what is sent to its subscription."""

    def __init__(self, service: PushService, name: str = "one") -> None:
        self.endpoint = f"http://{service.host}/{name}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)
        self._point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON` gives it."""
        keys = {"p256dh": base64url(self._point), "auth": base64url(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, pushed: Pushed) -> dict[str, Any]:
        """What a push says (RFC 8291, section 3.4; RFC 8188, section 2)."""
        assert pushed.headers["content-encoding"] == "aes128gcm"
        assert len(pushed.body) <= RECORD_BYTES
        salt, record, length = pushed.body[:16], int.from_bytes(pushed.body[16:20], "big"), pushed.body[20]
        sender, box = pushed.body[21 : 21 + length], pushed.body[21 + length :]
        assert (length, len(box) <= record) == (POINT_BYTES, True)
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        secret = _derived(shared, self._auth, b"WebPush: info\0" + self._point + sender, 32)
        key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, box, None).rstrip(b"\0")
        assert plain.endswith(b"\2")
        return dict(json.loads(plain[:-1]))


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
