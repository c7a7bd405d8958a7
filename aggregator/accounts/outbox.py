"""Mails that were asked for, written and sent beside the requests: how long that takes tells nobody anything.

The request only notes what is asked; whether there is an account, and so what the mail says, is looked up when it goes.
"""

import asyncio
import logging
import random
import secrets
import uuid
from dataclasses import dataclass

from tortoise.exceptions import IntegrityError

from aggregator import db
from aggregator.accounts import letters
from aggregator.accounts.addresses import email_key
from aggregator.accounts.models import Account, Challenge, MailToken, OutgoingMail, SignUp
from aggregator.accounts.sessions import now_ms, token_hash
from aggregator.mail import Letter, NotSent, Post, Unsendable

LINK_MS = 3_600_000
RETRY_MS = 60_000
# Longer than a mail server can take over one mail, each step of which has a time of its own.
LEASE_MS = 300_000
MAX_RETRY_MS = 3_600_000
GIVE_UP_MS = 86_400_000
# So that a mail's way is not heard in the answers of those who come next.
PAUSE_S = (0.1, 0.6)

TAKE = (
    "UPDATE mail SET due_ms = $1, attempts = attempts + 1 "
    "WHERE id = (SELECT id FROM mail WHERE due_ms <= $2 ORDER BY due_ms LIMIT 1) AND due_ms <= $2 "
    "RETURNING id, kind, email, email_key, language, sign_up_id, created_ms, attempts"
)

_log = logging.getLogger("karman.mail")


@dataclass(frozen=True, slots=True)
class _Writing:
    """What a letter is made from."""

    kind: str
    email: str
    email_key: str
    language: str
    sign_up_id: uuid.UUID | None


async def queue(kind: str, email: str, language: str, sign_up_id: uuid.UUID | None = None) -> None:
    """Note that somebody asks for a mail; call `Postman.nudge` after the commit."""
    now = now_ms()
    key = email_key(email)
    await OutgoingMail.create(
        id=uuid.uuid4(),
        kind=kind,
        email=email,
        email_key=key,
        language=language,
        sign_up_id=sign_up_id,
        created_ms=now,
        due_ms=now,
        attempts=0,
    )


async def erase(account_id: uuid.UUID) -> None:
    """Remove what is on its way to the account's address, inside the transaction that removes the account."""
    account = await Account.get(id=account_id)
    await OutgoingMail.filter(email_key=account.email_key).delete()
    await SignUp.filter(email_key=account.email_key).delete()


class Postman:
    """Writes and sends what is due, in every process; each mail is taken by one of them at a time."""

    def __init__(self, post: Post, address: str) -> None:
        self._post = post
        self._address = address
        self._asked = asyncio.Event()

    def nudge(self) -> None:
        """A mail was just queued."""
        self._asked.set()

    async def tend(self) -> None:
        """Send what this process's requests asked for; endless."""
        while True:
            await self._asked.wait()
            await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311
            self._asked.clear()
            try:
                await self.deliver()
            except db.STORE_ERRORS as error:
                _log.warning("mails wait for the store: %s", error)
            except Exception:
                _log.exception("mails wait for the background job")

    async def run(self, store: db.Store, now: int) -> None:
        """The background job: what a process that died has left, and what is to be tried again."""
        await self.deliver()

    async def deliver(self) -> None:
        """Send everything that is due."""
        while rows := await db.fetch(TAKE, now_ms() + LEASE_MS, now_ms()):
            await self._one(rows[0])

    async def _one(self, row: db.Row) -> None:
        try:
            letter = await self._written(_Writing(*(row[name] for name in _Writing.__slots__)))
            if letter:
                await self._post.send(letter)
        except NotSent as error:
            await self._later(row, error)
            return
        except Unsendable as error:
            _log.warning("a mail cannot be sent to anybody: %s", error)
        except db.STORE_ERRORS:
            raise
        except Exception as error:
            # Whatever is wrong with one mail, the others go.
            _log.exception("a mail went wrong")
            await self._later(row, error)
            return
        await OutgoingMail.filter(id=row["id"]).delete()

    async def _later(self, row: db.Row, error: Exception) -> None:
        if row["created_ms"] < now_ms() - GIVE_UP_MS:
            _log.error("a mail was not taken for a day and is given up: %s", error)
            await OutgoingMail.filter(id=row["id"]).delete()
            return
        _log.warning("a mail was not taken and will be tried again: %s", error)
        wait_ms = min(MAX_RETRY_MS, RETRY_MS * 2 ** min(row["attempts"] - 1, 10))
        await OutgoingMail.filter(id=row["id"]).update(due_ms=now_ms() + wait_ms)

    async def _written(self, asked: _Writing) -> Letter | None:
        """The mail, or None where nobody is to get one."""
        account = await Account.get_or_none(email_key=asked.email_key)
        if asked.kind == letters.CONFIRM:
            return await self._confirming(asked, account)
        if account is None or (asked.kind == letters.RESET) != (account.verified_ms is not None):
            return None
        token = secrets.token_urlsafe(32)
        try:
            await MailToken.create(
                token_hash=token_hash(token),
                account_id=account.id,
                purpose=asked.kind,
                email_key=asked.email_key,
                expires_ms=now_ms() + LINK_MS,
            )
        except IntegrityError:
            # The account was deleted at this moment.
            return None
        return self._letter(asked.kind, asked, account.email, f"/{asked.kind}#{token}")

    async def _confirming(self, asked: _Writing, account: Account | None) -> Letter | None:
        """The link of a sign-up, or a word to whoever has an account already."""
        if account is not None:
            await SignUp.filter(id=asked.sign_up_id).delete()
            return self._letter(letters.TAKEN, asked, account.email, "/account")
        token = secrets.token_urlsafe(32)
        found = SignUp.filter(id=asked.sign_up_id)
        if not await found.update(token_hash=token_hash(token), expires_ms=now_ms() + LINK_MS):
            return None
        return self._letter(letters.CONFIRM, asked, asked.email, f"/confirm#{token}")

    def _letter(self, kind: str, asked: _Writing, to: str, path: str) -> Letter:
        """What an account is told goes to the address it has, however somebody else spelt it."""
        return letters.letter(kind, asked.language, to, self._address + path)


async def forget_expired(store: db.Store, now: int) -> None:
    """The background job that removes sign-ups, links and questions nobody came back to (`now`: ms since 1970,
    UTC).
    """
    for expiring in (SignUp, MailToken, Challenge):
        await expiring.filter(expires_ms__lte=now).delete()
