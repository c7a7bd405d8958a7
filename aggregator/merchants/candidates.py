"""Merchants that may be meant, why, and what to do with them."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aggregator.merchants.confidence import ACCEPT, ACCEPT_ANYWHERE

# From here on a candidate is worth offering.
SUGGEST = 0.02

Verdict = Literal["accept", "suggest", "unknown"]


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a merchant is a candidate, for the screens to put into words; docs/matching.md lists the codes.

    `value` is the detail that some have: the digits a number begins with, its length, a symbology.
    """

    code: str
    value: str | None = None


NAMESAKE = Reason("namesake")


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


def verdict(candidates: Sequence[Candidate], country: str | None = None) -> Verdict:
    """What to do with candidates: fill the first in, offer up to five, or leave the shop to the person.

    Namesakes are never filled in.
    """
    if not candidates or candidates[0].score < SUGGEST:
        return "unknown"
    accepted = candidates[0].score >= (ACCEPT if country else ACCEPT_ANYWHERE)
    return "accept" if accepted and not candidates[0].is_namesake else "suggest"
