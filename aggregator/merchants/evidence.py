"""Names the shop of a card from all that it says: printed lines, number, codes, and the person's country.

Names come from the matcher as confidences; the number then moves each (`numbers`).
"""

from collections.abc import Callable, Sequence
from math import exp, log
from typing import NamedTuple

from aggregator.merchants.candidates import NAMESAKE, SUGGEST, Candidate
from aggregator.merchants.confidence import UNSURE
from aggregator.merchants.directory import Directory
from aggregator.merchants.matching import Matcher, Printed
from aggregator.merchants.numbers import Clue, Weight, clues_of, reasons, weigh
from aggregator.merchants.patterns import Patterns
from aggregator.recognition.reading import Line, Reading

LIMIT = 5
CONSIDERED = 30
# By so much the number of one namesake must be likelier than that of the next to tell them apart.
APART = 1.5
# Shops nobody counted, in shops counted: what a number alone may mean besides.
UNCOUNTED = 5.0
ABROAD = 0.2
# What letters half as tall, or in the lowest third of the face, cost a line.
SMALL = 0.12
LOW = 0.01
LARGER = 1.3


class Evidence:
    """The judge of readings; `patterns` gives the ones known at the moment. Safe to share between threads."""

    def __init__(self, matcher: Matcher, directory: Directory, patterns: Callable[[], Patterns]) -> None:
        self._matcher = matcher
        self._directory = directory
        self._patterns = patterns

    def __call__(self, reading: Reading, country: str | None = None) -> list[Candidate]:
        """Up to five merchants, likeliest first; for someone who lives in `country` (alpha-2, lower case)."""
        patterns, clues = self._patterns(), clues_of(reading)
        # More than are shown: a number may tell a namesake that nothing else puts forward.
        named = self._matcher.match(printed(reading.lines), CONSIDERED, country)
        weighed = told_apart([Weighed(one, weigh(patterns, one.slug, clues)) for one in named])
        known = {one.slug for one in named}
        numbered = [one for one in self._by_number(patterns, clues, country) if one.slug not in known]
        return sorted([*weighed, *numbered], key=lambda one: -one.score)[:LIMIT]

    def _by_number(self, patterns: Patterns, clues: Sequence[Clue], country: str | None) -> list[Candidate]:
        """Shops whose counted numbers look so; declared patterns name nobody, and none is ever sure."""
        weights: dict[str, Weight] = {}
        for slug in {pattern.slug for clue in clues for pattern in patterns.fitting(*clue)}:
            weight = weigh(patterns, slug, clues)
            if weight.log_ratio > 0 and weight.pattern and weight.pattern.source == "learned":
                weights[slug] = weight
        ratios = {slug: exp(weight.log_ratio) * self._nearness(slug, country) for slug, weight in weights.items()}
        everything = sum(ratios.values()) + UNCOUNTED
        found = (self._numbered(slug, UNSURE * ratios[slug] / everything, weights[slug], country) for slug in weights)
        return sorted((one for one in found if one.score > SUGGEST), key=lambda one: (-one.score, one.slug))

    def _nearness(self, slug: str, country: str | None) -> float:
        merchant = self._directory.get(slug)
        return 1.0 if merchant and (country is None or merchant.applies_to(country)) else ABROAD

    def _numbered(self, slug: str, score: float, weight: Weight, country: str | None) -> Candidate:
        merchant = self._directory.get(slug)
        return Candidate(slug, merchant.name_in(country) if merchant else slug, score, reasons(weight))


def printed(lines: Sequence[Line]) -> list[Printed]:
    """Lines as the matcher weighs them: large print, and high on the face, is more likely the shop's name."""
    tallest = max((line.height for line in lines), default=0.0) or 1.0
    middles = [_middle(line) for line in lines]
    low = max(middles, default=0.0) - (max(middles, default=0.0) - min(middles, default=0.0)) / 3
    return [_printed(line, line.height / tallest, low < middle) for line, middle in zip(lines, middles, strict=True)]


def _printed(line: Line, size: float, is_low: bool) -> Printed:
    return Printed(line.text, 1 - SMALL * (1 - size) - LOW * is_low, size * LARGER >= 1)


def _middle(line: Line) -> float:
    return sum(y for _, y in line.box) / 4


class Weighed(NamedTuple):
    """A candidate by its name, and what its number says."""

    named: Candidate
    weight: Weight

    @property
    def moved(self) -> Candidate:
        """The candidate with both."""
        odds, by_number = _odds(self.named) + self.weight.log_ratio, reasons(self.weight)
        score = 1 / (1 + exp(-odds)) if self.weight.log_ratio else self.named.score
        return Candidate(self.named.slug, self.named.name, score, (*self.named.reasons, *by_number))


def told_apart(weighed: Sequence[Weighed]) -> list[Candidate]:
    """By score, those whose number fits first among equals; a namesake is one no longer where its number stands out."""
    ranked = sorted(weighed, key=lambda one: (-one.moved.score, -len(reasons(one.weight))))
    found = [one.moved for one in ranked]
    same = [one for one in ranked if one.named.is_namesake]
    if same and same[0] is ranked[0] and _stands_out([one.weight for one in same]):
        rest = tuple(reason for reason in found[0].reasons if reason != NAMESAKE)
        found[0] = Candidate(found[0].slug, found[0].name, found[0].score, rest)
    return found


def _stands_out(weights: Sequence[Weight]) -> bool:
    """Whether the first number is one its shop is known by, and far likelier there than with any of the others."""
    first, *others = weights
    is_known = first.pattern is not None and first.pattern.source == "learned"
    return is_known and all(first.log_ratio - other.log_ratio >= APART for other in others) and first.log_ratio > 0


def _odds(one: Candidate) -> float:
    score = min(max(one.score, 1e-6), 1 - 1e-6)
    return log(score / (1 - score))
