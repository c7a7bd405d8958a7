"""Upright crops of a place with bars: turned, scaled, and with bars that fan out in perspective made parallel."""

import math

import cv2
import numpy as np

from aggregator.recognition.locate import Place
from aggregator.recognition.views import Matrix, Pixels, View

# Added at either end of the bars, as a share of their extent: the quiet zone, and what the locating step cut off.
_MARGIN = 0.18
# Bars say the same all along their length: rows beyond this many are squeezed together, which also averages noise.
_MOST_HEIGHT = 200


def crop(pixels: Pixels, place: Place, name: str, width: int) -> View:
    """The place with its bars upright and `width` pixels from the first to the last of them."""
    to_photo, size = _turned(place, width)
    turned = _warped(pixels, to_photo, size, place.along / width)
    lean, fan = _slopes(turned)
    ends = (size[0] * _MARGIN / (1 + 2 * _MARGIN), size[0] * (1 + _MARGIN) / (1 + 2 * _MARGIN))
    if max(abs(lean), abs(fan) * size[0] / 2) * size[1] < 1:
        return View(name, turned, to_photo, ends)
    to_photo = to_photo @ _four_points(lean, fan, size)
    return View(name, _warped(pixels, to_photo, size, place.along / width), to_photo, ends)


def _turned(place: Place, width: int) -> tuple[Matrix, tuple[int, int]]:
    """The rotation from an upright crop of this size to the photo."""
    step = max(place.along, 8.0) / width
    columns = round(width * (1 + 2 * _MARGIN))
    rows = max(round(min(max(place.across, 8.0) / step, _MOST_HEIGHT)), 8)
    stretch = max(place.across, 8 * step) / rows / step
    right, down = math.cos(place.angle) * step, math.sin(place.angle) * step
    x = place.x - right * columns / 2 + down * stretch * rows / 2
    y = place.y - down * columns / 2 - right * stretch * rows / 2
    return np.array([[right, -down * stretch, x], [down, right * stretch, y], [0, 0, 1]]), (columns, rows)


def _warped(pixels: Pixels, to_photo: Matrix, size: tuple[int, int], step: float) -> Pixels:
    """A crop smaller than its place is drawn from a blurred photo only in effect: the mean of the pixels below it."""
    smooth = cv2.INTER_CUBIC if step < 1.4 else cv2.INTER_LINEAR
    flags = smooth | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(pixels, to_photo, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _slopes(turned: Pixels) -> tuple[float, float]:
    """How far the bars lean (pixels in x a pixel down) at the crop's middle, and how that changes a pixel to the right.

    A line fitted to the slopes of all edges, by weight of the edge; edges far from the line are left out in turn.
    """
    soft = cv2.GaussianBlur(turned, (3, 3), 0)
    cut = slice(turned.shape[1] // 12, -(turned.shape[1] // 12))
    dx = np.asarray(cv2.Scharr(soft, cv2.CV_32F, 1, 0))[:, cut]
    dy = np.asarray(cv2.Scharr(soft, cv2.CV_32F, 0, 1))[:, cut]
    xs = np.arange(dx.shape[1], dtype=np.float32) - dx.shape[1] / 2
    strength = np.abs(dx)
    slopes = -dy / np.where(strength < 1, np.float32(1), dx)
    weights = np.where(strength < 0.15 * strength.max(), 0.3 * strength, strength)
    lean = fan = 0.0
    for tolerance in (0.5, 0.25, 0.12):
        kept = weights * (np.abs(slopes - (lean + fan * xs)) < tolerance)
        lean, fan = _line(xs, kept.sum(0), (kept * slopes).sum(0)) or (lean, fan)
    widest = 0.8 / turned.shape[1]
    return float(np.clip(lean, -0.6, 0.6)), float(np.clip(fan, -widest, widest))


def _line(xs: np.ndarray, weights: np.ndarray, sums: np.ndarray) -> tuple[float, float] | None:
    """Weighted least squares of sums / weights over xs: its value at 0 and its slope; None where they are not fixed."""
    count, first, second = float(weights.sum()), float((weights * xs).sum()), float((weights * xs * xs).sum())
    total, moment = float(sums.sum()), float((sums * xs).sum())
    spread = count * second - first * first
    if spread <= 1e-3 * count * second:
        return None
    return (total * second - moment * first) / spread, (moment * count - total * first) / spread


def _four_points(lean: float, fan: float, size: tuple[int, int]) -> Matrix:
    """From a crop with parallel bars to one whose bars lean and fan out like these, by its four corners."""
    width, height = size
    straight = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    leaning = straight.copy()
    leaning[:, 0] += (lean + fan * (straight[:, 0] - width / 2)) * (straight[:, 1] - height / 2)
    return np.asarray(cv2.getPerspectiveTransform(straight, leaning), np.float64)
