"""Questions to a DuckDB schema that change no row: the keys that a stream holds, and views with JSON as typed columns.

Apart from the merge, which writes. The views that were made here are remembered in `_marketo_views`, so that one which
is no longer named is dropped, and one that somebody else made is never touched.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from syncengine.destinations import CHANGED_AT, DELETED_AT, READ_AT, View, ViewColumn
from syncengine.destinations.bookkeeping import VIEWS
from syncengine.destinations.columns import RESERVED, assign
from syncengine.destinations.duckdb_ledger import literal, quoted, table_columns
from syncengine.destinations.members import LOOKS, ZONE
from syncengine.errors import ConfigError
from syncengine.schema import FieldType

if TYPE_CHECKING:
    from typing import TypeAlias

    Keys: TypeAlias = pa.Array[Any]


def keys(
    db: duckdb.DuckDBPyConnection,
    path: tuple[str, str],
    field: str,
    changed_after: datetime | None,
    only: tuple[str, Collection[int]] | None,
) -> "Keys":
    """The distinct values of a field in the table `path` (schema, name), as the protocol says."""
    table, existing = f"{quoted(path[0])}.{quoted(path[1])}", table_columns(db, *path)
    if not existing:
        return pa.array([], pa.int64())
    value = _column(field, existing, table)
    conditions, values = [f"{value} IS NOT NULL"], list[Any]()
    if DELETED_AT in existing:  # a table of an earlier version, not written to since, lacks our later columns
        conditions.append(f"{DELETED_AT} IS NULL")
    if changed_after is not None:
        conditions.append(f"{CHANGED_AT if CHANGED_AT in existing else READ_AT} > ?")
        values.append(changed_after)
    if only is not None:
        db.register("wanted", pa.table({"value": pa.array(sorted(only[1]), pa.int64())}))
        conditions.append(f"{_column(only[0], existing, table)} IN (SELECT value FROM wanted)")
    query = f"SELECT DISTINCT {value} AS value FROM {table} WHERE {' AND '.join(conditions)} ORDER BY value"
    found = db.sql(query, params=values).to_arrow_table()
    column: Keys = found.column(0).combine_chunks()
    return column


def _column(field: str, existing: dict[str, str], table: str) -> str:
    name = assign([field], existing, RESERVED)[field]
    if name not in existing:
        raise ConfigError(f"table {table} has no field {field}")
    return quoted(name)


def create_views(db: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Make the table that remembers views where it is missing."""
    db.execute(f"CREATE TABLE IF NOT EXISTS {quoted(schema)}.{VIEWS} (instance VARCHAR, name VARCHAR)")


def show(db: duckdb.DuckDBPyConnection, schema: str, instance: str, views: Sequence[View]) -> None:
    """Make or renew the views whose stream has a table, and drop those made before that are not among them.

    A view whose name is taken, whatever the case, gets a suffix made from its exact name.
    """
    memory = f"{quoted(schema)}.{VIEWS}"
    made = {name for (name,) in db.execute(f"SELECT name FROM {memory} WHERE instance = ?", [instance]).fetchall()}
    others = {
        name
        for (name,) in db.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?"
            " UNION ALL SELECT view_name FROM duckdb_views() WHERE database_name = current_database()"
            " AND schema_name = ?",
            [schema, schema],
        ).fetchall()
    } - made
    names = assign([view.name for view in views], made, others)
    for name in made:
        db.execute(f"DROP VIEW IF EXISTS {quoted(schema)}.{quoted(name)}")
    db.execute(f"DELETE FROM {memory} WHERE instance = ?", [instance])
    for view in views:
        if existing := table_columns(db, schema, view.stream):
            select = _select(view, f"{quoted(schema)}.{quoted(view.stream)}", existing)
            db.execute(f"CREATE OR REPLACE VIEW {quoted(schema)}.{quoted(names[view.name])} AS {select}")
            db.execute(f"INSERT INTO {memory} VALUES (?, ?)", [instance, names[view.name]])


def _select(view: View, table: str, existing: dict[str, str]) -> str:
    json = assign([view.json], existing, RESERVED)[view.json]
    if json not in existing:
        raise ConfigError(f"table {table} has no field {view.json}")
    own = [name for name in existing if name != json]
    names = assign([column.name for column in view.columns], (), own)
    columns = [quoted(name) for name in own]
    columns += [f"{_value(column, quoted(json))} AS {quoted(names[column.name])}" for column in view.columns]
    where = f"{_column(view.field, existing, table)} = {view.value:d}"
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"


def _value(column: ViewColumn, json: str) -> str:
    # A JSON pointer reaches a member of any name: https://www.rfc-editor.org/rfc/rfc6901
    pointer = literal("/" + column.key.replace("~", "~0").replace("/", "~1"))
    text = f"json_extract_string({json}, {pointer})"
    match column.type:
        case FieldType.TEXT:
            return text
        case FieldType.JSON:
            return f"nullif(json_extract({json}, {pointer}), 'null'::JSON)"
        case FieldType.BOOLEAN:
            word = f"lower({text})"
            return f"CASE WHEN {word} IN ('true', '1') THEN true WHEN {word} IN ('false', '0') THEN false END"
        case FieldType.INTEGER:
            cast = f"TRY_CAST(regexp_replace({text}, '\\.0+$', '') AS BIGINT)"
        case FieldType.FLOAT:
            cast = f"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN {text}::DOUBLE END"
        case FieldType.DATE:
            cast = f"TRY_CAST({text} AS DATE)"
        case FieldType.TIMESTAMP:
            # Marketo writes Z+0000 as well: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types
            text = f"regexp_replace({text}, 'Z[-+]00:?00$', 'Z')"
            exact = f"regexp_replace({text}, '(\\.[0-9]{{6}})[0-9]+', '\\1')"
            zone = f"CASE WHEN regexp_matches({text}, '{ZONE}$') THEN '' ELSE 'Z' END"
            cast = f"TRY_CAST({exact} || {zone} AS TIMESTAMPTZ)"
    return f"CASE WHEN regexp_full_match({text}, {literal(LOOKS[column.type])}) THEN {cast} END"
