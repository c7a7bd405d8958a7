"""A new phone: what the server spends on 250 cards, how many bytes they are, and when they are all on the screen.

The phone has the app but no cards, and a network of 1.6 Mbit/s down, 750 kbit/s up and 150 ms there and back, as slow
mobile networks are imitated commonly. The time runs from the press on "Sign in" to the last of 250 rows.
"""

import random
import time
import uuid
from typing import Any

from benchmarks.calls import cpu_s, wallet
from tests.browser import Phone, chromium, phone
from tests.service import PASSWORD, Person, Running, ServiceOptions, running, uuid7

CARDS = 250
PULLS = 40
NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
ROWS = "document.querySelectorAll('[data-testid=\"card-row\"]').length >= {count}"


def owner(url: str, email: str) -> Person:
    """Somebody with 250 cards."""
    person = Person.signed_up(url, email)
    dice = random.Random(250)
    cards = [card for _ in range(4) for card in wallet(dice)][:CARDS]
    # Pictures follow later, and are not what is measured.
    keeps = [{name: value for name, value in card.items() if name != "front"} for card in cards]
    mutations = [person.mutation("card.keep", id=uuid7(), card=card) for card in keeps]
    person.send(mutations).raise_for_status()
    return person


def pulled(service: Running, person: Person) -> dict[str, float]:
    """CPU and bytes of one whole pull."""
    ask = {"params": {"account": person.account}, "headers": {"accept-encoding": "gzip"}}
    size = int(person.http.get("/api/sync/pull", **ask).headers["content-length"])
    before = cpu_s(service.process.pid)
    for _ in range(PULLS):
        person.http.get("/api/sync/pull", **ask).raise_for_status()
    return {"cpu_ms": round((cpu_s(service.process.pid) - before) / PULLS * 1000, 2), "bytes": size}


def shown_ms(new: Phone, email: str) -> float:
    """From the press to the last row, on the slow network."""
    new.at("/account")
    new.id("sign-mode").click()
    new.id("email").fill(email)
    new.id("password").fill(PASSWORD)
    new.context.new_cdp_session(new.page).send("Network.emulateNetworkConditions", NETWORK)
    began = time.perf_counter()
    new.id("sign-in").click()
    new.until(ROWS.format(count=CARDS))
    return (time.perf_counter() - began) * 1000


def run(embedded: ServiceOptions) -> dict[str, Any]:
    """Print what a restore costs, and give it."""
    email = f"{uuid.uuid4().hex}@example.org"
    with running(embedded) as service, owner(service.url, email) as person, chromium() as browser:
        found: dict[str, Any] = pulled(service, person)
        with phone(browser, service.url.replace("127.0.0.1", "localhost")) as new:
            new.installed()
            found["shown_ms"] = round(shown_ms(new, email))
    print(
        f"\nrestore of {CARDS} cards: {found['cpu_ms']} ms of the server, {found['bytes']} bytes compressed; all on the"
    )
    print(f"screen {found['shown_ms']} ms after the press, on a slow mobile network")
    return found
