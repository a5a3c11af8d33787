"""Where rows come from: files and queries, read as pieces of text cells with the place of each row's bytes.

A source never heard of Marketo. It gives rows once, in their order; every row is also one record of a CSV *body*:
the source itself where that is strict CSV already (nothing is copied), otherwise a spool of ours. So whoever sends
rows on has cells to judge them by, and byte ranges to send.

All of it blocks: plain generators for callers in threads. Memory holds a few pieces of half a megabyte, however large
the source or one of its cells. In reading order: `feed` is a file's bytes as they come; `records` cuts them; `text`
turns bytes into cells and back; `delimited` is CSV and its kin; `plain` makes UTF-8 files of everything that is none;
`jsonl`, `parquet`, `duckdb` and `postgres` are the others; `opening` picks one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from syncengine.sources.spool import Spool

PIECE_BYTES = 500_000
PIECE_ROWS = 50_000
RECORD_BYTES_MAX = 10_000_000  # more than any chunk of an import takes
THE_SOURCE, THE_SPOOL = 0, 1
STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no row of the table; its bytes stand in a body as they were."""

    line: int
    reason: str
    body: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Rows:
    """A piece of a source: rows in its order, all arrays of one length.

    A cell is null only where the source has no value, and "" where it has an empty one. `lines` are those of the text
    where rows begin (the header's is 1), or row numbers of a table from 1. A row's record is the bytes
    `[offset, offset + length)` of its body, line end included: strict CSV with commas, and the columns taken in the
    order taken. Bytes of the spool are there once it was synced.
    """

    cells: tuple["pa.StringArray", ...]  # one array a column that is taken
    lines: "pa.Int64Array"
    bodies: "pa.Int8Array"  # THE_SOURCE or THE_SPOOL
    offsets: "pa.Int64Array"
    lengths: "pa.Int64Array"
    unreadable: tuple[Unreadable, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)


class Source(Protocol):
    """Rows of one file or query."""

    @property
    def name(self) -> str:
        """As the user gave it: "people.csv", "SELECT ...", or STANDARD_INPUT."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The header as it stands: duplicates, blanks and spaces included, a byte order mark not."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that `THE_SOURCE` means in rows and unreadable records, if they mean it."""
        ...

    @property
    def delimiter(self) -> str:
        """What stands between cells of a delimited text that was found; "," for everything else."""
        ...

    def rows(self, taken: Sequence[int], spool: "Spool") -> Iterator[Rows]:
        """All rows, once. `taken` are the places of the columns that are wanted, in the order wanted, each once.

        What is written to the spool depends on the source's bytes and `taken` alone.

        Raises SourceUnusable when the rest cannot be read, NoSpace when the spool's disk is full.
        """
        ...

    @property
    def sha256(self) -> str:
        """Of the bytes as the user gave them, when all rows were read; "" for a query."""
        ...

    @property
    def size(self) -> int:
        """Bytes that `sha256` is of; 0 for a query."""
        ...

    @property
    def blank_lines(self) -> int:
        """Lines passed over so far because they hold nothing."""
        ...
