"""A write that is sent again under the same key is done once (draft-ietf-httpapi-idempotency-key-header).

a twin in this process is waited for ──▶ BEGIN, take the key ─┬─ new: do it, keep the answer beside the effect, COMMIT
                                                              └─ known: the same answer, or 422 for another call
"""

import asyncio
import hashlib
import re
import uuid
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from starlette.requests import Request

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.errors import BadRequest, Conflict, FieldError, Invalid
from aggregator.partners.api import Endpoint, Reply

KEPT_MS = 24 * 3_600_000
WAIT_S = 10
MAX_KEY, MAX_SORTED = 255, 100_000
# A string of structured fields (RFC 9651, 3.3.3), or the same without quotes.
KEY_PATTERN = rf'^(?:[!#-~][ -~]{{0,{MAX_KEY - 1}}}|"(?:[ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY}}}")$'
REPLAYED = {"Idempotent-Replayed": "true"}

TAKE = (
    "INSERT INTO idempotent_call (partner_id, key, fingerprint, status, body, expires_ms) "
    "VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (partner_id, key) DO UPDATE "
    "SET fingerprint = excluded.fingerprint, status = 0, body = excluded.body, expires_ms = excluded.expires_ms "
    "WHERE idempotent_call.expires_ms <= $6 RETURNING key"
)


@dataclass(frozen=True, slots=True)
class Once:
    """A write of a shop under a key; `key` is kept as a SHA-256."""

    partner_id: uuid.UUID
    key: str
    fingerprint: str

    @property
    def bound(self) -> bytes:
        """What the kept answer is bound to."""
        return f"idempotent/{self.partner_id}/{self.key}".encode()


def asked_key(request: Request, endpoint: Endpoint) -> str | None:
    """The key of a write, quoted (RFC 9651) or bare; raises BadRequest for what is none, or where one is needed."""
    found = request.headers.getlist("idempotency-key")
    if not found:
        if "idempotency-key-needed" in endpoint.problems:
            raise BadRequest("idempotency-key-needed", "Send an Idempotency-Key: the same again would make another.")
        return None
    text = found[0].strip()
    if len(found) > 1 or not re.fullmatch(KEY_PATTERN, text):
        raise BadRequest("idempotency-key-malformed", f"An Idempotency-Key is one string of 1-{MAX_KEY} characters.")
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] == '"' else text


def fingerprint(request: Request, body: bytes, is_json: bool) -> str:
    """SHA-256 of a call, the same whatever the order of members in its JSON. Long ones must come again to the letter,
    since to read one twice would keep everybody else waiting.
    """
    if is_json and len(body) <= MAX_SORTED:
        body = _sorted(body)
    head = f"{request.method}\n{request.url.path}\n{request.url.query}\n"
    return hashlib.sha256(head.encode() + body).hexdigest()


def _sorted(body: bytes) -> bytes:
    """A body with the members of its objects in their order. What cannot be read as it is comes again to the letter:
    rows of a batch are read one by one, later, and some may be no JSON.
    """
    try:
        return msgspec.json.encode(msgspec.json.decode(body), order="sorted")
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return body


def once(partner_id: uuid.UUID, key: str, fingerprint: str) -> Once:
    """A write under a key."""
    return Once(partner_id, hashlib.sha256(key.encode()).hexdigest(), fingerprint)


class Memory:
    """Answers that were given under keys."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._under_way: dict[tuple[uuid.UUID, str], asyncio.Event] = {}

    @asynccontextmanager
    async def alone(self, asked: Once | None) -> AsyncIterator[None]:
        """Inside the block no twin runs in this process; raises Conflict where one takes too long. Twins in other
        processes wait in the store, which costs each a connection.
        """
        if asked is None:
            yield
            return
        name = asked.partner_id, asked.key
        await self._wait(name)
        done = self._under_way[name] = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[name]
            done.set()

    async def _wait(self, name: tuple[uuid.UUID, str]) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                while twin := self._under_way.get(name):
                    await twin.wait()
        except TimeoutError:
            raise Conflict("idempotency-key-in-use", "The same call is still under way.", headers=AGAIN) from None

    async def run(self, asked: Once | None, now: int, work: Callable[[], Awaitable[Reply]]) -> Reply:
        """What `work` gives, or gave; inside the transaction of its effect. Raises Invalid for another call."""
        if asked is None:
            return await work()
        kept = await self._kept(asked, now)
        if kept is not None:
            return kept
        reply = await work()
        # As it will be sent, so that a repeat cannot differ from it.
        reply = replace(reply, body=None if reply.body is None else msgspec.Raw(msgspec.json.encode(reply.body)))
        await self._keep(asked, reply)
        return reply

    async def _kept(self, asked: Once, now: int) -> Reply | None:
        """The answer that was given; None takes the key."""
        names = str(asked.partner_id), asked.key
        if await db.fetch(TAKE, *names, asked.fingerprint, b"", now + KEPT_MS, now):
            return None
        sql = "SELECT fingerprint, status, body FROM idempotent_call WHERE partner_id = $1 AND key = $2"
        [row] = await db.fetch(sql, *names)
        if row["fingerprint"] != asked.fingerprint:
            raise Invalid([FieldError("/idempotency-key", "It stands for another call.")], "idempotency-key-reused")
        return self._opened(asked, row)

    async def _keep(self, asked: Once, reply: Reply) -> None:
        plain = msgspec.json.encode([reply.headers, reply.body])
        box = self._keys.seal(zlib.compress(plain), asked.bound)
        sql = "UPDATE idempotent_call SET status = $3, body = $4 WHERE partner_id = $1 AND key = $2 RETURNING key"
        await db.fetch(sql, str(asked.partner_id), asked.key, reply.status, box)

    def _opened(self, asked: Once, row: Any) -> Reply:
        try:
            plain = zlib.decompress(self._keys.open(bytes(row["body"]), asked.bound))
        except BoxUnreadable:
            raise Conflict("idempotency-key-in-use", "It was done; its answer cannot be read any more.") from None
        headers, body = msgspec.json.decode(plain, type=tuple[dict[str, str], msgspec.Raw])
        return Reply(None if bytes(body) == b"null" else body, row["status"], headers | REPLAYED)


AGAIN = {"Retry-After": "1"}
