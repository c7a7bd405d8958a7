"""Where in a photo bars may be: places whose edges all run one way, by the structure tensor."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from aggregator.recognition.views import Pixels

Field = NDArray[np.float32]

# Bars are found on a photo reduced to this many pixels a side; a code that blurs away at that size is too small.
_SIDE = 480
# The window that edges are gathered in, as a share of that side: a few of the widest bars.
_WINDOW = 1 / 18
_BINS = 36


class Place(NamedTuple):
    """An upright rectangle in a turned frame, in pixels of the photo.

    score   how many pixels' worth of parallel edges it holds
    angle   from the photo's x axis to the direction across the bars, in radians
    along   its length in that direction, `across` the bars' own length
    """

    score: float
    x: float
    y: float
    angle: float
    along: float
    across: float


class Edges(NamedTuple):
    """Mean direction of the edges around each pixel as a doubled angle (cosine and sine), and how many there are."""

    cosine: Field
    sine: Field
    amount: Field


def places(pixels: Pixels, most: int = 4) -> list[Place]:
    """The likeliest places of bars, best first; none on a picture too small to hold any."""
    height, width = pixels.shape
    if min(height, width) < 8:
        return []
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    window = max(7, int(max(small.shape) * _WINDOW) | 1)
    edges = _edges(np.asarray(small, np.uint8), window)
    found = [place for angle in _angles(edges) for place in _along(edges, angle, window)]
    best = sorted(found, reverse=True)[:most]
    return [_scaled(place, width / size[0], height / size[1]) for place in best]


def _edges(small: Pixels, window: int) -> Edges:
    """Every edge counts about the same, however strong: faint bars beside a hard border must be seen too."""
    soft = cv2.GaussianBlur(small, (3, 3), 0)
    dx = np.asarray(cv2.Scharr(soft, cv2.CV_32F, 1, 0))
    dy = np.asarray(cv2.Scharr(soft, cv2.CV_32F, 0, 1))
    squared = dx * dx + dy * dy
    strength = np.sqrt(squared)
    weight = strength / (strength + np.float32(max(60.0, 0.7 * float(strength.mean()))))
    unit = weight / (squared + np.float32(1))
    cosine, sine = (dx * dx - dy * dy) * unit, np.float32(2) * dx * dy * unit
    return Edges(_gathered(cosine, window), _gathered(sine, window), _gathered(weight, window))


def _gathered(field: NDArray[Any], window: int) -> Field:
    return np.asarray(cv2.boxFilter(field, -1, (window, window), borderType=cv2.BORDER_REFLECT), np.float32)


def _angles(edges: Edges, most: int = 3) -> Iterator[float]:
    """The directions most edges agree on, at least 30° apart."""
    cosine, sine, amount = (field[::3, ::3] for field in edges)
    strength = np.hypot(cosine, sine)
    chosen = (strength > 0.45 * amount) & (strength > 0.12)
    angles = np.arctan2(sine[chosen], cosine[chosen])
    counts = np.histogram(angles, _BINS, (-np.pi, np.pi), weights=strength[chosen])[0]
    counts = counts + 0.7 * (np.roll(counts, 1) + np.roll(counts, -1))
    taken: list[int] = []
    for bin_ in np.argsort(-counts):
        if len(taken) == most or counts[bin_] <= 0.12 * counts.max():
            return
        if all(min((bin_ - other) % _BINS, (other - bin_) % _BINS) > 3 for other in taken):
            taken.append(int(bin_))
            yield (-np.pi + (bin_ + 0.5) * 2 * np.pi / _BINS) / 2


def _along(edges: Edges, angle: float, window: int) -> Iterator[Place]:
    """The three largest places whose edges run across `angle`."""
    strength = edges.cosine * math.cos(2 * angle) + edges.sine * math.sin(2 * angle)
    enough = max(0.12, 0.45 * float(np.percentile(strength[::4, ::4], 99)))
    mask = ((strength > enough) & (strength > 0.35 * edges.amount)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    for blob in sorted(range(1, count), key=lambda one: -int(stats[one, cv2.CC_STAT_AREA]))[:3]:
        left, top, width, height, area = (int(value) for value in stats[blob])
        if area >= 0.7 * window * window:
            cut = (slice(top, top + height), slice(left, left + width))
            yield _place(edges, cut, labels[cut] == blob)


def _place(edges: Edges, cut: tuple[slice, slice], blob: NDArray[np.bool_]) -> Place:
    cosine, sine = float(edges.cosine[cut][blob].sum()), float(edges.sine[cut][blob].sum())
    angle = math.atan2(sine, cosine) / 2
    ys, xs = np.nonzero(blob)
    xs, ys = xs + cut[1].start, ys + cut[0].start
    right, down = math.cos(angle), math.sin(angle)
    first, last = np.percentile(xs * right + ys * down, [1, 99])
    top, bottom = np.percentile(ys * right - xs * down, [3, 97])
    u, v = float(first + last) / 2, float(top + bottom) / 2
    along, across = float(last - first), float(bottom - top)
    return Place(math.hypot(cosine, sine), u * right - v * down, u * down + v * right, angle, along, across)


def _scaled(place: Place, across_x: float, across_y: float) -> Place:
    x, y = (place.x + 0.5) * across_x - 0.5, (place.y + 0.5) * across_y - 0.5
    return place._replace(x=x, y=y, along=place.along * across_x, across=place.across * across_x)
