"""What our own mistakes and damaged rows may cost: themselves, and nothing beside them."""

import asyncio
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from aggregator import app, db
from aggregator.accounts.models import Account
from aggregator.catalog.cards import MUTATORS
from aggregator.settings import Settings
from aggregator.sync.live import Pokes
from aggregator.sync.log import Change, Staged
from aggregator.sync.mutators import Mutator
from aggregator.sync.push import Batch, Mutation, Pusher
from aggregator.sync.spaces import home_of, open_home
from tests.service import Person, ServiceOptions, running, uuid7

Work = Callable[[Pusher, uuid.UUID, uuid.UUID], Awaitable[None]]


class Poison(Struct, frozen=True):
    """A mutation whose body no store can keep, which shows only when everything is written."""

    space: uuid.UUID
    id: uuid.UUID


def poison(change: Change, args: Poison) -> None:
    change.put(args.space, f"card/{args.id}", Staged({"broken": object()}))


def pushing(folder: Path, work: Work) -> None:
    async def inside() -> None:
        settings = Settings(data=folder)
        keys = app.ring(settings)
        async with app.opened_store(settings, keys):
            account_id = uuid.uuid4()
            await Account.create(id=account_id, email="a@b.c", email_key="a@b.c", created_ms=0)
            await open_home(account_id)
            mutator = Mutator("card.poison", Poison, lambda args: f"card/{args.id}", poison)
            pusher = Pusher(keys, [*MUTATORS, mutator], Pokes())
            await work(pusher, account_id, await home_of(account_id))

    asyncio.run(inside())


def test_a_mutation_that_breaks_the_write_is_refused_the_fifth_time_and_the_queue_goes_on(tmp_path: Path) -> None:
    async def work(pusher: Pusher, account_id: uuid.UUID, space: uuid.UUID) -> None:
        def mutation(number: int, name: str, **args: Any) -> Mutation:
            return Mutation(number, name, {"space": str(space), "id": uuid7(), **args})

        card = {"name": "Магнит"}
        batch = Batch(
            uuid.uuid4(),
            [
                mutation(1, "card.keep", card=card),
                mutation(2, "card.poison"),
                mutation(3, "card.keep", card=card),
            ],
        )
        for _ in range(4):
            delivery = await pusher.push(account_id, batch)
            assert [number for number, _ in delivery.outcomes] == [1]
            assert delivery.stop is not None
        delivery = await pusher.push(account_id, batch)
        assert [problem and problem["code"] for _, problem in delivery.outcomes] == [None, "failed", None]
        assert delivery.stop is None

    pushing(tmp_path, work)


def test_a_body_that_does_not_open_is_left_out_of_a_pull_that_brings_the_others(tmp_path: Path) -> None:
    with running(ServiceOptions(tmp_path)) as service, Person.signed_up(service.url) as person:
        damaged, whole = person.keep(), person.keep(name="Лента")
        rows = sqlite3.connect(tmp_path / db.SQLITE_FILE)
        with rows:
            rows.execute("UPDATE entry SET box = zeroblob(60) WHERE key = ?", (f"card/{damaged}",))
        rows.close()
        assert list(person.cards()) == [whole]
        assert f"card/{damaged}" in service.logged()


def test_a_transaction_cancelled_while_it_waits_for_its_turn_leaves_none_open(tmp_path: Path) -> None:
    async def work(pusher: Pusher, account_id: uuid.UUID, space: uuid.UUID) -> None:
        other = sqlite3.connect(tmp_path / db.SQLITE_FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async def wait_for_the_turn() -> None:
            async with db.transaction():
                pytest.fail("the other holds the lock")

        waiting = asyncio.create_task(wait_for_the_turn())
        await asyncio.sleep(0.1)
        waiting.cancel()
        other.execute("ROLLBACK")
        other.close()
        await asyncio.wait([waiting])
        await db.fetch("INSERT INTO store_fact (name, value) VALUES ('acknowledged', 'yes')")
        async with db.transaction():
            pass
        assert len(await db.fetch("SELECT 1 FROM store_fact WHERE name = 'acknowledged'")) == 1

    pushing(tmp_path, work)
