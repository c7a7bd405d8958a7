"""What shops have to do with keys: after a rotation boxes are sealed and fingerprints written under the ring's latest
key, and after a programme's normal form has changed fingerprints are those of numbers in the new one.

Until then look-ups try every fingerprint that a number may stand under (`programmes.Rule.blinds`).
"""

import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from aggregator import db, store
from aggregator.crypto import ID_BYTES, BoxUnreadable, KeyRing
from aggregator.partners import balances, events, numbers, outbox, programmes, webhooks
from aggregator.partners.programmes import Rule
from aggregator.sync import log

PAGE = 200
# Longer than any call may take that has read the former normal form.
SETTLED_MS = 60_000
FIRST = "00000000-0000-0000-0000-000000000000"

_log = logging.getLogger("karman.keys")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A table of numbers: the columns that its rows are found by, of which some may name the fingerprint, and those
    that go along when a row gets another one. Of two rows that become one, that with the higher `newest` stays.
    """

    name: str
    key: tuple[str, ...]
    kept: tuple[str, ...] = ()
    newest: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Everything that is read, the key first."""
        return tuple(dict.fromkeys((*self.key, "partner_id", "blind", "number_box", *self.kept)))


TABLES = (
    Numbered("link", ("id",), ("space_id", "card_id")),
    Numbered("link_attempt", ("id",)),
    Numbered("offer_number", ("partner_id", "offer_id", "blind")),
    Numbered("balance", ("partner_id", "blind"), ("box", "as_of_ms"), "as_of_ms"),
)
BOXES: tuple[tuple[str, Callable[[uuid.UUID], bytes]], ...] = (("event", events.bound), ("webhook", webhooks.bound))
"""Tables of boxes, with what a row's box is bound to by its id."""


class PartnerBoxes:
    """Everything of shops that is sealed."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def reseal(self, opened: db.Store, now_ms: int) -> None:
        """The background job. Broken off anywhere, the rest is done the next time."""
        await self._settle_forms(opened, now_ms)
        async with store.resealing(self._keys, "partners") as is_needed:
            if is_needed:
                old = f"substr(number_box, 1, {ID_BYTES}) <> $1"
                for table in TABLES:
                    await self._rewrite(opened, table, old, self._keys.ids[-1], now_ms)
                for name, bound in BOXES:
                    await self._reseal(opened, name, bound)

    async def under(self, opened: db.Store, key_id: bytes) -> int:
        """How many boxes would be lost with this key."""
        count = 0
        for name, column in (*((table.name, "number_box") for table in TABLES), *((name, "box") for name, _ in BOXES)):
            sql = f"SELECT count(*) FROM {name} WHERE substr({column}, 1, {ID_BYTES}) = $1"  # noqa: S608 - constants
            count += int((await opened.read(sql, key_id))[0][0])
        return count

    async def _settle_forms(self, opened: db.Store, now_ms: int) -> None:
        """Programmes whose numbers are compared in another form than before."""
        sql = "SELECT partner_id, number_was, version FROM programme WHERE number_was IS NOT NULL AND changed_ms <= $1"
        for row in await opened.read(sql, now_ms - SETTLED_MS):
            for table in TABLES:
                await self._rewrite(opened, table, "partner_id = $1", str(row["partner_id"]), now_ms)
            done = "UPDATE programme SET number_was = NULL WHERE partner_id = $1 AND version = $2 AND number_was = $3"
            await db.fetch(done, str(row["partner_id"]), row["version"], row["number_was"])

    async def _rewrite(self, opened: db.Store, table: Numbered, which: str, value: object, now_ms: int) -> None:
        async for page in _pages(opened, table, which, value):
            async with db.transaction():
                rules: dict[uuid.UUID, Rule] = {}
                for seen in page:
                    if (row := await _locked(table, seen)) is not None:
                        partner_id = uuid.UUID(str(row["partner_id"]))
                        rules[partner_id] = rules.get(partner_id) or await programmes.rule_of(partner_id)
                        await self._renumber(table, row, rules[partner_id], now_ms)

    async def _renumber(self, table: Numbered, row: db.Row, rule: Rule, now_ms: int) -> None:
        """Write one row anew, where that is needed."""
        fresh = await self._fresh(table, row, rule)
        if fresh is None:
            return
        if "blind" in table.key and fresh["blind"] != row["blind"]:
            await _replace(table, row, fresh)
        else:
            await _update(table, row, fresh)
        # Under another form a number may be a card's that it was not before; under other keys it is the same.
        concerns_cards = table.name == "link" or (table.name == "balance" and rule.was is not None)
        if concerns_cards and fresh["blind"] != row["blind"]:
            # What was said of the number under the other fingerprint may not have reached the card.
            await outbox.add([outbox.link_row(rule.partner_id, str(fresh["blind"]), now_ms)])

    async def _fresh(self, table: Numbered, row: db.Row, rule: Rule) -> dict[str, object] | None:
        """What the row is to be; None where it is already, or does not open."""
        partner_id = rule.partner_id
        try:
            number = await self._number(table, row, rule)
            fresh: dict[str, object] = {
                "blind": numbers.blind(self._keys, partner_id, number),
                "number_box": numbers.seal(self._keys, partner_id, number),
            }
            if "box" in table.kept:
                balance = balances.opened(self._keys, partner_id, bytes(row["box"]))
                fresh["box"] = balances.seal(self._keys, partner_id, replace(balance, number=number))
        except BoxUnreadable:
            _log.error("a number in %s does not open", table.name)
            return None
        is_current = bytes(row["number_box"])[:ID_BYTES] == self._keys.ids[-1]
        return None if is_current and fresh["blind"] == row["blind"] else fresh

    async def _number(self, table: Numbered, row: db.Row, rule: Rule) -> str:
        """The row's number in the programme's form; raises BoxUnreadable. One of which that leaves nothing stays as it
        is, to be found by nobody.
        """
        known = numbers.opened(self._keys, rule.partner_id, bytes(row["number_box"]))
        if table.name == "link" and rule.was is not None:
            # The card has what the former form has left out.
            body = await self._card(row)
            if numbers.on_card(rule.source, rule.was, body) == known:
                return numbers.on_card(rule.source, rule.form, body) or known
        return rule.normal(known) or known

    async def _card(self, link: db.Row) -> dict[str, Any]:
        """What stands on a linked card; nothing where that does not open."""
        space_id, key = str(link["space_id"]), f"card/{link['card_id']}"
        sql = "SELECT schema, box FROM entry WHERE space_id = $1 AND key = $2 AND box IS NOT NULL"
        for row in await db.fetch(sql, space_id, key):
            with suppress(BoxUnreadable):
                opened = self._keys.open(bytes(row["box"]), log.bound(space_id, key, row["schema"]))
                return dict(msgspec.json.decode(opened))
        return {}

    async def _reseal(self, opened: db.Store, name: str, bound: Callable[[uuid.UUID], bytes]) -> None:
        sql = (
            f"SELECT id, box FROM {name} WHERE id > $1 AND substr(box, 1, {ID_BYTES}) <> $2 "  # noqa: S608 - constants
            f"ORDER BY id LIMIT {PAGE}"
        )
        after = FIRST
        while rows := await opened.read(sql, after, self._keys.ids[-1]):
            async with db.transaction():
                for row in rows:
                    await self._seal_anew(name, bound(uuid.UUID(str(row["id"]))), row)
            after = str(rows[-1]["id"])

    async def _seal_anew(self, name: str, bound: bytes, row: db.Row) -> None:
        try:
            box = self._keys.seal(self._keys.open(bytes(row["box"]), bound), bound)
        except BoxUnreadable:
            _log.error("a box in %s does not open", name)
            return
        # Not where somebody has written a new one since the page was read.
        sql = f"UPDATE {name} SET box = $1 WHERE id = $2 AND box = $3"  # noqa: S608 - constants
        await db.fetch(sql, box, str(row["id"]), bytes(row["box"]))


async def _pages(opened: db.Store, table: Numbered, which: str, value: object) -> AsyncIterator[Sequence[db.Row]]:
    """The rows of a table, in the order of its key."""
    key = ", ".join(table.key)
    begin = f"SELECT {key} FROM {table.name} WHERE {which}"  # noqa: S608 - constants
    order = f"ORDER BY {key} LIMIT {PAGE}"
    after = f"AND ({key}) > ({db.marks(2, len(table.key))})"
    rows = await opened.read(f"{begin} {order}", value)
    while rows:
        yield rows
        rows = await opened.read(f"{begin} {after} {order}", value, *map(str, rows[-1]))


def _where(table: Numbered, first: int) -> str:
    return " AND ".join(f"{name} = ${first + place}" for place, name in enumerate(table.key))


def _key(table: Numbered, row: db.Row) -> list[str]:
    return [str(row[name]) for name in table.key]


async def _locked(table: Numbered, seen: db.Row) -> db.Row | None:
    sql = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {_where(table, 1)}"  # noqa: S608 - constants
    rows = await db.fetch(sql if db.is_sqlite() else f"{sql} FOR UPDATE", *_key(table, seen))
    return rows[0] if rows else None


async def _update(table: Numbered, row: db.Row, fresh: dict[str, object]) -> None:
    changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(fresh, 1))
    sql = f"UPDATE {table.name} SET {changes} WHERE {_where(table, len(fresh) + 1)}"  # noqa: S608 - constants
    await db.fetch(sql, *fresh.values(), *_key(table, row))


async def _replace(table: Numbered, row: db.Row, fresh: dict[str, object]) -> None:
    """Give a row that is found by its fingerprint another one."""
    await db.fetch(f"DELETE FROM {table.name} WHERE {_where(table, 1)}", *_key(table, row))  # noqa: S608 - constants
    whole = {name: _plain(row[name]) for name in table.columns} | fresh
    rest = [name for name in whole if name not in table.key]
    taken = ", ".join(f"{name} = excluded.{name}" for name in rest)
    newer = f" WHERE {table.name}.{table.newest} < excluded.{table.newest}" if table.newest else ""
    sql = (
        f"INSERT INTO {table.name} ({', '.join(whole)}) VALUES ({db.marks(1, len(whole))}) "  # noqa: S608 - constants
        f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {taken}{newer}"
    )
    await db.fetch(sql, *whole.values())


def _plain(value: object) -> object:
    return str(value) if isinstance(value, uuid.UUID) else value
