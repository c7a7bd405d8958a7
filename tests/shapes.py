"""What a store is made of, read from its catalogue, and what of it is lost between two readings."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    names = [name for name in _names(rows) if name != RECORD]
    if rows.database:
        return _postgres_tables(rows, names)
    return {name: _sqlite_table(rows, name) for name in names}


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


def _all_of(table: str, columns: Iterable[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in columns)
    return f'SELECT {quoted} FROM "{table}"'


def _named(columns: Iterable[str], found: Iterable[tuple[Any, ...]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(dict(zip(columns, row, strict=True)) for row in found)


# SQLite


def _sqlite_table(rows: Rows, table: str) -> Table:
    info = rows.sql(f"SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')")
    columns = {name: not (required or key) for name, required, key in info}
    key = [name for name, _, place in sorted(info, key=lambda column: column[2]) if place]
    indexes = frozenset(_sqlite_indexes(rows, table))
    constraints = {f"PRIMARY KEY {key}", *_sqlite_references(rows, table), *_sqlite_checks(rows, table)}
    return Table(columns, _named(columns, rows.sql(_all_of(table, columns))), indexes, frozenset(constraints))


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

CATALOGUE = (
    "SELECT attname::text, NOT attnotnull FROM pg_catalog.pg_attribute "
    "WHERE attrelid = '\"{}\"'::regclass AND attnum > 0 AND NOT attisdropped",
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '\"{}\"'::regclass",
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '\"{}\"'::regclass",
)
"""What a table is made of: its columns, indexes and constraints."""


def _postgres_tables(rows: Rows, names: Sequence[str]) -> Shape:
    # On two connections for all tables, since one costs more than all its questions.
    told = batched(rows.answers(question.format(name) for name in names for question in CATALOGUE), len(CATALOGUE))
    made = {name: (dict(columns), *rest) for name, (columns, *rest) in zip(names, told, strict=True)}
    kept = rows.answers(_all_of(name, columns) for name, (columns, *_) in made.items())
    return {
        name: Table(columns, _named(columns, found), _covered(indexes), frozenset(word for [word] in constraints))
        for (name, (columns, indexes, constraints)), found in zip(made.items(), kept, strict=True)
    }


def _covered(indexes: Iterable[tuple[Any, ...]]) -> frozenset[str]:
    """An index is what it covers, whatever it is called."""
    return frozenset(re.sub(r"INDEX \S+ ON", "INDEX ON", definition) for [definition] in indexes)


def batched(answers: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The answers in groups of `size`."""
    yield from (answers[start : start + size] for start in range(0, len(answers), size))
