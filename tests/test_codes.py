"""Check digits and symbologies: what they promise, and that they keep it for any number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.codes import FORMATS, compress_upc_e, expand_upc_e, gs1_check_digit, gs1_valid, luhn_valid

digits = st.text("0123456789", min_size=1, max_size=17)
W3C_LINEAR_AND_MATRIX = "aztec code_128 code_39 code_93 codabar data_matrix ean_13 ean_8 itf pdf417 qr_code upc_a upc_e"


def complete(body: str) -> str:
    return body + gs1_check_digit(body)


def test_the_formats_are_those_of_the_shape_detection_api_and_two_databars():
    assert set(FORMATS) == {*W3C_LINEAR_AND_MATRIX.split(), "databar", "databar_expanded"}
    assert all(name == symbology.name for name, symbology in FORMATS.items())


@pytest.mark.parametrize(
    "number", ["4006381333931", "96385074", "036000291452", "00012345600012", "106141412345678908"]
)
def test_published_gs1_numbers_carry_the_check_digit_we_compute(number):
    assert gs1_check_digit(number[:-1]) == number[-1]


@given(digits, st.data())
def test_a_single_wrong_digit_never_passes_the_gs1_check(body, data):
    number = complete(body)
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != number[place]))
    assert not gs1_valid(number[:place] + wrong + number[place + 1 :])


@given(digits, st.data())
def test_two_swapped_neighbours_pass_the_gs1_check_only_where_they_are_five_apart(body, data):
    number = complete(body)
    place = data.draw(st.integers(0, len(number) - 2))
    left, right = number[place], number[place + 1]
    swapped = number[:place] + right + left + number[place + 2 :]
    assert gs1_valid(swapped) == (abs(int(left) - int(right)) in (0, 5))


@given(digits, st.data())
def test_a_single_wrong_digit_never_passes_the_luhn_check(body, data):
    number = next(body + last for last in "0123456789" if luhn_valid(body + last))
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != number[place]))
    assert not luhn_valid(number[:place] + wrong + number[place + 1 :])


def test_the_luhn_check_knows_the_example_of_its_standard():
    assert luhn_valid("49927398716")
    assert not luhn_valid("49927398717")


@pytest.mark.parametrize("text", ["", "12a4", "½2", "１２３", "-1"])
def test_a_check_digit_is_refused_for_anything_but_ascii_digits(text):
    with pytest.raises(ValueError, match="digits only"):
        gs1_check_digit(text)
    assert not gs1_valid(text)
    assert not luhn_valid(text)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("04252614", "042100005264"),
        ("01234565", "012345000065"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
    ],
)
def test_upc_e_expands_by_its_last_digit(short, long):
    assert expand_upc_e(short) == long
    assert compress_upc_e(long) == short
    assert compress_upc_e("0" + long) == short


@given(st.sampled_from("01"), st.text("0123456789", min_size=7, max_size=7))
def test_compressing_an_expanded_upc_e_number_loses_nothing(system, rest):
    number = expand_upc_e(system + rest)
    assert expand_upc_e(compress_upc_e(number)) == number


@pytest.mark.parametrize("text", ["", "1234567", "123456789", "21234565", "0123456x", "０1234565"])
def test_only_eight_digits_of_system_0_or_1_expand(text):
    with pytest.raises(ValueError, match="seven more digits"):
        expand_upc_e(text)


@pytest.mark.parametrize("number", ["036000291452", "212345000065", "4006381333931", ""])
def test_a_number_without_a_upc_e_form_says_so(number):
    with pytest.raises(ValueError, match="UPC-E form"):
        compress_upc_e(number)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ean_13", "4607001234562"),
        ("ean_13", "0036000291452"),
        ("ean_8", "96385074"),
        ("upc_a", "036000291452"),
        ("upc_e", "01234565"),
        ("upc_e", "0012345000065"),
        ("code_128", "Card 7\x1d42é"),
        ("code_39", "abc-1"),
        ("code_93", "ABC 1"),
        ("codabar", "A40156B"),
        ("codabar", "40156"),
        ("itf", "1234567890"),
        ("qr_code", "привет"),
        ("qr_code", "7" * 7_089),
        ("pdf417", "x"),
        ("aztec", "x"),
        ("data_matrix", "x"),
        ("databar", "0124012345678905"),
        ("databar", "24012345678905"),
        ("databar_expanded", "011234567890123110ABC"),
    ],
)
def test_a_text_the_symbology_can_carry_passes(name, text):
    assert FORMATS[name].check(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ean_13", "4607001234563"),
        ("ean_13", "036000291452"),
        ("ean_8", "96385075"),
        ("upc_a", "0036000291452"),
        ("upc_e", "01234566"),
        ("upc_e", "0036000291452"),
        ("code_128", "привет"),
        ("code_39", "é"),
        ("code_93", ""),
        ("codabar", "A40156"),
        ("codabar", "AB"),
        ("itf", "123"),
        ("itf", ""),
        ("qr_code", ""),
        ("qr_code", "x" * 2_954),
        ("pdf417", "x" * 1_109),
        ("databar", "0124012345678906"),
        ("databar_expanded", "é"),
    ],
)
def test_a_text_the_symbology_cannot_carry_is_refused(name, text):
    assert not FORMATS[name].check(text)
