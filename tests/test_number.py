"""The printed number is told from everything else that has digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.codes import gs1_check_digit, luhn_valid
from aggregator.recognition.number import Row, candidates, check_of, found_in

EAN = "4607001234562"
LUHN = "4539578763621486"


def told(*rows: str | tuple[str, ...], codes: tuple[str, ...] = (), sure: float = 0.97) -> str | None:
    """The likeliest number of rows, each read in one or several ways."""
    ways = [(row,) if isinstance(row, str) else row for row in rows]
    found = candidates([Row(tuple((text, sure) for text in row), 40) for row in ways], codes)
    return found[0].text if found else None


@pytest.mark.parametrize(
    "row",
    [
        "4607001234562",
        "4 607001 234562",
        "4607 0012 3456 2",
        "460-700-123-456-2",
        "№ 4607001234562",
        "No 4607001234562",
        "N4607001234562",
        "Карта № 4 607001 234562",
        "ID 460 700 123 456 2",
        "Номер карты: 4607001234562",
        "46O7OO1234562",
        "Kapta o4607001234562",
    ],
)
def test_a_number_is_read_however_it_is_grouped_and_labelled(row):
    assert told(row) == EAN


@pytest.mark.parametrize("label", ["lo", "o", "N:", "Nº", "№", "no.", "Ne"])
def test_a_number_sign_read_as_something_else_adds_no_digit(label):
    assert told(f"Kapta {label} 7750 1234 5678 9012") == "7750123456789012"


@pytest.mark.parametrize(
    "row",
    [
        "8 (800) 200-95-55",
        "+7 495 123-45-67",
        "8 800 555-35-35",
        "тел. 4951234567",
        "VALID THRU 12/28",
        "до 31.12.2027",
        "31.12.2027 01.01.2026",
        "-10%",
        "1234",
        "ИВАНОВА МАРИЯ",
        "www.shop24.ru 123456",
        "",
    ],
)
def test_what_is_no_number_is_not_taken_for_one(row):
    assert told(row) is None


def test_among_phones_dates_and_slogans_the_number_is_found():
    assert told("8 (800) 200-95-55", "ЛЕНТА", "Скидки каждый день", "до 31.12.2027", "№ 7733 1513 74") == "7733151374"


def test_a_phone_number_without_its_hyphens_comes_after_the_number():
    assert told("8 800 5553535", "7733151374") == "7733151374"
    assert (
        told("8 800 5553535", sure=0.99) is None or candidates([Row((("88005553535", 0.99),), 30)])[0].confidence < 0.5
    )


@given(st.text("0123456789", min_size=12, max_size=12))
def test_a_valid_ean_13_is_told_with_its_check_and_more_surely_than_without(body):
    number = body + gs1_check_digit(body)
    wrong = body + str((int(number[-1]) + 1) % 10)
    (right,) = candidates([Row(((number, 0.97),), 40)])
    assert (right.text, right.check) == (number, "gs1")
    assert right.confidence > candidates([Row(((wrong, 0.97),), 40)])[0].confidence


def test_a_check_digit_is_known_by_the_length_of_its_number():
    assert luhn_valid(LUHN)
    assert check_of(LUHN) == "luhn"
    assert check_of(EAN) == "gs1"
    assert check_of(EAN[:-1] + "9") is None
    assert check_of("18") is None


def test_the_number_that_a_code_carries_wins():
    assert told("7733151374", "5550001112223", codes=("5550001112223",)) == "5550001112223"
    (first, *_) = candidates([Row((("5550001112223", 0.6),), 20)], ["5550001112223"])
    assert first.confidence > 0.99


def test_readings_that_agree_outvote_one_that_does_not():
    assert told(("7733 1513 74", "7733 1518 74", "7733 1513 74")) == "7733151374"


def test_digits_cut_off_by_one_reading_are_taken_from_a_longer_one():
    assert told(("268 9370 6040 7448", "268 9370 6040 7448", "Карта № 6268 9370 6040 7448")) == "6268937060407448"


def test_digits_that_later_readings_miss_are_kept():
    assert told(("№ 7561 8777 25", "7561 8777", "7561 8777", "7561 8777")) == "7561877725"


@pytest.mark.parametrize(
    "longer", ["8899 2973 3405", "1 8899 2973 340", "111 8899 2973 340", "8899 2973 340 00", "lo 8899 2973 340"]
)
def test_digits_that_the_card_s_edge_seems_to_add_are_left_out(longer):
    assert told(("8899 2973 340", longer, longer, longer)) == "88992973340"


def test_a_chance_check_digit_does_not_beat_what_was_read_surely():
    rows = [Row((("2833988474013530739", 0.98), ("283398847401330739", 0.8)), 40)]
    assert candidates(rows)[0].text == "2833988474013530739"


def test_a_row_cut_off_by_the_picture_is_trusted_less():
    whole, cut = (candidates([Row((("7733151374", 0.97),), 40, whole)])[0].confidence for whole in (True, False))
    assert cut < whole


def test_one_row_may_hold_two_numbers():
    assert [found.digits for found in found_in("7733151374 или 5550001112")] == ["7733151374", "5550001112"]


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(text):
    for found in candidates([Row(((text, 0.9),), 40)]):
        assert found.text.isdigit()
        assert 0 < found.confidence <= 1


def test_each_digit_is_what_most_readings_see_in_its_place():
    slips = ("7733 1518 74", "7783 1513 74", "7733 1513 71", "7733 7513 74", "7738 1513 74")
    assert told(slips) == "7733151374"


def test_readings_of_a_part_of_the_number_count_for_that_part():
    (first, *_) = candidates([Row((("032 487 15", 0.98), ("587 832 487 15", 0.9), ("587 032 487 15", 0.89)), 40)])
    assert first.text == "58703248715"


def test_a_failing_check_digit_decides_between_what_readings_see_and_then_proves_nothing():
    readings = [("4539578763621486", 0.8), ("4539578768621486", 0.9), ("4539578768621486", 0.9)]
    (first, *_) = candidates([Row(tuple(readings), 40)])
    assert (first.text, first.check) == (LUHN, None)
    assert first.confidence < candidates([Row(((LUHN, 0.9),) * 3, 40)])[0].confidence


def test_a_check_digit_that_holds_by_chance_is_not_believed():
    apart = ("4607001234562", "1684523970001", "9922334455667")
    assert candidates([Row(tuple((text, 0.7) for text in apart), 40)])[0].text != EAN


@pytest.mark.parametrize("row", ["7066 4449.9473 7639.", "N9 7066 4449 9473 7639", "***** *9 7066 4449 9473 7639"])
def test_specks_between_groups_and_what_was_a_number_sign_are_left_out(row):
    assert told(row) == "7066444994737639"
