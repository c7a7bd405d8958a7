"""Finds the names that share most letter pairs and triples with a query (TF-IDF), by one pass over postings.

Grams of a key between word ends are pairs, triples, and triples with any middle, which survive a mistyped letter. A
gram is one number, a byte a letter: `ab` is 0x6162, `abc` 0x616263, `a*c` 0x612a63.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Codes = NDArray[np.int64]

_START, _END, _ANY = b"^", b"$", ord("*")
# Gram above, row below: numbers that sort into postings.
_ROW_BITS = 32
# Keys cut at once: what lies in memory meanwhile is several times what is kept.
_CHUNK = 2_000
# Above the noise of adding up.
_LEAST = 1e-9


def grams(key: str) -> set[int]:
    """The grams of one squashed ASCII key."""
    text = _START + key.encode() + _END
    pairs = {one << 8 | two for one, two in pairwise(text)}
    triples = {(one << 16 | two << 8 | three) for one, two, three in zip(text, text[1:], text[2:], strict=False)}
    return pairs | triples | {triple & 0xFF00FF | _ANY << 8 for triple in triples}


def _once(codes: Codes) -> Codes:
    """Sorted, each once. `np.unique` hashes whole numbers, which is fifty times slower here."""
    codes.sort()
    once: Codes = codes[np.append(True, codes[1:] != codes[:-1])]
    return once


def _postings(keys: Sequence[str], first_row: int = 0) -> Codes:
    """Every gram of every key above the key's row; one that a key has twice is there twice."""
    text = np.frombuffer(b"".join(_START + key.encode() + _END for key in keys), np.uint8).astype(np.int64)
    rows = np.repeat(np.arange(first_row, first_row + len(keys)), [len(key) + 2 for key in keys])
    one, two, three = text[:-2], text[1:-1], text[2:]
    whole, half = rows[:-2] == rows[2:], rows[:-1] == rows[1:]
    pairs = (text[:-1] << 8 | text[1:])[half]
    triples = (one << 16 | two << 8 | three)[whole]
    skips = (one << 16 | _ANY << 8 | three)[whole]
    places = np.concatenate([rows[:-1][half], rows[:-2][whole], rows[:-2][whole]])
    cut: Codes = np.concatenate([pairs, triples, skips]) << _ROW_BITS | places
    return cut


class GramIndex:
    """Squashed ASCII keys by their grams; rows are the keys' positions."""

    def __init__(self, keys: Sequence[str]) -> None:
        chunks = [_once(_postings(keys[at : at + _CHUNK], at)) for at in range(0, len(keys), _CHUNK)]
        postings = np.concatenate([*chunks, np.empty(0, np.int64)])
        postings.sort()
        self._rows = postings.astype(np.int32)
        postings >>= _ROW_BITS
        starts = np.flatnonzero(np.diff(postings, prepend=-1))
        counts = np.diff(starts, append=len(postings))
        weights = np.log1p(len(keys) / counts) ** 2
        squares = np.bincount(self._rows, np.repeat(weights, counts), len(keys))
        self._scale = 1 / np.sqrt(np.maximum(squares, 1e-9))
        self._of_gram = dict(zip(postings[starts].tolist(), map(slice, starts, starts + counts), strict=True))
        self._weights = dict(zip(self._of_gram, weights.tolist(), strict=True))
        self._size = len(keys)

    def nearest(self, key: str, limit: int, among: NDArray[np.bool_] | None = None) -> Ids:
        """Up to `limit` rows that share a gram with `key`, in no order; `among` masks the rows that count."""
        known = [gram for gram in grams(key) if gram in self._of_gram]
        if not known:
            return np.empty(0, np.int32)
        postings = [self._rows[self._of_gram[gram]] for gram in known]
        weights = np.repeat([self._weights[gram] for gram in known], [len(rows) for rows in postings])
        scores = np.bincount(np.concatenate(postings), weights, self._size) * self._scale
        if among is not None:
            scores *= among
        return _highest(scores, limit)


def _highest(scores: NDArray[np.float64], limit: int) -> Ids:
    # Selecting values is many times as fast as selecting places.
    least = max(np.partition(scores, -limit)[-limit], _LEAST) if limit < len(scores) else _LEAST
    above, at = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    return np.concatenate([above, at[: limit - len(above)]]).astype(np.int32)
