"""The names of all merchants in one read-only index: who bears a name like these words, and how like it is."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance.Indel import normalized_similarity as indel
from rapidfuzz.distance.OSA import normalized_similarity as osa

from aggregator.merchants.grams import GramIndex
from aggregator.merchants.normal import Script, fold, folds, latin, plain, script
from aggregator.merchants.words import weights

MAX_WORDS = 14
MAX_WINDOW = 5
CANDIDATES = 80
PREFIX_HITS = 300
# Stands after every letter of a key.
AFTER_ALL = "\x7f"

# How far a part of a query, or of a name, may stand for the whole (see docs/matching.md for how these were chosen).
QUERY_SHARE = 0.55
NAME_SHARE = 0.65
LATIN_SHARE = 0.5
LATIN_CROSS = 0.15
FOLDED = 0.07
EDITS = 0.5
OTHER_SCRIPT = 0.9
TELLING = 0.3
WORTH_A_LOOK = 0.2

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Windows(NamedTuple):
    """Neighbouring words of texts in the three spellings compared, with the share of its weight each run carries."""

    plain: list[str]
    latin: list[str]
    fold: list[str]
    share: list[float]
    script: list[Script]


class Meeting(NamedTuple):
    """The best meeting of a query and a name.

    like    how alike the two runs of words are; asked, met: the share of query and of name that they are
    same    letter by letter; spelt: in Latin letters; sound: as they sound
    letters how many of them there are; script: whether both are written in the same one
    """

    like: float
    asked: float
    met: float
    same: bool
    spelt: bool
    sound: bool
    letters: int
    script: bool


def windows(words: str) -> Windows:
    """All runs of up to five words that begin and end with a telling one, and the whole."""
    found = Windows([], [], [], [], [])
    add_runs(found, words)
    found.fold.extend(map(fold, found.latin))
    return found


def add_runs(to: Windows, words: str) -> None:
    """The runs of one more text, but for how they sound, which costs the most and less for many at once."""
    tokens = words.split()[:MAX_WORDS]
    each_weight = weights(tokens)
    squashed = [latin(token).replace(" ", "") for token in tokens]
    scripts = [script(token) for token in tokens]
    total = sum(each_weight) or 1.0
    for start, end in spans(each_weight):
        run = "".join(tokens[start:end])
        to.plain.append(run)
        # One object for both spellings where they are one: there are tens of thousands.
        to.latin.append(run if run.isascii() else "".join(squashed[start:end]))
        to.share.append(sum(each_weight[start:end]) / total)
        to.script.append(max(scripts[start:end]))


def spans(each_weight: Sequence[float]) -> list[tuple[int, int]]:
    count = len(each_weight)
    if count == 1:
        return [(0, 1)]
    ends = [at for at, value in enumerate(each_weight) if value >= TELLING]
    runs = [(a, b + 1) for n, a in enumerate(ends) for b in ends[n:] if b - a < MAX_WINDOW]
    return runs if (0, count) in runs or not count else [(0, count), *runs]


class NameIndex:
    """Names by row; `owner[row]` is the position of the merchant that bears it."""

    def __init__(self, named: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        self.owner: list[int] = []
        self.script: list[Script] = []
        self.key: list[str] = []
        self.is_alias: list[bool] = []
        self._starts = [0]
        self._windows = Windows([], [], [], [], [])
        heads: list[tuple[str, int, bool]] = []
        for position, (names, aliases) in enumerate(named):
            self._add_all(position, names, aliases, heads)
        sounds = zip(folds(self._windows.latin), self._windows.latin, strict=True)
        self._windows.fold.extend(key if sound == key else sound for sound, key in sounds)
        self._share = np.array(self._windows.share, np.float32)
        self._grams = GramIndex(folds(self.key))
        heads.sort()
        self._heads = [head for head, _, _ in heads]
        self._head_rows = [(row, whole) for _, row, whole in heads]
        self.owners = np.array(self.owner, np.int32)

    def _add_all(
        self, position: int, names: Sequence[str], aliases: Sequence[str], heads: list[tuple[str, int, bool]]
    ) -> None:
        known = {""}
        for number, name in enumerate([*names, *aliases]):
            words = plain(name)
            if words not in known:
                known.add(words)
                self.owner.append(position)
                self.is_alias.append(number >= len(names))
                self._add(words, heads)

    def _add(self, words: str, heads: list[tuple[str, int, bool]]) -> None:
        row = len(self._starts) - 1
        add_runs(self._windows, words)
        self._starts.append(len(self._windows.plain))
        self.script.append(script(words))
        parts = latin(words).split()
        heads.extend(("".join(parts[at:]), row, at == 0) for at in range(len(parts)))
        self.key.append("".join(parts))

    def __len__(self) -> int:
        return len(self.owner)

    def near(self, words: str, among: Mask | None = None, limit: int = 0) -> tuple[NDArray[np.int32], Floats]:
        """Rows that sound or look like `plain` words, and how near each is."""
        query = windows(words)
        if not query.plain:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        rows = self._grams.nearest(fold(latin(telling(words)).replace(" ", "")), limit or CANDIDATES, among)
        if not len(rows):
            return rows, np.empty(0, np.float32)
        return rows, self._closeness(query, rows)

    def _closeness(self, query: Windows, rows: NDArray[np.int32]) -> Floats:
        ranges = [range(self._starts[row], self._starts[row + 1]) for row in rows.tolist()]
        columns = [at for span in ranges for at in span]
        firsts = np.cumsum([0, *(len(span) for span in ranges[:-1])])
        like = alike(query, self._windows, columns)
        value = like * asked_factor(query)[:, None] * met_factor(self._share[columns])
        best: Floats = np.maximum.reduceat(value.max(axis=0), firsts)
        return best

    def meeting(self, words: str, row: int) -> Meeting:
        """How `plain` words meet one name, in the terms that confidence is made of."""
        query = windows(words)
        columns = range(self._starts[row], self._starts[row + 1])
        like = alike(query, self._windows, columns)
        value = like * asked_factor(query)[:, None] * met_factor(self._share[columns.start : columns.stop])
        asked, met = (int(at) for at in np.unravel_index(int(value.argmax()), value.shape))
        column = columns[met]
        return Meeting(
            like=float(like[asked, met]),
            asked=query.share[asked],
            met=self._windows.share[column],
            same=query.plain[asked] == self._windows.plain[column],
            spelt=query.latin[asked] == self._windows.latin[column],
            sound=query.fold[asked] == self._windows.fold[column],
            letters=min(len(query.latin[asked]), len(self._windows.latin[column])),
            script=query.script[asked] == self._windows.script[column],
        )

    def beginning(self, key: str, among: Mask | None = None) -> Iterator[tuple[int, bool, float]]:
        """Rows with a word that begins with squashed Latin `key`: row, whether the name itself does, share typed."""
        found = (
            (row, whole, len(key) / len(self._heads[place]))
            for place in range(bisect_left(self._heads, key), bisect_left(self._heads, key + AFTER_ALL))
            for row, whole in (self._head_rows[place],)
            if among is None or among[row]
        )
        return islice(found, PREFIX_HITS)


def asked_factor(query: Windows) -> Floats:
    """What leaving words of the query unexplained costs."""
    factor: Floats = 1 - QUERY_SHARE * (1 - np.array(query.share, np.float32))
    return factor


def met_factor(share: Floats) -> Floats:
    """What leaving words of a name unasked for costs."""
    factor: Floats = 1 - NAME_SHARE * (1 - share)
    return factor


def telling(words: str) -> str:
    """The words worth looking for, or all of them where none is."""
    tokens = words.split()
    return " ".join(word for word, value in zip(tokens, weights(tokens), strict=True) if value > WORTH_A_LOOK) or words


def alike(query: Windows, names: Windows, columns: Sequence[int]) -> Floats:
    """Likeness of every query window to every chosen name window: in its own letters, or as it is spelt and sounds."""
    plain_names = [names.plain[at] for at in columns]
    own = EDITS * each(osa, query.plain, plain_names) + (1 - EDITS) * each(indel, query.plain, plain_names)
    spelt = each(indel, query.latin, [names.latin[at] for at in columns])
    sound = each(indel, query.fold, [names.fold[at] for at in columns])
    scripts = np.array([names.script[at] for at in columns], np.int8)
    asked = np.array(query.script, np.int8)[:, None]
    letters = np.where(asked == scripts, LATIN_SHARE, LATIN_CROSS).astype(np.float32)
    across = letters * spelt + (1 - letters) * sound - FOLDED * (spelt < 1)
    across *= np.where(np.maximum(asked, scripts) == Script.OTHER, OTHER_SCRIPT, 1).astype(np.float32)
    best: Floats = np.maximum(own, across)
    return best


def each(measure: Callable[..., float], some: list[str], others: list[str]) -> Floats:
    return process.cdist(some, others, scorer=measure, dtype=np.float32)
