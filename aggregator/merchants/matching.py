"""Names the shop that a typed word or a line on a card means."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from math import exp
from typing import NamedTuple, Protocol

import numpy as np

from aggregator.merchants.candidates import ALSO_CALLED, NAMESAKE, Candidate, Reason
from aggregator.merchants.confidence import UNSURE, Signs, confidence, signs
from aggregator.merchants.names import Mask, Meeting, NameIndex
from aggregator.merchants.normal import fold, latin, other_layout, plain, repairs, script
from aggregator.merchants.words import is_doubtful, says_something

MAX_QUERY = 100
MAX_LAYOUT_WORDS = 5
MAX_LINES = 40
LAYOUT = 0.97
REPAIRED = 0.99
ALIAS = 0.995
FOREIGN = 0.9
PREFIX = 0.92
PREFIX_SHARE = 0.04
INNER_PREFIX = 0.85
OTHER_LETTERS = 0.97
ALIAS_PREFIX = 0.98
# Less than this is no likeness worth showing; how fast confidence falls from the first candidate to the others.
FLOOR = 0.45
FALL = 12.0
# A shop that is not met in the person's country may be meant, but is never filled in.
MOST_ELSEWHERE = 0.8
# Scores nearer than this are as good as equal.
TIE = 0.006


class Named(Protocol):
    """What the matcher needs of a merchant."""

    @property
    def slug(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def aliases(self) -> Sequence[str]: ...

    def applies_to(self, country: str) -> bool: ...
    def name_in(self, country: str | None) -> str: ...


class Printed(NamedTuple):
    """A line of a card's face: how much it counts as a name, 0 to 1, and whether it is of the largest print there."""

    text: str
    factor: float = 1.0
    is_large: bool = False


class Variant(NamedTuple):
    """A way to read the query: `plain` words, what it costs, and why one reads it so."""

    words: str
    factor: float
    reason: str
    is_large: bool = False


def variants(query: str) -> list[Variant]:
    """How a typed query may be read: as a line, and as typed on the other keyboard layout."""
    found = readings_of(query)
    if len(query.split()) <= MAX_LAYOUT_WORDS and (other := other_layout(query)):
        found.insert(1, Variant(plain(other), LAYOUT, "keyboard"))
    return found


class Found(NamedTuple):
    """The best that is known of a merchant so far: how near, why, and which name met which reading of the query."""

    score: float
    reason: str
    row: int
    variant: Variant
    is_here: bool


class Matcher:
    """An index over merchants that any number of threads may read.

    It is built when it is first needed, or by `build`, which takes about a second for the world.
    """

    def __init__(self, entries: Iterable[Named], country: str | None = None) -> None:
        self._entries = list(entries)
        self._country = country
        self._masks: dict[str, Mask] = {}

    def build(self) -> None:
        """Build the index now."""
        _ = self._names

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex((entry.names, entry.aliases) for entry in self._entries)

    def search(self, query: str, limit: int = 8, country: str | None = None) -> list[Candidate]:
        """Merchants for a word being typed, likeliest first: unfinished words count, shops of `country` come first."""
        found = self._found(variants(query[:MAX_QUERY]), country, typing=True)
        return self._candidates(found, limit, country or self._country)

    def match(self, lines: Sequence[Printed], limit: int = 5, country: str | None = None) -> list[Candidate]:
        """Merchants that printed lines may name, likeliest first; a name may run over two lines."""
        found = self._found(readings_of_face(lines), country, typing=False)
        return self._candidates(found, limit, country or self._country)

    def _found(self, asked: Sequence[Variant], country: str | None, typing: bool) -> list[tuple[int, Found]]:
        """Positions of merchants with the best that is known of each, likeliest first."""
        best: dict[int, Found] = {}
        country = country or self._country
        here = self._mask(country) if country else None
        self._look(asked, best, here, True, typing)
        if here is not None and not here.all():
            self._look(asked, best, ~here, False, typing)
        return sorted(best.items(), key=order)

    def _look(
        self, asked: Sequence[Variant], best: dict[int, Found], among: Mask | None, is_here: bool, typing: bool
    ) -> None:
        factor = 1.0 if is_here else FOREIGN
        for variant in asked:
            for row, score in self._near(variant, among):
                keep(best, self._names.owner[row], Found(score * factor, variant.reason, row, variant, is_here))
            for row, score in self._beginning(variant, among) if typing else ():
                keep(best, self._names.owner[row], Found(score * factor, "prefix", row, variant, is_here))

    def _near(self, variant: Variant, among: Mask | None) -> Iterator[tuple[int, float]]:
        rows, closeness = self._names.near(variant.words, among)
        for row, close in zip(rows.tolist(), closeness.tolist(), strict=True):
            yield row, close * variant.factor * (ALIAS if self._names.is_alias[row] else 1)

    def _beginning(self, variant: Variant, among: Mask | None) -> Iterator[tuple[int, float]]:
        key = latin(variant.words).replace(" ", "")
        letters = script(variant.words)
        for row, whole, share in self._names.beginning(key, among) if key else ():
            score = (PREFIX + PREFIX_SHARE * share) * variant.factor * (1 if whole else INNER_PREFIX)
            score *= 1 if self._names.script[row] == letters else OTHER_LETTERS
            yield row, score * (ALIAS_PREFIX if self._names.is_alias[row] else 1)

    def _mask(self, country: str) -> Mask:
        """Which rows are names of merchants that may be met in `country`."""
        if country not in self._masks:
            applies = np.array([entry.applies_to(country) for entry in self._entries], np.bool_)
            self._masks[country] = applies[self._names.owners]
        return self._masks[country]

    def _candidates(self, ranked: Sequence[tuple[int, Found]], limit: int, country: str | None) -> list[Candidate]:
        if not ranked:
            return []
        top = ranked[0][1]
        sure = self._confidence(top, self._gap(ranked))
        namesakes = self._namesakes(ranked, top)
        sound = fold(self._names.key[top.row])
        candidates = []
        for position, found in ranked[:limit]:
            if found.score > FLOOR:
                also = position in namesakes, fold(self._names.key[found.row]) == sound and found is not top
                score = sure * exp(FALL * (found.score - top.score))
                candidates.append(self._candidate(position, found, score, country, *also))
        return candidates

    def _confidence(self, top: Found, gap: float) -> float:
        if says_little(top):
            return UNSURE * top.score
        met = self._names.meeting(top.variant.words, top.row)
        sure = confidence(self._signs(top, met, gap))
        if not top.is_here:
            return min(sure, MOST_ELSEWHERE)
        return min(sure, UNSURE) if may_mean_else(top, met) else sure

    def _signs(self, top: Found, met: Meeting, gap: float) -> Signs:
        return signs(met, gap, top.reason == "keyboard", self._names.is_alias[top.row])

    def first_signs(self, query: str) -> tuple[str, Signs] | None:
        """Slug and signs of what a typed query finds first, to fit the curve to; None where it is never accepted."""
        ranked = self._found(variants(query[:MAX_QUERY]), None, typing=True)
        if not ranked or says_little(ranked[0][1]):
            return None
        position, top = ranked[0]
        met = self._names.meeting(top.variant.words, top.row)
        if may_mean_else(top, met):
            return None
        return self._entries[position].slug, self._signs(top, met, self._gap(ranked))

    def _gap(self, ranked: Sequence[tuple[int, Found]]) -> float:
        """How far the next merchant of another name is behind the first."""
        top = ranked[0][1]
        key = self._names.key[top.row]
        return top.score - next((found.score for _, found in ranked if self._names.key[found.row] != key), 0.0)

    def _namesakes(self, ranked: Sequence[tuple[int, Found]], top: Found) -> set[int]:
        """The first candidates, where several bear the name that was met and nothing puts one before the others.

        Being at home does, and being called so before being called so among other things. A name that is only an alias
        at home is put before nobody: Starbucks is a shop of its own elsewhere.
        """
        sound = fold(self._names.key[top.row])
        is_alias = self._names.is_alias[top.row]
        near = 0.0 if is_alias else top.score - TIE
        found = {
            position
            for position, found in ranked
            if found.score > near
            and (is_alias or not self._names.is_alias[found.row])
            and fold(self._names.key[found.row]) == sound
        }
        return found if len(found) > 1 else set()

    def _candidate(
        self, position: int, found: Found, score: float, country: str | None, is_namesake: bool, is_called_so: bool
    ) -> Candidate:
        entry = self._entries[position]
        more = [
            reason
            for reason, holds in (
                (Reason("large-print"), found.variant.is_large),
                (Reason("elsewhere"), not found.is_here),
                (NAMESAKE, is_namesake),
                (ALSO_CALLED, is_called_so),
            )
            if holds
        ]
        return Candidate(entry.slug, entry.name_in(country), score, (Reason(found.reason), *more))


def readings_of(line: str) -> list[Variant]:
    """How a printed line may be read: as it stands, and with look-alike letters put right."""
    words = plain(line)
    return [Variant(words, 1.0, "name"), *(Variant(text, REPAIRED, "look-alike") for text in repairs(words))]


def readings_of_face(lines: Sequence[Printed]) -> list[Variant]:
    """How a face may be read, line by line and by two lines together; what stands on every card is left out."""
    lines = [line._replace(text=line.text[:MAX_QUERY]) for line in lines[:MAX_LINES] if line.text.strip()]
    pairs = [
        Printed(f"{one.text} {other.text}", min(one.factor, other.factor), one.is_large and other.is_large)
        for one, other in pairwise(lines)
    ]
    return [
        variant._replace(factor=variant.factor * line.factor, is_large=line.is_large)
        for line in [*lines, *pairs]
        for variant in readings_of(line.text)
    ]


def says_little(found: Found) -> bool:
    """Whether it is a word still being typed, or card words alone."""
    return found.reason == "prefix" or not says_something(found.variant.words)


def may_mean_else(found: Found, met: Meeting) -> bool:
    """Whether the words that met the name are more likely no shop's."""
    return is_doubtful(found.variant.words, met.same and met.met == 1)


def order(item: tuple[int, Found]) -> tuple[float, int]:
    return -item[1].score, item[0]


def keep(best: dict[int, Found], position: int, found: Found) -> None:
    known = best.get(position)
    if known is None or found.score > known.score:
        best[position] = found
