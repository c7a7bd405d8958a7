"""What holders do: connect a card of theirs to its shop's programme, answer the shop's code, and end the link."""

import uuid
from dataclasses import dataclass
from typing import Any

from aggregator import db
from aggregator.accounts.sessions import now_ms
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.errors import Conflict, Forbidden, NotFound
from aggregator.merchants.directory import Directory
from aggregator.partners import attempts, links, live, numbers, programmes
from aggregator.partners.attempts import Begun, Tried, Wanted
from aggregator.partners.links import Holder
from aggregator.partners.news import News
from aggregator.partners.programmes import Known, Policy
from aggregator.sync.about import lock_account
from aggregator.sync.log import Change
from aggregator.sync.spaces import lock


@dataclass(frozen=True, slots=True)
class Asked:
    """A holder's wish to connect a card under a policy, with the code from the till where that needs one."""

    space_id: uuid.UUID
    card_id: uuid.UUID
    policy: Policy
    code: str


class Linking:
    """Every verb raises NotFound for what is not the account's. Wrong codes count, and are refused after the commit."""

    def __init__(self, keys: KeyRing, directory: Directory, news: News) -> None:
        self._keys = keys
        self._directory = directory
        self._news = news

    async def connect(self, account_id: uuid.UUID, asked: Asked) -> Begun | uuid.UUID:
        """A challenge that was begun, or the id of a new link. Raises Conflict, Forbidden `wrong-code` and
        TooManyAttempts.
        """
        now = now_ms()
        async with db.transaction():
            change = await self._opened(account_id, now)
            holder, body = await _card(change, asked.space_id, asked.card_id)
            known = await self._programme(body)
            wanted = _wanted(holder, known, body)
            if asked.policy not in known.policies:
                raise Conflict("policy-not-offered", "The shop does not link cards this way.")
            await _require_unlinked(holder)
            await attempts.require_allowance(account_id, now)
            made = await self._attempt(wanted, asked, now)
        self._news.tell()
        if made is None:
            raise _wrong()
        return made

    async def _attempt(self, wanted: Wanted, asked: Asked, now: int) -> Begun | uuid.UUID | None:
        if asked.policy == "challenge":
            return await attempts.challenge(self._keys, wanted, now)
        if asked.policy == "code":
            return await attempts.by_till_code(self._keys, wanted, asked.code, now)
        return await attempts.by_number(self._keys, wanted, now)

    async def confirm(self, account_id: uuid.UUID, attempt_id: uuid.UUID, code: str) -> uuid.UUID:
        """The id of the link that the right code gives. Raises Forbidden `wrong-code`, and NotFound `attempt-gone`
        where there is nothing to answer any more, since the card is another, too.
        """
        now = now_ms()
        async with db.transaction():
            change = await self._opened(account_id, now)
            tried = await attempts.tried(self._keys, attempt_id, account_id, code, now)
            made = await self._answered(change, tried) if tried is not None and tried.is_right else None
        self._news.tell()
        if made is not None:
            return made
        raise _wrong() if tried is not None and not tried.is_right else gone()

    async def _answered(self, change: Change, tried: Tried) -> uuid.UUID | None:
        """The link, if the card is still that of the attempt."""
        try:
            holder, body = await _card(change, tried.holder.space_id, tried.holder.card_id)
            known = await self._programme(body)
            wanted = _wanted(holder, known, body)
            await _require_unlinked(holder)
        except (Conflict, Forbidden, NotFound):
            return None
        asked_about = numbers.opened(self._keys, tried.partner_id, tried.number_box)
        if (known.partner_id, wanted.number) != (tried.partner_id, asked_about) or "challenge" not in known.policies:
            return None
        return await attempts.linked(self._keys, wanted, "challenge", change.now_ms)

    async def end(self, account_id: uuid.UUID, link_id: uuid.UUID) -> None:
        """End one of the account's links."""
        async with db.transaction():
            mine = [link for link in await links.of_account(account_id) if link.id == link_id]
            if not mine:
                raise NotFound
            versions = await links.end(self._keys, mine, "holder", now_ms())
            await self._news.announce(versions)
        self._news.tell(versions)

    async def of(self, store: db.Store, account_id: uuid.UUID) -> list[dict[str, Any]]:
        """The account's links."""
        sql = (
            "SELECT l.id, l.space_id, l.card_id, l.policy, l.made_ms, g.slug FROM link l "
            "JOIN programme g ON g.partner_id = l.partner_id WHERE l.account_id = $1 ORDER BY l.made_ms, l.id"
        )
        return [_shown(row) for row in await store.read(sql, str(account_id))]

    async def _opened(self, account_id: uuid.UUID, now: int) -> Change:
        """Everything the account may enter, locked as a push locks it."""
        await lock_account(account_id)
        access = await lock(account_id)
        versions = {space_id: found.version for space_id, found in access.items()}
        return Change(self._keys, account_id, now, versions, access=access)

    async def _programme(self, body: dict[str, Any]) -> Known:
        slug = self._directory.latest(body.get("merchant", ""))
        known = await programmes.by_slug(slug) if slug else None
        if known is None:
            raise Conflict("no-programme", "This shop is not connected here.")
        return known


async def _card(change: Change, space_id: uuid.UUID, card_id: uuid.UUID) -> tuple[Holder, dict[str, Any]]:
    """A card of the account, wherever it is by now; raises NotFound, and Forbidden to whoever may only look."""
    key = f"card/{card_id}"
    if space_id not in change.spaces:
        raise NotFound
    await change.load([(space_id, key)])
    space_id = change.whereabouts(space_id, key)
    try:
        body = change.get(space_id, key) if space_id in change.spaces else None
    except BoxUnreadable:
        body = None
    if body is None or "binned_at" in body:
        raise NotFound
    if not change.may_edit(space_id):
        raise Forbidden("view-only", "You may look at the cards here and show them, but not connect them.")
    return Holder(change.account_id, space_id, card_id), body


def _wanted(holder: Holder, known: Known, body: dict[str, Any]) -> Wanted:
    rule = known.rule
    number = numbers.on_card(rule.source, rule.form, body)
    if not number:
        raise Conflict("no-number", "This card has no number that the shop knows it by.")
    return Wanted(holder, rule, number)


async def _require_unlinked(holder: Holder) -> None:
    standing = await links.of_cards([(holder.space_id, holder.card_id)])
    if any(link.account_id == holder.account_id for link in standing):
        raise Conflict("already-linked", "You have connected this card already.")


def _wrong() -> Forbidden:
    return Forbidden("wrong-code", "This is not the code.")


def gone() -> NotFound:
    """There is nothing to answer any more."""
    return NotFound("attempt-gone", "This took too long, was tried too often, or was answered already; begin again.")


def _shown(row: db.Row) -> dict[str, Any]:
    ids = {"id": row["id"], "space": row["space_id"], "card": row["card_id"]}
    since = live.moment(row["made_ms"])
    return {**{name: str(id) for name, id in ids.items()}, "slug": row["slug"], "policy": row["policy"], "since": since}
