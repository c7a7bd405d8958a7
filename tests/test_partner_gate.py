"""Every call of a shop passes the same checks, is done once under a key, and stands in the shop's own log."""

import asyncio
import re
import select
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from aggregator import db
from aggregator.errors import TooManyRequests
from aggregator.jobs import now_ms
from aggregator.partners.allowance import Allowance
from tests import launcher, partners
from tests.answers import assert_problem, pointers
from tests.assertions import es256
from tests.partners import Shop, inside_shop, opened
from tests.service import Running, ServiceOptions
from tests.stores import Rows

KEY = es256().jwk
AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def shop(service: Running) -> Iterator[Shop]:
    with partners.shop(service) as found:
        yield found


def kept(service: Running, shop: Shop, table: str) -> int:
    """How many rows of the shop a table has."""
    return Rows(service.options).count(table, f"partner_id = '{shop.id}'")


def bare(shop: Shop, method: str, path: str) -> httpx.Response:
    """A call without a token."""
    request = shop.http.build_request(method, f"/partner/v1{path}")
    del request.headers["authorization"]
    return shop.http.send(request)


def test_a_call_needs_a_token_that_allows_it(shop: Shop) -> None:
    without = bare(shop, "GET", "/keys")
    assert_problem(without, 401, "token-needed")
    assert without.headers["www-authenticate"] == 'Bearer realm="karman"'
    assert "ratelimit-policy" in without.headers
    for token in ("kat_x", "x", shop.secret):
        wrong = shop.call("GET", "/keys", headers={"Authorization": f"Bearer {token}"})
        assert_problem(wrong, 401, "token-wrong")
        assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    narrow = {"Authorization": f"Bearer {shop.token('balances events')}"}
    refused = shop.call("GET", "/keys", headers=narrow)
    assert_problem(refused, 403, "scope-missing")
    assert refused.headers["www-authenticate"].endswith('error="insufficient_scope", scope="keys"')
    assert shop.call("GET", "/requests", headers=narrow).status_code == 200


def test_addresses_methods_queries_and_bodies_that_are_none_are_told_so(service: Running, shop: Shop) -> None:
    nowhere = bare(shop, "POST", "/nowhere")
    assert_problem(nowhere, 404, "not-found")
    assert re.fullmatch(r"http://localhost:\d+/problems/not-found", nowhere.json()["type"])
    other_way = bare(shop, "PATCH", "/keys")
    assert_problem(other_way, 405, "method-not-allowed")
    assert other_way.headers["allow"] == "GET, HEAD"
    query = shop.call("GET", "/requests?limit=0&limit=5&after=x&sort=up")
    assert pointers(assert_problem(query, 422, "invalid")) == ["/limit", "/limit", "/sort"]
    long = shop.call("GET", f"/cards/{'-' * 200}7/balance")
    assert pointers(assert_problem(long, 422, "invalid")) == ["/number"]
    path = "/keys/one"
    assert_problem(shop.call("PUT", path, content=b"{}"), 415, "not-json")
    assert_problem(shop.call("PUT", path, content=b"{", headers=AS_JSON), 400, "not-json")
    big = b'{"x":"' + b"0" * 1_000_000 + b'"}'
    assert_problem(shop.call("PUT", path, content=big, headers=AS_JSON), 413, "too-large")
    private = shop.call("PUT", path, KEY | {"d": "secret"})
    assert pointers(assert_problem(private, 422, "invalid")) == ["/d"]
    assert kept(service, shop, "partner_key") == 0


def test_a_write_under_a_key_is_done_once(service: Running, shop: Shop) -> None:
    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(lambda _: shop.call("POST", "/secrets", key="a b"), range(8))
    assert {answer.status_code for answer in (first, *others)} == {201}
    assert {answer.text for answer in (first, *others)} == {first.text}
    assert sum("idempotent-replayed" in answer.headers for answer in (first, *others)) == 7
    assert kept(service, shop, "partner_secret") == 2
    unquoted = shop.call("POST", "/secrets", headers={"Idempotency-Key": "a b"})
    assert unquoted.text == first.text
    assert_problem(shop.call("POST", "/secrets/revoke", key="a b"), 422, "idempotency-key-reused")
    # Another shop's key is another key, and what was answered is kept sealed.
    with partners.shop(service) as other:
        theirs = other.call("POST", "/secrets", key="a b")
    assert theirs.status_code == 201
    assert "idempotent-replayed" not in theirs.headers
    [[box]] = Rows(service.options).sql(f"SELECT body FROM idempotent_call WHERE partner_id = '{shop.id}'")
    assert first.json()["secret"].encode() not in bytes(box)


def test_a_refused_write_leaves_its_key_free(service: Running, shop: Shop) -> None:
    assert_problem(shop.call("DELETE", "/keys/one", key="k"), 404, "not-found")
    assert kept(service, shop, "idempotent_call") == 0
    assert shop.call("PUT", "/keys/one", KEY, key="put").status_code == 200
    assert shop.call("DELETE", "/keys/one", key="k").status_code == 204
    again = shop.call("DELETE", "/keys/one", key="k")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
    turned = dict(reversed(KEY.items()))
    assert shop.call("PUT", "/keys/one", turned, key="put").headers["idempotent-replayed"] == "true"
    assert_problem(shop.call("PUT", "/keys/two", KEY, key="put"), 422, "idempotency-key-reused")
    assert_problem(shop.call("PUT", "/keys/one", KEY | {"use": "sig"}, key="put"), 422, "idempotency-key-reused")


def test_a_row_that_is_no_json_is_fingerprinted_as_it_came(shop: Shop) -> None:
    assert shop.call("PUT", "/programme", {"name": {"en": "Shop"}}).is_success
    rows = (b"1e999", b"9" * 5_000, b'"\xff"', b"[" * 400 + b"]" * 400)
    for place, row in enumerate(rows):
        body = b'{"balances":[' + row + b"]}"
        for is_again in (False, True):
            answer = shop.call("POST", "/balances", key=f"odd {place}", content=body, headers=AS_JSON)
            assert (answer.status_code, "idempotent-replayed" in answer.headers) == (200, is_again), answer.text
            assert answer.json()["results"][0]["status"] == "invalid"


def test_an_import_is_answered_at_its_end_or_while_it_is_read_where_that_is_asked_for(
    service: Running, shop: Shop
) -> None:
    assert shop.call("PUT", "/programme", {"name": {"en": "Shop"}}).is_success
    at = urlsplit(service.url)
    row = b'{"number":"%d","main":1,"as_of":"2026-01-01T00:00:00Z"}\n'
    rows = b"".join(row % (77890000 + place) for place in range(1_500))
    for accept in ("*/*", "application/x-ndjson"):
        with socket.create_connection((at.hostname, at.port), timeout=30) as wire:
            asked = f"Authorization: {shop.http.headers['Authorization']}\r\nAccept: {accept}\r\n"
            head = f"POST /partner/v1/balances/import HTTP/1.1\r\nHost: {at.netloc}\r\n{asked}Connection: close\r\n"
            wire.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n{len(rows):x}\r\n".encode() + rows + b"\r\n")
            if accept == "*/*":
                while kept(service, shop, "balance") < 1_000:
                    time.sleep(0.05)
                assert not select.select([wire], [], [], 0.2)[0]
            else:
                assert wire.recv(10_000).startswith(b"HTTP/1.1 200 OK")
            wire.sendall(b"0\r\n\r\n")
            told = b"".join(iter(lambda: wire.recv(10_000), b""))
            assert b'"read":1500' in told
            assert b'"done":true' in told


def test_a_key_that_is_no_string_is_refused(shop: Shop) -> None:
    for key in ('"open', '""', '"a" "b"', "ключ".encode(), "x" * 256, '"a\\b"'):
        answer = shop.call("POST", "/secrets", headers={"Idempotency-Key": key})
        assert_problem(answer, 400, "idempotency-key-malformed")
    assert_problem(shop.call("POST", "/secrets"), 400, "idempotency-key-needed")


def test_what_is_left_is_told_and_more_is_refused() -> None:
    allowance, shop = Allowance(1), uuid.uuid4()
    for _ in range(600):
        allowance.call(shop)
    allowance.balances(shop, 150_000)
    headers = allowance.headers(shop)
    assert headers["RateLimit-Policy"] == '"calls";q=600;w=60, "balances";q=200000;w=60'
    assert re.fullmatch(r'"calls";r=0;t=\d+, "balances";r=50000;t=\d+', headers["RateLimit"])
    with pytest.raises(TooManyRequests) as refused:
        allowance.call(shop)
    assert int(refused.value.headers["Retry-After"]) > 0
    with pytest.raises(TooManyRequests) as refused:
        allowance.balances(shop, 60_000)
    assert int(refused.value.headers["Retry-After"]) >= 18
    allowance.call(uuid.uuid4())


def test_a_shop_reads_its_own_log_in_pages(service: Running, shop: Shop) -> None:
    with partners.shop(service) as other:
        other.call("GET", "/keys")
        for number in range(3):
            shop.call("DELETE", f"/keys/k{number}")
        first = shop.call("GET", "/requests", params={"limit": 2})
        assert [(one["path"], one["status"], one["code"]) for one in first.json()["items"]] == [
            ("/keys/k2", 404, "not-found"),
            ("/keys/k1", 404, "not-found"),
        ]
        assert first.links["next"]["url"].startswith("/partner/v1/requests?limit=2&after=")
        rest = shop.http.get(first.links["next"]["url"])
        assert [one["path"] for one in rest.json()["items"]] == ["/keys/k0"]
        assert rest.json()["next"] is None
        stolen = other.call("GET", "/requests", params={"after": first.json()["next"]})
        assert pointers(assert_problem(stolen, 422, "invalid")) == ["/after"]
    for damaged in ("x", "=", "я", first.json()["next"][:-2] + "AA"):
        answer = shop.call("GET", "/requests", params={"after": damaged})
        assert pointers(assert_problem(answer, 422, "invalid")) == ["/after"]
    shop.call("PUT", "/cards/7789004455667788/balance", {})
    [last] = shop.call("GET", "/requests", params={"limit": 1}).json()["items"]
    assert last["path"] == "/cards/…88/balance"
    # What no text of PostgreSQL holds.
    assert_problem(shop.call("DELETE", "/keys/a%00"), 404, "not-found")
    shop.call("GET", "/cards/7789004455%00/balance")
    odd = shop.call("GET", "/requests", params={"limit": 2}).json()["items"]
    assert [one["path"] for one in odd] == ["/cards/…5\ufffd/balance", "/keys/a\ufffd"]


def test_what_is_over_goes(options: ServiceOptions) -> None:
    async def count(table: str) -> int:
        return int((await db.fetch(f"SELECT COUNT(*) AS found FROM {table}"))[0]["found"])

    async def story() -> None:
        async with opened(options) as found:
            shop = await inside_shop(found.http)
            await shop.call("POST", "/secrets", key="k")
            await found.service.office.log.flush()
            [job] = [job for job in found.service.jobs() if job.name == "forget-partners-expired"]
            tables = ("partner_token", "partner_secret", "idempotent_call", "request_note")
            await job.run(found.store, now_ms())
            assert [await count(table) for table in tables] == [1, 2, 1, 1]
            await job.run(found.store, now_ms() + 8 * 86_400_000)
            assert [await count(table) for table in tables] == [0, 1, 0, 0]

    asyncio.run(story())


def test_the_operator_lets_shops_in_and_out(service: Running) -> None:
    name = f"Shop {uuid.uuid4().hex[:8]}"
    with partners.shop(service, "--open", name=name) as shop:
        assert shop.call("GET", "/programme").json()["name"] == {"ru": name, "en": name}
        listed = partners.command(service.options, "list")
        assert re.search(rf"^{name} +{shop.id} +on +- +- +yes$", listed, re.MULTILINE)
        partners.command(service.options, "open", name, "off")
        assert re.search(rf"^{name} .* no$", partners.command(service.options, "list"), re.MULTILINE)
        said = partners.command(service.options, "secret", shop.id)
        [new] = re.findall(r"^client secret +(\S+)$", said, re.MULTILINE)
        assert shop.token()
        shop.secret = new
        assert shop.token()
        assert shop.secret not in partners.command(service.options, "list")


def test_a_shop_that_cannot_be_what_it_is_said_to_be_is_not_let_in_at_all(service: Running) -> None:
    slug, other = "1-day", f"Shop {uuid.uuid4().hex[:8]}"
    with partners.shop(service, "--slug", slug):
        ended = launcher.ended([*service.options.words("partner"), "add", other, "--slug", slug], service.options.env())
        assert (ended.status, ended.said) == (1, "")
        assert f"Another shop is {slug} already" in ended.errors
        assert other not in partners.command(service.options, "list")
