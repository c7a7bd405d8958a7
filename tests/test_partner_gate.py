"""Every call of a shop passes the same checks, is done once under a key, and stands in the shop's own log."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from aggregator import db
from aggregator.errors import TooManyRequests
from aggregator.jobs import now_ms
from aggregator.partners.allowance import Allowance
from tests.answers import assert_problem, pointers
from tests.partners import InsideShop, Open, inside_shop, opened
from tests.service import ServiceOptions

KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""The example of RFC 7517, appendix A.1's curve: RFC 7515, A.3.1."""

Story = Callable[[Open, InsideShop], Awaitable[None]]


def told(options: ServiceOptions, story: Story) -> None:
    """Tell a story at a service in this process."""

    async def tell() -> None:
        async with opened(options) as found:
            await story(found, await inside_shop(found.http))

    asyncio.run(tell())


async def rows(table: str) -> int:
    [row] = await db.fetch(f"SELECT COUNT(*) AS found FROM {table}")
    return int(row["found"])


def test_a_call_needs_a_token_that_allows_it(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        bare = await found.http.get("/partner/v1/keys")
        assert_problem(bare, 401, "token-needed")
        assert bare.headers["www-authenticate"] == 'Bearer realm="karman"'
        assert "ratelimit-policy" in bare.headers
        shop.token += "x"
        wrong = await shop.call("GET", "/keys")
        assert_problem(wrong, 401, "token-wrong")
        assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
        narrow = await inside_shop(found.http, "balances events")
        refused = await narrow.call("GET", "/keys")
        assert_problem(refused, 403, "scope-missing")
        assert refused.headers["www-authenticate"].endswith('error="insufficient_scope", scope="keys"')
        assert (await narrow.call("GET", "/requests")).status_code == 200

    told(ServiceOptions(tmp_path), story)


def test_addresses_methods_and_queries_that_are_none_are_told_so(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        nowhere = await found.http.post("/partner/v1/nowhere")
        assert_problem(nowhere, 404, "not-found")
        assert nowhere.json()["type"] == f"{found.service.settings.address}/problems/not-found"
        other_way = await found.http.patch("/partner/v1/keys")
        assert_problem(other_way, 405, "method-not-allowed")
        assert other_way.headers["allow"] == "GET, HEAD"
        query = "limit=0&limit=5&after=x&sort=up"
        refused = await shop.call("GET", f"/requests?{query}")
        assert pointers(assert_problem(refused, 422, "invalid")) == ["/limit", "/limit", "/sort"]

    told(ServiceOptions(tmp_path), story)


def test_a_body_is_read_only_as_what_it_has_to_be(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        path = "/keys/one"
        assert_problem(await shop.call("PUT", path, content=b"{}"), 415, "not-json")
        as_json = {"Content-Type": "application/json"}
        assert_problem(await shop.call("PUT", path, content=b"{", headers=as_json), 400, "not-json")
        big = b'{"x":"' + b"0" * 1_000_000 + b'"}'
        assert_problem(await shop.call("PUT", path, content=big, headers=as_json), 413, "too-large")
        private = await shop.call("PUT", path, KEY | {"d": "secret"})
        assert pointers(assert_problem(private, 422, "invalid")) == ["/d"]
        assert await rows("partner_key") == 0

    told(ServiceOptions(tmp_path), story)


def test_a_write_under_a_key_is_done_once(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        first, *others = await asyncio.gather(*(shop.call("POST", "/secrets", key="a b") for _ in range(8)))
        assert {answer.status_code for answer in (first, *others)} == {201}
        assert {answer.text for answer in (first, *others)} == {first.text}
        assert sum("idempotent-replayed" in answer.headers for answer in (first, *others)) == 7
        assert await rows("partner_secret") == 2
        bare = await shop.call("POST", "/secrets", headers={"Idempotency-Key": "a b"})
        assert bare.text == first.text
        assert_problem(await shop.call("POST", "/secrets/revoke", key="a b"), 422, "idempotency-key-reused")
        # Another shop's key is another key.
        theirs = await (await inside_shop(found.http)).call("POST", "/secrets", key="a b")
        assert theirs.json()["secret"] != first.json()["secret"]
        assert first.json()["secret"].encode() not in (await db.fetch("SELECT body FROM idempotent_call"))[0]["body"]

    told(options, story)


def test_a_refused_write_leaves_its_key_free(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        assert_problem(await shop.call("DELETE", "/keys/one", key="k"), 404, "not-found")
        assert await rows("idempotent_call") == 0
        assert (await shop.call("PUT", "/keys/one", KEY, key="put")).status_code == 200
        assert (await shop.call("DELETE", "/keys/one", key="k")).status_code == 204
        again = await shop.call("DELETE", "/keys/one", key="k")
        assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
        turned = dict(reversed(KEY.items()))
        assert (await shop.call("PUT", "/keys/one", turned, key="put")).headers["idempotent-replayed"] == "true"
        assert_problem(await shop.call("PUT", "/keys/two", KEY, key="put"), 422, "idempotency-key-reused")

    told(options, story)


def test_a_key_that_is_no_string_is_refused(tmp_path: Path) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        for key in ('"open', '""', '"a" "b"', "ключ".encode(), "x" * 256, '"a\\b"'):
            answer = await shop.call("POST", "/secrets", headers={"Idempotency-Key": key})
            assert_problem(answer, 400, "idempotency-key-malformed")
        assert_problem(await shop.call("POST", "/secrets"), 400, "idempotency-key-needed")

    told(ServiceOptions(tmp_path), story)


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


def test_a_shop_reads_its_own_log_in_pages(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        other = await inside_shop(found.http)
        await other.call("GET", "/keys")
        for number in range(3):
            await shop.call("DELETE", f"/keys/k{number}")
        first = await shop.call("GET", "/requests", params={"limit": 2})
        assert [(one["path"], one["status"], one["code"]) for one in first.json()["items"]] == [
            ("/keys/k2", 404, "not-found"),
            ("/keys/k1", 404, "not-found"),
        ]
        assert first.links["next"]["url"].startswith("/partner/v1/requests?limit=2&after=")
        rest = await shop.http.get(first.links["next"]["url"], headers={"Authorization": f"Bearer {shop.token}"})
        assert [one["path"] for one in rest.json()["items"]] == ["/keys/k0"]
        assert rest.json()["next"] is None
        stolen = await other.call("GET", "/requests", params={"after": first.json()["next"]})
        assert pointers(assert_problem(stolen, 422, "invalid")) == ["/after"]
        for damaged in ("x", "=", "я", first.json()["next"][:-2] + "AA"):
            answer = await shop.call("GET", "/requests", params={"after": damaged})
            assert pointers(assert_problem(answer, 422, "invalid")) == ["/after"]

    told(options, story)


def test_what_is_over_goes(options: ServiceOptions) -> None:
    async def story(found: Open, shop: InsideShop) -> None:
        await shop.call("POST", "/secrets", key="k")
        await found.service.office.log.flush()
        [job] = [job for job in found.service.jobs() if job.name == "forget-partners-expired"]
        tables = ("partner_token", "partner_secret", "idempotent_call", "request_note")
        await job.run(found.store, now_ms())
        assert [await rows(table) for table in tables] == [1, 2, 1, 1]
        await job.run(found.store, now_ms() + 8 * 86_400_000)
        assert [await rows(table) for table in tables] == [0, 1, 0, 0]

    told(options, story)
