"""A Parquet folder that has one window of two people, and what tests do with it."""

from pathlib import Path

from syncengine.destinations import Window
from tests.conformance.lakes import ParquetFolder
from tests.conformance.windows import at, window


def folder_of_two(path: Path) -> ParquetFolder:
    """The folder, with its first window applied."""
    found = ParquetFolder(path)
    found.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    return found


def second() -> Window:
    """A window that changes a row and adds one."""
    return window("w2", (2, at(2), "B"), (3, at(1), "c"), day=1, read=1)


def files(place: ParquetFolder) -> set[str]:
    """Every file below the folder of parts."""
    return {path.relative_to(place.path).as_posix() for path in place.path.glob("parts/*/*")}
