"""What the numbers of shops look like, as values: how long they are, how they begin, which check digit they pass."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aggregator.codes import gs1_valid, luhn_valid

MAX_PREFIX = 6
# Of every number at least so many digits stay unknown: whoever reads a pattern must not be able to try all cards.
MIN_UNKNOWN = 6

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
        self._counts: dict[tuple[str | None, int], dict[str, dict[str, int]]] = {}
        self._totals: dict[tuple[str, bool], int] = {}
        for pattern in self._all:
            self._by_shop.setdefault(pattern.slug, []).append(pattern)
            self._by_look.setdefault((pattern.format, pattern.length, pattern.prefix), []).append(pattern)
            if pattern.source == "learned" and pattern.share > 0:
                self._count(pattern)

    def _count(self, pattern: Pattern) -> None:
        by_shop = self._counts.setdefault((pattern.format, pattern.length), {})
        by_shop.setdefault(pattern.slug, {})[pattern.prefix] = pattern.accounts
        kind = (pattern.slug, pattern.format is None)
        self._totals[kind] = max(self._totals.get(kind, 0), round(pattern.accounts / pattern.share))

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
        beginnings = [text[:end] for end in range(min(MAX_PREFIX, len(text)), -1, -1)]
        near = (self._by_look.get((format, len(text), beginning), ()) for beginning in beginnings)
        return [pattern for patterns in near for pattern in patterns if pattern.fits(format, text)]

    def background(self, format: str | None, length: int, prefix: str = "") -> float:
        """How many of all shops' counted cards with a code (for None: with a printed number) look so, 0 to 1.

        Digits past the ones that were counted are taken as evenly spread. 0 where nothing like it was counted.
        """
        counted = sum(total for (_, is_printed), total in self._totals.items() if is_printed == (format is None))
        shops = self._counts.get((format, length), {}).values()
        return min(1.0, sum(_mass(prefixes, prefix) for prefixes in shops) / counted) if counted else 0.0


def _order(pattern: Pattern) -> tuple[object, ...]:
    where = (pattern.slug, pattern.format or "", pattern.length, pattern.prefix, pattern.source)
    return -len(pattern.prefix), -pattern.share, *where, pattern.check or "", pattern.accounts


def _mass(prefixes: Mapping[str, int], asked: str) -> float:
    """How many accounts of one shop have a number that begins with `asked`, as far as the counted prefixes tell."""
    if asked in prefixes:
        return prefixes[asked]
    below = _sum_below(prefixes, asked)
    above = max((prefix for prefix in prefixes if asked.startswith(prefix)), key=len, default=None)
    if above is None:
        return below
    others = max(0, prefixes[above] - _sum_below(prefixes, above))
    return below + others / 10.0 ** (len(asked) - len(above))


def _sum_below(prefixes: Mapping[str, int], asked: str) -> int:
    """The accounts of the shortest counted prefixes that are longer than `asked`; those inside another count there."""
    below = [prefix for prefix in prefixes if prefix != asked and prefix.startswith(asked)]
    return sum(prefixes[one] for one in below if not any(one != other and one.startswith(other) for other in below))
