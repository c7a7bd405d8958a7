"""What a store is made of, read from its catalogue, and what of it is lost between two readings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.stores import Rows

RECORD = "tortoise_migrations"


@dataclass(frozen=True)
class Table:
    """One table: whether each column may be empty, its rows, its indexes and its constraints in words."""

    columns: Mapping[str, bool]
    rows: tuple[Mapping[str, Any], ...]
    indexes: frozenset[str]
    constraints: frozenset[str]


Shape = Mapping[str, Table]


def shape_of(rows: Rows) -> Shape:
    """All tables but the record of steps."""
    read = _postgres_table if rows.database else _sqlite_table
    return {name: read(rows, name) for name in _names(rows) if name != RECORD}


def recorded(rows: Rows) -> list[str]:
    """The steps that the store says it has."""
    return [name for [name] in rows.sql(f"SELECT name FROM {RECORD} ORDER BY id")] if RECORD in _names(rows) else []


def losses(before: Shape, after: Shape) -> list[str]:
    """What the first has and the second lacks, in words. More columns, indexes and tables are no loss."""
    return [*_missing("table", before, after), *(word for name in before for word in _lost_of(name, before, after))]


def _lost_of(name: str, before: Shape, after: Shape) -> Iterator[str]:
    if name not in after:
        return
    old, new = before[name], after[name]
    yield from _missing(f"{name}: column", old.columns, new.columns)
    yield from _missing(f"{name}: index", old.indexes, new.indexes)
    yield from _missing(f"{name}: constraint", old.constraints, new.constraints)
    for column in old.columns.keys() & new.columns.keys():
        if not old.columns[column] and new.columns[column]:
            yield f"{name}: {column} may now be empty"
    if len(old.rows) != len(new.rows):
        yield f"{name}: {len(old.rows)} rows became {len(new.rows)}"
    elif _seen(old.rows, old.columns.keys() & new.columns.keys()) != _seen(
        new.rows, old.columns.keys() & new.columns.keys()
    ):
        yield f"{name}: rows changed"


def _missing(what: str, old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    yield from (f"{what} {name} is gone" for name in sorted(set(old) - set(new)))


def _seen(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> list[str]:
    return sorted(repr([(column, row[column]) for column in sorted(columns)]) for row in rows)


def _names(rows: Rows) -> list[str]:
    catalogue = (
        "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public' ORDER BY 1"
        if rows.database
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
    )
    return [name for [name] in rows.sql(catalogue)]


def _rows(rows: Rows, table: str, columns: Iterable[str]) -> tuple[Mapping[str, Any], ...]:
    names = list(columns)
    quoted = ", ".join(f'"{name}"' for name in names)
    found = rows.sql(f'SELECT {quoted} FROM "{table}"')
    return tuple(dict(zip(names, row, strict=True)) for row in found)


# SQLite


def _sqlite_table(rows: Rows, table: str) -> Table:
    info = rows.sql(f"SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')")
    columns = {name: not (required or key) for name, required, key in info}
    key = [name for name, _, place in sorted(info, key=lambda column: column[2]) if place]
    indexes = frozenset(_sqlite_indexes(rows, table))
    constraints = {f"PRIMARY KEY {key}", *_sqlite_references(rows, table), *_sqlite_checks(rows, table)}
    return Table(columns, _rows(rows, table, columns), indexes, frozenset(constraints))


def _sqlite_indexes(rows: Rows, table: str) -> Iterator[str]:
    for name, unique in rows.sql(f"SELECT name, \"unique\" FROM pragma_index_list('{table}')"):
        columns = [column for [column] in rows.sql(f"SELECT name FROM pragma_index_info('{name}') ORDER BY seqno")]
        yield f"{'UNIQUE' if unique else 'INDEX'} {columns}"


def _sqlite_references(rows: Rows, table: str) -> Iterator[str]:
    columns = '"from", "table", "to", on_delete'
    for own, other, key, on_delete in rows.sql(f"SELECT {columns} FROM pragma_foreign_key_list('{table}')"):
        yield f"FOREIGN KEY {own} REFERENCES {other} {key} ON DELETE {on_delete}"


def _sqlite_checks(rows: Rows, table: str) -> Iterator[str]:
    [[sql]] = rows.sql(f"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'")
    yield from re.findall(r"CHECK\s*\([^)]*\)", sql, re.IGNORECASE)


# PostgreSQL


def _postgres_table(rows: Rows, table: str) -> Table:
    info = rows.sql(
        "SELECT attname::text, NOT attnotnull FROM pg_catalog.pg_attribute "
        f"WHERE attrelid = '\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    columns = dict(info)
    indexes = rows.sql(f"SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '\"{table}\"'::regclass")
    constraints = rows.sql(
        f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '\"{table}\"'::regclass"
    )
    return Table(
        columns,
        _rows(rows, table, columns),
        # An index is what it covers, whatever it is called.
        frozenset(re.sub(r"INDEX \S+ ON", "INDEX ON", definition) for [definition] in indexes),
        frozenset(definition for [definition] in constraints),
    )
