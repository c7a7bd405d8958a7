"""Passkeys (WebAuthn level 3): made, used, and checked with the `webauthn` package. They are found by the browser, so
that nobody has to be named before signing in, and ask for the person's finger, face or PIN every time.
"""

import hashlib
import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import webauthn
from tortoise.exceptions import IntegrityError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from aggregator import db
from aggregator.accounts import challenges
from aggregator.accounts.models import Account, Passkey
from aggregator.accounts.sessions import now_ms
from aggregator.accounts.ways import locked
from aggregator.errors import Conflict, Forbidden, Unauthorized

T = TypeVar("T")

MAKE, USE = "passkey-make", "passkey-use"
MOST = 20
NAME = "Карман"
NEEDED = UserVerificationRequirement.REQUIRED


class Passkeys:
    """Makes and checks passkeys of the site at `address`: they work there and nowhere else."""

    def __init__(self, address: str) -> None:
        self._origin = address
        self._site = urlsplit(address).hostname or ""

    async def ask_to_make(self, account: Account) -> dict[str, Any]:
        """What the browser needs to make one; raises Conflict past the bound."""
        known = await Passkey.filter(account_id=account.id)
        _refuse_more(len(known))
        options = webauthn.generate_registration_options(
            rp_id=self._site,
            rp_name=NAME,
            user_id=account.id.bytes,
            user_name=account.email or NAME,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=NEEDED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in known],
        )
        return await _asked(MAKE, options_to_json_dict(options), options.challenge, account.id)

    async def make(self, account_id: uuid.UUID, handle: str, credential: dict[str, Any], name: str) -> Passkey:
        """Keep the passkey that the browser made; raises Forbidden or Conflict."""
        asked = await challenges.answered(handle, MAKE, account_id=account_id)
        made = _trusting_nothing(
            lambda: webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=base64url_to_bytes(asked.body["challenge"]),
                expected_rp_id=self._site,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        )
        passkey = Passkey(
            id=uuid.uuid4(),
            account_id=account_id,
            credential_hash=_hash(made.credential_id),
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=name.strip(),
            created_ms=now_ms(),
        )
        try:
            async with db.transaction():
                await locked(account_id)
                _refuse_more(await Passkey.filter(account_id=account_id).count())
                await passkey.save(force_create=True)
        except IntegrityError:
            raise Conflict("passkey-known", "This passkey is kept already.") from None
        return passkey

    async def ask_to_use(self) -> dict[str, Any]:
        """What the browser needs to offer the passkeys that it has."""
        options = webauthn.generate_authentication_options(rp_id=self._site, user_verification=NEEDED)
        return await _asked(USE, options_to_json_dict(options), options.challenge)

    async def use(self, handle: str, credential: dict[str, Any]) -> uuid.UUID:
        """Whose passkey it was; raises Forbidden or Unauthorized."""
        asked = await challenges.answered(handle, USE)
        known = await Passkey.get_or_none(credential_hash=_hash(_trusting_nothing(lambda: _id_of(credential))))
        if known is None:
            raise Unauthorized("passkey-unknown", "This passkey is of no account here.")
        used = _trusting_nothing(
            lambda: webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=base64url_to_bytes(asked.body["challenge"]),
                expected_rp_id=self._site,
                expected_origin=self._origin,
                credential_public_key=known.public_key,
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            )
        )
        await Passkey.filter(id=known.id).update(sign_count=used.new_sign_count, used_ms=now_ms())
        return known.account_id


def _refuse_more(known: int) -> None:
    if known >= MOST:
        raise Conflict("too-many-passkeys", f"An account has at most {MOST} passkeys; remove one first.")


async def _asked(
    purpose: str, options: dict[str, Any], challenge: bytes, account_id: uuid.UUID | None = None
) -> dict[str, Any]:
    handle = await challenges.ask(purpose, {"challenge": bytes_to_base64url(challenge)}, account_id=account_id)
    return {"challenge": handle, "options": options}


def _id_of(credential: dict[str, Any]) -> bytes:
    return base64url_to_bytes(credential["rawId"])


def _hash(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()


def _trusting_nothing(check: Callable[[], T]) -> T:
    """What the check gives; raises Forbidden for whatever goes wrong in it.

    It takes strangers' CBOR, DER and JSON apart, and says what is wrong with them in many kinds of errors.
    """
    try:
        return check()
    except Exception as error:
        raise Forbidden("passkey-refused", "The answer of the passkey does not fit the question.") from error
