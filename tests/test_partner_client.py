"""The client in clients/python does what it says against a running service, over a network that loses answers."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from joserfc.jwk import ECKey
from karman_partner import (
    Audience,
    Balance,
    GaveUp,
    Karman,
    LinkCreated,
    NotGenuine,
    Offer,
    PrivateKey,
    Programme,
    Proof,
    Refused,
    Secret,
    Tier,
    verified,
)

from aggregator.partners.webhooks import signed
from tests.partners import Shop, shop
from tests.service import Running

NOW = datetime.now(UTC)


class Network(httpx.BaseTransport):
    """Loses the answers whose turn it is, after they were given; `tried` is what was sent, with its key and answer."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.loses: set[int] = set()
        self.tried: list[tuple[str, str | None, httpx.Response]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.url.path.startswith("/partner"):
            key = request.headers.get("idempotency-key")
            self.tried.append((request.url.path, key, answer))
            if len(self.tried) in self.loses:
                answer.read()
                answer.close()
                raise httpx.ReadError("lost", request=request)
        return answer

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="module")
def known(service: Running) -> Iterator[Shop]:
    with shop(service) as found:
        yield found


def calling(service: Running, proof: Proof, network: Network | None = None, **options: float) -> Karman:
    return Karman(service.url, proof, transport=network, sleep=lambda seconds: None, **options)


def test_a_shop_says_what_it_is_and_what_it_offers_and_reads_it_back(service: Running, known: Shop) -> None:
    with calling(service, Secret(known.id, known.secret)) as karman:
        tiers = [Tier("gold", {"en": "Gold"})]
        karman.put_programme(Programme({"en": "Corner shop"}, tiers=tiers))
        assert karman.programme().tiers == tiers
        assert karman.put_balance(Balance("77890012", main=5, as_of=NOW)) == "stored"
        assert karman.put_balance(Balance("77890012", main=4, as_of=NOW - timedelta(hours=1))) == "older"
        assert karman.balance("7789-0012").main == 5
        assert karman.make_code("77890012", code="123456").code == "123456"
        karman.reissue("77890012")
        assert list(karman.links("77890012")) == []
        offer = Offer({"en": "20% off"}, NOW, NOW + timedelta(days=7), Audience(tiers=["gold"]), state="live")
        assert karman.put_offer("spring", offer).state == "live"
        karman.end_offer("spring")
        assert [(one.id, one.state, one.counts.seen) for one in karman.offers()] == [("spring", "ended", None)]
        page = karman.events()
        assert karman.events(page.next).items == []
        with pytest.raises(Refused) as refused:
            karman.offer("winter")
        assert (refused.value.status, refused.value.code) == (404, "not-found")
        with pytest.raises(Refused) as refused:
            karman.put_offer("spring", Offer({"en": "x"}, NOW, NOW))
        assert refused.value.errors[0]["pointer"] == "/ends_at"


def test_what_was_lost_on_the_way_back_is_asked_for_again_and_was_done_once(service: Running, known: Shop) -> None:
    network = Network()
    network.loses = {1, 2, 4}
    with calling(service, Secret(known.id, known.secret), network) as karman:
        secret = karman.new_secret()
        assert [path for path, _, _ in network.tried] == ["/partner/v1/secrets"] * 3
        assert len({key for _, key, _ in network.tried}) == 1
        assert [answer.headers.get("idempotent-replayed") for _, _, answer in network.tried if answer] == [
            None,
            *["true"] * 2,
        ]
        karman.put_programme(Programme({"en": "Corner shop"}))
        assert network.tried[-1][1] == network.tried[-2][1] != network.tried[0][1]
        network.loses = set(range(1_000))
        with pytest.raises(GaveUp):
            karman.programme()
    with calling(service, Secret(known.id, secret)) as karman:
        assert karman.programme().name == {"en": "Corner shop"}


def test_a_mistake_of_the_service_is_asked_about_again_under_the_same_key() -> None:
    keys = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/partner"):
            keys.append(request.headers["idempotency-key"])
            return httpx.Response(500 if len(keys) == 1 else 200, json={"code": "failed", "status": "reissued"})
        return httpx.Response(200, json={"issuer": "https://karman", "access_token": "t", "expires_in": 900})

    with Karman("https://karman", Secret("a", "b"), transport=httpx.MockTransport(answer), sleep=float) as karman:
        karman.reissue("7789")
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_a_base_is_sent_in_parts_and_bad_lines_are_told_by_their_number(service: Running, known: Shop) -> None:
    network = Network()
    with calling(service, Secret(known.id, known.secret), network) as karman:
        karman.put_programme(Programme({"en": "Corner shop"}))
        base = [Balance(f"5{place:012}", main=place, as_of=NOW) for place in range(2_500)]
        base[1_234] = Balance("—", main=0)
        network.loses = {3}
        told = list(karman.import_balances(iter(base), part=1_000))
        last = told[-1]
        assert (last.read, last.stored + last.older, last.invalid) == (2_500, 2_499, 1)
        assert {trouble.line for one in told for trouble in one.troubles} == {1_235}
        results = [result.status for _, result in karman.put_balances(base[1_233:1_236])]
        assert results == ["older", "invalid", "older"]


def test_a_key_proves_who_calls_and_a_token_that_is_void_is_renewed(service: Running, known: Shop) -> None:
    key = ECKey.generate_key("P-256")
    with calling(service, Secret(known.id, known.secret)) as karman:
        karman.put_key("till", key.as_dict(private=False))
    with calling(service, PrivateKey(known.id, "till", key.as_dict(private=True))) as karman:
        karman.put_programme(Programme({"en": "Corner shop"}))
        assert known.call("POST", "/secrets/revoke").is_success
        assert karman.programme().name == {"en": "Corner shop"}
    with calling(service, PrivateKey(known.id, "other", key.as_dict(private=True))) as karman:
        with pytest.raises(Refused) as refused:
            karman.programme()
        assert refused.value.code == "invalid_client"


def test_a_webhook_is_believed_only_with_its_secret_and_while_it_is_fresh() -> None:
    old, new = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
    told = {"link": "l", "number": "7789", "policy": "code"}
    body = json.dumps({"type": "link.created", "timestamp": NOW.isoformat(), "data": told}).encode()
    now = int(time.time())
    headers = {name.title(): value for name, value in signed([old, new], "one", now, body).items()}
    event = verified(body, headers, new)
    assert isinstance(event, LinkCreated)
    assert (event.id, event.data.number) == ("one", "7789")
    later = json.dumps({"type": "shop.opened", "timestamp": NOW.isoformat(), "data": [1]}).encode()
    assert verified(later, signed([old], "two", now, later), new, old).data == [1]
    for wrong in ({"Webhook-Id": "two"}, {"Webhook-Timestamp": str(now + 1)}, {"Webhook-Signature": "v1,x v2,AA=="}):
        with pytest.raises(NotGenuine):
            verified(body, headers | wrong, new)
    for changed in (body + b" ", b""):
        with pytest.raises(NotGenuine):
            verified(changed, headers, new)
    with pytest.raises(NotGenuine):
        verified(body, headers, "whsec_" + "eHh4" * 8)
    with pytest.raises(NotGenuine):
        verified(body, headers, new, now_s=now + 301)
