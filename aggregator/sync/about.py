"""What a household says of itself: its name and its people, in a body of its space under `about`, which reaches devices
as cards do. Whatever is done to a household is done under its lock, by one unit of work.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from aggregator import db
from aggregator.accounts.sessions import iso, now_ms
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.errors import Conflict, Forbidden, NotFound, Unauthorized
from aggregator.sync.live import Pokes, Stay
from aggregator.sync.log import Change, Need, Staged, bound
from aggregator.sync.models import Member
from aggregator.sync.spaces import HOUSEHOLD, OWNER, lock_some

ABOUT = "about"
MAX_HOUSEHOLDS = 10
IN = (
    "SELECT m.space_id FROM member m JOIN space s ON s.id = m.space_id "
    "WHERE m.account_id = $1 AND s.kind = $2 ORDER BY m.space_id"
)


class Inhabitant(msgspec.Struct):
    """Somebody in a household, by the name they gave themselves there."""

    id: uuid.UUID
    name: str
    role: str
    joined_at: str


class About(msgspec.Struct):
    """What a household's own body says; its people in the order in which they came."""

    name: str
    members: list[Inhabitant]

    def find(self, account_id: uuid.UUID) -> Inhabitant | None:
        """The account's entry."""
        return next((one for one in self.members if one.id == account_id), None)


class Ledger:
    """Opens households for changes, and writes them."""

    def __init__(self, keys: KeyRing, pokes: Pokes) -> None:
        self._keys = keys
        self._pokes = pokes

    async def opened(
        self,
        account_id: uuid.UUID,
        space_id: uuid.UUID,
        other: uuid.UUID | None = None,
        brought: Mapping[Need, Any] | None = None,
    ) -> tuple[Change, About]:
        """The household locked, `other` with it, and what it says of itself; raises NotFound to who is not in it."""
        wanted = [space_id] if other is None else [space_id, other]
        change = self.change(account_id, await lock_some(wanted), brought)
        if space_id not in await households_of(account_id):
            raise NotFound
        return change, await self.about(change, space_id)

    async def about(self, change: Change, space_id: uuid.UUID) -> About:
        """What the household says of itself, its roles as they are. One whose body does not open says little."""
        await change.load([(space_id, ABOUT)])
        try:
            about = msgspec.convert(change.get(space_id, ABOUT), About)
        except (BoxUnreadable, msgspec.ValidationError):
            about = About("?", [])
        roles = {row.account_id: row.role for row in await Member.filter(space_id=space_id).order_by("account_id")}
        about.members = [one for one in about.members if one.id in roles]
        missing = roles.keys() - {one.id for one in about.members}
        about.members += [Inhabitant(id, "?", roles[id], iso(change.now_ms)) for id in sorted(missing)]
        for one in about.members:
            one.role = roles[one.id]
        return about

    def change(
        self, account_id: uuid.UUID, versions: dict[uuid.UUID, int], brought: Mapping[Need, Any] | None = None
    ) -> Change:
        """A unit of work over spaces that are locked, at these versions."""
        return Change(self._keys, account_id, now_ms(), versions, prepared=brought or {})

    async def read(self, store: db.Store, space_id: uuid.UUID) -> About | None:
        """As `about`, without a lock; None where the body does not open."""
        rows = await store.read("SELECT schema, box FROM entry WHERE space_id = $1 AND key = $2", str(space_id), ABOUT)
        try:
            opened = self._keys.open(bytes(rows[0]["box"]), bound(space_id, ABOUT, rows[0]["schema"])) if rows else None
        except BoxUnreadable:
            opened = None
        return msgspec.json.decode(opened, type=About) if opened is not None else None

    async def flush(self, change: Change, joined: Stay | None = None) -> dict[uuid.UUID, int]:
        """Write what is staged, tell the other processes, and give the new versions for `Pokes.poke`."""
        change.keep()
        versions = await change.flush()
        await self._pokes.announce(versions, [joined] if joined else [])
        return versions


def write(change: Change, space_id: uuid.UUID, about: About) -> None:
    """Stage what the household says of itself."""
    change.put(space_id, ABOUT, Staged(msgspec.to_builtins(about)))


def require_owner(about: About, account_id: uuid.UUID) -> None:
    """Raises Forbidden."""
    found = about.find(account_id)
    if found is None or found.role != OWNER:
        raise Forbidden("owners-only", "Only the household's owner may do this.")


async def lock_account(account_id: uuid.UUID) -> None:
    """The account comes first in every transaction that locks it and its spaces; raises Unauthorized where it was
    deleted a moment ago.
    """
    sql = "SELECT id FROM account WHERE id = $1"
    if not await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", str(account_id)):
        raise Unauthorized("device-revoked", "The account of this device was deleted.")


async def households_of(account_id: uuid.UUID) -> list[uuid.UUID]:
    """The households that the account is in."""
    return [uuid.UUID(str(row[0])) for row in await db.fetch(IN, str(account_id), HOUSEHOLD)]


async def require_room_for_one_more(account_id: uuid.UUID) -> None:
    """Raises Conflict for an account that is in as many households as one may be."""
    if len(await households_of(account_id)) >= MAX_HOUSEHOLDS:
        raise Conflict("too-many-households", f"One account may be in at most {MAX_HOUSEHOLDS} households.")


async def admit(space_id: uuid.UUID, account_id: uuid.UUID, role: str) -> None:
    """Let the account in."""
    await Member.bulk_create([Member(space_id=space_id, account_id=account_id, role=role)])
