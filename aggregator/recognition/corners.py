"""The four corners of a card in a photo: outlines proposed from colours and edges, fitted, and judged by one score."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

# ISO/IEC 7810 ID-1, millimetres.
CARD_MM = (85.60, 53.98)
ASPECT = CARD_MM[0] / CARD_MM[1]
# From this score on the outline is a card's.
SURE = 0.62

_SIDE = 640
# A card takes at least this share of the photo, and sides differ from those of ID-1 by no more than perspective does.
_LEAST_AREA = 0.07
_MOST_AREA = 0.97
_WORST_ASPECT = 1.45
_SAMPLES = 48
# How far beside a side its two colours are compared, in pixels of the small picture, and what difference is an edge.
_REACH = 3.0
_CONTRAST = 9.0
_CANDIDATES = 8

Pixels = NDArray[Any]
Quad = NDArray[Any]


class Outline(NamedTuple):
    """Corners in pixels, shape (4, 2), clockwise in the photo and beginning where a card lying as it is seen has its
    top left; `score` 0 to 1."""

    quad: Quad
    score: float


def find(photo: Pixels) -> Outline | None:
    """The most card-like outline of an RGB photo of shape (height, width, 3), None where nothing comes near one."""
    scale = min(1.0, _SIDE / max(photo.shape[:2]))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else photo
    if min(small.shape[:2]) < 32:
        return None
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.2), cv2.COLOR_RGB2LAB).astype(np.float32)
    rough = sorted((_judged(quad, lab) for quad in _proposals(lab)), key=lambda found: -found.score)[:_CANDIDATES]
    best = max((_refined(found, lab) for found in rough), key=lambda found: found.score, default=None)
    return None if best is None else Outline((lying(best.quad) / np.float32(scale)).astype(np.float32), best.score)


def lying(quad: Quad) -> Quad:
    """The same corners, clockwise from the one that is top left when the long sides are turned level the short way."""
    centre = quad.mean(axis=0)
    around = np.arctan2(*(quad - centre).T[::-1])
    quad = quad[np.argsort(around)]
    if _length(quad, 0) + _length(quad, 2) < _length(quad, 1) + _length(quad, 3):
        quad = np.roll(quad, -1, axis=0)
    top, bottom = quad[:2].mean(axis=0), quad[2:].mean(axis=0)
    down = bottom - top
    upside_down = down[1] < 0 if abs(down[1]) > abs(down[0]) * 0.2 else down[0] > 0
    return np.roll(quad, 2, axis=0) if upside_down else quad


def _length(quad: Quad, side: int) -> float:
    return float(np.linalg.norm(quad[(side + 1) % 4] - quad[side]))


# ---------------------------------------------------------------- proposals


def _proposals(lab: Pixels) -> Iterator[Quad]:
    least = _LEAST_AREA * lab.shape[0] * lab.shape[1]
    for mask in _masks(lab):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:3]:
            hull = cv2.convexHull(contour)
            if cv2.contourArea(hull) >= least and (quad := _four_lines(hull)) is not None:
                yield quad
    yield from _by_segments(lab)


def _masks(lab: Pixels) -> Iterator[Pixels]:
    """Pictures of 0 and 255 where the card may be one blob: what differs from the border, and what edges enclose."""
    far = _unlike_border(lab)
    otsu, _ = cv2.threshold(far, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    for level in (otsu, otsu * 0.6, 14.0):
        _, mask = cv2.threshold(far, level, 255, cv2.THRESH_BINARY)
        yield _solid(mask, 5)
    edges = _edges(lab)
    for width in (3, 7):
        closed = cv2.dilate(edges, np.ones((width, width), np.uint8))
        yield closed
        yield _enclosed(closed)


def _unlike_border(lab: Pixels) -> Pixels:
    """Distance of every pixel from the nearest of the colours that the photo's border has."""
    height, width = lab.shape[:2]
    rim = max(3, round(0.02 * min(height, width)))
    strips = (lab[:rim], lab[-rim:], lab[:, :rim], lab[:, -rim:])
    border = np.concatenate([strip.reshape(-1, 3) for strip in strips])
    border = border[:: max(1, len(border) // 3000)]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 8, 1.0)
    cv2.setRNGSeed(1)
    unset = np.zeros((len(border), 1), np.int32)
    _, labels, centres = cv2.kmeans(border, 4, unset, criteria, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=4) / len(border)
    weighed = np.array([1.0, 1.6, 1.6], np.float32)
    kept = [centre for centre, share in zip(centres, shares, strict=True) if share > 0.08]
    distances = [np.linalg.norm((lab - centre) * weighed, axis=2) for centre in kept]
    nearest: Pixels = np.minimum.reduce(distances).clip(0, 255).astype(np.uint8)
    return nearest


def _edges(lab: Pixels) -> Pixels:
    eight = lab.astype(np.uint8)
    found = [cv2.Canny(np.ascontiguousarray(eight[..., channel]), 25, 60) for channel in range(3)]
    strongest: Pixels = np.maximum.reduce(found)
    return strongest


def _solid(mask: Pixels, width: int) -> Pixels:
    kernel = np.ones((width, width), np.uint8)
    return cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))


def _enclosed(walls: Pixels) -> Pixels:
    """What cannot be reached from the photo's border without crossing a wall."""
    padded = cv2.copyMakeBorder(walls, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 128)
    return np.where(padded[1:-1, 1:-1] == 128, 0, 255).astype(np.uint8)


def _four_lines(hull: Pixels) -> Quad | None:
    """The quadrilateral of four lines fitted to the straight parts of a hull; rounded corners do not count."""
    box = cv2.boxPoints(cv2.minAreaRect(hull))
    start = _coarse(hull)
    points = _dense(hull.reshape(-1, 2).astype(np.float32))
    return _fitted(points, box if start is None else start)


def _coarse(hull: Pixels) -> Quad | None:
    """A hull of many corners as four, where that is possible without moving far."""
    length = cv2.arcLength(hull, True)
    for tolerance in (0.02, 0.03, 0.05, 0.08):
        corners = cv2.approxPolyDP(hull, tolerance * length, True)
        if len(corners) == 4:
            return corners.reshape(4, 2).astype(np.float32)
    return None


def _dense(polygon: Quad) -> Quad:
    """Points every two pixels or so along a closed polygon."""
    parts = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        count = max(1, int(np.linalg.norm(end - start) / 2))
        parts.append(start + (end - start) * np.linspace(0, 1, count, endpoint=False)[:, None])
    return np.concatenate(parts).astype(np.float32)


def _fitted(points: Quad, corners: Quad) -> Quad | None:
    """Each side of `corners` moved onto the points that lie along its middle."""
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        length = float(np.linalg.norm(along))
        if length < 8:
            return None
        unit = along / length
        place = (points - start) @ unit / length
        aside = np.abs((points - start) @ np.array([-unit[1], unit[0]]))
        near = points[(place > 0.1) & (place < 0.9) & (aside < 0.06 * length + 3)]
        if len(near) < 6:
            lines.append((start, unit))
            continue
        x_dir, y_dir, x, y = cv2.fitLine(near, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append((np.array([x, y]), np.array([x_dir, y_dir])))
    return _crossings(lines)


def _crossings(lines: list[tuple[Pixels, Pixels]]) -> Quad | None:
    corners = [_crossing(*lines[side - 1], *lines[side]) for side in range(4)]
    return None if any(corner is None for corner in corners) else np.array(corners, np.float32)


def _crossing(point: Pixels, way: Pixels, other: Pixels, other_way: Pixels) -> Pixels | None:
    across = float(way[0] * other_way[1] - way[1] * other_way[0])
    if abs(across) < 0.2:
        return None
    gap = other - point
    crossing: Pixels = point + way * (gap[0] * other_way[1] - gap[1] * other_way[0]) / across
    return crossing


def _by_segments(lab: Pixels) -> Iterator[Quad]:
    """Quadrilaterals of the longest straight edges, two of each of two directions."""
    lines = _long_lines(lab)
    for first, second in itertools.combinations(range(len(lines)), 2):
        if not _parallel(lines[first], lines[second]):
            continue
        crossing = [line for place, line in enumerate(lines) if place not in (first, second)]
        for third, fourth in itertools.combinations(crossing, 2):
            if _parallel(third, fourth) and not _parallel(lines[first], third, 50):
                quad = _crossings([lines[first][:2], third[:2], lines[second][:2], fourth[:2]])
                if quad is not None:
                    yield quad


def _long_lines(lab: Pixels) -> list[tuple[Pixels, Pixels, float]]:
    """At most eleven lines, (point, direction, angle in degrees), the longest first, none of them twice."""
    reach = max(lab.shape[:2])
    segments = cv2.HoughLinesP(_edges(lab), 1, np.pi / 240, 50, minLineLength=reach * 0.14, maxLineGap=reach * 0.02)
    if segments is None:
        return []
    found: list[tuple[Pixels, Pixels, float]] = []
    for x1, y1, x2, y2 in sorted(segments.reshape(-1, 4).astype(float), key=lambda s: -np.hypot(*(s[2:] - s[:2]))):
        start, way = np.array([x1, y1]), np.array([x2 - x1, y2 - y1])
        way /= np.linalg.norm(way)
        angle = float(np.degrees(np.arctan2(way[1], way[0])) % 180)
        if not any(_same((start + way * 20, way, angle), other) for other in found):
            found.append((start, way, angle))
        if len(found) == 11:
            break
    return found


def _same(one: tuple[Pixels, Pixels, float], other: tuple[Pixels, Pixels, float]) -> bool:
    gap = one[0] - other[0]
    aside = abs(gap[0] * other[1][1] - gap[1] * other[1][0])
    return _parallel(one, other, 4) and bool(aside < 6)


def _parallel(one: tuple[Pixels, Pixels, float], other: tuple[Pixels, Pixels, float], within: float = 22) -> bool:
    apart = abs(one[2] - other[2])
    return min(apart, 180 - apart) < within


# ---------------------------------------------------------------- judging


def _judged(quad: Quad, lab: Pixels) -> Outline:
    """How much a quadrilateral looks like a card: straight contrast along all of it, and the proportions of ID-1."""
    height, width = lab.shape[:2]
    quad = _clockwise(quad)
    area = cv2.contourArea(quad) / (height * width)
    outside = max(0.0, float(-quad.min()), float((quad - (width, height)).max()))
    if not (_LEAST_AREA < area < _MOST_AREA) or outside > 0.03 * max(height, width) or not cv2.isContourConvex(quad):
        return Outline(quad, 0.0)
    off = _off_aspect(quad)
    if off > np.log(_WORST_ASPECT) or _skew(quad) > 0.45:
        return Outline(quad, 0.0)
    support = [_support(quad[side], quad[(side + 1) % 4], lab) for side in range(4)]
    score = 0.6 * float(np.mean(support)) + 0.4 * min(support) - 0.55 * off - 0.25 * _skew(quad) + 0.12 * area**0.5
    return Outline(quad, max(0.0, score))


def _clockwise(quad: Quad) -> Quad:
    centre = quad.mean(axis=0)
    return np.ascontiguousarray(quad[np.argsort(np.arctan2(*(quad - centre).T[::-1]))], np.float32)


def _off_aspect(quad: Quad) -> float:
    """The logarithm of how far the sides are from those of ID-1, however the card lies."""
    one, other = _length(quad, 0) + _length(quad, 2), _length(quad, 1) + _length(quad, 3)
    return abs(float(np.log(max(one, other) / max(1.0, min(one, other)) / ASPECT)))


def _skew(quad: Quad) -> float:
    """By how much opposite sides differ, 0 where none do."""
    pairs = [(_length(quad, side), _length(quad, side + 2)) for side in (0, 1)]
    return max(abs(float(np.log(max(one, 1.0) / max(other, 1.0)))) for one, other in pairs)


def _support(start: Quad, end: Quad, lab: Pixels) -> float:
    """The share of a side along which the two colours beside it differ."""
    inner, outer = _beside(start, end, lab, _REACH)
    return float((np.linalg.norm(inner - outer, axis=1) > _CONTRAST).mean())


def _beside(start: Quad, end: Quad, lab: Pixels, reach: float) -> tuple[Pixels, Pixels]:
    """The colours on both sides of a line, its rounded corners left out."""
    along = end - start
    normal = np.array([-along[1], along[0]], np.float32) / max(1e-6, float(np.linalg.norm(along)))
    points = start + along * np.linspace(0.06, 0.94, _SAMPLES, dtype=np.float32)[:, None]
    return _at(lab, points + normal * reach), _at(lab, points - normal * reach)


def _at(lab: Pixels, points: Quad) -> Pixels:
    height, width = lab.shape[:2]
    x = points[:, 0].round().astype(int).clip(0, width - 1)
    y = points[:, 1].round().astype(int).clip(0, height - 1)
    colours: Pixels = lab[y, x]
    return colours


# ---------------------------------------------------------------- refining


def _refined(found: Outline, lab: Pixels) -> Outline:
    """Each side moved to the strongest edge within a few pixels, twice; the outline as it was where that is worse."""
    for reach in (7, 4):
        if found.score == 0:
            return found
        lines = [_snapped(found.quad[side], found.quad[(side + 1) % 4], lab, reach) for side in range(4)]
        quad = _crossings(lines)
        if quad is not None and (moved := _judged(quad, lab)).score >= found.score - 0.02:
            found = moved
    return found


def _snapped(start: Quad, end: Quad, lab: Pixels, reach: int) -> tuple[Pixels, Pixels]:
    """A line, as point and direction, through the strongest edges near a side."""
    along = end - start
    normal = np.array([-along[1], along[0]], np.float32) / max(1e-6, float(np.linalg.norm(along)))
    points = start + along * np.linspace(0.06, 0.94, _SAMPLES * 2, dtype=np.float32)[:, None]
    steps = np.arange(-reach - 1, reach + 2, dtype=np.float32)
    places = points[:, None] + normal * steps[:, None]
    colours = _between(lab, places)
    slopes = np.linalg.norm(colours[:, 2:] - colours[:, :-2], axis=2)
    strongest = slopes.argmax(axis=1)
    firm = slopes.max(axis=1) > _CONTRAST / 2
    if firm.sum() < _SAMPLES // 2:
        return start, along / max(1e-6, float(np.linalg.norm(along)))
    edge = places[np.arange(len(points)), strongest + 1][firm].astype(np.float32)
    x_dir, y_dir, x, y = cv2.fitLine(edge, cv2.DIST_WELSCH, 0, 0.01, 0.01).ravel()
    return np.array([x, y]), np.array([x_dir, y_dir])


def _between(lab: Pixels, places: Pixels) -> Pixels:
    """Colours between pixels."""
    places = places.astype(np.float32)
    return cv2.remap(lab, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
