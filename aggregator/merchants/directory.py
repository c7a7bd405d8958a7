"""The shops Karman knows: one packed file, read once, never changed while the process lives."""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

EVERYWHERE = "*"
# What nearly everybody carries a card of; the first suggestions of an empty box are taken from these.
_WEEKLY = frozenset(["shop/supermarket", "shop/convenience", "amenity/pharmacy", "amenity/fuel"])
_MONTHLY = frozenset(
    ["shop/electronics", "shop/doityourself", "shop/cosmetics", "shop/chemist", "shop/sports", "shop/clothes"]
)


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """A shop, or several under one name.

    slug        ours, ASCII, never given to another shop
    names       what it calls itself, the main one first; aliases: any other name it is found by
    countries   ISO 3166-1 alpha-2 in lower case; `*` is everywhere, then `-us` excepts
    home        countries its source names one by one: it really trades there
    categories  OpenStreetMap kinds, e.g. `shop/supermarket`
    wikidata    its item id there, if known
    local       what it is called in a country, where that is not names[0]
    fame        how many public channels and languages its source knows; a hint for order, nothing else
    """

    slug: str
    names: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    countries: tuple[str, ...] = (EVERYWHERE,)
    home: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    wikidata: str | None = None
    local: dict[str, str] = {}
    fame: int = 0

    def applies_to(self, country: str) -> bool:
        """Whether it may be met in `country` (alpha-2, lower case)."""
        if EVERYWHERE in self.countries:
            return f"-{country}" not in self.countries
        return country in self.countries

    def name_in(self, country: str | None) -> str:
        """The name to show to somebody who lives there."""
        return self.local.get(country or "", self.names[0])


class _Row(msgspec.Struct, array_like=True, frozen=True):
    """A line of the file, in the order its head calls `fields`; lists of codes are joined by spaces."""

    slug: str
    names: tuple[str, ...]
    aliases: tuple[str, ...]
    countries: str
    categories: str
    source: str
    home: str
    fame: int
    local: dict[str, str] = {}

    def merchant(self) -> Merchant:
        return Merchant(
            slug=self.slug,
            names=self.names,
            aliases=self.aliases,
            countries=tuple(self.countries.split()),
            home=tuple(self.home.split()),
            categories=tuple(self.categories.split()),
            wikidata=self.source if self.source[:1] == "Q" and self.source[1:].isdigit() else None,
            local={code: name for name, codes in self.local.items() for code in codes.split()},
            fame=self.fame,
        )


class _File(msgspec.Struct):
    source: str
    merged: dict[str, str]
    merchants: list[_Row]


class Directory:
    """Merchants by slug. Slugs that were merged into another still find it."""

    def __init__(self, merchants: Iterable[Merchant], merged: dict[str, str] | None = None, source: str = "") -> None:
        self._by_slug = {merchant.slug: merchant for merchant in merchants}
        self._merged = merged or {}
        self.source = source

    @classmethod
    @cache
    def read(cls) -> "Directory":
        """The packed file, read once; takes some 0.1 s."""
        packed = files("aggregator.merchants").joinpath("data", "directory.json").read_bytes()
        file = msgspec.json.decode(packed, type=_File)
        return cls((row.merchant() for row in file.merchants), file.merged, file.source)

    @property
    def version(self) -> str:
        """Tells one directory from another, e.g. `8.0.20260918-11314`."""
        return f"{self.source.partition(' (')[0].rpartition(' ')[2]}-{len(self)}"

    def __len__(self) -> int:
        return len(self._by_slug)

    def __iter__(self) -> Iterator[Merchant]:
        return iter(self._by_slug.values())

    def get(self, slug: str) -> Merchant | None:
        """The merchant a card names, or None: a card may name one that a later directory dropped."""
        return self._by_slug.get(self.latest(slug))

    def __contains__(self, slug: str) -> bool:
        return slug in self._by_slug

    def latest(self, slug: str) -> str:
        """The slug under which a shop is found now; an unknown one as it is."""
        return self._merged.get(slug, slug)

    def merged_into(self, slugs: Iterable[str]) -> dict[str, str]:
        """Former slugs of these shops, each with the one that it is found under now."""
        wanted = set(slugs)
        return {old: new for old, new in sorted(self._merged.items()) if new in wanted}

    def applicable(self, country: str) -> list[Merchant]:
        """Those that may be met in `country`: the ones that name it first, each part by slug."""
        found = [merchant for merchant in self if merchant.applies_to(country)]
        return sorted(found, key=lambda merchant: (country not in merchant.home, merchant.slug))

    def well_known(self, country: str | None, limit: int) -> list[Merchant]:
        """Shops for every week that trade in `country` (or anywhere, without one), the best known first."""
        home = [merchant for merchant in self if country is None or country in merchant.home]
        return sorted(home, key=lambda merchant: (-_first_glance(merchant), merchant.slug))[:limit]


def _first_glance(merchant: Merchant) -> int:
    weekly, monthly = (not kinds.isdisjoint(merchant.categories) for kinds in (_WEEKLY, _MONTHLY))
    return merchant.fame + (6 if weekly else 2 if monthly else 0)


@lru_cache(maxsize=1)
def directory() -> Directory:
    """The packed directory, read at the first call."""
    return Directory.read()
