"""The number printed on a card, told from phone numbers, dates, prices and names by its form, its label, its check
digit and the card's codes."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aggregator.codes import gs1_valid, luhn_valid
from aggregator.recognition.reading import NumberCandidate

FEWEST_DIGITS = 6
MOST_DIGITS = 22
# How many characters a GTIN has, and the lengths that ISO/IEC 7812 card numbers have in practice.
GS1_LENGTHS = (8, 12, 13, 14)
LUHN_LENGTHS = range(15, 20)

# Letters that stand where a digit must be, and the digit they were.
_LOOK_ALIKE = str.maketrans("OoОоQDIl|!SsZzBЗзб", "000000111155228336")
_LABEL = re.compile(r"(?:№|n[o0оºo°:.]{0,2}|id|lo|ho|#|но|номер|card|карта|карты|kapta)[:.]?", re.IGNORECASE)
_PHONE = re.compile(
    r"\+\s*\d|[(]\s*\d{3,4}\s*[)]|\d{3}[-–]\d{2}[-–]\d{2}(?!\d)|\bтел|\btel|\bphone|\bwww\b|\.ru\b", re.IGNORECASE
)
# What is dialled for free or in the two capitals: eleven digits that begin so are hardly a card's.
_DIALLED = ("8800", "7800", "8495", "8499", "7495", "7499", "8812", "7812")
_DATE = re.compile(r"(?<!\d)\d{1,2}\s?[./]\s?(?:\d{1,2}\s?[./]\s?)?(?:\d{4}|\d{2})(?!\d)|\d+\s?%")


class Row(NamedTuple):
    """One printed row: every way it was read, each with its confidence, and whether it stands whole in the picture."""

    texts: tuple[tuple[str, float], ...]
    height: float
    whole: bool = True


class Found(NamedTuple):
    """Digits in one reading of a row: their groups as printed, and whether a label stands in front."""

    groups: tuple[str, ...]
    labelled: bool

    @property
    def digits(self) -> str:
        return "".join(self.groups)


def candidates(rows: Iterable[Row], codes: Sequence[str] = ()) -> list[NumberCandidate]:
    """Numbers that may be the card's, the likeliest first; `codes` are the texts of the codes on it."""
    best: dict[str, NumberCandidate] = {}
    for row in rows:
        for candidate in _of_row(row, codes):
            known = best.get(candidate.text)
            if known is None or candidate.confidence > known.confidence:
                best[candidate.text] = candidate
    return sorted(best.values(), key=lambda found: -found.confidence)


def check_of(digits: str) -> str | None:
    """Which check digit a number of this length would carry and does: `gs1`, `luhn`, or None."""
    if len(digits) in GS1_LENGTHS and gs1_valid(digits):
        return "gs1"
    return "luhn" if len(digits) in LUHN_LENGTHS and luhn_valid(digits) else None


def found_in(text: str) -> list[Found]:
    """The numbers of one printed row, phone numbers and dates left out."""
    text = unicodedata.normalize("NFKC", text.replace("№", " № ")).replace("º", "o")
    if _PHONE.search(text):
        return []
    text = _DATE.sub(" . ", text)
    runs: list[Found] = []
    words = text.replace("-", " ").replace("–", " ").split()
    groups: list[str] = []
    before = ""
    for word in [*words, "."]:
        digits = _digits(word, bool(groups))
        if digits is None:
            runs += _run(groups, before)
            groups, before = [], word
        elif not groups and (label := _LABEL.match(word)) and label.end() < len(word) and word[0] not in "0123456789":
            groups, before = [digits], word[: label.end()]
        else:
            groups.append(digits)
    return runs


def _run(groups: list[str], before: str) -> list[Found]:
    count = sum(map(len, groups))
    return [Found(tuple(groups), bool(_LABEL.fullmatch(before)))] if FEWEST_DIGITS <= count <= MOST_DIGITS else []


def _digits(word: str, inside: bool) -> str | None:
    """A word as digits, None where it is none: look-alike letters count beside real digits only."""
    bare = word.strip(".,;:*'\"`·_")
    if not inside and (label := _LABEL.match(bare)) and not bare[:1].isdigit():
        bare = bare[label.end() :].strip(".:")
    if not inside and sum(map(str.isdigit, bare)) > 2:
        # What looks like a 0 or a 1 in front is more often the end of a number sign.
        bare = bare.lstrip("OoОоQIl|!")
    real = sum(character in "0123456789" for character in bare)
    digits = bare.translate(_LOOK_ALIKE)
    if not digits.isascii() or not digits.isdigit():
        return None
    return digits if real * 2 > len(bare) or (inside and real * 2 == len(bare)) else None


def _of_row(row: Row, codes: Sequence[str]) -> list[NumberCandidate]:
    """The numbers of a row with their confidence; several readings of it that agree strengthen each other."""
    votes: dict[str, float] = {}
    forms: dict[str, Found] = {}
    if any(_PHONE.search(text) for text, _ in row.texts):
        return []
    for text, confidence in row.texts:
        for found in found_in(text):
            votes[found.digits] = votes.get(found.digits, 0.0) + confidence**4
            forms.setdefault(found.digits, found)
    total = sum(votes.values())
    # What the box itself says is never longer than what is printed; readings beyond it may be.
    of_box = {found.digits for text, _ in row.texts[:1] for found in found_in(text)}
    for one, other in itertools.permutations(votes, 2):
        if len(one) > len(other) and (one.startswith(other) or one.endswith(other)):
            longer_wins = one in of_box or _is_longer_right(forms[one], forms[other])
            winner, loser = (one, other) if longer_wins else (other, one)
            votes[winner] += votes[loser]
            votes[loser] = 0.0
    return [
        NumberCandidate(digits, round(_confidence(forms[digits], votes[digits] / total, row, codes), 3), check)
        for digits in votes
        if votes[digits]
        for check in (check_of(digits),)
    ]


def _is_longer_right(longer: Found, shorter: Found) -> bool:
    """Of two readings, one of which has more digits in front or behind: whether those are printed there.

    A box that ends too early cuts digits off, a number sign or the card's edge adds one or two, edges mostly ones.
    """
    digits = shorter.digits
    checks = checks_surely(longer.digits), checks_surely(digits)
    if checks[0] != checks[1]:
        return checks[0]
    behind = longer.digits.startswith(digits)
    if longer.labelled and not shorter.labelled and not behind:
        return True
    extra = longer.digits[len(digits) :] if behind else longer.digits[: -len(digits)]
    return len(extra) > 2 and len(set(extra)) > 1


def checks_surely(digits: str) -> bool:
    """Whether a check digit holds at a length that seldom comes without one."""
    return len(digits) in (13, 16) and check_of(digits) is not None


def _confidence(found: Found, share: float, row: Row, codes: Sequence[str]) -> float:
    """0 to 1: how sure one may be of these digits, given how many of the readings say so."""
    digits = found.digits
    sure = max((confidence for text, confidence in row.texts), default=0.0)
    if any(digits == "".join(filter(str.isdigit, code)) for code in codes):
        return 0.995
    score = 0.30 + 0.35 * share * sure
    score += 0.12 if found.labelled else 0.0
    # One number of ten passes by chance, so a digit that checks does not make up for readings that say otherwise.
    score += 0.25 * share if check_of(digits) else 0.0
    score += 0.08 if _regular(found.groups) else -0.05
    score -= 0.25 if len(digits) < 8 else 0.08 if len(digits) > 19 else 0.0
    score -= 0.45 if len(digits) == 11 and digits.startswith(_DIALLED) else 0.0
    score -= 0.0 if row.whole else 0.25
    return max(0.01, min(0.99, score))


def _regular(groups: Sequence[str]) -> bool:
    """Whether digits are grouped as numbers are: all alike but for the first or the last, or as under an EAN."""
    if len(groups) == 1:
        return True
    sizes = [len(group) for group in groups]
    same = len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
    return same or sizes in ([1, 6, 6], [1, 5, 5, 1], [4, 4]) or (len(set(sizes[1:])) == 1 and sizes[0] <= sizes[1])
