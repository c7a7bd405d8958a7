"""A service with a sample wallet, and a bakery that does not exist whose balance and offers move while you watch.

Needs no network. Everything lies in a temporary folder that goes with it; Ctrl-C ends it.
"""

import argparse
import base64
import contextlib
import io
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients" / "python"))

from karman_partner import Balance, Expiring, Karman, Offer, Programme, Secret, Tier, Unit

REPOSITORY = Path(__file__).resolve().parent.parent
EMAIL, PASSWORD = "demo@example.org", "watch the points"
BAKERY = "Пекарня «Колос»"
NUMBER = "2400017450139"
# Shops that do not exist: name, number, colour, and whether it is a favourite.
OTHERS = [
    ("Аптека «Ромашка»", "2400031120447", "#0f766e", True),
    ("Книжный «Переплёт»", "2400052260912", "#7c3aed", False),
    ("Зоомагазин «Хвост»", "2400077341286", "#c2410c", False),
    ("Спорт «Финиш»", "2400012908873", "#1d4ed8", True),
    ("Кофейня «Зерно»", "2400099015538", "#78350f", False),
    ("Цветы «Пион»", "2400046678120", "#be185d", False),
]
PROGRAMME = Programme(
    name={"ru": "Колос", "en": "Kolos bakery"},
    about={"ru": "Хлеб на закваске. Балл за каждые 20 рублей.", "en": "Sourdough bread. A point for every 20 roubles."},
    colour="#b45309",
    unit=Unit(points={"ru": ["балл", "балла", "баллов"], "en": ["point", "points"]}),
    tiers=[Tier("silver", {"ru": "Серебряный", "en": "Silver"}), Tier("gold", {"ru": "Золотой", "en": "Gold"})],
    policies=["code"],
)
OFFERS = [
    (
        {"ru": "Второй багет в подарок", "en": "The second baguette free"},
        {"ru": "До закрытия.", "en": "Until closing."},
    ),
    ({"ru": "−20 % на ржаной", "en": "20 % off rye bread"}, {"ru": "Только сегодня.", "en": "Today only."}),
    ({"ru": "Кофе к булочке за 1 балл", "en": "Coffee with a bun for 1 point"}, {"ru": "С 16:00.", "en": "From 4 pm."}),
    ({"ru": "Баллы вдвойне", "en": "Twice the points"}, {"ru": "На всю выпечку.", "en": "On all pastry."}),
]
GOLD_FROM = 1_500
AT_ONCE = 2
OFFER_EVERY = 4


def main() -> None:
    """Start it, and move things until somebody has seen enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--every", type=float, default=4.0, help="seconds from one thing that happens to the next")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), sample(options.host, options.port) as bakery:
        say(f"Open {bakery.address} and sign in as {EMAIL} with the password: {PASSWORD}")
        say(f"Then watch the card of {BAKERY}. Ctrl-C ends it.")
        while True:
            time.sleep(options.every)
            say(f"{time.strftime('%H:%M:%S')}  {bakery.step()}")
    say("Over, and nothing is left of it.")


def say(words: str) -> None:
    print(words, flush=True)


@dataclass
class Bakery:
    """What the shop's own program knows, and does with the client in clients/python; `card` is the demo account's."""

    address: str
    karman: Karman
    card: str = ""
    points: int = 1_385
    pending: int = 0
    steps: int = 0
    live: list[int] = field(default_factory=list)

    def open(self) -> None:
        """Say what it is, and what the holder has before anything moves."""
        self.karman.put_programme(PROGRAMME)
        self.karman.put_logo(logo())
        self.tell()
        self.publish()

    def step(self) -> str:
        """One thing happens; says what."""
        self.steps += 1
        if self.steps % OFFER_EVERY == 0:
            return self.publish()
        if self.pending:
            return self.confirm()
        return self.sell() if self.points < 300 or random.random() < 0.6 else self.spend()

    def sell(self) -> str:
        """Somebody buys something: its points come a moment later."""
        roubles = random.randrange(200, 3_000, 10)
        self.pending = roubles // 20
        self.tell()
        return f"A purchase of {roubles} ₽: {self.pending} points are on their way."

    def confirm(self) -> str:
        """The points of the last purchase are there."""
        self.points, self.pending = self.points + self.pending, 0
        self.tell()
        return f"They have arrived: {self.points} points."

    def spend(self) -> str:
        """Somebody pays with points."""
        spent = random.randrange(50, 250, 5)
        self.points -= spent
        self.tell()
        return f"{spent} points are spent: {self.points} points."

    def tell(self) -> None:
        """Put the balance as it is."""
        soon = (datetime.now(UTC) + timedelta(days=12)).date()
        tier = "gold" if self.points >= GOLD_FROM else "silver"
        expiring = [Expiring(min(120, self.points), soon)]
        self.karman.put_balance(Balance(NUMBER, self.points, self.pending, expiring, tier))

    def publish(self) -> str:
        """The next offer goes live; the oldest ends."""
        place = (self.live[-1] + 1) % len(OFFERS) if self.live else 0
        (title, text), now = OFFERS[place], datetime.now(UTC)
        self.karman.put_offer(f"offer-{place}", Offer(title, now, now + timedelta(hours=8), text=text, state="live"))
        self.live.append(place)
        if len(self.live) > AT_ONCE:
            self.karman.end_offer(f"offer-{self.live.pop(0)}")
        return f"An offer goes live: {title['en']}."


@contextmanager
def sample(host: str, port: int) -> Iterator[Bakery]:
    """A service with the demo account and the bakery, both connected, inside the block."""
    with tempfile.TemporaryDirectory(prefix="karman-demo-") as data, served(data, host, port) as address:
        said = command(data, "partner", "add", BAKERY)
        found = re.search(r"^client id +(\S+)$\n^client secret +(\S+)$", said, re.MULTILINE)
        if found is None:
            raise SystemExit(said)
        with Karman(address, Secret(found[1], found[2])) as karman, httpx.Client(base_url=address, timeout=30) as phone:
            bakery = Bakery(address, karman)
            bakery.open()
            slug = karman.claim(None).slug
            command(data, "partner", "approve", BAKERY)
            bakery.card = connect(karman, Wallet.signed_up(phone), slug)
            yield bakery


@contextmanager
def served(data: str, host: str, port: int) -> Iterator[str]:
    """A service of its own process group, so that Ctrl-C reaches it when all else is done; gives its address."""
    words = ["serve", "--data", data, "--host", host, "--port", str(port), "--text", "off"]
    process = subprocess.Popen(
        [sys.executable, "-m", "aggregator", *words],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise SystemExit("The service did not start; is something else on that port? `make demo PORT=8001`")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def command(data: str, *words: str) -> str:
    """What one of the service's commands prints."""
    line = [sys.executable, "-m", "aggregator", words[0], "--data", data, *words[1:]]
    return subprocess.run(line, cwd=REPOSITORY, check=True, capture_output=True, text=True, env=os.environ).stdout


@dataclass
class Wallet:
    """The demo account on a device."""

    phone: httpx.Client
    account: str
    space: str
    client: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: int = 0

    @classmethod
    def signed_up(cls, phone: httpx.Client) -> "Wallet":
        asked = {"email": EMAIL, "password": PASSWORD, "device": "Demo"}
        body = phone.post("/api/accounts", json=asked).raise_for_status().json()
        return cls(phone, body["account"]["id"], body["space"])

    def keep(self, name: str, number: str, **fields: Any) -> str:
        """Keep a card, and give its id."""
        self.sent += 1
        card, raw = str(uuid.uuid4()), base64.b64encode(number.encode()).decode()
        body = {"name": name, "number": number, "codes": [{"format": "ean_13", "text": number, "raw": raw}], **fields}
        args = {"space": self.space, "id": card, "card": body}
        batch = {"client": self.client, "mutations": [{"id": self.sent, "name": "card.keep", "args": args}]}
        answer = self.phone.post("/api/sync/push", params={"account": self.account}, json=batch).raise_for_status()
        if answer.json()["results"][0]["status"] != "applied":
            raise SystemExit(answer.text)
        return card


def connect(karman: Karman, wallet: Wallet, slug: str) -> str:
    """Fill the wallet, and connect the bakery's card with a code from its till; gives the card's id."""
    for name, number, colour, is_favourite in OTHERS:
        wallet.keep(name, ean_13(number), colour=colour, **({"favourite": True} if is_favourite else {}))
    card = wallet.keep(BAKERY, NUMBER, colour="#b45309", merchant=slug, favourite=True)
    code = karman.make_code(NUMBER).code
    wanted = {"space": wallet.space, "card": card, "policy": "code", "code": code}
    wallet.phone.post("/api/links", params={"account": wallet.account}, json=wanted).raise_for_status()
    return card


def ean_13(text: str) -> str:
    """The number with the check digit that it needs (GS1 General Specifications, 7.9)."""
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text[:12]))
    return f"{text[:12]}{-weighed % 10}"


def logo() -> bytes:
    """An ear of wheat."""
    picture = Image.new("RGB", (256, 256), "#b45309")
    draw = ImageDraw.Draw(picture)
    draw.line((128, 60, 128, 226), fill="#fef3c7", width=10)
    for row in range(4):
        foot, tip = 200 - 40 * row, 150 - 40 * row
        for side in (-1, 1):
            draw.polygon([(128, foot), (128 + side * 54, tip), (128 + side * 8, tip)], "#fef3c7")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    main()
