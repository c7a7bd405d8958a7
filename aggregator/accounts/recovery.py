"""Recovery codes: ten, shown once, each good for coming in once."""

import secrets
import uuid

from aggregator import db
from aggregator.accounts.models import Account, RecoveryCode
from aggregator.accounts.sessions import now_ms, token_hash
from aggregator.accounts.ways import locked
from aggregator.errors import Unauthorized

COUNT = 10
GROUPS, GROUP = 4, 4
# Crockford's base 32: nothing in it is taken for something else. Sixteen of them are 80 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")


def _new() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def plain(code: str) -> str:
    """A code as it is hashed, however somebody typed it."""
    return "".join(letter for letter in code.upper().translate(_MISREAD) if letter in ALPHABET)


async def renew(account_id: uuid.UUID) -> list[str]:
    """Ten new codes; the older ones are good no more."""
    codes = [_new() for _ in range(COUNT)]
    now = now_ms()
    async with db.transaction():
        await locked(account_id)
        await RecoveryCode.filter(account_id=account_id).delete()
        await RecoveryCode.bulk_create(
            [RecoveryCode(code_hash=token_hash(plain(code)), account_id=account_id, created_ms=now) for code in codes]
        )
    return codes


async def spend(code: str) -> Account:
    """Whose code it was; it is good no more. Raises Unauthorized."""
    wrong = Unauthorized("wrong-code", "This code is wrong or was used already.")
    hashed = token_hash(plain(code))
    found = await RecoveryCode.get_or_none(code_hash=hashed)
    if found is None or not await RecoveryCode.filter(code_hash=hashed).delete():
        raise wrong
    account = await Account.get_or_none(id=found.account_id)
    if account is None:
        raise wrong
    return account
