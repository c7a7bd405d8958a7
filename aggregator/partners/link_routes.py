"""Links over HTTP: connected by holders, looked at and ended by both sides."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.accounts.sessions import Sessions, iso
from aggregator.crypto import KeyRing
from aggregator.errors import FieldError, Invalid, NotFound
from aggregator.http import answer, path_uuid, read_json
from aggregator.partners import attempts, links, programmes, till_codes
from aggregator.partners.api import Call, Endpoint, Parameter, Reply
from aggregator.partners.attempts import Begun
from aggregator.partners.cursors import AFTER, LIMIT, Cursors, limit_of
from aggregator.partners.linking import Asked, Linking, gone
from aggregator.partners.links import COLUMNS, Link, link_from
from aggregator.partners.news import News
from aggregator.partners.numbers import MAX_NUMBER
from aggregator.partners.programmes import Policy, Rule
from aggregator.sync.spaces import lock_some

LINKS = "/api/links"
FIRST = "00000000-0000-0000-0000-000000000000"

Typed = Annotated[str, Meta(min_length=1, max_length=64)]


class Connecting(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of connecting a card; `code` is one from the till, for policy `code`."""

    space: uuid.UUID
    card: uuid.UUID
    policy: Policy
    code: Typed | None = None


class Answered(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of answering a challenge."""

    code: Typed


class LinkRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, sessions: Sessions, linking: Linking) -> None:
        self._sessions = sessions
        self._linking = linking

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/links."""
        return [
            Route(LINKS, self.connect, methods=["POST"]),
            Route(LINKS, self.listed, methods=["GET"]),
            Route(f"{LINKS}/attempts/{{id}}", self.confirm, methods=["PUT"]),
            Route(f"{LINKS}/{{id}}", self.end, methods=["DELETE"]),
        ]

    async def connect(self, request: Request) -> Response:
        await self._account(request)
        body = await read_json(request, Connecting)
        if body.policy == "code" and body.code is None:
            raise Invalid([FieldError("/code", "A code from the till is needed.")])
        asked = Asked(body.space, body.card, body.policy, body.code or "")
        # A body may take its time, and its device may have been revoked meanwhile.
        made = await self._linking.connect(await self._account(request), asked)
        if isinstance(made, Begun):
            return answer({"attempt": str(made.attempt_id), "expires_at": iso(made.expires_ms)}, 202)
        return answer({"link": str(made)}, 201)

    async def confirm(self, request: Request) -> Response:
        await self._account(request)
        body = await read_json(request, Answered)
        account_id, attempt_id = await self._account(request), path_uuid(request, "id")
        if attempt_id is None:
            raise gone()
        return answer({"link": str(await self._linking.confirm(account_id, attempt_id, body.code))}, 201)

    async def listed(self, request: Request) -> Response:
        account_id = await self._account(request)
        return answer({"links": await self._linking.of(request.state["store"], account_id)})

    async def end(self, request: Request) -> Response:
        account_id, link_id = await self._account(request), path_uuid(request, "id")
        if link_id is None:
            raise NotFound
        await self._linking.end(account_id, link_id)
        return Response(status_code=204)

    async def _account(self, request: Request) -> uuid.UUID:
        return (await self._sessions.check_account(request.state["store"], request)).account_id


# ---------------------------------------------------------------- shops


class LinkShown(Struct, frozen=True):
    """A link as its shop sees it."""

    id: str
    number: str
    policy: Policy
    since: str


class LinkPage(Struct, frozen=True):
    """Links, in no order that means anything."""

    items: list[LinkShown]
    next: str | None


class TillCodeWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """A code for the till: one that is made, or `code`, which the till has made."""

    short: bool = False
    code: till_codes.Code | None = None


class TillCodeShown(Struct, frozen=True):
    """A new code, told this once."""

    code: str
    expires_at: str


class Reissued(Struct, frozen=True):
    """Whatever was linked is no more."""

    status: str


class LinkDesk:
    """What shops do with links."""

    def __init__(self, keys: KeyRing, cursors: Cursors, news: News) -> None:
        self._keys = keys
        self._cursors = cursors
        self._news = news

    def endpoints(self) -> list[Endpoint]:
        """Everything under /links, and codes and reissues of numbers."""
        return [*self._of_links(), *self._of_numbers()]

    def _of_links(self) -> list[Endpoint]:
        number = Parameter("number", Annotated[str, Meta(max_length=4 * MAX_NUMBER)], "Only the links of this number.")
        return [
            Endpoint(
                "GET",
                "/links",
                "Links that stand",
                self.listed,
                "links",
                query=(number, LIMIT, AFTER),
                answers={200: LinkPage},
                problems=("no-programme", "invalid"),
            ),
            Endpoint(
                "DELETE",
                "/links/{id}",
                "End a link",
                self.end,
                "links",
                answers={204: None},
                problems=("not-found",),
                writes=True,
            ),
        ]

    def _of_numbers(self) -> list[Endpoint]:
        return [
            Endpoint(
                "POST",
                "/cards/{number}/codes",
                "Make a code for the till",
                self.issue,
                "links",
                body=TillCodeWanted,
                answers={201: TillCodeShown},
                problems=("no-programme", "idempotency-key-needed"),
                writes=True,
                words="Good for 10 minutes and one link of this number.",
            ),
            Endpoint(
                "POST",
                "/cards/{number}/reissue",
                "End whatever is linked to a number",
                self.reissue,
                "links",
                answers={200: Reissued},
                problems=("no-programme",),
                writes=True,
                words="For a card that was lost. The answer does not tell how many links there were.",
            ),
        ]

    async def listed(self, call: Call) -> Reply:
        limit, wanted = limit_of(call), call.query.get("number")
        name = f"links/{wanted or ''}"
        after = self._cursors.asked(call, name, uuid.UUID) or FIRST
        found = await self._page(call, wanted, str(after), limit + 1)
        last = str(found[limit - 1].id) if len(found) > limit else None
        return self._cursors.page(call, name, [self._shown(link) for link in found[:limit]], last)

    async def _page(self, call: Call, wanted: str | None, after: str, limit: int) -> list[Link]:
        partner_id = call.caller.partner_id
        sql = f"SELECT {COLUMNS} FROM link WHERE partner_id = $1 AND id > $2 "  # noqa: S608 - constants
        blinds: list[str] = []
        if wanted is not None:
            rule = await programmes.rule_of(partner_id, call.store.read)
            blinds = rule.blinds(self._keys, wanted)
            sql += f"AND blind IN ({db.marks(4, len(blinds))}) "
        rows = await call.store.read(f"{sql}ORDER BY id LIMIT $3", str(partner_id), after, limit, *blinds)
        return [link_from(row) for row in rows]

    def _shown(self, link: Link) -> LinkShown:
        return LinkShown(str(link.id), link.number(self._keys), link.policy, iso(link.made_ms))

    async def end(self, call: Call) -> Reply:
        found = await links.of_partner(call.caller.partner_id, call.path["id"])
        if found is None:
            raise NotFound
        await self._ended(call, await links.end(self._keys, [found], "shop", call.now_ms))
        return Reply(status=204)

    async def issue(self, call: Call) -> Reply:
        rule, number = await self._number(call)
        asked: TillCodeWanted = call.body
        blinds = rule.blinds(self._keys, number)
        made = await till_codes.issue(self._keys, rule.partner_id, blinds, asked.code, asked.short, call.now_ms)
        return Reply(TillCodeShown(made.code, iso(made.expires_ms)), 201)

    async def reissue(self, call: Call) -> Reply:
        rule, number = await self._number(call)
        blinds = rule.blinds(self._keys, number)
        # Spaces before attempts before the shop, as whoever links a card locks them.
        await lock_some(link.space_id for link in await links.of_number(rule.partner_id, blinds))
        await attempts.end_of_number(self._keys, rule.partner_id, blinds, call.now_ms)
        # Only now, since a right code that was being answered has been waited for.
        standing = await links.of_number(rule.partner_id, blinds)
        await self._ended(call, await links.end(self._keys, standing, "reissue", call.now_ms))
        return Reply(Reissued("reissued"))

    async def _number(self, call: Call) -> tuple[Rule, str]:
        """The number in the path, with the rule that it is read by; raises Invalid and Conflict."""
        return await numbered(call.caller.partner_id, call.path)

    async def _ended(self, call: Call, versions: Mapping[uuid.UUID, int]) -> None:
        await self._news.announce(versions)

        async def tell() -> None:
            self._news.tell(versions)

        call.after.append(tell)


async def numbered(partner_id: uuid.UUID, path: Mapping[str, str]) -> tuple[Rule, str]:
    """How a shop's numbers are read, and the `number` of a path in its normal form; raises Conflict `no-programme` and
    Invalid.
    """
    rule = await programmes.rule_of(partner_id)
    number = rule.normal(path["number"])
    if not number:
        raise Invalid([FieldError("/number", "This is no number of the programme.")])
    return rule, number
