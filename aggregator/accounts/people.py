"""Signing up and signing in: an email and a password become an account, a device and a session."""

import unicodedata
import uuid
from collections.abc import Awaitable, Callable

import msgspec
from tortoise.exceptions import IntegrityError

from aggregator import db
from aggregator.accounts.models import Account, Device
from aggregator.accounts.passwords import Passwords
from aggregator.accounts.sessions import Sessions, now_ms
from aggregator.errors import Conflict, FieldError, Invalid, Unauthorized

MIN_PASSWORD = 8
MAX_PASSWORD = 256
MAX_EMAIL = 254
MAX_DEVICE = 80

OpenHome = Callable[[uuid.UUID], Awaitable[None]]
"""What makes a new account's own space; called inside the transaction that makes the account."""


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of signing up and of signing in."""

    email: str
    password: str
    device: str


class Arrival(msgspec.Struct, frozen=True):
    """Somebody who has just signed in."""

    account: Account
    device: Device
    token: str


def email_key(email: str) -> str:
    """What makes two spellings of an address the same: NFKC, case and outer blanks ignored."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def check(credentials: Credentials) -> None:
    """Raises Invalid naming every field that cannot be kept."""
    errors = []
    if not _is_email(credentials.email.strip()):
        errors.append(FieldError("/email", "This is not an email address."))
    if not MIN_PASSWORD <= len(credentials.password) <= MAX_PASSWORD:
        errors.append(FieldError("/password", f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."))
    if not _is_name(credentials.device):
        errors.append(FieldError("/device", f"A device name has 1 to {MAX_DEVICE} printable characters."))
    if errors:
        raise Invalid(errors)


def _is_email(email: str) -> bool:
    local, at, domain = email.rpartition("@")
    plain = email.isprintable() and " " not in email and _is_encodable(email)
    # One character may become eighteen in the key, and both have to fit their columns.
    short = len(email) <= MAX_EMAIL and len(email_key(email)) <= MAX_EMAIL
    return bool(plain and short and at and local and "." in domain.strip(".") and "@" not in local)


def _is_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= MAX_DEVICE and name.isprintable() and _is_encodable(name)


def _is_encodable(text: str) -> bool:
    """Lone surrogates survive JSON but no store."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


class People:
    """Who may sign in, and how."""

    def __init__(self, passwords: Passwords, sessions: Sessions, open_home: OpenHome) -> None:
        self._passwords = passwords
        self._sessions = sessions
        self._open_home = open_home

    async def sign_up(self, credentials: Credentials) -> Arrival:
        """A new account with its own space, signed in; raises Conflict for a taken address."""
        password_hash = await self._passwords.hash(credentials.password)
        try:
            async with db.transaction():
                account = await Account.create(
                    id=uuid.uuid4(),
                    email=credentials.email.strip(),
                    email_key=email_key(credentials.email),
                    password_hash=password_hash,
                    created_ms=now_ms(),
                )
                await self._open_home(account.id)
                device, token = await self._sessions.start(account.id, credentials.device)
        except IntegrityError:
            raise Conflict("address-taken", "There is an account with this address; sign in to it.") from None
        return Arrival(account, device, token)

    async def sign_in(self, credentials: Credentials) -> Arrival:
        """A new device on the account; raises Unauthorized alike, and as late, for a wrong password and an unknown
        address.
        """
        account = await Account.get_or_none(email_key=email_key(credentials.email))
        right = await self._passwords.matches(account.password_hash if account else None, credentials.password)
        wrong = Unauthorized("wrong-credentials", "The address or the password is wrong.")
        if account is None or not right:
            raise wrong
        try:
            device, token = await self._sessions.start(account.id, credentials.device)
        except IntegrityError:
            # The account was deleted while its password was checked.
            raise wrong from None
        return Arrival(account, device, token)
