"""What is done by mail over HTTP: finishing a sign-up, verifying an address, and a new password for who forgot it."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.accounts import letters
from aggregator.accounts.desk import Desk
from aggregator.accounts.models import Account, Challenge, MailToken
from aggregator.accounts.outbox import Postman, queue
from aggregator.accounts.people import Arrival, LinkSpent, check_fields
from aggregator.accounts.sessions import end_others, now_ms, token_hash
from aggregator.accounts.welcome import host_of, language_of
from aggregator.errors import Conflict
from aggregator.http import answer, read_json

SIGN_UP_COOKIE = "signup"
SIGN_UP_COOKIE_S = 86_400


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of finishing a sign-up; `password` where it was begun in another browser."""

    token: str
    device: str
    password: str | None = None


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of asking for a new password."""

    email: str


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of setting a new password; `end_others` signs all other devices out."""

    token: str
    password: str
    device: str
    end_others: bool


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of verifying an address."""

    token: str


class MailRoutes:
    """Handlers that parse, call one verb, and answer. Asking for a mail is answered 202 whatever becomes of it."""

    def __init__(self, desk: Desk, postman: Postman) -> None:
        self._desk = desk
        self._postman = postman

    def routes(self) -> list[BaseRoute]:
        """Everything whose other half is a mail."""
        return [
            Route("/api/accounts/confirm", self.confirm, methods=["POST"]),
            Route("/api/account/verification", self.ask_to_verify, methods=["POST"]),
            Route("/api/account/verification", self.verify, methods=["PUT"]),
            Route("/api/password-reset", self.ask_to_reset, methods=["POST"]),
            Route("/api/password-reset", self.reset, methods=["PUT"]),
        ]

    async def confirm(self, request: Request) -> Response:
        asked = await read_json(request, Confirmation)
        check_fields(device=asked.device)
        self._desk.limits.prove(host_of(request), token_hash(asked.token))
        browser = self._desk.sessions.planted(request, SIGN_UP_COOKIE)
        arrival = await self._desk.people.confirm(asked.token, asked.device, browser, asked.password)
        return await self._desk.welcome.arrived(arrival, 201)

    async def ask_to_verify(self, request: Request) -> Response:
        session = await self._desk.session(request)
        account = await self._desk.account(session)
        if not account.email or account.verified_ms is not None:
            raise Conflict("nothing-to-verify", "There is no address here that waits to be verified.")
        return await self._send(request, letters.VERIFY, account.email)

    async def verify(self, request: Request) -> Response:
        """Signed in only: whoever opens a stranger's link must not vouch for the stranger's account."""
        asked = await read_json(request, Token)
        session = await self._desk.session(request)
        async with db.transaction():
            token = await _spent(asked.token, letters.VERIFY)
            mine = Account.filter(id=token.account_id, email_key=token.email_key)
            if token.account_id != session.account_id or not await mine.update(verified_ms=now_ms()):
                raise LinkSpent
        return answer({"email": (await Account.get(id=session.account_id)).email})

    async def ask_to_reset(self, request: Request) -> Response:
        asked = await read_json(request, Asking)
        check_fields(email=asked.email)
        return await self._send(request, letters.RESET, asked.email.strip())

    async def reset(self, request: Request) -> Response:
        asked = await read_json(request, Reset)
        check_fields(password=asked.password, device=asked.device)
        self._desk.limits.prove(host_of(request), token_hash(asked.token))
        password_hash = await self._desk.passwords.hash(asked.password)
        async with db.transaction():
            token = await _spent(asked.token, letters.RESET)
            arrival = await self._reset(token, password_hash, asked)
            gone = await end_others(token.account_id, arrival.device.id) if asked.end_others else []
        for device_id in gone:
            await self._desk.ended(device_id)
        return await self._desk.welcome.arrived(arrival)

    async def _reset(self, token: MailToken, password_hash: str, asked: Reset) -> Arrival:
        """Everything that was under way for the account is void: somebody else may have begun it."""
        mine = Account.filter(id=token.account_id, email_key=token.email_key)
        account = await mine.first()
        if account is None or account.verified_ms is None:
            raise LinkSpent
        await mine.update(password_hash=password_hash)
        await MailToken.filter(account_id=account.id).delete()
        await Challenge.filter(account_id=account.id).delete()
        return await self._desk.people.arrive(account, asked.device)

    async def _send(self, request: Request, kind: str, email: str) -> Response:
        self._desk.limits.mail(host_of(request), email)
        await queue(kind, email, language_of(request))
        self._postman.nudge()
        return answer({"mailed": True}, 202)


async def _spent(token: str, purpose: str) -> MailToken:
    """The row of a link, which is good no more; raises LinkSpent."""
    hashed = token_hash(token)
    found = await MailToken.get_or_none(token_hash=hashed, purpose=purpose, expires_ms__gt=now_ms())
    if found is None or not await MailToken.filter(token_hash=hashed).delete():
        raise LinkSpent
    return found
