"""Codes in a photo: an ordered cascade of small steps, the cheap ones first, until enough of them agree."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from aggregator.recognition import engines, locate, scanline, straighten
from aggregator.recognition.engines import Engine, Sighting
from aggregator.recognition.locate import Place
from aggregator.recognition.reading import Code
from aggregator.recognition.views import CROP, Pixels, View, whole
from aggregator.recognition.votes import UNSURE_ALONE, Readings, accepted, votes

__all__ = ["BUDGET", "STEPS", "Sighting", "merged", "sightings"]

_log = logging.getLogger("karman.recognition")

# CPU seconds after which no further step begins on a picture of a million pixels; the longest step ends well within 1 s
# in all. Of larger ones the first two steps alone would leave nothing to the others.
BUDGET = 0.3
# What all steps see, and what the first of them sees of a photo that they read nothing on: it takes 0.05 s a million.
MOST_PIXELS = 3_000_000
MOST_PIXELS_IN_FULL = 12_600_000


@dataclass
class Search:
    """One photo on its way through the steps, and what was read on it so far."""

    photo: int
    plain: View
    found: list[Sighting] = field(default_factory=list)
    deadline: float = float("inf")
    _crops: dict[tuple[int, int], View] = field(default_factory=dict)

    @cached_property
    def places(self) -> list[Place]:
        return locate.places(self.plain.pixels)

    def crop(self, number: int, width: int) -> View:
        """The numbered place, upright; drawn once."""
        key = (number, width)
        if key not in self._crops:
            name = f"{CROP} {number} at {width}"
            crop = straighten.crop(self.plain.pixels, self.places[number], name, width)
            self._crops[key] = replace(crop, to_photo=self.plain.to_photo @ crop.to_photo)
        return self._crops[key]

    def crops(self, width: int, most: int = 3) -> Iterator[View]:
        for number in range(min(most, len(self.places))):
            if self.late:
                return
            yield self.crop(number, width)

    def ask(self, engine: str, view: View) -> None:
        """What one engine reads on one view; an engine that fails says nothing."""
        try:
            self.found.extend(ENGINES[engine](view, self.photo))
        except Exception:
            _log.exception("%s failed on a view of %d x %d", engine, *view.pixels.shape[::-1])

    @property
    def late(self) -> bool:
        return time.thread_time() > self.deadline

    @property
    def done(self) -> bool:
        """Whether something may stand."""
        return bool(accepted(self.found))


class Step(NamedTuple):
    """One thing to try on a photo that nothing before has read; `name` is what tables and switches call it."""

    name: str
    run: Callable[[Search], None]


ENGINES: Mapping[str, Engine] = {"zxing-cpp": engines.zxing, "zbar": engines.zbar}


def sightings(image: Image.Image, photo: int = 0, budget: float = BUDGET) -> list[Sighting]:
    """Every reading of one picture that helped to settle what it says; nothing is raised whatever the picture.

    Steps run in order until something may stand or their time is up, which is `budget` CPU seconds for a picture of a
    megapixel and grows with its side. A large photo is looked at reduced: in most of them a code is large, too. One
    that says nothing then is looked at in full, once.
    """
    grey = np.asarray(image.convert("L"))
    plain = whole(grey, MOST_PIXELS)
    budget *= max(1.0, (plain.pixels.size / 1e6) ** 0.5)
    search = Search(photo, plain, deadline=time.thread_time() + budget)
    _climb(search, STEPS)
    if not search.done and grey.size > search.plain.pixels.size:
        search.plain = whole(grey, MOST_PIXELS_IN_FULL)
        _climb(search, STEPS[:1])
    _confirm(search)
    return search.found


def _climb(search: Search, steps: Iterable[Step]) -> None:
    """Take step after step until something may stand or the time is up."""
    for step in steps:
        try:
            step.run(search)
        except Exception:
            _log.exception("step %s failed on a picture of %d x %d", step.name, *search.plain.pixels.shape[::-1])
        if search.done or search.late:
            return


def merged(found: Iterable[Sighting]) -> tuple[Code, ...]:
    """One Code per symbol that may stand, the likeliest first. Bytes and place are those of the first reading."""
    codes = [_code(readings) for readings in accepted(found)]
    return tuple(sorted(codes, key=lambda code: (code.confidence, code.votes, code.area), reverse=True))


def _code(readings: Readings) -> Code:
    first = readings[0]
    count = votes(readings)
    confidence = _confidence(first, count)
    return Code(
        first.format, first.text, first.raw, count, first.box, confidence, first.encoding, first.gs1, first.photo
    )


def _confidence(first: Sighting, count: int) -> float:
    """How often such a reading is right: shares measured over 449 readings of real photos, rounded down.

    zbar alone guesses the character set of a QR code, and not well.
    """
    if first.engine == "zbar" and count == 1 and not first.text.isascii():
        return 0.7
    return 0.99 if count > 1 or not first.linear else 0.9


# ---------------------------------------------------------------- the steps


def _zxing(search: Search) -> None:
    search.ask("zxing-cpp", search.plain)
    _resize(search, search.plain)


_OTHER_SIZES = (1.25, 0.8, 0.5)
_SMALLEST = _OTHER_SIZES[-1:]


def _resize(search: Search, view: View) -> None:
    """Read what two sizes must agree on at others, too; one that took all the time at the size that takes least."""
    for sighting in [one for one in search.found if one.format in UNSURE_ALONE]:
        around = _around(view, sighting)
        for size in _SMALLEST if search.late else _OTHER_SIZES:
            if search.done:
                return
            pixels = cv2.resize(around.pixels, None, fx=size, fy=size, interpolation=cv2.INTER_LINEAR)
            search.ask("zxing-cpp", around.changed(f"at {size}", np.asarray(pixels, np.uint8)))


def _zbar(search: Search) -> None:
    search.ask("zbar", search.plain)


def _upright(width: int) -> Callable[[Search], None]:
    """Both engines on upright crops of the likeliest places."""

    def run(search: Search) -> None:
        for view in search.crops(width):
            for engine in ENGINES:
                search.ask(engine, view)
            if search.done:
                return

    return run


# Bands of a crop, as shares of its height: apart from each other, so that a scratch or a glint spoils one only.
_BANDS = ((0.4, 0.65), (0.6, 0.9), (0.15, 0.45))
_SURE, _VOTE = 0.3, 0.2


def _scan(search: Search) -> None:
    """The likeliest EAN-13 of blurred bars."""
    for view in search.crops(_SMALL, 2):
        for number, profile in enumerate(scanline.bands(view.pixels, _BANDS)):
            answer = scanline.read(profile, view.ends)
            if search.late:
                return
            if answer is None:  # Not even one like it: these bars are another symbology's, or no bars at all.
                break
            if answer.clearness > _VOTE:
                search.found.append(_scanned(search, view, number, answer))
            if search.done:
                return


def _scanned(search: Search, view: View, number: int, answer: scanline.Answer) -> Sighting:
    (left, right), height = answer.ends, view.pixels.shape[0]
    box = view.box([(left, 0), (right, 0), (right, height), (left, height)])
    name = f"{view.name}, band {number}"
    raw = answer.text.encode()
    sure = answer.clearness > _SURE
    return Sighting("scan-line", search.photo, "ean_13", answer.text, raw, box, None, False, name, sure)


def _treated(name: str, treat: Callable[[Pixels], Pixels], width: int) -> Callable[[Search], None]:
    """Both engines on upright crops whose pixels were changed first."""

    def run(search: Search) -> None:
        for view in search.crops(width, 2):
            changed = view.changed(name, treat(view.pixels))
            for engine in ENGINES:
                search.ask(engine, changed)
            if search.done:
                return

    return run


def _sharpened(pixels: Pixels) -> Pixels:
    soft = cv2.GaussianBlur(pixels, (0, 0), 3)
    return np.asarray(cv2.addWeighted(pixels, 2.5, soft, -1.5, 0), np.uint8)


def _deblurred(pixels: Pixels, sigma: float = 3.0, rounds: int = 10) -> Pixels:
    """Richardson-Lucy along the lines, for a Gaussian blur of `sigma` pixels."""
    seen = pixels.astype(np.float32) + 1
    guess = seen.copy()
    for _ in range(rounds):
        guess *= cv2.GaussianBlur(seen / cv2.GaussianBlur(guess, (0, 1), sigma), (0, 1), sigma)
    darkest, brightest = float(guess.min()), float(guess.max())
    return ((guess - darkest) * (255 / max(brightest - darkest, 1))).astype(np.uint8)


def _evened(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.createCLAHE(3.0, (4, 4)).apply(pixels), np.uint8)


def _doubled(search: Search) -> None:
    """A small photo at twice its size, sharpened: for matrix codes, whose modules may be a pixel or two."""
    if search.plain.pixels.size <= _SMALL_PHOTO:
        twice = cv2.resize(search.plain.pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        view = search.plain.changed("doubled", _sharpened(np.asarray(twice, np.uint8)))
        for engine in ENGINES:
            search.ask(engine, view)
        _resize(search, view)


_SMALL, _LARGE = 420, 800
_SMALL_PHOTO = 400_000

STEPS: tuple[Step, ...] = (
    Step("zxing-cpp", _zxing),
    Step("zbar", _zbar),
    Step("upright", _upright(_SMALL)),
    Step("scan line", _scan),
    Step("upright, larger", _upright(_LARGE)),
    Step("doubled", _doubled),
    Step("CLAHE", _treated("CLAHE", _evened, _LARGE)),
    Step("sharpened", _treated("sharpened", _sharpened, _SMALL)),
    Step("deblurred", _treated("deblurred", _deblurred, _SMALL)),
)


def _confirm(search: Search) -> None:
    """Ask zbar about the place of a lone linear reading, which is much less work than the whole photo."""
    for readings in accepted(search.found):
        if readings[0].linear and votes(readings) == 1:
            search.ask("zbar", _around(search.plain, readings[0]))


def _around(view: View, sighting: Sighting) -> View:
    """A view's pixels around a symbol, quiet zones included; one that is not turned against the photo."""
    corners = np.rint(np.array(sighting.box) / np.diag(view.to_photo)[:2]).astype(int)
    size = np.ptp(corners, axis=0)
    margin = 12 + np.where(size == size.max(), size * 15 // 100, 0)
    left, top = np.maximum(corners.min(0) - margin, 0)
    right, bottom = corners.max(0) + margin
    pixels = view.pixels[top:bottom, left:right]
    to_photo = view.to_photo @ np.array([[1.0, 0, left], [0, 1, top], [0, 0, 1]])
    return View(f"{view.name}, surroundings", pixels, to_photo)
