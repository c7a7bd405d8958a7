"""Every screen of the app in the states that matter, and the wallets behind them; all numbers are made up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import expect

from aggregator.codes import gs1_check_digit
from tests import samples
from tests.browser import Phone
from tests.service import Person, code, uuid7


def ean(body: str) -> str:
    """An EAN-13 of the range that shops use inside."""
    return body + gs1_check_digit(body)


@dataclass(frozen=True)
class Shop:
    """A card of the sample wallet."""

    name: str
    slug: str
    number: str
    format: str = "ean_13"
    more: tuple[tuple[str, Any], ...] = ()

    def fields(self) -> dict[str, Any]:
        """The card's body."""
        return {
            "name": self.name,
            "number": self.number,
            "codes": [code(self.number, self.format)],
            **({"merchant": self.slug} if self.slug else {}),
            **dict(self.more),
        }


POINTS = {"value": 1240, "unit": "points"}
SHOPS = (
    Shop("Пятёрочка", "pyaterochka", ean("220077890012"), more=(("favourite", True), ("balance", POINTS))),
    Shop("Перекрёсток", "perekryostok", "7789001234123412", "code_128", (("favourite", True),)),
    Shop("Магнит", "magnit", ean("220014096631"), more=(("balance", {"value": 32050, "unit": "RUB"}),)),
    Shop("М.Видео", "m-video", "MV-4410-0071", "code_128"),
    Shop("Лента", "lenta", ean("220066012344"), more=(("expires_on", "2031-11-30"),)),
    Shop("Ашан", "auchan-ru", ean("220031204412"), more=(("note", "На кассе назвать телефон Ольги."), ("pin", "4071"))),
    Shop("Спортмастер", "sportmaster", "30021457788", "code_128"),
    Shop("Золотое яблоко", "gold-apple", "GA:880143312", "qr_code", (("favourite", True),)),
    Shop("ВкусВилл", "vkusvill", "9400887", "code_39"),
    Shop("Читай-город", "chitay-gorod", "KNIGA 778 ЧГ", "pdf417"),
    Shop("Лукойл", "lukoil", "70033120094512", "itf"),
    Shop("IKEA", "ikea", "627598031200184", "code_128", (("group", "Дом"),)),
    Shop("Аптека у дома", "", "A40156789B", "codabar"),
    Shop("36,6", "", "APTEKA-366-0001", "data_matrix"),
)


def face(name: str, colour: str) -> bytes:
    """A photo of a plastic card."""
    picture = Image.new("RGB", (856, 540), colour)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((560, 60, 800, 190), 24, fill="#ffffff33")
    draw.text((60, 220), name, fill="white", font=ImageFont.load_default(110))
    draw.text((60, 440), "2200 6601 2344 7", fill="white", font=ImageFont.load_default(52))
    return samples.encoded(picture, "PNG")


@dataclass(frozen=True)
class Wallets:
    """Four people: with nothing, with one card, with a dozen, and with far too many."""

    sample: Person
    one: Person
    full: Person
    cards: dict[str, str]


def fill(sample: Person, one: Person, full: Person) -> Wallets:
    """Give them their cards."""
    front, _answer = sample.upload(face("LENTA", "#1d4ed8"))
    cards = {
        shop.name: sample.keep(**shop.fields() | ({"front": front} if shop.name == "Лента" else {})) for shop in SHOPS
    }
    thrown = sample.keep(name="Старая аптека", number="1")
    sample.push("card.bin", id=thrown)
    for place, name in enumerate(["Спортмастер", "Ашан", "Пятёрочка", "Лента"]):
        sample.push("card.use", id=cards[name], use=uuid7(), at=f"2026-11-21T1{place}:00:00Z")
    one.keep(**SHOPS[0].fields())
    keep_many(full)
    return Wallets(sample, one, full, cards)


LETTERS = "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯABCDEFGHIKLMNOPRSTVWZ"


LONG_NAMES = ("{}ладос Плюс: товары для дома и сада № {:03d}", "{} Торговый дом Великолепного Хозяина {:03d}")


def keep_many(person: Person, count: int = 250) -> None:
    """Cards with names of forty characters, over all letters."""
    batch = []
    for place in range(count):
        name = LONG_NAMES[place % 3 == 0].format(LETTERS[place % len(LETTERS)], place)
        number = ean(f"2200{place:08d}")
        fields = {"name": name, "number": number, "codes": [code(number)], "favourite": place % 25 == 0}
        batch.append(
            person.mutation("card.keep", id=uuid7(), card={key: value for key, value in fields.items() if value})
        )
    person.send(batch).raise_for_status()


Show = Callable[[Phone, Wallets], None]


@dataclass(frozen=True)
class Scene:
    """One screen in one state: whose phone shows it, how it gets there, and what has to be put back afterwards."""

    name: str
    who: str
    show: Show
    after: Callable[[Phone], None] = lambda phone: None


def address(path: str, test_id: str = "") -> Show:
    """Open an address and wait for what shows that it is there."""

    def show(phone: Phone, wallets: Wallets) -> None:
        phone.at(path)
        if test_id:
            expect(phone.id(test_id).first).to_be_visible()

    return show


def till(name: str, test_id: str = "code") -> Show:
    """Show a card of the sample wallet."""

    def show(phone: Phone, wallets: Wallets) -> None:
        phone.at(f"/c/{wallets.cards[name]}")
        expect(phone.id(test_id)).to_be_visible()

    return show


def _search(text: str) -> Show:
    def show(phone: Phone, wallets: Wallets) -> None:
        phone.at("/")
        phone.id("search").fill(text)
        expect(phone.page.locator(".strip")).to_have_count(0)

    return show


def _menu(phone: Phone, wallets: Wallets) -> None:
    till("Пятёрочка")(phone, wallets)
    phone.page.locator(".till .bar .round").last.click()
    expect(phone.page.get_by_role("dialog")).to_be_visible()


def _choose_photo(picture: Image.Image) -> Callable[[Phone], None]:
    def choose(phone: Phone) -> None:
        phone.at("/add")
        shot = {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": samples.encoded(picture, quality=88)}
        phone.id("gallery").set_input_files([shot])

    return choose


def _confirm(phone: Phone, wallets: Wallets) -> None:
    _choose_photo(samples.card(content=ean("220066012344")))(phone)
    expect(phone.page.locator(".code-said")).to_be_visible()
    expect(phone.page.locator(".said")).not_to_be_empty()
    phone.id("shop").fill("Лент")
    expect(phone.page.get_by_role("option").first).to_be_visible()


def _confirm_unread(phone: Phone, wallets: Wallets) -> None:
    _choose_photo(Image.new("RGB", (1000, 640), "#274690"))(phone)
    expect(phone.id("keep")).to_be_visible()


def _confirm_typed(phone: Phone, wallets: Wallets) -> None:
    phone.add_by_typing("Буквоед", ean("220033445566"), keep=False)
    phone.page.keyboard.press("Tab")
    expect(phone.id("code")).to_be_visible()


def _confirm_wrong(phone: Phone, wallets: Wallets) -> None:
    phone.add_by_typing("", "4607001234563", keep=False)
    phone.id("format").select_option("ean_13")
    phone.id("keep").click()
    expect(phone.page.locator(".fault").first).to_be_visible()


def _choose_codes(phone: Phone, wallets: Wallets) -> None:
    both = Image.new("RGB", (900, 900), "#bcbab8")
    both.paste(samples.code("ean_13", ean("220066012344"), 4), (60, 60))
    both.paste(samples.code("qr_code", "https://example.org/app", 8), (60, 480))
    _choose_photo(both)(phone)
    expect(phone.id("choose")).to_be_visible()


def _adopt(phone: Phone, wallets: Wallets) -> None:
    phone.add_by_typing("Пятёрочка", SHOPS[0].number)
    phone.add_by_typing("Ашан", SHOPS[5].number)
    phone.sign_up(f"{uuid7()[-12:]}@example.org")
    expect(phone.id("adopt")).to_be_visible()


def _sign_out(phone: Phone, wallets: Wallets) -> None:
    phone.at("/account")
    phone.id("sign-out").click()
    expect(phone.id("sign-out-yes")).to_be_visible()


def _account_wrong(phone: Phone, wallets: Wallets) -> None:
    phone.watch.expected.add(401)
    phone.at("/account")
    phone.id("sign-mode").click()
    phone.id("email").fill("anna@example.org")
    phone.id("password").fill("not her password")
    phone.id("sign-in").click()
    expect(phone.page.locator(".fault")).to_be_visible()


def _offline(phone: Phone, wallets: Wallets) -> None:
    phone.synced()
    phone.installed()
    phone.go_offline()
    phone.edit(wallets.cards["Лента"], note="Скидка по вторникам")
    phone.at("/")
    expect(phone.id("sync")).to_have_attribute("data-state", "offline")


def _offline_told(phone: Phone, wallets: Wallets) -> None:
    _offline(phone, wallets)
    phone.id("sync").click()
    expect(phone.page.get_by_role("dialog")).to_be_visible()


SCENES = (
    Scene("wallet-empty", "guest", address("/", "add")),
    Scene("wallet-one", "one", address("/", "code")),
    Scene("wallet", "sample", address("/", "card-row")),
    Scene("wallet-full", "full", address("/", "card-row")),
    Scene("wallet-search", "sample", _search("лен")),
    Scene("wallet-nothing", "sample", _search("такого нет")),
    Scene("till", "sample", till("Пятёрочка")),
    Scene("till-qr", "sample", till("Золотое яблоко")),
    Scene("till-photo", "sample", till("Лента")),
    Scene("till-long", "sample", till("Читай-город")),
    Scene("till-menu", "sample", _menu),
    Scene("till-gone", "sample", address("/c/019f0000-0000-7000-8000-000000000000")),
    Scene("add", "sample", address("/add", "type")),
    Scene("confirm", "sample", _confirm),
    Scene("confirm-unread", "sample", _confirm_unread),
    Scene("confirm-typed", "sample", _confirm_typed),
    Scene("confirm-wrong", "sample", _confirm_wrong),
    Scene("choose-codes", "sample", _choose_codes),
    Scene("edit", "sample", lambda phone, wallets: address(f"/c/{wallets.cards['Ашан']}/edit", "save")(phone, wallets)),
    Scene("bin", "sample", address("/bin", "bin-row")),
    Scene("bin-empty", "guest", address("/bin")),
    Scene("account", "sample", address("/account", "device")),
    Scene("sign-out", "sample", _sign_out),
    Scene("account-guest", "guest", address("/account", "sign-up")),
    Scene("account-wrong", "guest", _account_wrong),
    Scene("account-adopt", "guest", _adopt),
    Scene("wallet-offline", "sample", _offline, Phone.go_online),
    Scene("sync-offline", "sample", _offline_told, Phone.go_online),
)
