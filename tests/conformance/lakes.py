"""Destinations that are files, as places: apart from the others, which are read through their servers or engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from syncengine.destinations import Destination
from syncengine.destinations.delta import Delta
from syncengine.destinations.lake_parts import file_name
from syncengine.destinations.parquet import Parquet
from tests.conformance.rows import Row, from_arrow


class ParquetFolder:
    """A folder of Parquet files, and the manifest and DuckDB to look at it."""

    refuses = frozenset[str]()
    shows = False

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lake"
        self.opening = (
            "from pathlib import Path; from syncengine.destinations.parquet import Parquet;"
            f" destination = Parquet(Path({str(self.path)!r}), memory_bytes=160_000_000, lock_wait_seconds=1)"
        )

    def open(self) -> Destination:
        return Parquet(self.path, lock_wait_seconds=1, pause=lambda _: None)

    def rows(self, table: str) -> list[Row]:
        try:
            manifest = orjson.loads((self.path / "manifest.json").read_bytes())
        except FileNotFoundError:
            return []
        sheet = manifest["tables"].get(table, {"parts": []})
        if not sheet["parts"]:
            return []
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'UTC'")
            files = [str(self.path / part["path"]) for part in sheet["parts"]]
            found = db.read_parquet(files, union_by_name=True).to_arrow_table()
        return from_arrow(found.select([column["name"] for column in sheet["columns"]]))

    def called(self, name: str) -> str:
        return name

    def require(self, table: str, column: str) -> None:
        raise NotImplementedError

    def be_unique(self, table: str, column: str) -> None:
        raise NotImplementedError

    @contextmanager
    def occupied(self) -> Iterator[str]:
        with _replaced_by_a_file(self.path):
            yield str(self.path)


class DeltaFolder:
    """Delta tables in a folder, and deltalake's own query engine to look at them."""

    refuses = frozenset[str]()
    shows = False

    def __init__(self, folder: Path) -> None:
        self.path, self.work = folder / "lake", folder / "work"
        self.opening = (
            "from pathlib import Path; from syncengine.destinations.delta import Delta;"
            f" destination = Delta({str(self.path)!r}, work_folder=Path({str(self.work)!r}), memory_bytes=160_000_000)"
        )

    def open(self) -> Destination:
        return Delta(str(self.path), work_folder=self.work)

    def rows(self, table: str) -> list[Row]:
        try:
            delta = DeltaTable(str(self.path / file_name(table)))
        except TableNotFoundError:
            return []
        found = pa.table(delta.scan())
        names = [field.metadata["syncengine.name"] for field in delta.schema().fields]
        return from_arrow(found.rename_columns(names))

    def called(self, name: str) -> str:
        return name

    def require(self, table: str, column: str) -> None:
        raise NotImplementedError

    def be_unique(self, table: str, column: str) -> None:
        raise NotImplementedError

    @contextmanager
    def occupied(self) -> Iterator[str]:
        with _replaced_by_a_file(self.path):
            yield str(self.path)


@contextmanager
def _replaced_by_a_file(folder: Path) -> Iterator[None]:
    aside = folder.rename(folder.with_name("aside"))
    folder.touch()
    yield
    folder.unlink()
    aside.rename(folder)
