"""How the store's shape changes: Tortoise migrations, run so that a step and its record commit together."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.operations import CreateModel, Operation
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State

from aggregator import db

# Tortoise's record of the steps.
RECORD = "tortoise_migrations"


class StoreIsNewer(Exception):
    """The store was shaped by a later version of Karman than this one."""


class MigrationLosesRows(Exception):
    """A step broke a reference between tables; nothing of it was kept."""


class CreateTable(CreateModel):
    """A table with what Tortoise models cannot say: a primary key of several columns, and references from plain
    columns.

    A space's rows are keyed by the space first, so that a store that shards can distribute by it.
    `references` maps a column to the table it points to; rows go with the row they point to.
    """

    def __init__(
        self,
        name: str,
        fields: list[Any],
        options: dict[str, Any],
        key: Sequence[str] = (),
        references: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name=name, fields=fields, options=options, bases=["Model"])
        self.key = key
        self.references = references or {}

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        if state_editor is None:
            return
        model = new_state.apps.get_model(f"{app_label}.{self.name}")
        await state_editor._run_sql(self._completed(state_editor._get_model_sql_data(model).table_sql))

    def _completed(self, sql: str) -> str:
        if self.key:
            sql = _replaced_once(sql, " PRIMARY KEY", "")
        clauses = "".join(f",\n    {clause}" for clause in self._clauses())
        return _replaced_once(sql, "\n)", f"{clauses}\n)")

    def _clauses(self) -> Iterator[str]:
        if self.key:
            columns = ", ".join(f'"{column}"' for column in self.key)
            yield f"PRIMARY KEY ({columns})"
        for column, table in self.references.items():
            yield f'FOREIGN KEY ("{column}") REFERENCES "{table}" ("id") ON DELETE CASCADE'


def _replaced_once(sql: str, old: str, new: str) -> str:
    if old not in sql:
        raise ValueError(f"Expected {old!r} in: {sql}")
    return sql.replace(old, new, 1)


class Statements(Operation):
    """Plain SQL for what Tortoise would do with a loss on SQLite: rebuilding a table that has children."""

    def __init__(self, *, sqlite: Sequence[str], postgres: Sequence[str], state: Sequence[Operation] = ()) -> None:
        self.sqlite = sqlite
        self.postgres = postgres
        self.state = state

    def describe(self) -> str:
        return f"Run {len(self.sqlite)} statements"

    def state_forward(self, app_label: str, state: State) -> None:
        for operation in self.state:
            operation.state_forward(app_label, state)

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        if state_editor is None:
            return
        for statement in self.sqlite if state_editor.DIALECT == "sqlite" else self.postgres:
            await state_editor._run_sql(statement)


async def migrate(apps: dict[str, Any], target: str | None = None) -> list[str]:
    """Bring the store up to `target` (default: the newest step) and say which steps ran. All of it is one
    transaction.
    """
    async with _reshaping():
        return await _run(MigrationExecutor(db.client(), apps), target)


@asynccontextmanager
async def rebuilt(apps: dict[str, Any], tables: Sequence[str], target: str) -> AsyncIterator[None]:
    """Inside the block these tables are gone and the store has the shape of the step `target`, without a row; all of it
    and what the block does is one transaction.
    """
    async with _reshaping():
        for table in [*tables, RECORD]:
            await db.fetch(f'DROP TABLE IF EXISTS "{table}"{"" if db.is_sqlite() else " CASCADE"}')
        await _run(MigrationExecutor(db.client(), apps), target)
        yield


@asynccontextmanager
async def _reshaping() -> AsyncIterator[None]:
    async with _without_cascades(), db.transaction():
        await db.lock_alone(db.MIGRATION_LOCK)
        yield


async def _run(executor: MigrationExecutor, target: str | None) -> list[str]:
    await executor.recorder.ensure_schema(executor._schema_editor(atomic=True))
    await executor.loader.build_graph()
    applied = await _applied(executor)
    targets = [MigrationTarget(db.APP, target or "__latest__")]
    plan = executor._migration_plan(targets, applied, executor.loader.graph)
    if not plan:
        # What the models were at every step is dear to work out, and most starts have no step to run.
        return []
    state = await executor._project_state(applied)
    names = []
    for step in plan:
        await _apply(step.migration, state, executor._schema_editor(atomic=True))
        await MigrationRecorder(db.client()).record_applied(db.APP, step.migration.name)
        await _check_references(step.migration.name)
        names.append(step.migration.name)
    return names


async def _apply(step: Migration, state: State, editor: BaseSchemaEditor) -> None:
    """What `step.apply` does, which copies every model for every operation; ours need no look back."""
    for operation in step.operations:
        before = state if isinstance(operation, CreateTable | Statements) else state.clone()
        operation.state_forward(step.app_label, state)
        await step._run_database_forward(operation, before, state, editor, True)
    state.validate_relations_initialized()


async def _applied(executor: MigrationExecutor) -> set[MigrationKey]:
    """The steps that the store has; raises StoreIsNewer."""
    applied = set(await executor.recorder.applied_migrations())
    if ahead := sorted(key.name for key in applied - set(executor.loader.graph.nodes)):
        raise StoreIsNewer(f"The store knows the steps {', '.join(ahead)}, which this version of Karman does not have.")
    return applied


async def steps(apps: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The steps that the store has and those that this version knows, oldest first."""
    executor = MigrationExecutor(db.client(), apps)
    await executor.loader.build_graph()
    has = {key.name for key in await executor.recorder.applied_migrations()}
    return sorted(has), sorted(key.name for key in executor.loader.graph.nodes)


async def pending(apps: dict[str, Any]) -> list[str]:
    """The steps that `migrate` would run; raises StoreIsNewer."""
    executor = MigrationExecutor(db.client(), apps)
    plan = await executor.plan()
    await _applied(executor)
    return [step.migration.name for step in plan]


@asynccontextmanager
async def _without_cascades() -> AsyncIterator[None]:
    """SQLite rebuilds a table by dropping it; with foreign keys on, the drop would delete the children's rows.
    The switch works outside a transaction only."""
    if not db.is_sqlite():
        yield
        return
    await db.fetch("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await db.fetch("PRAGMA foreign_keys=ON")


async def _check_references(step: str) -> None:
    if db.is_sqlite() and (broken := await db.fetch("PRAGMA foreign_key_check")):
        raise MigrationLosesRows(f"{step} leaves {len(broken)} rows that point to nothing.")
