"""Pictures from strangers: decoded within bounds, upright, in RGB, and written again without their metadata."""

import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image

from aggregator.errors import TooLarge, UnsupportedMedia

try:
    import pillow_heif
except ImportError:  # No wheel for this system: photos of iPhones are then refused, and sent again as JPEG.
    HEIC = False
else:
    HEIC = True
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

MAX_PIXELS = 50_000_000
MAX_BYTES = 12 * 1024 * 1024
# What cameras, browsers and screenshots produce. Every further decoder is one more way in.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", *(("HEIF",) if HEIC else ()))
# WebP cannot be larger than this on either side, and no camera is.
MAX_SIDE = 16_383

# Pillow looks at the size in more places than we can (a GIF frame beyond its screen, say); it warns only, unless told.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUALITIES = (80, 65, 50, 35)


def decode(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, target_side: int | None = None
) -> Image.Image:
    """The picture in `data` as RGB: upright by its EXIF orientation, an animation's first frame, on white where clear.

    With `target_side` a JPEG far larger than that many pixels is decoded at a fraction of its size (never below it),
    which saves most of the work; other formats come as they are.
    Raises UnsupportedMedia `not-a-picture` for what is no JPEG, PNG, WebP, GIF or HEIC or is cut off, and TooLarge
    `too-large` past `max_bytes` or `max_pixels` (at most MAX_PIXELS), before a pixel is decoded.
    """
    if len(data) > max_bytes:
        raise TooLarge("too-large", f"A picture may have at most {max_bytes} bytes.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(image, max_pixels)
        if target_side is not None:
            image.draft("RGB", (target_side, target_side))
        image.load()
        _check_size(image, max_pixels)
        orientation = _orientation(image)
        return _upright(_rgb(image), orientation)
    except (TooLarge, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise _too_many_pixels(max_pixels) from bomb
    except Exception as error:
        # Decoders fed hostile bytes raise nearly anything (OSError, SyntaxError, struct.error, IndexError…); all of it
        # means that this is no picture.
        raise UnsupportedMedia(
            "not-a-picture", "This file is not a whole JPEG, PNG, WebP, GIF or HEIC picture."
        ) from error


def encode_webp(image: Image.Image, max_side: int, max_bytes: int) -> bytes:
    """`image` as WebP: no side above `max_side` pixels, at most `max_bytes`, no metadata.

    Quality gives way first, size after that; raises ValueError only where not even 16 pixels fit.
    """
    for side in _sides(max_side):
        small = _within(image, side)
        for quality in _QUALITIES:
            data = _webp(small, quality)
            if len(data) <= max_bytes:
                return data
    raise ValueError(f"no picture of {max_bytes} bytes can be made")


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(max_pixels)


def _too_many_pixels(max_pixels: int) -> TooLarge:
    return TooLarge("too-large", f"A picture may have at most {max_pixels // 1_000_000} megapixels.")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where it is absent or its block is damaged: the pixels are fine all the same."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    """The picture as RGB without its file's metadata; what is RGB already is not copied, since it may be large."""
    if image.mode.startswith(("I", "F")):
        image = _eight_bit(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(layer, mask=layer.getchannel("A"))
        return paper
    plain = image if image.mode == "RGB" else image.convert("RGB")
    plain.info = {}
    return plain


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit; Pillow's own conversion would clip everything above 255 to white."""
    return Image.fromarray((np.asarray(image).clip(0, 65_535).astype(np.uint16) >> 8).astype(np.uint8))


def _sides(max_side: int) -> Iterator[int]:
    side = min(max_side, MAX_SIDE)
    while side >= 16:
        yield side
        side = side * 3 // 4


def _within(image: Image.Image, max_side: int) -> Image.Image:
    scale = max_side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _webp(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, exif=b"", xmp=b"", icc_profile=b"")
    return out.getvalue()
