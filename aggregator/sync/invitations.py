"""Invitations into households: links that let one account in each, for a week."""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from aggregator import db
from aggregator.accounts.sessions import iso, now_ms, token_hash
from aggregator.errors import Conflict, NotFound
from aggregator.sync.about import (
    About,
    Inhabitant,
    Ledger,
    admit,
    lock_account,
    require_owner,
    require_room_for_one_more,
    write,
)
from aggregator.sync.live import Pokes
from aggregator.sync.models import Invitation
from aggregator.sync.spaces import lock_some

INVITATION_MS = 7 * 86_400_000
MAX_MEMBERS = 20
MAX_INVITATIONS = 20
OPEN = "SELECT space_id, id, role, made_by, expires_ms, used_by FROM invitation WHERE token_hash = $1"
CARDS = "SELECT count(*) FROM entry WHERE space_id = $1 AND key LIKE 'card/%' AND box IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. Its token is told this once."""

    id: uuid.UUID
    token: str
    expires_ms: int


class Invitations:
    """What owners and their guests do with invitations. Used, withdrawn, expired and made up are answered alike."""

    def __init__(self, ledger: Ledger, pokes: Pokes) -> None:
        self._ledger = ledger
        self._pokes = pokes

    async def invite(self, account_id: uuid.UUID, space_id: uuid.UUID, role: str) -> Invited:
        """An invitation for one; for the owner. Raises Conflict where too many are open."""
        token, id, now = secrets.token_urlsafe(32), uuid.uuid4(), now_ms()
        async with db.transaction():
            await lock_account(account_id)
            _, about = await self._ledger.opened(account_id, space_id)
            require_owner(about, account_id)
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

    async def open(self, account_id: uuid.UUID, space_id: uuid.UUID) -> list[Invitation]:
        """The invitations that still let somebody in, the latest first; for the owner."""
        async with db.transaction():
            _, about = await self._ledger.opened(account_id, space_id)
            require_owner(about, account_id)
            still = Invitation.filter(space_id=space_id, used_by=None, expires_ms__gt=now_ms())
            return await still.order_by("-created_ms")

    async def withdraw(self, account_id: uuid.UUID, space_id: uuid.UUID, id: uuid.UUID) -> None:
        """Let nobody in by this invitation any more; for the owner."""
        async with db.transaction():
            _, about = await self._ledger.opened(account_id, space_id)
            require_owner(about, account_id)
            if not await Invitation.filter(space_id=space_id, id=id, used_by=None).delete():
                raise NotFound

    async def look(self, store: db.Store, token: str) -> dict[str, Any]:
        """What an invitation is to, for whoever holds it; raises NotFound for one that lets nobody in."""
        rows = await store.read(OPEN, token_hash(token))
        if not rows or rows[0]["used_by"] is not None or rows[0]["expires_ms"] <= now_ms():
            raise _gone()
        row, space_id = rows[0], uuid.UUID(str(rows[0]["space_id"]))
        about = await self._ledger.read(store, space_id)
        inviter = about.find(uuid.UUID(str(row["made_by"]))) if about else None
        if about is None or inviter is None:
            raise _gone()
        [[cards]] = await store.read(CARDS, str(space_id))
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
            await lock_account(account_id)
            space_id, versions = await _lock_invited(token)
            # Only now, since somebody may have used or withdrawn it while this waited.
            invitation = await Invitation.filter(token_hash=token_hash(token), expires_ms__gt=now_ms()).first()
            if invitation is None:
                raise _gone()
            change = self._ledger.change(account_id, versions)
            about = await self._ledger.about(change, space_id)
            if invitation.used_by is not None:
                return _again(about, invitation, account_id)
            _require_place(about, account_id)
            await require_room_for_one_more(account_id)
            await admit(space_id, account_id, invitation.role)
            await Invitation.filter(space_id=space_id, id=invitation.id).update(used_by=account_id)
            about.members.append(Inhabitant(account_id, own_name, invitation.role, iso(now_ms())))
            write(change, space_id, about)
            told = await self._ledger.flush(change, joined=(account_id, space_id))
        self._pokes.poke(told, joined=[(account_id, space_id)])
        return space_id

    async def forget(self, store: db.Store, now_ms: int) -> None:
        """Those that have expired by now (ms since 1970, UTC)."""
        await Invitation.filter(expires_ms__lte=now_ms).delete()


def _gone() -> NotFound:
    return NotFound("invitation-gone", "This invitation was used, withdrawn or has expired.")


def _again(about: About, invitation: Invitation, account_id: uuid.UUID) -> uuid.UUID:
    """The household once more for whoever joined by this very invitation: the answer may have been lost."""
    if invitation.used_by == account_id and about.find(account_id) is not None:
        return invitation.space_id
    raise _gone()


def _require_place(about: About, account_id: uuid.UUID) -> None:
    if about.find(account_id) is not None:
        raise Conflict("already-in", "This account is in the household already.")
    if len(about.members) >= MAX_MEMBERS:
        raise Conflict("household-full", f"A household has at most {MAX_MEMBERS} people.")


async def _lock_invited(token: str) -> tuple[uuid.UUID, dict[uuid.UUID, int]]:
    for row in await db.fetch(OPEN, token_hash(token)):
        space_id = uuid.UUID(str(row["space_id"]))
        if versions := await lock_some([space_id]):
            return space_id, versions
    raise _gone()
