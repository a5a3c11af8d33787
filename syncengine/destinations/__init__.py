"""Where rows go: the protocol that every destination fulfils, and the values that cross it.

A destination knows neither Marketo nor the journal. It is given windows: rows of one stream between two instants,
with the identity of the file they came from. Its own ledger, written in the transaction that applies the rows, is the
truth about what has been applied; whatever the journal says is only what was intended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from syncengine.schema import Schema

if TYPE_CHECKING:
    import pyarrow as pa


class Guarantee(Enum):
    """What a destination can promise about a window that was interrupted and sent again."""

    TRANSACTIONAL = "X1"  # rows, cursor and ledger row in one transaction: every reader sees each window once
    MANIFEST = "X2"  # readers that follow the manifest see each window once
    APPEND = "X3"  # at least once; a view removes the repeats


@dataclass(frozen=True, slots=True)
class Interval:
    """A committed stretch of a stream, closed at `start` and open at `end`; aware UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """One window's rows on their way in, and what the ledger writes down about them.

    `id` identifies the window's content request for ever: a window whose id is in the ledger is not applied again.
    `epoch` fences: a window of an epoch below the stream's highest is refused.
    `read_at` is when Marketo began to write the file. Of two windows that bring the same key, the row with the later
    (`newer_by` column, `read_at`) stays, whatever order they commit in.
    `batches` has the columns of `schema`, its keys never NULL. It is consumed once, inside the transaction; an
    exception from it rolls everything back and comes out as it was raised.
    """

    instance: str
    stream: str
    id: str
    epoch: int
    start: datetime
    end: datetime
    sha256: str
    read_at: datetime
    schema: Schema
    newer_by: str | None
    batches: Iterable["pa.RecordBatch"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a window did to its table. The four counts of rows add up to the rows of the file."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0  # re-read with the same content, or repeated within the file
    outdated: int = 0  # a newer row was there already
    already: bool = False  # the ledger held this window: nothing was read or written
    columns_added: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that were read from the file."""
        return self.inserted + self.changed + self.unchanged + self.outdated


@dataclass(frozen=True, slots=True)
class Standing:
    """What a destination holds of one stream: the committed stretches in order of their start, and the last epoch.

    Windows that touch or overlap are one stretch.
    """

    intervals: tuple[Interval, ...] = ()
    epoch: int = 0


class Destination(Protocol):
    """Blocking by nature: the engine calls it in a thread, one `apply` at a time.

    Each method raises DestinationUnavailable when the database cannot be opened or dies, NoSpace when the disk is
    full, DestinationFenced when a later epoch has written to the stream, ConfigError when the table of the stream is
    another instance's or not one of ours.
    """

    guarantee: Guarantee

    def check(self) -> str:
        """Prove that it can be written to; give one line that names it for people."""
        ...

    def standing(self, instance: str, stream: str) -> Standing:
        """What was committed for a stream before now; an empty Standing for an unknown one."""
        ...

    def holds(self, instance: str, stream: str, window_id: str) -> bool:
        """Whether the ledger has this window: asked after a crash, before anything is fetched again."""
        ...

    def apply(self, window: Window) -> Applied:
        """Merge one window's rows, move the ledger and the cursor, all in one transaction."""
        ...

    def close(self) -> None:
        """Give back whatever is held open."""
        ...
