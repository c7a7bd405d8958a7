"""Questions with known answers for matchers: read from files, or made from a directory by spoiling its names."""

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aggregator.merchants.directory import Merchant
from aggregator.merchants.normal import latin, other_layout, plain

Entry = dict[str, Any]
# Unfinished words are never accepted, and no text decides these aliases.
NEVER_ACCEPTED = ("prefix", "alias_operator", "alias_x_other")


class Query(NamedTuple):
    """A question.

    answers  ids that are right; none where the directory lacks the shop
    klass    how the text was made
    variant  which directory it is put to: `full`, `primary` without aliases, `loo` without one merchant in ten
    """

    text: str
    answers: frozenset[str]
    klass: str
    variant: str = "full"

    @property
    def may_be_accepted(self) -> bool:
        return not self.klass.startswith(NEVER_ACCEPTED)


class Task(NamedTuple):
    """A directory's entries, the country its people live in (None: the world), and the questions."""

    entries: Sequence[Entry]
    country: str | None
    queries: Sequence[Query]


def index_of(entries: Sequence[Entry], name: str) -> list[Entry]:
    """The entries that a question's `variant` means."""
    if name == "primary":
        return [{**entry, "aliases": []} for entry in entries]
    if name == "loo":
        return [entry for entry in entries if int(hashlib.sha256(f"loo{entry['id']}".encode()).hexdigest(), 16) % 10]
    return list(entries)


def read(directory: Path, queries: Path) -> Task:
    """A directory with `universe` and `entries`, and one query a line: `query`, `expected_ids`, `klass`, `index`."""
    packed = json.loads(directory.read_text("utf-8"))
    rows = (json.loads(line) for line in queries.read_text("utf-8").splitlines())
    asked = [Query(row["query"], frozenset(row["expected_ids"]), row["klass"], row["index"]) for row in rows]
    return Task(packed["entries"], packed["universe"] if len(packed["universe"]) == 2 else None, asked)


# ---------------------------------------------------------------- spoiled names


def made(merchants: Iterable[Merchant], country: str | None, each: int, seed: int = 1) -> Task:
    """`each` questions of every class about names of the directory itself; gentler than what people write."""
    here = [merchant for merchant in merchants if country is None or merchant.applies_to(country)]
    entries = [
        {"id": one.slug, "names": one.names, "aliases": one.aliases, "countries": one.countries, "home": one.home}
        for one in here
    ]
    bearers: dict[str, set[str]] = {}
    for one in here:
        for name in one.names:
            bearers.setdefault(latin(plain(name)), set()).add(one.slug)
    rng = random.Random(seed)
    names = [name for one in here for name in one.names[:1] if len(plain(name)) > 3]
    return Task(entries, country, list(_spoiled(rng, names, bearers, each)))


def _spoiled(rng: random.Random, names: Sequence[str], bearers: Mapping[str, set[str]], each: int) -> Iterator[Query]:
    for klass, spoil in SPOILERS.items():
        for name in rng.sample(names, min(each, len(names))):
            if text := spoil(rng, name):
                yield Query(text, frozenset(bearers[latin(plain(name))]), klass)


def slip(rng: random.Random, name: str) -> str:
    """One letter left out, doubled, or changed places with the next."""
    at = rng.randrange(len(name) - 1)
    head, one, two, tail = name[:at], name[at], name[at + 1], name[at + 2 :]
    return rng.choice([head + two + tail, head + one + one + two + tail, head + two + one + tail])


def card_line(rng: random.Random, name: str) -> str:
    return f"{rng.choice(['бонусная карта', 'club card', 'дисконтная карта'])} {name} № {rng.randrange(10**9)}"


SPOILERS: Mapping[str, Callable[[random.Random, str], str | None]] = {
    "clean": lambda rng, name: name,
    "typo1": slip,
    "typo2": lambda rng, name: slip(rng, slip(rng, name)),
    "layout": lambda rng, name: other_layout(plain(name)),
    "translit": lambda rng, name: latin(plain(name)) if not name.isascii() else None,
    "line": card_line,
    "prefix4": lambda rng, name: name[:4],
}
