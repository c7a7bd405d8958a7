"""Events over the API: the feed, webhooks, what is on its way to them, and their self-test."""

import uuid
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from aggregator import store
from aggregator.accounts.sessions import iso
from aggregator.crypto import KeyRing
from aggregator.errors import FieldError, Invalid, NotFound
from aggregator.http import path_uuid
from aggregator.limits import Limiter
from aggregator.outbound import NotAllowed, Outbound
from aggregator.partners import events, webhooks
from aggregator.partners.api import Call, Endpoint, Parameter, Reply
from aggregator.partners.cursors import AFTER, LIMIT, MAX_CURSOR, Cursors, limit_of
from aggregator.partners.events import BODIES, Bell
from aggregator.partners.selftest import Report, SelfTest
from aggregator.partners.webhooks import MAX_URL, DeliveryState, Webhook

FEED = "events"
SELF_TESTS_PER_MINUTE = 10

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


def _message(kind: str, *more: tuple[str, Any]) -> type[Struct]:
    """The shape of an event of a kind."""
    name = "".join(word.capitalize() for word in kind.split(".")) + ("Event" if more else "Message")
    fields = [*more, ("timestamp", Time), ("data", BODIES[kind])]
    return msgspec.defstruct(name, fields, tag_field="type", tag=kind, frozen=True)


MESSAGES = {kind: _message(kind) for kind in BODIES}
"""What a webhook is sent, by kind."""

AnyEvent: Any = reduce(or_, [_message(kind, ("id", uuid.UUID)) for kind in BODIES if kind != events.PING])


class Position(Struct, frozen=True, array_like=True):
    """An event's number, and the epoch of the store that has given it."""

    seq: int
    epoch: str


class EventPage(Struct, frozen=True):
    """Events, oldest first. `next` is never null: ask it again later for what comes after them."""

    items: list[AnyEvent]
    next: str


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where events are to be sent: an https address."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]


class WebhookShown(Struct, frozen=True):
    """A webhook. `state` is `failing` after five days without a success, each event then being tried once, and `off`
    after a 410; `failing_since` is null where the last one was taken."""

    id: uuid.UUID
    url: str
    state: webhooks.State
    failing_since: Time | None
    created_at: Time


class WebhookMade(WebhookShown, frozen=True, kw_only=True):
    """A webhook with its secret, which is told this once."""

    secret: str


class WebhookPage(Struct, frozen=True):
    """All webhooks, oldest first."""

    items: list[WebhookShown]
    next: None


class Replay(Struct, frozen=True, forbid_unknown_fields=True):
    """What to send again: everything after a cursor of the feed (null: everything that is kept), or of it only what was
    given up."""

    after: Annotated[str, Meta(max_length=MAX_CURSOR)] | None
    only: Literal["dead"] | None = None


class Replayed(Struct, frozen=True):
    """How many events are on their way again."""

    queued: int


class DeliveryShown(Struct, frozen=True):
    """An event on its way. `status` and `detail` tell of the last try."""

    event: uuid.UUID
    type: str
    state: DeliveryState
    tries: int
    next_try_at: Time | None
    status: int | None
    detail: str | None


class DeliveryPage(Struct, frozen=True):
    """Deliveries in the order of their events."""

    items: list[DeliveryShown]
    next: str | None


STATE = Parameter("state", DeliveryState, "Only deliveries in this state.")
MADE_ONCE = "The secret is told this once."


class EventRoutes:
    """What shops are told, and where."""

    def __init__(self, keys: KeyRing, outbound: Outbound, cursors: Cursors, bell: Bell, limit_scale: int) -> None:
        self._keys = keys
        self._outbound = outbound
        self._cursors = cursors
        self._bell = bell
        self._self_test = SelfTest(outbound)
        self._limit = Limiter(f"{SELF_TESTS_PER_MINUTE * limit_scale}/minute")

    def endpoints(self) -> list[Endpoint]:
        """Everything with scope events."""
        return [*self._feed(), *self._hooks(), *self._deliveries()]

    def _feed(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/events",
                "What happened, oldest first, kept for 30 days",
                self._page,
                "events",
                query=(LIMIT, AFTER),
                answers={200: EventPage},
                problems=("cursor-too-old",),
                words="The truth: webhooks carry the same. `next` is never null; ask it again for what comes later.",
            ),
            Endpoint(
                "POST",
                "/selftest",
                "Call your webhooks and say what is right and what is not",
                self._tested,
                "events",
                answers={200: Report},
                streams=True,
                words="Sends `selftest.ping` with right and forged signatures. A shop may do so 10 times a minute.",
            ),
        ]

    def _hooks(self) -> list[Endpoint]:
        made = {201: WebhookMade}
        enough = ("too-many-webhooks", "idempotency-key-needed")
        hook, secret = "/webhooks/{id}", "/webhooks/{id}/secret"
        rotated = "For a day the older secret signs, too: two signatures in one header."
        return [
            Endpoint("GET", "/webhooks", "Your webhooks", self._listed, "events", answers={200: WebhookPage}),
            Endpoint(
                "POST",
                "/webhooks",
                "Be told of events at an address of yours",
                self._added,
                "events",
                body=NewWebhook,
                answers=made,
                problems=enough,
                writes=True,
                words=MADE_ONCE,
            ),
            Endpoint(
                "DELETE",
                hook,
                "Remove a webhook",
                self._removed,
                "events",
                answers={204: None},
                problems=("not-found",),
                writes=True,
            ),
            Endpoint(
                "POST",
                secret,
                "A new secret for a webhook",
                self._rotated,
                "events",
                answers=made,
                problems=("not-found", "idempotency-key-needed"),
                writes=True,
                words=f"{MADE_ONCE} {rotated}",
            ),
        ]

    def _deliveries(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/webhooks/{id}/deliveries",
                "How events are faring on their way to a webhook",
                self._faring,
                "events",
                query=(LIMIT, AFTER, STATE),
                answers={200: DeliveryPage},
                problems=("not-found",),
            ),
            Endpoint(
                "POST",
                "/webhooks/{id}/replay",
                "Send events again",
                self._replayed,
                "events",
                body=Replay,
                answers={200: Replayed},
                problems=("not-found",),
                writes=True,
                words="Under the same ids as before. A webhook that was switched off is on again.",
            ),
        ]

    async def _page(self, call: Call) -> Reply:
        after = await self._since(self._cursors.asked(call, FEED, Position))
        limit = limit_of(call)
        page = await events.page(call.store, self._keys, call.caller.partner_id, after, limit, call.now_ms)
        if page.is_torn:
            raise _too_old()
        items = [told.as_item() for told in page.events]
        reply = self._cursors.page(call, FEED, items, Position(page.last, await store.epoch()))
        # Whoever follows links would otherwise never come to an end.
        return reply if len(items) == limit else Reply(reply.body)

    async def _since(self, position: Position | None) -> int | None:
        """The number of the event at a position; raises Invalid for one of a store that was replaced by its backup:
        what stands under the same numbers there may be something else.
        """
        if position is None:
            return None
        if position.epoch != await store.epoch():
            raise _too_old()
        return position.seq

    async def _tested(self, call: Call) -> Reply:
        self._limit.hit(str(call.caller.partner_id))
        hooks = await webhooks.listed(call.store, self._keys, call.caller.partner_id)
        return Reply(await self._self_test.run(hooks))

    async def _listed(self, call: Call) -> Reply:
        hooks = await webhooks.listed(call.store, self._keys, call.caller.partner_id)
        return Reply(WebhookPage([WebhookShown(**_shown(hook)) for hook in hooks], None))

    async def _added(self, call: Call) -> Reply:
        try:
            self._outbound.check(call.body.url)
        except NotAllowed as error:
            raise Invalid([FieldError("/url", str(error))]) from None
        made = await webhooks.add(self._keys, call.caller.partner_id, call.body.url, call.now_ms)
        return _made(*made)

    async def _removed(self, call: Call) -> Reply:
        await webhooks.remove(call.caller.partner_id, _id(call))
        return Reply(status=204)

    async def _rotated(self, call: Call) -> Reply:
        return _made(*await webhooks.rotate(self._keys, call.caller.partner_id, _id(call), call.now_ms))

    async def _faring(self, call: Call) -> Reply:
        hook = await webhooks.found(self._keys, call.caller.partner_id, _id(call))
        state: Any = call.query.get("state")
        name = f"deliveries/{hook.id}/{state}"
        after, limit = self._cursors.asked(call, name, int) or 0, limit_of(call)
        rows = await webhooks.deliveries(call.store, hook, state, after, limit + 1)
        last = rows[limit - 1][0] if len(rows) > limit else None
        return self._cursors.page(call, name, [item for _, item in rows[:limit]], last)

    async def _replayed(self, call: Call) -> Reply:
        hook = await webhooks.found(self._keys, call.caller.partner_id, _id(call))
        text = call.body.after
        after = await self._since(None if text is None else self._cursors.read(call, FEED, text, Position))
        queued = await webhooks.replay(hook, after or 0, only_dead=call.body.only == "dead")
        call.after.append(self._ring)
        return Reply(Replayed(queued))

    async def _ring(self) -> None:
        self._bell.ring()


def _too_old() -> Invalid:
    detail = "Events after this cursor are gone, for 30 days or with a store: read GET /links, then begin anew."
    return Invalid([FieldError("/after", detail)], "cursor-too-old")


def _id(call: Call) -> uuid.UUID:
    id = path_uuid(call.request, "id")
    if id is None:
        raise NotFound
    return id


def _shown(hook: Webhook) -> dict[str, Any]:
    since = None if hook.failing_ms is None else iso(hook.failing_ms)
    named = {"id": hook.id, "url": hook.url, "state": hook.state}
    return {**named, "failing_since": since, "created_at": iso(hook.made_ms)}


def _made(hook: Webhook, secret: str) -> Reply:
    return Reply(WebhookMade(**_shown(hook), secret=secret), 201)
