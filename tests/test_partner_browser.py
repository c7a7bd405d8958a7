"""A shop and a holder of its card, in real browsers: connected by a code, a balance that moves, offers, and the end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium, holding, phone
from tests.loyalty import PIZZA, club, code_for, connected, put_balance, put_offer
from tests.partners import Shop
from tests.screens import ean, let_only_look, shared_with
from tests.service import Person, Running, code

SLUG = "lenta"
NUMBER = ean("220066012344")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def lenta(site: Running) -> Iterator[Shop]:
    """A shop that may connect cards."""
    with club(site, SLUG) as found:
        yield found


@pytest.fixture
def anna(site: Running) -> Iterator[Person]:
    with Person.signed_up(site.url) as found:
        yield found


def keeps(person: Person) -> str:
    """The person keeps a card of the shop."""
    return person.keep(name="Лента", merchant=SLUG, number=NUMBER, codes=[code(NUMBER)])


def test_a_card_is_connected_by_the_code_that_the_shop_sends_and_its_balance_moves_by_itself(
    browser: Browser, site: Running, anna: Person, lenta: Shop
) -> None:
    card = keeps(anna)
    with phone(browser, site.url, installs=False) as mine:
        mine.watch.expected.add(403)
        mine.sign_in(anna.email)
        mine.at(f"/c/{card}")
        mine.press("Понятно")
        mine.id("connect").click()
        expect(mine.id("consent")).to_contain_text("Номер этой карты.")
        expect(mine.id("consent")).to_contain_text("Только вы.")
        mine.id("connect-yes").click()
        typed = mine.page.locator("[autocomplete=one-time-code]")
        expect(typed).to_be_visible()
        right = code_for(lenta)
        typed.fill("000001" if right == "000000" else "000000")
        mine.id("connect-confirm").click()
        expect(mine.page.get_by_role("alert").filter(has_text="Код не подходит")).to_be_visible()
        typed.fill(right)
        mine.id("connect-confirm").click()
        expect(mine.id("connected")).to_contain_text("Баланс появится сам")
        put_balance(lenta, NUMBER, 1240, tier="gold", pending=40)
        expect(mine.id("live-balance")).to_have_text("1 240 баллов")
        mine.id("to-card").click()
        expect(mine.id("code")).to_be_visible()
        expect(mine.id("live-age")).to_contain_text("Уровень «Золотой» · обновлено сегодня в ")
        put_balance(lenta, NUMBER, 1190, later=1)
        expect(mine.id("live-balance")).to_have_text("1 190 баллов")


def test_offers_are_ticked_as_used_and_a_shop_is_muted_without_a_network(
    browser: Browser, site: Running, anna: Person, lenta: Shop
) -> None:
    put_offer(lenta, "coffee", 8)
    put_offer(lenta, "pizza", 0.9, PIZZA)
    connected(anna, keeps(anna), lenta)
    with phone(browser, site.url) as mine:
        mine.sign_in(anna.email)
        mine.synced()
        mine.installed()
        mine.at("/")
        mine.id("offers").click()
        expect(mine.id("offer").locator(".offer-title")).to_have_text(["Вторая пицца в подарок", "−10 % на кофе"])
        with mine.page.expect_request("**/api/offers/marks*") as told:
            mine.id("offer-used").first.check()
        marks = (told.value.post_data_json or {})["marks"]
        sent = [(mark["offer"], mark["kind"]) for mark in marks]
        assert ("pizza", "used") in sent
        mine.go_offline()
        mine.at("/offers")
        expect(mine.id("offer-used").first).to_be_checked()
        mine.id("mute").first.click()
        expect(mine.id("no-offers")).to_be_visible()
        mine.press("Вернуть")
        expect(mine.id("offer")).to_have_count(2)
        mine.id("mute").first.click()
        expect(mine.id("hear")).to_be_visible()
        mine.go_online()
        mine.at("/")
        mine.synced()
        expect(mine.id("offers")).to_have_count(0)
    wishes = [put["value"] for put in anna.pull()["patch"] if put.get("key") == "wishes/offers"]
    assert wishes == [{"muted": [SLUG], "notices": False}]


def test_what_a_shop_has_sent_goes_from_every_device_once_its_card_is_disconnected(
    browser: Browser, site: Running, anna: Person, lenta: Shop
) -> None:
    card = keeps(anna)
    connected(anna, card, lenta)
    put_balance(lenta, NUMBER, 31415, later=2)
    put_offer(lenta, "tea", 3, {"title": {"ru": "Чай по-шанхайски"}, "text": {}, "terms": {}})
    with phone(browser, site.url, installs=False) as mine, phone(browser, site.url, installs=False) as other:
        for one in (mine, other):
            one.sign_in(anna.email)
            one.at(f"/c/{card}/back")
            expect(one.id("live-balance")).to_have_text("31 415 баллов")
            expect(one.id("offer").first).to_be_visible()
        mine.at("/connected")
        mine.id("disconnect").click()
        mine.id("sure").click()
        expect(mine.id("none-connected")).to_be_visible()
        expect(other.id("live-balance")).to_have_count(0)
        expect(other.id("offer")).to_have_count(0)
        for one in (mine, other):
            assert holding(one.stored(), ["31415", "по-шанхайски"]) == []
            one.at(f"/c/{card}")
            expect(one.id("till-number")).to_be_visible()


def test_a_shared_card_is_ended_and_edited_only_by_who_may_and_a_lost_answer_is_no_answer(
    browser: Browser, site: Running, anna: Person, lenta: Shop
) -> None:
    with Person.signed_up(site.url) as boris, phone(browser, site.url, installs=False) as mine:
        card = keeps(boris)
        connected(boris, card, lenta)
        household = shared_with(boris, anna)
        boris.push("card.move", id=card, to=household)
        let_only_look(boris, household, anna)
        own = keeps(anna)
        mine.watch.may_fail = True
        mine.sign_in(anna.email)
        mine.page.route("**/api/links?*", lambda route: route.abort())
        mine.at(f"/c/{card}/back")
        expect(mine.page.get_by_text("Подключено ")).to_be_visible()
        expect(mine.id("by-another")).to_have_count(0)
        expect(mine.id("disconnect")).to_have_count(0)
        mine.page.unroute("**/api/links?*")
        mine.page.reload()
        expect(mine.id("by-another")).to_be_visible()
        mine.at(f"/c/{card}/edit")
        expect(mine.id("view-only")).to_be_visible()
        expect(mine.id("save")).to_have_count(0)
        mine.page.route("**/api/programmes", lambda route: route.abort())
        mine.at(f"/c/{own}/connect")
        expect(mine.page.get_by_text("Сервер пока не отвечает")).to_be_visible()
