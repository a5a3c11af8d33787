"""Parquet files, read a few thousand rows at a time.

Apart from queries, which give record batches as well, because a file has its own ways to be damaged.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from syncengine.errors import SourceUnusable
from syncengine.sources import Rows
from syncengine.sources.feed import digest_of, opened
from syncengine.sources.plain import Original
from syncengine.sources.spool import Spool
from syncengine.sources.tables import rows_of_batches

# A file does not say how large a row becomes: a text that repeats is stored once. So there are few of them at a time.
_BATCH_ROWS = 2_048
_BUFFER_BYTES = 262_144  # of each column; without one, pyarrow loads a row group's column whole


class Parquet:
    """A Parquet file; `values` says how its values become text. With `original`, the file was made from that.

    Raises SourceUnusable when it is none, or damaged.
    """

    delimiter = ","
    blank_lines = 0
    path: Path | None = None

    def __init__(self, path: Path, name: str, *, original: Original | None = None) -> None:
        self.name = name
        self.sha256 = original.sha256 if original else ""
        self.size = original.size if original else 0
        self._file_path = path
        self._original = original
        with self._opened() as file:
            self.columns = tuple(file.schema_arrow.names)
        if not self.columns:
            raise SourceUnusable(f"{name} has no columns", advice="look at what wrote it")

    def rows(self, taken: Sequence[int], spool: Spool) -> Iterator[Rows]:
        """All rows, once."""
        names = [self.columns[place] for place in taken]
        # Where names repeat, a column is known by its place alone.
        unique = len(set(self.columns)) == len(self.columns)
        with self._opened() as file:
            batches = file.iter_batches(_BATCH_ROWS, columns=names if unique else None, use_threads=False)
            places = None if unique else list(taken)
            yield from rows_of_batches(batches, names, places, spool, of=self.name)
        if self._original is None:
            self.sha256, self.size = digest_of(self._file_path, self.name)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with opened(self._file_path, self.name) as data:
            try:
                with pq.ParquetFile(data, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
                    yield file
            except (pa.ArrowException, OSError) as error:
                said = str(error).split("\n", maxsplit=1)[0].rstrip(".")
                raise SourceUnusable(
                    f"{self.name} is no Parquet file, or damaged: {said}", advice="write or fetch the file again"
                ) from error
