"""One shop from all that a card says: each kind of evidence decides where it is alone, and yields to stronger ones."""

import pytest

from aggregator.merchants.candidates import Reason, verdict
from aggregator.merchants.directory import Directory, Merchant
from aggregator.merchants.evidence import Evidence
from aggregator.merchants.matching import Matcher
from aggregator.merchants.patterns import Pattern, Patterns
from aggregator.recognition.reading import Code, Line, NumberCandidate, Reading

BOX = ((0, 0), (100, 0), (100, 50), (0, 50))
LUHN, NO_LUHN = "7789001234123412", "7789001234123414"


def shop(slug, *names, countries=("ru",)):
    return Merchant(slug=slug, names=names, countries=tuple(countries))


# Two chains of one name, two other names, and one that is only met abroad.
SHOPS = [
    shop("rainbow-food", "Радуга"),
    shop("rainbow-toys", "Радуга"),
    shop("birch", "Берёзка"),
    shop("maple", "Кленовый лист"),
    shop("rainbow-fi", "Raduga", countries=("fi",)),
]


def judge(*patterns, shops=SHOPS):
    known = Patterns(patterns)
    directory = Directory(shops)
    return Evidence(Matcher(directory), directory, lambda: known)


def learned(slug, format, length, prefix="", share=1.0, accounts=200, **more):
    return Pattern(slug, format, length, prefix, share=share, accounts=accounts, **more)


def declared(slug, format, length, prefix=""):
    return Pattern(slug, format, length, prefix, source="declared")


def line(text, height=0.1, top=0):
    return Line(text, tuple((x, y + top) for x, y in BOX), height, 0.9)


def face(*texts, number=None, code=None):
    lines = tuple(text if isinstance(text, Line) else line(text) for text in texts)
    codes = (Code(*code, raw=b"", votes=2, box=BOX, confidence=0.99),) if code else ()
    return Reading(codes=codes, number=NumberCandidate(number, 0.9) if number else None, lines=lines)


def first(found):
    return found[0].slug


def codes_of(candidate):
    return [reason.code for reason in candidate.reasons]


# ---------------------------------------------------------------- each kind alone


def test_a_printed_name_alone_fills_in_its_shop():
    found = judge()(face("КЛЕНОВЫЙ ЛИСТ", "дисконтная карта"), "ru")
    assert first(found) == "maple"
    assert verdict(found, "ru") == "accept"


def test_without_numbers_namesakes_are_offered_and_none_is_filled_in():
    found = judge()(face("РАДУГА"), "ru")
    assert {one.slug for one in found[:2]} == {"rainbow-food", "rainbow-toys"}
    assert verdict(found, "ru") == "suggest"


def test_the_beginning_of_a_number_alone_tells_namesakes_apart():
    shops = judge(learned("rainbow-toys", None, 16, "7789"), learned("rainbow-food", None, 16, "6600"))
    found = shops(face("РАДУГА", number=LUHN), "ru")
    assert first(found) == "rainbow-toys"
    assert Reason("number-prefix", "7789") in found[0].reasons
    assert verdict(found, "ru") == "accept"


def test_the_length_of_a_number_alone_tells_namesakes_apart():
    shops = judge(learned("rainbow-toys", None, 16), learned("rainbow-food", None, 10))
    found = shops(face("РАДУГА", number=LUHN), "ru")
    assert first(found) == "rainbow-toys"
    assert Reason("number-length", "16") in found[0].reasons


def test_a_check_digit_alone_tells_namesakes_apart():
    shops = judge(learned("rainbow-toys", None, 16, check="luhn"), learned("rainbow-food", None, 16))
    assert first(shops(face("РАДУГА", number=LUHN), "ru")) == "rainbow-toys"
    assert first(shops(face("РАДУГА", number=NO_LUHN), "ru")) == "rainbow-food"


def test_the_symbology_alone_tells_namesakes_apart():
    shops = judge(learned("rainbow-toys", "qr_code", 16), learned("rainbow-food", "code_128", 16))
    found = shops(face("РАДУГА", code=("qr_code", LUHN)), "ru")
    assert first(found) == "rainbow-toys"
    assert Reason("symbology", "qr_code") in found[0].reasons


def test_the_country_alone_tells_namesakes_apart():
    shops = [shop("rainbow-fi", "Raduga", countries=("fi",)), shop("rainbow-pl", "Raduga", countries=("pl",))]
    assert first(judge(shops=shops)(face("RADUGA"), "pl")) == "rainbow-pl"
    assert first(judge(shops=shops)(face("RADUGA"), "fi")) == "rainbow-fi"


def test_the_size_of_the_print_alone_tells_which_of_two_names_is_the_shops():
    small_birch = face(line("БЕРЁЗКА", height=0.04), line("КЛЕНОВЫЙ ЛИСТ", height=0.2))
    small_maple = face(line("БЕРЁЗКА", height=0.2), line("КЛЕНОВЫЙ ЛИСТ", height=0.04))
    assert first(judge()(small_birch, "ru")) == "maple"
    assert first(judge()(small_maple, "ru")) == "birch"
    assert "large-print" in codes_of(judge()(small_maple, "ru")[0])


def test_the_place_alone_tells_which_of_two_names_is_the_shops():
    assert first(judge()(face(line("КЛЕНОВЫЙ ЛИСТ", top=0), line("БЕРЁЗКА", top=500)), "ru")) == "maple"
    assert first(judge()(face(line("БЕРЁЗКА", top=0), line("КЛЕНОВЫЙ ЛИСТ", top=500)), "ru")) == "birch"


def test_a_number_without_any_name_suggests_the_shop_whose_numbers_begin_so_and_never_fills_it_in():
    found = judge(learned("maple", "ean_13", 13, "460012"))(face(code=("ean_13", "4600123456787")), "ru")
    assert [one.slug for one in found] == ["maple"]
    assert found[0].name == "Кленовый лист"
    assert verdict(found, "ru") == "suggest"


# ---------------------------------------------------------------- none overrides stronger evidence


def test_a_number_of_another_shop_does_not_override_a_name_met_in_full():
    shops = judge(learned("maple", None, 16, "7789"), learned("birch", None, 10, "55"))
    assert first(shops(face("КЛЕНОВЫЙ ЛИСТ", number="5512345678"), "ru")) == "maple"


def test_a_length_that_many_shops_have_does_not_override_a_name_met_in_full():
    assert first(judge(learned("birch", None, 16))(face("КЛЕНОВЫЙ ЛИСТ", number=LUHN), "ru")) == "maple"


def test_a_check_digit_does_not_override_the_beginning_of_a_number():
    shops = judge(learned("rainbow-toys", None, 16, check="luhn"), learned("rainbow-food", None, 16, "7789"))
    assert first(shops(face("РАДУГА", number=LUHN), "ru")) == "rainbow-food"


def test_a_symbology_does_not_override_a_name_met_in_full():
    shops = judge(learned("birch", "qr_code", 16), learned("maple", "code_128", 16))
    assert first(shops(face("КЛЕНОВЫЙ ЛИСТ", code=("qr_code", LUHN)), "ru")) == "maple"


def test_the_country_does_not_override_a_name_met_in_full():
    shops = [shop("rainbow-fi", "Raduga", countries=("fi",)), shop("radius", "Радиус")]
    assert first(judge(shops=shops)(face("RADUGA"), "ru")) == "rainbow-fi"


def test_large_print_does_not_override_a_name_met_in_full():
    found = judge()(face(line("КЛЕНЫ И ДУБЫ", height=0.2), line("БЕРЁЗКА", height=0.08)), "ru")
    assert first(found) == "birch"


def test_a_place_does_not_override_large_print():
    low = line("БЕРЁЗКА", height=0.2, top=500)
    assert first(judge()(face(line("КЛЕНОВЫЙ ЛИСТ", height=0.05), low), "ru")) == "birch"


def test_printed_words_that_name_nobody_leave_the_number_its_say():
    found = judge(learned("maple", None, 16, "7789"))(face("бонусная карта", number=LUHN), "ru")
    assert first(found) == "maple"
    assert verdict(found, "ru") == "suggest"


# ---------------------------------------------------------------- never silently wrong


def test_of_two_names_on_one_face_neither_is_filled_in():
    found = judge()(face("КЛЕНОВЫЙ ЛИСТ", "БЕРЁЗКА"), "ru")
    assert {one.slug for one in found[:2]} == {"maple", "birch"}
    assert verdict(found, "ru") == "suggest"


def test_an_alias_at_home_is_not_filled_in_for_a_shop_of_that_name_elsewhere_without_a_number():
    stars = Merchant(slug="stars-coffee", names=("Stars Coffee",), aliases=("Starbucks",), countries=("ru",))
    shops = [stars, shop("starbucks", "Starbucks", countries=("us",))]
    found = judge(shops=shops)(face("STARBUCKS"), "ru")
    assert verdict(found, "ru") == "suggest"
    unlike = judge(learned("starbucks", None, 10), shops=shops)(face("STARBUCKS", number=LUHN), "ru")
    assert verdict(unlike, "ru") == "suggest"


def test_an_alias_of_another_shop_does_not_stand_in_the_way_of_the_shop_that_is_called_so():
    pharmacy = Merchant(slug="magnet-pharmacy", names=("Магнит Аптека",), aliases=("Магнит",), countries=("ru",))
    found = judge(shops=[shop("magnet", "Магнит"), pharmacy])(face("МАГНИТ"), "ru")
    assert first(found) == "magnet"
    assert verdict(found, "ru") == "accept"


def test_a_shop_that_is_only_met_elsewhere_is_suggested_with_that_reason_and_never_filled_in():
    found = judge(shops=[shop("sparrow-uk", "Sparrow & Sons", countries=("gb",))])(face("SPARROW & SONS"), "ru")
    assert codes_of(found[0]) == ["name", "large-print", "elsewhere"]
    assert verdict(found, "ru") == "suggest"


@pytest.mark.parametrize(
    "lines",
    [
        ["Фамилия", "Имя", "Отчество"],
        ["Бонусная карта", "Светлана Емельянова"],
        ["Мария"],
        ["IVAN PETROV"],
        ["Дом"],
        ["Предъявите карту кассиру"],
        ["Цветы"],
        ["Дата рождения", "Подпись"],
    ],
)
def test_forms_holders_and_words_of_every_shop_fill_in_nothing(lines):
    named = ["Familia", "Svetlana", "Мария", "Иван", "Дом.ru", "Цветы 24", "Петров", "Подпись"]
    crowd = [shop(f"shop-{number}", name) for number, name in enumerate(named)]
    assert verdict(judge(shops=crowd)(face(*lines), "ru"), "ru") != "accept"


def test_the_number_of_the_eighth_namesake_finds_it():
    crowd = [shop(f"rainbow-{number}", "Радуга") for number in range(8)]
    for number in range(8):
        shops = judge(learned(f"rainbow-{number}", None, 16, "7789"), shops=crowd)
        assert first(shops(face("РАДУГА", number=LUHN), "ru")) == f"rainbow-{number}"


# ---------------------------------------------------------------- declared patterns


def test_a_declared_pattern_names_no_shop_by_itself():
    assert judge(declared("maple", None, 16, "7789"))(face(number=LUHN), "ru") == []


def test_a_declared_pattern_orders_shops_that_are_named_and_fills_in_none():
    shops = judge(declared("rainbow-toys", None, 16, "7789"), declared("rainbow-food", None, 16, "6600"))
    found = shops(face("РАДУГА", number=LUHN), "ru")
    assert first(found) == "rainbow-toys"
    assert "pattern" in codes_of(found[0])
    plain = judge()(face("РАДУГА", number=LUHN), "ru")
    assert found[0].score <= plain[0].score


def test_a_declared_pattern_that_fits_orders_a_shop_before_its_namesake_without_one():
    for slug in ("rainbow-toys", "rainbow-food"):
        assert first(judge(declared(slug, None, 16))(face("РАДУГА", number=LUHN), "ru")) == slug


# ---------------------------------------------------------------- the figures


def test_a_number_shaped_unlike_all_that_were_counted_makes_a_shop_less_likely():
    named = judge()(face("КЛЕНОВЫЙ ЛИСТ", number=LUHN), "ru")[0].score
    unlike = judge(learned("maple", None, 10))(face("КЛЕНОВЫЙ ЛИСТ", number=LUHN), "ru")[0].score
    assert unlike < named


def test_code_and_printed_number_of_the_same_digits_count_once():
    patterns = [learned("maple", form, 13, "4600") for form in ("ean_13", None)]
    once = judge(*patterns)(face("КЛЕН", number="4600123456787"), "ru")[0].score
    both = judge(*patterns)(face("КЛЕН", number="4600123456787", code=("ean_13", "4600123456787")), "ru")[0].score
    assert both == pytest.approx(once)


def test_an_empty_reading_means_no_shop():
    assert judge(learned("maple", None, 16, "7789"))(Reading(), "ru") == []
    assert verdict([], "ru") == "unknown"


@pytest.mark.parametrize("country", [None, "ru", "fi"])
def test_there_are_at_most_five_candidates_each_once_in_falling_order(country):
    crowd = [shop(f"star-{n}", f"Звезда {n}") for n in range(12)]
    patterns = [learned(f"star-{n}", None, 16, "7789") for n in range(12)]
    found = judge(*patterns, shops=crowd)(face("ЗВЕЗДА", number=LUHN), country)
    assert len(found) == len({one.slug for one in found}) == 5
    assert found == sorted(found, key=lambda one: -one.score)
