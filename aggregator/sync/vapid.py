"""The key by which push services know this server (RFC 8292)."""

import base64
import time
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.store import StoreFact

VAPID = "vapid"
# RFC 8292 allows 24 hours; clocks differ.
TOKEN_S = 12 * 3_600


def unpadded(raw: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_of(text: str) -> bytes:
    """The bytes of base64url, padded or not; raises ValueError."""
    return base64.urlsafe_b64decode(text.rstrip("=").encode() + b"=" * (-len(text.rstrip("=")) % 4))


class Vapid:
    """Made once, and kept sealed in the store."""

    def __init__(self, keys: KeyRing, contact: str) -> None:
        """`contact` is an https: or mailto: address at which a push service may complain."""
        self._keys = keys
        self._contact = contact
        self._key: ec.EllipticCurvePrivateKey | None = None

    async def public(self) -> str:
        """The public key, as `applicationServerKey` takes it."""
        point = (await self.key()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return unpadded(point)

    async def authorization(self, endpoint: str) -> str:
        """The header that proves to this endpoint's push service who is calling."""
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(time.time()) + TOKEN_S, "sub": self._contact}
        header: str = Vapid02(private_key=await self.key()).sign(claims)["Authorization"]
        return header

    async def key(self) -> ec.EllipticCurvePrivateKey:
        """The private key; of two processes that make one at once both take the first one's."""
        if self._key is None:
            made = ec.generate_private_key(ec.SECP256R1())
            fact, _ = await StoreFact.get_or_create(name=VAPID, defaults={"value": self._sealed(made)})
            self._key = self._opened(bytes.fromhex(fact.value))
        return self._key

    async def reseal(self, store: db.Store, now_ms: int) -> None:
        """Seal it under the ring's latest key, should another have sealed it."""
        for fact in await StoreFact.filter(name=VAPID):
            box = bytes.fromhex(fact.value)
            if not box.startswith(self._keys.ids[-1]):
                await StoreFact.filter(name=VAPID, value=fact.value).update(value=self._sealed(self._opened(box)))

    async def under(self, key_id: bytes) -> int:
        """1 where it would be lost with this key of the ring."""
        return await StoreFact.filter(name=VAPID, value__startswith=key_id.hex()).count()

    def _sealed(self, key: ec.EllipticCurvePrivateKey) -> str:
        secret = key.private_numbers().private_value.to_bytes(32, "big")
        return self._keys.seal(secret, VAPID.encode()).hex()

    def _opened(self, box: bytes) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self._keys.open(box, VAPID.encode()), "big"), ec.SECP256R1())
