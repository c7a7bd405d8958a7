"""What is over goes: tokens, assertions, rotated secrets, answers kept for repeats, and the log of calls."""

from aggregator import db
from aggregator.partners.request_log import KEPT_MS

EXPIRING = ("partner_token", "partner_secret", "used_assertion", "idempotent_call")
BATCH = 5_000


async def forget_expired(store: db.Store, now_ms: int) -> None:
    """A job: remove every row whose time is over."""
    for table in EXPIRING:
        await _emptied(table, "expires_ms <= $1", now_ms)
    await _emptied("request_note", "at_ms <= $1", now_ms - KEPT_MS)


async def _emptied(table: str, is_over: str, until_ms: int) -> None:
    """In parts, so that no call waits long for the store."""
    row = "rowid" if db.is_sqlite() else "ctid"
    some = f"SELECT {row} FROM {table} WHERE {is_over} LIMIT $2"  # noqa: S608 - constants
    sql = f"DELETE FROM {table} WHERE {row} IN ({some}) RETURNING 1"  # noqa: S608
    while len(await db.fetch(sql, until_ms, BATCH)) == BATCH:
        pass
