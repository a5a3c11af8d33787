"""What a stream's table in DuckDB is like, and what it lacks for a window's rows.

Apart from the merge, because it is decided before the first row is read, and done only once all of them are.
"""

from dataclasses import dataclass

import duckdb

from syncengine.destinations import CHANGED_AT, DELETED_AT, MERGED_INTO, READ_AT, WINDOW, Window
from syncengine.destinations.columns import RESERVED, assign, widened
from syncengine.destinations.duckdb_ledger import quoted, table_columns
from syncengine.errors import ConfigError
from syncengine.schema import FieldType

SQL_TYPES = {
    FieldType.TEXT: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.FLOAT: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    FieldType.JSON: "JSON",
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
    """Where one field of a window goes: the table's column, and the column's type."""

    field: str
    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it will be for a window: `columns` in the order of its fields, `others` are those it leaves alone.

    `statements` make it so. `marked` says that it has a column for merges.
    """

    path: str
    columns: tuple[Column, ...]
    others: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    marked: bool = False
    statements: tuple[str, ...] = ()

    def name(self, field: str) -> str:
        """The quoted column of a field; raises ConfigError when the window has no such field."""
        return quoted(self._column(field)[1].name)

    def place(self, field: str) -> str:
        """Where the staged rows have a field: columns go by position there."""
        return f"c{self._column(field)[0]}"

    def _column(self, field: str) -> tuple[int, Column]:
        for place, column in enumerate(self.columns):
            if column.field == field:
                return place, column
        raise ConfigError(f"the rows for table {self.path} have no field {field}")


def planned(db: duckdb.DuckDBPyConnection, schema: str, window: Window) -> Table:
    """The table that holds what it has and the window's rows; no column is ever dropped or narrowed.

    Raises ConfigError for a column whose type is not one of ours.
    """
    path = f"{quoted(schema)}.{quoted(window.stream)}"
    existing = table_columns(db, schema, window.stream)
    names = assign(window.schema.names, existing, RESERVED)
    marked = window.can_be_marked or MERGED_INTO in existing
    if not existing:
        new = tuple(Column(field.name, names[field.name], field.type) for field in window.schema.fields)
        definitions = [f"{quoted(column.name)} {SQL_TYPES[column.type]}" for column in new]
        definitions += [f"{name} {SQL_TYPES[kind]}" for name, kind in OURS.items() if marked or name != MERGED_INTO]
        return Table(path, new, marked=marked, statements=(f"CREATE TABLE {path} ({', '.join(definitions)})",))
    statements = missing(path, existing, marked=marked)
    columns, added, grown = list[Column](), list[str](), list[str]()
    for field in window.schema.fields:
        name = names[field.name]
        kind = widened(type_of(existing[name], path, name), field.type) if name in existing else field.type
        if name not in existing:
            statements.append(f"ALTER TABLE {path} ADD COLUMN {quoted(name)} {SQL_TYPES[kind]}")
            added.append(name)
        elif SQL_TYPES[kind] != existing[name]:
            statements.append(f"ALTER TABLE {path} ALTER COLUMN {quoted(name)} TYPE {SQL_TYPES[kind]}")
            grown.append(name)
        columns.append(Column(field.name, name, kind))
    others = tuple(name for name in existing if name not in {*names.values(), *OURS})
    return Table(path, tuple(columns), others, tuple(added), tuple(grown), marked, tuple(statements))


def missing(path: str, existing: dict[str, str], *, marked: bool) -> list[str]:
    """Statements that give a table of an earlier version the columns of ours that it lacks."""
    lacking = [name for name in OURS if name not in existing and (marked or name != MERGED_INTO)]
    statements = [f"ALTER TABLE {path} ADD COLUMN {name} {SQL_TYPES[OURS[name]]}" for name in lacking]
    if CHANGED_AT in lacking:
        statements.append(f"UPDATE {path} SET {CHANGED_AT} = {READ_AT}")  # noqa: S608  # names of ours
    return statements


def type_of(sql_type: str, path: str, name: str) -> FieldType:
    """The field type that has this spelling; raises ConfigError when none has."""
    for kind, spelling in SQL_TYPES.items():
        if spelling == sql_type:
            return kind
    raise ConfigError(
        f"column {quoted(name)} of table {path} has the type {sql_type}, which no field has",
        advice="give it back its type, or drop the column so that it is made anew",
    )
