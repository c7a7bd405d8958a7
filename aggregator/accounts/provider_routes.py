"""Providers over HTTP: going to one, and coming back."""

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.accounts.desk import Desk
from aggregator.accounts.people import check_fields
from aggregator.accounts.providers import LINK, PROVE, SIGN_IN, Providers, note_proof
from aggregator.accounts.welcome import host_of
from aggregator.http import answer, read_json

PROVIDER_COOKIE = "provider"
PROVIDER_COOKIE_S = 600


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of going to a provider."""

    purpose: Literal["sign-in", "link", "prove"]
    device: str


class Back(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider sent the browser back with, and what for it had been sent."""

    purpose: Literal["sign-in", "link", "prove"]
    state: str
    code: str
    iss: str | None = None


class ProviderRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, desk: Desk, providers: Providers) -> None:
        self._desk = desk
        self._providers = providers

    def routes(self) -> list[BaseRoute]:
        """Everything that a browser does on its way to a provider and back."""
        return [
            Route("/api/providers/{id}/start", self.go_to_provider, methods=["POST"]),
            Route("/api/providers/back", self.back_from_provider, methods=["POST"]),
        ]

    async def go_to_provider(self, request: Request) -> Response:
        asked = await read_json(request, Start)
        check_fields(device=asked.device)
        self._desk.limits.come_in(host_of(request))
        account_id = None
        if asked.purpose == LINK:
            account_id = (await self._desk.fresh(request)).account_id
        elif asked.purpose == PROVE:
            account_id = (await self._desk.session(request)).account_id
        name = request.path_params["id"]
        url, browser = await self._providers.start(name, asked.purpose, account_id, asked.device)
        response = answer({"url": url})
        self._desk.sessions.plant(response, PROVIDER_COOKIE, browser, PROVIDER_COOKIE_S)
        return response

    async def back_from_provider(self, request: Request) -> Response:
        asked = await read_json(request, Back)
        browser = self._desk.sessions.planted(request, PROVIDER_COOKIE)
        came = (asked.state, asked.code, asked.iss, browser)
        if asked.purpose == SIGN_IN:
            return await self._desk.welcome.arrived(await self._providers.sign_in(*came))
        session = await self._desk.session(request)
        if asked.purpose == LINK:
            await self._providers.link(session.account_id, *came)
        else:
            await self._providers.prove(session.account_id, *came)
            await note_proof(session.device_id)
        return Response(status_code=204)
