"""Which readings may stand: agreement of engines and views, and what is known to go wrong without it."""

from collections.abc import Iterable, Sequence

import numpy as np

from aggregator.recognition.engines import Sighting
from aggregator.recognition.reading import Box

# Symbols of the first three carry no check character, so that a fragment may read as a whole; and half the bars of a
# UPC-A may pass for a UPC-E.
_FRAGMENTS = {"code_39", "codabar", "itf", "upc_e"}
_CUT_OFF = {"itf", "upc_e"}
# Amid strong noise the error correction of a PDF417 may settle on a text that nobody printed, but on another at another
# size. That of the square codes was never seen to.
UNSURE_ALONE = {"pdf417"}

Readings = Sequence[Sighting]


def accepted(found: Iterable[Sighting]) -> list[Readings]:
    """The readings that may stand, those of one symbol together."""
    groups: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in found:
        groups.setdefault(sighting.symbol, []).append(sighting)
    standing = [readings for readings in groups.values() if _stands(readings)]
    return [readings for readings in standing if not any(_refutes(other, readings) for other in standing)]


def votes(readings: Readings) -> int:
    """How many (photo, view, engine) triples read this."""
    return len({(reading.photo, reading.variant, reading.engine) for reading in readings})


def _stands(readings: Readings) -> bool:
    """Enough agreement for its kind: a square code needs none, and a check digit on the untouched photo little."""
    first = readings[0]
    if not first.linear:
        return first.format not in UNSURE_ALONE or votes(readings) > 1
    if first.format in _FRAGMENTS:
        return _whole(readings)
    if votes(readings) > 1:
        return True
    if first.engine == "scan-line":
        return first.sure
    return first.variant == "plain"


def _whole(readings: Readings) -> bool:
    """Whether a symbology that a fragment of a symbol may pass for was read twice.

    zbar takes a cut-off ITF for a shorter one, and half a UPC-A for a UPC-E, again and again: zxing-cpp must agree. It
    fails likewise on a turned ITF, where a scan line leaves the bars at their side: it must agree on an upright crop.
    """
    agreeing = [reading for reading in readings if reading.engine != "zbar"]
    if readings[0].format == "itf":
        readings = [reading for reading in readings if not reading.treated]
        agreeing = [reading for reading in readings if reading.engine != "zbar" and reading.upright]
    return votes(readings) > 1 and (bool(agreeing) or readings[0].format not in _CUT_OFF)


def _refutes(other: Readings, readings: Readings) -> bool:
    """Whether these readings are a mistake about bars that others read better.

    One symbol has one text: more votes win. And with a right and a wrong text in one photo the larger symbol was right,
    where the smaller has nothing but one reading.
    """
    if other is readings or not (readings[0].linear and other[0].linear):
        return False
    if not {reading.photo for reading in readings} & {reading.photo for reading in other}:
        return False
    stronger = votes(other) > votes(readings)
    larger = extent(other) > extent(readings)
    if any(_overlap(one.box, two.box) for one in readings for two in other):
        return stronger or (votes(other) == votes(readings) and larger)
    return votes(readings) == 1 and larger and stronger


def extent(readings: Readings) -> float:
    """The length of the symbol: an engine's box may be one scan line high, so that its area says nothing."""
    return max(float(np.ptp(np.array(reading.box), axis=0).max()) for reading in readings)


def _overlap(one: Box, two: Box) -> bool:
    """Whether the middle of one symbol lies within the frame of the other."""
    return _within(one, two) or _within(two, one)


def _within(one: Box, two: Box) -> bool:
    middle = np.array(one).mean(0)
    corners = np.array(two)
    slack = 0.05 * float(np.ptp(corners, axis=0).max()) + 2
    return bool(((corners.min(0) - slack <= middle) & (middle <= corners.max(0) + slack)).all())
