"""The card in a photo: where it lies, how it looks when laid straight, and the colour that stands out in it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aggregator.images import encode_webp
from aggregator.recognition import corners
from aggregator.recognition.reading import Box, Face

FACE_SIDE = 800
FACE_BYTES = 120_000

_SAMPLE_SIDE = 64
_HUES = 24
# Below these a pixel counts as paper, table or shadow: saturation and value of HSV, both from 0 to 1.
_COLOURFUL = 0.3
_LIT = 0.2
# A face is colourful when at least this share of it is.
_SHARE = 0.04

# A straightened card: ID-1 at 300 dots an inch.
CARD_SIZE = (1011, 638)
# How much more than the card a faint view shows.
_WIDER = 1.12
# A whole photo is looked at no larger than this.
_PHOTO_SIDE = 1600
_SEARCH_SIDE = 640

Pixels = NDArray[Any]
Quad = NDArray[Any]


class View(NamedTuple):
    """What is looked at in a photo: the card between its corners, clockwise from its top left, or all of the photo.

    `faint` views are seen with more contrast, and with some of what lies around the card, whose corners may be wrong.
    """

    quad: Quad | None
    score: float
    faint: bool = False

    @property
    def is_card(self) -> bool:
        """Whether a card was found, rather than the whole photo taken."""
        return self.quad is not None

    def picture(self, image: Image.Image) -> tuple[Pixels, Pixels]:
        """The view as RGB pixels, and the matrix of shape (3, 3) from them to the photo's."""
        pixels, to_photo = self._plain(image)
        return (contrasted(pixels, (4, 4)) if self.faint else pixels), to_photo

    def _plain(self, image: Image.Image) -> tuple[Pixels, Pixels]:
        if self.quad is not None:
            middle = self.quad.mean(axis=0)
            return straight(image, middle + (self.quad - middle) * (_WIDER if self.faint else 1.0), CARD_SIZE)
        scale = min(1.0, _PHOTO_SIDE / max(image.size))
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = image if scale == 1 else image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
        return np.asarray(small), np.diag([image.width / size[0], image.height / size[1], 1.0])

    def turned(self, turns: int) -> "View":
        """The card after so many quarter turns clockwise; a whole photo stays as it was taken."""
        return self if self.quad is None else self._replace(quad=np.roll(self.quad, turns, axis=0))


WHOLE = View(None, 0.0)


def views(image: Image.Image, codes: Sequence[Box] = ()) -> list[View]:
    """Where the card in a photo may be, the likeliest first, then with more contrast; the whole photo is always there.

    `codes` are places of codes in the photo: a label with a code on it has the proportions of a card, too.
    """
    scale = min(1.0, _SEARCH_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    stretch = np.array([image.width / size[0], image.height / size[1]])
    outlines = [outline for outline in corners.find(np.asarray(small)) if outline.score >= corners.SURE]
    cards = [(outline.quad * stretch, outline.score) for outline in outlines]
    found = [View(quad, score) for quad, score in cards if not any(_is_code(quad, box) for box in codes)]
    return [*found, found[0]._replace(faint=True), WHOLE] if found else [WHOLE, WHOLE._replace(faint=True)]


def _is_code(quad: Quad, box: Box) -> bool:
    """Whether what was taken for a card is the code or a part of it: they lie in one place, and it is no larger."""
    card, code = np.array(quad, np.float32), cv2.convexHull(np.array(box, np.float32))
    room = cv2.contourArea(card)
    shared, _ = cv2.intersectConvexConvex(card, code)
    return bool(shared > 0.5 * room and room < 2 * cv2.contourArea(code))


def straight(image: Image.Image, quad: Quad, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """The part of a photo between four corners as RGB pixels of `size`, and the matrix from them to the photo's."""
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    shrink = max(1, int(min(sides[0], sides[2]) / size[0]))
    # Averaged first: what draws the perspective looks at single pixels and would skip most of a large photo's.
    small = np.asarray(image.reduce(shrink) if shrink > 1 else image)
    target = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    warp = cv2.getPerspectiveTransform((quad / shrink).astype(np.float32), target)
    flat = cv2.warpPerspective(small, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flat, np.diag([shrink, shrink, 1.0]) @ np.linalg.inv(warp)


def contrasted(pixels: Pixels, tiles: tuple[int, int]) -> Pixels:
    """RGB pixels with their faint differences made strong (contrast limited adaptive histogram equalisation)."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3.0, tileGridSize=tiles).apply(lab[..., 0])
    strong: Pixels = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return strong


def face(image: Image.Image, seen: View = WHOLE) -> Face:
    """A WebP of at most FACE_SIDE pixels and FACE_BYTES bytes, and its dominant colour."""
    if seen.quad is None:
        return Face(encode_webp(image, FACE_SIDE, FACE_BYTES), dominant_colour(image))
    sides = np.linalg.norm(np.roll(seen.quad, -1, axis=0) - seen.quad, axis=1)
    stands = sides[0] + sides[2] < sides[1] + sides[3]
    flat, _ = straight(image, seen.quad, CARD_SIZE[::-1] if stands else CARD_SIZE)
    card = Image.fromarray(flat)
    return Face(encode_webp(card, FACE_SIDE, FACE_BYTES), dominant_colour(card), _box(seen.quad))


def _box(quad: Quad) -> Box:
    first, second, third, fourth = ((round(float(x)), round(float(y))) for x, y in quad)
    return (first, second, third, fourth)


def dominant_colour(image: Image.Image) -> str:
    """The strongest hue as `#rrggbb`, the middle of the photo counting most; without any hue the middle's own tone."""
    small = image.resize((_SAMPLE_SIDE, _SAMPLE_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    field = np.asarray(small, dtype=np.float32) / 255
    pixels = field.reshape(-1, 3)
    weights = _central_weights()
    # Hue from 0 to 360, saturation and value from 0 to 1.
    hue, saturation, value = cv2.cvtColor(field, cv2.COLOR_RGB2HSV).reshape(-1, 3).T
    colourful = (saturation > _COLOURFUL) & (value > _LIT)
    if weights[colourful].sum() < _SHARE * weights.sum():
        return _hex(np.median(pixels[weights > np.median(weights)], axis=0))
    return _hex(_strongest(pixels[colourful], hue[colourful] / 360, weights[colourful] * saturation[colourful]))


def _strongest(pixels: Pixels, hue: Pixels, weights: Pixels) -> Pixels:
    """The median of the pixels around the heaviest hue; neighbouring hues count, so that no border splits a colour."""
    bins = (hue * _HUES).astype(int) % _HUES
    heights = np.bincount(bins, weights, _HUES)
    smooth = heights + (np.roll(heights, 1) + np.roll(heights, -1)) / 2
    distance = np.abs(bins - int(smooth.argmax()))
    near: Pixels = np.median(pixels[np.minimum(distance, _HUES - distance) <= 1], axis=0)
    return near


def _central_weights() -> Pixels:
    """1 in the middle of the sample, falling to nearly nothing at its edges, where the table is."""
    axis = np.sin(np.linspace(0.05, np.pi - 0.05, _SAMPLE_SIDE))
    return np.outer(axis, axis).ravel()


def _hex(colour: Pixels) -> str:
    red, green, blue = (round(float(part) * 255) for part in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"
