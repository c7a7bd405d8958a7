"""Web Push (RFC 8030): notices that wait for a device, sealed for it alone (RFC 8291) and sent to its push service.

queued ──sent──▶ gone from here      404, 410: the subscription goes, too      429, 5xx, no answer: again, later
   └─ too late, or its device is signed out: gone unsent
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from aggregator import db
from aggregator.outbound import Answer, NoAnswer, NotAllowed, Outbound
from aggregator.sync.subscriptions import Notice, PushSubscription, Subscriptions
from aggregator.sync.vapid import Vapid, raw_of

AT_ONCE = 16
FIRST_PAUSE_MS = 300_000
MINUTE_MS = 60_000
MAX_DOUBLINGS = 6
ANSWER_BYTES = 16_000
GONE = {404, 410}
TOO_MANY = 429
UNSENT = "DELETE FROM notice WHERE until_ms <= $1 OR device_id NOT IN (SELECT device_id FROM push_subscription)"


@dataclass(frozen=True, slots=True)
class Later:
    """There is something to say, but not before `at_ms` (ms since 1970, UTC)."""

    at_ms: int


Compose = Callable[[Notice, PushSubscription, int], Awaitable[bytes | Later | None]]
"""What a notice says at the moment it is sent (ms since 1970, UTC), at most 3,900 bytes; None where there is nothing to
say any more."""

_log = logging.getLogger("karman.push")


def sealed(plain: bytes, p256dh: bytes, auth: bytes) -> bytes:
    """A message for one browser (RFC 8291, `aes128gcm`)."""
    sender = ec.generate_private_key(ec.SECP256R1())
    box: bytes = http_ece.encrypt(plain, private_key=sender, dh=p256dh, auth_secret=auth, version="aes128gcm")
    return box


async def queue(kind: str, body: Any, to: Sequence[PushSubscription], begins_ms: int, ends_ms: int) -> None:
    """Queue a notice for each, to be sent between the two moments (ms since 1970, UTC)."""
    await Notice.bulk_create(notices(kind, body, to, begins_ms, ends_ms))


def notices(kind: str, body: Any, to: Sequence[PushSubscription], begins_ms: int, ends_ms: int) -> list[Notice]:
    """As `queue`, the rows, for whoever queues many."""
    text = msgspec.json.encode(body).decode()
    return [
        Notice(
            id=uuid.uuid4(),
            account_id=one.account_id,
            device_id=one.device_id,
            kind=kind,
            body=text,
            next_ms=begins_ms,
            until_ms=ends_ms,
            tries=0,
        )
        for one in to
    ]


class Sender:
    """Sends what is queued. Broken off between sending and noting it, a notice is sent again: its tag lets the browser
    show it once.
    """

    def __init__(
        self, vapid: Vapid, outbound: Outbound, subscriptions: Subscriptions, composers: Mapping[str, Compose]
    ) -> None:
        """`composers` are by the kind of the notice."""
        self._vapid = vapid
        self._outbound = outbound
        self._subscriptions = subscriptions
        self._composers = composers

    async def send(self, now_ms: int) -> None:
        """Send everything that is due at `now_ms` (ms since 1970, UTC), and drop what is too late."""
        began = time.monotonic()
        await self._subscriptions.tidy(now_ms)
        await db.fetch(UNSENT, now_ms)
        while due := await Notice.filter(next_ms__lte=now_ms).order_by("next_ms", "id").limit(AT_ONCE):
            # Silent push services take their time, and nobody is rung later than they wished for it.
            by_now_ms = now_ms + int((time.monotonic() - began) * 1000)
            async with asyncio.TaskGroup() as group:
                for notice in due:
                    group.create_task(self._try(notice, by_now_ms))

    async def _try(self, notice: Notice, now_ms: int) -> None:
        """Whatever is wrong with one notice, the others go."""
        try:
            await self._send(notice, now_ms)
        except db.STORE_ERRORS:
            raise
        except Exception:
            _log.exception("a notice went wrong")
            await _postpone(notice, now_ms, 0)

    async def _send(self, notice: Notice, now_ms: int) -> None:
        if notice.until_ms <= now_ms:
            await Notice.filter(id=notice.id).delete()
            return
        subscription = await PushSubscription.get_or_none(device_id=notice.device_id)
        plain = await self._composers[notice.kind](notice, subscription, now_ms) if subscription else None
        if subscription is None or plain is None:
            await Notice.filter(id=notice.id).delete()
            return
        if isinstance(plain, Later):
            # A minute at least, or this very turn would find it due again.
            await Notice.filter(id=notice.id).update(next_ms=max(plain.at_ms, now_ms + MINUTE_MS))
            return
        try:
            answer = await self._post(subscription, plain, (notice.until_ms - now_ms) // 1000)
        except NoAnswer as error:
            _log.info("a notice waits: %s", error)
            await _postpone(notice, now_ms, 0)
        except NotAllowed:
            await self._subscriptions.forget(subscription.device_id)
        else:
            await self._settle(notice, answer, now_ms)

    async def _post(self, subscription: PushSubscription, plain: bytes, ttl_s: int) -> Answer:
        headers = {
            "authorization": await self._vapid.authorization(subscription.endpoint),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(ttl_s),
            "urgency": "normal",
        }
        body = sealed(plain, raw_of(subscription.p256dh), raw_of(subscription.auth))
        return await self._outbound.fetch(
            subscription.endpoint, method="POST", headers=headers, body=body, limit_bytes=ANSWER_BYTES
        )

    async def _settle(self, notice: Notice, answer: Answer, now_ms: int) -> None:
        """What the push service's answer means for the notice and its subscription."""
        if answer.status in GONE:
            await self._subscriptions.forget(notice.device_id)
        elif answer.status == TOO_MANY or answer.status >= 500:
            await _postpone(notice, now_ms, answer.asked_ms)
        else:
            if answer.status >= 300:
                _log.warning("a push service refused a notice with %d", answer.status)
            await Notice.filter(id=notice.id).delete()


async def _postpone(notice: Notice, now_ms: int, asked_ms: int) -> None:
    """Twice as long each time, and no shorter than asked for."""
    pause_ms: int = FIRST_PAUSE_MS * 2 ** min(notice.tries, MAX_DOUBLINGS)
    next_ms = min(now_ms + max(pause_ms, asked_ms), notice.until_ms)
    await Notice.filter(id=notice.id).update(next_ms=next_ms, tries=notice.tries + 1)
