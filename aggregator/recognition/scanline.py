"""EAN-13 and UPC-A from a brightness profile too blurred for edges: the likeliest sequence of digits, by the picture of
each under the blur.

A profile is modelled as the sum of its 95 modules, each spread by the blur. The squared distance to the profile then
falls apart into terms of one digit and of two neighbours, so that the best sequence is found exactly (Viterbi). Idea:
Gallo and Manduchi, "Reading 1D Barcodes with Mobile Phones Using Deformable Templates", IEEE TPAMI 33 (2011).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODULES = 95
# GS1 General Specifications, section 5.2.1.2: number sets A, B and C, and the sets that stand for the first digit.
_A_BITS = (
    *("0001101", "0011001", "0010011", "0111101", "0100011"),
    *("0110001", "0101111", "0111011", "0110111", "0001011"),
)
_A = np.array([[int(bit) for bit in bits] for bits in _A_BITS])
_SETS = np.stack([_A, 1 - _A[:, ::-1], 1 - _A])
_FLAT = _SETS.reshape(30, 7).astype(float)
_FIRST = ["AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"]
_SET_OF = np.array([[*("AB".index(letter) for letter in sets), *[2] * 6] for sets in _FIRST])
_STARTS = np.array([*range(3, 45, 7), *range(50, 92, 7)])
_PLACES = _STARTS[:, None] + np.arange(7)
_WEIGHTS = (3, 1) * 6
_GUARDS = np.isin(np.arange(MODULES), (0, 2, 46, 48, 92, 94)).astype(float)
# Which of the 30 patterns a place may hold: sets A and B on the left, C on the right.
_ALLOWED = [np.arange(20)] * 6 + [np.arange(20, 30)] * 6

# Modules of quiet zone looked at on either side, and samples a module.
_QUIET = 4
_COARSE, _FINE = 2, 4
BLURS = (0.5, 0.8, 1.15, 1.6)


class Answer(NamedTuple):
    """The likeliest number of a profile.

    text    13 digits with a valid check digit
    fit     squared distance to the profile, as a share of the profile's variance; 0 is perfect
    margin  how much worse the second likeliest number is, in the same measure
    ends    x of the first and the last edge
    """

    text: str
    fit: float
    margin: float
    ends: tuple[float, float]

    @property
    def clearness(self) -> float:
        """The lead over the second number in units of what is left unexplained; above 0.3 it was never wrong."""
        return self.margin / max(self.fit, 0.03)


@dataclass(frozen=True)
class Model:
    """What the 95 modules look like at one blur (sigma in modules) and sampling (samples a module)."""

    blur: float
    rate: int

    @cached_property
    def grid(self) -> Floats:
        """Where samples are taken, in modules from the symbol's left edge."""
        return np.arange(-_QUIET * self.rate, (MODULES + _QUIET) * self.rate + 1) / self.rate

    @cached_property
    def spread(self) -> Floats:
        """Samples x modules: what one dark module adds to each sample."""
        distance = (self.grid[:, None] - np.arange(MODULES)) / (self.blur * math.sqrt(2))
        width = 1 / (self.blur * math.sqrt(2))
        error = np.vectorize(math.erf, otypes=[float])
        return np.asarray((error(distance) - error(distance - width)) / 2)

    @cached_property
    def _overlap(self) -> Floats:
        return self.spread.T @ self.spread

    @cached_property
    def _alone(self) -> Floats:
        """Place x pattern: the energy of a pattern by itself and against the guards."""
        guards = self._overlap @ _GUARDS
        blocks = self._overlap[_PLACES[:, :, None], _PLACES[:, None, :]]
        alone: Floats = np.einsum("pi,sij,pj->sp", _FLAT, blocks, _FLAT)
        against: Floats = 2 * guards[_PLACES] @ _FLAT.T
        return alone + against

    @cached_property
    def _beside(self) -> Floats:
        """Place x pattern x next pattern: the energy of neighbours against each other."""
        blocks = self._overlap[_PLACES[:-1, :, None], _PLACES[1:, None, :]]
        beside: Floats = 2 * np.einsum("pi,sij,qj->spq", _FLAT, blocks, _FLAT, optimize=True)
        return beside

    @cached_property
    def _company(self) -> Floats:
        """Place x pattern: the energy against neighbours when nothing is known of them but their sets."""
        mean = np.zeros((12, 30))
        for place, pairs in enumerate(self._beside):
            mean[place] += pairs[:, _ALLOWED[place + 1]].mean(1) / 2
            mean[place + 1] += pairs[_ALLOWED[place]].mean(0) / 2
        return mean

    def energies(self, profiles: Floats) -> tuple[Floats, Floats]:
        """Profile x place x pattern, and what each profile has besides: terms of the squared distance."""
        seen = profiles @ self.spread
        base = (profiles**2).sum(1) - 2 * seen @ _GUARDS + _GUARDS @ self._overlap @ _GUARDS
        return -2 * seen[:, _PLACES] @ _FLAT.T + self._alone, base

    def roughly(self, profiles: Floats) -> Floats:
        """About how far each profile is from its nearest symbol, each digit taken by itself."""
        terms, base = self.energies(profiles)
        terms += self._company
        return np.asarray(terms[:, :6, :20].min(2).sum(1) + terms[:, 6:, 20:].min(2).sum(1) + base)

    def nearest(self, profiles: Floats) -> tuple[Floats, Ints]:
        """Distance to the nearest symbol, and its patterns; whether its number is valid is not asked."""
        terms, base = self.energies(profiles)
        rows = np.arange(len(profiles))
        best = terms[:, 0, _ALLOWED[0]]
        back = []
        for place in range(1, 12):
            here, before = _ALLOWED[place], _ALLOWED[place - 1]
            paths = best[:, :, None] + self._beside[place - 1][np.ix_(before, here)]
            back.append(paths.argmin(1))
            best = paths.min(1) + terms[:, place, here]
        last = best.argmin(1)
        distance = best[rows, last] + base
        chosen = [_ALLOWED[11][last]]
        for place in range(10, -1, -1):
            last = back[place][rows, last]
            chosen.append(_ALLOWED[place][last])
        return distance, np.array(chosen[::-1]).T

    def two_valid(self, profile: Floats) -> list[tuple[float, str]]:
        """The two nearest symbols with a valid first digit and check digit: distance and number, the nearest first."""
        terms, base = self.energies(profile[None])
        sets, digits = np.arange(10), np.arange(10)
        # first digit x digit x sum of the digits so far x rank
        best = np.full((10, 10, 10, 2), 1e18)
        sums = (sets[:, None] + _WEIGHTS[0] * digits) % 10
        best[sets[:, None], digits, sums, 0] = terms[0, 0].reshape(3, 10)[_SET_OF[:, 0]]
        back = []
        for place in range(1, 12):
            pairs = self._beside[place - 1].reshape(3, 10, 3, 10)[_SET_OF[:, place - 1], :, _SET_OF[:, place], :]
            before = (digits[None, :] - _WEIGHTS[place] * digits[:, None]) % 10
            paths = best[sets[:, None, None], :, before[None], :] + pairs.transpose(0, 2, 1)[:, :, None, :, None]
            paths = paths.reshape(10, 10, 10, 20)
            first = paths.argmin(3)[..., None]
            low = np.take_along_axis(paths, first, 3)
            np.put_along_axis(paths, first, np.inf, 3)
            second = paths.argmin(3)[..., None]
            ranked = np.concatenate([low, np.take_along_axis(paths, second, 3)], 3)
            back.append(np.concatenate([first, second], 3))
            best = ranked + terms[0, place].reshape(3, 10)[_SET_OF[:, place]][:, :, None, None]
        ends = best[:, :, 0, :].reshape(-1)
        return [(float(ends[end] + base[0]), _traced(int(end), back)) for end in np.argsort(ends)[:2]]


def _traced(end: int, back: list[Ints]) -> str:
    """The number whose path through the valid sequences ends there."""
    first, digit, rank = (int(value) for value in np.unravel_index(end, (10, 10, 2)))
    total, digits = 0, [digit]
    for place in range(11, 0, -1):
        before = int(back[place - 1][first, digit, total, rank])
        total = (total - _WEIGHTS[place] * digit) % 10
        digit, rank = divmod(before, 2)
        digits.append(digit)
    return "".join(map(str, [first, *reversed(digits)]))


@cache
def _model(blur: float, rate: int) -> Model:
    return Model(blur, rate)


class Start(NamedTuple):
    """A guess where the symbol lies on a profile, which may have been turned round."""

    distance: float
    left: float
    width: float
    turned: bool


def read(profile: Floats, ends: tuple[float, float]) -> Answer | None:
    """The likeliest number on a profile (brightness along x) with bars about between `ends`; None where none fits."""
    settled: list[_Settled] = []
    for start in _starts(profile, ends):
        settled.append(_settled(profile, start))
        if settled[-1].fit < _CLOSE:
            break
    best = min(settled, key=lambda one: one.fit, default=None)
    return None if best is None or best.fit > _LOOSE else _answer(best)


# Closer than this to some symbol, right or wrong, no other start was better; looser, no answer was ever clear.
_CLOSE, _LOOSE = 0.06, 0.25


class _Settled(NamedTuple):
    """A profile sampled where its modules are, as darkness under a known blur; `fit` to any symbol, valid or not."""

    fit: float
    model: Model
    dark: Floats
    ends: tuple[float, float]


def _answer(settled: _Settled) -> Answer:
    first, second = settled.model.two_valid(settled.dark)
    spread = _spread(settled.dark)
    return Answer(first[1], first[0] / spread, (second[0] - first[0]) / spread, settled.ends)


def _spread(dark: Floats) -> float:
    return max(float(((dark - dark.mean()) ** 2).sum()), 1.0)


def bands(pixels: NDArray[np.uint8], shares: Iterable[tuple[float, float]]) -> list[Floats]:
    """Mean brightness along x of horizontal bands of an upright crop, each from a share of its height to another."""
    rows = pixels.shape[0]
    cuts = [pixels[int(rows * top) : max(int(rows * bottom), int(rows * top) + 1)] for top, bottom in shares]
    return [cut.mean(0, dtype=np.float64) for cut in cuts]


def _starts(profile: Floats, ends: tuple[float, float], most: int = 3) -> list[Start]:
    """The best few of a grid of left and right edges, both ways round; places seem wider than they are."""
    module = (ends[1] - ends[0]) / MODULES
    dark = _darkness(profile, 14 * module)
    slack = np.arange(-4, 17, 1.15) * module
    left, right = (side.ravel() for side in np.meshgrid(ends[0] + slack, ends[1] - slack, indexing="ij"))
    model = _model(0.8, _COARSE)
    views = _sampled(dark, left[:, None] + (right - left)[:, None] / MODULES * model.grid)
    spread = np.maximum(((views - views.mean(1, keepdims=True)) ** 2).sum(1), 1)
    found: list[Start] = []
    for turned in (False, True):
        rough = model.roughly(views[:, ::-1] if turned else views) / spread
        best = np.argsort(rough)[:24]
        exact = model.nearest(views[best][:, ::-1] if turned else views[best])[0] / spread[best]
        found += [
            Start(float(distance), float(left[one]), float(right[one] - left[one]) / MODULES, turned)
            for distance, one in zip(exact, best, strict=True)
        ]
    return _apart(sorted(found), most, module)


def _apart(sorted_starts: list[Start], most: int, module: float) -> list[Start]:
    taken: list[Start] = []
    for start in sorted_starts:
        if len(taken) == most or start.distance > _WORST_START:
            break
        if all(_far(start, other) > 2 * module for other in taken):
            taken.append(start)
    return taken


# Beyond this share of unexplained variance a start never led to a right number.
_WORST_START = 0.8


def _far(one: Start, other: Start) -> float:
    if one.turned != other.turned:
        return math.inf
    right = one.left - other.left + (one.width - other.width) * MODULES
    return abs(one.left - other.left) + abs(right)


def _darkness(profile: Floats, window: float) -> Floats:
    """0 for white to 1 for black, as seen against the brightest and the darkest nearby."""
    row = profile.astype(np.float32)[None]
    size = (2 * int(window / 2) + 1, 1)
    kernel = np.ones((1, size[0]), np.uint8)
    high = np.asarray(cv2.blur(cv2.dilate(row, kernel), size))
    low = np.asarray(cv2.blur(cv2.erode(row, kernel), size))
    return np.asarray(((high - row) / np.maximum(high - low, 6))[0], np.float64)


def _sampled(profile: Floats, xs: Floats) -> Floats:
    """Linear interpolation, the ends repeated."""
    inside = np.clip(xs, 0, len(profile) - 1.001)
    floor = inside.astype(np.int64)
    share = inside - floor
    return np.asarray(profile[floor] * (1 - share) + profile[floor + 1] * share)


def _settled(profile: Floats, start: Start, rounds: int = 5) -> _Settled:
    """Fit blur, light and bending to the symbol seen, look again, and so on."""
    model = _model(0.8, _FINE)
    xs = start.left + start.width * model.grid
    step = start.width
    if start.turned:
        xs, step = xs[::-1], -step
    dark = _sampled(_darkness(profile, 14 * start.width), xs)
    distance, (patterns,) = model.nearest(dark[None])
    for turn in range(rounds):
        model, light, contrast, shift = _fitted(_sampled(profile, xs), patterns, BLURS if turn != 1 else (model.blur,))
        xs = xs - shift * step
        dark = (_sampled(profile, xs) - light) / contrast
        before = patterns
        distance, (patterns,) = model.nearest(dark[None])
        if turn >= 2 and np.array_equal(before, patterns):
            break
    edges = sorted((float(xs[_QUIET * _FINE]), float(xs[-_QUIET * _FINE - 1])))
    return _Settled(float(distance[0]) / _spread(dark), model, dark, (edges[0], edges[1]))


def _modules(patterns: Ints) -> Floats:
    dark = _GUARDS.copy()
    dark[_PLACES] = _FLAT[patterns]
    return dark


def _fitted(seen: Floats, patterns: Ints, blurs: Iterable[float]) -> tuple[Model, Floats, Floats, Floats]:
    """The blur that explains these samples best, the light and contrast along them, and how many modules they are off.

    Light and contrast may change slowly along the symbol, and so may the scale: all are polynomials, fitted at once.
    """
    modules = _modules(patterns)
    fits = [_fit(seen, modules, _model(blur, _FINE)) for blur in blurs]
    _, model, weights = min(fits, key=lambda fit: fit[0])
    powers = _powers()
    light = powers[:, :3] @ weights[:3]
    contrast = np.minimum(powers[:, :2] @ weights[3:5], -3.0)
    shift = np.clip(powers @ weights[5:] / contrast, -0.6, 0.6)
    return model, light, contrast, shift


@cache
def _powers() -> Floats:
    place = _model(BLURS[0], _FINE).grid / (MODULES / 2) - 1
    return np.stack([place**power for power in range(4)], 1)


def _fit(seen: Floats, modules: Floats, model: Model) -> tuple[float, Model, Floats]:
    shape = model.spread @ modules
    slope = np.gradient(shape) * _FINE
    powers = _powers()
    columns = np.concatenate([powers[:, :3], powers[:, :2] * shape[:, None], powers * slope[:, None]], 1)
    ridge = np.diag([1e-6] * 5 + [2e-5 * len(seen)] * 4)
    weights = np.linalg.solve(columns.T @ columns + ridge, columns.T @ seen)
    return float(((seen - columns @ weights) ** 2).sum()), model, weights
