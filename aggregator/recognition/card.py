"""The card's look: a small picture of the photo and the colour that stands out in it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aggregator.images import encode_webp
from aggregator.recognition.reading import Face

FACE_SIDE = 800
FACE_BYTES = 120_000

_SAMPLE_SIDE = 64
_HUES = 24
# Below these a pixel counts as paper, table or shadow: saturation and value of HSV, both from 0 to 1.
_COLOURFUL = 0.3
_LIT = 0.2
# A face is colourful when at least this share of it is.
_SHARE = 0.04

Pixels = NDArray[np.floating]


def face(image: Image.Image) -> Face:
    """A WebP of at most FACE_SIDE pixels and FACE_BYTES bytes, and its dominant colour."""
    return Face(encode_webp(image, FACE_SIDE, FACE_BYTES), dominant_colour(image))


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
