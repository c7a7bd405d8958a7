"""A shop's own log of its calls, over the API."""

import uuid
from typing import Annotated

from msgspec import Meta, Struct

from aggregator.accounts.sessions import iso
from aggregator.partners.api import Call, Endpoint, Reply
from aggregator.partners.cursors import AFTER, LIMIT, Cursors, limit_of
from aggregator.partners.request_log import RequestLog

NAME = "requests"


class Asked(Struct, frozen=True):
    """A call: of numbers in paths only the last two characters are kept."""

    id: uuid.UUID
    at: str
    method: str
    path: str
    status: Annotated[int, Meta(ge=100, le=599)]
    code: str | None
    took_ms: int


class AskedPage(Struct, frozen=True):
    """Calls, newest first."""

    items: list[Asked]
    next: str | None


class RequestRoutes:
    """`GET /requests`."""

    def __init__(self, log: RequestLog, cursors: Cursors) -> None:
        self._log = log
        self._cursors = cursors

    def endpoints(self) -> list[Endpoint]:
        """What a shop may ask about its calls."""
        return [
            Endpoint(
                "GET",
                "/requests",
                "Your calls of the last 7 days, newest first",
                self._listed,
                None,
                query=(LIMIT, AFTER),
                answers={200: AskedPage},
            )
        ]

    async def _listed(self, call: Call) -> Reply:
        await self._log.flush()
        limit = limit_of(call)
        before = self._cursors.asked(call, NAME, tuple[int, str]) or (call.now_ms + 1, str(uuid.UUID(int=0)))
        sql = (
            "SELECT id, at_ms, method, path, status, code, took_ms FROM request_note "
            "WHERE partner_id = $1 AND (at_ms, id) < ($2, $3) ORDER BY at_ms DESC, id DESC LIMIT $4"
        )
        rows = await call.store.read(sql, str(call.caller.partner_id), *before, limit + 1)
        items = [
            Asked(
                **{name: row[name] for name in ("id", "method", "path", "status", "code", "took_ms")},
                at=iso(row["at_ms"]),
            )
            for row in rows[:limit]
        ]
        last = [rows[limit - 1]["at_ms"], str(rows[limit - 1]["id"])] if len(rows) > limit else None
        return self._cursors.page(call, NAME, items, last)
