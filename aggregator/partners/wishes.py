"""What a person wishes of shops' offers: which shops are muted, and whether notices may come. Kept in their own space,
so that every device of theirs has it.
"""

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.errors import Conflict
from aggregator.sync.log import Change, Staged, bound
from aggregator.sync.mutators import Mutator

KEY = "wishes/offers"
# More than there are shops in the fullest wallet.
MAX_MUTED = 2_000

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,79}\Z")]


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `offers.wish`: `muted` is about the shop `slug`, `notices` about all; what is absent stays."""

    space: uuid.UUID
    slug: Slug | None = None
    muted: bool | None = None
    notices: bool | None = None


class Wishes(Struct, frozen=True):
    """The body under `wishes/offers`."""

    muted: tuple[str, ...] = ()
    notices: bool = False


def key(args: Wish) -> str:
    """The key under which the body stands; one a space."""
    return KEY


def wish(change: Change, args: Wish) -> None:
    """Write one wish and leave the others, so that what several devices wish all lasts."""
    if change.is_shared(args.space):
        raise Conflict("own-space-only", "Wishes stand in a person's own space.")
    body = change.get(args.space, KEY) or {}
    written = {**body, "muted": _muted(body, args), "notices": body.get("notices", False)}
    if args.notices is not None:
        written["notices"] = args.notices
    change.put(args.space, KEY, Staged(written))


def _muted(body: dict[str, Any], args: Wish) -> list[str]:
    muted = set(body.get("muted", ()))
    if args.slug is not None and args.muted is not None:
        (muted.add if args.muted else muted.discard)(args.slug)
    if len(muted) > MAX_MUTED:
        raise Conflict("too-many-muted", f"At most {MAX_MUTED} shops can be muted.")
    return sorted(muted)


async def of(keys: KeyRing, account_id: uuid.UUID) -> Wishes:
    """What a person wishes; without a word of theirs, no notices. Raises BoxUnreadable."""
    sql = (
        "SELECT e.space_id, e.schema, e.box FROM entry e JOIN member m ON m.space_id = e.space_id "
        "WHERE m.account_id = $1 AND e.key = $2 AND e.box IS NOT NULL"
    )
    for row in await db.fetch(sql, str(account_id), KEY):
        box = keys.open(bytes(row["box"]), bound(row["space_id"], KEY, row["schema"]))
        return msgspec.json.decode(box, type=Wishes)
    return Wishes()


MUTATORS = (Mutator("offers.wish", Wish, key, wish),)
