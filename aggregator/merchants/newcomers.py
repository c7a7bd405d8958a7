"""Shops that have come by themselves and that the directory lacks: found by the same search, and in every list."""

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.merchants.candidates import Candidate
from aggregator.merchants.directory import Merchant
from aggregator.merchants.matching import Matcher


@dataclass(frozen=True, eq=False, slots=True)
class Arrived:
    """Newcomers at one time, and the index over them; equal to itself alone, so that a list of them can be kept."""

    merchants: tuple[Merchant, ...]
    matcher: Matcher


class Newcomers:
    """The newcomers that a process knows; `now` is replaced as a whole."""

    def __init__(self) -> None:
        self.now = Arrived((), Matcher(()))

    def replace(self, merchants: Sequence[Merchant]) -> None:
        """These, and no others, from now on."""
        self.now = Arrived(tuple(merchants), Matcher(merchants))

    def among(self, found: Sequence[Candidate], query: str, limit: int, country: str | None) -> list[Candidate]:
        """What a search found, with the newcomers that it means, likeliest first."""
        now = self.now
        if not now.merchants:
            return list(found)
        both = [*found, *now.matcher.search(query, limit, country)]
        return sorted(both, key=lambda candidate: -candidate.score)[:limit]
