"""What a stream's table in Postgres is like, and what makes it fit for a window's rows.

Apart from the merge, which goes by the columns that are decided here.
"""

# statements are put together from our own text: identifiers are quoted

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncengine.destinations import CHANGED_AT, DELETED_AT, MERGED_INTO, READ_AT, WINDOW, Window
from syncengine.destinations.bookkeeping import VIEWS
from syncengine.destinations.columns import RESERVED, assign, widened
from syncengine.destinations.postgres_sql import quoted, run, short, table_columns
from syncengine.errors import ConfigError
from syncengine.schema import FieldType

if TYPE_CHECKING:
    from syncengine.destinations.postgres_sql import Connection

COLUMNS_AT_MOST = 1_600

SQL_TYPES = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "bigint",
    FieldType.FLOAT: "double precision",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.TIMESTAMP: "timestamp with time zone",
    FieldType.JSON: "json",  # keeps the text as it came, which jsonb does not
}
OURS = {
    READ_AT: FieldType.TIMESTAMP,
    WINDOW: FieldType.TEXT,
    CHANGED_AT: FieldType.TIMESTAMP,
    DELETED_AT: FieldType.TIMESTAMP,
    MERGED_INTO: FieldType.INTEGER,
}


@dataclass(frozen=True, slots=True)
class Column:
    """Where one field of a window goes: the table's column, the column's type, and the type the field comes in."""

    field: str
    name: str
    type: FieldType
    comes_as: FieldType

    def value(self, place: str) -> str:
        """The staged value as the column has it; JSON is text until it is written."""
        if self.comes_as is self.type:
            return place
        if self.type is FieldType.TEXT:
            return as_text(place, self.comes_as)
        return f"{place}::{SQL_TYPES[self.type]}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is ready for a window: `columns` in the order of the window's fields.

    `marked` says that it has a column for merges.
    """

    path: str
    columns: tuple[Column, ...]
    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    marked: bool = False

    def name(self, field: str) -> str:
        """The quoted column of a field; raises ConfigError when the window has no such field."""
        return quoted(self._column(field)[1].name)

    def value(self, field: str) -> str:
        """The staged value of a field, as its column has it, in a query where the staged rows are `s`."""
        place, column = self._column(field)
        return column.value(f"s.c{place}")

    def type(self, field: str) -> FieldType:
        """The type of a field's column."""
        return self._column(field)[1].type

    def _column(self, field: str) -> tuple[int, Column]:
        for place, column in enumerate(self.columns):
            if column.field == field:
                return place, column
        raise ConfigError(f"the rows for table {self.path} have no field {field}")


def as_text(value: str, kind: FieldType) -> str:
    """A value of a kind as text; a whole float keeps its `.0`, as everywhere else."""
    if kind is FieldType.FLOAT:
        return f"regexp_replace({value}::text, '^(-?[0-9]+)$', '\\1.0')"
    return f"{value}::text"


def prepared(db: "Connection", schema: str, window: Window) -> Table:
    """Create the stream's table, or add and widen columns of it; no column is ever dropped or narrowed.

    Raises ConfigError for a column whose type is not one of ours, and for more columns than a table may have.
    """
    name = short(window.stream)
    path = f"{quoted(schema)}.{quoted(name)}"
    existing = table_columns(db, schema, name)
    names = assign(window.schema.names, existing, RESERVED, short)
    marked = window.can_be_marked or MERGED_INTO in existing
    if not existing:
        return _create(db, path, window, names)
    changes = missing(existing, marked=marked)
    columns, added, grown = list[Column](), list[str](), list[str]()
    for field in window.schema.fields:
        column = names[field.name]
        have = type_of(existing[column], path, column) if column in existing else field.type
        kind = widened(have, field.type)
        if column not in existing:
            changes.append(f"ADD COLUMN {quoted(column)} {SQL_TYPES[kind]}")
            added.append(column)
        elif kind is not have:
            old = quoted(column)
            using = as_text(old, have) if kind is FieldType.TEXT else f"{old}::{SQL_TYPES[kind]}"
            changes.append(f"ALTER COLUMN {old} TYPE {SQL_TYPES[kind]} USING {using}")
            grown.append(column)
        columns.append(Column(field.name, column, kind, field.type))
    _check_count(path, len(existing) + len(added))
    with _without_views(db, schema, path) if grown else nullcontext():
        if changes:
            run(db, f"ALTER TABLE {path} {', '.join(changes)}")
    return Table(path, tuple(columns), tuple(added), tuple(grown), marked)


def _create(db: "Connection", path: str, window: Window, names: dict[str, str]) -> Table:
    columns = tuple(Column(field.name, names[field.name], field.type, field.type) for field in window.schema.fields)
    definitions = [f"{quoted(column.name)} {SQL_TYPES[column.type]}" for column in columns]
    definitions += [f"{name} {SQL_TYPES[OURS[name]]}" for name in OURS if window.can_be_marked or name != MERGED_INTO]
    _check_count(path, len(definitions))
    key = ", ".join(quoted(names[field]) for field in window.schema.key)
    # Room on each page for rows that are only read again: they need not leave it, nor touch an index.
    run(db, f"CREATE TABLE {path} ({', '.join(definitions)}, PRIMARY KEY ({key})) WITH (fillfactor = 85)")
    return Table(path, columns, marked=window.can_be_marked)


def missing(existing: dict[str, str], *, marked: bool) -> list[str]:
    """Changes that give a table the columns of ours that it lacks."""
    lacking = [name for name in OURS if name not in existing and (marked or name != MERGED_INTO)]
    return [f"ADD COLUMN {name} {SQL_TYPES[OURS[name]]}" for name in lacking]


def type_of(sql_type: str, path: str, name: str) -> FieldType:
    """The field type that has this spelling; raises ConfigError when none has."""
    for kind, spelling in SQL_TYPES.items():
        if spelling == sql_type:
            return kind
    raise ConfigError(
        f"column {quoted(name)} of table {path} has the type {sql_type}, which no field has",
        advice="give it back its type, or drop the column so that it is made anew",
    )


@contextmanager
def _without_views(db: "Connection", schema: str, path: str) -> Iterator[None]:
    """Take the views that were made here off a stream's table for the length of the block, and put them back.

    Postgres widens no column that a view shows. https://www.postgresql.org/docs/current/sql-altertable.html
    """
    memory = f"{quoted(schema)}.{VIEWS}"
    table = f" FROM {path} AS t "
    found = run(db, f"SELECT name, definition FROM {memory} WHERE position(%s IN definition) > 0", [table]).fetchall()
    for name, _ in found:
        run(db, f"DROP VIEW IF EXISTS {quoted(schema)}.{quoted(name)}")
    yield
    for name, definition in found:
        run(db, f"CREATE VIEW {quoted(schema)}.{quoted(name)} AS {definition}")


def _check_count(path: str, columns: int) -> None:
    if columns > COLUMNS_AT_MOST:
        raise ConfigError(
            f"table {path} would have {columns:,} columns, and Postgres allows {COLUMNS_AT_MOST:,}",
            advice="ask for fewer fields of this stream, or write to another kind of destination",
        )
