"""Faces of cards with print on them, and photos of them lying on a table at an angle; all drawn here."""

import subprocess
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1011, 638
BLUE, TABLE = (24, 60, 160), (176, 160, 140)

Corners = list[tuple[float, float]]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """A bold font with Russian letters, whichever is installed."""
    wanted = ["fc-match", "--format=%{file}", "DejaVu Sans:bold:lang=ru"]
    return ImageFont.truetype(subprocess.run(wanted, check=True, capture_output=True, text=True).stdout, size)


def face(*lines: tuple[str, int, int], colour: tuple[int, int, int] = BLUE) -> Image.Image:
    """A card's face with lines of (text, top, size)."""
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, HEIGHT - 60, WIDTH, HEIGHT], fill=tuple(part // 2 for part in colour))
    for text, top, size in lines:
        draw.text((60, top), text, fill="white", font=font(size))
    return image


def corners_at(angle: float, size: tuple[int, int] = (1600, 1200), share: float = 0.62, lean: float = 0.05) -> Corners:
    """Where a card's corners lie in a photo when it is turned clockwise by `angle` degrees and seen a little askew."""
    wide = share * min(size[0], size[1] * 1.3) / 2
    tall = wide * HEIGHT / WIDTH
    square = np.array([(-wide, -tall), (wide * (1 - lean), -tall), (wide, tall * (1 - lean)), (-wide, tall)])
    radians = np.radians(angle)
    turn = np.array([(np.cos(radians), np.sin(radians)), (-np.sin(radians), np.cos(radians))])
    return [(float(x), float(y)) for x, y in square @ turn + np.array(size) / 2]


def photo(card: Image.Image, corners: Corners, size: tuple[int, int] = (1600, 1200)) -> Image.Image:
    """A card on a table, its corners where they are told to be, with a little grain."""
    start = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
    warp = cv2.getPerspectiveTransform(start, np.array(corners, np.float32))
    table = np.full((size[1], size[0], 3), TABLE, np.uint8)
    drawn = cv2.warpPerspective(np.asarray(card), warp, size, table, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
    grain = np.random.default_rng(5).normal(0, 3, (size[1], size[0], 1))
    return Image.fromarray((drawn + grain).clip(0, 255).astype(np.uint8))
