"""A view: the photo itself or a straightened piece of it, which knows where in the photo its pixels come from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from aggregator.recognition.reading import Box, Point

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

# What the names of straightened crops begin with.
CROP = "place"


@dataclass(frozen=True, slots=True)
class View:
    """Grey pixels to read.

    name        tells this view from the photo's others; `plain` is the photo as it came
    to_photo    3 x 3 homography from these pixels to the photo's
    ends        on a straightened crop, where the bars seem to begin and to end (x in pixels)
    treated     whether the pixels were changed to bring bars out, and may now show some that are not there
    """

    name: str
    pixels: Pixels
    to_photo: Matrix
    ends: tuple[float, float] = (0.0, 0.0)
    treated: bool = False

    @property
    def as_taken(self) -> bool:
        """Whether this is the photo or a piece of it as it lies there, so that symbols may lie any way."""
        return self.ends == (0.0, 0.0)

    def changed(self, name: str, pixels: Pixels) -> "View":
        """The same place with other pixels, whose size may be a multiple of this one's."""
        factor = self.pixels.shape[1] / pixels.shape[1]
        ends = (self.ends[0] / factor, self.ends[1] / factor)
        return replace(
            self,
            name=f"{self.name}, {name}",
            pixels=pixels,
            to_photo=self.to_photo @ np.diag([factor, factor, 1.0]),
            ends=ends,
            treated=True,
        )

    def box(self, corners: Sequence[tuple[float, float]]) -> Box:
        """Four corners of this view as places in the photo."""
        first, second, third, fourth = (self._place(x, y) for x, y in corners)
        return (first, second, third, fourth)

    def _place(self, x: float, y: float) -> Point:
        u, v, w = self.to_photo @ np.array([x, y, 1.0])
        return (round(float(u / w)), round(float(v / w)))


def whole(pixels: Pixels, most: int | None = None) -> View:
    """The photo itself; with more than `most` pixels, reduced by a whole factor that leaves fewer."""
    height, width = pixels.shape
    factor = math.ceil(math.sqrt(width * height / most)) if most else 1
    if factor > 1:
        size = (max(1, width // factor), max(1, height // factor))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return View("plain", pixels, np.diag([width / pixels.shape[1], height / pixels.shape[0], 1.0]))
