"""The packed directory of shops, and the script that makes it from its source."""

import json
import random
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from aggregator.merchants.directory import Directory, Merchant, directory
from scripts import directory as script

ROOT = Path(__file__).resolve().parent.parent
DATA = files("aggregator.merchants").joinpath("data")
HEAD = json.dumps({"source": "name-suggestion-index 9.9", "license": "BSD-3-Clause"})
NO_CORRECTIONS = {"add": [], "aliases": {}, "fame": {}, "merge": {}}


def item(id, name, **more):
    usual = {
        "id": id, "kind": "shop/supermarket", "name": name, "tags": {"brand": name, "name": name}, "match": [],
        "wikidata": None, "include": ["ru"], "exclude": [], "named": ["ru"], "label": None, "website": None,
        "channels": 0,
    }  # fmt: skip
    return usual | more


def build(items, old=script.EMPTY, corrections=NO_CORRECTIONS):
    return script.build([HEAD, *map(json.dumps, items)], old, corrections)


def slugs(made):
    return {row[1][0]: row[0] for row in made["merchants"]}


LAVKA = item("lavka-1", "Лавка")
GLOBUS = item("globus-1", "Globus", wikidata="Q1", include=["cz", "ru"], named=["cz", "ru"])
GLOBUS_BOOKS = item("globus-2", "Глобус", kind="shop/stationery", include=["kz"], named=["kz"])
GLOBUS_CLOTHES = item("globus-3", "Globus", kind="shop/clothes", wikidata="Q3", include=["in"], named=["in"])


# ---------------------------------------------------------------- what is committed


def test_every_merchant_has_a_slug_of_its_own_and_a_name():
    found = list(directory())
    assert len(found) > 11_000
    assert len({merchant.slug for merchant in found}) == len(found)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", merchant.slug) for merchant in found)
    assert all(merchant.names and all(name.strip() for name in merchant.names) for merchant in found)


def test_the_file_has_one_merchant_a_line_in_the_order_of_slugs_and_stays_small():
    text = DATA.joinpath("directory.json").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("[")]
    order = [json.loads(line.rstrip(","))[0] for line in rows]
    assert len(rows) == len(directory())
    assert order == sorted(order)
    assert len(text.encode()) < 1_500_000


def test_the_source_its_version_and_its_licence_stand_beside_the_data():
    assert re.search(r"name-suggestion-index \d+\.\d+\.\d+", directory().source)
    licence = DATA.joinpath("LICENSE-name-suggestion-index.txt").read_text("utf-8")
    assert "name-suggestion-index contributors" in licence
    assert "Redistributions in binary form must reproduce" in licence


def test_countries_are_codes_and_an_exception_needs_everywhere():
    for merchant in directory():
        assert all(re.fullmatch(r"\*|-?[a-z]{2}", code) for code in merchant.countries), merchant
        assert all(re.fullmatch(r"[a-z]{2}", code) for code in merchant.home), merchant
        assert "*" in merchant.countries or not any(code.startswith("-") for code in merchant.countries), merchant


def test_shops_of_a_country_are_those_that_trade_there_and_its_own_come_first():
    here = directory().applicable("ru")
    assert 1_400 < len(here) < 2_000
    assert directory().get("pyaterochka") in here
    assert directory().get("starbucks") not in here
    own = ["ru" in merchant.home for merchant in here]
    assert own == sorted(own, reverse=True)
    assert sum(own) > 600


def test_a_shop_is_called_what_the_country_calls_it():
    lukoil = directory().get("lukoil")
    assert lukoil.name_in("ru") == "Лукойл"
    assert lukoil.name_in("us") != "Лукойл"
    assert lukoil.name_in(None) == lukoil.names[0]


def test_well_known_shops_of_russia_are_offered_before_a_letter_is_typed():
    names = [merchant.name_in("ru") for merchant in directory().well_known("ru", 8)]
    assert {"Магнит", "Пятёрочка", "Лента"} <= set(names)
    assert len(names) == 8


def test_a_slug_that_was_merged_into_another_still_finds_the_shop():
    shop = Merchant(slug="magnit", names=("Магнит",))
    merged = Directory([shop], {"magnit-u-doma": "magnit"})
    assert merged.get("magnit-u-doma") is shop
    assert merged.get("no-such-shop") is None


@pytest.mark.skipif(
    not (ROOT / "scripts/node_modules/name-suggestion-index").is_dir() or not shutil.which("node"),
    reason="the source package is not installed",
)
def test_the_committed_directory_is_what_its_source_gives():
    command = ["node", str(ROOT / "scripts" / "directory.mjs"), "--check"]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "unchanged" in run.stdout


# ---------------------------------------------------------------- slugs


def test_a_slug_is_the_name_in_latin_letters():
    made = build([item("a", "Жар-Свежар"), item("b", "Łódź & Söhne"), item("c", "O'Key"), item("d", "星巴克")])
    assert slugs(made) == {
        "Жар-Свежар": "zhar-svezhar", "Łódź & Söhne": "lodz-and-sohne", "O'Key": "okey", "星巴克": "xingbake",
    }  # fmt: skip


def test_of_namesakes_the_widest_spread_gets_the_plain_slug_whatever_their_order():
    items = [GLOBUS, GLOBUS_BOOKS, GLOBUS_CLOTHES, LAVKA]
    expected = build(items)
    assert {row[0] for row in expected["merchants"]} == {"globus", "globus-kz", "globus-in", "lavka"}
    for seed in range(5):
        random.Random(seed).shuffle(items)
        assert build(items) == expected


def test_a_second_run_changes_nothing():
    made = build([GLOBUS, GLOBUS_BOOKS, LAVKA])
    again = build([GLOBUS, GLOBUS_BOOKS, LAVKA], made)
    assert script.written(again) == script.written(made)
    assert list(script.changes(made, again)) == []


def test_a_published_slug_stays_when_a_bigger_namesake_appears():
    old = build([GLOBUS_BOOKS])
    assert slugs(old) == {"Глобус": "globus"}
    new = build([GLOBUS_BOOKS, GLOBUS], old)
    assert slugs(new)["Глобус"] == "globus"
    assert slugs(new)["Globus"] != "globus"


def test_a_renamed_shop_keeps_its_slug_and_the_script_tells():
    old = build([LAVKA | {"wikidata": "Q7"}])
    new = build([item("palatka-1", "Палатка", wikidata="Q7")], old)
    assert slugs(new) == {"Палатка": "lavka"}
    assert list(script.changes(old, new)) == ["renamed  lavka: Лавка -> Палатка"]


def test_a_shop_whose_source_id_changed_is_known_by_name_and_kind():
    old = build([LAVKA])
    new = build([item("lavka-77", "Лавка", include=["by", "ru"], named=["by", "ru"])], old)
    assert slugs(new) == {"Лавка": "lavka"}


def test_a_shop_that_gains_a_wikidata_id_keeps_its_slug():
    old = build([LAVKA])
    new = build([LAVKA | {"wikidata": "Q7", "name": "Лавка №1"}], old)
    assert slugs(new) == {"Лавка №1": "lavka"}


def test_two_shops_that_became_one_are_found_under_both_slugs():
    old = build([item("a", "Север"), item("b", "Юг")])
    new = build([item("a", "Север", wikidata="Q5"), item("b", "Юг", wikidata="Q5")], old)
    kept = new["merchants"][0][0]
    other = ({"sever", "yug"} - {kept}).pop()
    assert new["merged"] == {other: kept}
    assert f"merged   {other}" in "\n".join(script.changes(old, new))
    again = build([item("a", "Север", wikidata="Q5"), item("b", "Юг", wikidata="Q5")], new)
    assert again == new


def test_a_shop_that_left_and_returns_has_its_slug_back_and_nobody_else_gets_it_meanwhile():
    old = build([LAVKA])
    without = build([item("other", "Лавка", kind="shop/car")], old)
    assert without["gone"] == {"lavka": "lavka-1"}
    assert slugs(without)["Лавка"] != "lavka"
    back = build([LAVKA], without)
    assert slugs(back) == {"Лавка": "lavka"}
    assert "lavka" not in back["gone"]


# ---------------------------------------------------------------- merging and naming


def test_items_of_one_wikidata_id_are_one_merchant_with_all_their_countries_and_kinds():
    fuel = item("g-2", "Globus Benzin", kind="amenity/fuel", wikidata="Q1", include=["de"], named=["de"])
    (row,) = build([GLOBUS, fuel])["merchants"]
    assert row[3].split() == ["cz", "de", "ru"]
    assert row[4].split() == ["amenity/fuel", "shop/supermarket"]


def test_an_item_without_id_joins_its_namesake_of_a_related_kind_in_a_common_country():
    corner = item("svetofor-2", "Светофор", kind="shop/convenience", include=["*"], named=[])
    (row,) = build([item("svetofor-1", "Светофор", wikidata="Q9"), corner])["merchants"]
    assert row[5] == "Q9"
    assert row[3] == "*"


def test_namesakes_of_other_kinds_or_countries_stay_apart():
    cars = item("lavka-2", "Лавка", kind="shop/car")
    abroad = item("lavka-3", "Лавка", include=["bg"], named=["bg"])
    assert len(build([LAVKA, cars, abroad])["merchants"]) == 3


def test_an_exception_of_one_item_is_lifted_by_another_that_names_the_country():
    everywhere = item("w", "Lukoil", wikidata="Q2", include=["*"], exclude=["ru", "us"], named=[])
    here = item("r", "Лукойл", wikidata="Q2")
    (row,) = build([everywhere, here])["merchants"]
    assert row[3] == "* -us"
    assert row[8] == {"Лукойл": "ru"}


def test_other_languages_and_the_site_are_aliases_but_an_operator_is_not():
    tags = {"name": "Пятёрочка", "brand": "Пятёрочка", "brand:en": "Pyaterochka", "official_name": "X5 Пятёрочка"}
    shop = item("p", "Пятёрочка", tags=tags, match=["пятерочка"], website="https://www.5ka.ru/shops")
    (row,) = build([shop])["merchants"]
    assert row[1] == ["Пятёрочка"]
    assert row[2] == ["Pyaterochka", "X5 Пятёрочка", "5ka"]


def test_a_site_that_serves_two_shops_names_neither():
    made = build([item("a", "Север", website="https://mall.ru"), item("b", "Юг", website="https://mall.ru")])
    assert [row[2] for row in made["merchants"]] == [[], []]


def test_corrections_add_name_and_merge_by_hand():
    corrections = {
        "add": [{"name": "Карусель", "also": ["Karusel"], "kind": "shop/supermarket", "countries": ["ru"]}],
        "aliases": {"lavka": ["Лавочка"], "no-such-shop": ["x"]},
        "fame": {"lavka": 9},
        "merge": {"Лавка у дома": "Q7"},
    }
    made = build([LAVKA | {"wikidata": "Q7"}, item("l-2", "Лавка у дома")], corrections=corrections)
    rows = {row[0]: row for row in made["merchants"]}
    assert rows.keys() == {"karusel", "lavka"}
    assert rows["lavka"][1:3] == [["Лавка", "Лавка у дома"], ["Лавочка"]]
    assert rows["lavka"][7] == 9


def test_the_script_writes_nothing_when_it_only_checks(tmp_path):
    target, corrections = tmp_path / "directory.json", tmp_path / "corrections.json"
    corrections.write_text(json.dumps(NO_CORRECTIONS))
    command = [sys.executable, "-m", "scripts.directory"]
    command += ["--target", str(target), "--corrections", str(corrections)]
    lines = "\n".join([HEAD, json.dumps(LAVKA)])

    def run(*more):
        return subprocess.run([*command, *more], input=lines, cwd=ROOT, check=False, capture_output=True, text=True)

    assert run("--check").returncode == 1
    assert not target.exists()
    assert run().returncode == 0
    assert "unchanged" in run("--check").stdout
    assert json.loads(target.read_text("utf-8"))["merchants"][0][0] == "lavka"
