"""A shop's own keys and secrets, over the API."""

import uuid
from typing import Annotated, Any, Literal

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from msgspec import Meta, Struct

from aggregator import db
from aggregator.accounts.sessions import iso
from aggregator.errors import Conflict, FieldError, Invalid, NotFound
from aggregator.partners import credentials
from aggregator.partners.api import Call, Endpoint, Reply
from aggregator.partners.credentials import Tokens
from aggregator.partners.texts import END

MAX_KEYS = 10
RSA_BITS = range(2048, 8193)
# What a key of a kind signs with; nothing else is believed of it.
ALGORITHMS = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA", ("RSA", None): "PS256"}

Text = Annotated[str, Meta(max_length=2_000)]
KeyId = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._~-]{{1,128}}{END}")]


class Jwk(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A public key (RFC 7517): EC on P-256 for ES256, RSA of 2,048 bits or more for PS256, or Ed25519 for EdDSA."""

    kty: Literal["EC", "RSA", "OKP"]
    crv: Literal["P-256", "Ed25519"] | None = None
    x: Text | None = None
    y: Text | None = None
    n: Text | None = None
    e: Text | None = None
    kid: KeyId | None = None
    alg: Literal["ES256", "PS256", "EdDSA"] | None = None
    use: Literal["sig"] | None = None
    key_ops: list[Literal["verify"]] | None = None


class KeptKey(Struct, frozen=True):
    """A key that assertions of this shop may be signed with."""

    kid: str
    alg: Literal["ES256", "PS256", "EdDSA"]
    jwk: Jwk
    created_at: str


class KeyPage(Struct, frozen=True):
    """All keys, by `kid`."""

    items: list[KeptKey]
    next: None


class NewSecret(Struct, frozen=True):
    """A client secret, told this once, and until when the older ones stay good."""

    secret: str
    expires_old_at: str


class CredentialRoutes:
    """`/keys` and `/secrets`."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def endpoints(self) -> list[Endpoint]:
        """What a shop may do with what it proves itself with."""
        return [
            Endpoint("GET", "/keys", "Your public keys", self._listed, "keys", answers={200: KeyPage}),
            Endpoint(
                "PUT",
                "/keys/{kid}",
                "Keep a public key under its id",
                self._put,
                "keys",
                body=Jwk,
                answers={200: KeptKey},
                problems=("too-many-keys",),
                writes=True,
            ),
            Endpoint("DELETE", "/keys/{kid}", "Remove a key", self._removed, "keys", answers={204: None}, writes=True),
            Endpoint(
                "POST",
                "/secrets",
                "Make a new client secret; the others are good for 24 hours more",
                self._made,
                "keys",
                answers={201: NewSecret},
                problems=("idempotency-key-needed",),
                writes=True,
            ),
            Endpoint(
                "POST",
                "/secrets/revoke",
                "End every secret but the newest, and every token, at once",
                self._revoked,
                "keys",
                answers={204: None},
                writes=True,
            ),
        ]

    async def _listed(self, call: Call) -> Reply:
        sql = "SELECT kid, jwk, created_ms FROM partner_key WHERE partner_id = $1 ORDER BY kid"
        rows = await call.store.read(sql, str(call.caller.partner_id))
        return Reply(KeyPage([_kept(row["kid"], row["jwk"], row["created_ms"]) for row in rows], None))

    async def _put(self, call: Call) -> Reply:
        kid = call.path["kid"]
        jwk = msgspec.json.encode(_checked(kid, call.body)).decode()
        await _require_room(call.caller.partner_id, kid)
        sql = (
            "INSERT INTO partner_key (partner_id, kid, jwk, created_ms) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (partner_id, kid) DO UPDATE SET jwk = excluded.jwk, created_ms = excluded.created_ms "
            "RETURNING kid"
        )
        await db.fetch(sql, str(call.caller.partner_id), kid, jwk, call.now_ms)
        return Reply(_kept(kid, jwk, call.now_ms))

    async def _removed(self, call: Call) -> Reply:
        kid, sql = call.path["kid"], "DELETE FROM partner_key WHERE partner_id = $1 AND kid = $2 RETURNING kid"
        # What is no id may be no text that a store takes.
        if not _is_kid(kid) or not await db.fetch(sql, str(call.caller.partner_id), kid):
            raise NotFound
        return Reply(status=204)

    async def _made(self, call: Call) -> Reply:
        secret, until = await credentials.rotate(call.caller.partner_id, call.now_ms)
        return Reply(NewSecret(secret, iso(until)), 201)

    async def _revoked(self, call: Call) -> Reply:
        partner_id = call.caller.partner_id
        await credentials.revoke_others(partner_id, call.now_ms)

        async def forget() -> None:
            self._tokens.forget(partner_id)

        call.after.append(forget)
        return Reply(status=204)


def _kept(kid: str, jwk: str, created_ms: int) -> KeptKey:
    key = msgspec.json.decode(jwk, type=Jwk)
    return KeptKey(kid, ALGORITHMS[key.kty, key.crv], key, iso(created_ms))  # type: ignore[arg-type]


async def _require_room(partner_id: uuid.UUID, kid: str) -> None:
    await credentials.lock(partner_id)
    sql = "SELECT COUNT(*) AS found FROM partner_key WHERE partner_id = $1 AND kid <> $2"
    if (await db.fetch(sql, str(partner_id), kid))[0]["found"] >= MAX_KEYS:
        raise Conflict("too-many-keys", f"At most {MAX_KEYS} keys are kept: remove one first.")


def _checked(kid: str, jwk: Jwk) -> Jwk:
    """The key as it is kept; raises Invalid."""
    errors = list(_faults(kid, jwk))
    if errors:
        raise Invalid(errors)
    found = {name: getattr(jwk, name) for name in ("kty", "crv", "x", "y", "n", "e")}
    return Jwk(**found, kid=kid, alg=ALGORITHMS[jwk.kty, jwk.crv], use="sig")  # type: ignore[arg-type]


def _is_kid(text: str) -> bool:
    try:
        msgspec.convert(text, KeyId)
    except msgspec.ValidationError:
        return False
    return True


def _faults(kid: str, jwk: Jwk) -> Any:
    if not _is_kid(kid):
        yield FieldError("/kid", "An id is 1-128 letters, digits and . _ ~ - in the address.")
    if jwk.kid not in {None, kid}:
        yield FieldError("/kid", "The address says another.")
    algorithm = ALGORITHMS.get((jwk.kty, jwk.crv))
    if algorithm is None:
        yield FieldError("/crv", "A key of EC is on P-256, one of OKP is Ed25519, and one of RSA has none.")
    elif jwk.alg not in {None, algorithm}:
        yield FieldError("/alg", f"This key signs with {algorithm}.")
    elif not _opens(jwk):
        yield FieldError("", "This is no public key that can be used; RSA needs 2,048 to 8,192 bits.")


def _opens(jwk: Jwk) -> bool:
    members = {name: getattr(jwk, name) for name in ("kty", "crv", "x", "y", "n", "e") if getattr(jwk, name)}
    try:
        public: Any = JWKRegistry.import_key(members).public_key
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        return False
    return jwk.kty != "RSA" or public.key_size in RSA_BITS
