"""Finds the names that share most letter pairs and triples with a query (TF-IDF), by one pass over postings."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]


def grams(key: str) -> set[str]:
    """Pairs and triples of `key` between word ends, and triples with any middle: those survive a mistyped letter.

    >>> sorted(grams("ab"))
    ['^*b', '^a', '^ab', 'a*$', 'ab', 'ab$', 'b$']
    """
    padded = f"^{key}$"
    pairs = {padded[at : at + 2] for at in range(len(padded) - 1)}
    triples = {padded[at : at + 3] for at in range(len(padded) - 2)}
    return pairs | triples | {f"{triple[0]}*{triple[2]}" for triple in triples}


class GramIndex:
    """Keys by their grams; rows are the keys' positions."""

    def __init__(self, keys: Sequence[str]) -> None:
        rows_of: dict[str, list[int]] = defaultdict(list)
        for row, key in enumerate(keys):
            for gram in grams(key):
                rows_of[gram].append(row)
        rarity = {gram: np.log1p(len(keys) / len(rows)) for gram, rows in rows_of.items()}
        squares = np.zeros(len(keys))
        for gram, rows in rows_of.items():
            squares[rows] += rarity[gram] ** 2
        self._scale = (1 / np.sqrt(np.maximum(squares, 1e-9))).astype(np.float32)
        self._rarity = rarity
        self._rows = {gram: np.array(rows, np.int32) for gram, rows in rows_of.items()}
        self._size = len(keys)

    def nearest(self, key: str, limit: int, among: NDArray[np.bool_] | None = None) -> Ids:
        """Up to `limit` rows that share a gram with `key`, in no order; `among` masks the rows that count."""
        known = [gram for gram in grams(key) if gram in self._rows]
        if not known:
            return np.empty(0, np.int32)
        rows = np.concatenate([self._rows[gram] for gram in known])
        weights = np.repeat([self._rarity[gram] ** 2 for gram in known], [len(self._rows[gram]) for gram in known])
        scores = np.bincount(rows, weights, self._size) * self._scale
        if among is not None:
            scores *= among
        limit = min(limit, self._size)
        best = np.argpartition(scores, self._size - limit)[self._size - limit :]
        return best[scores[best] > 0].astype(np.int32)
