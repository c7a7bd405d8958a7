"""Leaving: an account goes with everything every package keeps of it, in one transaction, and its devices are told.

Packages below and above hand in an eraser each; `app.py` puts them together, so that this one knows none of them.
"""

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence

from aggregator import db
from aggregator.accounts.models import Account, Device, GoneDevice
from aggregator.accounts.passwords import Passwords
from aggregator.errors import Forbidden, Problem, Unauthorized

Afterwards = Callable[[], Awaitable[None]]
"""What is left to do when the rows are gone for good: it may fail, and be done by background work later."""

Erase = Callable[[uuid.UUID], Awaitable[Afterwards | None]]
"""Removes what one package keeps of an account, inside the transaction that removes the account."""

Ended = Callable[[uuid.UUID], Awaitable[None]]
"""Told when a device may no longer listen."""

_log = logging.getLogger("karman.accounts")


class Leaving:
    """Deletes accounts. `erasers` run in this order; the rows of this package go last."""

    def __init__(self, passwords: Passwords, erasers: Sequence[Erase], ended: Ended) -> None:
        self._passwords = passwords
        self._erasers = erasers
        self._ended = ended

    async def check(self, account: Account, password: str) -> None:
        """Raises Forbidden for a wrong password, as late as for a right one."""
        if not await self._passwords.matches(account.password_hash, password):
            raise Forbidden("wrong-password", "This is not the password of this account.")

    async def leave(self, account_id: uuid.UUID) -> None:
        """Remove the account and everything of it; raises Unauthorized where it has gone already."""
        async with db.transaction():
            await _lock(account_id)
            afterwards = [await erase(account_id) for erase in self._erasers]
            devices = await _forget(account_id)
        for device_id in devices:
            await self._ended(device_id)
        for more in filter(None, afterwards):
            await _attempt(more)


async def _lock(account_id: uuid.UUID) -> None:
    """Whoever would add rows of this account waits from here on, and then finds no account."""
    sql = "SELECT id FROM account WHERE id = $1"
    if not await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", str(account_id)):
        raise Unauthorized("device-revoked", "This account is no more.")


async def _forget(account_id: uuid.UUID) -> list[uuid.UUID]:
    """Remove the account and its devices, but remember the devices' tokens, which tell nothing of anybody."""
    devices = await Device.filter(account_id=account_id)
    gone = [GoneDevice(token_hash=device.token_hash, until_ms=device.expires_ms) for device in devices]
    await GoneDevice.bulk_create(gone, ignore_conflicts=True)
    await Device.filter(account_id=account_id).delete()
    await Account.filter(id=account_id).delete()
    return [device.id for device in devices]


async def _attempt(more: Afterwards) -> None:
    try:
        await more()
    except (Problem, *db.STORE_ERRORS) as error:
        _log.warning("what is left of an account goes with the next tidying: %s", error)


async def forget_gone_devices(store: db.Store, now_ms: int) -> None:
    """Tokens whose session would have ended by now (ms since 1970, UTC) need no answer of their own any more."""
    await GoneDevice.filter(until_ms__lte=now_ms).delete()
