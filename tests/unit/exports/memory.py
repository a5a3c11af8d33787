"""A destination that a test can look into: rows and a ledger in memory."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from syncengine.destinations import Applied, Guarantee, Interval, Standing, View, Window
from syncengine.errors import DestinationFenced


class MemoryDestination:
    """Rows and a ledger in memory, one window at a time, all of it or nothing.

    `look` is called before a window is applied; `refuses` is raised instead of applying one.
    """

    guarantee = Guarantee.TRANSACTIONAL

    def __init__(self) -> None:
        self.ledger: dict[tuple[str, str], Window] = {}
        self.rows: dict[str, dict[Any, dict[str, Any]]] = {}
        self.order: list[Applied] = []
        self.look: Callable[[], object] = lambda: None
        self.refuses: Exception | None = None

    def check(self) -> str:
        return "rows in memory"

    def standing(self, instance: str, stream: str) -> Standing:
        windows = self._windows(stream)
        stretches: list[Interval] = []
        for each in sorted(windows, key=lambda window: window.start):
            if stretches and each.start <= stretches[-1].end:
                stretches[-1] = Interval(stretches[-1].start, max(stretches[-1].end, each.end))
            else:
                stretches.append(Interval(each.start, each.end))
        return Standing(tuple(stretches), max((each.epoch for each in windows), default=0))

    def holds(self, instance: str, stream: str, window_id: str) -> bool:
        return (stream, window_id) in self.ledger

    def apply(self, window: Window) -> Applied:
        self.look()
        if self.refuses is not None:
            raise self.refuses
        if self.standing(window.instance, window.stream).epoch > window.epoch:
            raise DestinationFenced("a later run has written here")
        if self.holds(window.instance, window.stream, window.id):
            return Applied(already=True)
        read = [row for batch in window.batches for row in batch.to_pylist()]
        table = self.rows.setdefault(window.stream, {})
        keys = [tuple(row[name] for name in window.schema.key) for row in read]
        fresh = sum(key not in table for key in dict.fromkeys(keys))
        same = sum(table.get(key) == row for key, row in zip(keys, read, strict=True))
        table.update(zip(keys, read, strict=True))
        self.ledger[window.stream, window.id] = window
        self.order.append(Applied(inserted=fresh, unchanged=same, changed=len(read) - fresh - same))
        return self.order[-1]

    def keys(
        self,
        instance: str,
        stream: str,
        field: str,
        *,
        changed_after: datetime | None = None,
        only: tuple[str, Collection[int]] | None = None,
    ) -> "pa.Array[Any]":
        rows = [row for row in self.rows.get(stream, {}).values() if not only or row[only[0]] in only[1]]
        found: pa.Array[Any] = pa.array(sorted({row[field] for row in rows if row[field] is not None}))
        return found

    def show(self, instance: str, views: Sequence[View]) -> bool:
        return False

    def close(self) -> None:
        """Nothing is held open."""

    def _windows(self, stream: str) -> list[Window]:
        return [window for (name, _), window in self.ledger.items() if name == stream]
