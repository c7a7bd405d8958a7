"""Shops over HTTP."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from aggregator.errors import Problem
from aggregator.http import refusal
from aggregator.merchants.directory import Directory, Merchant, directory
from aggregator.merchants.matching import Matcher
from aggregator.merchants.routes import RATE_PER_MINUTE, routes

SHOPS = [
    Merchant(slug="pyaterochka", names=("Пятёрочка",), aliases=("5ka",), countries=("ru",), home=("ru",), fame=9,
             categories=("shop/supermarket",)),
    Merchant(slug="lukoil", names=("Lukoil",), countries=("*", "-us"), home=("ru",), local={"ru": "Лукойл"},
             categories=("amenity/fuel",)),
    Merchant(slug="tesco", names=("Tesco",), countries=("gb",), home=("gb",), categories=("shop/supermarket",)),
]  # fmt: skip


def app_of(shops, limit_scale=1):
    return Starlette(routes=routes(shops, Matcher(shops), limit_scale), exception_handlers={Problem: refusal})


@pytest.fixture(scope="module")
def app():
    return app_of(Directory(SHOPS, source="name-suggestion-index 9.9 (BSD-3-Clause)"))


@pytest.fixture(scope="module")
def world():
    return app_of(directory())


def get(app, path, headers=None, **query):
    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, params=query, headers=headers)

    return asyncio.run(ask())


def suggested(app, **query):
    answer = get(app, "/api/merchants", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["merchants"]


def test_a_typed_word_is_answered_with_slug_name_score_and_kinds(app):
    first = suggested(app, q="пятерочка", country="ru")[0]
    assert first.pop("score") > 0.9
    assert first == {"slug": "pyaterochka", "name": "Пятёрочка", "categories": ["shop/supermarket"]}


def test_the_name_is_the_one_of_the_country_asked_for_in_either_case(app):
    assert suggested(app, q="lukoil", country="RU")[0]["name"] == "Лукойл"
    assert suggested(app, q="лукойл")[0]["name"] == "Lukoil"


def test_no_more_are_sent_than_asked_for(world):
    assert len(suggested(world, q="о", limit=1)) == 1
    assert len(suggested(world, q="маг", country="ru", limit=20)) == 20
    assert len(suggested(world, q="маг", country="ru")) == 8


def test_before_a_letter_is_typed_well_known_shops_of_the_country_are_offered(app):
    assert [shop["slug"] for shop in suggested(app, country="ru")] == ["pyaterochka", "lukoil"]
    assert [shop["slug"] for shop in suggested(app, q="  ", country="gb")] == ["tesco"]
    assert suggested(app) == []


def test_the_answer_may_be_kept_for_an_hour(app):
    assert get(app, "/api/merchants", q="x").headers["cache-control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ({"q": "я" * 101}, ["/q"]),
        ({"q": "я", "limit": "0"}, ["/limit"]),
        ({"q": "я", "limit": "21"}, ["/limit"]),
        ({"q": "я", "limit": "ten"}, ["/limit"]),
        ({"q": "я", "limit": "-1"}, ["/limit"]),
        ({"q": "я", "limit": "1.5"}, ["/limit"]),
        ({"q": "я", "limit": "٣"}, ["/limit"]),
        ({"q": "я", "limit": ""}, ["/limit"]),
        ({"q": "я", "country": "rus"}, ["/country"]),
        ({"q": "я", "country": "r1"}, ["/country"]),
        ({"q": "я", "country": "ру"}, ["/country"]),
        ({"q": "я" * 101, "country": "-", "limit": "x"}, ["/q", "/country", "/limit"]),
    ],
)
def test_every_wrong_field_of_a_query_is_named(app, query, pointers):
    answer = get(app, "/api/merchants", **query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


def test_a_query_of_a_hundred_letters_is_answered(app):
    assert get(app, "/api/merchants", q="я" * 100).status_code == 200


def listed(app, **query):
    return get(app, "/api/merchants/directory", **query)


def test_a_countrys_list_has_what_may_be_met_there_under_its_local_names(app):
    answer = listed(app, country="ru")
    assert answer.json() == {
        "version": "9.9-3",
        "merged": {},
        "merchants": [["lukoil", "Лукойл", ["Lukoil"]], ["pyaterochka", "Пятёрочка", ["5ka"]]],
    }
    assert answer.headers["cache-control"] == "public, max-age=3600"


def test_a_list_says_under_which_former_slugs_cards_may_name_its_shops():
    merged = {"5ka": "pyaterochka", "tesco-express": "tesco", "old-lukoil": "lukoil"}
    shops = Directory(SHOPS, merged, source="name-suggestion-index 9.9 (BSD-3-Clause)")
    assert listed(app_of(shops), country="ru").json()["merged"] == {"5ka": "pyaterochka", "old-lukoil": "lukoil"}
    before = listed(app_of(Directory(SHOPS, source=shops.source)), country="ru")
    assert before.json()["merged"] == {}
    assert listed(app_of(shops), country="ru").headers["etag"] != before.headers["etag"]


def test_a_shop_that_was_renamed_or_merged_is_suggested_under_its_new_name_and_slug():
    renamed = Merchant(slug="tesco", names=("Tesco Fresh",), aliases=("Tesco",), countries=("gb",), home=("gb",))
    shops = Directory([*SHOPS[:2], renamed], {"tesco-express": "tesco"})
    first = suggested(app_of(shops), q="tesco", country="gb")[0]
    assert (first["slug"], first["name"]) == ("tesco", "Tesco Fresh")
    assert shops.get("tesco-express") == shops.get("tesco") == renamed
    assert shops.latest("tesco-express") == "tesco"
    assert shops.latest("never-heard-of") == "never-heard-of"
    assert "tesco-express" not in shops


def test_a_list_that_the_phone_has_already_is_not_sent_again(app):
    first = listed(app, country="ru")
    again = get(app, "/api/merchants/directory", {"If-None-Match": first.headers["etag"]}, country="ru")
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    other = get(app, "/api/merchants/directory", {"If-None-Match": first.headers["etag"]}, country="gb")
    assert other.status_code == 200


def test_the_list_is_packed_for_who_takes_gzip_under_a_validator_of_its_own(app):
    packed = get(app, "/api/merchants/directory", {"Accept-Encoding": "gzip"}, country="ru")
    bare = get(app, "/api/merchants/directory", {"Accept-Encoding": "identity"}, country="ru")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in bare.headers
    assert packed.json() == bare.json()
    assert packed.headers["etag"] != bare.headers["etag"]
    assert packed.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("country", ["ru", "us", "de", "cn", ""])
def test_a_countrys_list_is_short_enough_for_a_phone(world, country):
    answer = listed(world, country=country)
    assert int(answer.headers["content-length"]) <= 60_000
    assert 100 < len(answer.json()["merchants"]) <= 2_000


def test_a_wrong_country_of_a_list_is_named(app):
    answer = listed(app, country="russia")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/country"


def test_who_asks_faster_than_a_family_types_is_told_to_wait():
    app = app_of(Directory(SHOPS, source="name-suggestion-index 9.9 (BSD-3-Clause)"))

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [await client.get("/api/merchants", params={"country": "ru"}) for _ in range(RATE_PER_MINUTE + 1)]

    *answers, last = asyncio.run(ask())
    assert {answer.status_code for answer in answers} == {200}
    assert last.status_code == 429
    assert 1 <= int(last.headers["retry-after"]) <= 60
