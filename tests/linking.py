"""Cards that are linked straight in the store, and what their holders see of the shop."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aggregator import db
from aggregator.jobs import now_ms
from aggregator.partners import facts, outbox
from aggregator.partners.carrier import WAITING
from aggregator.partners.models import Link
from aggregator.partners.numbers import seal
from tests.inside import Guest
from tests.partners import InsideShop, inside_shop
from tests.service import uuid7

PROGRAMME: dict[str, Any] = {
    "name": {"en": "A shop"},
    "number": {"from": "printed", "form": "digits"},
    "tiers": [{"id": "gold", "name": {"en": "Gold"}}, {"id": "silver", "name": {"en": "Silver"}}],
}

# This may be asked inside a transaction, where other views of what goes on stand still.
WAITING_FOR_A_LOCK = "SELECT 1 FROM pg_locks WHERE NOT granted"

Story = Callable[[Guest, InsideShop], Awaitable[None]]
"""What happens between somebody and a shop with a programme."""


async def shop_with(guest: Guest, programme: Mapping[str, Any] = PROGRAMME) -> InsideShop:
    """A shop at the guest's service, with a programme."""
    shop = await inside_shop(guest.http)
    answer = await shop.call("PUT", "/programme", dict(programme))
    assert answer.is_success, answer.text
    return shop


@dataclass
class Linked:
    """A card that its holder has connected."""

    guest: Guest
    id: str
    space: str
    card: str

    async def body(self) -> dict[str, Any] | None:
        """What a fresh device gets under the card's live key."""
        patch = await pulled(self.guest)
        found = [put["value"] for put in patch if put["op"] == "put" and put["key"] == f"live/{self.card}"]
        return dict(found[0]) if found else None

    async def main(self) -> int | None:
        """The balance that the card shows."""
        body = await self.body()
        return None if body is None or "balance" not in body else int(body["balance"]["main"])


async def pulled(guest: Guest) -> list[dict[str, Any]]:
    """The patch that a fresh device of the guest's gets."""
    answer = await guest.http.get("/api/sync/pull", params={"account": guest.account})
    return list(answer.json()["patch"])


async def link(
    guest: Guest, shop: InsideShop, number: str, *, policy: str = "challenge", made_ms: int = 0, card: str = ""
) -> Linked:
    """Link a card of the guest's, as the verbs of links do in one transaction."""
    keys = guest.service.keys
    made_ms = made_ms or now_ms()
    made = Linked(guest, uuid7(), guest.space, card or uuid7())
    async with db.transaction():
        known = (await facts.of([shop.id]))[shop.id]
        blind = known.rule.blinds(keys, number)[-1]
        row = Link(
            space_id=made.space,
            id=made.id,
            card_id=made.card,
            account_id=guest.account,
            partner_id=shop.id,
            policy=policy,
            blind=blind,
            number_box=seal(keys, shop.id, known.rule.normal(number)),
            made_ms=made_ms,
        )
        await Link.bulk_create([row])
        await outbox.add([outbox.link_row(shop.id, blind, made_ms)])
    return made


async def carried(guest: Guest) -> None:
    """Everything that waits has been carried."""
    # The service's own carrier may hold some of it at this moment.
    while await guest.store.read(WAITING):
        await guest.service.office.carrier.deliver(guest.store)
        await asyncio.sleep(0.01)


def number() -> str:
    """A number that no other test has."""
    return str(uuid.uuid4().int % 10**13).zfill(13)
