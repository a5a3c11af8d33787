"""Where rows go: the protocol that every destination fulfils, and the values that cross it.

A destination knows neither Marketo nor the journal. It is given windows: rows of one stream between two instants,
with the identity of the file they came from. Its own ledger, written in the transaction that applies the rows, is the
truth about what has been applied; whatever the journal says is only what was intended.

Every table has, beside the fields of its stream, columns of ours:

    _read_at      when Marketo began to write what the row was last read from
    _window       that window's id in the ledger
    _changed_at   the `_read_at` of the window that last changed the row's content or its marks
    _deleted_at   when the row was deleted, or first missing from a listing of all rows; NULL while it lives
    _merged_into  the key of the row that it was merged into; only where rows can be marked
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from syncengine.schema import Field, FieldType, Schema

if TYPE_CHECKING:
    import pyarrow as pa

READ_AT = "_read_at"
WINDOW = "_window"
CHANGED_AT = "_changed_at"
DELETED_AT = "_deleted_at"
MERGED_INTO = "_merged_into"

# What a mark's batches hold. One of the last two is NULL, or both are set: merged, then deleted.
MARKS = Schema(
    (
        Field("id", FieldType.INTEGER),
        Field("deleted_at", FieldType.TIMESTAMP),
        Field("merged_into", FieldType.INTEGER),
    ),
    ("id",),
)


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
class Snapshot:
    """Says that a window has every row there is, of the stream or of the part where `field` has `value`.

    Rows of the table (of that part) whose key the window lacks are gone: `_deleted_at` becomes the window's `read_at`.
    A row that comes back loses it again. Rows that were read later than this window are left alone.
    """

    field: str = ""
    value: int | str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What one window tells about rows of another stream: which were deleted, which merged into another.

    A mark is kept for good, apart from the rows, and whatever order windows commit in: a row that arrives after its
    mark is marked on arrival. `stream` has a single integer key. `batches` have the columns of `MARKS`; they are
    consumed once, after the window's own. With `hard_delete` marked rows are removed and never inserted again.
    """

    stream: str
    batches: Iterable["pa.RecordBatch"]
    hard_delete: bool = False


@dataclass(frozen=True, slots=True)
class Late:
    """Asks for a count of the inserted rows whose `field` lies before an instant: rows that appeared late."""

    field: str
    before: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """One window's rows on their way in, and what the ledger writes down about them.

    `id` identifies the window's content request for ever: a window whose id is in the ledger is not applied again.
    `epoch` fences: a window of an epoch below the stream's highest is refused.
    `read_at` is when Marketo began to write the file. Of two windows that bring the same key, the row with the later
    (`newer_by` column, `read_at`) stays, whatever order they commit in.
    `batches` has the columns of `schema`, its keys never NULL. It is consumed once, inside the transaction; an
    exception from it rolls everything back and comes out as it was raised.
    `can_be_marked` says that windows of other streams mark rows of this one; `hard_delete` that rows which are marked
    or gone are removed, not kept.
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
    snapshot: Snapshot | None = None
    marks: Marks | None = None
    late: Late | None = None
    can_be_marked: bool = False
    hard_delete: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What a window did to its table. The five counts of rows add up to the rows of the file."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0  # re-read with the same content, or repeated within the file
    outdated: int = 0  # a newer row was there already, or the row is marked and `hard_delete` keeps it out
    rejected: int = 0  # the destination cannot hold the row: it is kept in `_rejected`, with the reason
    late: int = 0  # of the inserted ones, those that `Window.late` asks for
    deleted: int = 0  # rows, of whatever stream, that this window marked as deleted or found gone
    merged: int = 0  # rows that this window marked as merged into another
    already: bool = False  # the ledger held this window: nothing was read or written
    columns_added: tuple[str, ...] = ()
    columns_widened: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that were read from the file."""
        return self.inserted + self.changed + self.unchanged + self.outdated + self.rejected


@dataclass(frozen=True, slots=True)
class Standing:
    """What a destination holds of one stream: the committed stretches in order of their start, and the last epoch.

    Windows that touch or overlap are one stretch.
    """

    intervals: tuple[Interval, ...] = ()
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view: the value under `key` of the JSON object in the view's `json` column, NULL if it misfits."""

    name: str
    key: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class View:
    """The rows of `stream` where `field` is `value`, with members of the JSON column `json` as typed columns.

    The stream's own columns come first, without the JSON column; a column whose name is taken already, whatever the
    case, gets a suffix made from its exact name.
    """

    name: str
    stream: str
    field: str
    value: int
    json: str
    columns: tuple[ViewColumn, ...]


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
        """Merge one window's rows and marks, move the ledger and the cursor, all in one transaction.

        A row that the destination cannot hold (a NUL where text has none, a constraint that its owner has added) goes
        to the table `_rejected` in the same transaction: stream, window, key and row as JSON, reason, `read_at`. It
        stops nothing else; what the table held under its key stays.
        """
        ...

    def keys(
        self,
        instance: str,
        stream: str,
        field: str,
        *,
        changed_after: datetime | None = None,
        only: tuple[str, Collection[int]] | None = None,
    ) -> "pa.Array[Any]":
        """The distinct values of a field, sorted, without NULL and without rows that are deleted; empty if unknown.

        With `changed_after`, of rows whose `_changed_at` is later; with `only`, of rows where that field has one of
        these values. Raises ConfigError when the stream's table lacks the field.
        """
        ...

    def show(self, instance: str, views: Sequence[View]) -> bool:
        """Make or renew these views, and drop those made here before that are no longer named.

        False when the destination has no views, True otherwise.
        """
        ...

    def close(self) -> None:
        """Give back whatever is held open."""
        ...
