"""One Delta table as deltalake sees it: its parts, the windows that it holds, and a commit of one more version.

Apart from the destination, which orders commits to several tables: here is one table, one commit, one answer.

A commit is made on the very version that was read, or not at all: whoever else has written in between, the destination
reads again and decides anew. Fields carry what Delta has no word for in their metadata: `syncengine.name`, the column's
name where Delta does not take it; `syncengine.type`, JSON apart from text; `syncengine.key`, its place in the key.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from syncengine.destinations.columns import mark_of
from syncengine.destinations.delta_storage import Storage
from syncengine.destinations.lake_parts import Change, Fresh, Part, Sheet, SheetColumn
from syncengine.errors import ConfigError
from syncengine.schema import FieldType

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable, Field, Schema
    from deltalake.transaction import AddAction, RemoveAction

EPOCH = "syncengine-epoch"

_NAME, _TYPE, _KEY = "syncengine.name", "syncengine.type", "syncengine.key"
_CHECKPOINT_EVERY = 20  # versions; deltalake's own 100 make each read go through as many files
_VACUUM_EVERY = 60
_KEPT_HOURS = 7 * 24
_TYPES = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "long",
    FieldType.FLOAT: "double",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.TIMESTAMP: "timestamp",
    FieldType.JSON: "string",
}
_READ_AS = {spelling: kind for kind, spelling in _TYPES.items() if kind is not FieldType.JSON}


class Overtaken(Exception):
    """Somebody else has written to the table since it was read: nothing was committed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table at the version that was read; `delta` is None while there is no such table."""

    name: str
    delta: "DeltaTable | None"
    sheet: Sheet

    def holds(self, window_id: str) -> bool:
        """Whether a window was committed here: the table itself says so."""
        return self.delta is not None and self.delta.transaction_version(window_id) is not None

    def epoch(self) -> int:
        """The last epoch that has committed here, 0 before any."""
        return (self.delta.transaction_version(EPOCH) or 0) if self.delta is not None else 0


class Commit(Protocol):
    """Moves a table by one change; see `commit`."""

    def __call__(
        self,
        storage: Storage,
        table: Table,
        change: Change,
        *,
        transactions: Sequence[tuple[str, int]],
        now: datetime,
    ) -> None:
        """See `commit`."""
        ...


def stored_name(name: str) -> str:
    """What a column is called in Delta, where a name has none of ` ,;{}()\\n\\t=`: `_`, and a suffix from the name."""
    plain = re.sub(r"[ ,;{}()\n\t=]", "_", name)
    return name if plain == name else f"{plain}_{mark_of(name)}"


def read_table(storage: Storage, name: str) -> Table:
    """The table's last version; raises ConfigError for one that somebody else has partitioned or changed in kind."""
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    url = storage.url(name)
    with storage.errors():
        try:
            delta = DeltaTable(url, storage_options=storage.options)
        except TableNotFoundError:
            return Table(name, None, Sheet())
        return Table(name, delta, _sheet(name, delta))


def commit(
    storage: Storage,
    table: Table,
    change: Change,
    *,
    transactions: Sequence[tuple[str, int]],
    now: datetime,
) -> None:
    """Move the table by one change, which carries these application transactions (id, version).

    A table is created, and columns are added, in versions of their own before: empty, they say nothing.
    Raises Overtaken when the table is not as it was read.
    """
    from deltalake.exceptions import CommitFailedError

    if table.delta is None:
        table = _created(storage, change)
    change = _renamed(table, change)
    for fresh in change.fresh:
        storage.put(change.table, fresh)
    with storage.errors():
        try:
            delta = _with_columns(table, change)
            version = delta.version()
            delta.create_write_transaction(
                _actions(change, now),
                "overwrite" if change.replaces else "append",
                _schema(change) if change.replaces else delta.schema(),
                commit_properties=_exactly_next(transactions),
            )
        except CommitFailedError:
            raise Overtaken from None
    storage.settle(change.table, version + 1)
    if (version + 1) // _VACUUM_EVERY > table_version(table) // _VACUUM_EVERY:
        _vacuum(storage, change.table)


def table_version(table: Table) -> int:
    """The version that was read."""
    return table.delta.version() if table.delta is not None else 0


def _created(storage: Storage, change: Change) -> Table:
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError, DeltaError

    with storage.errors():
        try:
            delta = DeltaTable.create(
                storage.url(change.table),
                _schema(change),
                configuration={"delta.checkpointInterval": str(_CHECKPOINT_EVERY)},
                storage_options=storage.options,
            )
        except CommitFailedError:
            raise Overtaken from None
        except DeltaError as error:
            if "already exists" in str(error):
                raise Overtaken from None
            raise
    return Table(change.table, delta, Sheet(change.columns, change.key))


def _with_columns(table: Table, change: Change) -> "DeltaTable":
    assert table.delta is not None
    known = {column.stored for column in table.sheet.columns}
    added = [_field(column, change.key) for column in change.columns if column.stored not in known]
    if not added or change.replaces:
        return table.delta
    before = table.delta.version()
    table.delta.alter.add_columns(added, commit_properties=_exactly_next(()))
    table.delta.update_incremental()
    if table.delta.version() != before + 1:
        raise Overtaken
    return table.delta


def _exactly_next(transactions: Sequence[tuple[str, int]]) -> "CommitProperties":
    from deltalake import CommitProperties, Transaction

    return CommitProperties(
        app_transactions=[Transaction(app_id, version) for app_id, version in transactions], max_commit_retries=0
    )


def _actions(change: Change, now: datetime) -> "list[AddAction | RemoveAction]":
    from deltalake.transaction import AddAction, RemoveAction

    at = int(now.timestamp() * 1000)
    first = {column.name: column.stored for column in change.columns}[change.key[0]]
    removed = () if change.replaces else change.removed
    return [
        *(AddAction(f.part.path, f.part.bytes, {}, at, True, _statistics(f.part, first)) for f in change.fresh),
        *(RemoveAction(part.path, True, at, part.bytes, {}) for part in removed),
    ]


def _renamed(table: Table, change: Change) -> Change:
    # A version never adds what it removes, nor what was removed before: no two versions share a name.
    fresh = (Fresh(replace(f.part, path=f"{table_version(table) + 1}-{f.part.path}"), f.file) for f in change.fresh)
    return replace(change, fresh=tuple(fresh))


def _statistics(part: Part, first: str) -> str:
    bounds = {"minValues": {first: part.low}, "maxValues": {first: part.high}} if part.low is not None else {}
    return orjson.dumps({"numRecords": part.rows, **bounds}).decode()


def _vacuum(storage: Storage, name: str) -> None:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    # The window is committed whatever becomes of this; the next one that comes by tries again.
    with suppress(DeltaError, OSError):
        DeltaTable(storage.url(name), storage_options=storage.options).vacuum(_KEPT_HOURS, dry_run=False, full=True)


def _sheet(name: str, delta: "DeltaTable") -> Sheet:
    import pyarrow as pa

    if delta.metadata().partition_columns or delta.protocol().min_reader_version > 1:
        # With deletion vectors, say, a part would seem to have rows that are deleted.
        features = ", ".join(delta.protocol().reader_features or []) or "partitions"
        raise ConfigError(
            f"Delta table {name} has been given {features}, which syncengine cannot write",
            advice="leave this table as it was made, and change a copy",
        )
    columns, key = list[SheetColumn](), dict[int, str]()
    for field in delta.schema().fields:
        metadata: dict[str, Any] = field.metadata
        spelling = str(getattr(field.type, "type", field.type))
        if spelling not in _READ_AS:
            raise ConfigError(
                f"column {field.name} of Delta table {name} has the type {spelling}, which no field has",
                advice="give it back its type, or remove the table so that it is made anew",
            )
        kind = FieldType(metadata.get(_TYPE, _READ_AS[spelling].value))
        column = SheetColumn(metadata.get(_NAME, field.name), kind, field.name)
        columns.append(column)
        if _KEY in metadata:
            key[int(metadata[_KEY])] = column.name
    sheet = Sheet(tuple(columns), tuple(key[place] for place in sorted(key)))
    first = next(iter(sheet.stored(sheet.key[:1])), "")
    actions = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    return replace(sheet, parts=tuple(_part(action, first) for action in actions))


def _part(action: dict[str, Any], first: str) -> Part:
    low, high = action.get(f"min.{first}"), action.get(f"max.{first}")
    bounds = (low, high) if isinstance(low, int) and isinstance(high, int) else (None, None)
    return Part(action["path"], action.get("num_records") or 0, action["size_bytes"], *bounds)


def _schema(change: Change) -> "Schema":
    from deltalake import Schema

    return Schema([_field(column, change.key) for column in change.columns])


def _field(column: SheetColumn, key: tuple[str, ...]) -> "Field":
    from deltalake import Field
    from deltalake.schema import PrimitiveType

    metadata = {_NAME: column.name, _TYPE: column.type.value}
    if column.name in key:
        metadata[_KEY] = str(key.index(column.name))
    return Field(column.stored, PrimitiveType(_TYPES[column.type]), nullable=True, metadata=metadata)
