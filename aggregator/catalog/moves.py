"""Cards that change their space: moved by a person, or taken along by whoever leaves a household.

A card goes with its live row, its pictures and its counted uses, under the locks of both spaces and in one transaction.
What it leaves behind names the new space, so that edits that were queued before follow it.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from aggregator import db
from aggregator.catalog.cards import (
    BRINGER,
    MUTATORS,
    PICTURES,
    carries,
    existing,
    find_pictures,
    load_counts,
    require_room,
    staged,
)
from aggregator.crypto import BoxUnreadable
from aggregator.errors import Conflict, Forbidden, NotFound
from aggregator.sync.households import Departure
from aggregator.sync.log import Change, Need, Staged, Unprepared
from aggregator.sync.models import Entry
from aggregator.sync.mutators import Mutator
from aggregator.sync.purge import TOMBSTONE_MS
from aggregator.sync.spaces import OWNER

SIDES = ("front", "back")
USES_KEPT = (
    "INSERT INTO card_use (space_id, card_id, use_id) SELECT {to}, card_id, use_id FROM card_use "
    "WHERE space_id = $2 AND card_id = $3 ON CONFLICT DO NOTHING"
)
USES_LEFT = "DELETE FROM card_use WHERE space_id = $1 AND card_id = $2"

_log = logging.getLogger("karman.moves")


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.move`."""

    space: uuid.UUID
    id: uuid.UUID
    to: uuid.UUID


def key(args: Move) -> str:
    """The key of the card's body, in either space."""
    return f"card/{args.id}"


def move(change: Change, args: Move) -> None:
    """Move the card. One that stands there already stays, so that a repeat is harmless."""
    if args.to not in change.spaces:
        raise NotFound
    body = existing(change, args.space, key(args))
    if args.space == args.to:
        return
    if not change.may_edit(args.to):
        raise Forbidden("view-only", "You may look at the cards there, but not put any in.")
    _require_ones_own(change, args.space, body)
    if change.get(args.to, key(args)) is not None:
        raise Conflict("card-exists", "There is a card with this id already.")
    require_room(change, args.to)
    _bring_pictures(change, args.space, args.to, body)
    change.put(args.to, key(args), staged(body | {BRINGER: _bringer(change, args.to)}))
    change.put(args.space, key(args), _left(change, args.to))
    _bring_live(change, args)
    change.then(partial(_bring_uses, args))


def _require_ones_own(change: Change, space_id: uuid.UUID, body: dict[str, Any]) -> None:
    """Out of a household goes what one has brought, and for the owner also what nobody there has brought."""
    if not change.is_shared(space_id):
        return
    bringer = body.get(BRINGER)
    if bringer != str(change.account_id) and (bringer or change.access[space_id].role != OWNER):
        raise Forbidden("not-yours", "Somebody else has brought this card here. You may keep a copy of it.")


def _bringer(change: Change, space_id: uuid.UUID) -> str | None:
    return str(change.account_id) if change.is_shared(space_id) else None


def _left(change: Change, to: uuid.UUID) -> Staged:
    return Staged(None, purge_ms=change.now_ms + TOMBSTONE_MS, moved_to=to)


def _bring_live(change: Change, args: Move) -> None:
    """What a shop sends for the card stands beside it."""
    live = f"live/{args.id}"
    if (body := change.get(args.space, live)) is not None:
        change.put(args.to, live, Staged(body))
        change.put(args.space, live, _left(change, args.to))


async def _bring_uses(args: Move) -> None:
    to = "$1" if db.is_sqlite() else "CAST($1 AS uuid)"
    await db.fetch(USES_KEPT.format(to=to), str(args.to), str(args.space), str(args.id))
    await db.fetch(USES_LEFT, str(args.space), str(args.id))


def pictures_of(body: dict[str, Any]) -> list[uuid.UUID]:
    """The pictures that a card's body names."""
    return [uuid.UUID(body[side]) for side in SIDES if side in body]


def _bring_pictures(change: Change, source: uuid.UUID, target: uuid.UUID, body: dict[str, Any]) -> None:
    """Raises Unprepared with all that lack. A picture whose bytes are lost holds nothing up."""
    missing = [picture for picture in pictures_of(body) if (target, picture) not in change.facts[PICTURES]]
    _attempt(partial(carries, change, source, target, picture) for picture in missing)


def _attempt(works: Iterable[Callable[[], object]]) -> None:
    """Do all of them; raises Unprepared with everything that any of them lacks."""
    lacking: set[Need] = set()
    for work in works:
        try:
            work()
        except Unprepared as found:
            lacking |= found.needs
    if lacking:
        raise Unprepared(lacking)


async def load_moves(change: Change, batch: Sequence[Move]) -> None:
    """What `move` needs: live rows, how many cards the new spaces have, and which of the cards' pictures."""
    targets = {args.to for args in batch} & change.spaces.keys()
    await load_counts(change, targets)
    await change.load((space_id, f"live/{args.id}") for args in batch for space_id in (args.space, args.to))
    wanted: dict[uuid.UUID, set[uuid.UUID]] = {space_id: set() for space_id in targets}
    for args in batch:
        if args.to in targets and (body := _readable(change, args.space, key(args))):
            wanted[args.to].update(pictures_of(body))
    await find_pictures(change, wanted)


def _readable(change: Change, space_id: uuid.UUID, key: str) -> dict[str, Any] | None:
    try:
        return change.get(space_id, key)
    except BoxUnreadable:
        return None


async def take_along(change: Change, leaving: Departure) -> None:
    """Whoever leaves a household gets copies of the cards they brought in their own space, and the last one of all.
    What stays forgets who brought it. Raises Unprepared until the pictures' bytes have been copied.
    """
    keys = await Entry.filter(space_id=leaving.space_id, key__startswith="card/", box__not_isnull=True).values_list(
        "key", flat=True
    )
    await change.load((leaving.space_id, str(found)) for found in keys)
    bodies = {str(found): _readable(change, leaving.space_id, str(found)) for found in keys}
    mine = {found: body for found, body in bodies.items() if body and _is_taken(leaving, body)}
    if None in bodies.values():
        _log.error("cards of space %s do not open and are not copied", leaving.space_id)
    if leaving.home_id is not None:
        pictures = {picture for body in mine.values() for picture in pictures_of(body)}
        await find_pictures(change, {leaving.home_id: pictures})
    _attempt(partial(_take, change, leaving, found, body) for found, body in mine.items())


def _is_taken(leaving: Departure, body: dict[str, Any]) -> bool:
    return leaving.is_last or body.get(BRINGER) == str(leaving.account_id)


def _take(change: Change, leaving: Departure, found: str, body: dict[str, Any]) -> None:
    bare = body | {BRINGER: None}
    if not leaving.is_last:
        change.put(leaving.space_id, found, staged(bare))
    if leaving.home_id is not None:
        _bring_pictures(change, leaving.space_id, leaving.home_id, body)
        # An id of its own: should they come back, the card and its copy stand side by side.
        change.put(leaving.home_id, f"card/{uuid.uuid4()}", staged(bare))


ALL_MUTATORS = (*MUTATORS, Mutator("card.move", Move, key, move, load_moves, to=lambda args: args.to))
"""Everything that a device may do to a card."""
