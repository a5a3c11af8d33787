"""One kind's rows into the destination: its table, and its part of the tables that kinds share.

Each window is a snapshot of what it has, so that what is gone is marked; the history only grows. A kind of which
nothing has changed since it was applied is not applied again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from syncengine.assets import tables
from syncengine.assets.documents import Document, Key
from syncengine.assets.history import ENTRY, HISTORY, SCHEMA, History
from syncengine.assets.kinds import FOLDER, PROGRAM, Kind
from syncengine.assets.tree import Entry, Tree
from syncengine.destinations import Destination, Snapshot, Window
from syncengine.schema import Schema

# Which part of the tokens each kind has.
OWNERS: Mapping[str, str] = {FOLDER: "Folder", PROGRAM: "Program"}


class Applying:
    """The tables of one pull. `read_at` is when it began to read, by Marketo's clock. All of it blocks."""

    def __init__(self, destination: Destination, tree: Tree, *, instance: str, epoch: int, read_at: datetime) -> None:
        self._destination = destination
        self._tree = tree
        self._instance = instance
        self._epoch = epoch
        self._read_at = read_at
        self._history: History | None = None

    def has(self, kind: Kind) -> bool:
        """Whether the destination has anything of a kind's table."""
        return bool(self._destination.standing(self._instance, kind.table).intervals)

    def apply(self, kind: Kind, entries: Mapping[Key, Entry]) -> None:
        """Bring a kind's tables to where its files are; raises the destination's errors."""
        mark = mark_of(entries)

        def rows(of: Callable[[Document, Entry], Iterable[Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
            for entry in sorted(entries.values(), key=lambda each: str(each.path)):
                yield from of(self._tree.read(entry), entry)

        own = rows(lambda document, entry: [tables.asset_row(kind, document, entry)])
        self._write(kind.table, tables.schema_of(kind), own, mark, Snapshot())
        used = rows(lambda document, _: tables.usage_rows(document))
        self._write(tables.USAGE, tables.USAGE_SCHEMA, used, f"{kind.name} {mark}", Snapshot("kind", kind.name))
        if kind.name in OWNERS:
            owned = rows(lambda document, _: tables.token_rows(document))
            part = Snapshot("folderType", OWNERS[kind.name])
            self._write(tables.TOKENS, tables.TOKEN_SCHEMA, owned, f"{kind.name} {mark}", part)
        if kind.name == "segmentation":
            segments = rows(lambda document, _: tables.segment_rows(document))
            self._write(tables.SEGMENTS, tables.SEGMENT_SCHEMA, segments, mark, Snapshot())
        new = list(self._known().rows(kind.name, entries, self._read_at))
        if new:
            self._write(HISTORY, SCHEMA, new, f"{kind.name} {mark}", None)

    def _known(self) -> History:
        if self._history is None:
            entries = self._destination.keys(self._instance, HISTORY, ENTRY)
            self._history = History(str(entry) for entry in entries.to_pylist())
        return self._history

    def _write(
        self,
        stream: str,
        schema: Schema,
        rows: Iterable[Mapping[str, Any]],
        mark: str,
        snapshot: Snapshot | None,
    ) -> None:
        instant = self._read_at.isoformat()
        self._destination.apply(
            Window(
                instance=self._instance,
                stream=stream,
                id=hashlib.sha256(f"{self._instance}|{stream}|{mark}|{instant}".encode()).hexdigest(),
                epoch=self._epoch,
                start=self._read_at - timedelta(seconds=1),
                end=self._read_at,
                sha256="",
                read_at=self._read_at,
                schema=schema,
                newer_by=None,
                batches=tables.batches(schema, rows),
                snapshot=snapshot,
            )
        )


def mark_of(entries: Mapping[Key, Entry]) -> str:
    """A hash of all versions of a kind and where they lie: equal as long as nothing has changed."""
    lines = sorted(f"{entry.path}\t{entry.sha256}" for entry in entries.values())
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
