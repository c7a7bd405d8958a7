"""Shops get tokens for what they can prove, and nobody gets one for anything else."""

import asyncio
import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import credentials
from aggregator.partners.oauth import Client, OAuth, Outcome
from tests import partners
from tests.assertions import Key, assertion, b64, claims, eddsa, es256, form, ps256
from tests.partners import Shop
from tests.service import Running, ServiceOptions
from tests.stores import Rows

GRANT = {"grant_type": "client_credentials"}
ALL = "programme balances links offers events keys"


@pytest.fixture(scope="module")
def shop(service: Running) -> Iterator[Shop]:
    with partners.shop(service) as found:
        yield found


@pytest.fixture(scope="module")
def issuer(shop: Shop) -> str:
    return str(shop.http.get("/.well-known/oauth-authorization-server").json()["issuer"])


@pytest.fixture(scope="module")
def key(shop: Shop) -> Key:
    made = es256()
    assert shop.call("PUT", "/keys/main", made.jwk).status_code == 200
    return made


def bare(shop: Shop, data: dict[str, str], **options: Any) -> httpx.Response:
    """Ask for a token with nothing but a form."""
    request = shop.http.build_request("POST", "/oauth/token", data=data, **options)
    request.headers.pop("authorization", None)
    return shop.http.send(request)


def assert_refused(answer: httpx.Response, error: str = "invalid_client") -> dict[str, str]:
    assert answer.status_code == (401 if error == "invalid_client" else 400), answer.text
    assert answer.headers["content-type"] == "application/json"
    body = dict(answer.json())
    assert body["error"] == error
    assert (answer.headers.get("www-authenticate") == 'Basic realm="karman"') == (error == "invalid_client")
    return body


def test_metadata_tells_where_tokens_are_and_how_to_ask(shop: Shop, issuer: str) -> None:
    told = shop.http.get("/.well-known/oauth-authorization-server").json()
    assert told["token_endpoint"] == f"{issuer}/oauth/token"
    assert told["revocation_endpoint"] == f"{issuer}/oauth/revoke"
    assert told["scopes_supported"] == ALL.split()
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]


def test_a_secret_gives_a_short_token_for_what_is_asked(shop: Shop) -> None:
    basic = shop.http.post("/oauth/token", data=GRANT, auth=(shop.id, shop.secret))
    assert basic.headers["cache-control"] == "no-store"
    assert basic.json() | {"access_token": "·"} == {
        "access_token": "·",
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": ALL,
    }
    posted = bare(shop, GRANT | {"client_id": shop.id, "client_secret": shop.secret, "scope": "keys balances"})
    assert posted.json()["scope"] == "balances keys"
    narrow = {"Authorization": f"Bearer {posted.json()['access_token']}"}
    assert shop.call("GET", "/keys", headers=narrow).status_code == 200
    assert shop.call("GET", "/programme", headers=narrow).status_code == 403


@pytest.mark.parametrize("make", [es256, ps256, eddsa])
def test_a_signed_assertion_gives_a_token(shop: Shop, issuer: str, make: Any) -> None:
    key = make()
    kept = shop.call("PUT", f"/keys/{key.alg}", key.jwk)
    assert (kept.status_code, kept.json()["alg"]) == (200, key.alg)
    header = {"alg": key.alg, "kid": key.alg, "typ": "JWT"}
    answer = bare(shop, form(assertion(header, claims(shop.id, issuer), key.sign), scope="events"))
    assert (answer.status_code, answer.json()["scope"]) == (200, "events")
    assert shop.call("DELETE", f"/keys/{key.alg}").status_code == 204
    assert_refused(bare(shop, form(assertion(header, claims(shop.id, issuer), key.sign))))


FORGED: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "https://elsewhere.example"},
    "the token endpoint as the audience": {"aud": "·/oauth/token"},
    "one audience more": {"aud": ["·", "https://elsewhere.example"]},
    "no audience": {"aud": None},
    "expired": {"iat": -400, "exp": -200},
    "living for an hour": {"exp": 3_600},
    "living for ever": {"exp": None},
    "made in the future": {"iat": 3_600, "exp": 3_660},
    "never made": {"iat": None},
    "an end that is no time": {"exp": "soon"},
    "an end that is true": {"exp": True},
    "not to be used yet": {"nbf": 3_600},
    "signed for somebody else": {"iss": str(uuid.uuid4())},
    "nobody's": {"iss": None},
    "about somebody else": {"sub": str(uuid.uuid4())},
    "about nobody": {"sub": None},
    "without an id": {"jti": None},
    "with an id that is no text": {"jti": 7},
}


@pytest.mark.parametrize("words", FORGED)
def test_an_assertion_that_says_something_else_is_refused(shop: Shop, issuer: str, key: Key, words: str) -> None:
    now = int(time.time())
    said = {
        name: value.replace("·", issuer) if isinstance(value, str) else value for name, value in FORGED[words].items()
    }
    if isinstance(said.get("aud"), list):
        said["aud"] = [issuer, *said["aud"][1:]]
    said |= {
        name: now + said[name]
        for name in ("iat", "exp", "nbf")
        if isinstance(said.get(name), int) and said[name] is not True
    }
    signed = assertion({"alg": "ES256", "kid": "main"}, claims(shop.id, issuer, **said), key.sign)
    assert_refused(bare(shop, form(signed)))


def test_an_assertion_is_good_once(shop: Shop, issuer: str, key: Key) -> None:
    signed = form(assertion({"alg": "ES256", "kid": "main"}, claims(shop.id, issuer), key.sign))
    assert bare(shop, signed).status_code == 200
    assert_refused(bare(shop, signed))


def test_an_assertion_that_its_key_did_not_sign_is_refused(shop: Shop, issuer: str, key: Key) -> None:
    def refused(header: dict[str, Any], sign: Any) -> None:
        assert_refused(bare(shop, form(assertion(header, claims(shop.id, issuer), sign))))

    rsa = ps256()
    assert shop.call("PUT", "/keys/rsa", rsa.jwk).status_code == 200
    refused({"alg": "ES256", "kid": "main"}, es256().sign)
    refused({"alg": "ES256", "kid": "unknown"}, key.sign)
    refused({"alg": "ES256"}, key.sign)
    refused({"alg": "ES256", "kid": ["main"]}, key.sign)
    refused({"alg": "ES256", "kid": "rsa"}, key.sign)
    refused({"alg": "PS256", "kid": "main"}, rsa.sign)
    refused({"alg": "none", "kid": "main"}, lambda text: b"")
    refused({"alg": "ES256", "kid": "main"}, lambda text: b"")
    # What is public must not serve as a shared secret.
    for secret in (shop.secret, rsa.jwk["n"], key.jwk["x"]):
        refused({"alg": "HS256", "kid": "rsa"}, lambda text, s=secret: hmac.digest(s.encode(), text, hashlib.sha256))
    refused({"alg": "ES256", "kid": "main", "jwk": es256().jwk, "crit": ["b64"], "b64": False}, key.sign)
    for damaged in ("", "a.b.c", f"{b64(b'{}')}.{b64(b'[]')}.", "я" * 9):
        assert_refused(bare(shop, form(damaged)))


def test_a_client_unknown_and_a_secret_wrong_are_refused_alike(shop: Shop, service: Running) -> None:
    wrong = {"client_id": shop.id, "client_secret": shop.secret + "x"}
    unknown = {"client_id": str(uuid.uuid4()), "client_secret": shop.secret}
    odd = {"client_id": "' OR 1=1", "client_secret": shop.secret}
    nothing: dict[str, str] = {}
    bodies = [assert_refused(bare(shop, GRANT | sent)) for sent in (wrong, unknown, odd, nothing)]
    bodies += [assert_refused(shop.http.post("/oauth/token", data=GRANT, auth=(shop.id, "x")))]
    with partners.shop(service) as closed:
        token = {"Authorization": f"Bearer {closed.token()}"}
        partners.command(service.options, "disable", closed.name)
        bodies += [assert_refused(shop.http.post("/oauth/token", data=GRANT, auth=(closed.id, closed.secret)))]
        assert shop.call("GET", "/requests", headers=token).status_code == 401
        partners.command(service.options, "enable", closed.id)
        assert closed.token()
    assert all(body == bodies[0] for body in bodies)


def test_a_request_that_is_none_is_refused(shop: Shop) -> None:
    ours = {"client_id": shop.id, "client_secret": shop.secret}
    assert_refused(bare(shop, GRANT | ours | {"scope": "balances everything"}), "invalid_scope")
    assert_refused(bare(shop, ours | {"grant_type": "password"}), "unsupported_grant_type")
    assert_refused(bare(shop, ours), "unsupported_grant_type")
    assert_refused(shop.http.post("/oauth/token", data=GRANT | ours, auth=(shop.id, shop.secret)), "invalid_request")
    assert_refused(bare(shop, GRANT | ours | {"client_assertion": "x"}), "invalid_request")
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content in (twice, "x" * 30_000, "&".join(f"a{n}=1" for n in range(50)), "%ff=%ff&&", "grant_type"):
        assert_refused(shop.http.post("/oauth/token", content=content, headers=as_form), "invalid_request")
    assert_refused(shop.http.post("/oauth/token", json=GRANT | ours), "invalid_request")
    assert_refused(shop.http.post("/oauth/token", data=GRANT, headers={"Authorization": "Basic /w=="}))


def test_secrets_rotate_and_end_with_every_token(service: Running) -> None:
    with partners.shop(service) as shop:
        made = shop.call("POST", "/secrets", key="rotate").json()
        assert shop.http.post("/oauth/token", data=GRANT, auth=(shop.id, made["secret"])).status_code == 200
        old_token = shop.token()
        assert shop.call("POST", "/secrets/revoke").status_code == 204
        assert shop.call("GET", "/keys", headers={"Authorization": f"Bearer {old_token}"}).status_code == 401
        assert_refused(shop.http.post("/oauth/token", data=GRANT, auth=(shop.id, shop.secret)))
        shop.secret = made["secret"]
        shop.http.headers["Authorization"] = f"Bearer {shop.token()}"
        assert shop.call("GET", "/keys").status_code == 200
        rows = Rows(service.options)
        for table, column in (("partner_secret", "secret_hash"), ("partner_token", "token_hash")):
            kept = [row[0] for row in rows.sql(f"SELECT {column} FROM {table} WHERE partner_id = '{shop.id}'")]
            assert all(len(name) == 64 for name in kept)


def test_no_token_is_made_for_what_was_proven_before_all_were_ended(
    options: ServiceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = OAuth._written

    async def late(self: OAuth, client: Client, outcome: Outcome) -> None:
        async with db.transaction():
            await credentials.revoke_others(client.partner_id, now_ms())
        await keep(self, client, outcome)

    async def story() -> None:
        async with partners.opened(options) as found:
            shop = await partners.inside_shop(found.http)
            asked = {"data": GRANT, "auth": (str(shop.id), shop.secret)}
            with monkeypatch.context() as patch:
                patch.setattr(OAuth, "_written", late)
                assert_refused(await found.http.post("/oauth/token", **asked))
            # By the clock of another process, which is ahead.
            async with db.transaction():
                await credentials.end_tokens(shop.id, now_ms() + 60_000)
            token = (await found.http.post("/oauth/token", **asked)).json()["access_token"]
            assert (await shop.call("GET", "/keys", headers={"Authorization": f"Bearer {token}"})).is_success

    asyncio.run(story())


def test_a_token_is_revoked_by_its_shop_alone(shop: Shop, service: Running) -> None:
    token = shop.token()
    form = {"token": token, "token_type_hint": "something_else"}

    def works() -> bool:
        return shop.call("GET", "/keys", headers={"Authorization": f"Bearer {token}"}).is_success

    with partners.shop(service) as other:
        ignored = other.http.post("/oauth/revoke", data=form, auth=(other.id, other.secret))
        nothing = other.http.post("/oauth/revoke", data={"token": "kat_x"}, auth=(other.id, other.secret))
    assert (ignored.status_code, ignored.text) == (nothing.status_code, nothing.text) == (200, "{}")
    assert works()
    assert_refused(shop.http.post("/oauth/revoke", data=form, auth=(shop.id, "x")))
    assert_refused(shop.http.post("/oauth/revoke", data={}, auth=(shop.id, shop.secret)), "invalid_request")
    assert works()
    assert shop.http.post("/oauth/revoke", data=form, auth=(shop.id, shop.secret)).status_code == 200
    assert not works()


WRONG_KEYS: dict[str, dict[str, Any]] = {
    "an unknown curve": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
    "a curve of another kind": {"kty": "EC", "crv": "Ed25519", "x": "AA"},
    "no point of the curve": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    "half a point": {"kty": "EC", "crv": "P-256", "x": "AA"},
    "a short RSA key": ps256(1024).jwk,
    "a shared secret": {"kty": "oct", "k": "AAAA"},
    "another algorithm": eddsa().jwk | {"alg": "ES256"},
    "another id": eddsa().jwk | {"kid": "other"},
    "a private key": eddsa().jwk | {"d": "AAAA"},
}


@pytest.mark.parametrize("words", WRONG_KEYS)
def test_a_key_that_cannot_be_used_is_not_kept(shop: Shop, words: str) -> None:
    assert shop.call("PUT", "/keys/wrong", WRONG_KEYS[words]).status_code == 422
    assert "wrong" not in [one["kid"] for one in shop.call("GET", "/keys").json()["items"]]
