"""Households: the second kind of space. A person makes one and lets others in; everybody in it has one and the same
cards. Whoever goes takes along copies of what they brought.
"""

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aggregator import db
from aggregator.accounts.exports import Export, File, json_file
from aggregator.accounts.leaving import Afterwards
from aggregator.accounts.sessions import iso, now_ms
from aggregator.errors import Conflict, NotFound, Problem
from aggregator.sync.about import (
    IN,
    About,
    Inhabitant,
    Ledger,
    admit,
    households_of,
    lock_account,
    require_owner,
    require_room_for_one_more,
    write,
)
from aggregator.sync.live import Pokes
from aggregator.sync.log import Change, Hook, Need
from aggregator.sync.models import Entry, Invitation, Member, RestoredSpace, Space
from aggregator.sync.mutators import Prepare, prepared
from aggregator.sync.spaces import EDITOR, HOUSEHOLD, OWNER, PERSON, lock_own, lock_some

_log = logging.getLogger("karman.households")


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody who leaves a household for their own space, which is None when it goes with their account. Who `is_last`
    leaves nobody behind.
    """

    account_id: uuid.UUID
    space_id: uuid.UUID
    home_id: uuid.UUID | None
    is_last: bool = False


TakeAlong = Callable[[Change, Departure], Awaitable[None]]
"""Stages what whoever leaves takes along."""

Empty = Callable[[list[uuid.UUID]], Awaitable[Afterwards]]
"""Removes what a package keeps of spaces that nobody is in any more."""


class Households:
    """What people may do with households. Every verb raises NotFound to whoever is not in the household."""

    def __init__(
        self,
        ledger: Ledger,
        pokes: Pokes,
        take_along: TakeAlong,
        empty: Empty,
        prepare: Prepare,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._ledger = ledger
        self._pokes = pokes
        self._take_along = take_along
        self._empty = empty
        self._prepare = prepare
        self._hooks = hooks

    async def make(self, account_id: uuid.UUID, name: str, own_name: str) -> uuid.UUID:
        """A new household with its maker as the owner; raises Conflict for one household too many."""
        space_id = uuid.uuid4()
        async with db.transaction():
            await lock_account(account_id)
            await require_room_for_one_more(account_id)
            now = now_ms()
            await Space.create(id=space_id, kind=HOUSEHOLD, version=0, floor=0, created_ms=now)
            await admit(space_id, account_id, OWNER)
            change = self._ledger.change(account_id, {space_id: 0})
            write(change, space_id, About(name, [Inhabitant(account_id, own_name, OWNER, iso(now))]))
            versions = await self._ledger.flush(change, joined=(account_id, space_id))
        self._pokes.poke(versions, joined=[(account_id, space_id)])
        return space_id

    async def rename(self, account_id: uuid.UUID, space_id: uuid.UUID, name: str) -> None:
        """Give the household another name; for its owner."""
        async with db.transaction():
            change, about = await self._ledger.opened(account_id, space_id)
            require_owner(about, account_id)
            about.name = name
            write(change, space_id, about)
            versions = await self._ledger.flush(change)
        self._pokes.poke(versions)

    async def set_role(self, account_id: uuid.UUID, space_id: uuid.UUID, who: uuid.UUID, role: str) -> None:
        """Let somebody else edit, only look, or be the owner in one's place; for the owner."""
        async with db.transaction():
            change, about = await self._ledger.opened(account_id, space_id)
            require_owner(about, account_id)
            other = about.find(who)
            if other is None:
                raise NotFound
            if who == account_id:
                raise Conflict("owner-stays", "Hand the household on to somebody else first.")
            roles = {who: role} | ({account_id: EDITOR} if role == OWNER else {})
            await _give_roles(about, space_id, roles)
            write(change, space_id, about)
            versions = await self._ledger.flush(change)
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
            change, about = await self._ledger.opened(account_id, space_id, home_id, brought)
            if about.find(who) is None:
                raise NotFound
            if who != account_id:
                require_owner(about, account_id)
            is_last = len(about.members) == 1
            await self._take_along(change, Departure(who, space_id, home_id, is_last))
            if not is_last:
                await _part(change, about, space_id, who)
            change.keep()
            change.parted.append((who, space_id))
            await change.follow(self._hooks)
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
        spaces = [space_id for space_id in await households_of(account_id) if space_id not in alone]
        change = self._ledger.change(account_id, await lock_some(spaces))
        for space_id in spaces:
            about = await self._ledger.about(change, space_id)
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
            if (about := await self._ledger.read(asked.store, uuid.UUID(str(row[0])))) is not None:
                people = [{"name": one.name, "role": one.role, "joined_at": one.joined_at} for one in about.members]
                found.append({"id": str(row[0]), "name": about.name, "members": people})
        yield json_file("households.json", found)


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
    write(change, space_id, about)


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
