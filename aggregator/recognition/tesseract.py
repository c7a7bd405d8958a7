"""A second opinion on lines in Russian letters: Tesseract, with the data of Debian's `tesseract-ocr-rus`."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

try:
    import tesserocr
except ImportError:  # The text of a card is then left to the other engine.
    tesserocr = None

Pixels = NDArray[Any]

LANGUAGE = "rus"
_FOLDERS = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata")
_MARGIN = 10


def available() -> bool:
    """Whether the binding and its Russian data are installed."""
    return tesserocr is not None and _folder() is not None


class Reader:
    """One engine, which is not for sharing between threads."""

    def __init__(self) -> None:
        self._api = tesserocr.PyTessBaseAPI(
            path=str(_folder()), lang=LANGUAGE, psm=tesserocr.PSM.SINGLE_LINE, oem=tesserocr.OEM.LSTM_ONLY
        )

    def line(self, strip: Pixels) -> tuple[str, float]:
        """The text of an RGB strip and the engine's confidence in it, 0 to 1."""
        grey = dark_on_light(strip)
        self._api.SetImageBytes(grey.tobytes(), grey.shape[1], grey.shape[0], 1, grey.shape[1])
        return self._api.GetUTF8Text().strip(), self._api.MeanTextConf() / 100


def dark_on_light(strip: Pixels) -> Pixels:
    """The strip along the colour axis on which it differs most, the larger part of it light, with a margin."""
    pixels = strip.reshape(-1, 3).astype(np.float32)
    pixels -= pixels.mean(axis=0)
    _, axes = np.linalg.eigh(pixels.T @ pixels)
    tones = pixels @ axes[:, -1]
    low, high = np.percentile(tones, (2, 98))
    grey = ((tones - low) / max(1.0, float(high - low)) * 255).clip(0, 255)
    grey = 255 - grey if np.median(grey) < 128 else grey
    flat: Pixels = grey.reshape(strip.shape[:2]).astype(np.uint8)
    light = int(np.percentile(flat, 80))
    return cv2.copyMakeBorder(flat, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT, value=(light,))


@cache
def _folder() -> Path | None:
    named = os.environ.get("TESSDATA_PREFIX")
    places = [Path(place) for place in ((named,) if named else ()) + _FOLDERS]
    return next((place for place in places if (place / f"{LANGUAGE}.traineddata").is_file()), None)
