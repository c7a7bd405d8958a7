"""What a card's number says about a shop, given what the numbers of shops look like (`patterns`).

It moves a name's confidence as in Bayes' rule: the logarithm of its odds grows by the logarithm of how much likelier
the number is for the shop than for any.
"""

from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

from aggregator.merchants.candidates import Reason
from aggregator.merchants.patterns import Pattern, Patterns
from aggregator.recognition.reading import Reading

# The least and the most that a number may move the logarithm of the odds: a name met in full outweighs either.
AGAINST, FOR = -3.0, 4.0
# How much a number says that is unlike those the shop declares; one that is like them only breaks ties.
UNDECLARED = -1.0
# Half of what is expected of a number anywhere is what was counted, half that one length in ten is as likely and
# digits are even: shops that were counted are few beside those there are.
COUNTED = 0.5
ANY_LENGTH = 0.1
# A check digit fits one number in ten by chance; shops whose numbers never carry it are about as many.
CHECKED = log(1 / 0.55)


class Clue(NamedTuple):
    """A number to weigh: the text of a code of this symbology, or, where `format` is None, the printed one."""

    format: str | None
    text: str


class Weight(NamedTuple):
    """How a number moves a shop: by how much, and which of the shop's patterns it has."""

    log_ratio: float
    pattern: Pattern | None = None


NOTHING = Weight(0.0)


def clues_of(reading: Reading) -> list[Clue]:
    """The numbers of a reading: its likeliest code and the printed number."""
    code, number = reading.best_code, reading.number
    clues = [Clue(code.format, code.text)] if code else []
    return [*clues, Clue(None, number.text)] if number else clues


def weigh(patterns: Patterns, slug: str, clues: Iterable[Clue]) -> Weight:
    """What the numbers say about a shop. Code and printed number are mostly one, so the one that says most counts."""
    weights = [weight for clue in clues if (weight := _weigh(patterns, slug, clue)) is not NOTHING]
    return max(weights, default=NOTHING, key=lambda weight: weight.log_ratio)


def _weigh(patterns: Patterns, slug: str, clue: Clue) -> Weight:
    own = [one for one in patterns.for_shop(slug) if (one.format is None) == (clue.format is None)]
    learned = [one for one in own if one.source == "learned"]
    fitting = next((one for one in learned if one.fits(*clue)), None)
    if fitting:
        return Weight(_log_ratio(patterns, fitting), fitting)
    if learned:
        return Weight(max(AGAINST, log(max(_unseen(learned), 1e-3))))
    declared = next((one for one in own if one.fits(*clue)), None)
    return Weight(0.0, declared) if declared else Weight(UNDECLARED) if own else NOTHING


def _log_ratio(patterns: Patterns, fitting: Pattern) -> float:
    counted = patterns.background(fitting.format, fitting.length, fitting.prefix)
    chance = ANY_LENGTH / 10 ** len(fitting.prefix)
    ratio = log(fitting.share / (COUNTED * counted + (1 - COUNTED) * chance)) + (CHECKED if fitting.check else 0)
    return min(FOR, max(AGAINST, ratio))


def _unseen(learned: Sequence[Pattern]) -> float:
    """How many of a shop's numbers look like none of its patterns; a count of n leaves at least 1 in n + 2 open."""
    outer = [one for one in learned if not any(_holds(other, one) for other in learned)]
    return max(1 - sum(one.share for one in outer), 1 / (max(one.accounts for one in learned) + 2))


def _holds(outer: Pattern, inner: Pattern) -> bool:
    alike = (outer.format, outer.length) == (inner.format, inner.length)
    return alike and outer.prefix != inner.prefix and inner.prefix.startswith(outer.prefix)


def reasons(weight: Weight) -> tuple[Reason, ...]:
    """What of a number speaks for a shop, in the codes that screens know."""
    pattern = weight.pattern
    if pattern is None or (pattern.source == "learned" and weight.log_ratio <= 0):
        return ()
    if pattern.source == "declared":
        return (Reason("pattern"),)
    look = Reason("number-prefix", pattern.prefix) if pattern.prefix else Reason("number-length", str(pattern.length))
    symbology = [Reason("symbology", pattern.format)] if pattern.format else []
    check = [Reason("number-check", pattern.check)] if pattern.check else []
    return (look, *symbology, *check)
