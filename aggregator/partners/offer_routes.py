"""Offers over HTTP: put by shops, and marked by devices as seen, opened and used."""

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.accounts.sessions import Sessions
from aggregator.crypto import KeyRing
from aggregator.errors import FieldError, Invalid, NotFound
from aggregator.http import read_json
from aggregator.limits import Limiter
from aggregator.partners import offer_marks, offers, pictures
from aggregator.partners.api import Call, Endpoint, Reply
from aggregator.partners.carrier import Carrier
from aggregator.partners.cursors import AFTER, LIMIT, Cursors, limit_of
from aggregator.partners.offer_marks import Marks
from aggregator.partners.offer_values import Kept, Offer, Stored, kept
from aggregator.partners.pictures import PartnerPictures, address
from aggregator.partners.programmes import Id

NAME = "offers"
PICTURE_SIDE = 1_024
MARKS_PER_MINUTE = 60


class OfferPage(Struct, frozen=True):
    """Offers in the order of their ids."""

    items: list[Kept]
    next: str | None


class Picture(Struct, frozen=True):
    """Where the picture is shown."""

    picture: str | None


class OfferDesk:
    """What shops do with their offers."""

    def __init__(self, keys: KeyRing, cursors: Cursors, taken_in: PartnerPictures, carrier: Carrier) -> None:
        self._keys = keys
        self._cursors = cursors
        self._pictures = taken_in
        self._carrier = carrier

    def endpoints(self) -> list[Endpoint]:
        """Everything under /offers."""
        return [*self._of_offers(), *self._of_pictures()]

    def _of_offers(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/offers",
                "Your offers, in the order of their ids",
                self.listed,
                "offers",
                query=(LIMIT, AFTER),
                answers={200: OfferPage},
            ),
            Endpoint(
                "GET",
                "/offers/{id}",
                "An offer, and how many people it reached",
                self.get,
                "offers",
                answers={200: Kept},
            ),
            Endpoint(
                "PUT",
                "/offers/{id}",
                "Put an offer under an id of yours",
                self.put,
                "offers",
                body=Offer,
                answers={200: Kept, 201: Kept},
                problems=("no-programme", "audience-too-small", "too-many-live", "too-many-offers"),
                writes=True,
                words="201 the first time. It is on cards while it is live, from `starts_at` to `ends_at`.",
            ),
            Endpoint(
                "DELETE",
                "/offers/{id}",
                "End an offer",
                self.end,
                "offers",
                answers={204: None},
                writes=True,
                words="It leaves all cards. Its counts stay for 400 days, and it may be put again.",
            ),
        ]

    def _of_pictures(self) -> list[Endpoint]:
        return [
            Endpoint(
                "PUT",
                "/offers/{id}/picture",
                "Put an offer's picture",
                self.put_picture,
                "offers",
                media="image/*",
                answers={200: Picture},
                problems=("too-large", "not-a-picture", "busy"),
                streams=True,
            ),
            Endpoint(
                "DELETE",
                "/offers/{id}/picture",
                "Remove an offer's picture",
                self.drop_picture,
                "offers",
                answers={204: None},
                writes=True,
            ),
        ]

    async def listed(self, call: Call) -> Reply:
        limit = limit_of(call)
        after = self._cursors.asked(call, NAME, str) or ""
        found = await offers.page(call.caller.partner_id, after, limit + 1, call.store.read)
        last = found[limit - 1].id if len(found) > limit else None
        return self._cursors.page(call, NAME, await _kept(call, found[:limit]), last)

    async def get(self, call: Call) -> Reply:
        found = await offers.require_offer(call.caller.partner_id, _id(call), call.store.read)
        return Reply((await _kept(call, [found]))[0])

    async def put(self, call: Call) -> Reply:
        id = _new_id(call.path["id"])
        stored, is_new = await offers.put(self._keys, call.caller.partner_id, id, call.body, call.now_ms)
        call.after.append(self._wake)
        counts = await offer_marks.counts(call.caller.partner_id, [id])
        return Reply(kept(stored, counts[id], call.now_ms), 201 if is_new else 200)

    async def end(self, call: Call) -> Reply:
        await offers.end(call.caller.partner_id, _id(call), call.now_ms)
        call.after.append(self._wake)
        return Reply(status=204)

    async def put_picture(self, call: Call) -> Reply:
        partner_id, id = call.caller.partner_id, _id(call)
        await offers.require_offer(partner_id, id, call.store.read)
        image = await self._pictures.read(call.request, PICTURE_SIDE)
        async with db.transaction():
            picture_id = await pictures.keep(partner_id, image, call.now_ms)
            await pictures.drop(await offers.set_picture(partner_id, id, picture_id, call.now_ms))
        await self._wake()
        return Reply(Picture(address(picture_id)))

    async def drop_picture(self, call: Call) -> Reply:
        await pictures.drop(await offers.set_picture(call.caller.partner_id, _id(call), None, call.now_ms))
        call.after.append(self._wake)
        return Reply(status=204)

    async def _wake(self) -> None:
        self._carrier.wake()


async def _kept(call: Call, found: list[Stored]) -> list[Kept]:
    """The offers as their shop gets them."""
    counts = await offer_marks.counts(call.caller.partner_id, [one.id for one in found], call.store.read)
    return [kept(one, counts[one.id], call.now_ms) for one in found]


def _id(call: Call) -> str:
    """The id in the path; raises NotFound for what is none, and may be no text that a store takes."""
    try:
        return _new_id(call.path["id"])
    except Invalid:
        raise NotFound from None


def _new_id(id: str) -> str:
    """An id as shops may choose it; raises Invalid."""
    try:
        return msgspec.convert(id, Id)
    except msgspec.ValidationError:
        raise Invalid([FieldError("/id", "An id has 1 to 64 of A-Z, a-z, 0-9, point, dash and underscore.")]) from None


class OfferRoutes:
    """What devices tell of offers."""

    def __init__(self, sessions: Sessions, keys: KeyRing, limit_scale: int) -> None:
        self._sessions = sessions
        self._keys = keys
        self._limit = Limiter(f"{MARKS_PER_MINUTE * limit_scale}/minute")

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/offers."""
        return [Route("/api/offers/marks", self.mark, methods=["POST"])]

    async def mark(self, request: Request) -> Response:
        session = await self._sessions.check_account(request.state["store"], request)
        self._limit.hit(str(session.account_id))
        asked = await read_json(request, Marks)
        await offer_marks.keep(self._keys, session.account_id, asked.marks)
        return Response(status_code=204)
