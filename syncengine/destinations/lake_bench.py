"""A scratch DuckDB database where parts of a lake's tables are laid out, changed as tables, and written as new parts.

Apart from the merge, which says which parts a window concerns, and from the destinations, which keep them.

The database is a file and not memory: what exceeds memory goes to disk compressed, and writing parts from it takes half
the time. Nothing in it outlives the operation that opened it.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers and literals are quoted

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from syncengine.destinations.duckdb import translated
from syncengine.destinations.duckdb_ledger import literal, number, quoted, table_columns
from syncengine.destinations.duckdb_table import SQL_TYPES, type_of
from syncengine.destinations.lake_parts import Fresh, Part, Parts, Sheet, SheetColumn, digest, os_errors
from syncengine.schema import FieldType

SCHEMA = "marketo"
PART_BYTES = 128_000_000
_ROW_GROUP = 20_480  # memory is what it takes to sort, and one row group for each thread
_ROW_GROUPS = 48  # a part has up to 983,040 rows


class Bench:
    """Tables in the schema `SCHEMA` of a scratch database; `db` is its connection."""

    def __init__(self, db: duckdb.DuckDBPyConnection, folder: Path, stored_name: Callable[[str], str]) -> None:
        self.db = db
        self.folder = folder
        self._stored_name = stored_name

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A transaction: all of it or nothing, and the scratch file is synced once."""
        self.db.begin()
        try:
            yield
            self.db.commit()
        except BaseException:
            with suppress(duckdb.Error):  # a commit that failed has ended it already
                self.db.rollback()
            raise

    def clear(self) -> None:
        """Forget the tables that were laid out; temporary ones stay."""
        self.db.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")

    def lay_out(self, table: str, sheet: Sheet) -> None:
        """Make an empty table with the sheet's columns."""
        definitions = ", ".join(f"{quoted(column.name)} {SQL_TYPES[column.type]}" for column in sheet.columns)
        self.db.execute(f"CREATE TABLE {path_of(table)} ({definitions})")

    def fill(self, table: str, sheet: Sheet, files: Iterable[Path], only: Collection[str] | None = None) -> None:
        """Add the rows of these files to a table that was laid out; `only` some of their columns, if given."""
        columns = [column for column in sheet.columns if only is None or column.name in only]
        names = ", ".join(quoted(column.name) for column in columns)
        for file in files:
            self.db.execute(f"INSERT INTO {path_of(table)} ({names}) SELECT {names} FROM {self.rows(columns, file)}")

    def rows(self, columns: Sequence[SheetColumn], file: Path) -> str:
        """A derived table for the rows of a file, each column under its name and with its type."""
        names = "SELECT name FROM parquet_schema(?) WHERE num_children IS NULL"
        present = {name for (name,) in self.db.execute(names, [str(file)]).fetchall()}
        values = [
            f"{quoted(column.stored) if column.stored in present else 'NULL'}::{SQL_TYPES[column.type]}"
            f" AS {quoted(column.name)}"
            for column in columns
        ]
        return f"(SELECT {', '.join(values) or '1'} FROM read_parquet({literal(str(file))}))"

    def has(self, relation: str, condition: str, values: Sequence[object] = ()) -> bool:
        """Whether a row of the relation, called t, fulfils the condition."""
        return number(self.db, f"SELECT count(*) FROM (SELECT 1 FROM {relation} t {condition} LIMIT 1)", values) > 0

    def columns(self, table: str, sheet: Sheet) -> tuple[SheetColumn, ...]:
        """The columns that a table on the bench has now; those of the sheet keep the name that files have for them."""
        known = {column.name: column.stored for column in sheet.columns}
        return tuple(
            SheetColumn(name, type_of(sql_type, table, name), known.get(name) or self._stored_name(name))
            for name, sql_type in table_columns(self.db, SCHEMA, table).items()
        )

    def count(self, table: str) -> int:
        """The rows of a table on the bench."""
        return number(self.db, f"SELECT count(*) FROM {path_of(table)}")

    def write(self, table: str, columns: Sequence[SheetColumn], key: Sequence[str]) -> tuple[Fresh, ...]:
        """The rows of a table as new parts, in order of the key: up to 983,040 rows and about 128 MB each."""
        if not self.count(table):
            return ()
        values = [
            f"{quoted(column.name)}{'::VARCHAR' if column.type is FieldType.JSON else ''} AS {quoted(column.stored)}"
            for column in columns
        ]
        order = ", ".join(quoted(name) for name in key)
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="new-"))
        written = self.db.execute(
            f"COPY (SELECT {', '.join(values)} FROM {path_of(table)} ORDER BY {order}) TO {literal(str(folder))}"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}, ROW_GROUPS_PER_FILE {_ROW_GROUPS},"
            f" FILE_SIZE_BYTES {PART_BYTES}, FILENAME_PATTERN 'part-{{uuid}}', FILE_EXTENSION 'new',"
            " OVERWRITE_OR_IGNORE, RETURN_STATS)"
        ).fetchall()
        first = next(column for column in columns if column.name == key[0])
        return tuple(
            _fresh(first, Path(file), (rows, size), stats) for file, rows, size, _, stats, *_ in written if rows
        )


def _fresh(first: SheetColumn, file: Path, amounts: tuple[int, int], stats: dict[str, dict[str, str]]) -> Fresh:
    found = stats.get(quoted(first.stored), {}) if first.type is FieldType.INTEGER else {}
    bounds = (int(found["min"]), int(found["max"])) if {"min", "max"} <= found.keys() else (None, None)
    return Fresh(Part(f"{digest(file)}.parquet", *amounts, *bounds), file)


def path_of(table: str) -> str:
    """A table on the bench, as SQL names it."""
    return f"{SCHEMA}.{quoted(table)}"


def files_of(parts: Parts, table: str, of: Iterable[Part], stored: tuple[str, ...] | None = None) -> Iterator[Path]:
    """The parts as files on this machine, one after the other."""
    for part in of:
        yield parts.local(table, part, stored)


@contextmanager
def opened_bench(
    folder: Path, place: Path, *, memory_bytes: int, threads: int, stored_name: Callable[[str], str] = str
) -> Iterator[Bench]:
    """A bench in a folder of its own below `folder`; what DuckDB raises comes out as an error about `place`."""
    with work_folder(folder) as work:
        try:
            db = duckdb.connect(
                str(work / "bench.duckdb"),
                config={
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "allow_community_extensions": False,
                    "memory_limit": f"{memory_bytes}B",
                    "threads": threads,
                    "preserve_insertion_order": False,
                    "temp_directory": str(work / "spill"),
                },
            )
            try:
                db.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
                bench = Bench(db, work, stored_name)
                bench.clear()
                yield bench
            finally:
                db.close()
        except duckdb.Error as error:
            raise translated(error, place) from error


@contextmanager
def work_folder(base: Path) -> Iterator[Path]:
    """A new folder below `base`, removed at the end; those that processes left behind when they died go as well."""
    with os_errors(base.parent):
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in base.glob("work-*"):
        # Whoever works in a folder holds its lock, and a lock ends with its process.
        with _held(left) as free:
            if free:
                shutil.rmtree(left, ignore_errors=True)
    with os_errors(base.parent):
        making = Path(tempfile.mkdtemp(dir=base, prefix="new-"))
    with _held(making):
        folder = making.rename(making.with_name(f"work-{making.name}"))  # only now: it must never be seen without lock
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False  # just removed by its owner
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
