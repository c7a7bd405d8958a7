"""Forms of a name that compare equal however it is written: letter case, accents, Ё or Е, either alphabet."""

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from unicodedata import category, normalize

from anyascii import anyascii

# One Latin spelling a letter, close to the BGN/PCGN romanisation; Ё is Е because people rarely type it.
_ONE_LETTER = str.maketrans(
    "абвгдезийклмнопрстуфыэіґўѓќәғқңөұүһӣӯјћџђ",
    "abvgdeziyklmnoprstufyeigugkagknouuhiujczd",
)
_TO_LATIN = _ONE_LETTER | {
    ord("ж"): "zh", ord("х"): "kh", ord("ц"): "ts", ord("ч"): "ch", ord("ш"): "sh", ord("щ"): "shch", ord("ъ"): "",
    ord("ь"): "", ord("ю"): "yu", ord("я"): "ya", ord("ё"): "e", ord("ї"): "yi", ord("є"): "ye", ord("љ"): "lj",
    ord("њ"): "nj", ord("ѕ"): "dz",
}  # fmt: skip
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘`´ʼʹ"))
_WORD = re.compile(r"[^\x00-/:-`{-\x7f]+")
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f]")
_LATIN_LETTER = re.compile("[a-zA-Z]")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_SIGNS = str.maketrans({"&": " and ", "+": " plus ", "@": " at "})
MAX_SLUG = 60


def plain(text: str) -> str:
    """Lower-case words with single spaces: NFKC, case folded, Ё as Е, apostrophes closed up, other signs as spaces.

    >>> plain("Пятёрочка — McDonald's")
    'пятерочка mcdonalds'
    """
    folded = normalize("NFKC", text).casefold().replace("ё", "е").translate(_APOSTROPHES)
    if not folded.isascii():
        folded = "".join(char if _belongs_to_a_word(char) else " " for char in folded)
    return " ".join(_WORD.findall(folded))


def _belongs_to_a_word(char: str) -> bool:
    return char.isalnum() or category(char)[0] == "M"


def latin(text: str) -> str:
    """The same words in ASCII; `text` is already `plain`.

    >>> latin("пятерочка"), latin("café")
    ('pyaterochka', 'cafe')
    """
    return text if text.isascii() else _spelt(text)


@lru_cache(maxsize=1 << 12)
def _spelt(text: str) -> str:
    return " ".join(_WORD.findall(anyascii(text.translate(_TO_LATIN)).translate(_APOSTROPHES).casefold()))


def slug_of(name: str) -> str:
    """A name as lower-case ASCII words joined by hyphens, at most 60 characters; empty if nothing is left of it."""
    words = latin(plain(name.translate(_SLUG_SIGNS)))
    return _NOT_SLUG.sub("-", words).strip("-")[:MAX_SLUG].strip("-")


class Script(IntEnum):
    """The letters a text is written in, as far as comparing goes."""

    LATIN = 0
    CYRILLIC = 1
    OTHER = 2


def script(text: str) -> Script:
    """The script of `plain` words; letters of two scripts count as the one named later."""
    return Script.LATIN if text.isascii() else _script(text)


@lru_cache(maxsize=1 << 12)
def _script(text: str) -> Script:
    if any(char > "\u052f" for char in text):
        return Script.OTHER
    return Script.CYRILLIC if _CYRILLIC_LETTER.search(text) else Script.LATIN


# ---------------------------------------------------------------- the same sound


# Tried in this order on squashed Latin. Both sides are folded alike, so a rule may join what a reader tells apart:
# it only has to bring together the spellings that transliterations of one name give.
_SOUNDS = (
    ("shch", "s"), ("sch", "s"), ("tch", "c"), ("dzh", "j"), ("tz", "s"), ("ts", "s"), ("sh", "s"), ("zh", "s"),
    ("ch", "s"), ("kh", "h"), ("ph", "f"), ("gh", "g"), ("th", "t"), ("ck", "k"), ("ce", "se"), ("ci", "si"),
    ("cy", "si"), ("c", "k"), ("q", "k"), ("x", "ks"), ("w", "v"), ("z", "s"), ("yo", "e"), ("jo", "e"),
    ("y", "i"), ("j", "i"), ("oo", "u"), ("ou", "u"), ("ee", "i"), ("ea", "i"), ("ie", "e"),
)  # fmt: skip
_DOUBLES = re.compile(r"(.)\1+")


@lru_cache(maxsize=1 << 12)
def fold(squashed: str) -> str:
    """A squashed Latin word as it roughly sounds.

    >>> fold("pyaterochka") == fold("piaterochka") == fold("pjateroczka".replace("cz", "ch"))
    True
    """
    return _sounded(squashed)


def folds(squashed: Sequence[str]) -> list[str]:
    """`fold` of many words at once, at a tenth of the cost; no rule reaches over the line ends between them."""
    return _sounded("\n".join(squashed)).split("\n") if squashed else []


def _sounded(text: str) -> str:
    for spelling, sound in _SOUNDS:
        text = text.replace(spelling, sound)
    return _DOUBLES.sub(r"\1", text)


# ---------------------------------------------------------------- the same keys, the same shapes


_LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,./" + '~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?'
_RUSSIAN_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбю." + "ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ,"
_TO_RUSSIAN_KEYS = str.maketrans(_LATIN_KEYS, _RUSSIAN_KEYS)
_TO_LATIN_KEYS = str.maketrans(_RUSSIAN_KEYS, _LATIN_KEYS) | {
    ord("і"): "s", ord("ї"): "]", ord("є"): "'", ord("ў"): "o", ord("ґ"): "\\",
}  # fmt: skip


def other_layout(text: str) -> str | None:
    """What the same keys give on the other keyboard layout (ЙЦУКЕН and QWERTY), or None for a mixed or other script."""
    cyrillic, latin_letters = _CYRILLIC_LETTER.search(text), _LATIN_LETTER.search(text)
    if cyrillic and not latin_letters:
        return text.translate(_TO_LATIN_KEYS)
    if latin_letters and not cyrillic and text.isascii():
        return text.translate(_TO_RUSSIAN_KEYS)
    return None


# Letters a camera confuses across the alphabets, lower case (`plain` comes first), then digits seen for letters.
_CYRILLIC_SHAPES = str.maketrans("abcehkmoptxyrnu3046iv", "авсенкмортхуяипзочбіу")
_LATIN_SHAPES = str.maketrans("авсенкмортхуяипзгіъьбё015684", "abcehkmoptxyrnnzriblbeoisbga")
_DIGIT = re.compile(r"\d")
# Digits that stand for a Cyrillic letter when people write Russian in Latin.
_CHAT_DIGITS = str.maketrans({"4": "ch", "6": "sh"})


def repairs(words: str) -> list[str]:
    """`plain` words as one alphabet: words of mixed letters, or of letters and digits, rewritten by shape.

    >>> repairs("лентa")
    ['лента']
    >>> repairs("5elgros")
    ['selgros']
    """
    tokens = words.split()
    found = []
    for shapes, foreign in ((_CYRILLIC_SHAPES, _LATIN_LETTER), (_LATIN_SHAPES, _CYRILLIC_LETTER)):
        rewritten = " ".join(token.translate(shapes) if is_mixed(token) else token for token in tokens)
        if rewritten != words and not any(foreign.search(t) for t in rewritten.split() if is_mixed(t)):
            found.append(rewritten)
    if words.isascii() and not {"4", "6"}.isdisjoint(words):
        found.append(" ".join(token.translate(_CHAT_DIGITS) if is_mixed(token) else token for token in tokens))
    return [text for text in found if text != words]


def is_mixed(word: str) -> bool:
    """Whether a word has letters of both alphabets, or letters and digits."""
    cyrillic, latin_letters = _CYRILLIC_LETTER.search(word), _LATIN_LETTER.search(word)
    if cyrillic and latin_letters:
        return True
    return bool((cyrillic or latin_letters) and _DIGIT.search(word))
