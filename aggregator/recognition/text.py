"""The printed lines of a picture: found, cut out the right way up and read; every box that was found is kept."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aggregator.recognition import ppocr
from aggregator.recognition.ppocr import Models, Quad, Spelling

Pixels = NDArray[Any]

MAX_LINES = 48
# A box this much taller than wide holds a line that runs up or down.
_TALL = 1.5
# Votes on which way is up that weigh less than this share decide nothing.
_CLEAR = 0.2


class Printed(NamedTuple):
    """A line: its corners in the picture, clockwise from where its text begins, the strip cut out, and its text."""

    box: Quad
    strip: Pixels
    spelling: Spelling

    @property
    def height(self) -> float:
        """Of the box, in pixels."""
        return float(np.linalg.norm(self.box[3] - self.box[0]) + np.linalg.norm(self.box[2] - self.box[1])) / 2


class Page(NamedTuple):
    """The lines from top to bottom, and how many quarter turns clockwise set the picture upright."""

    lines: list[Printed]
    turns: int


def read(picture: Pixels, models: Models, width: int) -> Page:
    """All lines of an RGB picture that may lie any way up, looked for at `width` pixels."""
    boxes = models.boxes(picture, width)[:MAX_LINES]
    on_side = _on_side(boxes)
    boxes = [np.roll(box, -1, axis=0) if on_side and _is_tall(box) else box for box in boxes]
    strips = [ppocr.strip(picture, box) for box in boxes]
    turned = _on_head(strips, models)
    if turned:
        boxes = [np.roll(box, 2, axis=0) for box in boxes]
        strips = [np.ascontiguousarray(strip[::-1, ::-1]) for strip in strips]
    turns = (3 if on_side else 0) + (2 if turned else 0)
    lines = [Printed(box, strip, _spelled(strip, models)) for box, strip in zip(boxes, strips, strict=True)]
    return Page(_in_order(lines, turns % 4), turns % 4)


def _sides(box: Quad) -> tuple[float, float]:
    return float(np.linalg.norm(box[1] - box[0])), float(np.linalg.norm(box[3] - box[0]))


def _is_tall(box: Quad) -> bool:
    across, down = _sides(box)
    return down > _TALL * across


def _on_side(boxes: Sequence[Quad]) -> bool:
    """Whether more of the text runs up or down than across."""
    areas = [(across * down, down > _TALL * across) for across, down in map(_sides, boxes)]
    return sum(area for area, tall in areas if tall) > sum(area for area, tall in areas if not tall)


def _on_head(strips: Sequence[Pixels], models: Models) -> bool:
    """Whether the lines stand on their heads: by a vote in which long lines weigh more, else by what reads better."""
    long = [strip for strip in strips if strip.shape[1] > 1.5 * strip.shape[0]] or list(strips)
    if not long:
        return False
    weights = np.array([min(strip.shape[1], 480) for strip in long], np.float32)
    vote = float(((models.turned(long) - 0.5) * 2 * weights).sum() / weights.sum())
    if abs(vote) > _CLEAR:
        return vote > 0
    widest = sorted(long, key=lambda strip: -strip.shape[1])[:3]
    as_is = sum(_spelled(strip, models).confidence for strip in widest)
    return sum(_spelled(strip[::-1, ::-1], models).confidence for strip in widest) > as_is


def _spelled(strip: Pixels, models: Models) -> Spelling:
    return ppocr.spelled(models.signal(strip), models.alphabet)


def _in_order(lines: list[Printed], turns: int) -> list[Printed]:
    """From top to bottom once the picture is upright, lines of one height from left to right."""
    down = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)][turns])
    along = np.array([(1, 0), (0, -1), (-1, 0), (0, 1)][turns])
    return sorted(lines, key=lambda line: (float(line.box.mean(axis=0) @ down), float(line.box.mean(axis=0) @ along)))
