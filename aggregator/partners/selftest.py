"""The self-test: calls a shop's webhooks as the sender does, and as somebody would who means harm, and says in words
what came of it. Of an answer it tells the status and the time alone.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from aggregator.accounts.sessions import iso
from aggregator.jobs import now_ms
from aggregator.outbound import Outbound
from aggregator.partners import events, webhooks
from aggregator.partners.deliveries import Outcome, post
from aggregator.partners.webhooks import Webhook

QUICK_MS = 3_000
OLD_MS = 600_000
HELLO = "A self-test calls: nothing has happened."
OPEN = "Whether it would have refused the event stays open: try again."


class Check(Struct, frozen=True):
    """One thing that was looked at; `webhook` is null where it is about none."""

    webhook: uuid.UUID | None
    name: str
    ok: bool
    words: str


class Report(Struct, frozen=True):
    """What was looked at, and what came of it."""

    checks: list[Check]


@dataclass(frozen=True, slots=True)
class _Try:
    outcome: Outcome
    took_ms: int

    @property
    def words(self) -> str:
        return self.outcome.detail or f"It answered {self.outcome.status} in {self.took_ms} ms."


class SelfTest:
    """Calls webhooks, each beside the others."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def run(self, hooks: Sequence[Webhook]) -> Report:
        """All checks of all webhooks."""
        if not hooks:
            return Report([Check(None, "webhook", False, "You have no webhook: POST /webhooks makes one.")])
        found = await asyncio.gather(*(self._checks(hook) for hook in hooks))
        return Report([check for checks in found for check in checks])

    async def _checks(self, hook: Webhook) -> list[Check]:
        id, now = uuid.uuid4(), now_ms()
        first = await self._try(hook, id, now)
        checks = [_reachable(hook, first)]
        if first.outcome.status is not None:
            checks += [_taken(first), _quick(first)]
        if first.outcome.is_taken:
            checks += [
                _twice(await self._try(hook, id, now)),
                _forged(await self._try(hook, uuid.uuid4(), now, webhooks.new_secret())),
                _old(await self._try(hook, uuid.uuid4(), now - OLD_MS)),
            ]
        return [msgspec.structs.replace(check, webhook=hook.id) for check in checks]

    async def _try(self, hook: Webhook, id: uuid.UUID, at_ms: int, forged_with: str = "") -> _Try:
        body = msgspec.json.encode({"type": events.PING, "timestamp": iso(at_ms), "data": {"words": HELLO}})
        headers = webhooks.signed([forged_with], str(id), at_ms // 1000, body) if forged_with else None
        began = time.monotonic()
        outcome = await post(self._outbound, hook.url, headers or hook.headers(id, at_ms, body), body)
        return _Try(outcome, round((time.monotonic() - began) * 1000))


def _check(name: str, ok: bool, words: str) -> Check:
    return Check(None, name, ok, words)


def _reachable(hook: Webhook, tried: _Try) -> Check:
    if tried.outcome.status is None:
        return _check("reachable", False, tried.words)
    if urlsplit(hook.url).scheme != "https":
        return _check("reachable", True, "It answers over plain http, which this operator allows for this host alone.")
    return _check("reachable", True, "It answers over https.")


def _taken(tried: _Try) -> Check:
    advice = "" if tried.outcome.is_taken else " Only 2xx says that an event was taken; redirects are not followed."
    return _check("takes", tried.outcome.is_taken, tried.words + advice)


def _quick(tried: _Try) -> Check:
    if tried.took_ms <= QUICK_MS:
        return _check("quick", True, f"It answered in {tried.took_ms} ms.")
    words = f"It took {tried.took_ms} ms. Answer as soon as the event is kept, and work on it afterwards: 20 s is all."
    return _check("quick", False, words)


def _twice(tried: _Try) -> Check:
    if tried.outcome.is_taken:
        return _check("twice", True, "The same event a second time is taken, too; do its work once (webhook-id).")
    words = f"{tried.words} The same event may come twice: take it again with 2xx and do nothing."
    return _check("twice", False, words)


def _forged(tried: _Try) -> Check:
    if tried.outcome.status is None:
        return _check("forged", False, f"{tried.words} {OPEN}")
    if not tried.outcome.is_taken:
        return _check("forged", True, "A forged signature is refused.")
    words = "It took an event that somebody else signed: anybody can tell it anything. Verify webhook-signature."
    return _check("forged", False, words)


def _old(tried: _Try) -> Check:
    if tried.outcome.status is None:
        return _check("old", False, f"{tried.words} {OPEN}")
    if not tried.outcome.is_taken:
        return _check("old", True, "An event signed 10 minutes ago is refused.")
    words = "Warning: it took an event signed 10 minutes ago. Refuse what is older than 5, or it can be sent again."
    return _check("old", True, words)
