"""Rows that came by a write, each kept as one short text; separate because a million of them have to stay small.

A row is a JSON list: the number of its layout, then its values in the layout's order. Layouts are shared, so a lead of
an import costs its characters and a few dozen bytes. A field that the layout does not name is null.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from syncengine.sandbox.values import Value


class PackedRows:
    """Rows by number, any of which may be absent."""

    def __init__(self) -> None:
        self._rows: dict[int, bytes] = {}
        self._layouts: list[tuple[str, ...]] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    def __contains__(self, row: int) -> bool:
        return row in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: int, names: tuple[str, ...], values: Sequence[Value]) -> None:
        """Keep a row, in the place of what was there."""
        number = self._numbers.get(names)
        if number is None:
            number = self._numbers[names] = len(self._layouts)
            self._layouts.append(names)
        # A copy, because what orjson gives stands in a block of a kilobyte whose rest is lost.
        self._rows[row] = bytes(memoryview(orjson.dumps([number, *values])))

    def get(self, row: int) -> dict[str, Any]:
        """The row's values by name, but for those that are null because nobody gave them."""
        number, *values = orjson.loads(self._rows[row])
        return dict(zip(self._layouts[number], values, strict=True))

    def update(self, row: int, values: Mapping[str, Value]) -> None:
        """Lay values over those of a row."""
        merged = {**self.get(row), **values}
        self.put(row, tuple(merged), list(merged.values()))

    def rows(self) -> list[int]:
        """All rows, in the order in which they came."""
        return list(self._rows)
