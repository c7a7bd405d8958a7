"""Forms of a name that compare equal however it is written: letter case, accents, Ё or Е, either alphabet."""

import re
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


@lru_cache(maxsize=1 << 15)
def latin(text: str) -> str:
    """The same words in ASCII; `text` is already `plain`.

    >>> latin("пятерочка"), latin("café")
    ('pyaterochka', 'cafe')
    """
    if text.isascii():
        return text
    return " ".join(_WORD.findall(anyascii(text.translate(_TO_LATIN)).translate(_APOSTROPHES).casefold()))


def slug_of(name: str) -> str:
    """A name as lower-case ASCII words joined by hyphens, at most 60 characters; empty if nothing is left of it."""
    words = latin(plain(name.translate(_SLUG_SIGNS)))
    return _NOT_SLUG.sub("-", words).strip("-")[:MAX_SLUG].strip("-")
