"""Accounts, sessions and devices over HTTP."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from aggregator.accounts.exports import Exports
from aggregator.accounts.leaving import Ended, Leaving
from aggregator.accounts.models import Account, Device
from aggregator.accounts.people import Arrival, Credentials, People, check, email_key
from aggregator.accounts.sessions import Session, Sessions, iso, match_account, now_ms
from aggregator.errors import NotFound, Unauthorized
from aggregator.http import answer, path_uuid, query_uuid, read_json
from aggregator.limits import Limiter, address_key

MAX_DOWNLOAD_S = 3_600

HomeOf = Callable[[uuid.UUID], Awaitable[uuid.UUID]]
"""Which space is an account's own."""


def _host(request: Request) -> str:
    return request.client.host if request.client else "unknown"


class AccountRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(
        self, people: People, sessions: Sessions, home_of: HomeOf, ended: Ended, limits: "SignInLimits"
    ) -> None:
        self._people = people
        self._sessions = sessions
        self._home_of = home_of
        self._ended = ended
        self._limits = limits

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
        self._limits.sign_up(_host(request))
        return await self._welcome(await self._people.sign_up(credentials), 201)

    async def sign_in(self, request: Request) -> Response:
        credentials = await read_json(request, Credentials)
        check(credentials)
        self._limits.sign_in(_host(request), credentials.email)
        return await self._welcome(await self._people.sign_in(credentials), 200)

    async def whoami(self, request: Request) -> Response:
        session = await self._sessions.check(request.state["store"], request)
        account = await Account.get_or_none(id=session.account_id)
        device = await Device.get_or_none(id=session.device_id)
        if account is None or device is None:
            raise Unauthorized("session-expired", "Sign in again; nothing on the device is lost.")
        response = answer(await self._identity(account, device))
        if session.stale:
            await self._sessions.renew(session, request, response)
        return response

    async def sign_out(self, request: Request) -> Response:
        session = await self._sessions.check(request.state["store"], request)
        await Device.filter(id=session.device_id).delete()
        await self._ended(session.device_id)
        response = Response(status_code=204)
        self._sessions.take(response)
        return response

    async def devices(self, request: Request) -> Response:
        session = await self._sessions.check(request.state["store"], request)
        found = await Device.filter(account_id=session.account_id, revoked_ms=None).order_by("-seen_ms")
        return answer({"devices": [_shown(device, session.device_id) for device in found]})

    async def revoke(self, request: Request) -> Response:
        session = await self._sessions.check(request.state["store"], request)
        device_id = path_uuid(request, "id")
        mine = Device.filter(id=device_id, account_id=session.account_id, revoked_ms=None)
        if device_id is None or not await mine.update(revoked_ms=now_ms()):
            raise NotFound
        await self._ended(device_id)
        return Response(status_code=204)

    async def _welcome(self, arrival: Arrival, status: int) -> Response:
        response = answer(await self._identity(arrival.account, arrival.device), status)
        self._sessions.give(response, arrival.token)
        return response

    async def _identity(self, account: Account, device: Device) -> dict[str, Any]:
        return {
            "account": {"id": str(account.id), "email": account.email},
            "device": {"id": str(device.id), "name": device.name},
            "space": str(await self._home_of(account.id)),
        }


class Farewell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of deleting an account."""

    password: str


class LeavingRoutes:
    """Taking everything along, and deleting everything."""

    def __init__(self, leaving: Leaving, exports: Exports, sessions: Sessions, limits: "SignInLimits") -> None:
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
        self._limits.sign_in(_host(request), account.email)
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


class SignInLimits:
    """How often one network may sign up or in, and how often one account's address may be tried.

    Tries are counted for the pair of both first: somebody who guesses from elsewhere must not lock the owner out. The
    wider limit per account's address is for guessers with many networks.
    """

    def __init__(self, scale: int = 1) -> None:
        self._sign_ups = Limiter(f"{20 * scale}/hour")
        self._by_pair = Limiter(f"{10 * scale}/15 minutes")
        self._by_network = Limiter(f"{60 * scale}/hour")
        self._by_email = Limiter(f"{100 * scale}/hour")
        self._exports = Limiter(f"{10 * scale}/hour")

    def sign_up(self, host: str) -> None:
        """Count one sign-up from this network address; raises TooManyRequests."""
        self._sign_ups.hit(address_key(host))

    def sign_in(self, host: str, email: str) -> None:
        """Count one try at an account's address from this network address; raises TooManyRequests."""
        network, person = address_key(host), email_key(email)
        self._by_pair.hit(f"{network} {person}")
        self._by_network.hit(network)
        self._by_email.hit(person)

    def export(self, account_id: uuid.UUID) -> None:
        """Count one export of an account; raises TooManyRequests."""
        self._exports.hit(str(account_id))


def _shown(device: Device, current: uuid.UUID) -> dict[str, Any]:
    return {
        "id": str(device.id),
        "name": device.name,
        "created_at": iso(device.created_ms),
        "last_seen_at": iso(device.seen_ms),
        "current": device.id == current,
    }
