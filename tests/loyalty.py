"""A shop with a loyalty programme at a running service, as holders of its cards meet it in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from tests import samples
from tests.partners import Shop, shop
from tests.service import Person, Running

OUTLETS = [
    {
        "id": str(place),
        "name": f"Магазин № {place}",
        "address": f"Москва, улица Мира, {place}",
        "lat": 55.75 + place / 200,
        "lon": 37.6,
        "hours": "Mo-Su 08:00-22:00",
    }
    for place in range(1, 8)
]
PROGRAMME: dict[str, Any] = {
    "name": {"ru": "Клуб друзей", "en": "Friends’ club"},
    "about": {
        "ru": "Магазины у дома. Балл за каждые 20 рублей, по пятницам вдвое больше.",
        "en": "Shops near home. A point for every 20 roubles, twice as many on Fridays.",
    },
    "site": "https://example.org/club",
    "phone": "+78005550177",
    "email": "club@example.org",
    "policies": ["challenge", "code"],
    "tiers": [
        {"id": "silver", "name": {"ru": "Серебряный", "en": "Silver"}},
        {"id": "gold", "name": {"ru": "Золотой", "en": "Gold"}},
    ],
    "outlets": OUTLETS,
}
COFFEE = {
    "title": {"ru": "−10 % на кофе", "en": "10 % off coffee"},
    "text": {
        "ru": "На весь кофе в зёрнах. Складывается с баллами.",
        "en": "On all coffee beans. Points count, too.",
    },
    "terms": {"ru": "Один раз на карту.", "en": "Once a card."},
}
PIZZA = {"title": {"ru": "Вторая пицца в подарок", "en": "The second pizza is free"}, "text": {}, "terms": {}}


@contextmanager
def club(site: Running, slug: str) -> Iterator[Shop]:
    """A shop whose claim of the directory's entry the operator has approved, with its programme and logo."""
    with shop(site, "--slug", slug) as made:
        done(made, "PUT", "/programme", PROGRAMME)
        answer = made.http.put("/partner/v1/programme/logo", content=logo(), headers={"Content-Type": "image/png"})
        answer.raise_for_status()
        yield made


@cache
def logo() -> bytes:
    """A letter on a square."""
    picture = Image.new("RGB", (200, 200), "#0f766e")
    ImageDraw.Draw(picture).text((62, 20), "K", fill="white", font=ImageFont.load_default(130))
    return samples.encoded(picture, "PNG")


def done(made: Shop, method: str, path: str, body: Any = None) -> Any:
    """What the API answers to a call that must go well."""
    answer = made.call(method, path, body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def code_for(made: Shop) -> str:
    """The code of the last challenge, as the shop would send it to the contact it has."""
    events = done(made, "GET", "/events?limit=1000")["items"]
    return str([event["data"]["code"] for event in events if event["type"] == "link.challenge"][-1])


def put_balance(made: Shop, number: str, main: int, *, later: int = 0, **more: Any) -> None:
    """What the shop says of a number; `later` seconds tell one balance from the one before."""
    done(made, "PUT", f"/cards/{number}/balance", {"main": main, "as_of": moment(later / 86_400), **more})


def put_offer(made: Shop, name: str, days: float, words: dict[str, Any] = COFFEE, **more: Any) -> None:
    """An offer for everybody that began an hour ago and ends in so many days."""
    times = {"starts_at": moment(-1 / 24), "ends_at": moment(days)}
    body = {**words, **times, "state": "live", "audience": {"all": True}, "notify": False, **more}
    done(made, "PUT", f"/offers/{name}", body)


def put_picture(made: Shop, name: str) -> None:
    """An offer's picture: a cup from above."""
    picture = Image.new("RGB", (900, 420), "#7c4a21")
    ImageDraw.Draw(picture).ellipse((300, 60, 600, 360), fill="#e8d3b0")
    ImageDraw.Draw(picture).ellipse((330, 90, 570, 330), fill="#4a2a10")
    path, headers = f"/partner/v1/offers/{name}/picture", {"Content-Type": "image/png"}
    made.http.put(path, content=samples.encoded(picture, "PNG"), headers=headers).raise_for_status()


def moment(days: float = 0) -> str:
    """That many days from this moment, as the API writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def connected(person: Person, card: str, made: Shop) -> str:
    """The person connects a card by a code that the shop sends; gives the link's id."""
    body = {"space": person.space, "card": card, "policy": "challenge"}
    asked = person.http.post("/api/links", params={"account": person.account}, json=body)
    assert asked.status_code == 202, asked.text
    answered = person.http.put(
        f"/api/links/attempts/{asked.json()['attempt']}",
        params={"account": person.account},
        json={"code": code_for(made)},
    )
    assert answered.status_code == 201, answered.text
    return str(answered.json()["link"])
