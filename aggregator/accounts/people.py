"""Signing up and signing in: an email and a password become an account, a device and a session."""

import secrets
import uuid
from collections.abc import Awaitable, Callable

import msgspec
from tortoise.exceptions import IntegrityError

from aggregator import db
from aggregator.accounts import letters
from aggregator.accounts.addresses import email_key, is_email, is_encodable
from aggregator.accounts.models import Account, Device, SignUp
from aggregator.accounts.outbox import queue
from aggregator.accounts.passwords import Passwords
from aggregator.accounts.sessions import Sessions, now_ms, token_hash
from aggregator.errors import Conflict, FieldError, Forbidden, Invalid, Unauthorized

MIN_PASSWORD = 8
MAX_PASSWORD = 256
MAX_DEVICE = 80

SIGN_UP_MS = 86_400_000
TAKEN = ("address-taken", "There is an account with this address; sign in to it.")

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


def check(credentials: Credentials) -> None:
    """Raises Invalid naming every field that cannot be kept."""
    check_fields(email=credentials.email, password=credentials.password, device=credentials.device)


def check_fields(**fields: str) -> None:
    """As `check`, of some of the fields `email`, `password`, `device` and `name`."""
    errors = [FieldError(f"/{name}", _WRONG[name]) for name, text in fields.items() if not _FITS[name](text)]
    if errors:
        raise Invalid(errors)


def _is_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= MAX_DEVICE and name.isprintable() and is_encodable(name)


def _is_password(password: str) -> bool:
    return MIN_PASSWORD <= len(password) <= MAX_PASSWORD


_FITS: dict[str, Callable[[str], bool]] = {
    "email": lambda email: is_email(email.strip()),
    "password": _is_password,
    "device": _is_name,
    "name": _is_name,
}
_WRONG = {
    "email": "This is not an email address.",
    "password": f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.",
    "device": f"A device name has 1 to {MAX_DEVICE} printable characters.",
    "name": f"A name has 1 to {MAX_DEVICE} printable characters.",
}


class LinkSpent(Forbidden):
    """The link of a mail was used, has expired, or never was."""

    def __init__(self) -> None:
        super().__init__("link-spent", "This link was used already or has expired; ask for another.")


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
                return await self.open(credentials.email, credentials.device, password_hash=password_hash)
        except IntegrityError:
            raise Conflict(*TAKEN) from None

    async def open(
        self, email: str, device: str, *, password_hash: str | None = None, verified_ms: int | None = None
    ) -> Arrival:
        """A new account with its own space, signed in, inside the caller's transaction; `email` may be empty. Raises
        IntegrityError for a taken address.
        """
        account_id = uuid.uuid4()
        account = await Account.create(
            id=account_id,
            email=email.strip(),
            # No address has the form of an id.
            email_key=email_key(email) if email else str(account_id),
            password_hash=password_hash,
            created_ms=now_ms(),
            verified_ms=verified_ms,
        )
        await self._open_home(account.id)
        return await self.arrive(account, device)

    async def ask_to_sign_up(self, credentials: Credentials, language: str) -> str:
        """Note a sign-up that a mail will finish; whether the address is taken, nobody looks yet. The secret is for the
        cookie of this browser, which then need not ask for the password again.
        """
        password_hash = await self._passwords.hash(credentials.password)
        secret = secrets.token_urlsafe(32)
        email, sign_up_id = credentials.email.strip(), uuid.uuid4()
        async with db.transaction():
            await SignUp.create(
                id=sign_up_id,
                email=email,
                email_key=email_key(email),
                password_hash=password_hash,
                browser_hash=token_hash(secret),
                expires_ms=now_ms() + SIGN_UP_MS,
            )
            await queue(letters.CONFIRM, email, language, sign_up_id)
        return secret

    async def confirm(self, token: str, device: str, browser: str, password: str | None) -> Arrival:
        """The account of a sign-up whose mail was opened. Whoever opens it elsewhere has to know the password: the
        sign-up may be a stranger's, who would keep theirs. Raises Forbidden or Conflict.
        """
        asked = await SignUp.get_or_none(token_hash=token_hash(token), expires_ms__gt=now_ms())
        if asked is None:
            raise LinkSpent
        if token_hash(browser) != asked.browser_hash:
            if password is None:
                raise Forbidden("password-needed", "This link was asked for in another browser; give the password.")
            if not await self._passwords.matches(asked.password_hash, password):
                raise Forbidden("wrong-password", "This is not the password of this sign-up.")
        try:
            async with db.transaction():
                if not await SignUp.filter(id=asked.id).delete():
                    raise LinkSpent
                return await self.open(asked.email, device, password_hash=asked.password_hash, verified_ms=now_ms())
        except IntegrityError:
            raise Conflict(*TAKEN) from None

    async def arrive(self, account: Account, device: str) -> Arrival:
        """A new device on the account; raises IntegrityError where the account has just gone."""
        started, token = await self._sessions.start(account.id, device)
        return Arrival(account, started, token)

    async def sign_in(self, credentials: Credentials) -> Arrival:
        """A new device on the account; raises Unauthorized alike, and as late, for a wrong password and an unknown
        address.
        """
        account = await Account.get_or_none(email_key=email_key(credentials.email))
        right = await self._passwords.matches(account.password_hash if account else None, credentials.password)
        wrong = Unauthorized("wrong-credentials", "The address or the password is wrong.")
        if account is None or not right:
            raise wrong
        async with db.transaction():
            # While it was checked, the account may have been deleted or its password changed, with all devices out.
            unchanged = Account.filter(id=account.id, password_hash=account.password_hash)
            if not await unchanged.select_for_update().first():
                raise wrong
            return await self.arrive(account, credentials.device)
