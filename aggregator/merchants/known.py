"""The patterns that the store keeps: read for look-ups, declared by shops, withdrawn and reinstated by the operator."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from aggregator import db
from aggregator.codes import FORMATS
from aggregator.errors import FieldError, Invalid
from aggregator.merchants.directory import Directory
from aggregator.merchants.models import PatternRow, WithdrawnPattern
from aggregator.merchants.patterns import CHECKS, Pattern, Patterns, max_prefix

REFRESH_S = 3_600
MAX_DECLARED = 20
MAX_LENGTH = 64
# How the store and the operator write a pattern's format None, and a withdrawal's "whatever the format".
NUMBER, ANY = "number", "any"
PATTERNS_LOCK = 0x6B61726D6170

_log = logging.getLogger("karman.patterns")


def written(format: str | None) -> str:
    """A pattern's format as the store and the operator write it."""
    return format or NUMBER


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Patterns of a shop that must not be used: those whose prefix begins so, of one format and length or of any."""

    slug: str
    format: str = ANY
    length: int = 0
    prefix: str = ""

    def covers(self, pattern: Pattern) -> bool:
        """Whether the pattern must not be used."""
        return (
            self.slug == pattern.slug
            and self.format in {ANY, written(pattern.format)}
            and self.length in {0, pattern.length}
            and pattern.prefix.startswith(self.prefix)
        )

    def includes(self, other: Self) -> bool:
        """Whether everything that the other covers is covered by this one."""
        return (
            self.slug == other.slug
            and self.format in {ANY, other.format}
            and self.length in {0, other.length}
            and other.prefix.startswith(self.prefix)
        )


class KnownPatterns:
    """This process's copy of the patterns; `current` is replaced as a whole."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.current = Patterns()

    async def refresh(self, store: db.Store) -> None:
        """Read them anew."""
        self.current = Patterns(await read(store, self._directory))

    async def tend(self, store: db.Store) -> None:
        """Read them anew every hour until cancelled: another process may have learned, or the operator withdrawn."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.refresh(store)
            except db.STORE_ERRORS as error:
                _log.warning("the patterns stay as they are for now: %s", error)


COLUMNS = "slug, source, format, length, prefix, check_digit, share, accounts"


async def read(store: db.Store, directory: Directory) -> list[Pattern]:
    """The patterns in use, under the slugs that the directory has now."""
    rules = await withdrawals(store, directory)
    found: dict[tuple[object, ...], Pattern] = {}
    # Of two shops that became one since the last count, the larger one speaks for both until the next.
    for row in await store.read(f"SELECT {COLUMNS} FROM pattern ORDER BY accounts"):  # noqa: S608 - a constant
        pattern = _pattern(row, directory)
        if pattern.slug in directory and not any(rule.covers(pattern) for rule in rules):
            found[pattern.slug, pattern.source, pattern.format, pattern.length, pattern.prefix] = pattern
    return list(found.values())


async def withdrawals(store: db.Store, directory: Directory) -> list[Withdrawal]:
    """What must not be used, under the slugs that the directory has now."""
    return [_withdrawal(row, directory) for row in await store.read(RULES)]


async def replace_learned(patterns: Iterable[Pattern], directory: Directory) -> None:
    """The learned patterns are these from now on, all at once; withdrawn ones among them are not written."""
    async with db.transaction():
        await db.lock_alone(PATTERNS_LOCK)
        await PatternRow.filter(source="learned").delete()
        await _write(patterns, directory)


async def declare(slug: str, patterns: Sequence[Pattern], directory: Directory) -> None:
    """The patterns a shop declares are these from now on; none takes them back. Raises Invalid, which names them.

    A declared pattern only orders shops that other evidence names. A withdrawn one is not written.
    """
    if errors := [error for place, pattern in enumerate(patterns) for error in _faults(place, pattern)]:
        raise Invalid(errors)
    own = {(p.format, p.length, p.prefix): replace(p, slug=slug, source="declared", accounts=0) for p in patterns}
    async with db.transaction():
        await db.lock_alone(PATTERNS_LOCK)
        await PatternRow.filter(slug=slug, source="declared").delete()
        await _write(own.values(), directory)


async def withdraw(rule: Withdrawal, directory: Directory) -> int:
    """Patterns of a shop go, and stay away whatever is learned or declared later; tells how many went now."""
    async with db.transaction():
        await db.lock_alone(PATTERNS_LOCK)
        row = WithdrawnPattern(slug=rule.slug, format=rule.format, length=rule.length, prefix=rule.prefix)
        await WithdrawnPattern.bulk_create([row], ignore_conflicts=True)
        rows = await db.fetch(f"SELECT {COLUMNS} FROM pattern")  # noqa: S608 - a constant
        gone = [row for row in rows if rule.covers(_pattern(row, directory))]
        for row in gone:
            key = {name: row[name] for name in ("slug", "source", "format", "length", "prefix")}
            await PatternRow.filter(**key).delete()
    return len(gone)


async def reinstate(rule: Withdrawal, directory: Directory) -> int:
    """Withdrawals that this one includes end; tells how many. What was learned comes back with the next count."""
    async with db.transaction():
        await db.lock_alone(PATTERNS_LOCK)
        ended = [row for row in await db.fetch(RULES) if rule.includes(_withdrawal(row, directory))]
        for row in ended:
            key = {name: row[name] for name in ("slug", "format", "length", "prefix")}
            await WithdrawnPattern.filter(**key).delete()
    return len(ended)


RULES = "SELECT slug, format, length, prefix FROM withdrawn_pattern ORDER BY slug, format, length, prefix"


async def _write(patterns: Iterable[Pattern], directory: Directory) -> None:
    rules = [_withdrawal(row, directory) for row in await db.fetch(RULES)]
    kept = [_row(pattern) for pattern in patterns if not any(rule.covers(pattern) for rule in rules)]
    if kept:
        await PatternRow.bulk_create(kept)


def _faults(place: int, pattern: Pattern) -> Iterator[FieldError]:
    where = f"/patterns/{place}"
    if place >= MAX_DECLARED:
        yield FieldError(where, f"A shop declares at most {MAX_DECLARED}.")
    if pattern.format is not None and pattern.format not in FORMATS:
        yield FieldError(f"{where}/format", f"Known are {', '.join(sorted(FORMATS))}.")
    if not 1 <= pattern.length <= MAX_LENGTH:
        yield FieldError(f"{where}/length", f"A length is from 1 to {MAX_LENGTH}.")
    if not re.fullmatch(rf"[0-9]{{0,{max_prefix(pattern.length)}}}", pattern.prefix):
        yield FieldError(f"{where}/prefix", f"A prefix of such a number has up to {max_prefix(pattern.length)} digits.")
    if pattern.check is not None and pattern.check not in CHECKS:
        yield FieldError(f"{where}/check", f"Known are {', '.join(sorted(CHECKS))}.")
    if not 0 < pattern.share <= 1:
        yield FieldError(f"{where}/share", "A share is above 0 and at most 1.")


def _row(pattern: Pattern) -> PatternRow:
    return PatternRow(
        slug=pattern.slug,
        source=pattern.source,
        format=written(pattern.format),
        length=pattern.length,
        prefix=pattern.prefix,
        check_digit=pattern.check,
        share=pattern.share,
        accounts=pattern.accounts,
    )


def _pattern(row: db.Row, directory: Directory) -> Pattern:
    return Pattern(
        slug=directory.latest(row["slug"]),
        format=None if row["format"] == NUMBER else row["format"],
        length=row["length"],
        prefix=row["prefix"],
        check=row["check_digit"],
        share=row["share"],
        source=row["source"],
        accounts=row["accounts"],
    )


def _withdrawal(row: db.Row, directory: Directory) -> Withdrawal:
    return Withdrawal(directory.latest(row["slug"]), row["format"], row["length"], row["prefix"])
