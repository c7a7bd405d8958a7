"""Cards as mutators: keep, set, use, bin, restore. Each stages a sparse JSON body or raises the Problem that refuses
it.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from aggregator.catalog.fields import CardFields, check
from aggregator.catalog.models import CardUse, Picture
from aggregator.errors import Conflict, FieldError, Invalid
from aggregator.sync.log import Change, Staged
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


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.keep`."""

    space: uuid.UUID
    id: uuid.UUID
    card: CardFields


class Set(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of `card.set`."""

    space: uuid.UUID
    id: uuid.UUID
    fields: CardFields


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
    if change.get(args.space, key(args)) is not None:
        return
    if not isinstance(args.card.name, str):
        raise Invalid([FieldError("/card/name", "A card needs a name.")])
    check(args.card, "/card")
    _require_pictures(change, args.space, args.card)
    _require_room(change, args.space)
    _stage(change, args, {"created_at": moment(change.now_ms)}, args.card.written())


def set_fields(change: Change, args: Set) -> None:
    """Write single fields, so that two devices' edits of different fields both last."""
    body = _existing(change, args)
    check(args.fields, "/fields")
    _require_pictures(change, args.space, args.fields)
    _stage(change, args, body, args.fields.written())


def use(change: Change, args: Use) -> None:
    """Count a use once. The device's clock may be wrong: a time after the arrival counts as the arrival."""
    body = _existing(change, args)
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
    body = _existing(change, args)
    if "binned_at" not in body:
        _stage(change, args, body, {"binned_at": moment(change.now_ms)})


def restore(change: Change, args: Name) -> None:
    """Take the card out of the bin."""
    body = _existing(change, args)
    if "binned_at" in body:
        _stage(change, args, body, {"binned_at": None})


def _existing(change: Change, args: Args) -> dict[str, Any]:
    body = change.get(args.space, key(args))
    if body is None:
        raise Conflict("card-gone", "There is no such card here any more.")
    return body


def _stage(change: Change, args: Args, body: dict[str, Any], written: dict[str, Any]) -> None:
    merged = {name: value for name, value in (body | written).items() if value is not None}
    staged = Staged(merged, merged.get("merchant"), merged.get("expires_on"), _purge_ms(merged.get("binned_at")))
    change.put(args.space, key(args), staged)


def _purge_ms(binned_at: str | None) -> int | None:
    return round(datetime.fromisoformat(binned_at).timestamp() * 1000) + BIN_MS if binned_at else None


def _require_room(change: Change, space_id: uuid.UUID) -> None:
    counts: Counter[uuid.UUID] = change.facts.setdefault(COUNTS, Counter())
    if counts[space_id] >= MAX_CARDS:
        raise Conflict("space-full", f"A space holds at most {MAX_CARDS} cards, those in the bin included.")
    counts[space_id] += 1


def _require_pictures(change: Change, space_id: uuid.UUID, fields: CardFields) -> None:
    for picture in fields.pictures():
        if (space_id, picture) not in change.facts[PICTURES]:
            raise Stop("picture-missing", "Upload the picture first.", picture=str(picture))


async def load_keep(change: Change, batch: Sequence[Keep]) -> None:
    """What `keep` needs: how many cards the spaces have, and which of the pictures."""
    counts = change.facts.setdefault(COUNTS, Counter())
    for space_id in {args.space for args in batch}:
        counts[space_id] = await Entry.filter(space_id=space_id, box__not_isnull=True).count()
    await load_pictures(change, batch)


async def load_pictures(change: Change, batch: Sequence[Keep | Set]) -> None:
    """Which of the named pictures the spaces have."""
    found = change.facts.setdefault(PICTURES, set())
    wanted: dict[uuid.UUID, set[uuid.UUID]] = {}
    for args in batch:
        fields = args.card if isinstance(args, Keep) else args.fields
        wanted.setdefault(args.space, set()).update(fields.pictures())
    for space_id, pictures in wanted.items():
        if pictures:
            for picture in await Picture.filter(space_id=space_id, id__in=list(pictures)).only("id"):
                found.add((space_id, picture.id))


async def load_uses(change: Change, batch: Sequence[Use]) -> None:
    """Which of the reported uses have been counted before."""
    found = change.facts.setdefault(USES, set())
    for space_id in {args.space for args in batch}:
        uses = [args.use for args in batch if args.space == space_id]
        for known in await CardUse.filter(space_id=space_id, use_id__in=uses).only("card_id", "use_id"):
            found.add((known.card_id, known.use_id))


MUTATORS = (
    Mutator("card.keep", Keep, key, keep, load_keep),
    Mutator("card.set", Set, key, set_fields, load_pictures),
    Mutator("card.use", Use, key, use, load_uses),
    Mutator("card.bin", Name, key, put_in_bin),
    Mutator("card.restore", Name, key, restore),
)
