"""A shop's loyalty programme: what it says of itself, which shop it is, and how its numbers are read."""

import secrets
import string
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aggregator import db
from aggregator.accounts.addresses import is_email
from aggregator.crypto import KeyRing
from aggregator.errors import Conflict, FieldError, Invalid
from aggregator.merchants import known as known_patterns
from aggregator.merchants.directory import Directory
from aggregator.merchants.normal import latin, plain
from aggregator.merchants.patterns import Check, Pattern, max_prefix
from aggregator.partners import numbers, outbox
from aggregator.partners.numbers import Form, Source
from aggregator.partners.texts import END, Language, Names, Paragraphs, Sentence, speaks

MAX_OUTLETS = 2_000
MAX_SLUG = 60
SUFFIX = 4
# The symbologies that a payload of this length is nearly always in; of any other length it is Code 128.
FORMATS = {8: "ean_8", 12: "upc_a", 13: "ean_13"}

Policy = Literal["challenge", "code", "open"]
Colour = Annotated[str, Meta(pattern=rf"^#[0-9a-fA-F]{{6}}{END}")]
Site = Annotated[
    str, Meta(pattern=rf"^https://[^\s/?#@:\\<>\"]+(:[0-9]{{1,5}})?([/?#][^\s<>\"]*)?{END}", max_length=300)
]
Phone = Annotated[str, Meta(pattern=rf"^\+[1-9][0-9]{{6,14}}{END}", description="E.164, like +74951234567.")]
Email = Annotated[str, Meta(pattern=rf"^[^@\s\x00-\x20]+@[^@\s\x00-\x20]+\.[^@\s\x00-\x20]+{END}", max_length=254)]
Prefix = Annotated[str, Meta(pattern=rf"^[0-9]{{1,6}}{END}")]
Length = Annotated[int, Meta(ge=1, le=64)]
Currency = Annotated[str, Meta(pattern=rf"^[A-Z]{{3}}{END}", description="ISO 4217, like RUB.")]
Forms = Annotated[
    list[Sentence], Meta(min_length=1, max_length=6, description="For one, few, many: балл, балла, баллов.")
]
Id = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._-]{{1,64}}{END}")]


class Numbering(Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """Which number of a card is meant, and what such numbers look like. `lengths`, `prefixes` and `check` only help to
    tell the shop's cards from others'.
    """

    source: Source = "printed"
    form: Form = "digits"
    lengths: Annotated[list[Length], Meta(max_length=8)] = []
    prefixes: Annotated[list[Prefix], Meta(max_length=20)] = []
    check: Check | None = None


class Unit(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What balances are counted in: points by their names in several languages, or money in its smallest unit."""

    points: Annotated[dict[Language, Forms], Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    money: Currency | UnsetType = UNSET


POINTS = Unit(points={"ru": ["балл", "балла", "баллов"], "en": ["point", "points"]})
EITHER = Meta(extra_json_schema={"oneOf": [{"required": ["points"]}, {"required": ["money"]}]})


class Tier(Struct, frozen=True, forbid_unknown_fields=True):
    """A level of the programme."""

    id: Id
    name: Names


class Outlet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the shop's places. `hours` is plain text, best as OpenStreetMap's `opening_hours`."""

    id: Id
    name: Sentence
    address: Sentence | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    hours: Sentence | None = None


class Programme(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shop says of its programme. The first of `policies` is the one that holders are offered first."""

    name: Names
    about: Paragraphs | None = None
    colour: Colour | None = None
    site: Site | None = None
    phone: Phone | None = None
    email: Email | None = None
    number: Numbering = Numbering()
    unit: Annotated[Unit, EITHER] = POINTS
    tiers: Annotated[list[Tier], Meta(max_length=20)] = []
    policies: Annotated[tuple[Policy, ...], Meta(min_length=1, max_length=3)] = ("challenge",)
    outlets: Annotated[list[Outlet], Meta(max_length=MAX_OUTLETS)] = []


class Claim(Struct, frozen=True):
    """The entry of the directory that a shop says is its own."""

    slug: str
    state: Literal["waiting", "approved"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a programme's numbers are compared. While rows under a former normal form are being rewritten, `was` is that
    form, and look-ups try both.
    """

    partner_id: uuid.UUID
    source: Source
    form: Form
    was: Form | None = None

    def normal(self, text: str) -> str:
        """The number in its normal form; empty where nothing is left of it."""
        return numbers.normal(self.form, text)

    def blinds(self, keys: KeyRing, text: str) -> list[str]:
        """The fingerprints that a number may stand under, the one to write last."""
        forms = [self.was, self.form] if self.was else [self.form]
        return [blind for form in forms for blind in numbers.blinds(keys, self.partner_id, numbers.normal(form, text))]


@dataclass(frozen=True, slots=True)
class Known:
    """A programme as it stands in the store. `policies` are those that may be used."""

    partner_id: uuid.UUID
    programme: Programme
    slug: str | None
    claimed: str | None
    open_allowed: bool
    rule: Rule
    logo_id: uuid.UUID | None
    version: int

    @property
    def policies(self) -> list[Policy]:
        """The ways to link that holders have."""
        return [one for one in self.programme.policies if one != "open" or self.open_allowed]

    @property
    def claim(self) -> Claim | None:
        """The last claim and what came of it."""
        if self.claimed is None:
            return None
        return Claim(self.claimed, "approved" if self.claimed == self.slug else "waiting")


Read = Callable[..., Awaitable[Sequence[db.Row]]]
"""`db.fetch`, or `Store.read`."""

FIELDS = (
    "g.partner_id, g.body, g.slug, g.claimed, g.open_allowed, g.number_from, g.number_form, g.number_was, g.logo_id, "
    "g.version"
)
PUBLIC = "FROM programme g JOIN partner p ON p.id = g.partner_id WHERE p.sandbox = 0 AND p.disabled_ms IS NULL"


async def find(partner_id: uuid.UUID, read: Read = db.fetch) -> Known | None:
    """The shop's programme; None where it has put none. With `Store.read`, outside of any transaction."""
    sql = f"SELECT {FIELDS} FROM programme g WHERE g.partner_id = $1"  # noqa: S608 - constants
    rows = await read(sql, str(partner_id))
    return known_from(rows[0]) if rows else None


async def require(partner_id: uuid.UUID, read: Read = db.fetch) -> Known:
    """As `find`; raises Conflict `no-programme`."""
    found = await find(partner_id, read)
    if found is None:
        raise _none_yet()
    return found


async def rule_of(partner_id: uuid.UUID, read: Read = db.fetch) -> Rule:
    """How the shop's numbers are compared; raises Conflict `no-programme`. Read it anew in every transaction, since a
    shop may change it at any time.
    """
    sql = "SELECT number_from, number_form, number_was FROM programme WHERE partner_id = $1"
    rows = await read(sql, str(partner_id))
    if not rows:
        raise _none_yet()
    return Rule(partner_id, *rows[0])


async def by_slug(slug: str, read: Read = db.fetch) -> Known | None:
    """The approved programme of a shop of the directory; None where there is none, or only a sandbox's."""
    rows = await read(f"SELECT {FIELDS} {PUBLIC} AND g.slug = $1", slug)
    return known_from(rows[0]) if rows else None


def known_from(row: db.Row) -> Known:
    """The programme in a row of FIELDS."""
    partner_id = uuid.UUID(str(row["partner_id"]))
    return Known(
        partner_id=partner_id,
        programme=msgspec.json.decode(row["body"], type=Programme),
        slug=row["slug"],
        claimed=row["claimed"],
        open_allowed=bool(row["open_allowed"]),
        rule=Rule(partner_id, row["number_from"], row["number_form"], row["number_was"]),
        logo_id=uuid.UUID(str(row["logo_id"])) if row["logo_id"] else None,
        version=row["version"],
    )


# ---------------------------------------------------------------- what shops do


async def put(partner_id: uuid.UUID, programme: Programme, directory: Directory, now_ms: int) -> Known:
    """The programme is this one from now on, inside the open transaction; raises Invalid, which names every field."""
    if errors := list(faults(programme)):
        raise Invalid(errors)
    await _write(partner_id, programme, now_ms)
    known = await require(partner_id)
    await _declare(known, directory)
    await outbox.add([outbox.programme_row(partner_id, now_ms)])
    return known


async def _write(partner_id: uuid.UUID, programme: Programme, now_ms: int) -> None:
    numbering = programme.number
    body = msgspec.json.encode(programme).decode()
    partner = "$1" if db.is_sqlite() else "CAST($1 AS uuid)"
    sql = (
        "INSERT INTO programme (partner_id, body, open_allowed, number_from, number_form, version, changed_ms) "  # noqa: S608 - constants
        f"VALUES ({partner}, $2, 0, $3, $4, 1, $5) ON CONFLICT (partner_id) DO UPDATE SET body = excluded.body, "
        "number_was = CASE WHEN programme.number_form = excluded.number_form THEN programme.number_was "
        "ELSE programme.number_form END, number_from = excluded.number_from, number_form = excluded.number_form, "
        "version = programme.version + 1, changed_ms = excluded.changed_ms"
    )
    await db.fetch(sql, str(partner_id), body, numbering.source, numbering.form, now_ms)


def faults(programme: Programme) -> Iterator[FieldError]:
    """What the shape alone does not hold."""
    said = {"/name": programme.name} | ({"/about": programme.about} if programme.about else {})
    said |= {f"/tiers/{place}/name": tier.name for place, tier in enumerate(programme.tiers)}
    yield from (FieldError(where, "Russian or English is needed.") for where, text in said.items() if not speaks(text))
    if (programme.unit.points is UNSET) == (programme.unit.money is UNSET):
        yield FieldError("/unit", "Either points or money is needed.")
    if programme.email is not None and not is_email(programme.email):
        yield FieldError("/email", "This cannot be an address.")
    for where, ids in {
        "/tiers": [one.id for one in programme.tiers],
        "/outlets": [one.id for one in programme.outlets],
    }.items():
        if len(set(ids)) < len(ids):
            yield FieldError(where, "Every id is used once.")


async def claim(partner_id: uuid.UUID, slug: str | None, directory: Directory, now_ms: int) -> Claim:
    """The shop says which entry of the directory it is; None asks for one of its own. Raises Invalid for an entry that
    there is not. Whoever else has claimed it, or has it, makes no difference to the answer.
    """
    known = await require(partner_id)
    if slug is None:
        wanted = _own_entry(known, directory)
    elif directory.get(slug) is not None:
        wanted = directory.latest(slug)
    else:
        raise Invalid([FieldError("/slug", "The directory has no such shop.")])
    await db.fetch("UPDATE programme SET claimed = $1 WHERE partner_id = $2", wanted, str(partner_id))
    await _touch(partner_id, now_ms)
    return Claim(wanted, "approved" if wanted == known.slug else "waiting")


def _own_entry(known: Known, directory: Directory) -> str:
    """The slug of an entry that the directory lacks: once chosen it stays. Random at its end, so that it tells nothing
    of others' and meets none.
    """
    if known.claimed is not None and known.claimed not in directory:
        return known.claimed
    named = known.programme.name
    words = latin(plain(named.get("en") or named["ru"])).replace(" ", "-")[:MAX_SLUG]
    letters = string.ascii_lowercase + string.digits
    return f"p-{words}-{''.join(secrets.choice(letters) for _ in range(SUFFIX))}"


async def _touch(partner_id: uuid.UUID, now_ms: int) -> None:
    """What is shown of the programme has changed."""
    sql = "UPDATE programme SET version = version + 1, changed_ms = $1 WHERE partner_id = $2"
    await db.fetch(sql, now_ms, str(partner_id))
    await outbox.add([outbox.programme_row(partner_id, now_ms)])


async def set_logo(partner_id: uuid.UUID, logo_id: uuid.UUID | None, now_ms: int) -> uuid.UUID | None:
    """The programme has this logo, or none; gives the one before. Raises Conflict `no-programme`."""
    before = (await require(partner_id)).logo_id
    logo = "$1" if db.is_sqlite() else "CAST($1 AS uuid)"
    sql = f"UPDATE programme SET logo_id = {logo} WHERE partner_id = $2"  # noqa: S608 - constants
    await db.fetch(sql, str(logo_id) if logo_id else None, str(partner_id))
    await _touch(partner_id, now_ms)
    return before


# ---------------------------------------------------------------- what the operator does


async def approve(partner_id: uuid.UUID, directory: Directory, now_ms: int) -> str:
    """The shop is what it has claimed to be; gives the slug. Raises Conflict where it has claimed nothing, is a
    sandbox, or another shop has that entry.
    """
    async with db.transaction():
        known = await require(partner_id)
        if known.claimed is None:
            raise Conflict("nothing-claimed", "This shop has claimed no entry of the directory.")
        if await db.fetch("SELECT 1 FROM partner WHERE id = $1 AND sandbox <> 0", str(partner_id)):
            raise Conflict("sandbox", "A sandbox shop is shown to nobody.")
        sql = "SELECT 1 FROM programme WHERE slug = $1 AND partner_id <> $2"
        if await db.fetch(sql, known.claimed, str(partner_id)):
            raise Conflict("slug-taken", "Another shop has this entry.")
        await _withdraw_patterns(known, directory)
        await db.fetch("UPDATE programme SET slug = claimed WHERE partner_id = $1", str(partner_id))
        await _touch(partner_id, now_ms)
        await _declare(await require(partner_id), directory)
    return known.claimed


async def allow_open(partner_id: uuid.UUID, allowed: bool, now_ms: int) -> None:
    """Whether the shop may use policy `open`, where knowing a number is enough; raises Conflict `no-programme`."""
    async with db.transaction():
        await require(partner_id)
        sql = "UPDATE programme SET open_allowed = $1 WHERE partner_id = $2"
        await db.fetch(sql, int(allowed), str(partner_id))
        await _touch(partner_id, now_ms)


async def _declare(known: Known, directory: Directory) -> None:
    """Hand what the shop's numbers look like to the matching, once the shop is approved."""
    if known.slug is not None:
        await known_patterns.declare(known.slug, list(islice(patterns(known), known_patterns.MAX_DECLARED)), directory)


async def _withdraw_patterns(known: Known, directory: Directory) -> None:
    if known.slug is not None:
        await known_patterns.declare(known.slug, [], directory)


def patterns(known: Known) -> Iterator[Pattern]:
    """What the shop says its numbers look like, as far as matching goes into it."""
    numbering = known.programme.number
    for length in sorted(set(numbering.lengths)):
        format = FORMATS.get(length, "code_128") if numbering.source == "payload" else None
        starts = {prefix[: max_prefix(length)] for prefix in numbering.prefixes} or {""}
        for prefix in sorted(starts):
            yield Pattern(known.slug or "", format, length, prefix, numbering.check)


def _none_yet() -> Conflict:
    return Conflict("no-programme", "Put the programme first.")
