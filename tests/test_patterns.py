"""Patterns as values: which numbers they fit, and how common a look is."""

import pytest

from aggregator.merchants.patterns import Pattern, Patterns, max_prefix

EAN = "ean_13"


def learned(slug: str, prefix: str = "", accounts: int = 100, share: float = 1.0, **rest: object) -> Pattern:
    """A learned pattern of EAN-13 codes."""
    return Pattern(slug, EAN, 13, prefix, None, share, "learned", accounts, **rest)  # type: ignore[arg-type]


SERIES = Pattern("magnit", None, 16, "7789", "luhn", 0.9, "learned", 90)


@pytest.mark.parametrize(
    ("format", "text", "fits"),
    [
        (None, "7789000000000002", True),
        (None, "7789 0000 0000 0002", True),
        (None, "7789-0000‑0000–0002", True),
        (None, "7789000000000008", False),
        (None, "7788000000000000", False),
        (None, "778900000000009", False),
        (None, "", False),
        ("code_128", "7789000000000002", False),
    ],
)
def test_a_pattern_fits_its_own_kind_length_prefix_and_check_digit(format: str | None, text: str, fits: bool) -> None:
    assert SERIES.fits(format, text) == fits
    assert Patterns([SERIES]).fitting(format, text) == [SERIES] * fits


def test_a_code_is_taken_as_it_is() -> None:
    pattern = Pattern("magnit", "code_128", 5, "12")
    assert pattern.fits("code_128", "12 45")
    assert not pattern.fits("code_128", "12 4 5")


def test_all_shops_that_a_number_may_be_of_are_found_the_longest_prefix_first() -> None:
    patterns = [learned("a"), learned("b", "460"), learned("a", "460123"), learned("c", "461"), SERIES]
    found = Patterns(patterns).fitting(EAN, "4601230000003")
    assert [(pattern.slug, pattern.prefix) for pattern in found] == [("a", "460123"), ("b", "460"), ("a", "")]


def test_a_shops_patterns_are_found_by_its_slug() -> None:
    patterns = Patterns([SERIES, learned("magnit", "46"), learned("lenta")])
    assert [pattern.prefix for pattern in patterns.for_shop("magnit")] == ["7789", "46"]
    assert patterns.for_shop("nobody") == ()
    assert len(patterns) == len(list(patterns)) == 3


@pytest.mark.parametrize(
    ("prefix", "share"),
    [
        ("46", 0.5),
        # 40 of the hundred begin with 46 and are not counted further; a tenth of them is expected at every next digit.
        ("460", 0.32),
        ("461", 0.02),
        ("4600", 0.032),
        ("4", 0.5),
        ("5", 0.5),
        ("55", 0.05),
        ("", 1.0),
    ],
)
def test_the_background_is_what_all_shops_counted_cards_look_like(prefix: str, share: float) -> None:
    patterns = Patterns([learned("a", "46", 100), learned("a", "460", 60, 0.6), learned("b", "5", 100), SERIES])
    assert patterns.background(EAN, 13, prefix) == pytest.approx(share)


def test_cards_that_look_otherwise_count_in_the_background_too() -> None:
    patterns = Patterns([learned("a", "46", 30, 0.3), learned("b", "46", 100)])
    assert patterns.background(EAN, 13, "46") == pytest.approx(130 / 200)


def test_declared_patterns_are_no_background_and_nothing_is_where_nothing_was_counted() -> None:
    assert Patterns([Pattern("a", EAN, 13, "46", source="declared")]).background(EAN, 13, "46") == 0
    assert Patterns([learned("a")]).background("qr_code", 13) == 0
    assert Patterns([learned("a")]).background(None, 13) == 0


@pytest.mark.parametrize(("digits", "told"), [(4, 0), (7, 0), (8, 1), (9, 2), (12, 5), (13, 6), (20, 6)])
def test_seven_digits_at_least_stay_unknown(digits: int, told: int) -> None:
    assert max_prefix(digits) == told
