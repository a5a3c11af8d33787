"""Every kind of destination, for the suites that all of them pass: how to open it, and what lies in it to other eyes.

To add a kind: a class with the members of `Place`, and a line in `Places.make`. What a kind cannot do it says with
`refuses` and `shows`; the suites then expect less of it, and nothing else.
"""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import duckdb
import psycopg
from psycopg.types.string import TextLoader

from syncengine.destinations import Destination
from syncengine.destinations.duckdb import DuckDB
from syncengine.destinations.postgres import Postgres
from syncengine.destinations.postgres_sql import short
from tests.conformance.lakes import DeltaFolder, ParquetFolder
from tests.conformance.rows import Row, from_arrow, in_order
from tests.servers import postgres_server

KINDS = ("duckdb", "postgres", "parquet", "delta")


class Place(Protocol):
    """A kind of destination under test, empty at first.

    `opening` are statements that bind `destination` to the same data in another process, with little memory.
    `refuses` says what its tables can refuse: "NUL" in text, values under a "constraint" that their owner has added.
    `shows` says whether it has views.
    """

    opening: str
    refuses: frozenset[str]
    shows: bool

    def open(self) -> Destination:
        """A destination on the same data each time."""
        ...

    def rows(self, table: str) -> list[Row]:
        """The rows of a stream's table, of a view or of `_rejected`, as another program reads them: `in_order`.

        Values are those of `Schema.arrow()` as Python has them: int, float, bool, str, date, and datetime in UTC; JSON
        is the text that was sent. Equal tables give equal rows whatever the destination. Empty when there is no table.
        """
        ...

    def called(self, name: str) -> str:
        """What a field or stream is called here; the name itself unless it is longer than names may be."""
        ...

    def require(self, table: str, column: str) -> None:
        """As the table's owner, forbid NULL in a column, if it `refuses` what breaks a "constraint"."""
        ...

    def be_unique(self, table: str, column: str) -> None:
        """As the table's owner, forbid that a value repeats in a column, if it `refuses` what breaks a "constraint"."""
        ...

    def occupied(self) -> AbstractContextManager[str]:
        """Make it unusable from outside, for a while; gives words that a message about it has."""
        ...


class DuckDBFile:
    """A DuckDB file, and DuckDB itself to look at it."""

    refuses = frozenset({"constraint"})
    shows = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"
        self.opening = (
            "from pathlib import Path; from syncengine.destinations.duckdb import DuckDB;"
            f" destination = DuckDB(Path({str(self.path)!r}), memory_bytes=160_000_000)"
        )

    def open(self) -> Destination:
        return DuckDB(self.path, lock_wait_seconds=1, pause=lambda _: None)

    def rows(self, table: str) -> list[Row]:
        if not self.path.exists():
            return []
        with duckdb.connect(str(self.path), read_only=True) as db:
            db.execute("SET TimeZone = 'UTC'")
            try:
                return from_arrow(db.sql(f"SELECT * FROM marketo.{_quoted(table)}").to_arrow_table())
            except duckdb.CatalogException:
                return []

    def called(self, name: str) -> str:
        return name

    def require(self, table: str, column: str) -> None:
        self._alter(f"ALTER TABLE marketo.{_quoted(table)} ALTER COLUMN {_quoted(column)} SET NOT NULL")

    def be_unique(self, table: str, column: str) -> None:
        self._alter(f"CREATE UNIQUE INDEX once ON marketo.{_quoted(table)} ({_quoted(column)})")

    def _alter(self, statement: str) -> None:
        with duckdb.connect(str(self.path)) as db:
            db.execute(statement)

    @contextmanager
    def occupied(self) -> Iterator[str]:
        script = "import duckdb, sys; db = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
        command = [sys.executable, "-c", script, str(self.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            yield f"PID {holder.pid}"
            holder.communicate()


class PostgresSchema:
    """A schema of a real server, and psycopg to look at it."""

    refuses = frozenset({"constraint", "NUL"})
    shows = True

    def __init__(self, conninfo: str, schema: str) -> None:
        self.conninfo, self.schema = conninfo, schema
        self.opening = (
            "from syncengine.destinations.postgres import Postgres;"
            f" destination = Postgres({conninfo!r}, schema={schema!r}, work_memory_bytes=16_000_000)"
        )

    def open(self) -> Destination:
        return Postgres(self.conninfo, schema=self.schema, lock_wait_seconds=0.2)

    def rows(self, table: str) -> list[Row]:
        with self._session() as db:
            # As text, so that JSON stays as it was sent.
            db.adapters.register_loader("json", TextLoader)
            try:
                cursor = db.execute(f"SELECT * FROM {self._path(table)}".encode())
            except psycopg.errors.UndefinedTable:
                return []
            names = [column.name for column in cursor.description or ()]
            return in_order([dict(zip(names, row, strict=True)) for row in cursor])

    def called(self, name: str) -> str:
        return short(name)

    def require(self, table: str, column: str) -> None:
        with self._session() as db:
            db.execute(f"ALTER TABLE {self._path(table)} ALTER COLUMN {_quoted(column)} SET NOT NULL".encode())

    def be_unique(self, table: str, column: str) -> None:
        with self._session() as db:
            db.execute(f"CREATE UNIQUE INDEX ON {self._path(table)} ({_quoted(column)})".encode())

    @contextmanager
    def occupied(self) -> Iterator[str]:
        with self._session() as db:
            db.execute(f"LOCK TABLE {self._path('_marketo_sync')} IN ACCESS EXCLUSIVE MODE".encode())
            yield "somebody else holds a lock"

    def _session(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.conninfo, options="-c timezone=UTC")

    def _path(self, table: str) -> str:
        return f"{_quoted(self.schema)}.{_quoted(short(table))}"


class Places:
    """Makes places of every kind, and keeps what they share, such as a server, until the end of the session."""

    def __init__(self) -> None:
        self._shared = ExitStack()
        self._conninfo: str | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shared.close()

    def make(self, kind: str, folder: Path) -> Place:
        """A place of this kind with nothing in it; `folder` is empty and its own."""
        makers: dict[str, Callable[[], Place]] = {
            "delta": lambda: DeltaFolder(folder),
            "duckdb": lambda: DuckDBFile(folder),
            "parquet": lambda: ParquetFolder(folder),
            "postgres": lambda: PostgresSchema(self._postgres(), f"s{next(self._numbers)}"),
        }
        return makers[kind]()

    def _postgres(self) -> str:
        if self._conninfo is None:
            self._conninfo = self._shared.enter_context(postgres_server()).conninfo
        return self._conninfo


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
