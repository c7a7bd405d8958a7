"""What balances and cards need of a programme, remembered for as long as its version stands."""

import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct

from aggregator import db
from aggregator.partners.live import Texts
from aggregator.partners.programmes import Rule

# Programmes with thousands of outlets are large, and what is kept of each is small.
MOST = 1_000
HEAD = "partner_id, version, slug, number_from, number_form, number_was"

Read = Callable[..., Awaitable[Sequence[db.Row]]]
"""`db.fetch` inside a transaction, `Store.read` outside of any."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A programme in short. Without a `slug` its shop is not approved."""

    rule: Rule
    slug: str | None
    unit: Raw
    tiers: dict[str, Texts]


class _Tier(Struct):
    id: str
    name: dict[str, str]


class _Body(Struct):
    """What is read of a programme's body."""

    unit: Raw
    tiers: list[_Tier] = []


_body = msgspec.json.Decoder(_Body)
_known: OrderedDict[tuple[uuid.UUID, int], tuple[Raw, dict[str, Texts]]] = OrderedDict()


async def of(partner_ids: Sequence[uuid.UUID], read: Read = db.fetch) -> dict[uuid.UUID, Facts]:
    """The programmes of those shops that have put one."""
    marks = ", ".join(f"${place}" for place in range(1, len(partner_ids) + 1))
    sql = f"SELECT {HEAD} FROM programme WHERE partner_id IN ({marks})"  # noqa: S608 - placeholders only
    found = {}
    for row in await read(sql, *map(str, partner_ids)):
        partner_id = uuid.UUID(str(row["partner_id"]))
        unit, tiers = await _said(partner_id, row["version"], read)
        rule = Rule(partner_id, row["number_from"], row["number_form"], row["number_was"])
        found[partner_id] = Facts(rule, row["slug"], unit, tiers)
    return found


async def _said(partner_id: uuid.UUID, version: int, read: Read) -> tuple[Raw, dict[str, Texts]]:
    name = (partner_id, version)
    if name not in _known:
        # A later version's body, where somebody has just put one, is read again with its own head.
        [row] = await read("SELECT version, body FROM programme WHERE partner_id = $1", str(partner_id))
        body = _body.decode(row["body"])
        name = (partner_id, row["version"])
        _known[name] = (Raw(bytes(body.unit)), {tier.id: tier.name for tier in body.tiers})
        while len(_known) > MOST:
            _known.popitem(last=False)
    _known.move_to_end(name)
    return _known[name]
