"""Steps change a store that is full of people's cards, and lose nothing of it; the ones that would are caught."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.migrations.autodetector import MigrationAutodetector

from aggregator import app, checkup, db, schema
from aggregator.schema import MigrationLosesRows, StoreIsNewer
from aggregator.settings import Settings, read
from tests.launcher import Started, launch
from tests.service import ServiceOptions, uuid7
from tests.shapes import Shape, losses, recorded, shape_of
from tests.stores import Rows

OWN = "aggregator.migrations"
FIRST = "0001_initial"
KEPT = "tests.steps.kept.migrations"
LOSSY = {
    "a column altered by Tortoise": "tests.steps.altered.migrations",
    "a column removed": "tests.steps.removed.migrations",
    "a table dropped under its children": "tests.steps.cascading.migrations",
    "parents removed": "tests.steps.orphaning.migrations",
}


@pytest.fixture
def options(unshaped: ServiceOptions) -> ServiceOptions:
    """No store yet."""
    return unshaped


def settings(options: ServiceOptions) -> Settings:
    return read({"data": str(options.data)}, options.environment)


def migrate(options: ServiceOptions, steps: str = OWN, target: str | None = None) -> list[str]:
    """Run steps, and give the names of those that ran."""

    async def run() -> list[str]:
        chosen = settings(options)
        app.ring(chosen)
        async with db.connected(chosen, app.MODELS, steps):
            return await schema.migrate(db.config(chosen, app.MODELS, steps)["apps"], target)

    return asyncio.run(run())


def names(options: ServiceOptions, steps: str) -> list[str]:
    """The steps that are still to run, in order."""

    async def run() -> list[str]:
        chosen = settings(options)
        async with db.connected(chosen, app.MODELS, steps):
            return await schema.pending(db.config(chosen, app.MODELS, steps)["apps"])

    return asyncio.run(run())


# People in the first shape of the store, with something in every table


def people() -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows by table, parents first."""
    yield "store_fact", {"name": "epoch", "value": "0123456789abcdef"}
    for number in range(3):
        account, space, client = uuid7(), uuid7(), uuid7()
        email = f"{number}@example.org"
        yield (
            "account",
            {"id": account, "email": email, "email_key": email, "password_hash": "$argon2id$", "created_ms": 1},
        )
        yield "device", device(account, number)
        yield "space", {"id": space, "kind": "person", "version": 5, "floor": 0, "created_ms": 1}
        yield "member", {"space_id": space, "account_id": account, "role": "owner"}
        yield "client", {"account_id": account, "id": client, "last_id": 2, "failures": 0}
        for receipt in (1, 2):
            refused = '{"code":"invalid"}' if receipt == 2 else None
            key = {"account_id": account, "client_id": client, "id": receipt}
            yield "receipt", {**key, "body_hash": bytes(32), "problem": refused}
        yield from cards(space)


def device(account: str, number: int) -> dict[str, Any]:
    times = {"created_ms": 1, "seen_ms": 2, "expires_ms": 3, "revoked_ms": 4 if number else None}
    return {"id": uuid7(), "account_id": account, "name": "телефон", "token_hash": f"{number:064}", **times}


def cards(space: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for version in range(1, 5):
        card = uuid7()
        clear = {"merchant": "pyaterochka", "expires_on": "2027-01-01"} if version % 2 else {}
        box = bytes([version]) * 40 if version < 4 else None
        sparse = {"merchant": None, "expires_on": None, **clear}
        yield "entry", {"space_id": space, "key": f"card/{card}", "version": version, "schema": 1, "box": box, **sparse}
        yield "card_use", {"space_id": space, "card_id": card, "use_id": uuid7()}
    mark = {"upload_mark": b"\x01" * 32, "size_bytes": 7, "created_ms": 1}
    yield "picture", {"space_id": space, "id": uuid7(), **mark}


def literal(value: Any, is_postgres: bool) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea" if is_postgres else f"X'{value.hex()}'"
    return str(value) if isinstance(value, int) else f"'{value}'"


@pytest.fixture
def populated(options: ServiceOptions) -> ServiceOptions:
    """A store in its first shape with rows in every table."""
    migrate(options, OWN, FIRST)
    rows = Rows(options)
    for table, row in people():
        values = ", ".join(literal(value, bool(rows.database)) for value in row.values())
        rows.sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})")
    assert [name for name, table in shape_of(rows).items() if not table.rows] == []
    return options


# Steps that keep


def test_every_step_keeps_rows_indexes_and_constraints(populated: ServiceOptions) -> None:
    rows = Rows(populated)
    steps = names(populated, KEPT)
    assert steps[-3:] == ["9001_add_fields", "9002_rebuild_parents", "9003_rebuild_child"]
    for step in steps:
        before = shape_of(rows)
        assert migrate(populated, KEPT, step) == [step]
        assert losses(before, shape_of(rows)) == [], step
    assert recorded(rows) == [FIRST, *steps]
    assert names(populated, KEPT) == []


def test_the_added_fields_are_there_and_filled(populated: ServiceOptions) -> None:
    migrate(populated, KEPT)
    rows = Rows(populated)
    assert rows.sql("SELECT DISTINCT locale FROM account") == [("ru",)]
    assert rows.sql("SELECT DISTINCT shelf FROM entry") == [(None,)]
    rows.sql(f"UPDATE space SET kind = '{'k' * 32}'")


def test_after_a_rebuild_rows_still_go_with_their_parents(populated: ServiceOptions) -> None:
    migrate(populated, KEPT)
    rows = Rows(populated)
    rows.sql("DELETE FROM space")
    rows.sql("DELETE FROM account")
    left = {name: len(table.rows) for name, table in shape_of(rows).items()}
    assert left == {name: int(name == "store_fact") for name in left}


def test_steps_run_once(populated: ServiceOptions) -> None:
    migrate(populated, KEPT)
    before = shape_of(Rows(populated))
    assert migrate(populated, KEPT) == []
    assert shape_of(Rows(populated)) == before


# Steps that lose


@pytest.mark.parametrize("steps", LOSSY.values(), ids=LOSSY)
def test_a_step_that_loses_something_is_refused_or_seen(populated: ServiceOptions, steps: str) -> None:
    rows = Rows(populated)
    before = shape_of(rows)
    try:
        migrate(populated, steps)
    except (MigrationLosesRows, IntegrityError):
        assert shape_of(rows) == before
        assert recorded(rows) == [FIRST]
        return
    lost = losses(before, shape_of(rows))
    harmless = bool(rows.database) and steps == LOSSY["a column altered by Tortoise"]
    assert bool(lost) != harmless, lost


def test_what_sqlite_loses_by_a_rebuild_from_the_model_is_named(populated: ServiceOptions, profile: str) -> None:
    if profile == "grown":
        pytest.skip("PostgreSQL alters in place")
    before = shape_of(Rows(populated))
    migrate(populated, LOSSY["a column altered by Tortoise"])
    lost = losses(before, shape_of(Rows(populated)))
    assert "member: constraint PRIMARY KEY ['space_id', 'account_id'] is gone" in lost
    assert "device: constraint FOREIGN KEY account_id REFERENCES account id ON DELETE CASCADE is gone" in lost


def test_rows_that_would_point_to_nothing_undo_the_whole_step(populated: ServiceOptions, profile: str) -> None:
    if profile == "grown":
        pytest.skip("PostgreSQL lets them go with their parents, which the comparison sees")
    before = shape_of(Rows(populated))
    with pytest.raises(MigrationLosesRows, match=r"9001_forget_spaces leaves \d+ rows that point to nothing"):
        migrate(populated, LOSSY["parents removed"])
    assert shape_of(Rows(populated)) == before


# Steps that fail


def test_a_step_that_fails_leaves_nothing_behind_not_even_the_step_before_it(populated: ServiceOptions) -> None:
    rows = Rows(populated)
    before: Shape = shape_of(rows)
    with pytest.raises(OperationalError):
        migrate(populated, "tests.steps.broken.migrations")
    assert shape_of(rows) == before
    assert recorded(rows) == [FIRST]
    assert migrate(populated, KEPT)
    assert losses(before, shape_of(rows)) == []


def test_after_a_failed_step_references_are_held_again(populated: ServiceOptions) -> None:
    async def story() -> None:
        chosen = settings(populated)
        steps = "tests.steps.broken.migrations"
        async with db.connected(chosen, app.MODELS, steps):
            with suppress(OperationalError):
                await schema.migrate(db.config(chosen, app.MODELS, steps)["apps"])
            await db.fetch("DELETE FROM space")
            assert [row[0] for row in await db.fetch("SELECT count(*) FROM entry")] == [0]

    asyncio.run(story())


# Two at once, and one too old


def command(options: ServiceOptions, name: str) -> Started:
    return launch(options.words(name), options.env())


def test_processes_that_migrate_at_once_run_every_step_once(options: ServiceOptions) -> None:
    ended = []
    for process in [command(options, "migrate") for _ in range(4)]:
        said, errors = process.communicate(timeout=120)
        ended.append((process.returncode, said, errors))
    assert ended == [(0, "The store has this version's shape.\n", "")] * 4
    rows = Rows(options)
    assert recorded(rows) == sorted(set(recorded(rows)))
    assert FIRST in recorded(rows)
    assert rows.count("store_fact", "name LIKE 'key-check/%'") == 1


def test_a_store_of_a_newer_version_is_refused_in_one_line_and_stays_as_it_is(populated: ServiceOptions) -> None:
    migrate(populated, KEPT)
    rows = Rows(populated)
    before = shape_of(rows), recorded(rows)
    with pytest.raises(StoreIsNewer, match="9001_add_fields, 9002_rebuild_parents, 9003_rebuild_child"):
        migrate(populated, OWN)
    for name in ("serve", "migrate"):
        process = command(populated, name)
        said, errors = process.communicate(timeout=60)
        assert (process.returncode, said, errors.count("\n")) == (1, "", 1), errors
        assert "9001_add_fields" in errors
    assert (shape_of(rows), recorded(rows)) == before


def test_the_check_says_that_a_store_is_of_a_newer_version(populated: ServiceOptions) -> None:
    migrate(populated, KEPT)
    [found, *_] = asyncio.run(checkup.look(settings(populated)))
    assert not found.works
    assert "9001_add_fields" in found.words


# Models


def differences(options: ServiceOptions, steps: str, patch: pytest.MonkeyPatch) -> list[str]:
    """What would have to be done for the steps to come to what the models say."""

    async def run() -> list[str]:
        chosen = settings(options)
        apps = db.config(chosen, app.MODELS, steps)["apps"]
        async with db.connected(chosen, app.MODELS, steps):
            for model in Tortoise.apps[db.APP].values():
                # Tortoise counts a class's docstring to its table.
                patch.setattr(model._meta, "table_description", "")
            found = await MigrationAutodetector(Tortoise.apps, apps).changes()
            return [operation.describe() for writer in found for operation in writer.operations]

    return asyncio.run(run())


def test_models_and_steps_agree(options: ServiceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    assert differences(options, OWN, monkeypatch) == []


def test_a_model_that_lags_behind_its_steps_is_noticed(
    options: ServiceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(differences(options, KEPT, monkeypatch)) == 4


def test_every_column_of_the_store_is_a_field_of_its_model_and_the_other_way_round(options: ServiceOptions) -> None:
    migrate(options)
    stored = {name: dict(table.columns) for name, table in shape_of(Rows(options)).items()}

    async def modelled() -> dict[str, dict[str, bool]]:
        async with db.connected(settings(options), app.MODELS):
            metas = [model._meta for model in Tortoise.apps[db.APP].values()]
            return {
                meta.db_table: {meta.fields_db_projection[name]: field.null for name, field in meta.fields_map.items()}
                for meta in metas
            }

    assert asyncio.run(modelled()) == stored


def test_every_table_has_a_key_and_what_is_a_spaces_is_keyed_by_it(options: ServiceOptions) -> None:
    """What is an account's is keyed by the account, though it tells of a space."""
    migrate(options)
    for name, table in shape_of(Rows(options)).items():
        [key] = [words for words in table.constraints if words.startswith("PRIMARY KEY")]
        if "space_id" in table.columns:
            assert re.match(r"PRIMARY KEY \W+(space_id|account_id)\W", key), name
