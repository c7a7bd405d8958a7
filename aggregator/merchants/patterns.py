"""What the numbers of shops look like, as values: how long they are, how they begin, which check digit they pass."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aggregator.codes import gs1_valid, luhn_valid

MAX_PREFIX = 6
# Of every number at least so many digits stay unknown: whoever reads a pattern must not be able to try all cards.
MIN_UNKNOWN = 7

Check = Literal["luhn", "gs1"]
Source = Literal["learned", "declared"]
CHECKS: Mapping[Check, Callable[[str], bool]] = {"luhn": luhn_valid, "gs1": gs1_valid}


def max_prefix(digits: int) -> int:
    """How many of a number's first digits a pattern may tell."""
    return max(0, min(MAX_PREFIX, digits - MIN_UNKNOWN))


@dataclass(frozen=True, slots=True)
class Pattern:
    """How numbers of a shop look.

    slug      the shop
    format    the symbology of a code (`codes.FORMATS`); None is the number printed on the card
    length    characters of the text, as `bare` leaves it
    prefix    the 0 to 6 digits it begins with
    check     the check digit it ends with, where nearly all do
    share     how many of the shop's cards with a code (None: with a printed number) look so, 0 to 1
    source    counted on people's cards, or declared by the shop
    accounts  how many people's cards were counted; 0 for a declared one
    """

    slug: str
    format: str | None
    length: int
    prefix: str = ""
    check: Check | None = None
    share: float = 1.0
    source: Source = "learned"
    accounts: int = 0

    def fits(self, format: str | None, text: str) -> bool:
        """Whether a code's text (for None: a printed number) looks so, check digit included."""
        text = bare(format, text)
        alike = (format, len(text)) == (self.format, self.length) and text.startswith(self.prefix)
        return alike and (self.check is None or CHECKS[self.check](text))


def bare(format: str | None, text: str) -> str:
    """The text of a code as it is; a printed number without the blanks and hyphens it is grouped by."""
    return text if format else "".join(text.split()).translate(_HYPHENS)


_HYPHENS = dict.fromkeys(map(ord, "-‐‑‒–—"))


class Patterns:
    """A set of patterns that never changes, for looking up by shop and by number."""

    def __init__(self, patterns: Iterable[Pattern] = ()) -> None:
        self._all = tuple(sorted(set(patterns), key=_order))
        self._by_shop: dict[str, list[Pattern]] = {}
        self._by_look: dict[tuple[str | None, int, str], list[Pattern]] = {}
        for pattern in self._all:
            self._by_shop.setdefault(pattern.slug, []).append(pattern)
            self._by_look.setdefault((pattern.format, pattern.length, pattern.prefix), []).append(pattern)
        self._background = _Background(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Pattern]:
        return iter(self._all)

    def for_shop(self, slug: str) -> tuple[Pattern, ...]:
        """All patterns of a shop, the longest prefix first."""
        return tuple(self._by_shop.get(slug, ()))

    def fitting(self, format: str | None, text: str) -> list[Pattern]:
        """The patterns of all shops that a code's text (for None: a printed number) has, the longest prefix first.

        A shop may be there several times: its longest prefix says most.
        """
        text = bare(format, text)
        right = {None, *(check for check, passes in CHECKS.items() if passes(text))}
        near = (self._by_look.get((format, len(text), beginning), ()) for beginning in reversed(_beginnings(text)))
        return [pattern for patterns in near for pattern in patterns if pattern.check in right]

    def background(self, format: str | None, length: int, prefix: str = "") -> float:
        """How many of all shops' counted cards with a code (for None: with a printed number) look so, 0 to 1.

        Past the longest counted prefix, digits are taken as evenly spread. 0 where nothing like it was counted.
        """
        return self._background.share(format, length, prefix)


class _Background:
    """How many accounts were counted for every look, over all shops."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._totals: dict[bool, int] = {}
        # Accounts at a prefix that no longer counted prefix of their shop explains; and those at or below a prefix.
        self._own: dict[tuple[str | None, int, str], int] = {}
        self._below: dict[tuple[str | None, int, str], int] = {}
        totals: dict[tuple[str, bool], int] = {}
        shops: dict[tuple[str, str | None, int], dict[str, int]] = {}
        for pattern in patterns:
            if pattern.source == "learned" and pattern.share > 0:
                shops.setdefault((pattern.slug, pattern.format, pattern.length), {})[pattern.prefix] = pattern.accounts
                kind = pattern.slug, pattern.format is None
                totals[kind] = max(totals.get(kind, 0), round(pattern.accounts / pattern.share))
        for (_, format, length), prefixes in shops.items():
            self._add(format, length, prefixes)
        for (_, is_printed), total in totals.items():
            self._totals[is_printed] = self._totals.get(is_printed, 0) + total

    def _add(self, format: str | None, length: int, prefixes: Mapping[str, int]) -> None:
        own = dict(prefixes)
        for prefix, accounts in prefixes.items():
            shorter = [one for one in _beginnings(prefix)[:-1] if one in prefixes]
            if shorter:
                own[shorter[-1]] -= accounts
        for prefix, accounts in own.items():
            # Somebody with two cards may be counted under two longer prefixes.
            rest = max(0, accounts)
            self._own[format, length, prefix] = self._own.get((format, length, prefix), 0) + rest
            for one in _beginnings(prefix):
                self._below[format, length, one] = self._below.get((format, length, one), 0) + rest

    def share(self, format: str | None, length: int, prefix: str) -> float:
        total = self._totals.get(format is None, 0)
        found = float(self._below.get((format, length, prefix), 0))
        for one in _beginnings(prefix)[:-1]:
            found += self._own.get((format, length, one), 0) / 10.0 ** (len(prefix) - len(one))
        return min(1.0, found / total) if total else 0.0


def _beginnings(text: str) -> list[str]:
    """What a text may be looked up by, the empty beginning first."""
    return [text[:end] for end in range(min(MAX_PREFIX, len(text)) + 1)]


def _order(pattern: Pattern) -> tuple[object, ...]:
    where = (pattern.slug, pattern.format or "", pattern.length, pattern.prefix, pattern.source)
    return -len(pattern.prefix), -pattern.share, *where, pattern.check or "", pattern.accounts
