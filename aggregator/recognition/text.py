"""The printed lines of a card: found, cut out the right way up and read; every box that was found is kept."""

import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aggregator.recognition import card, letters, number, ppocr, tesseract
from aggregator.recognition.card import View
from aggregator.recognition.number import Row
from aggregator.recognition.ppocr import Models, Quad, Spelling
from aggregator.recognition.reading import Box, Line

Pixels = NDArray[Any]

# The widths at which text is looked for: on a straightened card, and on a whole photo.
CARD_WIDTH = 800
PHOTO_WIDTH = 960
MAX_LINES = 48
# A box this much taller than wide holds a line that runs up or down.
_TALL = 1.5
# Votes on which way is up that weigh less than this share decide nothing.
_CLEAR = 0.2
# A row with as many digits is worth reading again; a word read less surely than this is worth a second opinion.
_DIGITS = 4
_UNSURE = 0.9
_OPINIONS = 4
_OPINION = 0.6
# A line's text is either engine's: below this the large network has not seen Latin letters or digits.
_LATIN = 0.85
# A view that reads as much like a face as this is not doubted.
_ENOUGH = 1.6
_NOTHING = 0.5
# By how much a later view must read better.
_BETTER = 0.12
_PATIENCE = 3.0
# The rim of a straightened card, where the table and round corners look like ones and zeros.
_EDGE = 10
# What each network's digits are worth, in their order: the one for letters is less good at them.
_TRUST = (1.0, 0.85, 1.0)


class Clock:
    """How much of a budget of CPU seconds is spent; on a busy machine all may take `_PATIENCE` times as long."""

    def __init__(self, budget_s: float) -> None:
        self._budget_s = max(budget_s, 1e-9)
        self._start, self._start_wall = time.thread_time(), time.monotonic()

    @property
    def spent(self) -> float:
        """0 at the start, 1 when the time is up."""
        wall = (time.monotonic() - self._start_wall) / _PATIENCE
        return max(time.thread_time() - self._start, wall) / self._budget_s


class Seen(NamedTuple):
    """A strip as each of the networks reads it; `digits` has `*` for all that is neither digit nor space."""

    latin: Spelling
    russian: Spelling
    digits: Spelling


class Printed(NamedTuple):
    """A line: its corners in the picture, clockwise from where its text begins, and all the ways it was read."""

    box: Quad
    seen: Seen
    opinions: tuple[Spelling, ...] = ()

    @property
    def height(self) -> float:
        """Of the box, in pixels of the picture."""
        return float(np.linalg.norm(self.box[3] - self.box[0]) + np.linalg.norm(self.box[2] - self.box[1])) / 2


class Found(NamedTuple):
    """What stands on a photo: lines from top to bottom, rows that may hold a number, and where, upright, it stands."""

    lines: list[Line]
    rows: list[Row]
    view: View

    @property
    def worth(self) -> float:
        """How much like a card's face this reads: letters count up to a name's worth, a number as much again."""
        letters_read = sum(len(line.text) * line.confidence for line in self.lines)
        found = number.candidates(self.rows)
        return min(1.0, letters_read / 8) + (found[0].confidence if found else 0.0)


def available() -> bool:
    """Whether print can be read at all."""
    return ppocr.available()


@cache
def reader() -> "Reader":
    """The engines, loaded once in a process."""
    return Reader()


class Reader:
    """Reads the print in a view of a photo."""

    def __init__(self) -> None:
        self._models = Models()
        self._letters, self._digits = letters.letters(), letters.digits()
        self._tesseract = tesseract.Reader() if tesseract.available() else None

    def read(self, image: Image.Image, views: Sequence[View], budget_s: float = 7.0) -> Found:
        """The print in the first view that reads like a card's face, or in the one that does most.

        After `budget_s` CPU seconds nothing further is begun: smaller lines are left out, and other views.
        """
        best: Found | None = None
        clock = Clock(budget_s)
        for view in views:
            found = self._read(image, view, clock)
            if best is None or found.worth > best.worth + _BETTER:
                best = found
            if best.worth >= _ENOUGH or clock.spent > (1.0 if best.worth < _NOTHING else 0.6):
                break
        if best is None:
            raise ValueError("there is no view to read")
        return best

    def _read(self, image: Image.Image, view: View, clock: "Clock") -> Found:
        picture, to_photo = view.picture(image)
        boxes = self._models.boxes(picture, CARD_WIDTH if view.is_card else PHOTO_WIDTH)[:MAX_LINES]
        boxes, strips, turns = self._upright(picture, boxes)
        printed: list[Printed] = []
        for box, strip in zip(boxes, strips, strict=True):
            if clock.spent < 1:
                printed.append(Printed(box, self._seen(strip)))
        printed = self._seconded(printed, strips)
        short = min(picture.shape[:2])
        order = _order([one.box for one in printed], turns)
        lines = [_line(printed[k], text, to_photo, short) for k in order for text in _texts(printed[k])]
        rows = [self._row(printed[k], picture, clock.spent < 1) for k in order]
        return Found(lines, rows, view.turned(turns))

    def _upright(self, picture: Pixels, boxes: list[Quad]) -> tuple[list[Quad], list[Pixels], int]:
        """The boxes with their corners beginning where text does, strips cut accordingly, and the quarter turns."""
        on_side = _on_side(boxes)
        boxes = [np.roll(box, -1, axis=0) if on_side and _is_tall(box) else box for box in boxes]
        strips = [ppocr.strip(picture, box) for box in boxes]
        on_head = self._on_head(strips)
        if on_head:
            boxes = [np.roll(box, 2, axis=0) for box in boxes]
            strips = [np.ascontiguousarray(strip[::-1, ::-1]) for strip in strips]
        return boxes, strips, ((3 if on_side else 0) + (2 if on_head else 0)) % 4

    def _on_head(self, strips: Sequence[Pixels]) -> bool:
        """Whether lines stand on their heads: by a vote in which long ones weigh more, else by what reads better."""
        long = [strip for strip in strips if strip.shape[1] > 1.5 * strip.shape[0]] or list(strips)
        if not long:
            return False
        weights = np.array([min(strip.shape[1], 480) for strip in long], np.float32)
        vote = float(((self._models.turned(long) - 0.5) * 2 * weights).sum() / weights.sum())
        if abs(vote) > _CLEAR:
            return vote > 0
        widest = sorted(long, key=lambda strip: -strip.shape[1])[:3]
        as_is = sum(max(spelling.confidence for spelling in self._seen(strip)[:2]) for strip in widest)
        turned = sum(max(spelling.confidence for spelling in self._seen(strip[::-1, ::-1])[:2]) for strip in widest)
        return turned > as_is

    def _seen(self, strip: Pixels) -> Seen:
        signal = self._models.signal(strip)
        latin = ppocr.spelled(signal, self._models.alphabet)
        return Seen(latin, self._letters.spelled(signal), self._digits.spelled(signal))

    def _seconded(self, printed: list[Printed], strips: Sequence[Pixels]) -> list[Printed]:
        """The lines, the tallest that are read unsurely with a second opinion on their Russian letters."""
        if self._tesseract is None:
            return printed
        tallest = sorted(range(len(printed)), key=lambda place: -printed[place].height)[:_OPINIONS]
        for place in tallest:
            if printed[place].seen.russian.confidence < _UNSURE:
                said, confidence = self._tesseract.line(strips[place])
                if confidence > _OPINION and letters.is_russian(said):
                    printed[place] = printed[place]._replace(opinions=(Spelling(said, (confidence,), (0,)),))
        return printed

    def _row(self, printed: Printed, picture: Pixels, in_time: bool) -> Row:
        """The row for the number: where digits stand in it, read again along all of the card and with more contrast.

        Boxes end too early where embossed digits are faint, and part a number at its wider gaps.
        """
        readings = [*printed.seen]
        if max(sum(map(str.isdigit, one.text)) for one in readings) >= _DIGITS and in_time and not _settled(readings):
            band = ppocr.strip(picture, _lengthened(printed.box, picture.shape))
            for again in (band, card.contrasted(band, (1, 8))):
                readings += self._seen(again)
                if _settled(readings):
                    break
        height, width = picture.shape[:2]
        inside = bool((printed.box > 3).all() and (printed.box < (width - 3, height - 3)).all())
        texts = tuple((one.text, one.confidence * _TRUST[place % 3]) for place, one in enumerate(readings))
        return Row(texts, printed.height, inside)


def _settled(readings: Sequence[Spelling]) -> bool:
    """Whether two readings agree surely on one number, and its check digit holds or they are half of all."""
    found = [number.found_in(one.text) for one in readings if one.confidence > 0.95]
    numbers = [one[0].digits for one in found if len(one) == 1]
    most = max(numbers, key=numbers.count, default="")
    agreed = numbers.count(most) if most else 0
    return agreed > 1 and (number.checks_surely(most) or agreed > 2)


def _lengthened(box: Quad, shape: Sequence[int]) -> Quad:
    """A box drawn out both ways along its text to where the picture ends, but no longer than a strip may be."""
    height, width = shape[:2]
    along = (box[1] + box[2] - box[0] - box[3]) / 2
    across, down = _sides(box)
    along = along / max(1.0, float(np.linalg.norm(along)))
    most = (ppocr.MAX_STRIP_WIDTH / ppocr.STRIP_HEIGHT * down - across) / 2
    back = min(_way_out(corner, -along, width, height) for corner in (box[0], box[3]))
    on = min(_way_out(corner, along, width, height) for corner in (box[1], box[2]))
    back, on = (max(0.0, min(far, most)) for far in (back, on))
    longer: Quad = box + np.stack([-along * back, along * on, along * on, -along * back])
    return longer


def _way_out(point: Pixels, way: Pixels, width: int, height: int) -> float:
    """How far it is from a point to the edge of the picture."""
    limits = [(limit - place) / step for place, step, limit in _edges_ahead(point, way, width, height)]
    return float(min(limits, default=0.0))


def _edges_ahead(point: Pixels, way: Pixels, width: int, height: int) -> Iterator[tuple[float, float, float]]:
    for axis, end in ((0, width), (1, height)):
        if abs(way[axis]) > 1e-3:
            yield float(point[axis]), float(way[axis]), float(end - _EDGE if way[axis] > 0 else _EDGE)


def _sides(box: Quad) -> tuple[float, float]:
    return float(np.linalg.norm(box[1] - box[0])), float(np.linalg.norm(box[3] - box[0]))


def _is_tall(box: Quad) -> bool:
    across, down = _sides(box)
    return down > _TALL * across


def _on_side(boxes: Sequence[Quad]) -> bool:
    """Whether more of the text runs up or down than across."""
    areas = [(across * down, down > _TALL * across) for across, down in map(_sides, boxes)]
    return sum(area for area, tall in areas if tall) > sum(area for area, tall in areas if not tall)


def _order(boxes: Sequence[Quad], turns: int) -> list[int]:
    """Which box comes first, second, …: from top to bottom once the picture is upright, then from left to right."""
    down = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)][turns])
    along = np.array([(1, 0), (0, -1), (-1, 0), (0, 1)][turns])
    middles = [box.mean(axis=0) for box in boxes]
    return sorted(range(len(boxes)), key=lambda k: (float(middles[k] @ down), float(middles[k] @ along)))


def _texts(printed: Printed) -> Iterator[Spelling]:
    """What a line says: the reading in its own alphabet, and the other one where that may be right, too."""
    latin, russian, _ = printed.seen
    if not letters.is_russian(russian.text):
        yield latin if latin.text.strip() else russian
        return
    # The large network leaves Russian letters out; what it reads as fully as the small one may well be Latin.
    if latin.confidence > _LATIN and _count(latin.text) >= 0.8 * _count(russian.text):
        yield from sorted((latin, russian), key=lambda one: -one.confidence)
    else:
        yield russian
    yield from printed.opinions


def _count(text: str) -> int:
    return sum(map(str.isalnum, text))


def _line(printed: Printed, spelling: Spelling, to_photo: Pixels, short: int) -> Line:
    corners = cv2.perspectiveTransform(printed.box[None].astype(np.float32), to_photo)[0].round().astype(int)
    first, second, third, fourth = ((int(x), int(y)) for x, y in corners)
    box: Box = (first, second, third, fourth)
    text = " ".join(spelling.text.split())
    return Line(text, box, round(printed.height / short, 4), round(spelling.confidence, 3))
