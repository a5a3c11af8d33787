"""DuckDB files that stay open for the length of a simulated process.

A destination opens its file for each operation and lets go of it, so that others may read in between. A simulated night
has hundreds of operations and nobody who reads in between, and to open DuckDB takes longer than most of them. That
files are opened and let go of is for the suites of destinations to see.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from syncengine.destinations.duckdb import DuckDB


class Kept:
    """A DuckDB destination; from its second use on its file is open until `close`. It has all of its attributes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._destination = DuckDB(path, threads=1)
        self._kept: duckdb.DuckDBPyConnection | None = None

    def __getattr__(self, name: str) -> Any:
        # The destination makes the file itself. Nothing is kept of one that is damaged, or that others have open.
        if self._kept is None and self._path.exists():
            with self._destination._turn, suppress(duckdb.Error):
                self._kept = duckdb.connect(str(self._path), config=self._destination._config)
        return getattr(self._destination, name)

    def close(self) -> None:
        """Let go of the file."""
        self._destination.close()
        if self._kept is not None:
            self._kept.close()
            self._kept = None
