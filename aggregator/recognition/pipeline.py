"""From photos to a Reading, in an ordered list of steps."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from aggregator import images
from aggregator.recognition import barcodes, card, number, text
from aggregator.recognition.barcodes import Sighting
from aggregator.recognition.card import View
from aggregator.recognition.number import Row
from aggregator.recognition.reading import Code, Face, Line, NumberCandidate, Reading

_log = logging.getLogger("karman.recognition")

# What the print of the first photo may take, and that of each further one: together well within a card's time limit.
FRONT_S = 7.0
BACK_S = 2.5


@dataclass(slots=True)
class Sheet:
    """One photo on its way through the steps, and what they have found on it so far."""

    place: int
    photo: bytes
    image: Image.Image = field(init=False)
    views: list[View] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    face: Face | None = None


class Step(NamedTuple):
    """One thing done to a sheet; `name` is where its time is reported."""

    name: str
    run: Callable[[Sheet], None]


def _decode(sheet: Sheet) -> None:
    sheet.image = images.decode(sheet.photo)


def _card(sheet: Sheet) -> None:
    sheet.views = card.views(sheet.image, [sighting.box for sighting in sheet.sightings])


def _barcodes(sheet: Sheet) -> None:
    sheet.sightings = barcodes.sightings(sheet.image, sheet.place)


def _text(sheet: Sheet) -> None:
    """What stands on the card, or on the photo where no card was found; from it also which way is up."""
    if text.available():
        budget_s = FRONT_S if sheet.place == 0 else BACK_S
        found = text.reader().read(sheet.image, sheet.views or [card.WHOLE], budget_s)
        if found.view is not card.WHOLE:
            # Seen whole, a photo may be read better than its card; what is shown is the card all the same.
            sheet.views = [found.view]
        sheet.lines, sheet.rows = found.lines, found.rows


def _face(sheet: Sheet) -> None:
    """Only the first photo shows the face; the others are backs and close-ups. Last, since print tells what is up."""
    if sheet.place == 0:
        sheet.face = card.face(sheet.image, sheet.views[0] if sheet.views else card.WHOLE)


DECODE = Step("decode", _decode)
CARD = Step("card", _card)
BARCODES = Step("barcodes", _barcodes)
FACE = Step("card", _face)
# Codes first: they are told while the rest is still being read.
STEPS = (DECODE, BARCODES, CARD, FACE)
STEPS_WITH_TEXT = (DECODE, BARCODES, CARD, Step("text", _text), FACE)

Tell = Callable[[str, Reading], None]
"""Hears the name of a step that is done with a photo, and all that has been read so far."""


def _unheard(step: str, reading: Reading) -> None:
    pass


def read(photos: Sequence[bytes], tell: Tell = _unheard) -> Reading:
    """Everything the photos of one card say but for print.

    Raises UnsupportedMedia or TooLarge where one of them is no picture or past its bounds (see `images.decode`).
    A later step that fails finds nothing, and the next one goes on.
    """
    return _read(photos, STEPS, tell)


def read_with_text(photos: Sequence[bytes], tell: Tell = _unheard) -> Reading:
    """The same and the printed lines and number, where the engines for them are installed."""
    return _read(photos, STEPS_WITH_TEXT, tell)


def _read(photos: Sequence[bytes], steps: Sequence[Step], tell: Tell) -> Reading:
    spent_ns: Counter[str] = Counter()
    sheets = [Sheet(place, photo) for place, photo in enumerate(photos)]
    for sheet in sheets:
        for step in steps:
            _timed(step, sheet, spent_ns)
            tell(step.name, _so_far(sheets, spent_ns))
        # One decoded photo may take hundreds of megabytes; four at once need not.
        del sheet.image
    return _so_far(sheets, spent_ns)


def _so_far(sheets: Sequence[Sheet], spent_ns: Mapping[str, int]) -> Reading:
    codes = barcodes.merged(sighting for sheet in sheets for sighting in sheet.sightings)
    return Reading(
        codes=codes,
        number=_number((row for sheet in sheets for row in sheet.rows), codes),
        lines=tuple(line for sheet in sheets for line in sheet.lines),
        face=next((sheet.face for sheet in sheets if sheet.face), None),
        timings_ms={name: round(spent / 1_000_000) for name, spent in spent_ns.items()},
    )


def _number(rows: Iterable[Row], codes: Sequence[Code]) -> NumberCandidate | None:
    """The likeliest printed number of all the photos together."""
    try:
        found = number.candidates(rows, [code.text for code in codes])
    except Exception as error:
        _log.exception("the printed number could not be told", exc_info=error)
        return None
    return found[0] if found else None


def warm() -> None:
    """Read a blank picture, so that the first photo does not wait for libraries to load."""
    read([images.encode_webp(Image.new("RGB", (64, 64), "white"), 64, 10_000)])


def warm_text() -> None:
    """Load what reads print, where it is installed."""
    if text.available():
        text.reader()


def _timed(step: Step, sheet: Sheet, spent_ns: Counter[str]) -> None:
    start = time.perf_counter_ns()
    try:
        step.run(sheet)
    except Exception as error:
        if step is DECODE:
            raise
        _log.exception("step %s failed on photo %d", step.name, sheet.place, exc_info=error)
    finally:
        spent_ns[step.name] += time.perf_counter_ns() - start
