"""What the service reads off a photo, as functions that evaluations call: one photo's bytes in, plain values out.

On one thread, as in the service's recognition processes, so that CPU times say what a photo costs there.
"""

import os
from functools import cache
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")

from aggregator import images
from aggregator.merchants.directory import Directory
from aggregator.merchants.evidence import Evidence
from aggregator.merchants.matching import Matcher
from aggregator.merchants.patterns import Patterns
from aggregator.recognition import barcodes, pipeline


def codes(image: bytes) -> list[tuple[str, str]]:
    """Format and text of every code that one photo shows, the likeliest first."""
    return [(code.format, code.text) for code in barcodes.merged(barcodes.sightings(images.decode(image)))]


def card(image: bytes) -> dict[str, Any]:
    """What one photo says of a card: shops, likeliest first, with scores, its number, and its corners in the photo.

    The judge knows the service's whole directory, no country, and no numbers counted from people's cards.
    """
    reading = pipeline.read_with_text([image])
    found = _judge()(reading, None)
    return {
        "merchants": [one.name for one in found],
        "scores": [one.score for one in found],
        "number": reading.number.text if reading.number else None,
        "corners": reading.face.corners if reading.face else None,
    }


@cache
def _judge() -> Evidence:
    directory = Directory.read()
    matcher = Matcher(directory)
    matcher.build()
    return Evidence(matcher, directory, Patterns)
