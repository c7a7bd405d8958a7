"""Which shop a typed word or a card's printed lines name."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.merchants.candidates import verdict
from aggregator.merchants.directory import Merchant, directory
from aggregator.merchants.matching import MAX_QUERY, Matcher, Printed
from aggregator.merchants.normal import fold, latin, other_layout, plain, repairs


def shop(slug, *names, aliases=(), countries=("ru",), **more):
    return Merchant(slug=slug, names=names, aliases=tuple(aliases), countries=tuple(countries), **more)


def small(*shops):
    return Matcher(shops)


def face(*lines):
    return [Printed(line) for line in lines]


def slugs(found):
    return [candidate.slug for candidate in found]


@pytest.fixture(scope="module")
def world():
    return Matcher(directory())


# ---------------------------------------------------------------- typing


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("Пятёрочка", "pyaterochka"),
        ("пятерочка", "pyaterochka"),
        ("ПЯТЕРОЧКА", "pyaterochka"),
        ("pyaterochka", "pyaterochka"),
        ("piaterochka", "pyaterochka"),
        ("gznthjxrf", "pyaterochka"),
        ("пятерчка", "pyaterochka"),
        ("5ка", "pyaterochka"),
        ("магнит", "magnit"),
        ("МАГНИТ", "magnit"),
        ("vfuybn", "magnit"),
        ("Лента", "lenta"),
        ("lenta", "lenta"),
        ("лeнтa", "lenta"),
        ("ашан", "auchan-ru"),
        ("икеа", "ikea"),
        ("макдональдс", "vkusno-i-tochka"),
        ("вкусно и точка", "vkusno-i-tochka"),
        ("М Видео", "m-video"),
        ("мвидео", "m-video"),
        ("спортмастер", "sportmaster"),
        ("лэтуаль", "letual"),
        ("Карусель", "karusel"),
    ],
)
def test_a_russian_shop_is_first_however_it_is_typed(world, query, slug):
    assert slugs(world.search(query, 5, "ru"))[0] == slug


@pytest.mark.parametrize(
    ("query", "country", "slug"),
    [
        ("Starbucks", "us", "starbucks"),
        ("стар бакс", "kz", "starbucks"),
        ("tesco", "gb", "tesco"),
        ("lidl", "de", "lidl"),
    ],
)
def test_a_shop_of_another_country_is_first_there(world, query, country, slug):
    assert slugs(world.search(query, 5, country))[0] == slug


def test_a_shop_one_meets_at_home_goes_before_its_namesake_abroad():
    matcher = small(shop("globus-in", "Globus", countries=["in"]), shop("globus", "Глобус", countries=["kg", "ru"]))
    assert slugs(matcher.search("globus", country="ru")) == ["globus", "globus-in"]
    assert slugs(matcher.search("глобус", country="in")) == ["globus-in", "globus"]


def test_a_shop_from_abroad_is_found_when_nothing_at_home_is_like_it():
    matcher = small(shop("tesco", "Tesco", countries=["gb"]), shop("lenta", "Лента"))
    assert slugs(matcher.search("tesco", country="ru"))[0] == "tesco"


def test_a_word_half_typed_finds_names_that_begin_with_it(world):
    assert "magnit" in slugs(world.search("маг", 5, "ru"))
    assert "magnit" in slugs(world.search("магн", 3, "ru"))
    assert "vkusno-i-tochka" in slugs(world.search("вкусно и", 3, "ru"))


def test_every_home_shop_is_reached_by_its_first_two_letters_however_many_there_are_elsewhere():
    crowd = [shop(f"far-{n}", f"Деm {n}", countries=("us",)) for n in range(500)]
    found = Matcher([*crowd, shop("detskiy-mir", "Детский мир")]).search("де", country="ru")
    assert slugs(found)[0] == "detskiy-mir"


def test_a_word_half_typed_also_finds_the_second_word_of_a_name():
    matcher = small(shop("yabloko", "Золотое яблоко"), shop("lenta", "Лента"))
    assert slugs(matcher.search("ябл"))[0] == "yabloko"


def test_the_exact_name_goes_before_names_that_begin_with_it_and_those_before_similar_ones():
    matcher = small(shop("ventana", "Вентана"), shop("lentach", "Лентач"), shop("lenta", "Лента"))
    assert slugs(matcher.search("лента")) == ["lenta", "lentach", "ventana"]


def test_an_alias_finds_the_shop_under_its_main_name():
    matcher = small(shop("pyaterochka", "Пятёрочка", aliases=["5ka"]))
    (found,) = matcher.search("5ka")
    assert (found.slug, found.name) == ("pyaterochka", "Пятёрочка")


def test_the_name_shown_is_the_one_of_the_persons_country(world):
    assert world.search("lukoil", 1, "ru")[0].name == "Лукойл"


def test_typing_errors_are_forgiven():
    matcher = small(shop("perekrestok", "Перекрёсток"), shop("lenta", "Лента"), shop("petrovich", "Петрович"))
    for typed in (
        "перекресток",
        "перекрсток",
        "преекресток",
        "перекрестоок",
        "перелресток",
        "perekrestok",
        "gthtrhtcnjr",
    ):
        assert slugs(matcher.search(typed))[0] == "perekrestok", typed


@pytest.mark.parametrize(
    "query", ["", " ", "—", "…!?", "\x00", "\u200b", "🙂", "́́́", "a" * MAX_QUERY * 50, "%s{}", "'\"--", "\ud800"]
)
def test_odd_queries_are_answered_without_an_error(world, query):
    assert len(world.search(query, 5, "ru")) <= 5


def test_a_matcher_of_no_shops_finds_nothing():
    assert small().search("магнит") == []
    assert small().match(face("магнит")) == []


def test_candidates_are_sorted_named_once_and_scored_between_0_and_1(world):
    for query in ("маг", "lukoil", "аптека", "а", "36,6", "x" * 90):
        found = world.search(query, 20, "ru")
        scores = [candidate.score for candidate in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert len(set(slugs(found))) == len(found)
        assert all(candidate.reasons for candidate in found)


def test_many_threads_get_the_answers_one_gets(world):
    queries = ["магнит", "lenta", "gznthjxrf", "ашан", "икеа"] * 8
    alone = [world.search(query, 5, "ru") for query in queries]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda query: world.search(query, 5, "ru"), queries)) == alone


@given(st.integers(0, 10_000))
def test_every_shop_is_among_the_first_five_of_its_own_name(world_of_tests, number):
    matcher, merchants = world_of_tests
    merchant = merchants[number % len(merchants)]
    country = merchant.home[0] if merchant.home else None
    key = latin(plain(merchant.names[0])).replace(" ", "")
    found = matcher.search(merchant.names[0], 5, country)
    namesakes = [c for c in found if key in {latin(plain(n)).replace(" ", "") for n in names_of(c.slug)}]
    assert merchant.slug in slugs(found) or len(namesakes) == 5


def names_of(slug):
    merchant = directory().get(slug)
    return (*merchant.names, *merchant.aliases)


@pytest.fixture(scope="module")
def world_of_tests(world):
    return world, list(directory())


# ---------------------------------------------------------------- faces


def test_the_shop_is_found_among_card_words_and_numbers(world):
    lines = ["КЛУБНАЯ КАРТА", "ПЯТЁРОЧКА", "7789 0012 3412 3412", "выручает"]
    assert slugs(world.match(face(*lines), country="ru"))[0] == "pyaterochka"


def test_letters_a_camera_confuses_are_read_right(world):
    assert slugs(world.match(face("БOНУСНАЯ KАРТА", "ЛEHTA"), country="ru"))[0] == "lenta"
    assert slugs(world.match(face("5ELGROS"), country="de"))[0] == "selgros"


def test_a_name_may_run_over_two_lines():
    matcher = small(shop("yabloko", "Золотое яблоко"), shop("zoloto", "Наше золото"), shop("lenta", "Лента"))
    assert slugs(matcher.match(face("ЗОЛОТОЕ", "ЯБЛОКО", "дисконтная карта")))[0] == "yabloko"


def test_a_face_without_words_names_nothing(world):
    assert world.match([]) == []
    assert world.match(face("", "  ")) == []


def test_a_line_is_not_completed_like_a_word_being_typed():
    matcher = small(shop("longines", "Longines"), shop("lenta", "Лента"))
    typed = matcher.search("long")[0].score
    printed = matcher.match(face("LONG"))
    assert typed > max((candidate.score for candidate in printed), default=0)


# ---------------------------------------------------------------- how sure


@pytest.mark.parametrize("query", ["Пятёрочка", "спортмастер", "ВкусВилл", "Перекрёсток", "gthtrhtcnjr"])
def test_a_name_met_letter_by_letter_is_filled_in(world, query):
    assert verdict(world.search(query, 5, "ru"), "ru") == "accept"


@pytest.mark.parametrize("query", ["перекр", "спорт", "маг", "золот"])
def test_an_unfinished_word_is_suggested_and_never_filled_in(world, query):
    assert verdict(world.search(query, 5, "ru"), "ru") == "suggest"


@pytest.mark.parametrize(
    "lines",
    [
        ["КЛУБНАЯ КАРТА", "ДИСКОНТНАЯ КАРТА"],
        ["LOYALTY CARD", "№ 12345678"],
        ["БОНУС"],
        ["ИВАН ПЕТРОВ"],
        ["7789 0012 3412 3412"],
        [],
    ],
)
def test_card_words_names_of_people_and_numbers_fill_in_no_shop(world, lines):
    assert verdict(world.match(face(*lines), country="ru"), "ru") != "accept"
    assert verdict(world.match(face(*lines))) != "accept"


def test_of_two_shops_of_one_name_none_is_filled_in():
    matcher = small(shop("globus", "Глобус"), shop("globus-stationery", "Глобус"), shop("lenta", "Лента"))
    found = matcher.search("глобус")
    assert slugs(found) == ["globus", "globus-stationery"]
    assert all(candidate.is_namesake for candidate in found)
    assert verdict(found, "ru") == "suggest"
    assert verdict(matcher.search("лента"), "ru") == "accept"


def test_an_alias_at_home_is_not_filled_in_for_the_own_name_of_a_shop_elsewhere():
    stars = shop("stars-coffee", "Stars Coffee", aliases=["Starbucks"])
    elsewhere = shop("starbucks", "Starbucks", countries=["us"])
    found = small(stars, elsewhere).search("starbucks", country="ru")
    assert slugs(found) == ["stars-coffee", "starbucks"]
    assert verdict(found, "ru") == "suggest"
    assert verdict(small(stars).search("starbucks", country="ru"), "ru") == "accept"


def test_short_words_on_the_other_layout_are_treated_with_suspicion(world):
    assert verdict(world.search("кемо", 5, "ru"), "ru") != "accept"
    assert verdict(world.search("Жук", 5, "ru"), "ru") != "accept"


# ---------------------------------------------------------------- forms of a name


@pytest.mark.parametrize("text", ["Пятёрочка", "ПЯТЕРОЧКА", " пятерочка! "])
def test_case_signs_and_yo_do_not_count(text):
    assert plain(text) == "пятерочка"


@pytest.mark.parametrize("spelt", ["pyaterochka", "piaterochka", "pjaterochka", "pyatyorochka"])
def test_transliterations_of_one_name_sound_alike(spelt):
    assert fold(spelt) == fold(latin(plain("Пятёрочка")))


def test_the_other_layout_is_what_the_same_keys_give():
    assert other_layout("gznthjxrf") == "пятерочка"
    assert other_layout("дутеф") == "lenta"
    assert other_layout("лента lenta") is None
    assert other_layout("12345") is None


def test_mixed_letters_are_rewritten_in_one_alphabet():
    assert repairs("лентa") == ["лента"]
    assert "selgros" in repairs("5elgros")
    assert repairs("лента") == []


@given(st.text(max_size=40))
def test_normal_forms_are_normal(text):
    words = plain(text)
    assert plain(words) == words
    assert latin(words).isascii()
    assert "  " not in words
