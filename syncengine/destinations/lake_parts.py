"""Tables that are kept as immutable Parquet files: what is known of a file, and the names that files and folders get.

Apart from the bench, which makes and reads the files, and from the destinations, which say which files count.
"""

import errno
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from syncengine.errors import DestinationUnavailable, NoSpace
from syncengine.schema import FieldType

_NAME_MAX = 150  # a file name may have 255 bytes; suffixes come on top


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a table. `low` and `high` bound the first column of the key where that is an integer."""

    path: str
    rows: int
    bytes: int
    low: int | None = None
    high: int | None = None

    def overlaps(self, low: int | None, high: int | None) -> bool:
        """Whether a key in the closed range could be here; a bound that is unknown excludes nothing."""
        if None in {self.low, self.high, low, high}:
            return True
        assert self.low is not None
        assert self.high is not None
        assert low is not None
        assert high is not None
        return self.low <= high and low <= self.high


@dataclass(frozen=True, slots=True)
class Fresh:
    """A part that was just written to a folder of ours: `part.path` is the name that it is to have."""

    part: Part
    file: Path


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of a table; files have it under the name `stored`, or lack it where all its cells are NULL."""

    name: str
    type: FieldType
    stored: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as it was last committed."""

    columns: tuple[SheetColumn, ...] = ()
    key: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    def stored(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names that files have for these columns, without those that the table lacks."""
        known = {column.name: column.stored for column in self.columns}
        return tuple(known[name] for name in names if name in known)


@dataclass(frozen=True, slots=True)
class Change:
    """What a window does to one table: parts that give way and those that come, or all of them with `replaces`."""

    table: str
    columns: tuple[SheetColumn, ...]
    key: tuple[str, ...]
    removed: tuple[Part, ...]
    fresh: tuple[Fresh, ...]
    replaces: bool = False  # every part is new: a column's type may have changed


class Parts(Protocol):
    """How the bench reads parts, wherever they are kept."""

    def local(self, table: str, part: Part, stored: tuple[str, ...] | None = None) -> Path:
        """A file on this machine that has at least these columns of the part; all of them for None."""
        ...


def file_name(name: str) -> str:
    """A name that any file system and any object store takes for a file or folder; different for different names.

    Letters, digits, `_` and inner dots stay; every other byte becomes `-` and two hexadecimal digits. A long name is
    cut and ends in `-` and a digest.
    """
    plain = "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or byte in b"_.") else f"-{byte:02x}"
        for byte in name.encode("utf-8", "surrogatepass")
    )
    plain = f"-2e{plain[1:]}" if plain.startswith(".") else plain
    if len(plain) <= _NAME_MAX and plain:
        return plain
    return f"{plain[:_NAME_MAX]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def digest(file: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def os_errors(place: Path) -> Iterator[None]:
    """An operating system's error in the block comes out as ours, about `place`."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            advice = "free room, then run again"
            raise NoSpace(f"the disk is full at {place}; nothing was applied", advice=advice) from error
        raise DestinationUnavailable(f"{place}: {error.strerror or type(error).__name__}") from error
