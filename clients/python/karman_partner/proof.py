"""How a program proves whose it is, and the tokens it gets for that."""

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import JWKRegistry

from karman_partner.problems import Refused

T = TypeVar("T")

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTED_S = 120
# A token is renewed before it ends, or a call on its way would come too late with it.
EARLY_S = 60


class Proof(Protocol):
    """What is sent with the request for a token. `issuer` is the service as it calls itself."""

    def form(self, issuer: str) -> Mapping[str, str]:
        """The fields that prove it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The client id and the client secret that the operator handed out."""

    client_id: str
    secret: str

    def form(self, issuer: str) -> Mapping[str, str]:
        """RFC 6749, section 2.3.1."""
        return {"client_id": self.client_id, "client_secret": self.secret}


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key whose public half was put under `/keys/{kid}`: the private JWK, and ES256, PS256 or EdDSA."""

    client_id: str
    kid: str
    jwk: Mapping[str, Any]
    algorithm: str = "ES256"

    def form(self, issuer: str) -> Mapping[str, str]:
        """RFC 7523, section 2.2."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": issuer,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + ASSERTED_S,
        }
        key = JWKRegistry.import_key(dict(self.jwk))
        signed = jwt.encode({"alg": self.algorithm, "kid": self.kid}, claims, key, algorithms=[self.algorithm])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


class _Metadata(msgspec.Struct):
    issuer: str


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int


class Tokens:
    """The token of a program, asked for when there is none, and again shortly before it ends. Threads may share it."""

    def __init__(self, http: httpx.Client, proof: Proof, scopes: str) -> None:
        self._http = http
        self._proof = proof
        self._scopes = scopes
        self._alone = threading.Lock()
        self._issuer = ""
        self._token = ""
        self._until = 0.0

    def current(self) -> str:
        """A token that is good for a while; raises Refused and what httpx raises."""
        with self._alone:
            if time.monotonic() >= self._until:
                self._renew()
            return self._token

    def forget(self, token: str) -> None:
        """The service does not take this token any more."""
        with self._alone:
            if token == self._token:
                self._until = 0.0

    def _renew(self) -> None:
        if not self._issuer:
            found = self._http.get("/.well-known/oauth-authorization-server")
            self._issuer = _read(found, _Metadata).issuer
        form = {"grant_type": "client_credentials", "scope": self._scopes, **self._proof.form(self._issuer)}
        made = _read(self._http.post("/oauth/token", data=form), _Token)
        self._token = made.access_token
        self._until = time.monotonic() + max(made.expires_in - EARLY_S, made.expires_in / 2)


def is_busy(answer: httpx.Response) -> bool:
    """Whether the same again may be answered otherwise."""
    return answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error


def _read(answer: httpx.Response, shape: type[T]) -> T:
    if is_busy(answer):
        raise httpx.HTTPStatusError("no token just now", request=answer.request, response=answer)
    if not answer.is_success:
        raise Refused.read(answer.status_code, answer.content)
    return msgspec.json.decode(answer.content, type=shape)
