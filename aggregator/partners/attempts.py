"""Attempts to link a card under the three policies: what is asked, what may be tried, and how often.

challenge  the shop is told a code, which it sends to the contact that it has; whoever answers it holds the number
code       the shop has handed a code out at the till
open       knowing the number is enough
"""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aggregator import db
from aggregator.crypto import KeyRing
from aggregator.errors import TooManyRequests
from aggregator.partners import events, links, numbers, till_codes
from aggregator.partners.links import Holder, make
from aggregator.partners.models import LinkAttempt
from aggregator.partners.programmes import Policy, Rule
from aggregator.partners.till_codes import lock_number

DIGITS = 6
TRIES = 5
LIFETIME_MS = 600_000
DAY_MS = 86_400_000
# So that nobody can ask all day on behalf of one account, nor about one number.
MAX_OF_ACCOUNT, MAX_OF_NUMBER = 10, 5

COUNTED = "SELECT made_ms FROM link_attempt WHERE account_id = $1 AND made_ms > $2 ORDER BY made_ms DESC"
TOLD = (
    "SELECT count(*) FROM link_attempt WHERE partner_id = $1 AND policy = 'challenge' AND code_hash IS NOT NULL "
    "AND made_ms > $2 AND blind IN ({blinds})"
)
TRIED = (
    "UPDATE link_attempt SET tries = tries + 1 WHERE id = $1 AND policy = 'challenge' AND ended_ms IS NULL "
    "AND expires_ms > $2 AND {whose} "
    "RETURNING id, space_id, card_id, account_id, partner_id, number_box, code_hash, tries"
)
WAITING = "SELECT id, partner_id FROM link_attempt WHERE ended_ms IS NULL AND policy = 'challenge' AND {which}"
ORPHANED = "UPDATE link_attempt SET account_id = NULL, space_id = $1, card_id = $1 WHERE account_id = $2"
ENDED = "UPDATE link_attempt SET ended_ms = $1 WHERE id = $2"


class TooManyAttempts(TooManyRequests):
    """The account has tried as often as one may in a day."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s, f"At most {MAX_OF_ACCOUNT} attempts a day.")
        self.code = "too-many-attempts"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A card that is to be linked: whose it is, and the number on it in the programme's normal form."""

    holder: Holder
    rule: Rule
    number: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A challenge, to be answered by the code that the shop sends, if it does."""

    attempt_id: uuid.UUID
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Tried:
    """An answered challenge that may still be answered: where its card was, what was asked about, and whether the code
    is right.
    """

    id: uuid.UUID
    holder: Holder
    partner_id: uuid.UUID
    number_box: bytes
    is_right: bool


async def require_allowance(account_id: uuid.UUID, now_ms: int) -> None:
    """Raises TooManyAttempts. The account's row is locked, so that attempts are counted one by one."""
    rows = await db.fetch(COUNTED, str(account_id), now_ms - DAY_MS)
    if len(rows) >= MAX_OF_ACCOUNT:
        raise TooManyAttempts((rows[MAX_OF_ACCOUNT - 1]["made_ms"] + DAY_MS - now_ms) // 1000 + 1)


async def challenge(keys: KeyRing, wanted: Wanted, now_ms: int) -> Begun:
    """Ask the shop to send a code for the number, inside the open transaction. Another challenge of the same card is
    over. A number that was asked about too often is not asked about again, which nobody is told.
    """
    await _end(keys, await _of_holder(wanted.holder), now_ms)
    attempt_id, code = uuid.uuid4(), _made()
    is_told = await _may_ask(keys, wanted, now_ms)
    hashed = keys.sign(_text(attempt_id, code)).hex()
    begun = Begun(attempt_id, now_ms + LIFETIME_MS)
    await _note(keys, wanted, "challenge", attempt_id, hashed if is_told else None, now_ms)
    if is_told:
        expires_at = datetime.fromtimestamp(begun.expires_ms / 1000, UTC)
        said = events.Challenge(attempt_id, wanted.number, code, expires_at)
        await events.record(keys, wanted.rule.partner_id, events.CHALLENGE, said, now_ms)
    return begun


async def by_till_code(keys: KeyRing, wanted: Wanted, code: str, now_ms: int) -> uuid.UUID | None:
    """The link that a code from the till gives, or None for a wrong one, which counts: commit in either case."""
    await _note(keys, wanted, "code", uuid.uuid4(), None, now_ms)
    rule = wanted.rule
    blinds = rule.blinds(keys, wanted.number)
    if not await till_codes.take(keys, rule.partner_id, blinds, code, now_ms):
        return None
    return await linked(keys, wanted, "code", now_ms)


async def by_number(keys: KeyRing, wanted: Wanted, now_ms: int) -> uuid.UUID:
    """The link that knowing the number gives, where the operator allows that."""
    await _note(keys, wanted, "open", uuid.uuid4(), None, now_ms)
    return await linked(keys, wanted, "open", now_ms)


async def linked(keys: KeyRing, wanted: Wanted, policy: Policy, now_ms: int) -> uuid.UUID:
    """A new link; what else was tried for the card is over."""
    await _end(keys, await _of_holder(wanted.holder), now_ms)
    return await make(keys, wanted.holder, wanted.rule, wanted.number, policy, now_ms)


async def tried(
    keys: KeyRing, attempt_id: uuid.UUID, owner: uuid.UUID, code: str, now_ms: int, is_sandbox: bool = False
) -> Tried | None:
    """What a code is to a challenge of the account `owner` (of the sandbox shop `owner`, for a test card), inside the
    open transaction; None where that has none that waits. A right answer and the last wrong one end it: commit in
    either case.
    """
    whose = "account_id IS NULL AND partner_id = $3" if is_sandbox else "account_id = $3"
    rows = await db.fetch(TRIED.format(whose=whose), str(attempt_id), now_ms, str(owner))
    if not rows:
        return None
    [row] = rows
    partner_id = uuid.UUID(str(row["partner_id"]))
    is_right = keys.verify(_text(attempt_id, till_codes.normal(code)), bytes.fromhex(row["code_hash"] or ""))
    if is_right or row["tries"] >= TRIES:
        await _end(keys, [(attempt_id, partner_id)], now_ms)
    account_id = uuid.UUID(str(row["account_id"])) if row["account_id"] else None
    holder = Holder(account_id, uuid.UUID(str(row["space_id"])), uuid.UUID(str(row["card_id"])))
    return Tried(attempt_id, holder, partner_id, bytes(row["number_box"]), is_right)


async def end_of_card(keys: KeyRing, holder: Holder, now_ms: int) -> None:
    """What its holder has under way for a card is over."""
    await _end(keys, await _of_holder(holder), now_ms)


async def end_of_number(keys: KeyRing, partner_id: uuid.UUID, blinds: Sequence[str], now_ms: int) -> None:
    """What is under way for a number is over: challenges and codes of the till."""
    which = f"partner_id = $1 AND blind IN ({db.marks(2, len(blinds))})"
    rows = await db.fetch(WAITING.format(which=which), str(partner_id), *blinds)
    await _end(keys, _named(rows), now_ms)
    await till_codes.end_all(partner_id, blinds)


async def orphan(keys: KeyRing, account_id: uuid.UUID, now_ms: int) -> None:
    """An account goes: its attempts are nobody's, and still count for the numbers that they were about."""
    await _end(keys, _named(await db.fetch(WAITING.format(which="account_id = $1"), str(account_id))), now_ms)
    await db.fetch(ORPHANED, str(links.NOBODY), str(account_id))


async def forget(store: db.Store, now_ms: int) -> None:
    """The background job: attempts that count no more go, and codes of the till."""
    await LinkAttempt.filter(made_ms__lte=now_ms - DAY_MS).delete()
    await till_codes.forget(now_ms)


def _made() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(DIGITS))


def _text(attempt_id: uuid.UUID, code: str) -> bytes:
    return f"link-code/{attempt_id}/{code}".encode()


async def _may_ask(keys: KeyRing, wanted: Wanted, now_ms: int) -> bool:
    """Whether the shop may be asked about the number once more today."""
    blinds = wanted.rule.blinds(keys, wanted.number)
    await lock_number(blinds)
    sql = TOLD.format(blinds=db.marks(3, len(blinds)))
    [row] = await db.fetch(sql, str(wanted.rule.partner_id), now_ms - DAY_MS, *blinds)
    return int(row[0]) < MAX_OF_NUMBER


async def _note(
    keys: KeyRing, wanted: Wanted, policy: Policy, attempt_id: uuid.UUID, code_hash: str | None, now_ms: int
) -> None:
    partner_id, holder = wanted.rule.partner_id, wanted.holder
    row = LinkAttempt(
        space_id=holder.space_id,
        id=attempt_id,
        account_id=holder.account_id,
        card_id=holder.card_id,
        partner_id=partner_id,
        policy=policy,
        blind=numbers.blind(keys, partner_id, wanted.number),
        number_box=numbers.seal(keys, partner_id, wanted.number),
        code_hash=code_hash,
        tries=0,
        made_ms=now_ms,
        expires_ms=now_ms + LIFETIME_MS,
        ended_ms=None if policy == "challenge" else now_ms,
    )
    await LinkAttempt.bulk_create([row])


async def _of_holder(holder: Holder) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """The challenges of a card that wait for their holder's answer: attempt and shop."""
    column, owner = ("account_id", holder.account_id) if holder.account_id else ("space_id", holder.space_id)
    sql = WAITING.format(which=f"{column} = $1 AND card_id = $2")
    return _named(await db.fetch(sql, str(owner), str(holder.card_id)))


def _named(rows: Sequence[db.Row]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    return [(uuid.UUID(str(row["id"])), uuid.UUID(str(row["partner_id"]))) for row in rows]


async def _end(keys: KeyRing, attempts: Sequence[tuple[uuid.UUID, uuid.UUID]], now_ms: int) -> None:
    for attempt_id, partner_id in attempts:
        await db.fetch(ENDED, now_ms, str(attempt_id))
        await events.blank(keys, partner_id, attempt_id)
