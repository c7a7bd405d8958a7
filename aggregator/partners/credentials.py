"""What shops prove themselves with: client secrets, public keys and access tokens. The store knows secrets and tokens
by their SHA-256 alone; they have 256 random bits, so no salt is needed.
"""

import secrets
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from aggregator import db
from aggregator.accounts.sessions import now_ms, token_hash
from aggregator.errors import Unauthorized
from aggregator.partners.api import Caller

SECRET_BYTES = 32
SECRET_MARK, TOKEN_MARK = "kas_", "kat_"
TOKEN_S = 900
ROTATION_MS = 24 * 3_600_000
# A shop that is disabled, or a token that is revoked, is refused by every process after so long.
KNOWN_MS = 3_000
MAX_KNOWN = 10_000

WHO = (
    "SELECT p.id, p.name, p.sandbox, t.scopes, t.expires_ms FROM partner_token t JOIN partner p ON p.id = t.partner_id "
    "WHERE t.token_hash = $1 AND t.expires_ms > $2 AND t.created_ms >= p.tokens_from_ms AND p.disabled_ms IS NULL"
)


def new_secret() -> str:
    """A client secret, to be told once."""
    return SECRET_MARK + secrets.token_urlsafe(SECRET_BYTES)


async def lock(partner_id: uuid.UUID) -> None:
    """Whoever else changes what this shop has, or tells it something, waits for the end of the transaction."""
    sql = "SELECT id FROM partner WHERE id = $1"
    await db.fetch(sql if db.is_sqlite() else f"{sql} FOR NO KEY UPDATE", str(partner_id))


async def add_partner(name: str, is_sandbox: bool) -> tuple[uuid.UUID, str]:
    """A new shop: its id, which is its client id too, and its first secret."""
    partner_id, now = uuid.uuid4(), now_ms()
    sql = (
        "INSERT INTO partner (id, name, sandbox, created_ms, tokens_from_ms, event_seq) "
        "VALUES ($1, $2, $3, $4, $5, 0) RETURNING id"
    )
    async with db.transaction():
        await db.fetch(sql, str(partner_id), name, int(is_sandbox), now, now)
        return partner_id, await add_secret(partner_id, now)


async def add_secret(partner_id: uuid.UUID, now: int) -> str:
    """One more secret, which is good for ever."""
    secret = new_secret()
    sql = "INSERT INTO partner_secret (secret_hash, partner_id, created_ms) VALUES ($1, $2, $3) RETURNING partner_id"
    await db.fetch(sql, token_hash(secret), str(partner_id), now)
    return secret


async def rotate(partner_id: uuid.UUID, now: int) -> tuple[str, int]:
    """A new secret, and until when the older ones stay good (ms), inside the caller's transaction."""
    await lock(partner_id)
    until = now + ROTATION_MS
    sql = (
        "UPDATE partner_secret SET expires_ms = $2 "
        "WHERE partner_id = $1 AND (expires_ms IS NULL OR expires_ms > $2) RETURNING partner_id"
    )
    await db.fetch(sql, str(partner_id), until)
    return await add_secret(partner_id, now), until


async def revoke_others(partner_id: uuid.UUID, now: int) -> None:
    """The newest secret stays good; the others, and every token, are void at once."""
    sql = (
        "DELETE FROM partner_secret WHERE partner_id = $1 AND (expires_ms IS NOT NULL OR created_ms < "
        "(SELECT MAX(created_ms) FROM partner_secret WHERE partner_id = $1)) RETURNING partner_id"
    )
    await db.fetch(sql, str(partner_id))
    await end_tokens(partner_id, now)


async def end_tokens(partner_id: uuid.UUID, now: int) -> None:
    """Every token that was made until now is void, also one that is being made."""
    sql = "UPDATE partner SET tokens_from_ms = $2 WHERE id = $1 RETURNING id"
    await db.fetch(sql, str(partner_id), now + 1)
    await db.fetch("DELETE FROM partner_token WHERE partner_id = $1 RETURNING partner_id", str(partner_id))


async def tokens_from(partner_id: uuid.UUID) -> int | None:
    """Since when tokens of the shop count (ms), None where it is let in no more; whoever would end them waits for the
    end of the transaction.
    """
    sql = "SELECT tokens_from_ms FROM partner WHERE id = $1 AND disabled_ms IS NULL"
    rows = await db.fetch(sql if db.is_sqlite() else f"{sql} FOR SHARE", str(partner_id))
    return int(rows[0]["tokens_from_ms"]) if rows else None


async def set_disabled(partner_id: uuid.UUID, now: int | None) -> None:
    """Since when the shop is let in no more; None lets it in again."""
    async with db.transaction():
        await db.fetch("UPDATE partner SET disabled_ms = $2 WHERE id = $1 RETURNING id", str(partner_id), now)
        if now is not None:
            await end_tokens(partner_id, now)


def new_token() -> str:
    """An access token, which is good once it is kept."""
    return TOKEN_MARK + secrets.token_urlsafe(SECRET_BYTES)


async def keep_token(token: str, partner_id: uuid.UUID, scopes: str, now: int) -> None:
    """The token is good for these scopes (separated by blanks) for as long as tokens are."""
    sql = (
        "INSERT INTO partner_token (token_hash, partner_id, scopes, created_ms, expires_ms) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING partner_id"
    )
    await db.fetch(sql, token_hash(token), str(partner_id), scopes, now, now + TOKEN_S * 1000)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires_ms: int
    until_ms: int


class Tokens:
    """Access tokens. Each process remembers for a few seconds whose they are."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def caller(self, store: db.Store, token: str) -> Caller:
        """Whose token it is; raises Unauthorized."""
        name, now = token_hash(token), now_ms()
        known = self._known.get(name)
        if known is None or now >= min(known.until_ms, known.expires_ms):
            known = await self._look_up(store, name, now)
        return known.caller

    async def _look_up(self, store: db.Store, name: str, now: int) -> _Known:
        self._known.pop(name, None)
        rows = await store.read(WHO, name, now)
        if not rows:
            raise Unauthorized("token-wrong", "The token is unknown, expired or revoked: ask for a new one.")
        known = _Known(_caller(rows[0]), rows[0]["expires_ms"], now + KNOWN_MS)
        self._known[name] = known
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return known

    async def revoke(self, partner_id: uuid.UUID, token: str) -> None:
        """End one token of this shop, if it is one."""
        name = token_hash(token)
        sql = "DELETE FROM partner_token WHERE token_hash = $1 AND partner_id = $2 RETURNING partner_id"
        if await db.fetch(sql, name, str(partner_id)):
            self._known.pop(name, None)

    def forget(self, partner_id: uuid.UUID) -> None:
        """Look up every token of this shop anew."""
        for name in [name for name, known in self._known.items() if known.caller.partner_id == partner_id]:
            del self._known[name]


def _caller(row: Any) -> Caller:
    return Caller(uuid.UUID(str(row["id"])), row["name"], bool(row["sandbox"]), frozenset(row["scopes"].split()))
