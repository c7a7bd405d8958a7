"""Spaces: a person's own, made with the account, and households'; and the locks that order all writes to them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from aggregator import db
from aggregator.accounts.sessions import now_ms
from aggregator.sync.models import Member, Space

PERSON, HOUSEHOLD = "person", "household"
OWNER, EDITOR, VIEWER = "owner", "member", "viewer"


@dataclass(frozen=True, slots=True)
class Access:
    """A space as one account meets it: its version, its kind, and the account's role."""

    version: int
    kind: str
    role: str


async def open_home(account_id: uuid.UUID) -> None:
    """The account's own space, made inside the transaction that makes the account."""
    space = await Space.create(id=uuid.uuid4(), kind=PERSON, version=0, floor=0, created_ms=now_ms())
    await Member.bulk_create([Member(space_id=space.id, account_id=account_id, role=OWNER)])


async def home_of(account_id: uuid.UUID) -> uuid.UUID:
    """The id of the account's own space."""
    sql = "SELECT s.id FROM member m JOIN space s ON s.id = m.space_id WHERE m.account_id = $1 AND s.kind = $2"
    [row] = await db.fetch(sql, str(account_id), PERSON)
    return uuid.UUID(str(row[0]))


async def lock(account_id: uuid.UUID) -> dict[uuid.UUID, Access]:
    """Lock all spaces that the account may enter, in id order: what a push names may have moved into any of them."""
    sql = (
        "SELECT s.id, s.version, s.kind, m.role FROM space s JOIN member m ON m.space_id = s.id "
        "WHERE m.account_id = $1 ORDER BY s.id"
    )
    # The memberships, too, or one that ended while this waited for its space would still count.
    rows = await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE OF s FOR SHARE OF m", str(account_id))
    return {uuid.UUID(str(row["id"])): Access(row["version"], row["kind"], row["role"]) for row in rows}


async def lock_some(wanted: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Lock these spaces, whoever may enter them, in id order, and give the versions of those that there are."""
    ids = sorted(str(space_id) for space_id in wanted)
    if not ids:
        return {}
    marks = ", ".join(f"${place}" for place in range(1, len(ids) + 1))
    sql = f"SELECT id, version FROM space WHERE id IN ({marks}) ORDER BY id"  # noqa: S608 - placeholders only
    rows = await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", *ids)
    return {uuid.UUID(str(row["id"])): row["version"] for row in rows}


async def lock_alone(space_id: uuid.UUID) -> int | None:
    """Lock one space, whoever may enter it, and give its version; None where there is none."""
    sql = "SELECT version FROM space WHERE id = $1"
    rows = await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", str(space_id))
    return rows[0]["version"] if rows else None


async def role_in(store: db.Store, account_id: uuid.UUID, space_id: uuid.UUID) -> str | None:
    """What the account may do in the space; None where it may not enter."""
    sql = "SELECT role FROM member WHERE space_id = $1 AND account_id = $2"
    rows = await store.read(sql, str(space_id), str(account_id))
    return str(rows[0][0]) if rows else None


async def lock_own(account_id: uuid.UUID) -> list[uuid.UUID]:
    """Lock the account's queues and spaces until the commit, and give the spaces that nobody else is in.

    In this order, as a push does. Whoever joins a space waits for the lock, so that it stays true.
    """
    lock = "" if db.is_sqlite() else " FOR UPDATE"
    await db.fetch(f"SELECT id FROM client WHERE account_id = $1 ORDER BY id{lock}", str(account_id))  # noqa: S608 - constants
    mine = "SELECT space_id FROM member WHERE account_id = $1"
    await db.fetch(f"SELECT id FROM space WHERE id IN ({mine}) ORDER BY id{lock}", str(account_id))  # noqa: S608 - constants
    sql = (
        f"SELECT space_id FROM member WHERE space_id IN ({mine}) "  # noqa: S608 - constants
        "GROUP BY space_id HAVING count(*) = 1 ORDER BY space_id"
    )
    return [uuid.UUID(str(row[0])) for row in await db.fetch(sql, str(account_id))]
