"""A window's batches into temporary tables of a connection, each batch once, by COPY, before any lock is held.

Apart from the merge, because batches cannot be read twice, and because others may write while they are read. Rows with
a NUL, which no text of Postgres can have, and rows that are too wide for a page are told here: they are staged without
what cannot be, and put aside whole.
"""

# ruff: noqa: S608  # statements are put together from our own text

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.destinations import MARKS, Window
from syncengine.destinations.bookkeeping import as_json
from syncengine.destinations.postgres_sql import number, run
from syncengine.destinations.postgres_table import SQL_TYPES
from syncengine.schema import FieldType

if TYPE_CHECKING:
    from syncengine.destinations.postgres_sql import Connection

    Cells: TypeAlias = pa.Array[Any]
else:
    Cells = pa.Array  # generic for the type checker alone

NO_NUL = "text in Postgres cannot hold a NUL character"
TOO_BIG = "more columns have values than fit on a page of Postgres"
_INSTEAD_OF_NUL = "\ufffd"
# COPY's own escapes: https://www.postgresql.org/docs/current/sql-copy.html
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def stage(db: "Connection", window: Window) -> int:
    """Make `staged` with the newest row of each key, `refused` and `staged_marks`; give how many repeats were left out.

    What the batches raise comes out as it was raised. Raises ValueError for a row without a key: nothing could ever
    find it again.
    """
    fields = window.schema.fields
    types = ["text" if field.type is FieldType.JSON else SQL_TYPES[field.type] for field in fields]
    definitions = [f"c{place} {sql_type}" for place, sql_type in enumerate(types)]
    run(db, f"CREATE TEMP TABLE staged ({', '.join(definitions)}, seq bigint)")
    run(db, "CREATE TEMP TABLE refused (seq bigint, reason text, key json, row json)")
    rows = 0
    for batch in window.batches:
        checked = _checked(batch, window.schema.key, window).select(list(window.schema.names))
        _copy_rows(db, window, checked.append_column("", pa.array(range(rows, rows + batch.num_rows), pa.int64())))
        rows += batch.num_rows
    if window.marks is not None:
        run(db, "CREATE TEMP TABLE staged_marks (id bigint, deleted_at timestamptz, merged_into bigint)")
        for batch in window.marks.batches:
            _copy(db, "staged_marks", [_checked(batch, ("id",), window).column(name) for name in MARKS.names])
        run(db, "ANALYZE staged_marks")
    repeated = _drop_repeats(db, window)
    run(db, "ANALYZE staged")
    return repeated


def _checked(batch: pa.RecordBatch, keys: Iterable[str], window: Window) -> pa.RecordBatch:
    for key in keys:
        if batch.column(key).null_count:
            raise ValueError(f"a row of window {window.id} of {window.stream} has no {key}")
    return batch


def _copy_rows(db: "Connection", window: Window, rows: pa.RecordBatch) -> None:
    import psycopg

    texts = [column for column in rows.columns if pa.types.is_string(column.type)]
    marks: list[Any] = [pc.match_substring(column, "\x00") for column in texts]
    places = sorted({place for mark in marks if pc.any(mark).as_py() for place in pc.indices_nonzero(mark).to_pylist()})
    if places:
        _put_aside(db, window, rows.take(pa.array(places)), NO_NUL)
    waiting = [rows]
    while waiting:
        part = waiting.pop()
        try:
            _copy(db, "staged", part.columns)
        except psycopg.errors.ProgramLimitExceeded:
            half = part.num_rows // 2
            if half:
                waiting += [part.slice(half), part.slice(0, half)]
                continue
            # Its key is staged all the same: what is there is not gone.
            _put_aside(db, window, part, TOO_BIG)
            keys = [part.schema.get_field_index(key) for key in window.schema.key] + [part.num_columns - 1]
            empty = [pa.nulls(1, column.type) for column in part.columns]
            _copy(db, "staged", [part.column(n) if n in keys else nothing for n, nothing in enumerate(empty)])


def _put_aside(db: "Connection", window: Window, rows: pa.RecordBatch, reason: str) -> None:
    found = rows.select(list(window.schema.names)).to_pylist()
    keys = pa.array([as_json({key: row[key] for key in window.schema.key}) for row in found])
    contents = pa.array([as_json(row) for row in found])
    _copy(db, "refused", [rows.column(rows.num_columns - 1), pa.array([reason] * len(found)), keys, contents])


def _copy(db: "Connection", table: str, columns: list[Cells]) -> None:
    if not len(columns[0]):
        return
    cells = [_escaped(column) for column in columns]
    join: Any = pc.binary_join_element_wise
    tab, nothing, newline = (pa.scalar(sign, pa.large_string()) for sign in ("\t", "", "\n"))
    rows = join(*cells, tab, null_handling="replace", null_replacement="\\N")
    lines = join(rows, nothing, newline)
    with db.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
        copy.write(_content(lines))


def _escaped(column: Cells) -> Cells:
    text = column.cast(pa.large_string())
    if not pa.types.is_string(column.type):
        return text
    content = _content(text)
    for sign, escape in _ESCAPES:
        if sign.encode() in content:
            text = pc.replace_substring(text, sign, escape)
    return pc.replace_substring(text, "\x00", _INSTEAD_OF_NUL) if b"\x00" in content else text


def _content(text: Cells) -> bytes:
    # The characters of all cells lie one after the other: a single look, or write, is for all of them.
    _, offsets, characters = text.buffers()
    if characters is None or offsets is None:
        return b""
    ends = memoryview(offsets).cast("q")
    first, last = ends[text.offset], ends[text.offset + len(text)]
    return bytes(memoryview(characters)[first:last])


def _drop_repeats(db: "Connection", window: Window) -> int:
    places = {field.name: f"c{place}" for place, field in enumerate(window.schema.fields)}
    keys = ", ".join(places[key] for key in window.schema.key)
    if not number(db, f"SELECT count(*) FROM (SELECT FROM staged GROUP BY {keys} HAVING count(*) > 1) AS repeated"):
        return 0  # the usual case costs a count, and no sorting
    newest = f"{places[window.newer_by]} DESC NULLS LAST, " if window.newer_by else ""  # an instant
    return run(
        db,
        "DELETE FROM staged WHERE seq IN (SELECT seq FROM"
        f" (SELECT seq, row_number() OVER (PARTITION BY {keys} ORDER BY {newest}seq DESC) AS place FROM staged)"
        " AS placed WHERE place > 1)",
    ).rowcount
