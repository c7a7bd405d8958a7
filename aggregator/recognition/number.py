"""The number printed on a card, told from phone numbers, dates, prices and names by its form, its label, its check
digit and the card's codes."""

import itertools
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aggregator.codes import gs1_valid, luhn_valid
from aggregator.recognition.reading import NumberCandidate

FEWEST_DIGITS = 6
MOST_DIGITS = 22
# How many characters the GTINs have that are on cards (one of 14 names a box of goods), and the lengths that
# ISO/IEC 7812 card numbers have in practice.
GS1_LENGTHS = (8, 12, 13)
LUHN_LENGTHS = range(15, 20)
# Those of them that seldom come without a check digit.
SURELY_CHECKED = (13, 16)
# A digit that readings of less weight than this see is a slip.
_RIVAL = 0.04
_BELIEVED = 0.7

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

    def saying(self, digits: str) -> "Found":
        """As many other digits in the same groups."""
        lengths = [0, *itertools.accumulate(map(len, self.groups))]
        return self._replace(groups=tuple(digits[start:end] for start, end in itertools.pairwise(lengths)))


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
    # A speck between two groups.
    text = re.sub(r"(?<=\d{3})[.,·*](?=\d{3})", " ", text)
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
        # One digit behind it is what was read of a number sign.
        bare = "" if len(bare) == 1 else bare
    elif not inside and word[0] == "*" and len(bare) < 3:
        return None
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
    if _is_phone(row):
        return []
    said = [(found, confidence**4) for text, confidence in row.texts for found in found_in(text)]
    agreed = [_mended(one) for one in _agreed(said)]
    # What the box itself says is never longer than what is printed; readings beyond it may be.
    of_box = {found.digits for text, _ in row.texts[:1] for found in found_in(text)}
    standing = [one for one in agreed if not any(_replaces(other, one, of_box) for other in agreed)]
    total = sum(one.weight for one in agreed)
    found = [_candidate(one, sum(_shared(one, other) for other in agreed) / total, row, codes) for one in standing]
    # A check digit that holds although the readings disagree does so by chance, and would be believed.
    return [one for one in found if one.check is None or one.confidence >= _BELIEVED]


def _is_phone(row: Row) -> bool:
    """Whether a good part of the readings takes the row for a phone number or an address."""
    total = sum(confidence**4 for _, confidence in row.texts)
    return sum(confidence**4 for text, confidence in row.texts if _PHONE.search(text)) > 0.2 * total


class Agreed(NamedTuple):
    """What readings of one length say together, digit by digit.

    found     as the heaviest of them groups it, with the digits most of them see
    weight    of all of them
    sureness  the share of the weight that sees the digit least agreed on
    rivals    by place, the digit that comes second and its share
    mended    whether the check digit decided between digits, so that it proves nothing any more
    """

    found: Found
    weight: float
    sureness: float
    rivals: tuple[tuple[str, float], ...]
    mended: bool = False

    @property
    def digits(self) -> str:
        return self.found.digits

    def chance(self, place: int) -> float:
        """How much likelier than the first the second digit of a place is."""
        share = self.rivals[place][1]
        return share / (1 - share)

    def rivalled(self, places: Iterable[int]) -> str:
        """The digits with those that come second at some places."""
        return "".join(self.rivals[at][0] if at in places else digit for at, digit in enumerate(self.digits))

    def with_digits(self, digits: str) -> "Agreed":
        """The same groups of other digits, some of which the readings had second."""
        seconds = zip(digits, self.digits, self.rivals, strict=True)
        sureness = min(share if new != old else 1 - share for new, old, (_, share) in seconds)
        return self._replace(found=self.found.saying(digits), sureness=sureness, mended=True)


def _agreed(said: Sequence[tuple[Found, float]]) -> list[Agreed]:
    """Readings that differ in a few digits made one, the heaviest first; those of a part of it have their say, too."""
    weights: dict[str, float] = {}
    for found, weight in said:
        weights[found.digits] = weights.get(found.digits, 0.0) + weight
    left, made = sorted(said, key=lambda one: -weights[one[0].digits]), []
    while left:
        centre = left[0][0].digits
        near = [one for one in left if len(one[0].digits) == len(centre) and _apart(one[0].digits, centre) <= 0.3]
        left = [one for one in left if one not in near]
        parts = [one for one in said if _contains(centre, one[0].digits)]
        made.append(_together(near, parts))
    return made


def _together(near: Sequence[tuple[Found, float]], parts: Sequence[tuple[Found, float]]) -> Agreed:
    centre = near[0][0].digits
    aligned = [(found.digits, weight) for found, weight in near]
    aligned += [(_aligned(found.digits, centre), weight) for found, weight in parts]
    digits, rivals = "", []
    for place in range(len(centre)):
        shares: dict[str, float] = {}
        seen = [(said[place], weight) for said, weight in aligned if said[place] != " "]
        total = sum(weight for _, weight in seen)
        for digit, weight in seen:
            shares[digit] = shares.get(digit, 0.0) + weight / total
        first, *others = sorted(shares, key=lambda digit: -shares[digit])
        digits += first
        rivals.append((others[0], shares[others[0]]) if others else (first, 0.0))
    form = next((found for found, _ in near if found.digits == digits), near[0][0])
    labelled = any(found.labelled for found, _ in near)
    sureness = 1.0 - max(share for _, share in rivals)
    weight = sum(weight for _, weight in near)
    return Agreed(form.saying(digits)._replace(labelled=labelled), weight, sureness, tuple(rivals))


def _aligned(part: str, whole: str) -> str:
    """A part where it stands in the whole, at its start or at its end, spaces elsewhere."""
    at_start = _apart(whole[: len(part)], part) <= _apart(whole[-len(part) :], part)
    return part.ljust(len(whole)) if at_start else part.rjust(len(whole))


def _mended(one: Agreed) -> Agreed:
    """Where a number is of a length that has a check digit and fails it: the likeliest of what readings had second."""
    if len(one.digits) not in SURELY_CHECKED or check_of(one.digits):
        return one
    doubtful = sorted((place for place, (_, share) in enumerate(one.rivals) if share >= _RIVAL), key=one.chance)[-4:]
    ways = [places for count in (1, 2) for places in itertools.combinations(doubtful, count)]
    valid = [(math.prod(map(one.chance, places)), one.rivalled(places)) for places in ways]
    valid = sorted(way for way in valid if check_of(way[1]))[-2:]
    if not valid or (len(valid) > 1 and valid[1][0] < 2 * valid[0][0]):
        return one
    return one.with_digits(valid[-1][1])


def _apart(one: str, other: str) -> float:
    """The share of digits in which two of one length differ."""
    return sum(map(str.__ne__, one, other)) / len(one)


def _contains(one: str, other: str) -> bool:
    """Whether one has all of the other at its start or end, but for a misread digit or two."""
    if len(one) <= len(other):
        return False
    return min(_apart(one[: len(other)], other), _apart(one[-len(other) :], other)) <= 0.2


def _replaces(other: Agreed, one: Agreed, of_box: set[str]) -> bool:
    """Whether another reading of these digits stands instead, since one of them is cut off or has too many."""
    if _contains(other.digits, one.digits):
        return _is_longer_right(other, one, other.digits in of_box)
    return _contains(one.digits, other.digits) and not _is_longer_right(one, other, one.digits in of_box)


def _shared(one: Agreed, other: Agreed) -> float:
    """The weight that speaks for one: its own, and that of what it is a longer or a shorter reading of."""
    related = other is one or _contains(one.digits, other.digits) or _contains(other.digits, one.digits)
    return other.weight if related else 0.0


def _is_longer_right(longer: Agreed, shorter: Agreed, of_box: bool) -> bool:
    """Of two readings, one of which has more digits in front or behind: whether those are printed there.

    A box that ends too early cuts digits off, a number sign or the card's edge adds one or two, edges mostly ones.
    """
    if longer.weight < 0.3 * shorter.weight:
        return False
    if of_box:
        return True
    checks = checks_surely(longer.digits), checks_surely(shorter.digits)
    if checks[0] != checks[1]:
        return checks[0]
    count = len(shorter.digits)
    behind = _apart(longer.digits[:count], shorter.digits) <= 0.2
    if longer.found.labelled and not shorter.found.labelled and not behind:
        return True
    extra = longer.digits[count:] if behind else longer.digits[:-count]
    if len(extra) > 2 and len(set(extra)) > 1:
        return True
    # A short last group of a number whose other groups are alike.
    groups = longer.found.groups
    alike = len(groups) > 2 and len({len(group) for group in groups[:-1]}) == 1
    return behind and alike and groups[-1] == extra and len(shorter.found.groups) == len(groups) - 1


def _candidate(one: Agreed, share: float, row: Row, codes: Sequence[str]) -> NumberCandidate:
    confidence = _confidence(one, share, row, codes)
    return NumberCandidate(one.digits, round(confidence, 3), None if one.mended else check_of(one.digits))


def checks_surely(digits: str) -> bool:
    """Whether a check digit holds at a length that seldom comes without one."""
    return len(digits) in SURELY_CHECKED and check_of(digits) is not None


def _confidence(one: Agreed, share: float, row: Row, codes: Sequence[str]) -> float:
    """0 to 1: how sure one may be of these digits, given how many of the readings say so."""
    found, digits, share = one.found, one.digits, share * one.sureness
    sure = max((confidence for text, confidence in row.texts), default=0.0)
    if any(digits == "".join(filter(str.isdigit, code)) for code in codes):
        return 0.995
    score = 0.30 + 0.35 * share * sure
    score += 0.12 if found.labelled else 0.0
    # One number of ten passes by chance, so a digit that checks does not make up for readings that say otherwise.
    score += 0.25 * share if check_of(digits) and not one.mended else 0.0
    score += 0.08 if _regular(found.groups) else -0.05
    score -= 0.25 if len(digits) < 8 else 0.08 if len(digits) > 19 else 0.0
    score -= 0.45 if len(digits) == 11 and digits.startswith(_DIALLED) else 0.0
    score -= 0.0 if row.whole else 0.35
    return max(0.01, min(0.99, score))


def _regular(groups: Sequence[str]) -> bool:
    """Whether digits are grouped as numbers are: all alike but for the first or the last, or as under an EAN."""
    if len(groups) == 1:
        return True
    sizes = [len(group) for group in groups]
    same = len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
    return same or sizes in ([1, 6, 6], [1, 5, 5, 1], [4, 4]) or (len(set(sizes[1:])) == 1 and sizes[0] <= sizes[1])
