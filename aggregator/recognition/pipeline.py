"""From photos to a Reading, in an ordered list of steps."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from aggregator import images
from aggregator.recognition import barcodes, card, number, sides, text
from aggregator.recognition.barcodes import Sighting
from aggregator.recognition.card import View
from aggregator.recognition.leash import LEASH
from aggregator.recognition.number import Row
from aggregator.recognition.reading import Code, Face, Line, NumberCandidate, Reading

_log = logging.getLogger("karman.recognition")

# What the print of one photo may take, and that of all together: well within a card's time limit.
TEXT_S = 7.0
ALL_TEXT_S = 14.0


@dataclass(slots=True)
class Sheet:
    """One photo on its way through the steps, and what they have found on it so far."""

    place: int
    photo: bytes
    text_s: float = TEXT_S
    views: list[View] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    face: Face | None = None
    _image: Image.Image | None = None

    @property
    def image(self) -> Image.Image:
        """The photo upright, decoded again where its pixels were let go; raises what `images.decode` does."""
        if self._image is None:
            self._image = images.decode(self.photo)
        return self._image

    @property
    def pixels(self) -> int:
        """How many are held in memory."""
        return self._image.width * self._image.height if self._image else 0

    def let_go(self) -> None:
        """Hold no pixels any longer."""
        self._image = None


class Step(NamedTuple):
    """One thing done to a sheet; `name` is where its time is reported.

    cpu_s   no photo but one made to do harm takes so many seconds of CPU
    """

    name: str
    run: Callable[[Sheet], None]
    cpu_s: float


def _decode(sheet: Sheet) -> None:
    _ = sheet.image


def _card(sheet: Sheet) -> None:
    sheet.views = card.views(sheet.image, [sighting.box for sighting in sheet.sightings])


def _barcodes(sheet: Sheet) -> None:
    sheet.sightings = barcodes.sightings(sheet.image, sheet.place)


def _text(sheet: Sheet) -> None:
    """What stands on the card, or on the photo where no card was found; from it also which way is up."""
    if text.available():
        found = text.reader().read(sheet.image, sheet.views or [card.WHOLE], sheet.text_s)
        if found.view is not card.WHOLE:
            # Seen whole, a photo may be read better than its card; what is shown is the card all the same.
            sheet.views = [found.view]
        sheet.lines, sheet.rows = found.lines, found.rows


def _face(sheet: Sheet) -> None:
    sheet.face = card.face(sheet.image, sheet.views[0] if sheet.views else card.WHOLE)


DECODE = Step("decode", _decode, 10)
CARD = Step("card", _card, 4)
BARCODES = Step("barcodes", _barcodes, 2.5)
TEXT = Step("text", _text, TEXT_S + 3)
FACE = Step("card", _face, 4)
# Each round is done with every photo before the next begins, so that codes are told while the rest is still being read.
# The face comes after them all, of one photo only: print tells up from down and front from back.
STEPS = ((DECODE, BARCODES), (CARD,))
STEPS_WITH_TEXT = ((DECODE, BARCODES), (CARD, TEXT))

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


def _read(photos: Sequence[bytes], rounds: Sequence[Sequence[Step]], tell: Tell) -> Reading:
    spent_ns: Counter[str] = Counter()
    text_s = min(TEXT_S, ALL_TEXT_S / len(photos))
    sheets = [Sheet(place, photo, text_s) for place, photo in enumerate(photos)]

    def do(step: Step, sheet: Sheet) -> None:
        _timed(step, sheet, spent_ns)
        tell(step.name, _so_far(sheets, spent_ns))

    for steps in rounds:
        for sheet in sheets:
            for step in steps:
                do(step, sheet)
            _let_go(sheets)
    do(FACE, _front_first(sheets)[0])
    return _so_far(sheets, spent_ns)


def _let_go(sheets: Sequence[Sheet]) -> None:
    """Hold no more pixels than one photo may have: that is hundreds of megabytes, and four at once need not be."""
    if sum(sheet.pixels for sheet in sheets) > images.MAX_PIXELS:
        for sheet in sheets:
            sheet.let_go()


def _so_far(sheets: Sequence[Sheet], spent_ns: Mapping[str, int]) -> Reading:
    codes = barcodes.merged(sighting for sheet in sheets for sighting in sheet.sightings)
    # Where there are more lines than can be looked at, it is the back's that are left out.
    in_order = _front_first(sheets)
    front = in_order[0]
    return Reading(
        codes=codes,
        number=_number((row for sheet in in_order for row in sheet.rows), codes),
        lines=tuple(line for sheet in in_order for line in sheet.lines),
        face=front.face,
        front=front.place,
        back=sides.back([sheet.lines for sheet in sheets], front.place),
        timings_ms={name: round(spent / 1_000_000) for name, spent in spent_ns.items()},
    )


def _front_first(sheets: Sequence[Sheet]) -> list[Sheet]:
    front = sheets[sides.front([sheet.lines for sheet in sheets])]
    return [front, *(sheet for sheet in sheets if sheet is not front)]


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
        with LEASH.within(step.cpu_s):
            step.run(sheet)
    except Exception as error:
        if step is DECODE:
            raise
        _log.exception("step %s failed on photo %d", step.name, sheet.place, exc_info=error)
    finally:
        spent_ns[step.name] += time.perf_counter_ns() - start
