"""From photo to Reading: what is drawn is what is read, by both engines together, whatever fails on the way."""

import io
import logging

import numpy as np
import pytest
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from pyzbar import pyzbar

from aggregator.codes import FORMATS, gs1_check_digit
from aggregator.errors import TooLarge, UnsupportedMedia
from aggregator.recognition import engines, pipeline
from aggregator.recognition.barcodes import Sighting, merged
from aggregator.recognition.card import dominant_colour
from aggregator.recognition.reading import Reading
from tests import samples

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))


def read(*photos: Image.Image | bytes) -> Reading:
    return pipeline.read([photo if isinstance(photo, bytes) else samples.encoded(photo, "PNG") for photo in photos])


def as_directly_read(photo: bytes) -> set[str]:
    """The texts that both libraries give for a file when asked in their plainest way."""
    image = Image.open(io.BytesIO(photo))
    texts = {found.text for found in zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain)}
    return from_ean_13(texts) & from_ean_13({found.data.decode() for found in pyzbar.decode(image)})


def from_ean_13(texts: set[str] | frozenset[str]) -> set[str]:
    """The normal form: a UPC-A number is an EAN-13 one with a 0 in front."""
    return {f"0{text}" if len(text) == 12 and text.isdigit() else text for text in texts}


# ---------------------------------------------------------------- what is drawn is read


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda sample: sample.symbology)
def test_every_symbology_is_read_back_with_its_bytes(sample):
    (code,) = read(samples.code(sample.symbology, sample.text)).codes
    assert (code.format, code.text, code.raw) == (sample.read_as, sample.expected, sample.expected.encode())
    assert FORMATS[code.format].check(code.text)


def test_the_samples_cover_every_symbology_we_name():
    assert {sample.symbology for sample in samples.SAMPLES} == set(FORMATS)


digits = st.text("0123456789", min_size=12, max_size=12)
printable = st.text([chr(number) for number in range(0x20, 0x7F)], min_size=1, max_size=20)
# Capitals and digits only: the signs of Code 39 and 93 form pairs that stand for other characters.
plain = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=3, max_size=12)
contents = st.one_of(
    st.tuples(st.just("ean_13"), digits.map(lambda body: body + gs1_check_digit(body))),
    st.tuples(st.just("ean_8"), digits.map(lambda body: body[:7] + gs1_check_digit(body[:7]))),
    st.tuples(st.just("code_128"), printable),
    st.tuples(st.sampled_from(["code_39", "code_93"]), plain),
    st.tuples(st.just("codabar"), digits.map(lambda body: f"A{body}B")),
    st.tuples(st.just("itf"), digits),
    st.tuples(st.sampled_from(["qr_code", "pdf417", "aztec", "data_matrix"]), printable),
)


@given(contents)
def test_any_payload_is_read_back(content):
    symbology, text = content
    found = {(code.format, code.text, code.raw) for code in read(samples.code(symbology, text)).codes}
    assert (symbology, text, text.encode()) in found


@settings(max_examples=20)
@given(st.sampled_from(["qr_code", "pdf417", "aztec", "data_matrix"]), st.binary(min_size=1, max_size=60))
def test_any_bytes_of_a_matrix_code_come_back_as_they_were(symbology, payload):
    assert payload in {code.raw for code in read(samples.code(symbology, payload)).codes}


@pytest.mark.parametrize(
    ("symbology", "content", "encoding"),
    [
        ("aztec", "привет", "iso-8859-5"),
        ("pdf417", "日本", "utf-8"),
        ("data_matrix", "€ привет", "windows-1251"),
        ("qr_code", b"\x00\xff", "binary"),
        ("qr_code", "héllo", None),
        ("data_matrix", "hello", None),
    ],
)
def test_the_character_set_a_symbol_announces_is_kept(symbology, content, encoding):
    code = read(samples.code(symbology, content)).best_code
    assert code.encoding == encoding
    if isinstance(content, str):
        assert code.text == content
        assert code.raw.decode(encoding or "latin-1") == content


@pytest.mark.parametrize("symbology", ["code_128", "qr_code", "data_matrix", "aztec"])
def test_fnc1_in_front_is_told_apart_from_the_same_text_without_it(symbology):
    elements = samples.code(symbology, "(01)12345678901231(10)ABC(21)7", gs1=True)
    assert [(code.gs1, code.text) for code in read(elements).codes] == [(True, "011234567890123110ABC\x1d217")]
    (same,) = read(samples.code(symbology, "011234567890123110ABC217")).codes
    assert not same.gs1


# ---------------------------------------------------------------- both engines


@settings(max_examples=20)
@given(
    sample=st.sampled_from(samples.SAMPLES),
    angle=st.sampled_from([0, 3, 8, 16, 90, 175]),
    blur=st.sampled_from([0, 1, 2]),
    noise=st.sampled_from([0, 40]),
    kind=st.sampled_from(["PNG", "JPEG"]),
)
@example(sample=samples.Sample("code_39", "LOYAL 42-7"), angle=16, blur=0, noise=0, kind="PNG").via(
    "zbar alone reads it"
)
@example(sample=samples.Sample("ean_8", "96385074"), angle=12, blur=1, noise=40, kind="PNG").via(
    "zxing-cpp alone reads it"
)
@example(sample=samples.Sample("pdf417", "Card 7789001234123412"), angle=8, blur=0, noise=40, kind="PNG").via(
    "zxing-cpp reads another text"
)
def test_what_both_libraries_read_is_read_and_nothing_but_the_truth_however_bad_the_photo(
    sample, angle, blur, noise, kind
):
    image = samples.card(sample.symbology, sample.text, size=(560, 380)).rotate(angle, expand=True, fillcolor="grey")
    image = image.filter(ImageFilter.GaussianBlur(blur))
    grain = np.random.default_rng(7).integers(-noise, noise + 1, (image.height, image.width, 1))
    photo = samples.encoded(Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8)), kind)
    found = pipeline.read([photo]).texts
    assert found <= {sample.expected}
    # A PDF417 that an engine reads at one size only may be anything.
    assert as_directly_read(photo) <= found or sample.symbology == "pdf417"


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda sample: sample.symbology)
def test_what_two_looks_agree_on_is_one_code_with_more_than_one_vote(sample):
    (code,) = read(samples.code(sample.symbology, sample.text)).codes
    assert (code.votes >= 2) == (FORMATS[sample.symbology].kind == "linear" or sample.symbology == "pdf417")
    assert code.confidence == 0.99


def test_upc_e_stays_upc_e_although_both_engines_report_the_number_behind_it():
    (code,) = read(samples.code("upc_e", "04252614")).codes
    assert (code.format, code.text) == ("upc_e", "0042100005264")


def test_without_zbar_codes_are_read_all_the_same_and_it_is_told(monkeypatch):
    monkeypatch.setattr(engines, "pyzbar", None)
    assert not engines.zbar_works()
    (code,) = read(samples.code("ean_13", "4607001234562")).codes
    assert (code.text, code.votes) == ("4607001234562", 1)


def test_an_engine_that_fails_costs_only_its_own_votes(monkeypatch, caplog):
    monkeypatch.setattr(pyzbar, "decode", lambda *_: 1 / 0)
    (code,) = read(samples.code("ean_13", "4607001234562")).codes
    assert (code.text, code.votes) == ("4607001234562", 1)
    assert "zbar failed" in caplog.text


def test_a_lone_reading_of_bars_is_trusted_less():
    def confidence(symbology, *names):
        return merged(Sighting(name, 0, symbology, "42", b"42", SQUARE) for name in names)[0].confidence

    assert confidence("ean_13", "zbar") < confidence("ean_13", "zxing-cpp", "zbar")
    assert confidence("qr_code", "zxing-cpp") == confidence("ean_13", "zxing-cpp", "zbar")


def test_the_likeliest_code_comes_first_and_among_equals_the_larger():
    large = ((0, 0), (90, 0), (90, 90), (0, 90))
    far = ((500, 500), (590, 500), (590, 590), (500, 590))
    reading = Reading(
        codes=merged(
            [
                Sighting("zbar", 0, "ean_8", "lone", b"", far),
                Sighting("zxing-cpp", 0, "qr_code", "small", b"", SQUARE),
                Sighting("zxing-cpp", 0, "qr_code", "large", b"", large),
            ]
        )
    )
    assert [code.text for code in reading.codes] == ["large", "small", "lone"]
    assert reading.best_code.text == "large"
    assert Reading().best_code is None


def test_a_text_whose_character_set_one_engine_guessed_comes_after_the_sure_one():
    reading = read(samples.code("qr_code", "héllo"))
    assert reading.best_code.text == "héllo"
    assert all(code.confidence < 0.9 for code in reading.codes[1:])


# ---------------------------------------------------------------- photos


def test_a_card_on_a_table_gives_its_code_its_place_and_its_face():
    reading = read(samples.encoded(samples.card("ean_13", "4607001234562")))
    (code,) = reading.codes
    assert code.text == "4607001234562"
    (left, top), _, (right, bottom), _ = code.box
    assert 180 <= left < right <= 520
    assert 500 <= top < bottom <= 690
    face = Image.open(io.BytesIO(reading.face.picture))
    assert (face.format, max(face.size)) == ("WEBP", 800)
    assert set(reading.timings_ms) == {"decode", "card", "barcodes"}


def test_a_photo_taken_sideways_is_read_upright():
    card = samples.card()
    code = read(samples.with_exif(card.rotate(90, expand=True), orientation=6)).best_code
    upright = read(samples.encoded(card)).best_code
    assert np.abs(np.array(code.box) - np.array(upright.box)).max() <= 4


def test_a_picture_without_a_code_is_a_reading_with_only_a_face():
    reading = read(Image.new("RGB", (640, 480), (12, 99, 200)))
    assert reading.codes == ()
    assert reading.face.colour == "#0c63c8"


@pytest.mark.parametrize(("symbology", "scale"), [("qr_code", 2), ("ean_13", 9)])
def test_a_code_in_a_photo_of_12_megapixels_is_read_at_its_place_whether_small_or_large(symbology, scale):
    label = samples.code(symbology, "4607001234562", scale=scale)
    photo = Image.new("RGB", (4_000, 3_000), (188, 186, 184))
    photo.paste(label, (2_400, 1_500))
    (code,) = read(samples.encoded(photo)).codes
    assert (code.text, code.confidence) == ("4607001234562", 0.99)
    middle = np.array((2_400, 1_500)) + np.array(label.size) / 2
    assert np.abs(np.mean(code.box, axis=0) - middle).max() < 0.1 * max(label.size)


@pytest.mark.parametrize("size", [(1, 1), (1, 4_000), (3, 2), (16_000, 1)])
def test_pictures_too_small_for_anything_are_read_like_any_other(size):
    reading = read(Image.new("RGB", size, "white"))
    assert reading.codes == ()
    assert reading.face.colour == "#ffffff"


def test_votes_of_several_photos_of_one_card_add_up():
    front, back = samples.card("qr_code", "front"), samples.code("ean_13", "4607001234562")
    reading = read(front, back, back)
    assert {code.text: code.votes for code in reading.codes} == {"4607001234562": 4, "front": 1}
    assert reading.face == read(front).face


def test_one_bad_photo_among_good_ones_is_refused():
    with pytest.raises(UnsupportedMedia):
        read(samples.code("qr_code", "x"), b"not a picture")
    with pytest.raises(TooLarge):
        read(samples.code("qr_code", "x"), samples.png(20_000, 20_000, b""))


def test_a_step_that_fails_stops_no_other(monkeypatch, caplog):
    def stumble(sheet):
        raise RuntimeError

    monkeypatch.setattr(pipeline, "STEPS", (pipeline.STEPS[0], (pipeline.Step("card", stumble, 1),)))
    reading = read(samples.code("qr_code", "found"))
    assert reading.best_code.text == "found"
    assert reading.face.corners is None
    assert "step card failed" in caplog.text


def test_nothing_of_a_card_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        read(samples.card("ean_13", "4607001234562"))
    assert "4607001234562" not in caplog.text


@pytest.mark.parametrize("table", [(188, 186, 184), (250, 250, 250), (40, 42, 44), (150, 120, 95)])
@pytest.mark.parametrize("colour", [(227, 6, 19), (0, 122, 61), (24, 60, 160), (255, 204, 0), (240, 120, 20)])
def test_the_colour_is_the_card_s_and_not_the_table_s(colour, table):
    photo = samples.card(colour=colour)
    pixels = np.asarray(photo).copy()
    pixels[(pixels == (188, 186, 184)).all(axis=2)] = table
    found = dominant_colour(Image.fromarray(pixels))
    assert np.abs(np.array([int(found[place : place + 2], 16) for place in (1, 3, 5)]) - colour).max() <= 12


@pytest.mark.parametrize("tone", [(18, 18, 20), (252, 252, 250), (128, 128, 130)])
def test_a_card_without_colour_gives_its_own_tone(tone):
    found = dominant_colour(samples.card(colour=tone))
    assert np.abs(np.array([int(found[place : place + 2], 16) for place in (1, 3, 5)]) - tone).max() <= 12
