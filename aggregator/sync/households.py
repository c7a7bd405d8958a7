"""Households: the second kind of space. A person makes one and lets others in by links; everybody in it has one and the
same cards. Who they are stands in a body of the space under `about`, so that it reaches devices as cards do.
"""

import logging
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from aggregator import db
from aggregator.accounts.exports import Export, File, json_file
from aggregator.accounts.leaving import Afterwards
from aggregator.accounts.sessions import iso, now_ms, token_hash
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.errors import Conflict, Forbidden, NotFound, Problem, Unauthorized
from aggregator.sync.live import Pokes, Stay
from aggregator.sync.log import Change, Need, Staged, bound
from aggregator.sync.models import Entry, Invitation, Member, RestoredSpace, Space
from aggregator.sync.mutators import Prepare, prepared
from aggregator.sync.spaces import EDITOR, HOUSEHOLD, OWNER, PERSON, VIEWER, lock_own, lock_some

ABOUT = "about"
INVITATION_MS = 7 * 86_400_000
MAX_HOUSEHOLDS = 10
MAX_MEMBERS = 20
MAX_INVITATIONS = 20
GUESTS = (EDITOR, VIEWER)
"""What an invitation may let somebody be."""

_log = logging.getLogger("karman.households")

OPEN = "SELECT space_id, id, role, made_by, expires_ms, used_by FROM invitation WHERE token_hash = $1"
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


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody who leaves a household for their own space, which is None when it goes with their account. Who `is_last`
    leaves nobody behind.
    """

    account_id: uuid.UUID
    space_id: uuid.UUID
    home_id: uuid.UUID | None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. Its token is told this once."""

    id: uuid.UUID
    token: str
    expires_ms: int


TakeAlong = Callable[[Change, Departure], Awaitable[None]]
"""Stages what whoever leaves takes along."""

Empty = Callable[[list[uuid.UUID]], Awaitable[Afterwards]]
"""Removes what a package keeps of spaces that nobody is in any more."""


class Households:
    """What people may do with households. Every verb raises NotFound to whoever is not in the household."""

    def __init__(self, keys: KeyRing, pokes: Pokes, take_along: TakeAlong, empty: Empty, prepare: Prepare) -> None:
        self._keys = keys
        self._pokes = pokes
        self._take_along = take_along
        self._empty = empty
        self._prepare = prepare

    async def make(self, account_id: uuid.UUID, name: str, own_name: str) -> uuid.UUID:
        """A new household with its maker as the owner; raises Conflict for one household too many."""
        space_id = uuid.uuid4()
        async with db.transaction():
            await _lock_account(account_id)
            await _require_room_for_one_more(account_id)
            now = now_ms()
            await Space.create(id=space_id, kind=HOUSEHOLD, version=0, floor=0, created_ms=now)
            await _admit(space_id, account_id, OWNER)
            change = self._change(account_id, {space_id: 0})
            _write(change, space_id, About(name, [Inhabitant(account_id, own_name, OWNER, iso(now))]))
            versions = await self._flush(change, joined=(account_id, space_id))
        self._pokes.poke(versions, joined=[(account_id, space_id)])
        return space_id

    async def rename(self, account_id: uuid.UUID, space_id: uuid.UUID, name: str) -> None:
        """Give the household another name; for its owner."""
        async with db.transaction():
            change, about = await self._opened(account_id, space_id)
            _require_owner(about, account_id)
            about.name = name
            _write(change, space_id, about)
            versions = await self._flush(change)
        self._pokes.poke(versions)

    async def invite(self, account_id: uuid.UUID, space_id: uuid.UUID, role: str) -> Invited:
        """An invitation for one; for the owner. Raises Conflict where too many are open."""
        token, id, now = secrets.token_urlsafe(32), uuid.uuid4(), now_ms()
        async with db.transaction():
            _, about = await self._opened(account_id, space_id)
            _require_owner(about, account_id)
            await Invitation.filter(space_id=space_id, expires_ms__lte=now).delete()
            if await Invitation.filter(space_id=space_id, used_by=None).count() >= MAX_INVITATIONS:
                raise Conflict("too-many-invitations", f"At most {MAX_INVITATIONS} invitations may be open at once.")
            row = Invitation(
                space_id=space_id,
                id=id,
                token_hash=token_hash(token),
                role=role,
                made_by=account_id,
                created_ms=now,
                expires_ms=now + INVITATION_MS,
            )
            await Invitation.bulk_create([row])
        return Invited(id, token, now + INVITATION_MS)

    async def invitations(self, account_id: uuid.UUID, space_id: uuid.UUID) -> list[Invitation]:
        """The invitations that still let somebody in, the latest first; for the owner."""
        async with db.transaction():
            _, about = await self._opened(account_id, space_id)
            _require_owner(about, account_id)
            still = Invitation.filter(space_id=space_id, used_by=None, expires_ms__gt=now_ms())
            return await still.order_by("-created_ms")

    async def withdraw(self, account_id: uuid.UUID, space_id: uuid.UUID, id: uuid.UUID) -> None:
        """Let nobody in by this invitation any more; for the owner."""
        async with db.transaction():
            _, about = await self._opened(account_id, space_id)
            _require_owner(about, account_id)
            if not await Invitation.filter(space_id=space_id, id=id, used_by=None).delete():
                raise NotFound

    async def look(self, store: db.Store, token: str) -> dict[str, Any]:
        """What an invitation is to, for whoever holds it; raises NotFound for one that lets nobody in."""
        rows = await store.read(OPEN, token_hash(token))
        if not rows or rows[0]["used_by"] is not None or rows[0]["expires_ms"] <= now_ms():
            raise _gone()
        row, space_id = rows[0], uuid.UUID(str(rows[0]["space_id"]))
        about = await self._read(store, space_id)
        inviter = about.find(uuid.UUID(str(row["made_by"]))) if about else None
        if about is None or inviter is None:
            raise _gone()
        count = "SELECT count(*) FROM entry WHERE space_id = $1 AND key LIKE 'card/%' AND box IS NOT NULL"
        [[cards]] = await store.read(count, str(space_id))
        return {
            "household": about.name,
            "by": inviter.name,
            "role": row["role"],
            "members": len(about.members),
            "cards": cards,
            "expires_at": iso(row["expires_ms"]),
        }

    async def join(self, account_id: uuid.UUID, token: str, own_name: str) -> uuid.UUID:
        """Enter the household of an invitation, which lets nobody else in from then on. Again by the same account it
        changes nothing. Raises NotFound for one that lets nobody in, Conflict for who is in already and where there is
        no room.
        """
        async with db.transaction():
            await _lock_account(account_id)
            space_id, versions = await _lock_invited(token)
            # Only now, since somebody may have used or withdrawn it while this waited.
            invitation = await Invitation.filter(token_hash=token_hash(token), expires_ms__gt=now_ms()).first()
            if invitation is None:
                raise _gone()
            change = self._change(account_id, versions)
            about = await self._about(change, space_id)
            inside = about.find(account_id) is not None
            if invitation.used_by is not None:
                if inside and invitation.used_by == account_id:
                    return space_id
                raise _gone()
            if inside:
                raise Conflict("already-in", "This account is in the household already.")
            if len(about.members) >= MAX_MEMBERS:
                raise Conflict("household-full", f"A household has at most {MAX_MEMBERS} people.")
            await _require_room_for_one_more(account_id)
            await _admit(space_id, account_id, invitation.role)
            await Invitation.filter(space_id=space_id, id=invitation.id).update(used_by=account_id)
            about.members.append(Inhabitant(account_id, own_name, invitation.role, iso(now_ms())))
            _write(change, space_id, about)
            told = await self._flush(change, joined=(account_id, space_id))
        self._pokes.poke(told, joined=[(account_id, space_id)])
        return space_id

    async def set_role(self, account_id: uuid.UUID, space_id: uuid.UUID, who: uuid.UUID, role: str) -> None:
        """Let somebody else edit, only look, or be the owner in one's place; for the owner."""
        async with db.transaction():
            change, about = await self._opened(account_id, space_id)
            _require_owner(about, account_id)
            other = about.find(who)
            if other is None:
                raise NotFound
            if who == account_id:
                raise Conflict("owner-stays", "Hand the household on to somebody else first.")
            roles = {who: role} | ({account_id: EDITOR} if role == OWNER else {})
            await _give_roles(about, space_id, roles)
            _write(change, space_id, about)
            versions = await self._flush(change)
        self._pokes.poke(versions)

    async def remove(self, account_id: uuid.UUID, space_id: uuid.UUID, who: uuid.UUID) -> None:
        """Leave the household, or as its owner remove somebody. Whoever goes gets copies of what they brought."""

        async def attempt(brought: Mapping[Need, Any]) -> Afterwards | None:
            return await self._remove(account_id, space_id, who, brought)

        if (more := await prepared(self._prepare, attempt)) is not None:
            try:
                await more()
            except (Problem, *db.STORE_ERRORS) as error:
                _log.warning("what is left of a household goes with the next tidying: %s", error)

    async def _remove(
        self, account_id: uuid.UUID, space_id: uuid.UUID, who: uuid.UUID, brought: Mapping[Need, Any]
    ) -> Afterwards | None:
        afterwards = None
        async with db.transaction():
            home_id = await _home_from(space_id, who)
            change, about = await self._opened(account_id, space_id, home_id, brought)
            if about.find(who) is None:
                raise NotFound
            if who != account_id:
                _require_owner(about, account_id)
            is_last = len(about.members) == 1
            await self._take_along(change, Departure(who, space_id, home_id, is_last))
            if not is_last:
                await _part(change, about, space_id, who)
            change.keep()
            versions = await change.flush()
            await Member.filter(space_id=space_id, account_id=who).delete()
            if is_last:
                afterwards = await self._empty([space_id])
                await _drop(space_id)
                # So that other devices of theirs ask, and are told that it is gone.
                versions = versions | {space_id: change.spaces[space_id] + 1}
            await self._pokes.announce(versions, parted=[(who, space_id)])
        self._pokes.poke(versions, parted=[(who, space_id)])
        return afterwards

    async def erase(self, account_id: uuid.UUID) -> Afterwards | None:
        """As when the account leaves each of its households, but with nowhere to take anything. What nobody else is in
        is left to the erasers of the packages.
        """
        alone = await lock_own(account_id)
        spaces = [space_id for space_id in await _households_of(account_id) if space_id not in alone]
        change = self._change(account_id, await lock_some(spaces) if spaces else {})
        for space_id in spaces:
            about = await self._about(change, space_id)
            await self._take_along(change, Departure(account_id, space_id, None))
            await _part(change, about, space_id, account_id)
        change.keep()
        versions = await change.flush()
        await Invitation.filter(used_by=account_id).delete()
        parted = [(account_id, space_id) for space_id in spaces]
        await self._pokes.announce(versions, (), parted)

        async def tell() -> None:
            self._pokes.poke(versions, (), parted)

        return tell if versions else None

    async def export(self, asked: Export) -> AsyncIterator[File]:
        """`households.json`."""
        found = []
        for row in await asked.store.read(IN, str(asked.account_id), HOUSEHOLD):
            if (about := await self._read(asked.store, uuid.UUID(str(row[0])))) is not None:
                people = [{"name": one.name, "role": one.role, "joined_at": one.joined_at} for one in about.members]
                found.append({"id": str(row[0]), "name": about.name, "members": people})
        yield json_file("households.json", found)

    async def forget_invitations(self, store: db.Store, now_ms: int) -> None:
        """Those that have expired by now (ms since 1970, UTC)."""
        await Invitation.filter(expires_ms__lte=now_ms).delete()

    def _change(
        self, account_id: uuid.UUID, versions: dict[uuid.UUID, int], brought: Mapping[Need, Any] | None = None
    ) -> Change:
        return Change(self._keys, account_id, now_ms(), versions, prepared=brought or {})

    async def _opened(
        self,
        account_id: uuid.UUID,
        space_id: uuid.UUID,
        other: uuid.UUID | None = None,
        brought: Mapping[Need, Any] | None = None,
    ) -> tuple[Change, About]:
        """The household locked, `other` with it, and what it says of itself; raises NotFound to who is not in it."""
        wanted = [space_id] if other is None else [space_id, other]
        change = self._change(account_id, await lock_some(wanted), brought)
        if space_id not in await _households_of(account_id):
            raise NotFound
        return change, await self._about(change, space_id)

    async def _about(self, change: Change, space_id: uuid.UUID) -> About:
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

    async def _read(self, store: db.Store, space_id: uuid.UUID) -> About | None:
        rows = await store.read("SELECT schema, box FROM entry WHERE space_id = $1 AND key = $2", str(space_id), ABOUT)
        try:
            opened = self._keys.open(bytes(rows[0]["box"]), bound(space_id, ABOUT, rows[0]["schema"])) if rows else None
        except BoxUnreadable:
            opened = None
        return msgspec.json.decode(opened, type=About) if opened is not None else None

    async def _flush(self, change: Change, joined: Stay | None = None) -> dict[uuid.UUID, int]:
        change.keep()
        versions = await change.flush()
        await self._pokes.announce(versions, [joined] if joined else [])
        return versions


def _write(change: Change, space_id: uuid.UUID, about: About) -> None:
    change.put(space_id, ABOUT, Staged(msgspec.to_builtins(about)))


def _require_owner(about: About, account_id: uuid.UUID) -> None:
    found = about.find(account_id)
    if found is None or found.role != OWNER:
        raise Forbidden("owners-only", "Only the household's owner may do this.")


def _gone() -> NotFound:
    return NotFound("invitation-gone", "This invitation was used, withdrawn or has expired.")


async def _lock_account(account_id: uuid.UUID) -> None:
    """The account comes first in every transaction that locks it and its spaces; raises Unauthorized where it was
    deleted a moment ago.
    """
    sql = "SELECT id FROM account WHERE id = $1"
    if not await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", str(account_id)):
        raise Unauthorized("device-revoked", "The account of this device was deleted.")


async def _lock_invited(token: str) -> tuple[uuid.UUID, dict[uuid.UUID, int]]:
    for row in await db.fetch(OPEN, token_hash(token)):
        space_id = uuid.UUID(str(row["space_id"]))
        if versions := await lock_some([space_id]):
            return space_id, versions
    raise _gone()


async def _households_of(account_id: uuid.UUID) -> list[uuid.UUID]:
    return [uuid.UUID(str(row[0])) for row in await db.fetch(IN, str(account_id), HOUSEHOLD)]


async def _require_room_for_one_more(account_id: uuid.UUID) -> None:
    if len(await _households_of(account_id)) >= MAX_HOUSEHOLDS:
        raise Conflict("too-many-households", f"One account may be in at most {MAX_HOUSEHOLDS} households.")


async def _admit(space_id: uuid.UUID, account_id: uuid.UUID, role: str) -> None:
    await Member.bulk_create([Member(space_id=space_id, account_id=account_id, role=role)])


async def _give_roles(about: About, space_id: uuid.UUID, roles: Mapping[uuid.UUID, str]) -> None:
    for one in about.members:
        if one.id in roles:
            one.role = roles[one.id]
            await Member.filter(space_id=space_id, account_id=one.id).update(role=one.role)


async def _part(change: Change, about: About, space_id: uuid.UUID, who: uuid.UUID) -> None:
    """Somebody goes and others stay: an owner's role is handed on, to whoever has been here longest of those who may
    edit, or else of all. Invitations that they made let nobody in any more.
    """
    gone = about.find(who)
    about.members = [one for one in about.members if one.id != who]
    if gone is not None and gone.role == OWNER:
        heir = next((one for one in about.members if one.role == EDITOR), about.members[0])
        await _give_roles(about, space_id, {heir.id: OWNER})
    await Invitation.filter(space_id=space_id, made_by=who).delete()
    _write(change, space_id, about)


async def _home_from(space_id: uuid.UUID, account_id: uuid.UUID) -> uuid.UUID | None:
    """The own space of somebody who is in the household; None of anybody else."""
    sql = (
        "SELECT s.id FROM member h JOIN member m ON m.account_id = h.account_id JOIN space s ON s.id = m.space_id "
        "WHERE h.space_id = $1 AND h.account_id = $2 AND s.kind = $3"
    )
    rows = await db.fetch(sql, str(space_id), str(account_id), PERSON)
    return uuid.UUID(str(rows[0][0])) if rows else None


async def _drop(space_id: uuid.UUID) -> None:
    """Remove what sync keeps of a space that nobody is in any more."""
    for of_space in (Entry, RestoredSpace, Invitation):
        await of_space.filter(space_id=space_id).delete()
    await Space.filter(id=space_id).delete()
