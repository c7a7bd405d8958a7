"""Sessions: a random token in a cookie, its hash beside a device, and what a request may be told about it."""

import hashlib
import logging
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response

from aggregator import db
from aggregator.accounts.models import Device
from aggregator.errors import Conflict, Forbidden, Unauthorized
from aggregator.http import query_uuid
from aggregator.settings import Settings

# Browsers keep no cookie longer than 400 days; each visit after a day renews it.
LIFETIME_S = 400 * 86_400
RENEW_AFTER_MS = 86_400_000
# How long after proving who one is ways into the account may be changed.
FRESH_MS = 600_000

_log = logging.getLogger("karman.accounts")

WHO = "SELECT id, account_id, seen_ms, expires_ms, revoked_ms FROM device WHERE token_hash = $1"
GONE = "SELECT 1 FROM gone_device WHERE token_hash = $1"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is asking, from which device. `stale` says that the visit should be noted and the cookie renewed."""

    account_id: uuid.UUID
    device_id: uuid.UUID
    stale: bool = False


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def token_hash(token: str) -> str:
    """What the store keeps of a token: SHA-256 in hex. The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """Opens, checks and ends sessions; knows the cookie."""

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.secure
        self.cookie = "__Host-karman" if settings.secure else "karman"

    async def start(self, account_id: uuid.UUID, device_name: str) -> tuple[Device, str]:
        """A new device with a new token. An older token in the browser is never taken over."""
        token = secrets.token_urlsafe(32)
        now = now_ms()
        device = await Device.create(
            id=uuid.uuid4(),
            account_id=account_id,
            name=device_name,
            token_hash=token_hash(token),
            created_ms=now,
            seen_ms=now,
            proven_ms=now,
            expires_ms=now + LIFETIME_S * 1000,
        )
        return device, token

    def hash_of(self, request: Request) -> str:
        """The token hash a request carries; raises Unauthorized when it carries none."""
        if token := request.cookies.get(self.cookie):
            return token_hash(token)
        raise Unauthorized("sign-in-needed", "This is for people who are signed in.")

    async def check(self, store: db.Store, request: Request) -> Session:
        """Who is asking; raises Unauthorized."""
        hashed = self.hash_of(request)
        rows = await store.read(WHO, hashed)
        if not rows:
            await refuse_unknown(store, hashed)
        return judge(rows[0])

    async def check_account(self, store: db.Store, request: Request) -> Session:
        """As `check`, and the query's `account` must be the session's: another tab may have signed in as somebody
        else.
        """
        session = await self.check(store, request)
        match_account(session, query_uuid(request, "account"))
        return session

    async def check_fresh(self, store: db.Store, request: Request) -> Session:
        """As `check`, and the person proved a moment ago who they are: a stolen cookie alone must not change how one
        gets in. Raises Forbidden `proof-needed`, too.
        """
        session = await self.check(store, request)
        if not await Device.exists(id=session.device_id, proven_ms__gt=now_ms() - FRESH_MS):
            raise Forbidden("proof-needed", "Prove once more who you are, then ask again.")
        return session

    async def renew(self, session: Session, request: Request, response: Response) -> None:
        """Note the visit and lengthen the session and its cookie."""
        now = now_ms()
        try:
            await Device.filter(id=session.device_id).update(seen_ms=now, expires_ms=now + LIFETIME_S * 1000)
        except db.STORE_ERRORS as error:
            # A store without room still gives what it holds.
            _log.warning("a visit could not be noted: %s", error)
            return
        self.give(response, request.cookies[self.cookie])

    def give(self, response: Response, token: str) -> None:
        """Set the cookie."""
        response.set_cookie(
            self.cookie, token, max_age=LIFETIME_S, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def plant(self, response: Response, name: str, secret: str, max_age_s: int) -> None:
        """Set a cookie that binds something under way to this browser."""
        response.set_cookie(
            self._bound(name), secret, max_age=max_age_s, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def planted(self, request: Request, name: str) -> str:
        """The secret of such a cookie, or nothing."""
        return request.cookies.get(self._bound(name), "")

    def _bound(self, name: str) -> str:
        return f"{self.cookie}-{name}"

    def take(self, response: Response) -> None:
        """Remove the cookie."""
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="lax")


async def end_others(account_id: uuid.UUID, kept: uuid.UUID) -> list[uuid.UUID]:
    """Sign out all devices of an account but one, and give their ids: they are told to wipe."""
    others = Device.filter(account_id=account_id, revoked_ms=None).exclude(id=kept)
    ids = [device.id for device in await others]
    await Device.filter(id__in=ids).update(revoked_ms=now_ms())
    return ids


async def refuse_unknown(store: db.Store, hashed: str) -> NoReturn:
    """Raises Unauthorized for a token that no device has: one whose account was deleted is to wipe, any other to
    sign in again.
    """
    if await store.read(GONE, hashed):
        raise Unauthorized("device-revoked", "The account of this device was deleted.")
    raise Unauthorized("session-expired", "Sign in again; nothing on the device is lost.")


def judge(row: db.Row) -> Session:
    """The session in a row of WHO; raises Unauthorized for an expired or a revoked one."""
    now = now_ms()
    if row["revoked_ms"] is not None:
        raise Unauthorized("device-revoked", "This device was signed out from another one.")
    if row["expires_ms"] <= now:
        raise Unauthorized("session-expired", "Sign in again; nothing on the device is lost.")
    return Session(_uuid(row["account_id"]), _uuid(row["id"]), stale=row["seen_ms"] < now - RENEW_AFTER_MS)


def match_account(session: Session, account: uuid.UUID) -> None:
    """Raises Conflict when the session belongs to another account than the one the device is acting for."""
    if session.account_id != account:
        raise Conflict("other-account", "This browser is signed in to another account.")


def _uuid(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
