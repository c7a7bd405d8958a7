"""A shop's programme is what the shop says, and shown to people once the operator has approved whose it is."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from aggregator import db
from aggregator.errors import Conflict
from aggregator.jobs import now_ms
from aggregator.merchants import known
from aggregator.partners import programmes
from aggregator.partners.api import ROOT
from tests.answers import assert_problem, masked, pointers
from tests.conftest import _options
from tests.partners import InsideShop
from tests.street import Street, street

NAME = {"name": {"ru": "Кофейня «Ромашка»", "en": "Daisy"}}
WHOLE = {
    **NAME,
    "about": {"ru": "Баллы за каждую чашку.\nИ за булочку."},
    "colour": "#00aA11",
    "site": "https://ромашка.example/карта",
    "phone": "+74951234567",
    "email": "kofe@example.org",
    "number": {"from": "payload", "form": "alphanumeric", "lengths": [13], "prefixes": ["7789"], "check": "gs1"},
    "unit": {"money": "RUB"},
    "tiers": [{"id": "gold", "name": {"ru": "Золотой"}}],
    "policies": ["code", "challenge"],
    "outlets": [{"id": "1", "name": "На Ленина", "address": "Ленина, 1", "lat": 55.7, "lon": 37.6, "hours": "24/7"}],
}


@pytest.fixture(scope="module")
def world(profile: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Street]:
    """Shops and people."""
    with street(_options(profile, tmp_path_factory.mktemp("programmes"), request)) as found:
        yield found


async def listed(world: Street) -> list[str]:
    """The programmes that everybody sees."""
    return [one["slug"] for one in (await world.client().get("/api/programmes")).json()["programmes"]]


async def suggested(world: Street) -> list[str]:
    """The shops that devices suggest without a network."""
    found = await world.client().get("/api/merchants/directory", params={"country": "ru"})
    return [slug for slug, *_ in found.json()["merchants"]]


async def logo(shop: InsideShop, image: bytes) -> httpx.Response:
    """Put a logo."""
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "image/png"}
    return await shop.http.put(f"{ROOT}/programme/logo", content=image, headers=headers)


def picture(width: int = 900, height: int = 600) -> bytes:
    """A PNG."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(out, "PNG")
    return out.getvalue()


def test_a_programme_is_given_back_as_it_was_put(world: Street) -> None:
    async def story() -> None:
        shop = await world.bare_shop()
        assert_problem_at(await shop.call("GET", "/programme"), 404, "not-found")
        assert_problem_at(await shop.call("PUT", "/programme/claim", {"slug": None}), 409, "no-programme")
        for version in (1, 2):
            put = await shop.call("PUT", "/programme", WHOLE)
            assert put.status_code == 200, put.text
            rest = {"version": version, "slug": None, "claim": None, "logo": None}
            assert (await shop.call("GET", "/programme")).json() == put.json() == {**WHOLE, **rest}
        short = (await shop.call("PUT", "/programme", NAME)).json()
        assert (short["policies"], short["number"]["form"]) == (["challenge"], "digits")
        assert short["unit"]["points"]["ru"] == ["балл", "балла", "баллов"]

    world.tell(story())


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"name": {"de": "Blume"}}, "/name"),
        ({"name": {"ru": "Два\nряда"}}, "/name"),
        ({"about": {"de": "Kaffee"}}, "/about"),
        ({"site": "http://example.org"}, "/site"),
        ({"site": "javascript:alert(1)"}, "/site"),
        ({"colour": "red"}, "/colour"),
        ({"phone": "8 495 123"}, "/phone"),
        ({"email": "nobody"}, "/email"),
        ({"unit": {}}, "/unit"),
        ({"unit": {"money": "RUB", "points": {"ru": ["балл"]}}}, "/unit"),
        ({"policies": ["trust"]}, "/policies/0"),
        ({"tiers": [{"id": "a", "name": {"en": "A"}}] * 2}, "/tiers"),
        ({"tiers": [{"id": "a", "name": {"fr": "A"}}]}, "/tiers/0/name"),
        ({"outlets": [{"id": "a", "name": "A", "lat": 91, "lon": 0}]}, "/outlets/0/lat"),
        ({"outlets": [{"id": str(one), "name": "A"} for one in range(2_001)]}, "/outlets"),
        ({"slogan": "Ура"}, "/slogan"),
    ],
)
def test_a_programme_that_could_not_be_shown_is_refused_by_the_name_of_its_field(
    world: Street, wrong: dict[str, object], where: str
) -> None:
    async def story() -> None:
        shop = await world.bare_shop()
        body = assert_problem_at(await shop.call("PUT", "/programme", {**NAME, **wrong}), 422, "invalid")
        assert pointers(body) == [where]

    world.tell(story())


def assert_problem_at(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """As `assert_problem`, where types are addresses of pages."""
    body = dict(answer.json())
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert str(body["type"]).endswith(f"/problems/{code}")
    return body


def test_only_the_operator_decides_whose_a_shop_of_the_directory_is(world: Street) -> None:
    async def story() -> None:
        directory = world.first.service.directory
        (owner, slug), other = await world.shop(), await world.bare_shop()
        assert (await other.call("PUT", "/programme", NAME)).status_code == 200
        assert_problem_at(await other.call("PUT", "/programme/claim", {"slug": "no-such-shop"}), 422, "invalid")
        free = next(one.slug for one in reversed(list(directory)) if len(one.slug) == len(slug))
        claims = [await other.call("PUT", "/programme/claim", {"slug": one}) for one in (slug, free)]
        assert masked(claims[0], slug) == masked(claims[1], free)
        assert claims[0].json() == {"slug": slug, "state": "waiting"}
        assert (await owner.call("GET", "/programme")).json()["claim"] == {"slug": slug, "state": "approved"}
        assert free not in await listed(world)
        await other.call("PUT", "/programme/claim", {"slug": slug})
        with pytest.raises(Conflict):
            await programmes.approve(other.id, directory, now_ms())
        await other.call("PUT", "/programme/claim", {"slug": free})
        assert await programmes.approve(other.id, directory, now_ms()) == free
        assert {slug, free} <= set(await listed(world))

    world.tell(story())


def test_a_shop_that_the_directory_lacks_gets_an_entry_of_its_own(world: Street) -> None:
    async def story() -> None:
        shop, namesake = await world.bare_shop(), await world.bare_shop()
        slugs = []
        for one in (shop, namesake):
            await one.call("PUT", "/programme", NAME)
            claim = (await one.call("PUT", "/programme/claim", {"slug": None})).json()
            assert (await one.call("PUT", "/programme/claim", {"slug": None})).json() == claim
            slugs.append(claim["slug"])
        assert {slug[:8] for slug in slugs} == {"p-daisy-"}
        assert slugs[0] != slugs[1]
        await programmes.approve(shop.id, world.first.service.directory, now_ms())
        assert slugs[0] in await listed(world)
        assert slugs[1] not in await listed(world)
        before = await suggested(world)
        await world.first.service.office.own_entries.refresh(world.first.store)
        after = await suggested(world)
        assert (slugs[0] in after, slugs[0] in before, slugs[1] in after) == (True, False, False)
        newcomers = world.first.service.office.own_entries.newcomers
        for typed in ("ромашк", "romashka", "DAISY", "hjvfirf"):
            assert slugs[0] in [found.slug for found in newcomers.among([], typed, 5, "ru")]

    world.tell(story())


def test_everybody_sees_approved_programmes_and_asks_for_them_again_for_free(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop("open", "challenge")
        browser = world.client()
        paths = "/api/programmes", f"/api/programmes/{slug}"
        tags = [(await browser.get(path)).headers["etag"] for path in paths]
        for path, tag in zip(paths, tags, strict=True):
            again = await browser.get(path, headers={"If-None-Match": tag})
            assert (again.status_code, again.content, tag[0]) == (304, b"", '"')
        assert (await browser.get(paths[1])).json()["policies"] == ["open", "challenge"]
        await programmes.allow_open(shop.id, False, now_ms())
        for path, tag in zip(paths, tags, strict=True):
            assert (await browser.get(path, headers={"If-None-Match": tag})).status_code == 200
        assert (await browser.get(paths[1])).json()["policies"] == ["challenge"]
        await db.fetch("UPDATE partner SET disabled_ms = 1 WHERE id = $1", str(shop.id))
        assert slug not in await listed(world)
        nobodys = await browser.get("/api/programmes/no-such-shop")
        assert_problem(nobodys, 404, "not-found")
        assert masked(await browser.get(paths[1]), slug) == masked(nobodys, "no-such-shop")
        for odd in ("%00", "a" * 81, "А"):
            assert (await browser.get(f"/api/programmes/{odd}")).status_code == 404

    world.tell(story())


def test_a_sandbox_is_shown_to_nobody(world: Street) -> None:
    async def story() -> None:
        shop = await world.bare_shop(is_sandbox=True)
        await shop.call("PUT", "/programme", NAME)
        claim = (await shop.call("PUT", "/programme/claim", {"slug": None})).json()
        with pytest.raises(Conflict):
            await programmes.approve(shop.id, world.first.service.directory, now_ms())
        # Not even where its row says otherwise.
        await db.fetch("UPDATE programme SET slug = claimed WHERE partner_id = $1", str(shop.id))
        assert claim["slug"] not in await listed(world)
        assert (await world.client().get(f"/api/programmes/{claim['slug']}")).status_code == 404

    world.tell(story())


def test_a_logo_is_re_encoded_and_the_one_before_it_goes(world: Street) -> None:
    async def story() -> None:
        shop, slug = await world.shop()
        browser = world.client()
        first, second = [(await logo(shop, picture())).json()["logo"] for _ in range(2)]
        shown = await browser.get(second)
        assert (shown.headers["content-type"], "immutable" in shown.headers["cache-control"]) == ("image/webp", True)
        image = Image.open(io.BytesIO(shown.content))
        assert (image.format, image.size) == ("WEBP", (256, 171))
        tag = {"If-None-Match": shown.headers["etag"]}
        assert (await browser.get(second, headers=tag)).status_code == 304
        assert_problem(await browser.get(first), 404, "not-found")
        assert (await browser.get(f"/api/programmes/{slug}")).json()["logo"] == second
        assert_problem_at(await logo(shop, b"<svg/>"), 415, "not-a-picture")
        assert_problem_at(await logo(shop, bytes(1_000_001)), 413, "too-large")
        assert (await shop.call("DELETE", "/programme/logo")).status_code == 204
        assert (await browser.get(second)).status_code == 404
        assert (await shop.call("GET", "/programme")).json()["logo"] is None

    world.tell(story())


def test_what_numbers_look_like_is_handed_to_the_matching_once_approved(world: Street) -> None:
    async def story() -> None:
        store, directory = world.first.store, world.first.service.directory

        async def declared(slug: str) -> list[tuple[str | None, int, str]]:
            found = await known.read(store, directory)
            return [(one.format, one.length, one.prefix) for one in found if one.slug == slug]

        numbering = {"lengths": [16, 13], "prefixes": ["778900", "9"], "check": "luhn"}
        shop, slug = await world.shop(number=numbering)
        assert sorted(map(str, await declared(slug))) == sorted(
            map(str, [(None, length, prefix) for length in (13, 16) for prefix in ("778900", "9")])
        )
        await shop.call("PUT", "/programme", {**NAME, "number": {"from": "payload", "lengths": [13]}})
        assert await declared(slug) == [("ean_13", 13, "")]
        await shop.call("PUT", "/programme", NAME)
        assert await declared(slug) == []

    world.tell(story())
