"""Pictures from strangers: what is read, what is refused, and that nothing of the file but its pixels comes through."""

import contextlib
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from aggregator.errors import TooLarge, UnsupportedMedia
from aggregator.images import HEIC, MAX_PIXELS, decode, encode_webp
from tests import samples

KINDS = ("JPEG", "PNG", "WEBP", "GIF")
HALVES = Image.new("RGB", (64, 48), "white")
HALVES.paste((200, 30, 40), (0, 0, 32, 48))


def near(left, right, tolerance=24):
    return left.size == right.size and int(np.asarray(ImageChops.difference(left, right)).max()) <= tolerance


@pytest.mark.parametrize("kind", KINDS)
def test_what_cameras_and_browsers_write_is_read_as_rgb(kind):
    image = decode(samples.encoded(HALVES.resize((640, 480), Image.Resampling.NEAREST), kind))
    assert image.mode == "RGB"
    assert image.size == (640, 480)
    assert near(image.crop((16, 16, 288, 464)), Image.new("RGB", (272, 448), (200, 30, 40)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9])
def test_a_truncated_picture_is_no_picture(kind, share):
    noisy = Image.effect_noise((300, 200), 90).convert("RGB")
    data = samples.encoded(noisy, kind)
    with pytest.raises(UnsupportedMedia) as refusal:
        decode(data[: int(len(data) * share)])
    assert refusal.value.code == "not-a-picture"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"%PDF-1.7\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 9]
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(UnsupportedMedia):
        decode(data)


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "ICO", "PPM", "TGA", "PCX", "ICNS", "JPEG2000", "AVIF"])
def test_formats_no_camera_sends_are_refused_although_pillow_reads_them(kind):
    with pytest.raises(UnsupportedMedia):
        decode(samples.encoded(HALVES.resize((64, 64)), kind))


@pytest.mark.parametrize(
    "data",
    [
        samples.png(20_000, 10_000, b""),
        samples.jpeg_announcing(20_000, 10_000),
        samples.gif_with_a_frame_beyond_its_screen(),
        samples.png_bomb(),
    ],
    ids=["png header", "jpeg header", "gif frame", "png bomb"],
)
def test_two_hundred_megapixels_are_refused_before_a_pixel_is_decoded(data):
    tracemalloc.start()
    with pytest.raises(TooLarge) as refusal:
        decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusal.value.code == "too-large"
    assert peak < 5_000_000


def test_a_comment_that_swells_to_200_megabytes_is_no_picture():
    with pytest.raises(UnsupportedMedia):
        decode(samples.png_text_bomb())


def test_the_bounds_are_those_the_caller_names():
    data = samples.encoded(HALVES, "PNG")
    assert decode(data, max_pixels=64 * 48, max_bytes=len(data)).size == (64, 48)
    with pytest.raises(TooLarge):
        decode(data, max_pixels=64 * 48 - 1)
    with pytest.raises(TooLarge):
        decode(data, max_bytes=len(data) - 1)


def test_a_picture_at_the_bound_is_read_in_full():
    assert decode(samples.encoded(Image.new("L", (10_000, MAX_PIXELS // 10_000)), "PNG")).size == (10_000, 5_000)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_comes_out_the_way_it_was_seen(orientation):
    seen = HALVES.resize((320, 240), Image.Resampling.NEAREST)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = seen.transpose(Image.Transpose(undo[orientation])) if orientation in undo else seen
    upright = decode(samples.with_exif(stored, orientation))
    assert upright.size == (320, 240)
    assert near(upright.crop((8, 8, 150, 232)), Image.new("RGB", (142, 224), (200, 30, 40)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_huge_exif_block_costs_nothing_and_leaves_nothing(kind):
    image = decode(samples.with_exif(HALVES, 6, padding=60_000, kind=kind))
    assert image.size == (48, 64)
    assert not image.info
    assert len(encode_webp(image, 64, 100_000)) < 3_000


def test_a_damaged_exif_block_does_not_cost_the_picture():
    data = samples.with_exif(HALVES, 6)
    place = data.index(b"Exif\x00\x00") + 6
    assert decode(data[:place] + b"\xff" * 16 + data[place + 16 :]).mode == "RGB"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_its_first_frame(kind):
    image = decode(samples.animation(kind))
    assert near(image, samples.code("ean_13", "4607001234562"), tolerance=60)


@pytest.mark.parametrize("mode", ["CMYK", "L", "YCbCr"])
def test_jpegs_of_other_colour_models_keep_their_colours(mode):
    red = Image.new("RGB", (64, 64), (200, 30, 40)).convert(mode)
    assert near(decode(samples.encoded(red)), red.convert("RGB"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_png_mode_is_read(mode):
    image = decode(samples.encoded(HALVES.convert(mode), "PNG"))
    assert near(image, HALVES.convert(mode).convert("RGB"))


def test_sixteen_bit_grey_keeps_its_shades():
    shades = Image.fromarray(np.arange(0, 65_536, 256, dtype=np.uint16).reshape(16, 16))
    grey = np.asarray(decode(samples.encoded(shades, "PNG")))[:, :, 0]
    assert (grey.ravel() == np.arange(256)).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_black_bars_on_nothing_are_seen_on_white(kind):
    bars = samples.code("ean_13", "4607001234562").convert("L")
    clear = Image.merge("RGBA", [Image.new("L", bars.size)] * 3 + [ImageChops.invert(bars)])
    options = {"lossless": True} if kind == "WEBP" else {}
    assert near(decode(samples.encoded(clear, kind, **options)), bars.convert("RGB"))


def test_a_huge_jpeg_is_decoded_smaller_when_a_small_one_will_do():
    data = samples.encoded(Image.new("RGB", (4_000, 3_000), (200, 30, 40)))
    small = decode(data, target_side=700)
    assert max(small.size) < 4_000
    assert min(small.size) >= 700
    assert decode(data).size == (4_000, 3_000)


@pytest.mark.parametrize(("side", "most"), [(800, 200_000), (800, 20_000), (400, 4_000), (64, 900)])
def test_webp_keeps_to_its_bounds_and_carries_no_metadata(side, most):
    noisy = Image.effect_noise((1_200, 900), 60).convert("RGB")
    noisy.info = {"exif": b"Exif\x00\x00secret", "xmp": b"secret", "icc_profile": b"secret"}
    data = encode_webp(noisy, side, most)
    again = Image.open(io.BytesIO(data))
    assert again.format == "WEBP"
    assert len(data) <= most
    assert max(again.size) <= side
    assert abs(again.width / again.height - 4 / 3) < 0.1
    assert b"secret" not in data
    assert not again.getexif()


def test_a_small_picture_is_not_blown_up():
    assert Image.open(io.BytesIO(encode_webp(HALVES, 800, 100_000))).size == (64, 48)


def test_a_very_long_picture_still_fits():
    strip = Image.new("RGB", (20_000, 3), "red")
    assert Image.open(io.BytesIO(encode_webp(strip, 800, 100_000))).size == (800, 1)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_damaged_files_are_read_or_refused_but_never_anything_else(kind, data):
    picture = bytearray(samples.encoded(HALVES, kind))
    for _ in range(data.draw(st.integers(1, 8))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnsupportedMedia, TooLarge):
        assert decode(bytes(picture)).mode == "RGB"


@pytest.mark.skipif(not HEIC, reason="pillow-heif has no wheel for this system")
def test_a_photo_of_an_iphone_is_decoded_within_the_same_bounds():
    drawn = Image.new("RGB", (320, 200), (200, 30, 40))
    photo = samples.encoded(drawn, "HEIF", quality=90)
    decoded = decode(photo)
    assert (decoded.size, decoded.mode) == ((320, 200), "RGB")
    assert np.abs(np.array(decoded.getpixel((160, 100))) - (200, 30, 40)).max() < 12
    with pytest.raises(TooLarge):
        decode(photo, max_pixels=1_000)
    for cut in (12, len(photo) // 2, len(photo) - 8):
        with pytest.raises(UnsupportedMedia):
            decode(photo[:cut])
