"""Learns what shops' numbers look like by counting confirmed cards in memory. Numbers are neither written nor logged.

who qualifies (SQL) ──▶ a few shops at a time: open their cards page by page ──▶ what 20 accounts share ──▶ one commit
"""

import asyncio
import logging
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import NamedTuple

import msgspec

from aggregator import db
from aggregator.catalog.cards import moment
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.merchants.directory import Directory
from aggregator.merchants.known import KnownPatterns, replace_learned
from aggregator.merchants.patterns import CHECKS, Check, Pattern, bare, max_prefix
from aggregator.sync.log import bound
from aggregator.sync.spaces import OWNER

# Fewer than so many people may be told apart by what they share; see decisions/0009.
MIN_ACCOUNTS = 20
MIN_AGE_MS = 7 * 86_400_000
# What fewer of a shop's cards show says little of the shop.
MIN_SHARE = 0.05
# A longer prefix, or a check digit, holds for a group when so many of it have it.
NEARLY_ALL = 0.95
# How much more often than by chance a longer prefix must be met to be told beside the shorter one.
TELLING = 2.0
# A family's cards of one shop may begin differently; more is nobody's wallet.
MAX_BEGINNINGS = 3
PAGE_CARDS = 500
# Shops are counted together until they have so many cards, which bounds the memory.
GROUP_CARDS = 100_000
GROUP_SLUGS = 500

_log = logging.getLogger("karman.learning")

# Cards of owners who have been here long enough. SQLite reads cross joins as they are written: cards in the order of
# their key, so that a page begins where the last one ended.
QUALIFYING = """
FROM entry e CROSS JOIN member m CROSS JOIN account a
WHERE m.space_id = e.space_id AND m.role = $1 AND a.id = m.account_id AND a.created_ms <= $2
AND e.box IS NOT NULL AND e.merchant IS NOT NULL AND e.key LIKE 'card/%'
"""
SHOPS = f"SELECT e.merchant, count(*) AS cards, count(DISTINCT a.id) AS accounts {QUALIFYING} GROUP BY e.merchant"
PAGE = f"""
SELECT e.space_id, e.key, e.schema, e.box, e.merchant, a.id AS account {QUALIFYING}
AND (e.space_id, e.key) > ($3, $4) AND e.merchant IN ({{slugs}}) ORDER BY e.space_id, e.key LIMIT {PAGE_CARDS}
"""
START = (str(uuid.UUID(int=0)), "")


class Code(msgspec.Struct, frozen=True):
    """What is counted of a code."""

    format: str
    text: str


class Card(msgspec.Struct, frozen=True):
    """What is counted of a card."""

    created_at: str
    number: str = ""
    codes: tuple[Code, ...] = ()
    binned_at: str | None = None

    def texts(self) -> set[tuple[str | None, str]]:
        """The texts by which a card may be known: of its codes, and for None the printed number."""
        found: set[tuple[str | None, str]] = {(code.format, code.text) for code in self.codes}
        return found | {(None, bare(None, self.number))} - {(None, "")}


class Sight(NamedTuple):
    """One number as it is counted: its first digits, whose it is, and which check digits it has."""

    beginning: str
    account: int
    checks: tuple[Check, ...]


@dataclass(slots=True)
class Tally:
    """What was seen of some shops' numbers: by shop, format and length, and all accounts with such a thing at all."""

    sights: dict[tuple[str, str | None, int], set[Sight]] = field(default_factory=dict)
    accounts: dict[tuple[str, bool], set[int]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, slug: str, account_id: str, card: Card) -> None:
        """Count a card."""
        account = self._numbers.setdefault(account_id, len(self._numbers))
        for format, text in card.texts():
            checks = tuple(name for name, passes in CHECKS.items() if passes(text))
            sight = Sight(beginning(text), account, checks)
            self.sights.setdefault((slug, format, len(text)), set()).add(sight)
            self.accounts.setdefault((slug, format is None), set()).add(account)

    def patterns(self) -> list[Pattern]:
        """What enough accounts share."""
        found = []
        for (slug, format, length), seen in self.sights.items():
            sights = _of_few_beginnings(seen)
            total = len(self.accounts[slug, format is None])
            for prefix, group in telling("", sights, total):
                count = len(_accounts(group))
                found.append(Pattern(slug, format, length, prefix, _check(group), count / total, "learned", count))
        return found


def _of_few_beginnings(sights: Iterable[Sight]) -> list[Sight]:
    """Of each account the numbers of few beginnings: whoever holds a card for every digit could watch which of them a
    stranger's number lifts over the threshold.
    """
    sights = list(sights)
    ways: dict[int, set[str]] = {}
    for sight in sights:
        ways.setdefault(sight.account, set()).add(sight.beginning)
    kept = {account: set(nsmallest(MAX_BEGINNINGS, beginnings)) for account, beginnings in ways.items()}
    return [sight for sight in sights if sight.beginning in kept[sight.account]]


def beginning(text: str) -> str:
    """The leading digits that may be told of a number; at least seven digits of it stay unknown."""
    digits = sum(character in "0123456789" for character in text)
    return _LEADING.match(text[: max_prefix(digits)])[0]  # type: ignore[index]


_LEADING = re.compile("[0-9]*")


def telling(
    prefix: str, sights: Iterable[Sight], total: int, above: tuple[int, int] | None = None
) -> Iterator[tuple[str, list[Sight]]]:
    """The prefixes worth telling from `prefix` on, each with its numbers.

    A longer prefix takes a shorter one's place where nearly all share it, and stands beside it where it is met more
    often than by chance. `above` is the length and the accounts of the nearest shorter prefix that is told.
    """
    group = list(sights)
    count = len(_accounts(group))
    if count < max(MIN_ACCOUNTS, MIN_SHARE * total):
        return
    longer = _by_next_digit(prefix, group)
    is_replaced = any(len(_accounts(part)) >= NEARLY_ALL * count for part in longer.values())
    if not is_replaced and (above is None or count >= TELLING * above[1] / 10 ** (len(prefix) - above[0])):
        yield prefix, group
        above = len(prefix), count
    for part_prefix, part in longer.items():
        yield from telling(part_prefix, part, total, above)


def _by_next_digit(prefix: str, group: Iterable[Sight]) -> dict[str, list[Sight]]:
    parts: dict[str, list[Sight]] = {}
    for sight in group:
        if len(sight.beginning) > len(prefix):
            parts.setdefault(sight.beginning[: len(prefix) + 1], []).append(sight)
    return parts


def _accounts(group: Iterable[Sight]) -> set[int]:
    return {sight.account for sight in group}


def _check(group: Sequence[Sight]) -> Check | None:
    """The check digit that nearly all accounts' numbers have, all of an account's."""
    everybody = _accounts(group)
    passing = {name: len(everybody - {s.account for s in group if name not in s.checks}) for name in CHECKS}
    best = max(passing, key=lambda name: passing[name])
    return best if passing[best] >= max(MIN_ACCOUNTS, NEARLY_ALL * len(everybody)) else None


class Learner:
    """Counts cards and writes what it learned."""

    def __init__(self, keys: KeyRing, directory: Directory, known: KnownPatterns) -> None:
        self._keys = keys
        self._directory = directory
        self._known = known

    async def run(self, store: db.Store, now_ms: int) -> None:
        """Learn everything anew, as of `now_ms` (ms since 1970, UTC); the old patterns stand until the end."""
        born_by = now_ms - MIN_AGE_MS
        rows = await store.read(SHOPS, OWNER, born_by)
        patterns: list[Pattern] = []
        for slugs in groups(rows, self._directory):
            tally = await self._count(store, slugs, born_by)
            patterns += await asyncio.to_thread(tally.patterns)
        await replace_learned(patterns, self._directory)
        await self._known.refresh(store)

    async def _count(self, store: db.Store, slugs: Sequence[str], born_by: int) -> Tally:
        """One walk over all cards that name these slugs."""
        tally, last, unread = Tally(), START, 0
        marks = ", ".join(f"${place}" for place in range(5, len(slugs) + 5))
        while page := await store.read(PAGE.format(slugs=marks), OWNER, born_by, *last, *slugs):
            unread += await asyncio.to_thread(self._add, tally, page, moment(born_by))
            last = str(page[-1]["space_id"]), page[-1]["key"]
        if unread:
            _log.error("%d cards do not open and were not counted", unread)
        return tally

    def _add(self, tally: Tally, page: Sequence[db.Row], kept_by: str) -> int:
        """Count a page of cards; tells how many could not be opened."""
        unread = 0
        for row in page:
            card = self._opened(row)
            unread += card is None
            if card and card.binned_at is None and card.created_at <= kept_by:
                tally.add(self._directory.latest(row["merchant"]), str(row["account"]), card)
        return unread

    def _opened(self, row: db.Row) -> Card | None:
        try:
            body = self._keys.open(bytes(row["box"]), bound(row["space_id"], row["key"], row["schema"]))
            return msgspec.json.decode(body, type=Card)
        except (BoxUnreadable, msgspec.DecodeError):
            # Not even the message may be logged: it could quote the card.
            return None


def groups(rows: Iterable[db.Row], directory: Directory) -> Iterator[list[str]]:
    """Slugs to count together: of shops that enough accounts may have cards of, merged ones side by side.

    The cards of the other shops are not opened at all.
    """
    shops: dict[str, list[db.Row]] = {}
    for row in sorted(rows, key=lambda row: str(row["merchant"])):
        shops.setdefault(directory.latest(row["merchant"]), []).append(row)
    slugs: list[str] = []
    cards = 0
    for slug, parts in shops.items():
        if slug not in directory or sum(row["accounts"] for row in parts) < MIN_ACCOUNTS:
            continue
        more = sum(row["cards"] for row in parts)
        if slugs and (cards + more > GROUP_CARDS or len(slugs) + len(parts) > GROUP_SLUGS):
            yield slugs
            slugs, cards = [], 0
        slugs = [*slugs, *(row["merchant"] for row in parts)]
        cards += more
    if slugs:
        yield slugs
