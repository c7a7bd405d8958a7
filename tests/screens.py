"""Every screen of the app in the states that matter, and the wallets behind them; all numbers are made up."""

import io
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import expect

from aggregator.codes import gs1_check_digit
from aggregator.db import SQLITE_FILE
from tests import samples
from tests.browser import Phone
from tests.loyalty import COFFEE, PIZZA, connected, moment, put_balance, put_offer, put_picture
from tests.partners import Shop as Partner
from tests.service import Person, Running, code, uuid7


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
            **({"codes": [code(self.number, self.format)]} if self.format else {}),
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
    Shop("Детский мир", "detskiy-mir", "BONUS-7789-0012-3412-3412-20261121", "code_128"),
    Shop("Шоколадница", "chocolate", "8 800 555-01-77", "", (("note", "Скидка по номеру телефона."),)),
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
    """People with a dozen cards, with one, with far too many, and with a household; a guest has none. Cards of `club`
    can be connected.
    """

    sample: Person
    one: Person
    full: Person
    family: Person
    cards: dict[str, str]
    household: str
    store: Path
    club: Partner

    def by_name(self) -> dict[str, Person]:
        """As scenes call them."""
        return {"sample": self.sample, "one": self.one, "full": self.full, "family": self.family}


def fill(sample: Person, one: Person, full: Person, family: Person, store: Path, club: Partner) -> Wallets:
    """Give them their cards; `store` is the file of the rows, `club` a shop that is `CLUB` in the directory."""
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
    household = own_household(family)
    asked(family, "POST", f"/api/households/{household}/invitations", role="member")
    for shop in SHOPS[:3]:
        family.push("card.move", id=family.keep(**shop.fields()), to=household)
    family.keep(**SHOPS[3].fields())
    with _rows(store) as rows:
        rows.execute(
            f"UPDATE device SET name = 'Safari, iPhone', seen_ms = seen_ms - {3 * 86_400_000} WHERE name = 'test'"
        )
    return Wallets(sample, one, full, family, cards, household, store, club)


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


def store_of(site: Running) -> Path:
    """The file of the rows of a service on the embedded stores."""
    return site.log.parent / SQLITE_FILE


@contextmanager
def _rows(store: Path) -> Iterator[sqlite3.Connection]:
    """The rows, from behind the service's back."""
    with closing(sqlite3.connect(store, timeout=30)) as rows, rows:
        yield rows


def purge(store: Path, card_id: str) -> None:
    """As the store does 30 days after a card was binned."""
    with _rows(store) as rows:
        assert rows.execute("DELETE FROM entry WHERE key = ?", [f"card/{card_id}"]).rowcount == 1


def shared_with(host: Person, guest: Person) -> str:
    """A new household of the host that the guest may edit in."""
    household = own_household(host)
    invitation = asked(host, "POST", f"/api/households/{household}/invitations", role="member")
    asked(guest, "POST", "/api/invitations/join", token=invitation["token"], own_name="Анна")
    return household


def own_household(host: Person) -> str:
    """A new household with nobody else in it."""
    return str(asked(host, "POST", "/api/households", name="Дом", own_name="Борис")["space"])


def let_only_look(host: Person, household: str, guest: Person) -> None:
    """From now on the guest's edits there are refused."""
    asked(host, "PATCH", f"/api/households/{household}/members/{guest.account}", role="viewer")


def asked(person: Person, method: str, path: str, **body: str) -> dict[str, Any]:
    """What the service answers to somebody who is signed in."""
    answer = person.http.request(method, path, params={"account": person.account}, json=body)
    assert answer.is_success, answer.text
    return dict(answer.json()) if answer.content else {}


def expire_sessions(store: Path, account: str) -> None:
    """As 400 days without a visit do."""
    with _rows(store) as rows:
        assert rows.execute("UPDATE device SET expires_ms = 1 WHERE account_id = ?", [account]).rowcount


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
        shown = phone.id(test_id) if test_id else phone.page.locator(".body p")
        expect(shown.first).to_be_visible()

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


NEW = ean("220088012399")
ASKING = re.compile("Фото ушло|The photo went")


def _confirm(phone: Phone, wallets: Wallets) -> None:
    _choose_photo(samples.card(content=NEW))(phone)
    expect(phone.page.locator(".code-said")).to_contain_text(NEW)
    expect(phone.page.locator(".crop img")).to_be_visible()
    expect(phone.page.locator(".said")).not_to_contain_text(ASKING)


def _confirm_shop(phone: Phone, wallets: Wallets) -> None:
    _confirm(phone, wallets)
    phone.id("shop").fill("подр")
    expect(phone.page.get_by_role("option").first).to_be_visible()


def _shop(text: str) -> Show:
    """What is offered for a shop typed in some way."""

    def show(phone: Phone, wallets: Wallets) -> None:
        phone.at("/add")
        phone.id("type").click()
        phone.id("shop").fill(text)
        expect(phone.page.locator(".suggestion").first).to_be_visible()

    return show


def _link(phone: Phone, wallets: Wallets) -> None:
    """A card with a typed shop that the directory knows everywhere."""
    phone.add_by_typing("zara", ean("220055667788"))
    phone.page.locator(".till-hint button").first.click()
    expect(phone.id("link-offer")).to_be_visible()
    expect(phone.id("code")).to_be_visible()


def _confirm_duplicate(phone: Phone, wallets: Wallets) -> None:
    _choose_photo(samples.card(content=ean("220066012344")))(phone)
    expect(phone.id("duplicate")).to_be_visible()
    expect(phone.page.locator(".crop img")).to_be_visible()
    expect(phone.page.locator(".said")).not_to_contain_text(ASKING)


def on_table(picture: bytes) -> Image.Image:
    """A card as it lies before a camera."""
    table = Image.new("RGB", (1280, 960), "#9a928a")
    table.paste(Image.open(io.BytesIO(picture)), (212, 210))
    return table


def _confirm_believed(phone: Phone, wallets: Wallets) -> None:
    _choose_photo(on_table(face("LENTA", "#1d4ed8")))(phone)
    expect(phone.id("shop")).to_have_value(re.compile("Лента|Lenta"))
    expect(phone.page.locator(".crop img")).to_be_visible()


def _confirm_unread(phone: Phone, wallets: Wallets) -> None:
    _choose_photo(Image.new("RGB", (1000, 640), "#274690"))(phone)
    expect(phone.page.locator(".crop img")).to_be_visible()


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
    expect(phone.page.locator(".found-code img")).to_have_count(2)


def _guest(phone: Phone, wallets: Wallets) -> None:
    phone.add_by_typing("Пятёрочка", SHOPS[0].number)
    phone.add_by_typing("Ашан", SHOPS[5].number)
    phone.at("/")
    expect(phone.id("card-row")).to_have_count(2)


def _adopt(phone: Phone, wallets: Wallets) -> None:
    _guest(phone, wallets)
    language = phone.page.evaluate("document.documentElement.lang")
    phone.sign_up(f"olga.{language}@example.org")
    expect(phone.id("adopt")).to_be_visible()


def _add(phone: Phone, wallets: Wallets) -> None:
    """With a live picture, or with why there is none."""
    address("/add", "type")(phone, wallets)
    phone.until(
        "document.querySelector('.camera video')?.currentTime > 0 || document.querySelector('.camera-words button')"
    )


def _no_camera(phone: Phone, wallets: Wallets) -> None:
    phone.context.clear_permissions()
    address("/add", "type")(phone, wallets)
    expect(phone.page.locator(".camera-words button")).to_be_visible()


def _refused(phone: Phone, wallets: Wallets) -> None:
    card_id = uuid7()
    with Person.signed_up(str(wallets.family.http.base_url)) as host:
        household = shared_with(host, wallets.family)
        lukoil = {"name": "Лукойл", "merchant": "lukoil", "number": "7003 3120 0945 12"}
        host.push("card.keep", space=household, id=card_id, card=lukoil)
        phone.at("/")
        expect(phone.page.locator(f'a[href="/c/{card_id}"]').first).to_be_attached()
        _edit_offline(phone, card_id, "Заправка у дома, 95-й")
        let_only_look(host, household, wallets.family)
    phone.go_online()
    phone.at("/")
    phone.page.locator('[data-testid="sync"][data-state="refused"]').click()
    expect(phone.id("refused").first).to_be_visible()


def _signed_out(phone: Phone, wallets: Wallets) -> None:
    phone.watch.expected.add(401)
    expire_sessions(wallets.store, wallets.one.account)
    phone.at("/")
    expect(phone.id("sync")).to_have_attribute("data-state", "signed-out")


def _sign_out(phone: Phone, wallets: Wallets) -> None:
    phone.at("/account")
    phone.id("sign-out").click()
    expect(phone.id("sign-out-yes")).to_be_visible()


def _reminders(phone: Phone, wallets: Wallets) -> None:
    address("/reminders", "reminders-on")(phone, wallets)
    phone.id("reminders-on").check()
    expect(phone.id("quiet")).to_be_visible()


def _account_wrong(phone: Phone, wallets: Wallets) -> None:
    phone.watch.expected.add(401)
    phone.at("/account")
    phone.id("sign-mode").click()
    phone.id("email").fill("anna@example.org")
    phone.id("password").fill("not her password")
    phone.id("sign-in").click()
    expect(phone.page.locator(".fault")).to_be_visible()


def _edit_offline(phone: Phone, card_id: str, note: str) -> None:
    """One change waits: that the card was shown afterwards is not the person's to know."""
    phone.synced()
    phone.installed()
    phone.go_offline()
    phone.edit(card_id, note=note)
    expect(phone.page.locator('[data-testid="sync"]')).to_have_attribute("data-waiting", "1")


def _offline(phone: Phone, wallets: Wallets) -> None:
    _edit_offline(phone, wallets.cards["Лента"], "Скидка по вторникам")
    phone.at("/")
    expect(phone.id("sync")).to_have_attribute("data-state", "offline")


def _offline_told(phone: Phone, wallets: Wallets) -> None:
    _edit_offline(phone, wallets.cards["ВкусВилл"], "Любимый продукт: кефир")
    phone.at("/")
    phone.page.locator('[data-testid="sync"][data-state="offline"]').click()
    expect(phone.page.get_by_role("dialog")).to_be_visible()


CLUB = "perekryostok"
DAYS_LEFT = 9


def _number(person: Person) -> str:
    """A number of the club's that nobody else has."""
    return ean(f"2299{uuid.UUID(person.account).int % 10**8:08d}")


def _club_card(person: Person) -> str:
    """The id of the person's card of the club, kept when it is first asked for."""
    for card_id, body in person.cards().items():
        if body.get("merchant") == CLUB:
            return card_id
    number = _number(person)
    return person.keep(name="Перекрёсток", merchant=CLUB, number=number, codes=[code(number)])


def of_club(path: str, test_id: str) -> Show:
    """A screen of the card that can be connected, below the card's address."""

    def show(phone: Phone, wallets: Wallets) -> None:
        card = _club_card(wallets.full)
        address("/", "search")(phone, wallets)
        phone.synced()
        address(f"/c/{card}{path}", test_id)(phone, wallets)

    return show


def _connect_code(phone: Phone, wallets: Wallets) -> None:
    of_club("/connect", "connect-yes")(phone, wallets)
    phone.id("connect-yes").click()
    expect(phone.id("connect-code")).to_be_visible()


def _connect(wallets: Wallets) -> None:
    """The card is connected, and its shop has said something."""
    person, club = wallets.full, wallets.club
    put_offer(club, "coffee", 8, COFFEE)
    put_picture(club, "coffee")
    put_offer(club, "pizza", 0.3, PIZZA)
    connected(person, _club_card(person), club)
    expiring = [{"amount": 100, "on": moment(DAYS_LEFT)[:10]}]
    for later, main in enumerate((1440, 1190, 1340, 1240), start=1):
        put_balance(club, _number(person), main, later=later, tier="gold", pending=40, expiring=expiring)


def linked(path: str, test_id: str) -> Show:
    """As `of_club`, once the card is connected."""

    def show(phone: Phone, wallets: Wallets) -> None:
        if not any("live/" in put["key"] for put in wallets.full.pull()["patch"] if put["op"] == "put"):
            _connect(wallets)
        of_club(path, "live-balance")(phone, wallets)
        expect(phone.id("live-balance")).to_contain_text(re.compile("1.240"))
        expect(phone.id(test_id).first).to_be_visible()

    return show


def _offers(phone: Phone, wallets: Wallets) -> None:
    linked("", "till-offer")(phone, wallets)
    address("/offers", "offer")(phone, wallets)


# In an order in which what one of them changes is not seen in the next.
SCENES = (
    Scene("wallet-empty", "guest", address("/", "add")),
    Scene("wallet-guest", "guest", _guest),
    Scene("wallet-one", "one", address("/", "code")),
    Scene("wallet", "sample", address("/", "card-row")),
    Scene("wallet-full", "full", address("/", "card-row")),
    Scene("wallet-search", "sample", _search("лен")),
    Scene("wallet-nothing", "sample", _search("такого нет")),
    Scene("till", "sample", till("Пятёрочка")),
    Scene("till-qr", "sample", till("Золотое яблоко")),
    Scene("till-pdf417", "sample", till("Читай-город")),
    Scene("till-turned", "sample", till("Детский мир")),
    Scene("till-photo", "sample", till("Лента")),
    Scene("till-no-code", "sample", till("Шоколадница", "till-number")),
    Scene("till-menu", "sample", _menu),
    Scene("till-link", "guest", _link),
    Scene("till-gone", "sample", address("/c/019f0000-0000-7000-8000-000000000000")),
    Scene("add", "sample", _add),
    Scene("add-no-camera", "guest", _no_camera),
    Scene("confirm", "sample", _confirm),
    Scene("confirm-shop", "sample", _confirm_shop),
    Scene("confirm-duplicate", "sample", _confirm_duplicate),
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
    Scene("account-ways", "sample", address("/ways", "change-password")),
    Scene("account-forgot", "guest", address("/forgot", "ask-reset")),
    Scene("wallet-shared", "family", address("/", "pocket")),
    Scene("households", "family", address("/households", "household")),
    Scene(
        "household",
        "family",
        lambda phone, wallets: address(f"/households/{wallets.household}", "members")(phone, wallets),
    ),
    Scene("reminders", "sample", _reminders),
    Scene("leaving", "sample", address("/leaving", "take")),
    Scene("wallet-offline", "sample", _offline, Phone.go_online),
    Scene("sync-offline", "sample", _offline_told, Phone.go_online),
    Scene("sync-refused", "family", _refused),
    Scene("wallet-signed-out", "one", _signed_out),
    Scene("connect", "full", of_club("/connect", "connect-yes")),
    Scene("connect-code", "full", _connect_code),
    Scene("offers-empty", "full", address("/offers", "no-offers")),
    Scene("till-linked", "full", linked("", "till-offer")),
    Scene("card-back", "full", linked("/back", "outlets")),
    Scene("offers", "full", _offers),
)

# More pictures of screens that are among the scenes already; the first needs print to be read.
MORE_SCENES = (
    Scene("confirm-believed", "sample", _confirm_believed),
    Scene("wallet-search-layout", "sample", _search("vfuytn")),
    Scene("shop-layout", "sample", _shop("gznthjxrf")),
    Scene("shop-latin", "sample", _shop("pyaterochka")),
    Scene("shop-typo", "sample", _shop("пятерчка")),
    Scene("shop-nickname", "sample", _shop("5ка")),
)
