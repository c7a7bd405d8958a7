"""Codes that a shop hands out at the till: whoever has one and holds the card it is for may link that card."""

import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.partners.models import TillCode
from aggregator.partners.texts import END

# Crockford's base 32: no letter in it is taken for a digit.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LONG, SHORT = 8, 6
LIFETIME_MS = 600_000
# Codes of digits alone have too few bits for more.
TRIES_OF_DIGITS, TRIES = 5, 10
MAX_LIVE = 3

Code = Annotated[
    str,
    Meta(
        pattern=rf"^([0-9]{{6}}|[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{{8,32}}){END}",
        description="6 digits, or at least 8 characters of Crockford's base 32.",
    ),
]

LIVE = (
    "SELECT id, code_hash FROM till_code WHERE partner_id = $1 AND used_ms IS NULL AND expires_ms > $2 "
    "AND tries_left > 0 AND blind IN ({blinds}) ORDER BY made_ms, id"
)
MISSED = (
    "UPDATE till_code SET tries_left = tries_left - 1 WHERE partner_id = $1 AND used_ms IS NULL AND blind IN ({blinds})"
)
USED = "UPDATE till_code SET used_ms = $1 WHERE partner_id = $2 AND id = $3 RETURNING id"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code, told this once."""

    code: str
    expires_ms: int


async def issue(
    keys: KeyRing, partner_id: uuid.UUID, blinds: Sequence[str], code: str | None, short: bool, now_ms: int
) -> Issued:
    """A new code for the number with these blinds, inside the open transaction: the till's own, or one that is made.
    Past `MAX_LIVE` the number's oldest goes.
    """
    code = code or _made(short)
    plain = normal(code)
    await lock_number(blinds)
    await _make_room(partner_id, blinds, now_ms)
    code_id = uuid.uuid4()
    row = TillCode(
        partner_id=partner_id,
        id=code_id,
        blind=blinds[-1],
        code_hash=keys.sign(_text(partner_id, code_id, plain)).hex(),
        tries_left=TRIES_OF_DIGITS if plain.isdigit() else TRIES,
        made_ms=now_ms,
        expires_ms=now_ms + LIFETIME_MS,
        used_ms=None,
    )
    await TillCode.bulk_create([row])
    return Issued(code, row.expires_ms)


def _made(short: bool) -> str:
    return "".join(secrets.choice(ALPHABET[:10] if short else ALPHABET) for _ in range(SHORT if short else LONG))


def normal(code: str) -> str:
    """A code as people may have typed it, in the form in which it is compared."""
    return re.sub(r"[\s-]", "", code).upper().translate(str.maketrans("OIL", "011"))


def _text(partner_id: uuid.UUID, code_id: uuid.UUID, code: str) -> bytes:
    return f"till-code/{partner_id}/{code_id}/{code}".encode()


async def lock_number(blinds: Sequence[str]) -> None:
    """One transaction at a time counts the tries at a number."""
    await db.lock_alone(int(blinds[-1][:15], 16))


async def _make_room(partner_id: uuid.UUID, blinds: Sequence[str], now_ms: int) -> None:
    rows = await _live(partner_id, blinds, now_ms)
    for row in rows[: max(0, len(rows) - MAX_LIVE + 1)]:
        await db.fetch("DELETE FROM till_code WHERE partner_id = $1 AND id = $2", str(partner_id), str(row["id"]))


async def _live(partner_id: uuid.UUID, blinds: Sequence[str], now_ms: int) -> Sequence[db.Row]:
    return await db.fetch(LIVE.format(blinds=db.marks(3, len(blinds))), str(partner_id), now_ms, *blinds)


async def take(keys: KeyRing, partner_id: uuid.UUID, blinds: Sequence[str], code: str, now_ms: int) -> bool:
    """Whether the code is one of the number's, which is spent with it. A wrong one counts against all of them: commit
    in either case.
    """
    await lock_number(blinds)
    typed, right = normal(code), None
    for row in await _live(partner_id, blinds, now_ms):
        if keys.verify(_text(partner_id, uuid.UUID(str(row["id"])), typed), bytes.fromhex(row["code_hash"])):
            right = row["id"]
    if right is not None:
        # Unless a reissue has made it void meanwhile.
        return bool(await db.fetch(USED, now_ms, str(partner_id), str(right)))
    await db.fetch(MISSED.format(blinds=db.marks(2, len(blinds))), str(partner_id), *blinds)
    return False


async def end_all(partner_id: uuid.UUID, blinds: Sequence[str]) -> None:
    """The number's codes are void."""
    sql = f"DELETE FROM till_code WHERE partner_id = $1 AND blind IN ({db.marks(2, len(blinds))})"  # noqa: S608 - placeholders only
    await db.fetch(sql, str(partner_id), *blinds)


async def forget(now_ms: int) -> None:
    """Codes that have expired go."""
    await TillCode.filter(expires_ms__lte=now_ms).delete()
