"""One window into tables that are kept as parts: only the parts that hold a row which it concerns are written anew.

Apart from the bench, which knows files, and from the destinations, which commit: this decides what goes on the bench.

Theory of operation. The window's rows are staged in the scratch database as for a DuckDB file. A part is touched when
it has a key of a staged row or mark, a row that a snapshot could find missing, or one that `hard_delete` removes; that
takes its key columns and ours, no others. Touched parts are laid out as the stream's table, the merge of the DuckDB
destination runs on them, and what the table then holds takes their place. A row in a part that is not touched cannot
be changed by the window, so tables end equal to those of a database, cell for cell. Of parts that are small, all are
touched once there are many: a table has few files whatever its windows bring.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import duckdb

from syncengine.destinations import DELETED_AT, MERGED_INTO, READ_AT, Applied, Window
from syncengine.destinations.bookkeeping import LEDGER, MARKS, REJECTED
from syncengine.destinations.columns import RESERVED, assign
from syncengine.destinations.duckdb_ledger import Ledger, number, quoted
from syncengine.destinations.duckdb_marks import create_marks
from syncengine.destinations.duckdb_merge import merge
from syncengine.destinations.duckdb_refused import create_rejected
from syncengine.destinations.duckdb_stage import stage
from syncengine.destinations.duckdb_table import Table, planned
from syncengine.destinations.lake_bench import SCHEMA, Bench, files_of, path_of
from syncengine.destinations.lake_parts import Change, Part, Parts, Sheet, SheetColumn
from syncengine.errors import DestinationFenced
from syncengine.schema import FieldType

SMALL_BYTES = 16_000_000
SMALL_PARTS = 16  # this many small parts become one

# The keys of our own tables; the order of their rows in the parts.
KEYS = {LEDGER: ("instance", "stream", "window_id"), MARKS: ("stream", "id"), REJECTED: ("stream", "window")}


@dataclass(frozen=True, slots=True)
class Staged:
    """A window whose rows were read: the table as it will be, and how many repeats were left out."""

    window: Window
    table: Table
    repeated: int


@dataclass(frozen=True, slots=True)
class Lake:
    """What was last committed: each table's sheet, and how to get at its parts."""

    sheets: Mapping[str, Sheet]
    parts: Parts

    def sheet(self, table: str) -> Sheet:
        """A table's sheet; an empty one when there is no such table."""
        return self.sheets.get(table, Sheet())


def lay_out_books(bench: Bench, lake: Lake, ledger: Ledger) -> None:
    """Put the whole ledger on an empty bench, and our other tables without their rows."""
    with bench.at_once():
        ledger.create(bench.db)
        create_marks(bench.db, SCHEMA)
        create_rejected(bench.db, SCHEMA)
        _fill(bench, lake, LEDGER)


def lay_out_tables(bench: Bench, lake: Lake) -> None:
    """Put the streams' tables on the bench, without their rows."""
    with bench.at_once():
        for name, sheet in lake.sheets.items():
            if name not in KEYS and sheet.columns:
                bench.lay_out(name, sheet)


def is_known(bench: Bench, ledger: Ledger, window: Window) -> bool:
    """Whether the ledger has the window. Raises DestinationFenced and ConfigError when it may not be applied."""
    if ledger.highest_epoch(bench.db, window.instance, window.stream) > window.epoch:
        raise DestinationFenced(
            f"a later run has written {window.stream} of {window.instance} to {ledger.place}",
            advice="this run stops; the later one goes on",
        )
    if ledger.holds(bench.db, window.instance, window.stream, window.id):
        return True
    for stream in {window.stream, *([window.marks.stream] if window.marks else [])}:
        ledger.claim(bench.db, window.instance, stream)
    return False


def staged(bench: Bench, window: Window) -> Staged:
    """Read the window's batches, once; what they raise comes out as it was raised."""
    table = planned(bench.db, SCHEMA, window)
    return Staged(window, table, stage(bench.db, window, table))


def merged(
    bench: Bench, lake: Lake, ledger: Ledger, rows: Staged, *, as_intent: bool = False
) -> tuple[Applied, tuple[Change, ...]]:
    """Merge a staged window; give what it does to each table, the window's own last but for the ledger.

    With `as_intent` its row in the ledger has no `committed_at` yet.
    The bench has the books and the tables of the same lake, and nothing else.
    """
    window = rows.window
    touched = {stream: _touched(bench, lake, stream, rows) for stream in _streams(window)}
    for stream, parts in touched.items():
        bench.fill(stream, lake.sheet(stream), files_of(lake.parts, stream, parts))
    if window.marks is not None or rows.table.marked:
        _fill(bench, lake, MARKS)
    applied = _merge(bench, rows)
    ledger.record(bench.db, window, applied)
    if as_intent:
        condition = "instance = ? AND stream = ? AND window_id = ?"
        whose = [window.instance, window.stream, window.id]
        bench.db.execute(f"UPDATE {path_of(LEDGER)} SET committed_at = NULL WHERE {condition}", whose)
    changes = list[Change]()
    if window.marks is not None:
        changes.append(_replaced(bench, lake, MARKS, lake.sheet(MARKS).parts))
        if window.marks.stream != window.stream and touched[window.marks.stream]:
            changes.append(_replaced(bench, lake, window.marks.stream, touched[window.marks.stream]))
    if applied.rejected:
        folded = _small(lake.sheet(REJECTED).parts)
        bench.fill(REJECTED, lake.sheet(REJECTED), files_of(lake.parts, REJECTED, folded))
        changes.append(_replaced(bench, lake, REJECTED, folded))
    changes.append(_own(bench, lake, rows, applied, touched[window.stream]))
    changes.append(_replaced(bench, lake, LEDGER, lake.sheet(LEDGER).parts))
    return applied, tuple(changes)


def recorded(bench: Bench, lake: Lake, ledger: Ledger, window: Window) -> Change:
    """The ledger with a window that is known to be applied, nobody knows any more to what effect."""
    ledger.record(bench.db, window, Applied())
    return _replaced(bench, lake, LEDGER, lake.sheet(LEDGER).parts)


def _streams(window: Window) -> tuple[str, ...]:
    marked = window.marks.stream if window.marks is not None else window.stream
    return (window.stream, *([marked] if marked != window.stream else []))


def _fill(bench: Bench, lake: Lake, table: str) -> None:
    sheet = lake.sheet(table)
    bench.fill(table, sheet, files_of(lake.parts, table, sheet.parts))


def _merge(bench: Bench, rows: Staged) -> Applied:
    try:
        with bench.at_once():
            applied = merge(bench.db, SCHEMA, rows.window, rows.table)
    except duckdb.ConversionException:
        with bench.at_once():
            applied = merge(bench.db, SCHEMA, rows.window, rows.table, doubt_json=True)
    return replace(applied, unchanged=applied.unchanged + rows.repeated)


def _own(bench: Bench, lake: Lake, rows: Staged, applied: Applied, touched: tuple[Part, ...]) -> Change:
    window, key = rows.window, _key(rows)
    moved = applied.inserted + applied.changed + applied.unchanged + applied.deleted + applied.merged
    if moved or window.hard_delete or window.marks is not None or rows.table.widened:
        return _replaced(bench, lake, window.stream, touched, replaces=bool(rows.table.widened), key=key)
    return Change(window.stream, bench.columns(window.stream, lake.sheet(window.stream)), key, (), ())


def _key(rows: Staged) -> tuple[str, ...]:
    names = {column.field: column.name for column in rows.table.columns}
    return tuple(names[field] for field in rows.window.schema.key)


def _replaced(
    bench: Bench,
    lake: Lake,
    table: str,
    parts: tuple[Part, ...],
    *,
    replaces: bool = False,
    key: tuple[str, ...] = (),
) -> Change:
    sheet = lake.sheet(table)
    columns = bench.columns(table, sheet)
    key = key or KEYS.get(table) or sheet.key or _marked_key(sheet)
    return Change(table, columns, key, parts, bench.write(table, columns, key), replaces)


def _marked_key(sheet: Sheet) -> tuple[str, ...]:
    return (assign(["id"], [column.name for column in sheet.columns], RESERVED)["id"],)


def _touched(bench: Bench, lake: Lake, stream: str, rows: Staged) -> tuple[Part, ...]:
    sheet, own = lake.sheet(stream), stream == rows.window.stream
    if own and rows.table.widened:
        return sheet.parts
    probes = [*(_own_probes(bench, rows) if own else ()), *_mark_probes(bench, sheet, stream, rows)]
    found = tuple(part for part in sheet.parts if any(_concerns(bench, lake, stream, part, probe) for probe in probes))
    if not found and not number(bench.db, "SELECT count(*) FROM staged"):
        return ()
    rest = [part for part in sheet.parts if part not in found]
    return (*found, *_small(rest))


def _small(parts: Iterable[Part]) -> tuple[Part, ...]:
    small = tuple(part for part in parts if part.bytes < SMALL_BYTES)
    return small if len(small) >= SMALL_PARTS else ()


@dataclass(frozen=True, slots=True)
class _Probe:
    """A question to a part: whether a row of it, called t, fulfils a condition on these columns."""

    columns: tuple[str, ...]
    condition: str
    values: tuple[object, ...] = ()
    bounds: tuple[int | None, int | None] = (None, None)


def _own_probes(bench: Bench, rows: Staged) -> Iterator[_Probe]:
    window, table = rows.window, rows.table
    names = {column.field: column.name for column in table.columns}
    same = " AND ".join(f"s.{table.place(field)} = t.{table.name(field)}" for field in window.schema.key)
    first = next(column for column in table.columns if column.field == window.schema.key[0])
    yield _Probe(
        tuple(names[field] for field in window.schema.key),
        f"SEMI JOIN staged s ON {same}",
        bounds=_bounds(bench, "staged", table.place(first.field)),
    )
    if window.snapshot is not None:
        section = names[window.snapshot.field] if window.snapshot.field else ""
        condition = f" AND t.{quoted(section)} IS NOT DISTINCT FROM ?" if section else ""
        yield _Probe(
            (DELETED_AT, READ_AT, *([section] if section else [])),
            f"WHERE t.{DELETED_AT} IS NULL AND t.{READ_AT} <= ?{condition}",
            (window.read_at, *([window.snapshot.value] if section else [])),
        )
    if window.hard_delete:
        yield _removable(marked=table.marked)


def _mark_probes(bench: Bench, sheet: Sheet, stream: str, rows: Staged) -> Iterator[_Probe]:
    marks, known = rows.window.marks, {column.name for column in sheet.columns}
    if marks is None or marks.stream != stream or _marked_key(sheet)[0] not in known:
        return
    key = _marked_key(sheet)[0]
    bounds = _bounds(bench, "staged_marks", "id")
    yield _Probe((key,), f"SEMI JOIN staged_marks s ON s.id = t.{quoted(key)}", bounds=bounds)
    if marks.hard_delete:
        yield _removable(marked=MERGED_INTO in known)


def _removable(*, marked: bool) -> _Probe:
    merged = f" OR t.{MERGED_INTO} IS NOT NULL" if marked else ""
    return _Probe((DELETED_AT, *([MERGED_INTO] if marked else [])), f"WHERE t.{DELETED_AT} IS NOT NULL{merged}")


def _bounds(bench: Bench, table: str, column: str) -> tuple[int | None, int | None]:
    low, high = bench.db.execute(f"SELECT min({column}), max({column}) FROM {table}").fetchall()[0]
    if low is None:
        return 1, 0  # no row, so no part can have its key
    return (low, high) if isinstance(low, int) else (None, None)


def _concerns(bench: Bench, lake: Lake, stream: str, part: Part, probe: _Probe) -> bool:
    if not part.overlaps(*probe.bounds):
        return False
    sheet = lake.sheet(stream)
    known = {column.name: column for column in sheet.columns}
    # A column that only this window brings is NULL in every part.
    columns = [known.get(name) or SheetColumn(name, FieldType.TEXT, name) for name in probe.columns]
    file = lake.parts.local(stream, part, sheet.stored(probe.columns))
    return bench.has(bench.rows(columns, file), probe.condition, probe.values)
