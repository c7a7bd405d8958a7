"""From photos to a Reading, in an ordered list of steps."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from aggregator import images
from aggregator.recognition import barcodes, card
from aggregator.recognition.barcodes import Sighting
from aggregator.recognition.reading import Face, Reading

_log = logging.getLogger("karman.recognition")


@dataclass(slots=True)
class Sheet:
    """One photo on its way through the steps, and what they have found on it so far."""

    place: int
    photo: bytes
    image: Image.Image = field(init=False)
    face: Face | None = None
    sightings: list[Sighting] = field(default_factory=list)


class Step(NamedTuple):
    """One thing done to a sheet; `name` is where its time is reported."""

    name: str
    run: Callable[[Sheet], None]


def _decode(sheet: Sheet) -> None:
    sheet.image = images.decode(sheet.photo)


def _card(sheet: Sheet) -> None:
    """Only the first photo shows the face; the others are backs and close-ups."""
    if sheet.place == 0:
        sheet.face = card.face(sheet.image)


def _barcodes(sheet: Sheet) -> None:
    sheet.sightings = barcodes.sightings(sheet.image, sheet.place)


DECODE = Step("decode", _decode)
STEPS = (DECODE, Step("card", _card), Step("barcodes", _barcodes))


def read(photos: Sequence[bytes]) -> Reading:
    """Everything the photos of one card say.

    Raises UnsupportedMedia or TooLarge where one of them is no picture or past its bounds (see `images.decode`).
    A later step that fails finds nothing, and the next one goes on.
    """
    spent_ns: Counter[str] = Counter()
    sheets = [Sheet(place, photo) for place, photo in enumerate(photos)]
    for sheet in sheets:
        for step in STEPS:
            _timed(step, sheet, spent_ns)
        # One decoded photo may take hundreds of megabytes; four at once need not.
        del sheet.image
    return Reading(
        codes=barcodes.merged(sighting for sheet in sheets for sighting in sheet.sightings),
        face=next((sheet.face for sheet in sheets if sheet.face), None),
        timings_ms={step.name: round(spent_ns[step.name] / 1_000_000) for step in STEPS},
    )


def warm() -> None:
    """Read a blank picture, so that the first photo does not wait for libraries to load."""
    read([images.encode_webp(Image.new("RGB", (64, 64), "white"), 64, 10_000)])


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
