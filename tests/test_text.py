"""Print is read in both alphabets, whichever way the card lies, and together with codes and backs makes one Reading."""

import io

import numpy as np
import pytest
from PIL import Image

from aggregator.recognition import card, letters, pipeline, ppocr, tesseract, text
from aggregator.recognition.reading import Reading
from tests import faces, samples

LUHN = "4539 5787 6362 1486"
FACE = faces.face(
    ("ПЕРЕКРЁСТОК", 60, 104), ("Карта покупателя", 200, 44), ("8 (800) 200-95-55", 20, 26), (LUHN, 480, 58)
)


def read(*photos: Image.Image) -> Reading:
    return pipeline.read_with_text([samples.encoded(photo) for photo in photos])


def texts(reading: Reading) -> list[str]:
    return [line.text for line in reading.lines]


@pytest.fixture(scope="module")
def lying() -> Reading:
    """The reading of a photo of the card as it should lie."""
    return read(faces.photo(FACE, faces.corners_at(6)))


def test_russian_and_digits_are_read_with_their_places(lying):
    assert {"ПЕРЕКРЁСТОК", "Карта покупателя", LUHN} <= set(texts(lying))
    name = next(line for line in lying.lines if line.text == "ПЕРЕКРЁСТОК")
    assert name.height == max(line.height for line in lying.lines)
    assert 0.1 < name.height < 0.35
    (left, top), (right, _), _, _ = name.box
    assert left < right
    assert 250 < top < 600
    assert name.confidence > 0.8


def test_the_number_is_the_card_s_and_not_the_phone_s(lying):
    assert (lying.number.text, lying.number.check) == (LUHN.replace(" ", ""), "luhn")
    assert lying.number.confidence > 0.9


def test_every_step_is_timed(lying):
    assert set(lying.timings_ms) == {"decode", "card", "barcodes", "text"}


@pytest.mark.parametrize("angle", [90, 185, 268])
def test_a_card_that_lies_another_way_is_read_and_shown_upright(angle, lying):
    reading = read(faces.photo(FACE, faces.corners_at(angle)))
    assert (reading.number.text, reading.number.check) == (lying.number.text, "luhn")
    assert "ПЕРЕКРЁСТОК" in texts(reading)
    shown, upright = (np.asarray(Image.open(io.BytesIO(one.face.picture)).convert("L")) for one in (reading, lying))
    assert shown.shape == upright.shape
    assert np.corrcoef(shown.ravel(), upright.ravel())[0, 1] > 0.8


def test_latin_names_are_read_as_such():
    reading = read(faces.photo(faces.face(("Corner Shop", 70, 110), ("Member card", 220, 50)), faces.corners_at(-4)))
    assert {"Corner Shop", "Member card"} <= set(texts(reading))
    assert reading.number is None


def test_front_and_back_make_one_reading():
    front = faces.photo(faces.face(("Лента", 70, 150)), faces.corners_at(3))
    back = samples.card("ean_13", "4607001234562")
    reading = read(front, back)
    assert "Лента" in texts(reading)
    assert reading.best_code.text == "4607001234562"
    assert np.linalg.norm(np.array(reading.face.corners) - np.array(faces.corners_at(3)), axis=1).max() < 12


def test_a_number_in_print_that_the_code_repeats_is_sure():
    digits = Image.new("RGB", (1011, 638), "white")
    digits.paste(samples.code("code_128", "77331513741", scale=5), (60, 60))
    printed = faces.face(("77331513741", 30, 70)).crop((0, 0, 1011, 160))
    digits.paste(printed, (0, 440))
    number = read(digits).number
    assert number.text == "77331513741"
    assert number.confidence > 0.99


def test_print_without_a_card_around_it_is_read():
    reading = read(FACE.crop((30, 10, 990, 560)))
    assert reading.number.text == LUHN.replace(" ", "")


def test_a_blank_photo_says_nothing():
    reading = read(Image.new("RGB", (640, 480), (200, 180, 160)))
    assert (reading.lines, reading.number, reading.codes) == ((), None, ())
    assert reading.face is not None


def test_without_what_reads_print_codes_are_read_all_the_same(monkeypatch):
    monkeypatch.setattr(ppocr, "onnxruntime", None)
    assert not text.available()
    reading = read(samples.card())
    assert reading.best_code.text == "4607001234562"
    assert (reading.lines, reading.number) == ((), None)


def test_without_tesseract_print_is_read_all_the_same(monkeypatch):
    monkeypatch.setattr(tesseract, "tesserocr", None)
    assert not tesseract.available()
    text.reader.cache_clear()
    try:
        assert "ПЕРЕКРЁСТОК" in texts(read(faces.photo(FACE, faces.corners_at(0))))
    finally:
        text.reader.cache_clear()


def test_a_text_step_that_fails_costs_only_the_text(monkeypatch, caplog):
    monkeypatch.setattr(text, "reader", lambda: 1 / 0)
    reading = read(samples.card())
    assert reading.best_code.text == "4607001234562"
    assert reading.face is not None
    assert "step text failed" in caplog.text


def test_nothing_that_was_read_is_logged(caplog):
    read(faces.photo(FACE, faces.corners_at(0)))
    assert LUHN not in caplog.text
    assert LUHN.replace(" ", "") not in caplog.text


@pytest.mark.parametrize(
    ("seen", "meant"),
    [("СОSТА", "COSTA"), ("КАРТА", "КАРТА"), ("ВОNUS САRD", "BONUS CARD"), ("Карта ВОNUS", "Карта BONUS"), ("", "")],
)
def test_letters_of_both_alphabets_take_that_of_their_word(seen, meant):
    assert letters.in_one_alphabet(seen) == meant


def test_when_the_time_is_up_nothing_further_is_begun():
    photo = faces.photo(FACE, faces.corners_at(0))
    found = text.reader().read(photo, card.views(photo), budget_s=0)
    assert (found.lines, found.rows) == ([], [])
    assert found.view.is_card
