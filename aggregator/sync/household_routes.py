"""Households over HTTP. Who is in one, and which cards, travels by sync alone."""

import uuid
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.accounts.sessions import Session, Sessions, iso
from aggregator.errors import FieldError, Invalid, NotFound
from aggregator.http import T, answer, path_uuid, read_json
from aggregator.limits import Limiter, address_key
from aggregator.sync.households import Households
from aggregator.sync.invitations import Invitations

MAX_NAME = 40
MAX_TOKEN = 64

HOUSEHOLD = "/api/households/{space}"

Text = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Token = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN)]
Guest = Literal["member", "viewer"]


class Foundation(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of making a household: its name, and what its maker is called in it."""

    name: Text
    own_name: Text


class Renaming(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of renaming a household."""

    name: Text


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of inviting: what the guest may do."""

    role: Guest


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of looking at an invitation. Its token stands in no address, since addresses are logged."""

    token: Token


class Entrance(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of joining: the invitation's token, and what the guest is called in the household."""

    token: Token
    own_name: Text


class Appointment(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of giving somebody another role."""

    role: Literal["owner", "member", "viewer"]


class HouseholdLimits:
    """How often one network may ask about invitations, and one account make some."""

    def __init__(self, scale: int = 1) -> None:
        self._looks = Limiter(f"{60 * scale}/hour")
        self._makes = Limiter(f"{60 * scale}/hour")

    def look(self, request: Request) -> None:
        """Count one look at an invitation from this network address; raises TooManyRequests."""
        self._looks.hit(address_key(request.client.host if request.client else "unknown"))

    def make(self, account_id: uuid.UUID) -> None:
        """Count one household or invitation made by the account; raises TooManyRequests."""
        self._makes.hit(str(account_id))


class HouseholdRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(
        self, sessions: Sessions, households: Households, invitations: Invitations, limits: HouseholdLimits
    ) -> None:
        self._sessions = sessions
        self._households = households
        self._invitations = invitations
        self._limits = limits

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/households and /api/invitations."""
        invitations, member = f"{HOUSEHOLD}/invitations", f"{HOUSEHOLD}/members/{{id}}"
        return [
            Route("/api/households", self.make, methods=["POST"]),
            Route(HOUSEHOLD, self.rename, methods=["PATCH"]),
            Route(invitations, self.invite, methods=["POST"]),
            Route(invitations, self.invitations, methods=["GET"]),
            Route(f"{invitations}/{{id}}", self.withdraw, methods=["DELETE"]),
            Route(member, self.set_role, methods=["PATCH"]),
            Route(member, self.remove, methods=["DELETE"]),
            Route("/api/invitations/look", self.look, methods=["POST"]),
            Route("/api/invitations/join", self.join, methods=["POST"]),
        ]

    async def make(self, request: Request) -> Response:
        session, asked = await self._asked(request, Foundation)
        names = _plain(name=asked.name, own_name=asked.own_name)
        self._limits.make(session.account_id)
        space_id = await self._households.make(session.account_id, names["name"], names["own_name"])
        return answer({"space": str(space_id)}, 201)

    async def rename(self, request: Request) -> Response:
        session, asked = await self._asked(request, Renaming)
        name = _plain(name=asked.name)["name"]
        await self._households.rename(session.account_id, _id(request, "space"), name)
        return Response(status_code=204)

    async def invite(self, request: Request) -> Response:
        session, asked = await self._asked(request, Offer)
        self._limits.make(session.account_id)
        made = await self._invitations.invite(session.account_id, _id(request, "space"), asked.role)
        return answer({"id": str(made.id), "token": made.token, "expires_at": iso(made.expires_ms)}, 201)

    async def invitations(self, request: Request) -> Response:
        session = await self._sessions.check_account(request.state["store"], request)
        found = await self._invitations.open(session.account_id, _id(request, "space"))
        shown = [{"id": str(one.id), "role": one.role, "expires_at": iso(one.expires_ms)} for one in found]
        return answer({"invitations": shown})

    async def withdraw(self, request: Request) -> Response:
        session = await self._sessions.check_account(request.state["store"], request)
        await self._invitations.withdraw(session.account_id, _id(request, "space"), _id(request, "id"))
        return Response(status_code=204)

    async def set_role(self, request: Request) -> Response:
        session, asked = await self._asked(request, Appointment)
        place = _id(request, "space"), _id(request, "id")
        await self._households.set_role(session.account_id, *place, asked.role)
        return Response(status_code=204)

    async def remove(self, request: Request) -> Response:
        session = await self._sessions.check_account(request.state["store"], request)
        await self._households.remove(session.account_id, _id(request, "space"), _id(request, "id"))
        return Response(status_code=204)

    async def look(self, request: Request) -> Response:
        held = await read_json(request, Held)
        self._limits.look(request)
        return answer(await self._invitations.look(request.state["store"], held.token))

    async def join(self, request: Request) -> Response:
        session, asked = await self._asked(request, Entrance)
        own_name = _plain(own_name=asked.own_name)["own_name"]
        self._limits.look(request)
        space_id = await self._invitations.join(session.account_id, asked.token, own_name)
        return answer({"space": str(space_id)})

    async def _asked(self, request: Request, shape: type[T]) -> tuple[Session, T]:
        await self._sessions.check_account(request.state["store"], request)
        asked = await read_json(request, shape)
        # A body may take its time, and its device may have been revoked meanwhile.
        return await self._sessions.check_account(request.state["store"], request), asked


def _id(request: Request, name: str) -> uuid.UUID:
    found = path_uuid(request, name)
    if found is None:
        raise NotFound
    return found


def _plain(**names: str) -> dict[str, Any]:
    """The names without outer blanks; raises Invalid for those that cannot be shown."""
    bare = {field: name.strip() for field, name in names.items()}
    wrong = [field for field, name in bare.items() if not name or not name.isprintable()]
    if wrong:
        raise Invalid([FieldError(f"/{field}", f"A name has 1 to {MAX_NAME} printable characters.") for field in wrong])
    return bare
