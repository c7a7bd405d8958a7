"""Cards as mutators: keep, set, use, bin, restore. Each stages a sparse JSON body or raises the Problem that refuses
it.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from aggregator.catalog.fields import CardFields, check
from aggregator.catalog.models import CardUse, Picture
from aggregator.errors import Conflict, FieldError, Invalid
from aggregator.sync.log import Change, Staged, Unprepared
from aggregator.sync.models import Entry
from aggregator.sync.mutators import Mutator, Stop

# Eight times what the fullest wallet known of holds; a pull of that many stays bearable.
MAX_CARDS = 2_000
# Times from before it come from a device without a clock; far ones cannot even be turned into UTC.
EPOCH = datetime.fromtimestamp(0, UTC)
# A card in the bin waits so long for somebody to want it back.
BIN_MS = 30 * 24 * 3_600_000
COUNTS = "counts"
PICTURES = "pictures"
USES = "uses"
BRINGER = "brought_by"
"""The field that says who brought a card into a household; the server keeps it."""


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.keep`. `base` is the version from which on the card is somebody else's word, for a device that
    tells again what a restore from backup has lost.
    """

    space: uuid.UUID
    id: uuid.UUID
    card: CardFields
    base: int | None = None


class Set(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.set`; `base` as of `Keep`."""

    space: uuid.UUID
    id: uuid.UUID
    fields: CardFields
    base: int | None = None


class Use(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.use`: `use` is new for every use, `at` the device's time with its offset."""

    space: uuid.UUID
    id: uuid.UUID
    use: uuid.UUID
    at: Annotated[datetime, Meta(tz=True)]


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.bin` and `card.restore`."""

    space: uuid.UUID
    id: uuid.UUID


Args = Keep | Set | Use | Name


def key(args: Args) -> str:
    """The key under which a card's body stands in its space."""
    return f"card/{args.id}"


def card_id(key: str) -> uuid.UUID | None:
    """The card under a key; None where the key is of something else."""
    kind, _, id = key.partition("/")
    return uuid.UUID(id) if kind == "card" else None


def moment(when: datetime | int) -> str:
    """A time, or milliseconds since 1970, as ISO 8601 in UTC to the second."""
    if isinstance(when, int):
        when = datetime.fromtimestamp(when / 1000, UTC)
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def keep(change: Change, args: Keep) -> None:
    """Create the card; one that the space has already, in the bin too, stays as it is, so that a repeat is harmless."""
    if (body := change.get(args.space, key(args))) is not None:
        _require_unchanged(change, args, body, args.card.written())
        return
    if not isinstance(args.card.name, str):
        raise Invalid([FieldError("/card/name", "A card needs a name.")])
    check(args.card, "/card")
    _require_pictures(change, args.space, args.card)
    require_room(change, args.space)
    kept = {"created_at": moment(change.now_ms), BRINGER: str(change.account_id)}
    if not change.is_shared(args.space):
        del kept[BRINGER]
    _stage(change, args, kept, args.card.written())


def set_fields(change: Change, args: Set) -> None:
    """Write single fields, so that two devices' edits of different fields both last."""
    body = existing(change, args.space, key(args))
    check(args.fields, "/fields")
    _require_unchanged(change, args, body, args.fields.written())
    _require_pictures(change, args.space, args.fields)
    _stage(change, args, body, args.fields.written())


def use(change: Change, args: Use) -> None:
    """Count a use once. The device's clock may be wrong: a time after the arrival counts as the arrival."""
    body = existing(change, args.space, key(args))
    counted: set[tuple[uuid.UUID, uuid.UUID]] = change.facts[USES]
    if (args.id, args.use) in counted:
        return
    counted.add((args.id, args.use))
    change.add(CardUse(space_id=args.space, card_id=args.id, use_id=args.use))
    used_at = min(max(args.at, EPOCH), datetime.fromtimestamp(change.now_ms / 1000, UTC))
    latest = max(body.get("last_used_at", ""), moment(used_at))
    _stage(change, args, body, {"uses": body.get("uses", 0) + 1, "last_used_at": latest})


def put_in_bin(change: Change, args: Name) -> None:
    """Move the card to the bin; the first time counts."""
    body = existing(change, args.space, key(args))
    if "binned_at" not in body:
        _stage(change, args, body, {"binned_at": moment(change.now_ms)})


def restore(change: Change, args: Name) -> None:
    """Take the card out of the bin."""
    body = existing(change, args.space, key(args))
    if "binned_at" in body:
        _stage(change, args, body, {"binned_at": None})


def existing(change: Change, space_id: uuid.UUID, key: str) -> dict[str, Any]:
    """The card's body; raises Conflict where there is none."""
    body = change.get(space_id, key)
    if body is None:
        raise Conflict("card-gone", "There is no such card here any more.")
    return body


def _require_unchanged(change: Change, args: Keep | Set, body: dict[str, Any], written: dict[str, Any]) -> None:
    """Of several devices that tell again what a restore has lost, one that was away must not undo what another said."""
    if args.base is None or change.version(args.space, key(args)) <= args.base:
        return
    if any(body.get(name) != value for name, value in written.items()):
        raise Conflict("changed-since-restore", "The card was changed since the store was restored from a backup.")


def _stage(change: Change, args: Args, body: dict[str, Any], written: dict[str, Any]) -> None:
    change.put(args.space, key(args), staged(body | written))


def staged(fields: dict[str, Any]) -> Staged:
    """A card's fields as what is written of it; None clears one."""
    body = {name: value for name, value in fields.items() if value is not None}
    return Staged(body, body.get("merchant"), body.get("expires_on"), _purge_ms(body.get("binned_at")))


def _purge_ms(binned_at: str | None) -> int | None:
    return round(datetime.fromisoformat(binned_at).timestamp() * 1000) + BIN_MS if binned_at else None


def require_room(change: Change, space_id: uuid.UUID) -> None:
    """Count one card more in the space; raises Conflict where it is full."""
    counts: Counter[uuid.UUID] = change.facts.setdefault(COUNTS, Counter())
    if counts[space_id] >= MAX_CARDS:
        raise Conflict("space-full", f"A space holds at most {MAX_CARDS} cards, those in the bin included.")
    counts[space_id] += 1


def _require_pictures(change: Change, space_id: uuid.UUID, fields: CardFields) -> None:
    for picture in fields.pictures():
        if not has_picture(change, space_id, picture):
            raise Stop("picture-missing", "Upload the picture first.", picture=str(picture))


def has_picture(change: Change, space_id: uuid.UUID, picture: uuid.UUID) -> bool:
    """Whether the space has the picture, or gets it with this change: a card that was moved leaves its device uploading
    to the space it knew.
    """
    if (space_id, picture) in change.facts[PICTURES]:
        return True
    named = change.named
    return named is not None and named != space_id and carries(change, named, space_id, picture)


def carries(change: Change, source: uuid.UUID, target: uuid.UUID, picture: uuid.UUID) -> bool:
    """Bring a picture from one space into another, and say whether there is one; raises Unprepared until its bytes have
    been copied.
    """
    need = (source, target, picture)
    if need not in change.prepared:
        raise Unprepared([need])
    copied: Picture | None = change.prepared[need]
    if copied is not None:
        change.add(copied)
        change.facts[PICTURES].add((target, picture))
    return copied is not None


async def load_keep(change: Change, batch: Sequence[Keep]) -> None:
    """What `keep` needs: how many cards the spaces have, and which of the pictures."""
    await load_counts(change, {args.space for args in batch})
    await load_pictures(change, batch)


async def load_counts(change: Change, spaces: Iterable[uuid.UUID]) -> None:
    """How many cards the spaces have, those in the bin too."""
    counts = change.facts.setdefault(COUNTS, Counter())
    for space_id in spaces:
        found = Entry.filter(space_id=space_id, key__startswith="card/", box__not_isnull=True)
        counts[space_id] = await found.count()


async def load_pictures(change: Change, batch: Sequence[Keep | Set]) -> None:
    """Which of the named pictures the spaces have."""
    wanted: dict[uuid.UUID, set[uuid.UUID]] = {}
    for args in batch:
        fields = args.card if isinstance(args, Keep) else args.fields
        wanted.setdefault(args.space, set()).update(fields.pictures())
    await find_pictures(change, wanted)


async def find_pictures(change: Change, wanted: Mapping[uuid.UUID, set[uuid.UUID]]) -> None:
    """Note which of the pictures the spaces have."""
    found = change.facts.setdefault(PICTURES, set())
    for space_id, pictures in wanted.items():
        if pictures:
            for picture in await Picture.filter(space_id=space_id, id__in=list(pictures)).only("id"):
                found.add((space_id, picture.id))


async def load_uses(change: Change, batch: Sequence[Use]) -> None:
    """Which of the reported uses have been counted before."""
    found = change.facts.setdefault(USES, set())
    # In all spaces, since this very batch may move the card.
    uses = CardUse.filter(space_id__in=list(change.spaces), use_id__in=[args.use for args in batch])
    for known in await uses.only("card_id", "use_id"):
        found.add((known.card_id, known.use_id))


MUTATORS = (
    Mutator("card.keep", Keep, key, keep, load_keep),
    Mutator("card.set", Set, key, set_fields, load_pictures),
    # Whoever may only look may show the card, too, which is no edit.
    Mutator("card.use", Use, key, use, load_uses, is_edit=False),
    Mutator("card.bin", Name, key, put_in_bin),
    Mutator("card.restore", Name, key, restore),
)
