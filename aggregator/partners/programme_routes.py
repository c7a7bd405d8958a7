"""Programmes over HTTP: put and claimed by shops, shown to everybody once they are approved."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.errors import NotFound
from aggregator.limits import Limiter, network_of
from aggregator.merchants.directory import Directory
from aggregator.partners import pictures, programmes
from aggregator.partners.api import Call, Endpoint, Reply
from aggregator.partners.pictures import PartnerPictures, address
from aggregator.partners.programmes import FIELDS, PUBLIC, Claim, Known, Programme, known_from

LOGO_SIDE = 256
SLUG = re.compile(r"[a-z0-9-]{1,80}")
RATE_PER_MINUTE = 600
# Asked again each time, and answered in a few bytes where nothing has changed.
FRESH = {"Cache-Control": "no-cache"}
SUMMARY = f"SELECT count(*), sum(g.version), max(g.changed_ms) {PUBLIC} AND g.slug IS NOT NULL"
ALL = f"SELECT {FIELDS} {PUBLIC} AND g.slug IS NOT NULL ORDER BY g.slug"


class ProgrammeShown(Programme, frozen=True, kw_only=True):
    """The programme as it stands: `slug` once a claim was approved."""

    version: int
    slug: str | None
    claim: Claim | None
    logo: str | None


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The entry of the directory that is the shop's; null for one of its own, where the directory has none."""

    slug: str | None


class Logo(Struct, frozen=True):
    """Where the logo is shown."""

    logo: str | None


class ProgrammeDesk:
    """What shops do with their programmes."""

    def __init__(self, directory: Directory, taken_in: PartnerPictures) -> None:
        self._directory = directory
        self._pictures = taken_in

    def endpoints(self) -> list[Endpoint]:
        """Everything under /programme."""
        return [*self._of_programme(), *self._of_logo()]

    def _of_programme(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/programme",
                "The programme",
                self.get,
                "programme",
                answers={200: ProgrammeShown},
                problems=("not-found",),
            ),
            Endpoint(
                "PUT",
                "/programme",
                "Put the programme",
                self.put,
                "programme",
                body=Programme,
                answers={200: ProgrammeShown},
                writes=True,
            ),
            Endpoint(
                "PUT",
                "/programme/claim",
                "Claim an entry of the directory",
                self.claim,
                "programme",
                body=Wanted,
                answers={200: Claim},
                problems=("no-programme",),
                writes=True,
                words="The operator approves it. From then on holders find the programme on cards of that shop.",
            ),
        ]

    def _of_logo(self) -> list[Endpoint]:
        return [
            Endpoint(
                "PUT",
                "/programme/logo",
                "Put the logo",
                self.put_logo,
                "programme",
                media="image/*",
                answers={200: Logo},
                problems=("no-programme", "too-large", "not-a-picture", "busy"),
                streams=True,
            ),
            Endpoint(
                "DELETE",
                "/programme/logo",
                "Remove the logo",
                self.drop_logo,
                "programme",
                answers={204: None},
                problems=("no-programme",),
                writes=True,
            ),
        ]

    async def get(self, call: Call) -> Reply:
        known = await programmes.find(call.caller.partner_id, call.store.read)
        if known is None:
            raise NotFound
        return Reply(shown(known))

    async def put(self, call: Call) -> Reply:
        return Reply(shown(await programmes.put(call.caller.partner_id, call.body, self._directory, call.now_ms)))

    async def claim(self, call: Call) -> Reply:
        slug = call.body.slug
        return Reply(await programmes.claim(call.caller.partner_id, slug, self._directory, call.now_ms))

    async def put_logo(self, call: Call) -> Reply:
        partner_id = call.caller.partner_id
        image = await self._pictures.read(call.request, LOGO_SIDE)
        async with db.transaction():
            logo_id = await pictures.keep(partner_id, image, call.now_ms)
            await pictures.drop(await programmes.set_logo(partner_id, logo_id, call.now_ms))
        return Reply(Logo(address(logo_id)))

    async def drop_logo(self, call: Call) -> Reply:
        await pictures.drop(await programmes.set_logo(call.caller.partner_id, None, call.now_ms))
        return Reply(status=204)


def shown(known: Known) -> ProgrammeShown:
    """The programme as its shop sees it."""
    said = {name: getattr(known.programme, name) for name in Programme.__struct_fields__}
    rest: dict[str, Any] = {
        "version": known.version,
        "slug": known.slug,
        "claim": known.claim,
        "logo": address(known.logo_id),
    }
    return ProgrammeShown(**said, **rest)


class Showcase:
    """What everybody sees of approved programmes."""

    def __init__(self, directory: Directory, limit_scale: int) -> None:
        self._directory = directory
        self._limit = Limiter(f"{RATE_PER_MINUTE * limit_scale}/minute")
        self._list: tuple[object, bytes] = (None, b"")

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/programmes."""
        return [Route("/api/programmes", self.list), Route("/api/programmes/{slug}", self.get)]

    async def list(self, request: Request) -> Response:
        self._limit.hit(network_of(request))
        return _sent(request, await self._listing(request.state["store"]))

    async def _listing(self, store: db.Store) -> bytes:
        """All of them, put together anew when one has changed."""
        [summary] = await store.read(SUMMARY)
        if self._list[0] != tuple(summary):
            found = [in_short(known_from(row)) for row in await store.read(ALL)]
            self._list = tuple(summary), msgspec.json.encode({"programmes": found})
        return self._list[1]

    async def get(self, request: Request) -> Response:
        self._limit.hit(network_of(request))
        slug = request.path_params["slug"]
        # What is no slug may be what no store can look for.
        known = await self._by_slug(request.state["store"], slug) if SLUG.fullmatch(slug) else None
        if known is None:
            raise NotFound
        return _sent(request, msgspec.json.encode(in_full(known)))

    async def _by_slug(self, store: db.Store, slug: str) -> Known | None:
        return await programmes.by_slug(self._directory.latest(slug), store.read)


def in_short(known: Known) -> Mapping[str, Any]:
    """The programme as the list of all of them says it."""
    programme = known.programme
    return {
        "slug": known.slug,
        "name": programme.name,
        "colour": programme.colour,
        "logo": address(known.logo_id),
        "policies": known.policies,
        "unit": programme.unit,
        "number": {"from": known.rule.source, "form": known.rule.form},
    }


def in_full(known: Known) -> Mapping[str, Any]:
    """All that holders see of a programme."""
    names = ("about", "site", "phone", "email", "tiers", "outlets")
    return {**in_short(known), **{name: getattr(known.programme, name) for name in names}}


def _sent(request: Request, body: bytes) -> Response:
    headers = FRESH | {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
