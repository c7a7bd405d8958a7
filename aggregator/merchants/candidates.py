"""Merchants that may be meant, why, and what to do with them."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aggregator.merchants.confidence import ACCEPT, ACCEPT_ANYWHERE

# From here on a candidate is worth offering.
SUGGEST = 0.02
# Another shop that is likelier than this is in the way of filling the first one in.
RIVAL = 0.5

Verdict = Literal["accept", "suggest", "unknown"]


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a merchant is a candidate, for the screens to put into words; docs/matching.md lists the codes.

    `value` is the detail that some have: the digits a number begins with, its length, a symbology.
    """

    code: str
    value: str | None = None


NAMESAKE = Reason("namesake")
# It bears the first candidate's name, too, if only among others.
ALSO_CALLED = Reason("alias")


class Candidate(msgspec.Struct, frozen=True):
    """A merchant that may be meant. `score` is 0 to 1, of the first one the share of such answers that are right."""

    slug: str
    name: str
    score: float
    reasons: tuple[Reason, ...] = ()

    @property
    def is_namesake(self) -> bool:
        """Whether nothing tells it from another candidate of the same name."""
        return NAMESAKE in self.reasons

    @property
    def has_the_name(self) -> bool:
        """Whether it bears the name of the first candidate, too, so that it is no other shop on the same face."""
        return self.is_namesake or ALSO_CALLED in self.reasons


def verdict(candidates: Sequence[Candidate], country: str | None = None) -> Verdict:
    """What to do with candidates: fill the first in, offer up to five, or leave the shop to the person.

    A namesake is never filled in, nor one of two shops that a face names alike.
    """
    if not candidates or candidates[0].score < SUGGEST:
        return "unknown"
    rival = max((other.score for other in candidates[1:] if not other.has_the_name), default=0.0)
    accepted = candidates[0].score >= (ACCEPT if country else ACCEPT_ANYWHERE) and rival < RIVAL
    return "accept" if accepted and not candidates[0].is_namesake else "suggest"
