"""Matchers to measure: each factory takes directory entries and a country and gives an object with `match`."""

from collections.abc import Sequence
from typing import Any

from aggregator.merchants.directory import Merchant
from aggregator.merchants.matching import Matcher


class Karman:
    """Our matcher behind the interface that evaluations call."""

    def __init__(self, entries: Sequence[dict[str, Any]], country: str | None) -> None:
        self._country = country
        self.matcher = Matcher([merchant(entry) for entry in entries], country)
        self.matcher.build()

    def match(self, query: str, limit: int) -> list[tuple[str, float]]:
        return [(found.slug, found.score) for found in self.matcher.search(query, limit, self._country)]


def merchant(entry: dict[str, Any]) -> Merchant:
    """What the matcher needs of an entry of a directory file: `id`, `names`, `aliases`, `countries`."""
    return Merchant(slug=entry["id"], **{key: tuple(entry.get(key, ())) for key in ("names", "aliases", "countries")})


def karman(entries: Sequence[dict[str, Any]], country: str | None = None) -> Karman:
    """The matcher the service uses."""
    return Karman(entries, country)
