"""A reader for the pool's processes that does what its photo says, so that tests can misbehave on purpose."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from aggregator.errors import UnsupportedMedia
from aggregator.recognition.pipeline import Tell
from aggregator.recognition.reading import Line, Reading

NOWHERE = ((0, 0),) * 4


def stepwise(photos: Sequence[bytes], tell: Tell) -> Reading:
    """Tells every photo as a step of its own; one that says `die` ends the process."""
    so_far = Reading()
    for photo in photos:
        if photo == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        if photo == b"nonsense":
            raise RuntimeError("the reader stumbled")
        so_far = Reading(lines=(*so_far.lines, Line(photo.decode(), NOWHERE, 0.1, 1.0)))
        tell(photo.decode(), so_far)
    return so_far


def scripted(photos: Sequence[bytes], tell: Tell) -> Reading:
    """Obeys the first photo, `verb argument`, and answers with its own process id and what the photos say."""
    if photos[0].startswith(b"step"):
        return stepwise(photos, tell)
    verb, _, argument = photos[0].decode().partition(" ")
    match verb:
        case "hang":
            time.sleep(3_600)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stumble":
            raise RuntimeError("the reader stumbled")
        case "refuse":
            raise UnsupportedMedia("not-a-picture", "It is none.")
        case "eat":
            bytearray(int(argument))
        case "wait":
            Path(f"{argument}.started").touch()
            while not Path(argument).exists():
                time.sleep(0.01)
    said = (str(os.getpid()), *(photo.decode() for photo in photos))
    return Reading(lines=tuple(Line(text, NOWHERE, 0.1, 1.0) for text in said))
