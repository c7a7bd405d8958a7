"""Which ways lead into an account, shown and removed; at least one always stays."""

import uuid
from collections.abc import AsyncIterator, Collection
from typing import Any

from aggregator import db
from aggregator.accounts.exports import Export, File, json_file
from aggregator.accounts.models import Account, Identity, Passkey, RecoveryCode
from aggregator.accounts.sessions import iso
from aggregator.errors import Conflict, NotFound, Unauthorized


class Ways:
    """The ways into accounts; `providers` are the ids of those that sign people in here now."""

    def __init__(self, providers: Collection[str]) -> None:
        self._providers = providers

    async def shown(self, account: Account) -> dict[str, Any]:
        """All of them, without anything secret."""
        passkeys = await Passkey.filter(account_id=account.id).order_by("created_ms")
        identities = await Identity.filter(account_id=account.id).order_by("created_ms")
        return {
            "email": account.email or None,
            "verified": account.verified_ms is not None,
            "password": account.password_hash is not None,
            "passkeys": [passkey_shown(passkey) for passkey in passkeys],
            "identities": [_identity(identity) for identity in identities],
            "codes": await RecoveryCode.filter(account_id=account.id).count(),
        }

    async def remove_password(self, account_id: uuid.UUID) -> None:
        """Raises Conflict `last-way-in`."""
        async with db.transaction():
            account = await locked(account_id)
            if not account.password_hash:
                raise NotFound
            await Account.filter(id=account_id).update(password_hash=None)
            await self._keep_one(account_id)

    async def remove_passkey(self, account_id: uuid.UUID, passkey_id: uuid.UUID | None) -> None:
        """Raises NotFound, or Conflict `last-way-in`."""
        await self._remove(Passkey, account_id, passkey_id)

    async def remove_identity(self, account_id: uuid.UUID, identity_id: uuid.UUID | None) -> None:
        """Raises NotFound, or Conflict `last-way-in`."""
        await self._remove(Identity, account_id, identity_id)

    async def _remove(self, kind: type[Passkey | Identity], account_id: uuid.UUID, id: uuid.UUID | None) -> None:
        async with db.transaction():
            await locked(account_id)
            if not await kind.filter(id=id, account_id=account_id).delete():
                raise NotFound
            await self._keep_one(account_id)

    async def _keep_one(self, account_id: uuid.UUID) -> None:
        """Recovery codes are no way to live by, and a provider that the operator took away leads nowhere."""
        account = await Account.get(id=account_id)
        if account.password_hash or await Passkey.exists(account_id=account_id):
            return
        if not await Identity.exists(account_id=account_id, provider__in=list(self._providers)):
            raise Conflict("last-way-in", "This is the last way into the account; add another one first.")


async def locked(account_id: uuid.UUID) -> Account:
    """The account, whose ways nobody else changes before the transaction ends."""
    account = await Account.filter(id=account_id).select_for_update().first()
    if account is None:
        raise Unauthorized("device-revoked", "The account of this device was deleted.")
    return account


def passkey_shown(passkey: Passkey) -> dict[str, Any]:
    """A passkey as its person sees it."""
    used = iso(passkey.used_ms) if passkey.used_ms else None
    return {"id": str(passkey.id), "name": passkey.name, "created_at": iso(passkey.created_ms), "used_at": used}


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "id": str(identity.id),
        "provider": identity.provider,
        "label": identity.label,
        "created_at": iso(identity.created_ms),
    }


async def export(asked: Export) -> AsyncIterator[File]:
    """`ways-in.json`: all of it but what is secret."""
    account = await Account.get(id=asked.account_id)
    shown = await Ways(()).shown(account)
    verified = {"verified_at": iso(account.verified_ms)} if account.verified_ms else {}
    identities = await Identity.filter(account_id=account.id).order_by("created_ms")
    subjects = [{"issuer": one.issuer, "subject": one.subject} for one in identities]
    shown["identities"] = [{**one, **more} for one, more in zip(shown["identities"], subjects, strict=True)]
    yield json_file("ways-in.json", {**shown, **verified})
