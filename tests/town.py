"""A service whose mails arrive and that knows a provider, and the people who get in there by every way."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.authenticator import Authenticator
from tests.mailbox import PATIENCE_S, Mailbox, link, mailbox
from tests.providers import Provider, provider
from tests.servers import free_ports
from tests.service import PASSWORD, ServiceOptions, client, running
from tests.stores import Rows

NEW = "an even better password"


@dataclass(frozen=True)
class Town:
    """A service whose mails arrive, and a provider it knows. `site` is what it calls itself."""

    url: str
    site: str
    options: ServiceOptions
    box: Mailbox
    provider: Provider
    open: ExitStack

    def browser(self) -> httpx.Client:
        """A browser without a cookie."""
        browser = client(self.url, headers={"Accept-Language": "ru"})
        self.open.callback(browser.close)
        return browser

    def joined(self, address: str = "") -> "Member":
        """Somebody who has signed up and opened the mail."""
        browser, address = self.browser(), address or new_address()
        assert browser.post("/api/accounts", json=credentials(address)).status_code == 202
        _, token = link(self.box.next(address))
        answer = browser.post("/api/accounts/confirm", json={"token": token, "device": "телефон"})
        assert answer.status_code == 201, answer.text
        return Member(browser, address, answer.json()["account"]["id"])

    def another(self, member: "Member") -> "Member":
        """The same person in another browser."""
        browser = self.browser()
        assert browser.post("/api/session", json=credentials(member.email)).status_code == 200
        return Member(browser, member.email, member.account)

    def age(self, member: "Member") -> None:
        """Half an hour goes by since this person proved who they are."""
        Rows(self.options).sql(f"UPDATE device SET proven_ms = 0 WHERE account_id = '{member.account}' RETURNING id")

    def came_back(
        self, browser: httpx.Client, subject: str, purpose: str = "sign-in", **changed: Any
    ) -> httpx.Response:
        """Go to the provider, sign in there as `subject`, and come back, with what is changed on the way."""
        start = browser.post("/api/providers/city/start", json={"purpose": purpose, "device": "телефон"})
        assert start.status_code == 200, start.text
        back = self.provider.signed_in(start.json()["url"], subject)
        body = {"purpose": purpose, "state": back["state"], "code": back["code"], "iss": back["iss"], **changed}
        return browser.post("/api/providers/back", json=body)


@dataclass(frozen=True)
class Member:
    """Somebody signed in, in one browser."""

    http: httpx.Client
    email: str
    account: str

    def ways(self) -> dict[str, Any]:
        answer = self.http.get("/api/account/ways")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def make_passkey(self, site: str) -> Authenticator:
        """A new passkey on the account."""
        passkey = Authenticator(site)
        answer = register(self.http, passkey)
        assert answer.status_code == 201, answer.text
        return passkey


def new_address() -> str:
    return f"{uuid.uuid4().hex}@example.org"


def new_subject() -> str:
    return f"true.{new_address()}"


def credentials(address: str, password: str = PASSWORD) -> dict[str, str]:
    return {"email": address, "password": password, "device": "телефон"}


def until(condition: Callable[[], bool]) -> None:
    """Wait for what is done beside the answers."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def register(browser: httpx.Client, passkey: Authenticator, **changed: Any) -> httpx.Response:
    asked = browser.post("/api/passkeys/options").json()
    body = {"challenge": asked["challenge"], "credential": passkey.make(asked["options"]), "name": "Ноутбук"}
    return browser.post("/api/passkeys", json={**body, **changed})


def question(browser: httpx.Client) -> dict[str, Any]:
    return dict(browser.post("/api/session/passkey/options").json())


def come_by(browser: httpx.Client, passkey: Authenticator) -> httpx.Response:
    asked = question(browser)
    body = {"challenge": asked["challenge"], "credential": passkey.use(asked["options"]), "device": "ноутбук"}
    return browser.post("/api/session/passkey", json=body)


def who(browser: httpx.Client) -> str:
    """Whose session a browser has."""
    return str(browser.get("/api/session").json()["account"]["id"])


@contextmanager
def inhabited(options: ServiceOptions) -> Iterator[Town]:
    """A town inside the block."""
    [port] = free_ports(1)
    site = f"http://localhost:{port}"
    with ExitStack() as stack:
        box = stack.enter_context(mailbox())
        city = stack.enter_context(provider(f"{site}/signed-in"))
        options = options.plus(*box.arguments, *city.arguments)
        stack.enter_context(running(options, port))
        yield Town(f"http://127.0.0.1:{port}", site, options, box, city, stack)
