"""Webhooks (Standard Webhooks 1.0): where a shop wants to be told, and how it knows that it is us."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import msgspec

from aggregator import db
from aggregator.accounts.sessions import iso
from aggregator.crypto import KeyRing
from aggregator.errors import Conflict, NotFound
from aggregator.partners.credentials import lock

MAX_WEBHOOKS = 5
MAX_URL = 2_000
SECRET_BYTES = 32
PREFIX = "whsec_"
BOTH_SIGN_MS = timedelta(hours=24) // timedelta(milliseconds=1)
# However often a secret is rotated within a day, a header stays short.
MAX_SECRETS = 4

ON, FAILING, OFF = "on", "failing", "off"
WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"

State = Literal["on", "failing", "off"]
DeliveryState = Literal["waiting", "delivered", "dead"]


class Secret(msgspec.Struct, frozen=True):
    """What a webhook signs with, until `until_ms` where it was rotated away."""

    text: str
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A place to tell a shop, and what is signed there."""

    id: uuid.UUID
    partner_id: uuid.UUID
    url: str
    secrets: Sequence[Secret]
    state: str
    made_ms: int
    failing_ms: int | None

    def headers(self, event_id: uuid.UUID, now_ms: int, body: bytes) -> dict[str, str]:
        """What goes with a body that is sent at this moment (ms since 1970, UTC)."""
        texts = [secret.text for secret in self.secrets if secret.until_ms is None or secret.until_ms > now_ms]
        return signed(texts, str(event_id), now_ms // 1000, body)


def signed(texts: Sequence[str], event_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of a body, with a signature by each of the secrets."""
    text = f"{event_id}.{at_s}.".encode() + body
    signatures = [f"v1,{base64.b64encode(hmac.digest(_key(one), text, hashlib.sha256)).decode()}" for one in texts]
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }


def new_secret() -> str:
    """A fresh secret, as a shop gets it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _key(text: str) -> bytes:
    return base64.b64decode(text.removeprefix(PREFIX))


COLUMNS = "id, partner_id, url, box, state, made_ms, failing_ms"
COUNT = "SELECT count(*) AS n FROM webhook WHERE partner_id = $1"
ADDED = (
    "INSERT INTO webhook (partner_id, id, url, box, state, made_ms, leased_ms) "  # noqa: S608 - constants
    f"VALUES ($1, $2, $3, $4, 'on', $5, 0) RETURNING {COLUMNS}"
)
FOUND = f"SELECT {COLUMNS} FROM webhook WHERE partner_id = $1 AND id = $2"  # noqa: S608 - constants
LISTED = f"SELECT {COLUMNS} FROM webhook WHERE partner_id = $1 ORDER BY made_ms, id"  # noqa: S608 - constants
RESEALED = "UPDATE webhook SET box = $1 WHERE id = $2"


async def add(keys: KeyRing, partner_id: uuid.UUID, url: str, now_ms: int) -> tuple[Webhook, str]:
    """A new webhook and its secret, inside the caller's transaction; raises Conflict where there are enough.

    It is told what happens from then on.
    """
    await lock(partner_id)
    if (await db.fetch(COUNT, str(partner_id)))[0]["n"] >= MAX_WEBHOOKS:
        raise Conflict("too-many-webhooks", f"A shop has at most {MAX_WEBHOOKS} webhooks: delete one first.")
    id, secret = uuid.uuid4(), new_secret()
    [row] = await db.fetch(ADDED, str(partner_id), str(id), url, _sealed(keys, id, [Secret(secret)]), now_ms)
    return opened(keys, row), secret


async def rotate(keys: KeyRing, partner_id: uuid.UUID, webhook_id: uuid.UUID, now_ms: int) -> tuple[Webhook, str]:
    """A new secret for a webhook, inside the caller's transaction: for a day the older one signs, too. Raises
    NotFound."""
    await lock(partner_id)
    webhook = await found(keys, partner_id, webhook_id)
    secret = new_secret()
    older = [one for one in webhook.secrets if one.until_ms is None or one.until_ms > now_ms][1 - MAX_SECRETS :]
    kept = [Secret(one.text, one.until_ms or now_ms + BOTH_SIGN_MS) for one in older]
    await db.fetch(RESEALED, _sealed(keys, webhook.id, [*kept, Secret(secret)]), str(webhook.id))
    return webhook, secret


async def remove(partner_id: uuid.UUID, webhook_id: uuid.UUID) -> None:
    """Remove a webhook and what was on its way there, inside the caller's transaction; raises NotFound."""
    # An event that is recorded at this moment is queued before or not at all.
    await lock(partner_id)
    gone = "DELETE FROM webhook WHERE partner_id = $1 AND id = $2 RETURNING id"
    if not await db.fetch(gone, str(partner_id), str(webhook_id)):
        raise NotFound
    await db.fetch("DELETE FROM delivery WHERE webhook_id = $1", str(webhook_id))


async def found(keys: KeyRing, partner_id: uuid.UUID, webhook_id: uuid.UUID) -> Webhook:
    """A shop's webhook; raises NotFound."""
    for row in await db.fetch(FOUND, str(partner_id), str(webhook_id)):
        return opened(keys, row)
    raise NotFound


async def listed(store: db.Store, keys: KeyRing, partner_id: uuid.UUID) -> list[Webhook]:
    """A shop's webhooks, oldest first."""
    return [opened(keys, row) for row in await store.read(LISTED, str(partner_id))]


REPLAYED = (
    "INSERT INTO delivery (webhook_id, seq, partner_id, state, tries, next_ms) "
    "SELECT {id}, seq, partner_id, 'waiting', 0, 0 FROM event WHERE partner_id = $2 AND seq > $3 "
    "ON CONFLICT (webhook_id, seq) DO UPDATE SET state = 'waiting', tries = 0, next_ms = 0, status = NULL, "
    "detail = NULL RETURNING seq"
)
REVIVED = (
    "UPDATE delivery SET state = 'waiting', tries = 0, next_ms = 0, status = NULL, detail = NULL "
    "WHERE webhook_id = $1 AND state = 'dead' AND seq > $2 RETURNING seq"
)
BACK_ON = "UPDATE webhook SET state = 'on', failing_ms = NULL WHERE id = $1"


async def replay(webhook: Webhook, after: int, *, only_dead: bool) -> int:
    """Queue again what was told after an event's number, or of it what was given up, inside the caller's transaction;
    gives how many. A webhook that was switched off is on again: its shop says that it is there.
    """
    await lock(webhook.partner_id)
    await db.fetch(BACK_ON, str(webhook.id))
    if only_dead:
        return len(await db.fetch(REVIVED, str(webhook.id), after))
    id = "$1" if db.is_sqlite() else "CAST($1 AS uuid)"
    return len(await db.fetch(REPLAYED.format(id=id), str(webhook.id), str(webhook.partner_id), after))


DELIVERIES = (
    "SELECT d.seq, d.state, d.tries, d.next_ms, d.status, d.detail, e.id, e.kind FROM delivery d "
    "JOIN event e ON e.partner_id = d.partner_id AND e.seq = d.seq "
    "WHERE d.webhook_id = $1 AND d.seq > $2{which} ORDER BY d.seq LIMIT $3"
)


async def deliveries(
    store: db.Store, webhook: Webhook, state: DeliveryState | None, after: int, limit: int
) -> Sequence[tuple[int, dict[str, Any]]]:
    """How events are faring on their way to a webhook, each with its number, oldest first."""
    which = " AND d.state = $4" if state else ""
    values = [str(webhook.id), after, limit, *([state] if state else [])]
    return [(row["seq"], _faring(row)) for row in await store.read(DELIVERIES.format(which=which), *values)]


def _faring(row: db.Row) -> dict[str, Any]:
    is_waiting = row["state"] == WAITING
    return {
        "event": str(row["id"]),
        "type": row["kind"],
        "state": row["state"],
        "tries": row["tries"],
        "next_try_at": iso(row["next_ms"]) if is_waiting and row["next_ms"] else None,
        "status": row["status"],
        "detail": row["detail"],
    }


def opened(keys: KeyRing, row: db.Row) -> Webhook:
    """The webhook in a row; raises BoxUnreadable."""
    id = uuid.UUID(str(row["id"]))
    return Webhook(
        id=id,
        partner_id=uuid.UUID(str(row["partner_id"])),
        url=row["url"],
        secrets=msgspec.json.decode(keys.open(bytes(row["box"]), bound(id)), type=list[Secret]),
        state=row["state"],
        made_ms=row["made_ms"],
        failing_ms=row["failing_ms"],
    )


def _sealed(keys: KeyRing, id: uuid.UUID, kept: Sequence[Secret]) -> bytes:
    return keys.seal(msgspec.json.encode(kept), bound(id))


def bound(id: uuid.UUID) -> bytes:
    return f"webhook/{id}".encode()
