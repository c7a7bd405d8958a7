"""Russian letters along a line, and faint digits: small networks over what PP-OCRv6 sees, whose own alphabet has no
Russian letters and which has seen few embossed numbers.

All that the large network knows of a step of a line are about 120 numbers, which the logarithms of its probabilities
give back; `scripts/letters.py` trains the small one on them.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aggregator.recognition.ppocr import Spelling, spelled

WEIGHTS = Path(__file__).parent / "letters.npz"
DIGITS = Path(__file__).parent / "digits.npz"

# Letters of one shape in both alphabets are one class, named by the Russian letter; the word around decides.
LATIN_TWINS = dict(zip("АВСЕНКМОРТХасеорхуёЁ", "ABCEHKMOPTXaceopxyëË", strict=True))
_TO_LATIN = str.maketrans(LATIN_TWINS)

Signal = NDArray[Any]


class Letters:
    """A small network: steps around a step in, letters out."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path) as weights:
            self._columns = weights["columns"]
            self._mean = weights["mean"].astype(np.float32)
            self._axes = weights["axes"].astype(np.float32)
            self._hidden = weights["hidden"].astype(np.float32)
            self._hidden_bias = weights["hidden_bias"].astype(np.float32)
            self._output = weights["output"].astype(np.float32)
            self._output_bias = weights["output_bias"].astype(np.float32)
            self._alphabet = ("", *str(weights["alphabet"]))

    def spelled(self, signal: Signal) -> Spelling:
        """What a line says, from its probabilities of shape (steps, PP-OCRv6's alphabet)."""
        seen = np.maximum(self._around(self.features(signal)) @ self._hidden + self._hidden_bias, 0)
        scores = seen @ self._output + self._output_bias
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        found = spelled(likely / likely.sum(axis=1, keepdims=True), self._alphabet)
        return found._replace(text=in_one_alphabet(found.text))

    def features(self, signal: Signal) -> Signal:
        """What the large network knew of each step, shape (steps, features)."""
        logs = np.log(np.maximum(signal[:, self._columns], 1e-38))
        # Without their mean, in which every step's sum of exponentials hides.
        logs -= logs[:, 1:].mean(axis=1, keepdims=True)
        features: Signal = ((logs - self._mean) @ self._axes).clip(-8, 8)
        return features

    def _around(self, features: Signal) -> Signal:
        """Each step together with its neighbours, the first ones first."""
        steps, width = features.shape
        reach = (len(self._hidden) // width - 1) // 2
        padded = np.zeros((steps + 2 * reach, width), np.float32)
        padded[reach : reach + steps] = features
        return np.concatenate([padded[start : start + steps] for start in range(2 * reach + 1)], axis=1)


@cache
def letters() -> Letters:
    """The network for Russian letters, loaded once."""
    return Letters()


@cache
def digits() -> Letters:
    """The network for numbers, which reads all that is neither digit nor space as `*`; loaded once."""
    return Letters(DIGITS)


def in_one_alphabet(text: str) -> str:
    """Letters that both alphabets have, in the alphabet of their word, or of the line where the word does not tell."""
    words = text.split(" ")
    leaning = [_leaning(word) for word in words]
    of_line = sum(leaning)
    return " ".join(
        word.translate(_TO_LATIN) if (lean or of_line) < 0 else word for word, lean in zip(words, leaning, strict=True)
    )


def is_russian(text: str) -> bool:
    """Whether more letters are Russian alone than Latin alone."""
    return _leaning(text) > 0


def _leaning(word: Sequence[str]) -> int:
    """Letters that only Russian has minus letters that only Latin has."""
    russian = sum("А" <= letter <= "я" and letter not in LATIN_TWINS for letter in word)
    return russian - sum(letter.isascii() and letter.isalpha() for letter in word)
