"""Reminders over HTTP: what a person wishes, and whether this device is told."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.accounts.sessions import Session, Sessions, now_ms
from aggregator.catalog.wishes import Wish, check, keep_wish, wish_of
from aggregator.http import answer, read_json
from aggregator.sync.subscriptions import Subscribed, Subscriptions
from aggregator.sync.vapid import Vapid

T = TypeVar("T")


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """This device's subscription, and the language it is told in."""

    subscription: Subscribed
    language: Annotated[str, Meta(pattern=r"^(ru|en)\Z")]


class ReminderRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, sessions: Sessions, subscriptions: Subscriptions, vapid: Vapid) -> None:
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._vapid = vapid

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/reminders."""
        return [
            Route("/api/reminders", self.get, methods=["GET"]),
            Route("/api/reminders", self.put, methods=["PUT"]),
            Route("/api/reminders/device", self.tell, methods=["PUT"]),
            Route("/api/reminders/device", self.tell_no_more, methods=["DELETE"]),
        ]

    async def get(self, request: Request) -> Response:
        return await self._answer(await self._sessions.check_account(request.state["store"], request))

    async def put(self, request: Request) -> Response:
        session, wish = await self._read(request, Wish)
        check(wish)
        await keep_wish(session.account_id, wish, now_ms())
        return await self._answer(session)

    async def tell(self, request: Request) -> Response:
        session, device = await self._read(request, Device)
        self._subscriptions.check(device.subscription)
        place = (session.account_id, session.device_id)
        await self._subscriptions.keep(*place, device.subscription, device.language, now_ms())
        return Response(status_code=204)

    async def tell_no_more(self, request: Request) -> Response:
        session = await self._sessions.check_account(request.state["store"], request)
        await self._subscriptions.forget(session.device_id)
        return Response(status_code=204)

    async def _read(self, request: Request, shape: type[T]) -> tuple[Session, T]:
        """Who asks, and the body."""
        await self._sessions.check_account(request.state["store"], request)
        body = await read_json(request, shape)
        # A body may take its time, and its device may have been revoked meanwhile.
        return await self._sessions.check_account(request.state["store"], request), body

    async def _answer(self, session: Session) -> Response:
        wish: dict[str, Any] = msgspec.to_builtins(await wish_of(session.account_id))
        is_told = await self._subscriptions.has(session.device_id)
        return answer({**wish, "device": is_told, "key": await self._vapid.public()})
