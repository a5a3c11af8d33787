"""A file of ours that records are appended to, so that rows of any source lie in a CSV body.

Apart from the sources, which only know that bytes go in and an offset comes out.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from syncengine.errors import NoSpace


class Spool:
    """An append-only file. It begins empty: what an earlier process left under this name is written again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0

    def __enter__(self) -> "Spool":
        self._file: BinaryIO = self.path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with out_of_space(self.path):
            self._file.close()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append `data` and give the offset at which it begins; blocking."""
        offset = self.size
        with out_of_space(self.path):
            self._file.write(data)
        self.size += len(data)
        return offset

    def sync(self) -> None:
        """Make everything written so far durable, and readable through the path; blocking."""
        with out_of_space(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())


@contextmanager
def out_of_space(path: Path) -> Iterator[None]:
    """Raise NoSpace where the block meets a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise NoSpace(f"the disk of {path.parent} is full", advice="free room there, then run again") from error
