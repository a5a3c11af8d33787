"""Questions to a Postgres schema that change no row: the keys that a stream holds, and views of JSON as typed columns.

Apart from the merge, which writes. The views that were made here are remembered in `_marketo_views` with their text:
one that is as it was is left alone, one that is no longer named is dropped, and another's is never touched.

Postgres has no cast that gives NULL for a misfit, so each value is looked at before it is cast, and days are held
against their month. Nor can it unfold JSON with a NUL in it: there U+FFFD stands for it, in views alone.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from syncengine.destinations import CHANGED_AT, DELETED_AT, View, ViewColumn
from syncengine.destinations.bookkeeping import VIEWS
from syncengine.destinations.columns import RESERVED, assign
from syncengine.destinations.members import LOOKS, ZONE
from syncengine.destinations.postgres_sql import literal, quoted, run, short, table_columns
from syncengine.destinations.postgres_table import type_of
from syncengine.errors import ConfigError
from syncengine.schema import FieldType, arrow_type

if TYPE_CHECKING:
    from typing import TypeAlias

    from syncengine.destinations.postgres_sql import Connection

    Keys: TypeAlias = pa.Array[Any]

_ROWS_AT_ONCE = 50_000


def keys(
    db: "Connection",
    path: tuple[str, str],
    field: str,
    changed_after: datetime | None,
    only: tuple[str, Collection[int]] | None,
) -> "Keys":
    """The distinct values of a field in the table `path` (schema, name), as the protocol says."""
    table, existing = f"{quoted(path[0])}.{quoted(path[1])}", table_columns(db, *path)
    if not existing:
        return pa.array([], pa.int64())
    name = _column(field, existing, table)
    kind = type_of(existing[name], table, name)
    conditions, values = [f"{quoted(name)} IS NOT NULL", f"{DELETED_AT} IS NULL"], list[Any]()
    if changed_after is not None:
        conditions.append(f"{CHANGED_AT} > %s")
        values.append(changed_after)
    if only is not None:
        conditions.append(f"{quoted(_column(only[0], existing, table))} = ANY(%s::bigint[])")
        values.append(list(only[1]))
    value = f'{quoted(name)} COLLATE "C"' if kind is FieldType.TEXT else quoted(name)
    cursor = run(db, f"SELECT DISTINCT {value} AS v FROM {table} WHERE {' AND '.join(conditions)} ORDER BY v", values)
    parts: list[Keys] = []
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        parts.append(pa.array([row[0] for row in rows], arrow_type(kind)))
    return pa.concat_arrays(parts) if parts else pa.array([], arrow_type(kind))


def _column(field: str, existing: dict[str, str], table: str) -> str:
    name = assign([field], existing, RESERVED, short)[field]
    if name not in existing:
        raise ConfigError(f"table {table} has no field {field}")
    return name


def show(db: "Connection", schema: str, instance: str, views: Sequence[View]) -> None:
    """Make or renew the views whose stream has a table, and drop those made before that are not among them.

    A view whose name is taken, whatever the case, gets a suffix made from its exact name.
    """
    memory = f"{quoted(schema)}.{VIEWS}"
    made = dict(run(db, f"SELECT name, definition FROM {memory} WHERE instance = %s", [instance]).fetchall())
    relations = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace"
    present = {name for (name,) in run(db, relations, [quoted(schema).replace("%%", "%")]).fetchall()}
    names = assign([view.name for view in views], made, present - made.keys(), short)
    wanted = {}
    for view in views:
        if existing := table_columns(db, schema, short(view.stream)):
            table = f"{quoted(schema)}.{quoted(short(view.stream))}"
            wanted[names[view.name]] = _select(view, table, existing)
    for name, select in made.items():
        if wanted.get(name) != select or name not in present:
            run(db, f"DROP VIEW IF EXISTS {quoted(schema)}.{quoted(name)}")
            run(db, f"DELETE FROM {memory} WHERE instance = %s AND name = %s", [instance, name])
    for name, select in wanted.items():
        if select != made.get(name) or name not in present:
            run(db, f"CREATE VIEW {quoted(schema)}.{quoted(name)} AS {select}")
            run(db, f"INSERT INTO {memory} VALUES (%s, %s, %s)", [instance, name, select])


def _select(view: View, table: str, existing: dict[str, str]) -> str:
    json = _column(view.json, existing, table)
    own = [name for name in existing if name != json]
    names = assign([column.name for column in view.columns], (), own, short)
    columns = [f"t.{quoted(name)}" for name in own]
    columns += [
        f"{_value(column.type, f'v.v{place}')} AS {quoted(names[column.name])}"
        for place, column in enumerate(view.columns)
    ]
    members = [f"{_member(column)} AS v{place}" for place, column in enumerate(view.columns)]
    # OFFSET 0 keeps Postgres from reading the JSON once for every place where a member of it is mentioned.
    return (
        f"SELECT {', '.join(columns)} FROM {table} AS t"
        f" CROSS JOIN LATERAL (SELECT {_without_nul(f't.{quoted(json)}')} AS members OFFSET 0) AS j"
        f" CROSS JOIN LATERAL (SELECT {', '.join(members)} OFFSET 0) AS v"
        f" WHERE t.{quoted(_column(view.field, existing, table))} = {view.value:d}"
    )


def _without_nul(json: str) -> str:
    # After an even number of backslashes \\u0000 is a NUL; after an odd number it is text.
    text = f"regexp_replace({json}::text, '(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', '\\1\\\\ufffd', 'g')"
    return f"CASE WHEN position('\\u0000' IN {json}::text) = 0 THEN {json} ELSE {text}::json END"


def _member(column: ViewColumn) -> str:
    arrow = "->" if column.type is FieldType.JSON else "->>"
    return "j.members " + arrow + " " + literal(column.key.replace("\x00", "\ufffd"))


def _value(kind: FieldType, text: str) -> str:
    looks = f"{text} ~ {literal(f'^(?:{LOOKS[kind]})$')}" if kind in LOOKS else ""
    match kind:
        case FieldType.TEXT:
            return text
        case FieldType.JSON:
            return f"CASE WHEN json_typeof({text}) <> 'null' THEN {text} END"
        case FieldType.BOOLEAN:
            cases = f"WHEN lower({text}) IN ('true', '1') THEN true WHEN lower({text}) IN ('false', '0') THEN false"
        case FieldType.INTEGER:
            whole = f"regexp_replace({text}, '\\.0+$', '')::numeric"
            fits = f"{whole} BETWEEN -9223372036854775808 AND 9223372036854775807"
            cases = f"WHEN {looks} THEN CASE WHEN {fits} THEN {whole}::bigint END"
        case FieldType.FLOAT:
            # What is too large for a float is an error: three digits of exponent may be, and are more than anyone has.
            small = f"{text} !~ '[eE][-+]?0*[0-9]{{3,}}$' AND length({text}) < 200"
            cases = f"WHEN {looks} AND {small} THEN {text}::double precision"
        case FieldType.DATE:
            cases = f"WHEN {looks} THEN CASE WHEN {_is_day(text)} THEN {text}::date END"
        case FieldType.TIMESTAMP:
            # Marketo writes Z+0000 as well:
            # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types
            plain = f"regexp_replace({text}, 'Z[-+]00:?00$', 'Z')"
            exact = f"regexp_replace({plain}, '(\\.[0-9]{{6}})[0-9]+', '\\1')"
            zone = f"CASE WHEN {plain} ~ '{ZONE}$' THEN '' ELSE 'Z' END"
            looks = f"{plain} ~ {literal(f'^(?:{LOOKS[kind]})$')}"
            cases = f"WHEN {looks} THEN CASE WHEN {_is_day(text)} THEN ({exact} || {zone})::timestamptz END"
    return f"CASE {cases} END"


def _is_day(text: str) -> str:
    month = f"to_date(substr({text}, 1, 7), 'YYYY-MM')"
    last = f"extract(day FROM {month} + interval '1 month' - interval '1 day')"
    return f"substr({text}, 9, 2)::int <= {last}"
