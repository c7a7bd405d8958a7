"""PP-OCRv6 step by step: where text is, which way up it is, and how likely each character is along a line.

The weights come with the package `rapidocr` (Apache-2.0); it is not imported, since its own pipeline drops the lines
that it is unsure of, and whole logos with them.
"""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

try:
    import onnxruntime
except ImportError:  # The text of a card is then left to the person.
    onnxruntime = None

Pixels = NDArray[Any]
Quad = NDArray[Any]

STRIP_HEIGHT = 48
MAX_STRIP_WIDTH = 1152
# Strips are padded to a multiple of this, so that a few widths serve all lines.
_STRIP_STEP = 32
_TURN_SIZE = (192, 48)
# The map of text: what counts as text, how sure a whole box must be, and by how much it is shrunken text.
_IS_TEXT = 0.3
_IS_BOX = 0.45
_UNCLIP = 1.6
_LEAST_SIDE = 3
_MOST_BOXES = 120


class Spelling(NamedTuple):
    """Characters read off a line, with their probabilities and the steps of the line they were seen at."""

    text: str
    probabilities: tuple[float, ...]
    steps: tuple[int, ...]

    @property
    def confidence(self) -> float:
        """The mean probability, 0 for no text."""
        return float(np.mean(self.probabilities)) if self.probabilities else 0.0


def available() -> bool:
    """Whether the engine and its weights are installed."""
    return onnxruntime is not None and _folder() is not None


class Models:
    """The three networks, one thread each. Pictures are RGB, uint8, shape (height, width, 3)."""

    def __init__(self) -> None:
        self._finder = _session("PP-OCRv6_det_small.onnx")
        self._reader = _session("PP-OCRv6_rec_small.onnx")
        self._turner = _session("ch_ppocr_mobile_v2.0_cls_mobile.onnx")
        self.alphabet = ("", *self._reader.get_modelmeta().custom_metadata_map["character"].split("\n"), " ")

    def boxes(self, picture: Pixels, width: int) -> list[Quad]:
        """Lines of text, as corners clockwise from the top left, looked for at `width` pixels (a multiple of 32).

        At less, where the picture is a strip that would be more than twice as high.
        """
        tallest, aspect = 2 * width, picture.shape[0] / picture.shape[1]
        width = max(32, round(min(width, tallest / aspect) / 32) * 32)
        height = min(tallest, max(32, round(aspect * width / 32) * 32))
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        (heat,) = self._finder.run(None, {"x": _planes(small[..., ::-1])[None]})
        scale = np.array([picture.shape[1] / width, picture.shape[0] / height], np.float32)
        return [box * scale for box in _boxes(heat[0, 0])]

    def turned(self, strips: Sequence[Pixels]) -> NDArray[np.float32]:
        """How likely each strip stands on its head, 0 to 1."""
        small = [_planes(_padded(strip[..., ::-1], *_TURN_SIZE)) for strip in strips]
        (answers,) = self._turner.run(None, {"x": np.stack(small)})
        likely: NDArray[np.float32] = answers[:, 1]
        return likely

    def signal(self, strip: Pixels) -> NDArray[np.float32]:
        """Probabilities of shape (steps, alphabet) along a strip of STRIP_HEIGHT; column 0 is no character."""
        width = -(-strip.shape[1] // _STRIP_STEP) * _STRIP_STEP
        (answer,) = self._reader.run(None, {"x": _planes(_padded(strip[..., ::-1], width, STRIP_HEIGHT))[None]})
        steps: NDArray[np.float32] = answer[0]
        return steps


def spelled(signal: NDArray[np.float32], alphabet: Sequence[str]) -> Spelling:
    """The likeliest text, by the rule of connectionist temporal classification: repeats merge, blanks part."""
    best = signal.argmax(axis=1)
    kept = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
    text = "".join(alphabet[best[step]] for step in kept)
    return Spelling(text, tuple(float(signal[step, best[step]]) for step in kept), tuple(int(step) for step in kept))


def strip(picture: Pixels, box: Quad) -> Pixels:
    """A box cut out and laid level, STRIP_HEIGHT high; a box far taller than wide is turned to lie."""
    across = max(np.linalg.norm(box[1] - box[0]), np.linalg.norm(box[2] - box[3]))
    down = max(np.linalg.norm(box[3] - box[0]), np.linalg.norm(box[2] - box[1]))
    width = int(np.clip(round(STRIP_HEIGHT * float(across) / max(1.0, float(down))), 8, MAX_STRIP_WIDTH))
    corners = np.array([[0, 0], [width, 0], [width, STRIP_HEIGHT], [0, STRIP_HEIGHT]], np.float32)
    # Drawn at twice the size and shrunk where the photo is finer than the strip, or thin strokes would be lost.
    fine = 2 if down > STRIP_HEIGHT * 1.3 else 1
    warp = cv2.getPerspectiveTransform(np.ascontiguousarray(box, np.float32), corners * fine)
    size = (width * fine, STRIP_HEIGHT * fine)
    cut = cv2.warpPerspective(picture, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cut if fine == 1 else cv2.resize(cut, (width, STRIP_HEIGHT), interpolation=cv2.INTER_AREA)


@cache
def _folder() -> Path | None:
    package = importlib.util.find_spec("rapidocr")
    folder = Path(package.origin).parent / "models" if package and package.origin else None
    return folder if folder and folder.is_dir() else None


def _session(name: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # An arena keeps the most it ever needed for every shape; the system gives it back.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    folder = _folder()
    if folder is None:
        raise FileNotFoundError(name)
    return onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])


def _planes(picture: Pixels) -> NDArray[np.float32]:
    """Three planes from -1 to 1; the weights were trained on BGR."""
    return np.ascontiguousarray((picture.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1))


def _padded(strip: Pixels, width: int, height: int) -> Pixels:
    """The strip `height` high, squeezed or followed by grey up to `width`."""
    natural = min(width, max(1, round(strip.shape[1] * height / strip.shape[0])))
    if strip.shape[:2] != (height, natural):
        strip = cv2.resize(strip, (natural, height), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(strip, 0, 0, 0, width - natural, cv2.BORDER_CONSTANT, value=(127, 127, 127))


def _boxes(heat: NDArray[np.float32]) -> list[Quad]:
    """The boxes of a map of text, in its pixels, the largest first (differentiable binarization's last step)."""
    mask = cv2.dilate((heat > _IS_TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:_MOST_BOXES]:
        centre, size, angle = cv2.minAreaRect(contour)
        if min(size) < _LEAST_SIDE or _sureness(heat, cv2.boxPoints((centre, size, angle))) < _IS_BOX:
            continue
        # The map shows text shrunken by its area over its circumference; a rectangle grows back by as much.
        grown = 2 * _UNCLIP * size[0] * size[1] / (2 * (size[0] + size[1]))
        found.append(_from_top_left(cv2.boxPoints((centre, (size[0] + grown, size[1] + grown), angle))))
    return found


def _sureness(heat: NDArray[np.float32], box: Quad) -> float:
    """The mean of the map under a box."""
    low = np.floor(box.min(axis=0)).astype(int).clip(0)
    high = np.ceil(box.max(axis=0)).astype(int) + 1
    part = heat[low[1] : high[1], low[0] : high[0]]
    under = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(under, [(box - low).astype(np.int32)], 1)
    return float(cv2.mean(part, under)[0])


def _from_top_left(box: Quad) -> Quad:
    """Clockwise from the corner that is top left; a box on its side begins at its upper left all the same."""
    box = box[np.argsort(np.arctan2(*(box - box.mean(axis=0)).T[::-1]))]
    tilts = [abs(float(np.arctan2(*(box[(k + 1) % 4] - box[k])[::-1]))) for k in range(4)]
    return np.roll(box, -int(np.argmin(tilts)), axis=0).astype(np.float32)
