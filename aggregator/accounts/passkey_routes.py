"""Passkeys over HTTP: coming in by one, proving by one, and keeping them."""

import uuid
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.accounts.desk import Desk
from aggregator.accounts.models import Account, Passkey
from aggregator.accounts.passkeys import Passkeys
from aggregator.accounts.people import check_fields
from aggregator.accounts.providers import note_proof
from aggregator.accounts.ways import Ways, passkey_shown
from aggregator.accounts.welcome import host_of
from aggregator.errors import Forbidden, NotFound, Unauthorized
from aggregator.http import answer, path_uuid, read_json


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a passkey answered to the question `challenge`."""

    challenge: str
    credential: dict[str, Any]


class AnsweredToMake(Answered, frozen=True, forbid_unknown_fields=True):
    """The same of a new passkey, with a name for it."""

    name: str


class AnsweredToCome(Answered, frozen=True, forbid_unknown_fields=True):
    """The same to come in, from a device of that name."""

    device: str


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of renaming."""

    name: str


class PasskeyRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, desk: Desk, passkeys: Passkeys, ways: Ways) -> None:
        self._desk = desk
        self._passkeys = passkeys
        self._ways = ways

    def routes(self) -> list[BaseRoute]:
        """Everything about passkeys."""
        return [
            Route("/api/session/proof/passkey", self.prove_by_passkey, methods=["POST"]),
            Route("/api/session/passkey/options", self.ask_passkey, methods=["POST"]),
            Route("/api/session/passkey", self.come_by_passkey, methods=["POST"]),
            Route("/api/passkeys/options", self.ask_new_passkey, methods=["POST"]),
            Route("/api/passkeys", self.make_passkey, methods=["POST"]),
            Route("/api/passkeys/{id}", self.rename_passkey, methods=["PUT"]),
            Route("/api/passkeys/{id}", self.remove_passkey, methods=["DELETE"]),
        ]

    async def ask_passkey(self, request: Request) -> Response:
        self._desk.limits.come_in(host_of(request))
        return answer(await self._passkeys.ask_to_use())

    async def come_by_passkey(self, request: Request) -> Response:
        asked = await read_json(request, AnsweredToCome)
        check_fields(device=asked.device)
        account_id = await self._passkeys.use(asked.challenge, asked.credential)
        account = await Account.get_or_none(id=account_id)
        if account is None:
            raise Unauthorized("passkey-unknown", "This passkey is of no account here.")
        return await self._desk.arrived(account, asked.device)

    async def prove_by_passkey(self, request: Request) -> Response:
        asked = await read_json(request, Answered)
        session = await self._desk.session(request)
        if await self._passkeys.use(asked.challenge, asked.credential) != session.account_id:
            raise Forbidden("proof-refused", "This passkey is of another account.")
        await note_proof(session.device_id)
        return Response(status_code=204)

    async def ask_new_passkey(self, request: Request) -> Response:
        session = await self._desk.fresh(request)
        return answer(await self._passkeys.ask_to_make(await self._desk.account(session)))

    async def make_passkey(self, request: Request) -> Response:
        asked = await read_json(request, AnsweredToMake)
        session = await self._desk.fresh(request)
        check_fields(name=asked.name)
        passkey = await self._passkeys.make(session.account_id, asked.challenge, asked.credential, asked.name)
        return answer(passkey_shown(passkey), 201)

    async def rename_passkey(self, request: Request) -> Response:
        asked = await read_json(request, Name)
        session = await self._desk.session(request)
        check_fields(name=asked.name)
        passkey_id = path_uuid(request, "id")
        mine = Passkey.filter(id=passkey_id, account_id=session.account_id)
        if passkey_id is None or not await mine.update(name=asked.name.strip()):
            raise NotFound
        return Response(status_code=204)

    async def remove_passkey(self, request: Request) -> Response:
        session = await self._desk.fresh(request)
        await self._ways.remove_passkey(session.account_id, _id(request))
        return Response(status_code=204)


def _id(request: Request) -> uuid.UUID:
    """The id in the path; raises NotFound for what is none."""
    found = path_uuid(request, "id")
    if found is None:
        raise NotFound
    return found
