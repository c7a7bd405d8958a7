"""Questions under way, to a passkey or to a provider: kept here for minutes, each answered once."""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from aggregator.accounts.models import Challenge
from aggregator.accounts.sessions import now_ms, token_hash
from aggregator.errors import Forbidden

LIFETIME_S = 600


class ChallengeSpent(Forbidden):
    """The question was answered already, has expired, was another one, or never was."""

    def __init__(self) -> None:
        super().__init__("challenge-spent", "This took too long or was answered already; begin again.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was just answered, for the last time."""

    account_id: uuid.UUID | None
    body: dict[str, Any]


async def ask(
    purpose: str, body: dict[str, Any], *, account_id: uuid.UUID | None = None, browser: str | None = None
) -> str:
    """Keep a question and give its handle. With `browser`, a secret in a cookie, only that browser may answer."""
    handle = secrets.token_urlsafe(32)
    await Challenge.create(
        id=token_hash(handle),
        purpose=purpose,
        account_id=account_id,
        browser_hash=token_hash(browser) if browser is not None else None,
        body=msgspec.json.encode(body).decode(),
        expires_ms=now_ms() + LIFETIME_S * 1000,
    )
    return handle


async def answered(handle: str, purpose: str, *, account_id: uuid.UUID | None = None, browser: str = "") -> Asked:
    """The question of a handle, which is gone now; raises ChallengeSpent where the purpose, the account or the browser
    is another one.
    """
    hashed = token_hash(handle)
    found = await Challenge.get_or_none(id=hashed, purpose=purpose, expires_ms__gt=now_ms())
    # Removed whoever answers: a handle that went astray is good for nothing more.
    if found is None or not await Challenge.filter(id=hashed).delete():
        raise ChallengeSpent
    if found.account_id != account_id or found.browser_hash not in {None, token_hash(browser)}:
        raise ChallengeSpent
    return Asked(found.account_id, msgspec.json.decode(found.body))
