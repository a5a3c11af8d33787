"""The rows of a query on a DuckDB file, read as record batches while DuckDB still works on it.

Apart from Postgres: this database runs in our own process, so its memory is ours to bound.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.errors import SourceUnusable
from syncengine.sources import Rows
from syncengine.sources.feed import opened
from syncengine.sources.spool import Spool
from syncengine.sources.tables import rows_of_batches

if TYPE_CHECKING:
    import duckdb

MEMORY_BYTES = 64_000_000
_NO_DATABASE = "in-memory database in read-only mode"  # what DuckDB says of a CSV, which it would read into one
_BATCH_ROWS = 2_048  # a vector of DuckDB's, so that wide rows fit as well


class DuckdbQuery:
    """A query on the DuckDB file `database`, which is opened for reading only; DuckDB spills to `work`.

    It is begun once for the columns and again for the rows. Raises SourceUnusable when the file cannot be opened or
    the query is none.
    """

    delimiter = ","
    blank_lines = 0
    path: Path | None = None
    sha256 = ""
    size = 0

    def __init__(self, database: Path, query: str, *, work: Path, memory_bytes: int = MEMORY_BYTES) -> None:
        self.name = query
        self._database = database
        self._work = work
        self._memory_bytes = memory_bytes
        with self._asked() as relation:
            self.columns = tuple(relation.columns)

    def rows(self, taken: Sequence[int], spool: Spool) -> Iterator[Rows]:
        """All rows, once."""
        names = [self.columns[place] for place in taken]
        with self._asked() as relation:
            reader = relation.to_arrow_reader(_BATCH_ROWS)
            yield from rows_of_batches(reader, names, list(taken), spool, of="the query")

    @contextmanager
    def _asked(self) -> Iterator["duckdb.DuckDBPyRelation"]:
        import duckdb

        with opened(self._database, str(self._database)):
            pass  # DuckDB's own words for a missing file are about its catalog
        self._work.mkdir(parents=True, exist_ok=True)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self._memory_bytes}B",
            "temp_directory": str(self._work / "duckdb"),
            "threads": "1",
            "autoinstall_known_extensions": "false",  # a query that is read calls nobody
        }
        try:
            with duckdb.connect(str(self._database), read_only=True, config=settings) as db:
                relation = db.sql(self.name)
                if relation is None:
                    raise SourceUnusable("the query gives no rows", advice="write a SELECT")
                yield relation
        except duckdb.Error as error:
            raise SourceUnusable(f"{self._database}: {_said(error)}", advice=_advice(error)) from error


def _advice(error: "duckdb.Error") -> str:
    if _NO_DATABASE in str(error):
        return "name a file of another kind as FILE, without --from"
    if _is_out_of_memory(error):
        return "write the rows to a file in duckdb, COPY (...) TO 'people.parquet', and import that"
    if "lock" in str(error):
        return "another process has the file open for writing: wait for it, or copy the file"
    return "try the query in duckdb"


def _is_out_of_memory(error: "duckdb.Error") -> bool:
    import duckdb

    return isinstance(error, duckdb.OutOfMemoryException)


def _said(error: "duckdb.Error") -> str:
    import duckdb

    # Their words name tables and files, those of the others quote values of rows.
    speakable = (
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.IOException,
        duckdb.ParserException,
    )
    if _NO_DATABASE in str(error):
        return "it is no DuckDB database"
    if _is_out_of_memory(error):
        return "the query needs more memory than is given to DuckDB beside an import"
    if "read-only mode" in str(error):
        return "it is opened in read-only mode, and the query would change it"
    if isinstance(error, speakable):
        return str(error).split("\n", maxsplit=1)[0]
    return f"it could not compute a value ({type(error).__name__})"
