"""Tokens for shops: OAuth 2 client credentials (RFC 6749) by Authlib, with a secret or a signed assertion (RFC 7523),
revocation (RFC 7009) and metadata (RFC 8414).

Authlib's server asks for rows while it runs and cannot wait for them. So the client's rows are fetched before, and what
came of it is written after it.
"""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.accounts.sessions import now_ms, token_hash
from aggregator.errors import Problem, TooManyRequests
from aggregator.http import answer, read_body
from aggregator.limits import Limiter, network_of
from aggregator.partners.api import SCOPES
from aggregator.partners.credentials import TOKEN_S, Tokens, keep_token, new_token, tokens_from

BASIC, POST, ASSERTION = "client_secret_basic", "client_secret_post", "private_key_jwt"
METHODS = (BASIC, POST, ASSERTION)
ALGORITHMS = ("ES256", "PS256", "EdDSA")
GRANT = "client_credentials"
MAX_LIFETIME_S, LEEWAY_S = 300, 30
MAX_FORM, MAX_FIELDS, MAX_JTI = 20_000, 20, 255
FORM = "application/x-www-form-urlencoded"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="karman"'}
WORDS = {
    "invalid_client": "The client is unknown, or did not prove who it is.",
    "invalid_request": "Send a form with each field once, and one way to prove who you are.",
    "invalid_scope": f"Scopes are {', '.join(SCOPES)}.",
    "unsupported_grant_type": f"The grant_type here is {GRANT}.",
}
"""One sentence for each error, so that none tells which part of the proof was wrong."""

# A shop needs a token each quarter of an hour. Failures count for their network alone: who knows a client id must not
# be able to shut its shop out.
PER_CLIENT, PER_NETWORK = 60, 120
KEPT = (
    "SELECT p.tokens_from_ms, s.secret_hash, NULL AS kid, NULL AS jwk "
    "FROM partner_secret s JOIN partner p ON p.id = s.partner_id "
    "WHERE p.id = $1 AND p.disabled_ms IS NULL AND (s.expires_ms IS NULL OR s.expires_ms > $2) "
    "UNION ALL SELECT p.tokens_from_ms, NULL, k.kid, k.jwk FROM partner_key k JOIN partner p ON p.id = k.partner_id "
    "WHERE p.id = $1 AND p.disabled_ms IS NULL"
)


class Client(ClientMixin):  # type: ignore[misc]  # Authlib comes without types
    """A shop as Authlib sees it: the hashes of its secrets, its public keys by their ids, and since when its tokens
    counted when these were read.
    """

    def __init__(
        self, partner_id: uuid.UUID, tokens_from_ms: int, secret_hashes: list[str], keys: Mapping[str, dict[str, Any]]
    ) -> None:
        self.partner_id = partner_id
        self.tokens_from_ms = tokens_from_ms
        self._secret_hashes = secret_hashes
        self.keys = keys

    def check_client_secret(self, secret: str) -> bool:
        """Whether it is one of its secrets; as late for every wrong one."""
        name, found = token_hash(secret), False
        for known in self._secret_hashes:
            found |= hmac.compare_digest(name, known)
        return found

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """A shop may prove itself in every way that there is."""
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """There is one."""
        return grant_type == GRANT

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What a token allows: everything where nothing was named; None refuses what is unknown."""
        asked = set((scope or "").split())
        if not asked <= {*SCOPES}:
            return None
        return " ".join(one for one in SCOPES if one in asked or not asked)


@dataclass(slots=True)
class Outcome:
    """What is to be written after Authlib has agreed."""

    token: Mapping[str, Any] | None = None
    revoked: str | None = None
    assertion: tuple[str, int] | None = None


class _Asked(OAuth2Request):  # type: ignore[misc]
    """A request that was read before. Whether it came over TLS is the proxy's to see to."""

    def __init__(self, form: dict[str, str], headers: Mapping[str, str]) -> None:
        super().__init__("POST", "https://karman/", headers=headers)
        self.payload = BasicOAuth2Payload(form)
        self._form = form

    @property
    def form(self) -> dict[str, str]:
        return self._form


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """Authlib's, with the name that everybody gives the method, a key by its `kid`, and a bound on an assertion's life.
    `iss` and `sub` it compares itself.
    """

    CLIENT_AUTH_METHOD = ASSERTION

    def __init__(self, issuer: str, outcome: Outcome) -> None:
        super().__init__(leeway=LEEWAY_S)
        self._issuer = issuer
        self._outcome = outcome

    def get_audiences(self) -> list[str]:
        return [self._issuer]

    def resolve_client_public_key(self, client: Client) -> Client:
        return client

    def process_assertion_claims(self, assertion: str, client: Client) -> Any:
        headers, _ = self.extract_assertion(assertion)
        kid = headers.get("kid")
        jwk = client.keys.get(kid) if isinstance(kid, str) else None
        # A key is believed for its own algorithm only, whatever the assertion says of itself.
        if jwk is None or headers.get("alg") != jwk["alg"]:
            raise InvalidClientError
        try:
            token = jwt.decode(assertion, JWKRegistry.import_key(jwk), algorithms=[jwk["alg"]])
        except (JoseError, ValueError) as error:
            raise InvalidClientError from error
        self.verify_claims(token.claims)
        return token.claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        if not _is_short_lived(claims) or claims.get("aud") not in (self._issuer, [self._issuer]):
            raise InvalidClientError
        super().verify_claims(claims)

    def validate_jti(self, claims: dict[str, Any], jti: Any) -> bool:
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
            return False
        name = hashlib.sha256(f"{claims['sub']}/{jti}".encode()).hexdigest()
        self._outcome.assertion = name, int((claims["exp"] + LEEWAY_S + 1) * 1000)
        return True


def _is_short_lived(claims: Mapping[str, Any]) -> bool:
    exp, iat = claims.get("exp"), claims.get("iat")
    if not all(isinstance(time, int | float) and not isinstance(time, bool) for time in (exp, iat)):
        return False
    return 0 < exp - iat <= MAX_LIFETIME_S and iat <= time.time() + LEEWAY_S  # type: ignore[operator]


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Authlib's, which ignores hints and answers alike for whatever is no token of this shop (RFC 7009, 2.2)."""

    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request: _Asked, client: Client) -> str:
        if "token" not in request.form:
            raise InvalidRequestError
        return str(request.form["token"])

    def revoke_token(self, token: str, request: _Asked) -> None:
        self.server.outcome.revoked = token


class _Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's, for one request of a client whose rows have been fetched."""

    def __init__(self, issuer: str, client: Client | None) -> None:
        super().__init__(scopes_supported=[*SCOPES])
        self.outcome = Outcome()
        self._client = client
        self.register_grant(_Grant)
        self.register_endpoint(_Revocation)
        self.register_token_generator(
            "default", BearerTokenGenerator(lambda **_: new_token(), expires_generator=TOKEN_S)
        )
        self.register_client_auth_method(ASSERTION, _Assertion(issuer, self.outcome))

    def query_client(self, client_id: str) -> Client | None:
        return self._client if self._client and str(self._client.partner_id) == client_id else None

    def save_token(self, token: Mapping[str, Any], request: _Asked) -> None:
        self.outcome.token = token

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        return None

    def create_oauth2_request(self, request: _Asked) -> _Asked:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        return answer(body, status, dict(headers) | {"Content-Type": "application/json"})

    def handle_error_response(self, request: _Asked, error: OAuth2Error) -> Response:
        return refused(error.error)


def refused(error: str) -> Response:
    """The answer to an error of RFC 6749, 5.2."""
    body = {"error": error, "error_description": WORDS[error]}
    return answer(body, 401, CHALLENGE) if error == "invalid_client" else answer(body, 400)


@dataclass(frozen=True, slots=True)
class OAuth:
    """`/oauth/token`, `/oauth/revoke` and the metadata. `issuer` is the address of this service."""

    tokens: Tokens
    issuer: str
    limit_scale: int = 1
    _limits: dict[str, Limiter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._limits["client"] = Limiter(f"{PER_CLIENT * self.limit_scale}/minute")
        self._limits["network"] = Limiter(f"{PER_NETWORK * self.limit_scale}/minute")

    def routes(self) -> list[BaseRoute]:
        """Where shops get tokens."""
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/oauth/revoke", self._revoked, methods=["POST"]),
            Route("/.well-known/oauth-authorization-server", self._metadata),
        ]

    async def _token(self, request: Request) -> Response:
        return await self._answered(request, lambda server, asked: server.create_token_response(asked))

    async def _revoked(self, request: Request) -> Response:
        return await self._answered(request, lambda server, asked: server.create_endpoint_response("revocation", asked))

    async def _answered(self, request: Request, run: Callable[[_Server, _Asked], Response]) -> Response:
        try:
            self._limits["network"].hit(network_of(request))
            asked = _Asked(await _form(request), request.headers)
            client = await _client(request.state.store, _claimed_id(asked))
            server = _Server(self.issuer, client)
            made = run(server, asked)
            if made.status_code == 200 and client is not None:
                self._limits["client"].hit(str(client.partner_id))
                await self._written(client, server.outcome)
        except TooManyRequests as problem:
            body = {"error": "too_many_requests", "error_description": problem.detail}
            return answer(body, problem.status, problem.headers)
        except OAuth2Error as error:
            return refused(error.error)
        return made

    async def _written(self, client: Client, outcome: Outcome) -> None:
        """Keep what Authlib decided; raises InvalidClientError for an assertion that comes again, and where the shop's
        tokens were ended since it has proven who it is.
        """
        async with db.transaction():
            await _use_once(outcome.assertion)
            if outcome.token is not None:
                if await tokens_from(client.partner_id) != client.tokens_from_ms:
                    raise InvalidClientError
                # Another process may have ended tokens by a clock that is ahead of ours.
                now = max(now_ms(), client.tokens_from_ms)
                await keep_token(outcome.token["access_token"], client.partner_id, outcome.token["scope"], now)
            if outcome.revoked is not None:
                await self.tokens.revoke(client.partner_id, outcome.revoked)

    async def _metadata(self, request: Request) -> Response:
        body = {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}/oauth/token",
            "revocation_endpoint": f"{self.issuer}/oauth/revoke",
            "scopes_supported": SCOPES,
            "response_types_supported": [],
            "grant_types_supported": [GRANT],
            "token_endpoint_auth_methods_supported": METHODS,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "revocation_endpoint_auth_methods_supported": METHODS,
            "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        }
        return answer(body, headers={"Cache-Control": "public, max-age=3600"})


async def _form(request: Request) -> dict[str, str]:
    """The form that was sent; raises InvalidRequestError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidRequestError
    try:
        text = (await read_body(request, MAX_FORM)).decode()
        fields = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_FIELDS)
    except (Problem, ValueError):
        raise InvalidRequestError from None
    form = dict(fields)
    proofs = ["authorization" in request.headers, "client_secret" in form, "client_assertion" in form]
    if len(form) < len(fields) or sum(proofs) > 1:
        raise InvalidRequestError
    return form


def _claimed_id(asked: _Asked) -> str:
    """Whom the request says it comes from, which nothing has proven yet; raises InvalidClientError."""
    try:
        found = extract_basic_authorization(asked.headers)[0] if "authorization" in asked.headers else None
        if assertion := asked.form.get("client_assertion"):
            found = str(JWTBearerClientAssertion().extract_assertion(assertion)[1].get("sub", ""))
    except (ValueError, TypeError, RecursionError):
        raise InvalidClientError from None
    named = asked.form.get("client_id")
    if found and named and found != named:
        raise InvalidClientError
    return found or named or ""


async def _client(store: db.Store, client_id: str) -> Client | None:
    """The shop of this id, unless it is disabled."""
    try:
        partner_id = uuid.UUID(client_id)
    except ValueError:
        return None
    rows = await store.read(KEPT, str(partner_id), now_ms())
    if not rows:
        return None
    secret_hashes = [row["secret_hash"] for row in rows if row["secret_hash"]]
    keys = {row["kid"]: msgspec.json.decode(row["jwk"], type=dict[str, Any]) for row in rows if row["kid"]}
    return Client(partner_id, rows[0]["tokens_from_ms"], secret_hashes, keys)


async def _use_once(assertion: tuple[str, int] | None) -> None:
    """Note that an assertion was used; raises InvalidClientError when it was before."""
    if assertion is None:
        return
    sql = "INSERT INTO used_assertion (id_hash, expires_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id_hash"
    if not await db.fetch(sql, *assertion):
        raise InvalidClientError
