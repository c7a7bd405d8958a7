"""The four corners of a card in a photo: outlines proposed from colours and edges, fitted, and judged by one score."""

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
MOST = 2

_SIDE = 640
# A card takes at least this share of the photo, and its sides and angles differ from those of ID-1 by no more than
# perspective makes of them.
_LEAST_AREA, _MOST_AREA = 0.06, 0.97
_WORST_ASPECT = np.log(1.4)
_WORST_SKEW = 0.42
_WORST_COSINE = 0.36
# How far beside a side its two colours are compared, in pixels of the small picture, and what difference is an edge.
_REACHES = (2.0, 3.5)
_CONTRAST = 8.0
_SAMPLES = 40
_CANDIDATES = 14
# Of straight edges the longest so many are tried, in every combination that may be a card.
_LINES = 16
_SHORTEST = 22.0

Pixels = NDArray[Any]
Quad = NDArray[Any]


class Outline(NamedTuple):
    """Corners in pixels, shape (4, 2), clockwise in the photo and beginning where a card lying as it is seen has its
    top left; `score` 0 to 1 or a little more."""

    quad: Quad
    score: float


def find(photo: Pixels) -> list[Outline]:
    """The most card-like outlines of an RGB photo of shape (height, width, 3), at most MOST, the likeliest first.

    They lie in different places: a sheet of paper on the same table may look more like a card than the card does.
    """
    scale = min(1.0, _SIDE / max(photo.shape[:2]))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else photo
    if min(small.shape[:2]) < 32:
        return []
    lab = _seen(small)
    quads = _plausible(_proposals(lab), lab.shape)
    scores = _scores(quads, lab)
    best = np.argsort(-scores)[:_CANDIDATES]
    refined = [_refined(Outline(quads[k], float(scores[k])), lab) for k in best if scores[k] > 0]
    apart: list[Outline] = []
    for found in sorted(refined, key=lambda outline: -outline.score):
        if not any(_overlap(found.quad, other.quad) > 0.25 for other in apart):
            apart.append(found)
    return [Outline(lying(found.quad) / scale, found.score) for found in apart[:MOST]]


def _overlap(quad: Quad, other: Quad) -> float:
    """What two convex quadrilaterals share, as a part of the smaller one."""
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), other.astype(np.float32))
    return float(shared / max(1.0, float(_areas(np.stack([quad, other])).min())))


def _seen(small: Pixels) -> Pixels:
    """The picture in CIE L*a*b*, smoothed, and as light as if it had been taken in good light."""
    smooth = cv2.GaussianBlur(small, (0, 0), 1.2).astype(np.float32)
    light = float(np.percentile(smooth.max(axis=2), 98))
    lit = (smooth * min(3.0, 240 / max(1.0, light))).clip(0, 255).astype(np.uint8)
    seen: Pixels = cv2.cvtColor(lit, cv2.COLOR_RGB2LAB).astype(np.float32)
    return seen


def lying(quad: Quad) -> Quad:
    """The same corners, clockwise from the one that is top left when the long sides are turned level the short way."""
    quad = _clockwise(quad[None])[0]
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    if sides[0] + sides[2] < sides[1] + sides[3]:
        quad = np.roll(quad, -1, axis=0)
    down = quad[2:].mean(axis=0) - quad[:2].mean(axis=0)
    upside_down = down[1] < 0 if abs(down[1]) > abs(down[0]) * 0.2 else down[0] > 0
    return np.roll(quad, 2, axis=0) if upside_down else quad


def _clockwise(quads: Quad) -> Quad:
    """Quadrilaterals of shape (n, 4, 2) with their corners in clockwise order."""
    away = quads - quads.mean(axis=1, keepdims=True)
    order = np.argsort(np.arctan2(away[..., 1], away[..., 0]), axis=1)
    return np.take_along_axis(quads, order[..., None], axis=1)


# ---------------------------------------------------------------- proposals


def _proposals(lab: Pixels) -> Quad:
    """Quadrilaterals of shape (n, 4, 2)."""
    found = [quad for mask in _masks(lab) for quad in _of_blobs(mask)]
    blobs = np.array(found, np.float32).reshape(-1, 4, 2)
    return np.concatenate([blobs, _of_lines(_long_lines(lab), max(lab.shape[:2]))])


def _of_blobs(mask: Pixels) -> Iterator[Quad]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:3]:
        hull = cv2.convexHull(contour)
        if cv2.contourArea(hull) >= _LEAST_AREA * mask.size:
            yield cv2.boxPoints(cv2.minAreaRect(hull))
            if (corners := _coarse(hull)) is not None:
                yield corners


def _masks(lab: Pixels) -> Iterator[Pixels]:
    """Pictures of 0 and 255 where the card may be one blob: what differs from the border, and what edges enclose."""
    far = _unlike_border(lab)
    otsu, _ = cv2.threshold(far, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    for level in (otsu, otsu * 0.6, 14.0):
        _, mask = cv2.threshold(far, level, 255, cv2.THRESH_BINARY)
        opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        yield cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    edges = _edges(lab)
    for width in (3, 7):
        closed = cv2.dilate(edges, np.ones((width, width), np.uint8))
        yield closed
        yield _enclosed(closed)


def _unlike_border(lab: Pixels) -> Pixels:
    """Distance of every pixel from the nearest of the colours that the photo's border has."""
    rim = max(3, round(0.02 * min(lab.shape[:2])))
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


def _enclosed(walls: Pixels) -> Pixels:
    """What cannot be reached from the photo's border without crossing a wall."""
    padded = cv2.copyMakeBorder(walls, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 128)
    return np.where(padded[1:-1, 1:-1] == 128, 0, 255).astype(np.uint8)


def _coarse(hull: Pixels) -> Quad | None:
    """A hull of many corners as four, where that is possible without moving far."""
    length = cv2.arcLength(hull, True)
    for tolerance in (0.02, 0.03, 0.05, 0.08):
        corners = cv2.approxPolyDP(hull, tolerance * length, True)
        if len(corners) == 4:
            return corners.reshape(4, 2).astype(np.float32)
    return None


def _long_lines(lab: Pixels) -> Pixels:
    """At most _LINES straight edges, shape (n, 4): a point and a direction of length 1; those most seen first."""
    detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
    eight = lab.astype(np.uint8)
    # A picture without any segment is answered with None, whatever the stubs say.
    parts: list[Any] = [detector.detect(np.ascontiguousarray(eight[..., channel]))[0] for channel in range(3)]
    segments = np.concatenate([np.zeros((0, 4)), *(part.reshape(-1, 4) for part in parts if part is not None)])
    ways = segments[:, 2:] - segments[:, :2]
    lengths = np.linalg.norm(ways, axis=1)
    kept = np.argsort(-lengths)[: int((lengths > _SHORTEST).sum())]
    return _gathered(segments[kept, :2], ways[kept] / lengths[kept, None], lengths[kept])


def _gathered(starts: Pixels, ways: Pixels, lengths: Pixels) -> Pixels:
    """Segments on one line as that line, by how much of it was seen."""
    lines, weights = [], []
    free = np.ones(len(starts), bool)
    middles = starts + ways * lengths[:, None] / 2
    for k in range(len(starts)):
        if not free[k]:
            continue
        level = np.abs(ways @ np.array([-ways[k, 1], ways[k, 0]])) < 0.06
        aside = np.abs((middles - middles[k]) @ np.array([-ways[k, 1], ways[k, 0]])) < 4
        same = free & level & aside
        free &= ~same
        lines.append((*middles[k], *ways[k]))
        weights.append(float(np.sqrt((lengths[same] ** 2).sum())))
    order = np.argsort(weights)[::-1][:_LINES]
    return np.array(lines, np.float64).reshape(-1, 4)[order]


def _of_lines(lines: Pixels, reach: int) -> Quad:
    """Every two lines of one direction with every two across them, as quadrilaterals of shape (n, 4, 2)."""
    one, other = np.triu_indices(len(lines), 1)
    leaning = np.abs(lines[one, 2] * lines[other, 3] - lines[one, 3] * lines[other, 2])
    normals = np.stack([-lines[one, 3], lines[one, 2]], axis=1)
    apart = np.abs(((lines[other, :2] - lines[one, :2]) * normals).sum(axis=1))
    pairs = np.stack([one, other], axis=1)[(leaning < 0.42) & (apart > 0.1 * reach)]
    first, second = np.triu_indices(len(pairs), 1)
    way, across = lines[pairs[first, 0], 2:], lines[pairs[second, 0], 2:]
    square = np.abs((way * across).sum(axis=1)) < 0.5
    one, other = pairs[first[square]].T
    third, fourth = pairs[second[square]].T
    corners = [
        _crossings(lines[a], lines[b]) for a, b in ((one, third), (third, other), (other, fourth), (fourth, one))
    ]
    return np.stack(corners, axis=1).astype(np.float32) if len(one) else np.zeros((0, 4, 2), np.float32)


def _crossings(lines: Pixels, others: Pixels) -> Quad:
    """Where lines of shape (n, 4) cross others; far outside where they hardly do."""
    across = lines[:, 2] * others[:, 3] - lines[:, 3] * others[:, 2]
    across = np.where(np.abs(across) < 0.05, 1e-9, across)
    gap = others[:, :2] - lines[:, :2]
    place = (gap[:, 0] * others[:, 3] - gap[:, 1] * others[:, 2]) / across
    crossings: Quad = (lines[:, :2] + lines[:, 2:] * place[:, None]).clip(-1e6, 1e6)
    return crossings


# ---------------------------------------------------------------- judging


def _plausible(quads: Quad, shape: tuple[int, ...]) -> Quad:
    """Those that a card may look like, clockwise."""
    height, width = shape[:2]
    quads = _clockwise(quads)
    area = _areas(quads) / (height * width)
    margin = 0.03 * max(height, width)
    inside = (quads > -margin).all(axis=(1, 2)) & (quads < (width + margin, height + margin)).all(axis=(1, 2))
    kept: Quad = quads[inside & (area > _LEAST_AREA) & (area < _MOST_AREA)]
    off, skew, cosine = _form(kept)
    shaped: Quad = kept[(off < _WORST_ASPECT) & (skew < _WORST_SKEW) & (cosine < _WORST_COSINE)]
    return shaped


def _areas(quads: Quad) -> Pixels:
    following = np.roll(quads, -1, axis=1)
    areas: Pixels = (quads[..., 0] * following[..., 1] - quads[..., 1] * following[..., 0]).sum(axis=1) / 2
    return areas


def _form(quads: Quad) -> tuple[Pixels, Pixels, Pixels]:
    """The logarithm of how far the sides are from those of ID-1, by how much opposite sides differ, and the cosine of
    the angle that is furthest from a right one."""
    ways = np.roll(quads, -1, axis=1) - quads
    sides = np.linalg.norm(ways, axis=2).clip(1)
    one, other = sides[:, 0] + sides[:, 2], sides[:, 1] + sides[:, 3]
    off = np.abs(np.abs(np.log(one / other)) - np.log(ASPECT))
    skew = np.abs(np.log(sides[:, :2] / sides[:, 2:])).max(axis=1)
    unit = ways / sides[..., None]
    cosine = np.abs((unit * np.roll(unit, -1, axis=1)).sum(axis=2)).max(axis=1)
    return off, skew, cosine


def _scores(quads: Quad, lab: Pixels) -> Pixels:
    """How much each looks like a card: contrast along all of its sides, the proportions of ID-1, and its size."""
    if not len(quads):
        return np.zeros(0)
    support = _support(quads, lab)
    off, skew, cosine = _form(quads)
    area = _areas(quads) / (lab.shape[0] * lab.shape[1])
    scores: Pixels = 0.6 * support.mean(axis=1) + 0.4 * support.min(axis=1) + 0.25 * np.sqrt(area.clip(0))
    scores -= 0.55 * off + 0.25 * skew + 0.35 * cosine
    return scores


def _support(quads: Quad, lab: Pixels) -> Pixels:
    """The share of each side along which the two colours beside it differ, shape (n, 4)."""
    ways = np.roll(quads, -1, axis=1) - quads
    normals = np.stack([-ways[..., 1], ways[..., 0]], axis=-1) / np.linalg.norm(ways, axis=2, keepdims=True).clip(1)
    # Corners of cards are round.
    share = np.linspace(0.07, 0.93, _SAMPLES, dtype=np.float32)[:, None]
    points = quads[:, :, None] + ways[:, :, None] * share
    inner = sum(_at(lab, points + normals[:, :, None] * reach) for reach in _REACHES)
    outer = sum(_at(lab, points - normals[:, :, None] * reach) for reach in _REACHES)
    contrast = np.linalg.norm(inner - outer, axis=-1) / len(_REACHES)
    support: Pixels = (contrast > _CONTRAST).mean(axis=2)
    return support


def _at(lab: Pixels, points: Quad) -> Pixels:
    height, width = lab.shape[:2]
    x = points[..., 0].round().astype(int).clip(0, width - 1)
    y = points[..., 1].round().astype(int).clip(0, height - 1)
    colours: Pixels = lab[y, x]
    return colours


# ---------------------------------------------------------------- refining


def _refined(found: Outline, lab: Pixels) -> Outline:
    """Each side moved to the strongest edge within a few pixels, twice; the outline as it was where that is worse."""
    for reach in (7, 4):
        lines = np.array([_snapped(found.quad[side], found.quad[(side + 1) % 4], lab, reach) for side in range(4)])
        moved = _plausible(_crossings(np.roll(lines, 1, axis=0), lines)[None], lab.shape)
        if len(moved) and (score := float(_scores(moved, lab)[0])) >= found.score - 0.02:
            found = Outline(moved[0], score)
    return found


def _snapped(start: Quad, end: Quad, lab: Pixels, reach: int) -> tuple[float, float, float, float]:
    """A line, as point and direction, through the strongest edges near a side."""
    along = end - start
    length = max(1.0, float(np.linalg.norm(along)))
    normal = np.array([-along[1], along[0]]) / length
    points = start + along * np.linspace(0.06, 0.94, 2 * _SAMPLES)[:, None]
    places = points[:, None] + normal * np.arange(-reach - 1, reach + 2)[:, None]
    colours = _between(lab, places)
    slopes = np.linalg.norm(colours[:, 2:] - colours[:, :-2], axis=2)
    firm = slopes.max(axis=1) > _CONTRAST / 2
    if firm.sum() < _SAMPLES // 2:
        return (*start, *(along / length))
    edge = places[np.arange(len(points)), slopes.argmax(axis=1) + 1][firm].astype(np.float32)
    x_way, y_way, x, y = cv2.fitLine(edge, cv2.DIST_WELSCH, 0, 0.01, 0.01).ravel()
    return (x, y, x_way, y_way)


def _between(lab: Pixels, places: Pixels) -> Pixels:
    """Colours between pixels."""
    places = places.astype(np.float32)
    return cv2.remap(lab, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
