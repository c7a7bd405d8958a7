"""Names the shop that a typed word or a line on a card means."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from aggregator.merchants.grams import GramIndex, Ids
from aggregator.merchants.normal import fold, latin, other_layout, plain, repairs
from aggregator.merchants.words import CARD_WORDS, WEAK_WORDS

MAX_QUERY = 100
MAX_WORDS = 14
MAX_WINDOW = 5


class Entry(Protocol):
    """What the matcher needs of a merchant."""

    @property
    def slug(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def aliases(self) -> Sequence[str]: ...
    @property
    def home(self) -> Sequence[str]: ...
    def applies_to(self, country: str) -> bool: ...
    def name_in(self, country: str | None) -> str: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    slug: str
    name: str
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class P:
    cand: int = 60
    share_q: float = 0.7
    share_n: float = 0.65
    layout: float = 0.97
    repair: float = 0.99
    card: float = 0.1
    weak: float = 0.25
    digits: float = 0.05
    alias: float = 0.995
    lat: float = 0.5
    foldpen: float = 0.02
    prefix0: float = 0.78
    prefix1: float = 0.2


PARAM = P()


def weight(word: str) -> float:
    if word in CARD_WORDS:
        return PARAM.card
    if word in WEAK_WORDS:
        return PARAM.weak
    if word.isdigit() and len(word) > 3:
        return PARAM.digits
    return 1.0


class Windows(NamedTuple):
    plain: list[str]
    latin: list[str]
    fold: list[str]
    share: list[float]


def windows(words: str) -> Windows:
    tokens = words.split()[:MAX_WORDS]
    lat = [latin(t).replace(" ", "") for t in tokens]
    weights = [weight(t) for t in tokens]
    total = sum(weights) or 1.0
    out = Windows([], [], [], [])
    n = len(tokens)
    for size in range(n, 0, -1):
        if size > MAX_WINDOW and size != n:
            continue
        for at in range(n - size + 1):
            share = sum(weights[at : at + size]) / total
            if share < 0.15:
                continue
            squashed = "".join(lat[at : at + size])
            out.plain.append("".join(tokens[at : at + size]))
            out.latin.append(squashed)
            out.fold.append(fold(squashed))
            out.share.append(share)
    return out


class Matcher:
    def __init__(self, entries: Iterable[Entry], country: str | None = None) -> None:
        self._entries = list(entries)
        self._country = country
        self._owner: list[int] = []
        self._alias: list[bool] = []
        self._start: list[int] = [0]
        self._plain: list[str] = []
        self._latin: list[str] = []
        self._fold: list[str] = []
        share: list[float] = []
        keys: list[str] = []
        heads: list[tuple[str, int]] = []
        for row, entry in enumerate(self._entries):
            seen = set()
            for which, name in enumerate([*entry.names, *entry.aliases]):
                words = plain(name)
                if not words or words in seen:
                    continue
                seen.add(words)
                id = len(self._owner)
                self._owner.append(row)
                self._alias.append(which >= len(entry.names))
                w = windows(words)
                self._plain += w.plain
                self._latin += w.latin
                self._fold += w.fold
                share += w.share
                self._start.append(len(self._plain))
                lw = latin(words)
                sq = lw.replace(" ", "")
                keys.append(fold(sq))
                heads.append((sq, id))
                at = 0
                parts = lw.split()
                for i in range(1, len(parts)):
                    heads.append(("".join(parts[i:]), id))
        self._share = np.array(share, np.float32)
        self._starts = np.array(self._start, np.int64)
        self._owners = np.array(self._owner, np.int32)
        self._aliases = np.array(self._alias)
        self._grams = GramIndex(keys)
        heads.sort()
        self._heads = [h for h, _ in heads]
        self._head_ids = [i for _, i in heads]

    def _look(self, words: str, factor: float) -> tuple[Ids, NDArray[np.float64]]:
        q = windows(words)
        if not q.plain:
            return np.empty(0, np.int32), np.empty(0)
        toks = words.split()
        kept = [t for t in toks if weight(t) > 0.2] or toks
        ids = self._grams.nearest(fold(latin(" ".join(kept)).replace(" ", "")), PARAM.cand)
        if not len(ids):
            return ids, np.empty(0)
        spans = [range(self._start[i], self._start[i + 1]) for i in ids]
        cols = [c for span in spans for c in span]
        offsets = np.cumsum([0] + [len(s) for s in spans[:-1]])
        f = process.cdist(q.fold, [self._fold[c] for c in cols], scorer=fuzz.ratio, dtype=np.float32) / 100
        l = process.cdist(q.latin, [self._latin[c] for c in cols], scorer=fuzz.ratio, dtype=np.float32) / 100
        p = process.cdist(q.plain, [self._plain[c] for c in cols], scorer=fuzz.ratio, dtype=np.float32) / 100
        sim = np.maximum(p, PARAM.lat * l + (1 - PARAM.lat) * f - PARAM.foldpen * (l < 1))
        sq = np.array(q.share, np.float32)[:, None] * PARAM.share_q + (1 - PARAM.share_q)
        sn = self._share[cols][None, :] * PARAM.share_n + (1 - PARAM.share_n)
        score = (sim * sq * sn).max(axis=0)
        best = np.maximum.reduceat(score, offsets) * factor
        best = best * np.where(self._aliases[ids], PARAM.alias, 1)
        return ids, best

    def _prefix(self, words: str, factor: float) -> dict[int, float]:
        key = latin(words).replace(" ", "")
        if len(key) < 1:
            return {}
        at = bisect_left(self._heads, key)
        out: dict[int, float] = {}
        n = 0
        while at < len(self._heads) and n < 400 and self._heads[at].startswith(key):
            id = self._head_ids[at]
            head = self._heads[at]
            s = (PARAM.prefix0 + PARAM.prefix1 * len(key) / len(head)) * factor
            if self._latin[self._start[id]] != head:
                s *= 0.98
            row = self._owner[id]
            if s > out.get(row, 0):
                out[row] = s
            at += 1
            n += 1
        return out

    def search(self, query: str, limit: int = 8, country: str | None = None) -> list[Candidate]:
        best: dict[int, float] = {}
        why: dict[int, str] = {}
        variants = [(plain(query), 1.0, "name")]
        other = other_layout(query)
        if other and len(query.split()) <= 5:
            variants.append((plain(other), PARAM.layout, "layout"))
        variants += [(text, PARAM.repair, "shape") for text in repairs(variants[0][0])]
        for text, factor, reason in variants:
            ids, scores = self._look(text, factor)
            for row, s in zip(self._owners[ids].tolist(), scores.tolist(), strict=True):
                if s > best.get(row, 0):
                    best[row] = s
                    why[row] = reason
            for row, s in self._prefix(text, factor).items():
                if s > best.get(row, 0):
                    best[row] = s
                    why[row] = "prefix"
        ranked = sorted(best.items(), key=lambda kv: -kv[1])[:limit]
        return [
            Candidate(self._entries[r].slug, self._entries[r].name_in(country), min(1.0, s), (why[r],)) for r, s in ranked
        ]
