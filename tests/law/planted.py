"""Faults of the kind that sync could have, put into the running service to see that the law notices."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from aggregator import db
from aggregator.sync import purge, push, spaces
from aggregator.sync.models import Receipt
from tests.law.machine import RARE, Rare, purged, restored
from tests.law.world import History

Plant = Callable[[pytest.MonkeyPatch], None]
Story = Callable[[History], Awaitable[None]]


def a_gap_in_ids_accepted(patch: pytest.MonkeyPatch) -> None:
    """A push may leave out what came before it."""
    patch.setattr(push, "_refuse_gap", lambda mutations, last_id: None)


def a_tombstone_purged_early(patch: pytest.MonkeyPatch) -> None:
    """Tombstones go with the next purge, and devices that have not seen them are not sent everything anew."""

    async def drop(space_id: uuid.UUID, now_ms: int) -> None:
        await db.fetch(purge.DROPPED, str(space_id), now_ms)

    patch.setattr(purge, "TOMBSTONE_MS", 0)
    patch.setattr(purge, "_drop", drop)


def the_receipt_written_outside_the_transaction(patch: pytest.MonkeyPatch) -> None:
    """What was applied commits first, what says so afterwards."""
    later: ContextVar[list[tuple[Any, ...]]] = ContextVar("later")
    real_keep, real_push = push._keep, push.Pusher._push

    async def keep(*receipts: Any) -> None:
        later.get().append(receipts)

    async def pushed(*args: Any) -> Any:
        later.set([])
        delivery = await real_push(*args)
        async with db.transaction():
            for receipts in later.get():
                await real_keep(*receipts)
        return delivery

    patch.setattr(push, "_keep", keep)
    patch.setattr(push.Pusher, "_push", pushed)


def the_version_bumped_without_the_lock(patch: pytest.MonkeyPatch) -> None:
    """Two pushes at one time count on from the same version. SQLite has one writer, whatever we lock."""

    async def lock(account_id: uuid.UUID) -> dict[uuid.UUID, spaces.Access]:
        sql = (
            "SELECT s.id, s.version, s.kind, m.role FROM space s JOIN member m ON m.space_id = s.id "
            "WHERE m.account_id = $1"
        )
        rows = await db.fetch(sql, str(account_id))
        return {uuid.UUID(str(row["id"])): spaces.Access(row["version"], row["kind"], row["role"]) for row in rows}

    patch.setattr(push, "lock", lock)


def a_refusal_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Asked again, the service says that a refused mutation was applied."""
    real = push._receipt

    def receipt(client: Any, mutation: Any, outcome: Any, body_hash: bytes) -> Receipt:
        return real(client, mutation, None, body_hash)

    patch.setattr(push, "_receipt", receipt)


def a_forked_client_accepted(patch: pytest.MonkeyPatch) -> None:
    """Another body under a number that was used is taken for a repeat."""

    async def replayed(
        mutations: Sequence[push.Mutation], client: Any, prints: Mapping[int, bytes]
    ) -> list[tuple[int, push.Outcome]]:
        numbers = [mutation.id for mutation in mutations if mutation.id <= client.last_id]
        found = await Receipt.filter(account_id=client.account_id, client_id=client.id, id__in=numbers)
        return sorted((receipt.id, push._outcome(receipt)) for receipt in found)

    patch.setattr(push, "_replayed", replayed)


async def a_push_acknowledged_before_a_restore(history: History) -> None:
    """A device has seen a receipt, and no pull since, when the store loses it."""
    await history.back_up()
    await history.write(0, 0)
    await history.exchange(0, "pull", "request lost")
    await history.restore()


async def two_purges_while_a_device_is_away(history: History) -> None:
    """A card is gone before all devices know."""
    await history.bin(0, 0)
    await history.exchange(0, "push", "")
    for _ in range(2):
        await history.purge(31)


async def a_crash_after_the_commit(history: History) -> None:
    """What was applied is on the disk; its device has not heard of it."""
    await history.write(0, 0)
    await history.exchange(0, "push", "crash after commit")


async def all_devices_at_once(history: History) -> None:
    """On one card, again and again, since it takes some luck to meet."""
    for _ in range(12):
        for device in range(3):
            await history.write(device, 0)
        await history.exchange_at_once(0)


async def a_refusal_unheard(history: History) -> None:
    """The answer that refuses is lost."""
    await history.write_wrongly(0, 0)
    await history.exchange(0, "push", "answer lost")


async def two_copies_of_a_device(history: History) -> None:
    """Both go on from the same number."""
    await history.copy(0)


PLANTS: tuple[tuple[Plant, Story, tuple[Rare, ...]], ...] = (
    (a_gap_in_ids_accepted, a_push_acknowledged_before_a_restore, (restored,)),
    (a_tombstone_purged_early, two_purges_while_a_device_is_away, (purged,)),
    (the_receipt_written_outside_the_transaction, a_crash_after_the_commit, RARE),
    (the_version_bumped_without_the_lock, all_devices_at_once, RARE),
    (a_refusal_forgotten, a_refusal_unheard, RARE),
    (a_forked_client_accepted, two_copies_of_a_device, (History.copy,)),
)
"""Each fault with a story that it breaks, and what must happen now and then in histories that meet it."""
