"""The client: a method for each thing a shop can do."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Raw, Struct

from karman_partner.imports import PART, imported
from karman_partner.proof import Proof, Tokens
from karman_partner.values import (
    Balance,
    BalanceShown,
    Check,
    Claim,
    EventPage,
    Link,
    Offer,
    OfferShown,
    Programme,
    ProgrammeShown,
    Progress,
    Result,
    TillCode,
    Webhook,
    WebhookMade,
    event_from,
)
from karman_partner.wire import Ask, Wire

T = TypeVar("T")

SCOPES = "programme balances links offers events keys"
BATCH = 10_000
PAGE = 1_000
# Four calls of a webhook, which may take 20 s each.
SELF_TEST_S = 120.0


class _Page(Struct):
    items: list[Raw]
    next: str | None


class _Outcome(Struct):
    status: Literal["stored", "older"]


class _Results(Struct):
    results: list[Result]


class _Report(Struct):
    checks: list[Check]


class _NewSecret(Struct):
    secret: str


class Karman:
    """Calls the service at `address` for one shop. Threads may share it.

    Every call is sent until it is answered: after a lost connection, 429 and 5xx again and again with the same
    Idempotency-Key, for `patience_s` seconds of waiting at most. What is answered in the end was done once. Methods
    raise `Refused` and `GaveUp`.
    """

    def __init__(
        self,
        address: str,
        proof: Proof,
        *,
        scopes: str = SCOPES,
        patience_s: float = 120.0,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(base_url=address, timeout=timeout_s, transport=transport)
        self._wire = Wire(self._http, Tokens(self._http, proof, scopes), patience_s, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # ------------------------------------------------------------ programme

    def programme(self) -> ProgrammeShown:
        """The programme as it stands."""
        return self._get("/programme", ProgrammeShown)

    def put_programme(self, programme: Programme) -> ProgrammeShown:
        """Put the programme."""
        return self._write("PUT", "/programme", programme, ProgrammeShown)

    def claim(self, slug: str | None) -> Claim:
        """Say which entry of the directory is yours; None asks for one of your own. The operator approves it."""
        return self._write("PUT", "/programme/claim", {"slug": slug}, Claim)

    def put_logo(self, image: bytes, media: str = "image/png") -> None:
        """Put the logo."""
        self._wire.send(Ask("PUT", "/programme/logo", image, media))

    # ------------------------------------------------------------ balances

    def put_balance(self, balance: Balance) -> Literal["stored", "older"]:
        """Put one balance."""
        body = msgspec.to_builtins(balance)
        number = body.pop("number")
        return self._write("PUT", f"/cards/{_part(number)}/balance", body, _Outcome).status

    def balance(self, number: str) -> BalanceShown:
        """The balance that was put last."""
        return self._get(f"/cards/{_part(number)}/balance", BalanceShown)

    def put_balances(self, balances: Iterable[Balance]) -> Iterator[tuple[Balance, Result]]:
        """Put many balances, 10,000 a call, and tell what came of each. Nothing is sent until you ask for the first."""
        rows = iter(balances)
        while batch := list(islice(rows, BATCH)):
            answer = self._write("POST", "/balances", {"balances": batch}, _Results)
            yield from zip(batch, answer.results, strict=True)

    def import_balances(self, balances: Iterable[Balance], part: int = PART) -> Iterator[Progress]:
        """Put a whole base, however large, and tell how far it is. It is sent in parts of so many, so that little is in
        memory and little is sent again when the network breaks. Nothing is sent until you ask for the first.
        """
        return imported(self._wire, balances, part)

    # ------------------------------------------------------------ links

    def links(self, number: str | None = None) -> Iterator[Link]:
        """Links that stand: all of them, or those of a number."""
        return self._list("/links", Link, {} if number is None else {"number": number})

    def end_link(self, link_id: str) -> None:
        """End a link."""
        self._wire.send(Ask("DELETE", f"/links/{_part(link_id)}"))

    def make_code(self, number: str, *, short: bool = False, code: str | None = None) -> TillCode:
        """A code that the holder of the number types in, good for 10 minutes; `code` where the till has made it."""
        wanted = {"short": short} | ({} if code is None else {"code": code})
        return self._write("POST", f"/cards/{_part(number)}/codes", wanted, TillCode)

    def reissue(self, number: str) -> None:
        """End every link of a number: its card was lost."""
        self._wire.send(Ask("POST", f"/cards/{_part(number)}/reissue"))

    # ------------------------------------------------------------ offers

    def offers(self) -> Iterator[OfferShown]:
        """Your offers, in the order of their ids."""
        return self._list("/offers", OfferShown)

    def offer(self, offer_id: str) -> OfferShown:
        """One offer, and how many people it reached."""
        return self._get(f"/offers/{_part(offer_id)}", OfferShown)

    def put_offer(self, offer_id: str, offer: Offer) -> OfferShown:
        """Put an offer under an id of yours."""
        return self._write("PUT", f"/offers/{_part(offer_id)}", offer, OfferShown)

    def end_offer(self, offer_id: str) -> None:
        """End an offer: it leaves all cards."""
        self._wire.send(Ask("DELETE", f"/offers/{_part(offer_id)}"))

    def put_offer_picture(self, offer_id: str, image: bytes, media: str = "image/png") -> None:
        """Put an offer's picture."""
        self._wire.send(Ask("PUT", f"/offers/{_part(offer_id)}/picture", image, media))

    # ------------------------------------------------------------ events

    def events(self, after: str | None = None, limit: int = PAGE) -> EventPage:
        """What happened after a page's `next`; from the oldest that is kept where there is none."""
        page = self._page("/events", {"limit": limit} | ({"after": after} if after else {}))
        return EventPage([event_from(one) for one in page.items], page.next or "")

    def follow(
        self, after: str | None = None, every_s: float = 5.0, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[EventPage]:
        """Pages with something in them, endlessly. Keep a page's `next` once you have dealt with it."""
        while True:
            page = self.events(after)
            if page.items:
                yield page
            else:
                sleep(every_s)
            after = page.next

    def webhooks(self) -> Iterator[Webhook]:
        """Where events are sent to."""
        return self._list("/webhooks", Webhook, limited=False)

    def add_webhook(self, url: str) -> WebhookMade:
        """Have events sent to an address of yours. Keep the secret: it is told this once."""
        return self._write("POST", "/webhooks", {"url": url}, WebhookMade)

    def rotate_webhook(self, webhook_id: str) -> WebhookMade:
        """A new secret; for a day both sign."""
        return self._write("POST", f"/webhooks/{_part(webhook_id)}/secret", None, WebhookMade)

    def remove_webhook(self, webhook_id: str) -> None:
        """Send no more there."""
        self._wire.send(Ask("DELETE", f"/webhooks/{_part(webhook_id)}"))

    def self_test(self) -> Sequence[Check]:
        """Have your webhooks called as the service does, and as somebody would who means harm."""
        ask = Ask("POST", "/selftest", timeout_s=SELF_TEST_S)
        return msgspec.json.decode(self._wire.send(ask), type=_Report).checks

    # ------------------------------------------------------------ keys

    def put_key(self, kid: str, jwk: Mapping[str, Any]) -> None:
        """Keep a public key (JWK), for `PrivateKey`."""
        self._wire.send(Ask("PUT", f"/keys/{_part(kid)}", msgspec.json.encode(dict(jwk))))

    def new_secret(self) -> str:
        """A new client secret, told this once; the others are good for 24 hours more."""
        return self._write("POST", "/secrets", None, _NewSecret).secret

    # ------------------------------------------------------------ how

    def _get(self, path: str, shape: type[T]) -> T:
        return msgspec.json.decode(self._wire.send(Ask("GET", path)), type=shape)

    def _write(self, method: str, path: str, body: Any, shape: type[T]) -> T:
        ask = Ask(method, path, b"" if body is None else msgspec.json.encode(body))
        return msgspec.json.decode(self._wire.send(ask), type=shape)

    def _page(self, path: str, query: Mapping[str, str | int]) -> _Page:
        return msgspec.json.decode(self._wire.send(Ask("GET", path, query=query)), type=_Page)

    def _list(
        self, path: str, shape: type[T], query: Mapping[str, str | int] | None = None, *, limited: bool = True
    ) -> Iterator[T]:
        asked: dict[str, str | int] = {**(query or {}), **({"limit": PAGE} if limited else {})}
        while True:
            page = self._page(path, asked)
            for one in page.items:
                yield msgspec.json.decode(one, type=shape)
            if page.next is None:
                return
            asked["after"] = page.next


def _part(text: str) -> str:
    """One part of a path."""
    return quote(text, safe="")
