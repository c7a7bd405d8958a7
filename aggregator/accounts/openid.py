"""OpenID Connect as a client: the authorization code flow with PKCE, nonce and state, by Authlib. Every call goes
through the guarded HTTP client.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from aggregator.errors import Forbidden, Unavailable
from aggregator.outbound import Answer, NoAnswer, NotAllowed, Outbound
from aggregator.settings import Provider

KNOWN_FOR_S = 3_600
LEEWAY_S = 60
MAX_SUBJECT = 255
# What a provider may sign with: never "none", never a secret that we hold ourselves.
ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
DEFAULT_ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who somebody is at a provider. `email` only where the provider says that it has verified it."""

    issuer: str
    subject: str
    email: str
    label: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """What binds one way to a provider and back: made by us, known to nobody else."""

    state: str
    nonce: str
    verifier: str


class _Client(OAuth2Client):  # type: ignore[misc]  # Authlib comes without types
    """Authlib's client over our HTTP."""

    def __init__(self, outbound: Outbound, **options: Any) -> None:
        super().__init__(None, code_challenge_method="S256", scope="openid email profile", **options)
        self._outbound = outbound

    async def _fetch_token(self, url: str, body: str, auth: Any, method: str, headers: Mapping[str, str]) -> Any:
        url, sent, body = auth.prepare(method, url, dict(headers), body)
        answer = await self._outbound.fetch(url, method=method, headers=sent, body=body.encode())
        request = httpx.Request(method, url)
        return self.parse_response_token(httpx.Response(answer.status, content=answer.body, request=request))


class OpenId:
    """One provider. Its description and keys are asked for when they are needed, and known for an hour."""

    def __init__(self, provider: Provider, outbound: Outbound, redirect_uri: str) -> None:
        self.provider = provider
        self._outbound = outbound
        self._redirect_uri = redirect_uri
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    async def url(self, secrets: Secrets, *, anew: bool) -> str:
        """Where the browser goes; with `anew` the provider asks who it is even where it knows. Raises Unavailable."""
        description = await self.describe()
        more = {"prompt": "login", "max_age": "0"} if anew else {}
        url, _ = self._client(description).create_authorization_url(
            description["authorization_endpoint"],
            state=secrets.state,
            nonce=secrets.nonce,
            code_verifier=secrets.verifier,
            **more,
        )
        return str(url)

    async def claims(self, secrets: Secrets, code: str, issuer: str | None) -> Claims:
        """Who came back with `code`. `issuer` is what the answer named (RFC 9207). Raises Forbidden or Unavailable."""
        description = await self.describe()
        promised = description.get("authorization_response_iss_parameter_supported") is True
        if issuer != self.provider.issuer and (promised or issuer is not None):
            raise refused("The answer came from another provider than the one that was asked.")
        try:
            token = await self._client(description).fetch_token(
                description["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=secrets.verifier,
            )
            claims = await self._checked(token, secrets.nonce, description)
        except (NotAllowed, NoAnswer, httpx.HTTPStatusError) as error:
            raise _unavailable() from error
        except (AuthlibBaseError, JoseError, ValueError, TypeError, KeyError) as error:
            raise refused("The provider's answer does not fit the question.") from error
        return await self._named(claims, token, description)

    async def _checked(self, token: Mapping[str, Any], nonce: str, description: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of the ID token (OpenID Connect Core 1.0, 3.1.3.7); raises JoseError, ValueError or KeyError."""
        offered = description.get("id_token_signing_alg_values_supported") or [DEFAULT_ALGORITHM]
        registry = JWSRegistry(algorithms=sorted(ALGORITHMS & {*offered}), strict_check_header=False)
        try:
            read = jwt.decode(token["id_token"], await self._keys(description), registry=registry)
        except InvalidKeyIdError:
            # Keys that were changed within the hour.
            self._kept.pop("keys", None)
            read = jwt.decode(token["id_token"], await self._keys(description), registry=registry)
        wanted = {
            "iss": {"essential": True, "value": self.provider.issuer},
            "aud": {"essential": True, "value": self.provider.client_id},
        }
        known = {"nonce": nonce, "client_id": self.provider.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(read.claims, read.header, wanted, known)
        claims.validate(leeway=LEEWAY_S)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= MAX_SUBJECT:
            raise ValueError("The subject is no name.")
        return dict(claims)

    async def _named(self, claims: dict[str, Any], token: Mapping[str, Any], description: Mapping[str, Any]) -> Claims:
        """With an address and a name, which many providers tell only when asked for them."""
        if "email" not in claims and "userinfo_endpoint" in description:
            more = await self._user_info(str(description["userinfo_endpoint"]), str(token.get("access_token")))
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        email, name = (str(claims.get(key) or "") for key in ("email", "name"))
        verified = email if claims.get("email_verified") is True else ""
        return Claims(self.provider.issuer, claims["sub"], verified, (email or name or self.provider.name)[:254])

    async def _user_info(self, url: str, token: str) -> dict[str, Any]:
        """Nothing, where it does not answer: what it tells is for convenience."""
        try:
            answer = await self._outbound.fetch(url, headers={"authorization": f"Bearer {token}"})
            found = answer.json() if answer.status == httpx.codes.OK else {}
        except (NotAllowed, NoAnswer):
            return {}
        return found if isinstance(found, dict) else {}

    def _client(self, description: Mapping[str, Any]) -> _Client:
        provider = self.provider
        methods = description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_body = "client_secret_basic" not in methods and "client_secret_post" in methods
        return _Client(
            self._outbound,
            client_id=provider.client_id,
            client_secret=provider.client_secret or None,
            redirect_uri=self._redirect_uri,
            token_endpoint_auth_method="client_secret_post" if by_body and provider.client_secret else None,
        )

    async def describe(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0); raises Unavailable."""
        url = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            found = await self._known("description", url)
        except (NotAllowed, NoAnswer) as error:
            raise _unavailable() from error
        endpoints = (found.get("authorization_endpoint"), found.get("token_endpoint"), found.get("jwks_uri"))
        if found.get("issuer") != self.provider.issuer:
            raise _unavailable() from NoAnswer(f"It calls itself {found.get('issuer')}, not as the settings do.")
        if not all(isinstance(one, str) for one in endpoints):
            raise _unavailable() from NoAnswer("It names no endpoints.")
        return found

    async def _keys(self, description: Mapping[str, Any]) -> KeySet:
        return KeySet.import_key_set(await self._known("keys", description["jwks_uri"]))  # type: ignore[arg-type]

    async def _known(self, what: str, url: str) -> dict[str, Any]:
        """A JSON object at an address, asked for once an hour; raises NotAllowed or NoAnswer."""
        until, found = self._kept.get(what, (0.0, {}))
        if until > time.monotonic():
            return found
        answer: Answer = await self._outbound.fetch(url, headers={"accept": "application/json"})
        found = answer.json()
        if answer.status != httpx.codes.OK or not isinstance(found, dict):
            raise NoAnswer(f"{url} answers {answer.status}.")
        self._kept[what] = (time.monotonic() + KNOWN_FOR_S, found)
        return found


def refused(detail: str) -> Forbidden:
    """What came back from a provider is no proof of anything."""
    return Forbidden("provider-refused", detail)


def _unavailable() -> Unavailable:
    return Unavailable("provider-unavailable", "The provider does not answer as it should just now.", 10)
