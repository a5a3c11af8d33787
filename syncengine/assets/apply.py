"""One kind's rows into the destination: its own table, and its part of those that kinds share.

Each window is a snapshot of what it has, so that what is gone is marked; the history only grows. When all of a kind's
tables are written, a row of STATE says of which state of the folder: so the destination itself tells whether they are
as the files are, whatever became of the pull that wrote them, and nothing is written again for nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from syncengine.assets import tables
from syncengine.assets.documents import Document, Key
from syncengine.assets.entry import Entry
from syncengine.assets.history import ENTRY, HISTORY, SCHEMA, History
from syncengine.assets.kind import Kind
from syncengine.assets.kinds import FOLDER, PROGRAM
from syncengine.assets.tree import Tree
from syncengine.destinations import Destination, Snapshot, Window
from syncengine.schema import Schema

SEGMENTATION = "segmentation"
# The state of a kind whose tables are being written.
UNDER_WAY = "under way"
AFTER = timedelta(milliseconds=1)
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

    def is_applied(self, state: str) -> bool:
        """Whether the tables of the kind that `state` is about are in that state already."""
        known = self._destination.keys(self._instance, tables.STATE, tables.STATE_OF_KIND)
        return state in known.to_pylist()

    def apply(self, kind: Kind, entries: Mapping[Key, Entry], *, is_whole: bool) -> bool:
        """Bring a kind's tables to where its files are; False when they are there already.

        Only if it `is_whole`, what it lacks is marked as gone. Raises the destination's errors.
        """
        state = state_of(kind, entries, is_whole=is_whole)
        if self.is_applied(state):
            return False
        self._say(kind, f"{kind.name} {UNDER_WAY}")

        def rows(of: Callable[[Document, Entry], Iterable[Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
            for entry in sorted(entries.values(), key=lambda each: str(each.path)):
                yield from of(self._tree.read(entry), entry)

        def part(field: str = "", value: str | None = None) -> Snapshot | None:
            return Snapshot(field, value) if is_whole else None

        if new := list(self._known().rows(kind.name, entries, self._read_at, is_whole=is_whole)):
            self._write(HISTORY, SCHEMA, new, state)
        used = rows(lambda document, _: tables.usage_rows(document))
        self._write(tables.USAGE, tables.USAGE_SCHEMA, used, state, snapshot=part("kind", kind.name))
        if kind.name in OWNERS:
            owned = rows(lambda document, _: tables.token_rows(document))
            theirs = part("folderType", OWNERS[kind.name])
            self._write(tables.TOKENS, tables.TOKEN_SCHEMA, owned, state, snapshot=theirs)
        if kind.name == SEGMENTATION:
            segments = rows(lambda document, _: tables.segment_rows(document))
            self._write(tables.SEGMENTS, tables.SEGMENT_SCHEMA, segments, state, snapshot=part())
        own = rows(lambda document, entry: [tables.asset_row(kind, document, entry)])
        self._write(kind.table, tables.schema_of(kind), own, state, snapshot=part())
        self._say(kind, state, self._read_at + AFTER)
        return True

    def _say(self, kind: Kind, state: str, at: datetime | None = None) -> None:
        """Write down which state a kind's tables have come to; of two such rows the later one stays."""
        row = {"kind": kind.name, tables.STATE_OF_KIND: state}
        self._write(tables.STATE, tables.STATE_SCHEMA, [row], state, at=at)

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
        state: str,
        *,
        snapshot: Snapshot | None = None,
        at: datetime | None = None,
    ) -> None:
        at = at or self._read_at
        # The state alone is not enough: one that comes back is another window.
        request = hashlib.sha256(f"{self._instance}|{stream}|{state}|{at.isoformat()}".encode()).hexdigest()
        self._destination.apply(
            Window(
                instance=self._instance,
                stream=stream,
                id=request,
                epoch=self._epoch,
                start=at - timedelta(seconds=1),
                end=at,
                sha256="",
                read_at=at,
                schema=schema,
                newer_by=None,
                batches=tables.batches(schema, rows),
                snapshot=snapshot,
            )
        )


def state_of(kind: Kind, entries: Mapping[Key, Entry], *, is_whole: bool) -> str:
    """A text for the state of all versions of a kind and where they lie; equal as long as nothing has changed."""
    lines = sorted(f"{entry.path}\t{entry.sha256}" for entry in entries.values())
    text = "\n".join([str(is_whole), *lines])
    return f"{kind.name} {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
