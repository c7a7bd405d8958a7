"""Test cards over the API; to shops that are no sandbox there is none."""

import uuid
from typing import Annotated, Any

from msgspec import Meta, Struct

from aggregator.accounts.sessions import iso
from aggregator.errors import FieldError, Invalid, NotFound
from aggregator.http import path_uuid
from aggregator.partners.api import Call, Endpoint, Reply
from aggregator.partners.attempts import Begun
from aggregator.partners.link_routes import Typed
from aggregator.partners.numbers import MAX_NUMBER
from aggregator.partners.programmes import Policy
from aggregator.partners.sandbox import Card, Sandbox
from aggregator.partners.texts import END

CARD = "/sandbox/cards/{id}"


class NewCard(Struct, frozen=True, forbid_unknown_fields=True):
    """The number on the card, printed and in its code."""

    number: Annotated[str, Meta(pattern=rf"^[ -~]{{1,{MAX_NUMBER}}}{END}")]


class CardShown(Struct, frozen=True):
    """A test card; `live` is what its holder's phone shows of your programme, null until the card is connected."""

    id: uuid.UUID
    number: str
    created_at: str
    live: dict[str, Any] | None


class CardPage(Struct, frozen=True):
    """All test cards, oldest first."""

    items: list[CardShown]
    next: None


class Connect(Struct, frozen=True, forbid_unknown_fields=True):
    """What the holder chooses; `code` is one from the till, for policy `code`."""

    policy: Policy
    code: Typed | None = None


class Confirm(Struct, frozen=True, forbid_unknown_fields=True):
    """The code of the last challenge."""

    code: Typed


class Asked(Struct, frozen=True):
    """A challenge was begun: you are told the code in `link.challenge`."""

    attempt: uuid.UUID
    expires_at: str


class Linked(Struct, frozen=True):
    """The card is connected."""

    link: uuid.UUID


class SandboxRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def endpoints(self) -> list[Endpoint]:
        """Everything under /sandbox."""
        return [*self._cards(), *self._holder()]

    def _cards(self) -> list[Endpoint]:
        return [
            Endpoint(
                "POST",
                "/sandbox/cards",
                "Make a test card",
                self._added,
                "links",
                body=NewCard,
                answers={201: CardShown},
                problems=("not-found", "too-many-cards", "idempotency-key-needed"),
                writes=True,
                words="For sandbox shops only, as everything under /sandbox.",
            ),
            Endpoint(
                "GET",
                "/sandbox/cards",
                "Your test cards",
                self._listed,
                "links",
                answers={200: CardPage},
                problems=("not-found",),
            ),
            Endpoint(
                "GET",
                CARD,
                "A test card as its holder's phone shows it",
                self._shown,
                "links",
                answers={200: CardShown},
                problems=("not-found",),
            ),
            Endpoint(
                "DELETE",
                CARD,
                "Throw a test card away",
                self._removed,
                "links",
                answers={204: None},
                problems=("not-found",),
                writes=True,
            ),
        ]

    def _holder(self) -> list[Endpoint]:
        refused = ("not-found", "wrong-code", "no-programme", "no-number")
        return [
            Endpoint(
                "POST",
                f"{CARD}/connect",
                "Connect a test card, as its holder would",
                self._connected,
                "links",
                body=Connect,
                answers={201: Linked, 202: Asked},
                problems=(*refused, "policy-not-offered", "already-linked"),
                streams=True,
            ),
            Endpoint(
                "POST",
                f"{CARD}/confirm",
                "Type the code of the last challenge, as the holder would",
                self._confirmed,
                "links",
                body=Confirm,
                answers={201: Linked},
                problems=("not-found", "wrong-code", "attempt-gone"),
                streams=True,
            ),
        ]

    async def _added(self, call: Call) -> Reply:
        caller = _sandbox_only(call).caller
        card = await self._sandbox.add(caller.partner_id, caller.name, call.body.number, call.now_ms)
        return Reply(_card(card), 201)

    async def _listed(self, call: Call) -> Reply:
        cards = await self._sandbox.all(call.store, _sandbox_only(call).caller.partner_id)
        return Reply(CardPage([_card(card) for card in cards], None))

    async def _shown(self, call: Call) -> Reply:
        return Reply(_card(await self._sandbox.find(call.store, call.caller.partner_id, _id(call))))

    async def _removed(self, call: Call) -> Reply:
        await self._sandbox.remove(call.caller.partner_id, _id(call), call.now_ms)
        call.after.append(self._sandbox.tell)
        return Reply(status=204)

    async def _connected(self, call: Call) -> Reply:
        card_id, asked = _id(call), call.body
        if asked.policy == "code" and asked.code is None:
            raise Invalid([FieldError("/code", "A code from the till is needed.")])
        code = asked.code or ""
        made = await self._sandbox.connect(call.caller.partner_id, card_id, asked.policy, code, call.now_ms)
        if isinstance(made, Begun):
            return Reply(Asked(made.attempt_id, iso(made.expires_ms)), 202)
        return Reply(Linked(made), 201)

    async def _confirmed(self, call: Call) -> Reply:
        link_id = await self._sandbox.confirm(call.caller.partner_id, _id(call), call.body.code, call.now_ms)
        return Reply(Linked(link_id), 201)


def _sandbox_only(call: Call) -> Call:
    if not call.caller.sandbox:
        raise NotFound
    return call


def _id(call: Call) -> uuid.UUID:
    id = path_uuid(_sandbox_only(call).request, "id")
    if id is None:
        raise NotFound
    return id


def _card(card: Card) -> CardShown:
    return CardShown(card.id, card.number, iso(card.made_ms), card.live)
