"""What sync keeps of an account, shown to its person and removed: spaces, memberships, queues and their receipts."""

import uuid
from collections.abc import AsyncIterator

from aggregator import db
from aggregator.accounts.exports import Export, File, json_file
from aggregator.sync.models import Client, Entry, Member, Receipt, RestoredSpace, Space
from aggregator.sync.spaces import lock_own

SPACES = (
    "SELECT s.id, s.kind, m.role, s.version, s.created_ms FROM member m JOIN space s ON s.id = m.space_id "
    "WHERE m.account_id = $1 ORDER BY s.id"
)
QUEUES = "SELECT id, last_id FROM client WHERE account_id = $1 ORDER BY id"


async def erase(account_id: uuid.UUID) -> None:
    """Remove the account's queues and memberships, and the spaces that nobody else is in with all their rows."""
    spaces = await lock_own(account_id)
    for of_account in (Receipt, Client, Member):
        await of_account.filter(account_id=account_id).delete()
    for of_space in (Entry, RestoredSpace):
        await of_space.filter(space_id__in=spaces).delete()
    await Space.filter(id__in=spaces).delete()


async def export(asked: Export) -> AsyncIterator[File]:
    """`spaces.json` and `queues.json`."""
    spaces = await asked.store.read(SPACES, str(asked.account_id))
    yield json_file("spaces.json", [_space(row) for row in spaces])
    queues = await asked.store.read(QUEUES, str(asked.account_id))
    yield json_file("queues.json", [{"id": str(row["id"]), "last_id": row["last_id"]} for row in queues])


def _space(row: db.Row) -> dict[str, object]:
    return {**{name: row[name] for name in ("kind", "role", "version")}, "id": str(row["id"])}
