"""Where a device wants to be told, and what waits to be told there: both go with the device. Times are milliseconds
since 1970, UTC.
"""

import hashlib
import uuid
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta
from tortoise import fields
from tortoise.models import Model

from aggregator import db
from aggregator.errors import FieldError, Invalid
from aggregator.outbound import NotAllowed, Outbound
from aggregator.sync.vapid import raw_of

POINT_BYTES = 65
AUTH_BYTES = 16
# What a float carries exactly, and a column holds.
MAX_MS = 2**53
ENDED = (
    "DELETE FROM push_subscription WHERE expires_ms <= $1 OR device_id IN "
    "(SELECT id FROM device WHERE revoked_ms IS NOT NULL OR expires_ms <= $1)"
)


class PushSubscription(Model):
    """Where a device is told: its push service's address, and the keys for which only its browser has the other half.
    `language` is what it is told in."""

    device_id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    endpoint = fields.TextField()
    endpoint_hash = fields.CharField(max_length=64, db_index=True)
    p256dh = fields.CharField(max_length=100)
    auth = fields.CharField(max_length=40)
    language = fields.CharField(max_length=8)
    expires_ms = fields.BigIntField(null=True)
    created_ms = fields.BigIntField()

    class Meta:
        table = "push_subscription"


class Notice(Model):
    """Something to tell a device, from `next_ms` on and never after `until_ms`. The body names nothing: what is said is
    put together when it is sent."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    device_id = fields.UUIDField(db_index=True)
    kind = fields.CharField(max_length=16)
    body = fields.TextField()
    next_ms = fields.BigIntField(db_index=True)
    until_ms = fields.BigIntField()
    tries = fields.SmallIntField()

    class Meta:
        table = "notice"


class PushKeys(msgspec.Struct, frozen=True):
    """A browser's keys as `PushSubscription.toJSON` gives them, in unpadded base64url."""

    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=40)]


class Subscribed(msgspec.Struct, frozen=True):
    """A browser's subscription as `PushSubscription.toJSON` gives it; `expirationTime` is ms since 1970, UTC."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=2_000)]
    keys: PushKeys
    expirationTime: float | None = None  # noqa: N815 - the browser's name


class Subscriptions:
    """Which devices want to be told, and where."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def check(self, subscribed: Subscribed) -> None:
        """Raises Invalid for what could never be delivered to."""
        errors = []
        try:
            self._outbound.check(subscribed.endpoint)
        except NotAllowed as error:
            errors.append(FieldError("/subscription/endpoint", str(error)))
        if not _is_point(subscribed.keys.p256dh):
            errors.append(FieldError("/subscription/keys/p256dh", "This is not a point on P-256."))
        if not _has_length(subscribed.keys.auth, AUTH_BYTES):
            errors.append(FieldError("/subscription/keys/auth", f"{AUTH_BYTES} bytes in base64url are needed."))
        if not 0 <= (subscribed.expirationTime or 0) <= MAX_MS:
            errors.append(FieldError("/subscription/expirationTime", "This is no time in ms since 1970."))
        if errors:
            raise Invalid(errors)

    async def keep(
        self, account_id: uuid.UUID, device_id: uuid.UUID, subscribed: Subscribed, language: str, now_ms: int
    ) -> None:
        """The device is told there from now on. A browser belongs to who signed in last."""
        digest = hashlib.sha256(subscribed.endpoint.encode()).hexdigest()
        row = PushSubscription(
            device_id=device_id,
            account_id=account_id,
            endpoint=subscribed.endpoint,
            endpoint_hash=digest,
            p256dh=subscribed.keys.p256dh,
            auth=subscribed.keys.auth,
            language=language,
            expires_ms=None if subscribed.expirationTime is None else int(subscribed.expirationTime),
            created_ms=now_ms,
        )
        async with db.transaction():
            await PushSubscription.filter(endpoint_hash=digest).exclude(device_id=device_id).delete()
            await PushSubscription.filter(device_id=device_id).delete()
            await PushSubscription.bulk_create([row])

    async def has(self, device_id: uuid.UUID) -> bool:
        """Whether the device is told."""
        return await PushSubscription.exists(device_id=device_id)

    async def forget(self, device_id: uuid.UUID) -> None:
        """The device is told no more; what waited for it goes."""
        await Notice.filter(device_id=device_id).delete()
        await PushSubscription.filter(device_id=device_id).delete()

    async def of_account(self, account_id: uuid.UUID) -> list[PushSubscription]:
        """Where an account's devices are told."""
        return await PushSubscription.filter(account_id=account_id).order_by("created_ms", "device_id")

    async def tidy(self, now_ms: int) -> None:
        """Forget those that have expired, or whose device is signed out, by `now_ms` (ms since 1970, UTC)."""
        await db.fetch(ENDED, now_ms)


def _is_point(text: str) -> bool:
    try:
        raw = raw_of(text)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        return False
    return len(raw) == POINT_BYTES


def _has_length(text: str, length: int) -> bool:
    try:
        return len(raw_of(text)) == length
    except ValueError:
        return False
