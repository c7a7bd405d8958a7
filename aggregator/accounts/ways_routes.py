"""Ways into an account over HTTP: which there are, passwords, proofs, and recovery codes."""

import uuid

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.accounts import letters, recovery
from aggregator.accounts.desk import Desk
from aggregator.accounts.models import Account, MailToken
from aggregator.accounts.people import check_fields
from aggregator.accounts.providers import Providers, note_proof
from aggregator.accounts.sessions import end_others
from aggregator.accounts.ways import Ways
from aggregator.accounts.welcome import host_of
from aggregator.errors import Conflict, NotFound
from aggregator.http import answer, path_uuid, read_json

MAX_CODE = 100


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of setting a password; `old` may be missing where the person has just proved who they are."""

    password: str
    end_others: bool
    old: str | None = None


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of proving by password."""

    password: str


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of coming in by recovery code."""

    code: str
    device: str


class WaysRoutes:
    """Handlers that parse, call one verb, and answer. `mails` says whether mails reach people."""

    def __init__(self, desk: Desk, providers: Providers, ways: Ways, mails: bool) -> None:
        self._desk = desk
        self._providers = providers
        self._mails = mails
        self._ways = ways

    def routes(self) -> list[BaseRoute]:
        """Everything about ways in but passkeys and providers."""
        return [
            Route("/api/ways-in", self.offered, methods=["GET"]),
            Route("/api/account/ways", self.ways, methods=["GET"]),
            Route("/api/account/password", self.set_password, methods=["PUT"]),
            Route("/api/account/password", self.remove_password, methods=["DELETE"]),
            Route("/api/account/codes", self.new_codes, methods=["POST"]),
            Route("/api/account/identities/{id}", self.remove_identity, methods=["DELETE"]),
            Route("/api/session/proof", self.prove, methods=["POST"]),
            Route("/api/session/code", self.come_by_code, methods=["POST"]),
        ]

    async def offered(self, request: Request) -> Response:
        return answer({"providers": self._providers.shown(), "mail": self._mails})

    async def ways(self, request: Request) -> Response:
        session = await self._desk.session(request)
        return answer(await self._ways.shown(await self._desk.account(session)))

    async def set_password(self, request: Request) -> Response:
        """Somebody with the old one, or who has just proved who they are."""
        asked = await read_json(request, NewPassword)
        session = await self._desk.session(request)
        check_fields(password=asked.password)
        account = await self._desk.account(session)
        if not account.email:
            raise Conflict("address-needed", "A password needs an address to sign in with.")
        if asked.old is None:
            await self._desk.fresh(request)
        else:
            await self._desk.check_password(request, account, asked.old)
        password_hash = await self._desk.passwords.hash(asked.password)
        async with db.transaction():
            await Account.filter(id=account.id).update(password_hash=password_hash)
            await MailToken.filter(account_id=account.id, purpose=letters.RESET).delete()
            gone = await end_others(account.id, session.device_id) if asked.end_others else []
        for device_id in gone:
            await self._desk.ended(device_id)
        return Response(status_code=204)

    async def remove_password(self, request: Request) -> Response:
        session = await self._desk.fresh(request)
        await self._ways.remove_password(session.account_id)
        return Response(status_code=204)

    async def prove(self, request: Request) -> Response:
        asked = await read_json(request, Proof)
        session = await self._desk.session(request)
        await self._desk.check_password(request, await self._desk.account(session), asked.password)
        await note_proof(session.device_id)
        return Response(status_code=204)

    async def new_codes(self, request: Request) -> Response:
        session = await self._desk.fresh(request)
        return answer({"codes": await recovery.renew(session.account_id)}, 201)

    async def come_by_code(self, request: Request) -> Response:
        asked = await read_json(request, Code)
        check_fields(device=asked.device)
        self._desk.limits.come_in(host_of(request))
        return await self._desk.arrived(await recovery.spend(asked.code[:MAX_CODE]), asked.device)

    async def remove_identity(self, request: Request) -> Response:
        session = await self._desk.fresh(request)
        await self._ways.remove_identity(session.account_id, _id(request))
        return Response(status_code=204)


def _id(request: Request) -> uuid.UUID:
    """The id in the path; raises NotFound for what is none."""
    found = path_uuid(request, "id")
    if found is None:
        raise NotFound
    return found
