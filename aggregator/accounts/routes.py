"""Accounts, sessions and devices over HTTP."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from aggregator.accounts.allowance import SignInLimits
from aggregator.accounts.desk import Desk
from aggregator.accounts.exports import Exports
from aggregator.accounts.leaving import Leaving
from aggregator.accounts.mail_routes import SIGN_UP_COOKIE, SIGN_UP_COOKIE_S
from aggregator.accounts.models import Account, Device
from aggregator.accounts.outbox import Postman
from aggregator.accounts.people import Credentials, check
from aggregator.accounts.sessions import Session, Sessions, iso, match_account, now_ms
from aggregator.accounts.welcome import host_of, language_of
from aggregator.errors import NotFound, Unauthorized
from aggregator.http import answer, path_uuid, query_uuid, read_json

MAX_DOWNLOAD_S = 3_600


class AccountRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, desk: Desk, postman: Postman | None = None) -> None:
        """With a postman, mails reach people: a sign-up is then finished by mail, and told from no other."""
        self._desk = desk
        self._postman = postman

    def routes(self) -> list[BaseRoute]:
        """Everything under /api that is about people."""
        return [
            Route("/api/accounts", self.sign_up, methods=["POST"]),
            Route("/api/session", self.sign_in, methods=["POST"]),
            Route("/api/session", self.whoami, methods=["GET"]),
            Route("/api/session", self.sign_out, methods=["DELETE"]),
            Route("/api/devices", self.devices, methods=["GET"]),
            Route("/api/devices/{id}", self.revoke, methods=["DELETE"]),
        ]

    async def sign_up(self, request: Request) -> Response:
        credentials = await read_json(request, Credentials)
        check(credentials)
        self._desk.limits.sign_up(host_of(request))
        if self._postman is not None:
            self._desk.limits.mail(host_of(request), credentials.email)
            secret = await self._desk.people.ask_to_sign_up(credentials, language_of(request))
            self._postman.nudge()
            response = answer({"mailed": True}, 202)
            self._desk.sessions.plant(response, SIGN_UP_COOKIE, secret, SIGN_UP_COOKIE_S)
            return response
        return await self._desk.welcome.arrived(await self._desk.people.sign_up(credentials), 201)

    async def sign_in(self, request: Request) -> Response:
        credentials = await read_json(request, Credentials)
        check(credentials)
        self._desk.limits.sign_in(host_of(request), credentials.email)
        return await self._desk.welcome.arrived(await self._desk.people.sign_in(credentials))

    async def whoami(self, request: Request) -> Response:
        session = await self._desk.session(request)
        account = await Account.get_or_none(id=session.account_id)
        device = await Device.get_or_none(id=session.device_id)
        if account is None or device is None:
            raise Unauthorized("session-expired", "Sign in again; nothing on the device is lost.")
        response = answer(await self._desk.welcome.identity(account, device))
        if session.stale:
            await self._desk.sessions.renew(session, request, response)
        return response

    async def sign_out(self, request: Request) -> Response:
        session = await self._desk.session(request)
        await Device.filter(id=session.device_id).delete()
        await self._desk.ended(session.device_id)
        response = Response(status_code=204)
        self._desk.sessions.take(response)
        return response

    async def devices(self, request: Request) -> Response:
        session = await self._desk.session(request)
        found = await Device.filter(account_id=session.account_id, revoked_ms=None).order_by("-seen_ms")
        return answer({"devices": [_shown(device, session.device_id) for device in found]})

    async def revoke(self, request: Request) -> Response:
        session = await self._desk.session(request)
        device_id = path_uuid(request, "id")
        mine = Device.filter(id=device_id, account_id=session.account_id, revoked_ms=None)
        if device_id is None or not await mine.update(revoked_ms=now_ms()):
            raise NotFound
        await self._desk.ended(device_id)
        return Response(status_code=204)


class Farewell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of deleting an account; without a password it takes a proof of a moment ago."""

    password: str | None


class LeavingRoutes:
    """Taking everything along, and deleting everything."""

    def __init__(self, leaving: Leaving, exports: Exports, sessions: Sessions, limits: SignInLimits) -> None:
        self._leaving = leaving
        self._exports = exports
        self._sessions = sessions
        self._limits = limits

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/account."""
        return [
            Route("/api/account/export", self.export, methods=["GET"]),
            Route("/api/account", self.delete, methods=["DELETE"]),
        ]

    async def export(self, request: Request) -> Response:
        session = await self._asking(request)
        headers = {"Content-Disposition": 'attachment; filename="karman.zip"'}
        if request.method == "HEAD":
            return Response(media_type="application/zip", headers=headers)
        self._limits.export(session.account_id)
        parts = self._exports.stream(request.state["store"], session.account_id)
        return Download(await anext(parts), parts, media_type="application/zip", headers=headers)

    async def delete(self, request: Request) -> Response:
        session = await self._asking(request)
        farewell = await read_json(request, Farewell)
        # A body may take its time, and its device may have been revoked meanwhile.
        await self._sessions.check(request.state["store"], request)
        account = await Account.get_or_none(id=session.account_id)
        if account is None:
            raise Unauthorized("device-revoked", "The account of this device was deleted.")
        if farewell.password is None:
            await self._sessions.check_fresh(request.state["store"], request)
        else:
            self._limits.sign_in(host_of(request), account.email_key)
            await self._leaving.check(account, farewell.password)
        await self._leaving.leave(account.id)
        response = Response(status_code=204)
        self._sessions.take(response)
        return response

    async def _asking(self, request: Request) -> Session:
        """Who asks. A page may name the account it shows, since another tab may have signed in as somebody else."""
        session = await self._sessions.check(request.state["store"], request)
        if "account" in request.query_params:
            match_account(session, query_uuid(request, "account"))
        return session


class Download(StreamingResponse):
    """A file made while it is sent: it ends when its reader does, and no reader may take for ever."""

    def __init__(self, head: bytes, rest: AsyncGenerator[bytes, None], **options: Any) -> None:
        super().__init__(_with_head(head, rest), **options)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(MAX_DOWNLOAD_S):
                await super().__call__(scope, receive, send)
        finally:
            await self._rest.aclose()


async def _with_head(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for part in rest:
        yield part


def _shown(device: Device, current: uuid.UUID) -> dict[str, Any]:
    return {
        "id": str(device.id),
        "name": device.name,
        "created_at": iso(device.created_ms),
        "last_seen_at": iso(device.seen_ms),
        "current": device.id == current,
    }
