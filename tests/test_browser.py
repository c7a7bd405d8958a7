"""The main job in a real browser, from the first card to the last: as a guest, at the till, offline, on two devices."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from tests.browser import Phone, built_web, chromium, holding, phone
from tests.samples import card, encoded
from tests.screens import expire_sessions, let_only_look, purge, shared_with, store_of
from tests.service import PASSWORD, Person, Running, ServiceOptions, code, running, uuid7

EAN = "4607001234562"
NewPhone = Callable[..., AbstractContextManager[Phone]]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera looks at a card."""
    film = tmp_path_factory.mktemp("camera") / "card.mjpeg"
    film.write_bytes(encoded(card(content="2200011112220").resize((1280, 858)), quality=90) * 2)
    camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}")
    with chromium(*camera) as found:
        yield found


@pytest.fixture
def anna(site: Running) -> Iterator[Person]:
    """Somebody with an account and no card yet."""
    with Person.signed_up(site.url) as found:
        yield found


def photographed(picture: Image.Image) -> dict[str, object]:
    """A file as the gallery hands it over: the card lies a little askew."""
    askew = picture.rotate(4, expand=True, fillcolor=(188, 186, 184))
    return {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": encoded(askew, quality=88)}


# A guest


def test_a_guest_keeps_a_card_from_a_photo_and_shows_it(guest: Phone) -> None:
    guest.id("add").click()
    guest.id("gallery").set_input_files([photographed(card())])
    expect(guest.page.locator(".code-said")).to_contain_text(EAN)
    guest.id("shop").fill("пятёроч")
    guest.page.get_by_role("option", name="Пятёрочка", exact=True).click()
    guest.keep()
    assert guest.shown_code() == [("EAN13", EAN)]
    expect(guest.page.get_by_role("heading", name="Пятёрочка")).to_be_visible()
    expect(guest.page.get_by_role("img", name="Лицевая сторона")).to_be_visible()


# What the server answers when a photo names a shop, in the shape docs/architecture.md gives a draft.
NAMED = {
    "codes": [],
    "number": None,
    "merchants": [
        {
            "slug": "pyaterochka",
            "name": "Пятёрочка",
            "score": 0.97,
            "reasons": [{"code": "name"}, {"code": "number-prefix", "value": "4607"}],
        },
        {"slug": "pyatachok", "name": "Пятачок", "score": 0.4, "reasons": [{"code": "look-alike"}]},
    ],
    "face": None,
    "timings_ms": {},
}


@pytest.mark.parametrize(("verdict", "filled_in"), [("accept", "Пятёрочка"), ("suggest", ""), ("unknown", "")])
def test_only_a_certain_shop_is_filled_in_and_the_reasons_are_told(guest: Phone, verdict: str, filled_in: str) -> None:
    guest.page.route("**/api/intake*", lambda route: route.fulfill(json={**NAMED, "verdict": verdict}))
    guest.id("add").click()
    guest.id("gallery").set_input_files([photographed(card())])
    expect(guest.page.locator(".said")).not_to_contain_text("Фото ушло")
    expect(guest.id("shop")).to_have_value(filled_in)
    expect(guest.page.get_by_text("номер начинается с 4607")).to_have_count(0 if verdict == "unknown" else 1)
    expect(guest.id("candidate")).to_have_count({"accept": 1, "suggest": 2, "unknown": 0}[verdict])


def test_a_certain_shop_does_not_overwrite_what_the_person_typed(guest: Phone) -> None:
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    guest.page.route("**/api/intake*", hold)
    guest.id("add").click()
    guest.id("gallery").set_input_files([photographed(card())])
    guest.id("shop").fill("Моя карта")
    while not asked:
        guest.page.wait_for_timeout(50)
    asked[0].fulfill(json={**NAMED, "verdict": "accept"})
    expect(guest.id("candidate")).to_have_count(2)
    expect(guest.id("shop")).to_have_value("Моя карта")
    guest.id("candidate").first.click()
    expect(guest.id("shop")).to_have_value("Пятёрочка")


def test_a_photo_without_a_code_is_kept_with_the_number_typed(guest: Phone) -> None:
    guest.id("add").click()
    guest.id("gallery").set_input_files([photographed(Image.new("RGB", (1000, 640), "navy"))])
    expect(guest.page.get_by_text("Штрихкод не читается")).to_be_visible()
    guest.id("shop").fill("Рынок")
    guest.id("number").fill("4007")
    guest.keep()
    assert guest.shown_code() == [("Code128", "4007")]


def test_a_file_that_is_no_picture_is_told_so(guest: Phone) -> None:
    guest.watch.expected.add(415)
    guest.id("add").click()
    guest.id("gallery").set_input_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"}])
    expect(guest.page.get_by_text("Это не картинка. Выберите фото.")).to_be_visible()
    expect(guest.id("gallery")).to_be_attached()


def test_the_camera_reads_a_card_by_itself(browser: Browser, site: Running) -> None:
    with phone(browser, site.url, installs=False, permissions=["camera"]) as guest:
        guest.id("add").click()
        expect(guest.page.locator(".code-said")).to_contain_text("2200011112220")
        guest.id("shop").fill("Магнит")
        guest.keep()
        assert guest.shown_code() == [("EAN13", "2200011112220")]


def test_without_leave_to_use_the_camera_the_other_ways_remain(guest: Phone) -> None:
    guest.at("/add")
    expect(guest.page.get_by_text("Камера закрыта для Кармана")).to_be_visible()
    expect(guest.id("type")).to_be_enabled()


def test_a_typed_number_is_drawn_as_the_kind_of_code_it_looks_like(guest: Phone) -> None:
    guest.add_by_typing("Ашан", EAN, keep=False)
    assert guest.shown_code() == [("EAN13", EAN)]
    guest.id("format").select_option("code_128")
    expect(guest.id("code")).to_have_attribute("data-format", "code_128")
    guest.keep()
    assert guest.shown_code() == [("Code128", EAN)]
    expect(guest.id("till-number")).to_have_text("4 607001 234562")


def test_a_typed_code_with_a_slip_is_not_kept_until_put_right(guest: Phone) -> None:
    guest.add_by_typing("Ашан", "4607001234563", keep=False)
    guest.id("format").select_option("ean_13")
    guest.id("keep").click()
    expect(guest.page.get_by_text("похоже, опечатка").first).to_be_visible()
    guest.id("number").fill(EAN)
    guest.keep()
    assert guest.shown_code() == [("EAN13", EAN)]


# Finding

SHOPS = ["Ашан", "Ёлки", "Енот", "Лента", "Магнит", "Перекрёсток", "Пятёрочка", "Aldi", "Zara", "36,6"]
IN_ORDER = ["Ашан", "Ёлки", "Енот", "Лента", "Магнит", "Перекрёсток", "Пятёрочка", "Aldi", "Zara", "36,6"]


@pytest.fixture
def full(browser: Browser, site: Running, anna: Person) -> Iterator[Phone]:
    """Anna's phone with a dozen cards, the wallet open."""
    for place, name in enumerate(reversed(SHOPS)):
        anna.keep(name=name, number=f"77000{place}", codes=[code(f"77000{place}", "code_128")])
    with phone(browser, site.url, installs=False) as found:
        found.sign_in(anna.email)
        found.at("/")
        expect(found.id("card-row")).to_have_count(len(SHOPS))
        yield found


def test_the_wallet_is_a_phone_book_in_two_alphabets(full: Phone) -> None:
    assert full.names() == sorted(SHOPS, key=IN_ORDER.index)
    letters = full.page.locator("section[data-letter]").evaluate_all("all => all.map((one) => one.dataset.letter)")
    assert letters == ["А", "Е", "Л", "М", "П", "A", "Z", "#"]


def test_the_strip_of_letters_brings_a_section_to_the_top(full: Phone) -> None:
    strip = full.page.get_by_role("slider", name="Буквы")
    full.page.set_viewport_size({"width": 390, "height": 420})
    strip.press("End")
    expect(full.page.locator('[data-letter="#"] [data-testid="card-row"]')).to_be_in_viewport()
    strip.press("Home")
    expect(full.page.locator('[data-letter="А"] [data-testid="card-row"]')).to_be_in_viewport()
    box = strip.bounding_box()
    assert box
    full.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9)
    expect(full.page.locator('[data-letter="А"] [data-testid="card-row"]')).not_to_be_in_viewport()


def test_search_filters_while_typing_and_forgives(full: Phone) -> None:
    for typed, found in [
        ("пят", ["Пятёрочка"]),
        ("елки", ["Ёлки"]),
        ("перекресток", ["Перекрёсток"]),
        ("770009", ["Ашан"]),
        ("gthtrhtcnjr", ["Перекрёсток"]),
        ("магнти", ["Магнит"]),
        ("лента zara", []),
        ("зара", ["Zara"]),
        ("7700091", []),
    ]:
        full.id("search").fill(typed)
        expect(full.id("card-row")).to_have_count(len(found))
        assert full.names() == found
    full.id("search").fill("ничего")
    expect(full.page.get_by_role("main").get_by_text("По запросу «ничего» ничего нет.")).to_be_visible()
    full.id("search").press("Escape")
    expect(full.id("card-row")).to_have_count(len(SHOPS))


PYATEROCHKA = ("gznthjxrf", "pyaterochka", "пятерчка", "5ка")


@pytest.mark.installed
def test_a_shop_is_offered_however_it_is_typed_with_a_network_and_without(guest: Phone) -> None:
    guest.at("/add")
    with guest.page.expect_response("**/api/merchants/directory*"):
        guest.id("type").click()
    for reach in (lambda: None, guest.go_offline):
        reach()
        for typed in PYATEROCHKA:
            guest.id("shop").fill(typed)
            offered = guest.page.locator(".suggestion")
            expect(offered.filter(has_text="Пятёрочка")).to_be_visible()
            assert any("Пятёрочка" in text for text in offered.all_text_contents()[:2]), typed
            guest.id("shop").fill("")
            expect(offered).to_have_count(0)


@pytest.mark.installed
def test_a_card_with_a_typed_shop_is_offered_its_shop_and_keeps_its_name(guest: Phone) -> None:
    first = guest.add_by_typing("пятерочка", EAN)
    guest.press("Понятно")
    offer = guest.id("link-offer")
    expect(offer).to_contain_text("Это «Пятёрочка»?")
    offer.get_by_role("button", name="Нет").click()
    expect(offer).to_have_count(0)
    second = guest.add_by_typing("ПЯТЕРОЧКА", "2200011112220")
    guest.id("link").click()
    expect(offer).to_have_count(0)
    for card_id, name in ((first, "пятерочка"), (second, "ПЯТЕРОЧКА")):
        guest.at(f"/c/{card_id}")
        expect(guest.page.get_by_role("heading", name=name)).to_be_visible()
        assert guest.shown_code()
        expect(offer).to_have_count(0)
    guest.at("/")
    guest.id("search").fill("5ка")
    expect(guest.id("card-row")).to_have_count(1)
    assert guest.names() == ["ПЯТЕРОЧКА"]


def test_the_keyboard_alone_finds_a_card_and_comes_back(full: Phone) -> None:
    keyboard = full.page.keyboard
    expect(full.id("card-row").first).to_be_visible()
    keyboard.press("/")
    expect(full.id("search")).to_be_focused()
    keyboard.type("магн")
    keyboard.press("Enter")
    assert full.shown_code() == [("Code128", "770005")]
    full.page.go_back()
    expect(full.id("card-row").first).to_be_focused()


# The till


def test_every_kind_of_code_is_read_from_the_till(browser: Browser, site: Running, anna: Person) -> None:
    cards = {anna.keep(name=kind, codes=[code(text, kind)]): (name, read) for kind, text, name, read in KINDS}
    with phone(browser, site.url, installs=False) as found:
        found.sign_in(anna.email)
        found.synced()
        seen = {}
        for card_id in cards:
            found.at(f"/c/{card_id}")
            seen[card_id] = found.shown_code()
        assert seen == {card_id: [expected] for card_id, expected in cards.items()}


KINDS = [
    ("ean_13", EAN, "EAN13", EAN),
    ("ean_8", "96385074", "EAN8", "96385074"),
    ("upc_a", "036000291452", "EAN13", "0036000291452"),
    ("upc_e", "01234565", "UPCE", "0012345000065"),
    ("code_128", "Card-0042/7", "Code128", "Card-0042/7"),
    ("code_39", "LOYAL 42-7", "Code39", "LOYAL 42-7"),
    ("code_93", "LOYAL-42", "Code93", "LOYAL-42"),
    ("codabar", "A40156789B", "Codabar", "A40156789B"),
    ("itf", "12345678901231", "ITF", "12345678901231"),
    ("qr_code", "https://example.org/c/7?n=42", "QRCode", "https://example.org/c/7?n=42"),
    ("pdf417", "Карта 7789001234123412", "PDF417", "Карта 7789001234123412"),
    ("aztec", "Карта 7789001234123412", "Aztec", "Карта 7789001234123412"),
    ("data_matrix", "Карта 7789001234123412", "DataMatrix", "Карта 7789001234123412"),
    ("databar", "0124012345678905", "DataBarOmni", "0124012345678905"),
    ("databar_expanded", "011234567890123110ABC", "DataBarExp", "011234567890123110ABC"),
]


def test_a_long_code_turns_along_the_screen_and_is_still_read(browser: Browser, site: Running, anna: Person) -> None:
    card_id = anna.keep(name="Длинный", codes=[code("LOYALTY-0123456789-ABCDEFGHIJ", "code_128")])
    with phone(browser, site.url, installs=False) as found:
        found.sign_in(anna.email)
        found.at(f"/c/{card_id}")
        assert found.shown_code() == [("Code128", "LOYALTY-0123456789-ABCDEFGHIJ")]
        expect(found.id("code")).to_have_attribute("data-turned", "true")
        expect(found.id("till-number")).to_be_in_viewport()


def test_the_till_draws_from_what_the_device_kept_and_loads_no_drawing_library(guest: Phone) -> None:
    card_id = guest.add_by_typing("Ашан", EAN)
    assert guest.shown_code() == [("EAN13", EAN)]
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url))
    guest.at(f"/c/{card_id}")
    assert guest.shown_code() == [("EAN13", EAN)]
    assert [url for url in asked if "/assets/draw-" in url] == []


# Without a network


def test_without_network_and_server_the_wallet_opens_shows_adds_and_edits(browser: Browser, tmp_path: Path) -> None:
    built_web()
    with running(ServiceOptions(tmp_path)) as service, phone(browser, service.url) as guest:
        first = guest.add_by_typing("Ашан", EAN)
        guest.installed()
        guest.go_offline()
        guest.page.reload()
        assert guest.shown_code() == [("EAN13", EAN)]
        second = guest.add_by_typing("Магнит", "2200011112220")
        guest.edit(first, note="у кассы спросить Олю")
        guest.go_online()
        service.stop()
        guest.at("/")
        expect(guest.id("card-row")).to_have_count(2)
        guest.at(f"/c/{second}")
        assert guest.shown_code() == [("EAN13", "2200011112220")]
        guest.at(f"/c/{first}")
        expect(guest.page.get_by_text("у кассы спросить Олю")).to_be_visible()


def test_edits_made_offline_wait_and_are_sent_when_the_network_returns(
    browser: Browser, site: Running, anna: Person
) -> None:
    card_id = anna.keep(name="Ашан", number="1")
    with phone(browser, site.url) as found:
        found.sign_in(anna.email)
        found.synced()
        found.installed()
        found.go_offline()
        found.edit(card_id, note="ждёт сети")
        found.at("/")
        expect(found.id("sync")).to_have_attribute("data-waiting", "1")
        found.go_online()
        found.synced()
    assert anna.cards()[card_id]["note"] == "ждёт сети"


# Two devices


def test_a_guests_cards_go_along_into_the_account_and_onto_the_second_device(browser: Browser, site: Running) -> None:
    email = f"{site.url[-5:]}@example.org"
    with phone(browser, site.url) as first, phone(browser, site.url) as second:
        first.at("/add")
        first.id("gallery").set_input_files([photographed(card())])
        first.id("shop").fill("Пятёрочка")
        first.keep()
        typed = first.add_by_typing("Ашан", "2200011112220")
        first.sign_up(email)
        first.id("adopt").click()
        first.synced()
        second.sign_in(email)
        second.at("/")
        expect(second.id("card-row")).to_have_count(2)
        assert second.names() == ["Ашан", "Пятёрочка"]
        second.page.get_by_role("link", name="Пятёрочка").first.click()
        assert second.shown_code() == [("EAN13", EAN)]
        expect(second.page.get_by_role("img", name="Лицевая сторона")).to_be_visible()
        both_edit_offline(first, second, typed)


def both_edit_offline(first: Phone, second: Phone, card_id: str) -> None:
    for device in (first, second):
        device.synced()
        device.installed()
        device.go_offline()
    first.edit(card_id, note="заметка первого")
    second.edit(card_id, pin="4321")
    for device in (first, second):
        device.go_online()
        device.synced()
    for device in (first, second):
        device.at(f"/c/{card_id}")
        expect(device.page.get_by_text("заметка первого")).to_be_visible()
        expect(device.page.get_by_text("4321")).to_be_visible()


def test_a_change_on_one_device_appears_on_the_other_by_itself(browser: Browser, site: Running, anna: Person) -> None:
    with phone(browser, site.url, installs=False) as found:
        found.sign_in(anna.email)
        found.synced()
        found.at("/")
        card_id = anna.keep(name="Живая карта", number="1")
        expect(found.page.get_by_text("Живая карта")).to_be_visible()
        anna.push("card.bin", id=card_id)
        expect(found.page.get_by_text("Живая карта")).to_have_count(0)


def test_after_signing_out_nothing_of_the_person_is_left_for_the_next_one(
    browser: Browser, site: Running, anna: Person
) -> None:
    picture, _answer = anna.upload(encoded(card(), "PNG"))
    card_id = anna.keep(name="Аннина карта", number="7700123456", note="Аннина заметка", front=picture, codes=[code()])
    hers = [card_id, picture, anna.email, anna.account, anna.space, "Аннина", "7700123456", EAN, "picture bytes"]
    with Person.signed_up(site.url) as boris, phone(browser, site.url) as shared:
        boris.keep(name="Борисова карта", number="1")
        shared.sign_in(anna.email)
        shared.synced()
        shared.at(f"/c/{card_id}")
        expect(shared.page.get_by_role("img", name="Лицевая сторона")).to_be_visible()
        assert holding(shared.stored(), hers) == hers
        shared.sign_out()
        shared.sign_in(boris.email)
        shared.at("/")
        expect(shared.page.get_by_text("Борисова карта")).to_be_visible()
        assert holding(shared.stored(), hers) == []
        assert holding(shared.page.content(), hers) == []


def test_signing_out_with_unsent_edits_asks_before_losing_them(browser: Browser, site: Running, anna: Person) -> None:
    card_id = anna.keep(name="Ашан", number="1")
    with phone(browser, site.url) as found:
        found.sign_in(anna.email)
        found.synced()
        found.installed()
        found.go_offline()
        found.edit(card_id, note="ещё не отправлено")
        found.at("/account")
        found.id("sign-out").click()
        found.id("sign-out-yes").click()
        expect(found.page.get_by_text("Не всё отправлено")).to_be_visible()
        found.press("Остаться")
        found.at(f"/c/{card_id}")
        expect(found.page.get_by_text("ещё не отправлено")).to_be_visible()
        found.go_online()
        found.synced()
    assert anna.cards()[card_id]["note"] == "ещё не отправлено"


# What the server says no to


def test_an_edit_of_a_card_that_was_purged_meanwhile_is_found_in_the_bin_with_the_card(
    browser: Browser, site: Running, anna: Person
) -> None:
    card_id = anna.keep(name="Ушедшая", number="7700", note="прежняя")
    with phone(browser, site.url) as found:
        found.sign_in(anna.email)
        found.synced()
        found.installed()
        found.go_offline()
        found.edit(card_id, note="важная правка")
        purge(store_of(site), card_id)
        found.go_online()
        found.at("/bin")
        expect(found.id("bin-row")).to_contain_text("Ушедшая")
        found.id("bin-row").get_by_role("button").click()
        found.synced()
    assert [(card["number"], card["note"]) for card in anna.cards().values()] == [("7700", "важная правка")]


def test_a_refused_change_is_shown_with_its_data_and_can_be_kept_as_ones_own_card(
    browser: Browser, site: Running, anna: Person
) -> None:
    with Person.signed_up(site.url) as host, phone(browser, site.url) as found:
        household = shared_with(host, anna)
        card_id = uuid7()
        host.push("card.keep", space=household, id=card_id, card={"name": "Общая", "number": "7700", "note": "прежняя"})
        found.sign_in(anna.email)
        found.synced()
        found.installed()
        found.go_offline()
        found.edit(card_id, note="важная правка")
        let_only_look(host, household, anna)
        found.go_online()
        found.at("/")
        expect(found.id("sync")).to_have_attribute("data-state", "refused")
        found.id("sync").click()
        refused = found.id("refused").filter(has_text="Изменение карты")
        expect(refused).to_contain_text("важная правка")
        refused.get_by_role("button", name="Сохранить моей картой").click()
        expect(refused).to_have_count(0)
        for _ in range(100):
            if kept := [fields for fields in anna.cards().values() if fields.get("note") == "важная правка"]:
                break
            found.page.wait_for_timeout(100)
    assert [(fields["name"], fields["number"]) for fields in kept] == [("Общая", "7700")]


def test_a_device_signed_out_from_another_one_wipes_itself_and_says_why(
    browser: Browser, site: Running, anna: Person
) -> None:
    anna.keep(name="Аннина карта", number="7700123456")
    with phone(browser, site.url) as lost, phone(browser, site.url) as own:
        lost.watch.expected.add(401)
        lost.sign_in(anna.email)
        lost.synced()
        lost.at("/")
        own.sign_in(anna.email)
        own.id("device").filter(has_not_text="это устройство").filter(has_text="Chrom").get_by_role("button").click()
        own.id("revoke-yes").click()
        expect(own.page.get_by_text("Устройство отключено")).to_be_visible()
        expect(lost.page.get_by_text("отключили с другого")).to_be_visible()
        expect(lost.id("card-row")).to_have_count(0)
        assert holding(lost.stored(), ["Аннина", "7700123456", anna.email]) == []


def test_an_expired_session_keeps_cards_and_queue_until_signed_in_again(
    browser: Browser, site: Running, anna: Person
) -> None:
    card_id = anna.keep(name="Ашан", number="1")
    with phone(browser, site.url) as found:
        found.watch.expected.add(401)
        found.sign_in(anna.email)
        found.synced()
        expire_sessions(store_of(site), anna.account)
        found.edit(card_id, note="пока вход устарел")
        found.at("/")
        expect(found.id("sync")).to_have_attribute("data-state", "signed-out")
        expect(found.id("card-row")).to_have_count(1)
        found.at("/account")
        found.id("password").fill("correct horse battery")
        found.id("sign-in").click()
        found.synced()
        found.at(f"/c/{card_id}")
        expect(found.page.get_by_text("пока вход устарел")).to_be_visible()
    with anna.another_device() as other:
        assert other.cards()[card_id]["note"] == "пока вход устарел"


# One browser, two tabs


def test_two_tabs_show_the_same_cards_and_leave_together(browser: Browser, site: Running, anna: Person) -> None:
    with phone(browser, site.url) as one:
        one.sign_in(anna.email)
        one.synced()
        two = one.another_tab()
        one.add_by_typing("Из первой вкладки", "1")
        expect(two.page.get_by_text("Из первой вкладки").first).to_be_visible()
        two.add_by_typing("Из второй вкладки", "2")
        one.at("/")
        expect(one.id("card-row")).to_have_count(2)
        one.synced()
        one.sign_out()
        two.at("/")
        expect(two.id("card-row")).to_have_count(0)
    assert sorted(fields["name"] for fields in anna.cards().values()) == ["Из второй вкладки", "Из первой вкладки"]


# Getting about


def test_the_language_can_be_changed_and_stays(guest: Phone) -> None:
    expect(guest.page.get_by_role("heading", name="Здесь будут ваши карты")).to_be_visible()
    guest.at("/account")
    guest.id("language").select_option("en")
    expect(guest.id("sign-up")).to_have_text("Make an account")
    guest.at("/")
    expect(guest.page.locator("html")).to_have_attribute("lang", "en")
    expect(guest.page.get_by_role("heading", name="Здесь будут ваши карты")).to_have_count(0)


def test_a_card_opens_at_its_own_address_and_back_leads_to_the_wallet(guest: Phone) -> None:
    card_id = guest.add_by_typing("Ашан", EAN)
    deep = guest.another_tab(f"/c/{card_id}")
    assert deep.shown_code() == [("EAN13", EAN)]
    deep.press("Назад")
    expect(deep.id("card-row")).to_be_visible()
    deep.id("card-row").click()
    deep.press("Что сделать с картой")
    expect(deep.page.get_by_role("dialog")).to_be_visible()
    deep.page.go_back()
    expect(deep.page.get_by_role("dialog")).to_have_count(0)
    expect(deep.id("code")).to_be_visible()
    deep.page.go_back()
    expect(deep.id("card-row")).to_be_visible()


def test_a_card_thrown_away_can_be_had_back(guest: Phone) -> None:
    guest.add_by_typing("Ашан", EAN)
    guest.press("Что сделать с картой")
    guest.id("bin").click()
    expect(guest.page.get_by_text("Карта в корзине")).to_be_visible()
    guest.at("/bin")
    guest.id("bin-row").get_by_role("button").click()
    expect(guest.id("bin-row")).to_have_count(0)
    guest.at("/")
    expect(guest.id("card-row")).to_have_count(1)


# The first photo takes longer to open than the second, and the first change of reminders longer to arrive.
SLOW_FIRST = """() => {
  const pause = (slow) => new Promise((go) => setTimeout(go, slow ? 400 : 0));
  const [opened, fetched] = [window.createImageBitmap, window.fetch];
  let [photos, puts] = [0, 0];
  window.createImageBitmap = async (...all) => (await pause(!photos++), opened(...all));
  window.fetch = async (url, init) => (await pause(init?.method === 'PUT' && !puts++), fetched(url, init));
}"""


def test_photos_of_both_sides_chosen_at_once_are_both_kept(guest: Phone) -> None:
    made = guest.add_by_typing("Лента", EAN)
    guest.at(f"/c/{made}/edit")
    guest.page.evaluate(SLOW_FIRST)
    for side in ("front", "back"):
        guest.page.locator(f'[data-testid="photo-{side}"]').set_input_files([photographed(card())])
    guest.id("save").click()
    guest.page.wait_for_url(f"**/c/{made}")
    for side in ("Лицевая сторона", "Оборот"):
        expect(guest.page.get_by_role("img", name=side)).to_be_visible()


def test_of_two_changes_of_reminders_the_later_stays(guest: Phone, anna: Person) -> None:
    guest.sign_in(anna.email)
    guest.at("/reminders")
    guest.id("reminders-on").check()
    guest.page.evaluate(SLOW_FIRST)
    guest.id("day-14").click()
    with guest.page.expect_response(lambda answer: "14,7,3,1" in (answer.request.post_data or "")):
        guest.id("day-3").click()
    guest.page.wait_for_timeout(600)
    kept = anna.http.get("/api/reminders", params={"account": anna.account}).json()
    assert kept["days"] == [30, 14, 7, 3, 1]


def test_an_address_of_no_card_says_so_and_leads_on(guest: Phone) -> None:
    guest.at("/c/019f0000-0000-7000-8000-000000000000")
    expect(guest.page.get_by_role("heading", name="Такой карты здесь нет")).to_be_visible()
    guest.press("К картам")
    expect(guest.page.get_by_role("heading", name="Здесь будут ваши карты")).to_be_visible()


def test_whoever_opens_an_invitation_reads_what_it_is_signs_up_joins_and_sees_what_is_shared(
    guest: Phone, anna: Person, site: Running
) -> None:
    account, card = {"account": anna.account}, anna.keep(name="Ашан", number="77001")
    household = {"name": "Семья", "own_name": "Анна"}
    space = anna.http.post("/api/households", params=account, json=household).json()["space"]
    made = anna.http.post(f"/api/households/{space}/invitations", params=account, json={"role": "viewer"}).json()
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url))
    guest.page.goto("about:blank")
    guest.at(f"/join#{made['token']}")
    expect(guest.id("invited")).to_have_text("Анна зовёт вас в общий карман «Семья»")
    guest.id("email").fill(f"{uuid7()}@example.org")
    guest.id("password").fill(PASSWORD)
    guest.id("sign-up").click()
    guest.id("own-name").fill("Борис")
    guest.id("join").click()
    expect(guest.id("member")).to_have_count(2)
    guest.at("/")
    anna.push("card.move", id=card, to=space)
    expect(guest.id("card-row")).to_have_text(re.compile("Ашан.*в общем кармане «Семья»", re.DOTALL))
    guest.id("card-row").click()
    guest.page.get_by_role("button", name="Что сделать с картой").click()
    expect(guest.page.get_by_role("button", name="В корзину")).to_have_count(0)
    guest.id("move").click()
    guest.id("copy").click()
    guest.at("/")
    expect(guest.id("card-row")).to_have_count(2)
    assert not [url for url in asked if made["token"] in url], "browsers send no fragment"
    assert made["token"] not in site.logged()
