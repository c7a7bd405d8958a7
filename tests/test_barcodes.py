"""Codes turned, leaning, blurred and cut off: what the cascade must read, and what it must leave alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageFilter

from aggregator.recognition import barcodes, locate, scanline, straighten
from aggregator.recognition.barcodes import Sighting, merged
from aggregator.recognition.reading import Box, Code
from aggregator.recognition.views import whole
from tests import samples

EAN = "4607001234562"
GREY = (188, 186, 184)


def codes(image: Image.Image) -> tuple[Code, ...]:
    return merged(barcodes.sightings(image, budget=60))


def texts(image: Image.Image) -> list[str]:
    return [code.text for code in codes(image)]


def on_table(drawn: Image.Image, angle: float = 0, margin: int = 60) -> Image.Image:
    """The label lying on a grey table, turned."""
    table = Image.new("RGB", (drawn.width + 2 * margin, drawn.height + 2 * margin), GREY)
    table.paste(drawn, (margin, margin))
    return table.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=GREY)


def sighting(engine: str, symbology: str, text: str, box: Box, variant: str = "plain", **more: bool) -> Sighting:
    return Sighting(engine, 0, symbology, text, text.encode(), box, None, False, variant, **more)


def frame(left: int, top: int, width: int, height: int = 10) -> Box:
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


# ---------------------------------------------------------------- what must be read


@pytest.mark.parametrize("angle", [20, 33, 45, 61, 135, 200, 310])
@pytest.mark.parametrize("symbology", ["ean_13", "code_128", "code_39", "itf", "pdf417"])
def test_a_turned_code_is_read_at_any_angle(symbology, angle):
    sample = next(one for one in samples.SAMPLES if one.symbology == symbology)
    assert texts(on_table(samples.code(symbology, sample.text), angle)) == [sample.expected]


@pytest.mark.parametrize("angle", [0, 40])
def test_the_place_of_a_turned_code_is_told_in_the_photo_s_own_pixels(angle):
    photo = on_table(samples.code("ean_13", EAN), angle)
    (code,) = codes(photo)
    middle = np.array(code.box).mean(0)
    assert np.abs(middle - (photo.width / 2, photo.height / 2)).max() < 45


@pytest.mark.parametrize("fan", [0.12, -0.12])
@pytest.mark.parametrize("angle", [0, 25])
def test_a_code_seen_at_a_slant_is_read(fan, angle):
    flat = on_table(samples.code("ean_13", EAN, scale=4), margin=90)
    width, height = flat.size
    shift = fan * width
    corners = (shift, 0, -shift, height, width + shift, height, width - shift, 0)
    slanted = flat.transform(flat.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    assert texts(slanted.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=GREY)) == [EAN]


@pytest.mark.parametrize("number", ["4607001234562", "9780446579803", "0036000291452"])
@pytest.mark.parametrize("angle", [0, 12, 187])
def test_bars_blurred_over_their_neighbours_are_still_read(number, angle):
    photo = on_table(samples.code("ean_13", number, scale=4).resize((342, 200)), angle)
    blurred = photo.filter(ImageFilter.GaussianBlur(3.6))
    assert texts(blurred) == [number]
    assert {one.engine for one in barcodes.sightings(blurred, budget=60)} >= {"scan-line"}


def test_every_code_of_a_picture_is_returned():
    page = Image.new("RGB", (900, 420), "white")
    page.paste(samples.code("ean_13", EAN), (40, 60))
    page.paste(samples.code("qr_code", "Card 42", scale=6), (560, 60))
    assert set(texts(page)) == {EAN, "Card 42"}


# ---------------------------------------------------------------- what must be left alone


@given(st.integers(0, 2**32 - 1), st.floats(0, 180), st.integers(2, 9))
@settings(max_examples=8, deadline=None)
def test_stripes_of_chance_say_nothing(seed, angle, step):
    random = np.random.default_rng(seed)
    row = np.repeat(random.integers(0, 2, 420 // step + 1), step)[:420] * 200 + 20
    stripes = Image.fromarray(np.tile(row.astype(np.uint8), (240, 1))).convert("RGB").rotate(angle, expand=True)
    assert [code.text for code in codes(stripes) if code.format in {"ean_13", "upc_e", "ean_8", "itf"}] == []


@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
@settings(max_examples=6, deadline=None)
def test_noise_of_any_grain_says_nothing(seed, blur):
    grain = np.random.default_rng(seed).integers(0, 256, (260, 340), dtype=np.uint8)
    assert texts(Image.fromarray(grain).filter(ImageFilter.GaussianBlur(blur)).convert("RGB")) == []


@pytest.mark.parametrize("kept", [0.45, 0.6, 0.75])
@pytest.mark.parametrize("symbology", ["ean_13", "itf", "code_128"])
def test_a_cut_off_code_is_not_read_as_another(symbology, kept):
    drawn = samples.code(symbology, {"ean_13": EAN, "itf": "12345678901231", "code_128": "Card-0042/7"}[symbology])
    piece = drawn.crop((0, 0, int(drawn.width * kept), drawn.height))
    assert texts(on_table(piece)) == []


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24))))
@settings(max_examples=25, deadline=None)
def test_pictures_of_a_few_pixels_raise_nothing(pixels):
    assert barcodes.sightings(Image.fromarray(pixels)) == []


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (1, 3_000), (3_000, 2), (2_400, 1_800)])
@pytest.mark.parametrize("tone", ["black", "white", "grey"])
def test_an_even_picture_says_nothing(size, tone):
    assert barcodes.sightings(Image.new("RGB", size, tone)) == []


def test_without_time_left_the_first_step_still_reads():
    assert [one.text for one in barcodes.sightings(samples.code("qr_code", "quick"), budget=0)] == ["quick"]


def test_no_step_begins_when_time_is_up(monkeypatch):
    begun = []
    steps = [barcodes.Step(str(number), lambda _, number=number: begun.append(number)) for number in range(3)]
    monkeypatch.setattr(barcodes, "STEPS", steps)
    barcodes.sightings(Image.new("RGB", (90, 90)), budget=0)
    assert begun == [0]


def test_a_step_that_fails_lets_the_next_one_read(monkeypatch, caplog):
    broken = barcodes.Step("broken", lambda _: 1 / 0)
    monkeypatch.setattr(barcodes, "STEPS", (broken, *barcodes.STEPS))
    assert texts(samples.code("qr_code", "found")) == ["found"]
    assert "step broken failed" in caplog.text


# ---------------------------------------------------------------- votes


@pytest.mark.parametrize("symbology", ["itf", "codabar", "code_39", "upc_e"])
def test_a_symbology_that_a_fragment_may_pass_for_needs_two_readings(symbology):
    once = sighting("zxing-cpp", symbology, "42", frame(0, 0, 100), "place 0 at 420")
    assert merged([once]) == ()
    assert merged([once, sighting("zbar", symbology, "42", frame(0, 0, 100))])[0].votes == 2


@pytest.mark.parametrize("symbology", ["itf", "upc_e"])
def test_what_zbar_alone_makes_of_a_fragment_does_not_stand_however_often(symbology):
    views = ["plain", "place 0 at 420", "place 1 at 420"]
    assert merged(sighting("zbar", symbology, "42", frame(0, 0, 100), view) for view in views) == ()


def test_an_itf_must_be_read_along_its_whole_length():
    tilted = [sighting(engine, "itf", "42", frame(0, 0, 100)) for engine in ("zxing-cpp", "zbar")]
    assert merged(tilted) == ()
    assert len(merged([*tilted, sighting("zxing-cpp", "itf", "42", frame(0, 0, 100), "place 0 at 420")])) == 1


def test_bars_read_on_changed_pixels_only_need_a_second_reading():
    once = sighting("zbar", "ean_13", EAN, frame(0, 0, 100), "place 0 at 420")
    assert merged([once]) == ()
    assert [code.text for code in merged([once, sighting("zxing-cpp", "ean_13", EAN, frame(0, 0, 100))])] == [EAN]


def test_a_matrix_code_needs_one_reading_on_any_view():
    assert len(merged([sighting("zbar", "qr_code", "x", frame(0, 0, 9), "doubled", treated=True)])) == 1


def test_an_unsure_scan_line_needs_company_and_a_sure_one_does_not():
    unsure = sighting("scan-line", "ean_13", EAN, frame(0, 0, 100), "band 0", sure=False)
    assert merged([unsure]) == ()
    assert len(merged([sighting("scan-line", "ean_13", EAN, frame(0, 0, 100), "band 0")])) == 1


def test_of_two_texts_for_the_same_bars_the_one_with_more_readings_stands():
    right = [sighting(engine, "ean_13", EAN, frame(0, 0, 200)) for engine in ("zxing-cpp", "zbar")]
    wrong = sighting("zxing-cpp", "code_128", "x", frame(50, 0, 60), "plain")
    assert [code.text for code in merged([wrong, *right])] == [EAN]


def test_of_two_texts_for_the_same_bars_with_as_many_readings_the_larger_symbol_stands():
    right = sighting("zxing-cpp", "ean_13", EAN, frame(0, 0, 200))
    fragment = [sighting("zxing-cpp", "ean_8", "96385074", frame(60, 0, 90))]
    assert [code.text for code in merged([*fragment, right])] == [EAN]


def test_two_codes_side_by_side_both_stand():
    left = [sighting(engine, "ean_13", EAN, frame(0, 0, 200)) for engine in ("zxing-cpp", "zbar")]
    right = [sighting(engine, "code_128", "x", frame(400, 0, 90)) for engine in ("zxing-cpp", "zbar")]
    assert {code.text for code in merged([*left, *right])} == {EAN, "x"}


# ---------------------------------------------------------------- the parts


@pytest.mark.parametrize("angle", [0, 15, 70, 100, 160])
def test_the_place_and_the_angle_of_bars_are_found(angle):
    drawn = samples.code("code_128", "Card-0042/7")
    photo = np.asarray(on_table(drawn, angle, margin=120).convert("L"))
    best = locate.places(photo)[0]
    off = (np.degrees(best.angle) + angle + 90) % 180 - 90
    assert abs(off) < 3
    assert np.hypot(best.x - photo.shape[1] / 2, best.y - photo.shape[0] / 2) < 40
    assert 0.7 < best.along / drawn.width < 1.3


def test_a_crop_knows_where_its_pixels_come_from():
    photo = np.asarray(on_table(samples.code("ean_13", EAN), 30).convert("L"))
    view = straighten.crop(photo, locate.places(photo)[0], "crop", 400)
    rows, columns = view.pixels.shape
    (x, y), *_ = view.box([(columns // 2, rows // 2)] * 4)
    assert abs(int(photo[y, x]) - int(view.pixels[rows // 2, columns // 2])) < 60
    assert np.hypot(x - photo.shape[1] / 2, y - photo.shape[0] / 2) < 40
    assert not view.as_taken
    assert whole(photo).as_taken


def profile_of(number: str, module: float, blur: float, noise: float) -> np.ndarray:
    """Brightness along a drawn EAN-13 with that many pixels a module, `blur` in modules."""
    row = np.asarray(samples.code("ean_13", number, scale=8).convert("L"), float)[40]
    kernel = np.exp(-((np.arange(-64, 65) / (8 * blur)) ** 2) / 2)
    soft = np.convolve(np.pad(row, 64, "edge"), kernel / kernel.sum(), "valid")
    xs = np.arange(0, len(soft) - 1, 8 / module)
    grain = np.random.default_rng(5).normal(0, noise, len(xs))
    return np.interp(xs, np.arange(len(soft)), soft) * 0.5 + 60 + grain


@pytest.mark.parametrize("blur", [0.5, 0.9, 1.3])
@pytest.mark.parametrize("number", ["4607001234562", "9780446579803", "0036000291452"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_scan_line_is_read_through_blur_either_way_round(number, blur, turned):
    profile = profile_of(number, 3.4, blur, 2)
    profile = profile[::-1].copy() if turned else profile
    answer = scanline.read(profile, (8 * 3.4, len(profile) - 8 * 3.4))
    assert answer is not None
    assert (answer.text, answer.clearness > 0.3) == (number, True)


def test_a_scan_line_beyond_recognition_is_never_answered_clearly():
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(120, 30, 400)
        answer = scanline.read(np.convolve(noise, np.ones(7) / 7, "valid"), (40, 350))
        assert answer is None or answer.clearness < 0.2
