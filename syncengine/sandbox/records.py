"""Tables of everything that is neither a lead nor an activity: rows made from the seed, with changes laid over them.

Separate from people because these tables have few rows: a value is looked for by making its column. What a table does
not decide is which of its rows exist; a row whose lead is gone is hidden by a predicate.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from syncengine.sandbox.draws import numbers, picks, row_keys, share
from syncengine.sandbox.fields import LENGTHS
from syncengine.sandbox.generated import Column
from syncengine.sandbox.indices import Indices, Key
from syncengine.sandbox.sights import Sights
from syncengine.sandbox.values import Value, coerced, truth_converter

TRUTH_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class ObjectField:
    """One field of an object; `length` 0 stands for the usual length of its type."""

    name: str
    label: str
    data_type: str
    is_updateable: bool = True
    length: int = 0

    def described(self) -> dict[str, Any]:
        """The entry of an object's describe call."""
        entry: dict[str, Any] = {"name": self.name, "displayName": self.label, "dataType": self.data_type}
        length = self.length or LENGTHS.get(self.data_type, 0)
        if length:
            entry["length"] = length
        return entry | {"updateable": self.is_updateable, "crmManaged": False}


def parsed_fields(table: str) -> tuple[ObjectField, ...]:
    """Fields of lines `name|label|type`; an asterisk marks one that cannot be updated, a fourth part is its length."""
    fields = []
    for line in filter(None, table.split("\n")):
        name, label, data_type, *length = line.split("|")
        kind = data_type.rstrip("*")
        fields.append(ObjectField(name, label, kind, not data_type.endswith("*"), int(length[0]) if length else 0))
    return tuple(fields)


def guids(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
    """A GUID of 36 characters for each row."""
    return [
        str(uuid.UUID(int=(key << 84 | index << 20 | key & 0xFFFFF) & (1 << 128) - 1, version=4))
        for index, key in zip(indices, keys, strict=True)
    ]


def serials(first: int) -> Column:
    """Whole numbers from `first` on, in the order of rows."""
    return lambda indices, _keys: [first + index for index in indices]


def births(start: int, span_seconds: int) -> Column:
    """When a row was created: any instant of the span before `start`."""
    return lambda _indices, keys: [start - 121 - number for number in numbers("createdAt", keys, span_seconds)]


def touches(start: int, span_seconds: int) -> Column:
    """When a row was last updated: between its birth and `start`, most of them long ago."""
    born = births(start, span_seconds)

    def column(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        return [
            int(birth or 0) + int((start - 120 - int(birth or 0)) * share("updatedAt", key) ** 3)
            for birth, key in zip(born(indices, keys), keys, strict=True)
        ]

    return column


def numbered(name: str, words: Sequence[str]) -> Column:
    """A name that no other row has: one of the words, and the row's number."""
    return lambda indices, keys: [
        f"{word} {index + 1}" for word, index in zip(picks(name, keys, words), indices, strict=True)
    ]


class Records:
    """Rows 0 to len - 1 of one table; some may be hidden or removed."""

    def __init__(self, fields: Sequence[ObjectField], columns: Mapping[str, Column], *, seed: int, count: int) -> None:
        self.fields = {field.name: field for field in fields}
        self._columns = columns
        self._seed = seed
        self._count = count
        self._given: dict[int, dict[str, Value]] = {}
        self._removed: set[int] = set()
        self.changes = 0  # how often anything was written, added or removed
        self._indices = Indices(lambda: range(self._count), self._keys)
        self.sights = Sights()
        # How the API writes a row, where that is more than its fields.
        self.written: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.is_hidden: Callable[[Sequence[int]], Collection[int]] = lambda _rows: ()

    def __len__(self) -> int:
        return self._count

    def rows(self) -> list[int]:
        """Rows that exist."""
        rows = [row for row in range(self._count) if row not in self._removed]
        hidden = self.is_hidden(rows)
        return [row for row in rows if row not in hidden] if hidden else rows

    def columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Present values of `rows`, a list for each name; unknown names are null."""
        keys = row_keys(self._seed, rows)
        made: list[list[Value]] = [
            self._columns[name](rows, keys) if name in self._columns else [None] * len(rows) for name in names
        ]
        for place, row in enumerate(rows):
            given = self._given.get(row)
            if given is not None:
                for column, name in zip(made, names, strict=True):
                    if name in given:
                        column[place] = given[name]
        return made

    def matching(self, name: str, values: Collection[Value]) -> list[int]:
        """Existing rows whose field has one of the values, in their order."""
        return sorted({row for value in values for row in self.lookup((name,), (value,))})

    def lookup(self, names: tuple[str, ...], key: tuple[Value, ...]) -> list[int]:
        """Existing rows whose fields have these values, found by an index."""
        rows = [row for row in self._indices.of(names).find(key) if row not in self._removed]
        hidden = self.is_hidden(rows) if rows else ()
        return [row for row in rows if row not in hidden]

    def reindex(self) -> None:
        """Values have changed that the table does not hold: those of the leads that a merge has left."""
        self._indices = Indices(lambda: range(self._count), self._keys)

    def between(self, moment: str, start: int, end: int) -> list[int]:
        """Existing rows whose `moment` lies in [start, end]."""
        rows = self.rows()
        stamps = self.columns([moment], rows)[0]
        return [row for row, stamp in zip(rows, stamps, strict=True) if start <= int(stamp or 0) <= end]

    def update(self, row: int, values: Mapping[str, Any], now: float) -> None:
        """Set fields of a row and move its updatedAt; raises ValueError for what cannot be written."""
        if not 0 <= row < self._count or row in self._removed:
            raise ValueError(f"there is no row {row}")
        self.write(row, self._typed(values), now)

    def write(self, row: int, values: Mapping[str, Value], now: float) -> None:
        """Set typed values of a row that there is."""
        self.put(row, {**values, "updatedAt": int(now)})

    def put(self, row: int, values: Mapping[str, Value]) -> None:
        """Set typed values of a row that there is and leave its updatedAt as it is."""
        before = self._indices.keys(row, values)
        self._given.setdefault(row, {}).update(values)
        self._indices.moved(row, before)
        self.changes += 1

    def create(self, values: Mapping[str, Value], now: float) -> int:
        """A new row that has these typed values and a GUID, and no others."""
        nothing = dict.fromkeys(name for name in self.fields if name != "marketoGUID")
        return self.add({**nothing, "createdAt": int(now), "updatedAt": int(now), **values}, now)

    def add(self, values: Mapping[str, Any], now: float) -> int:
        """A new row, born now; fields that are not given come from the seed."""
        typed = self._typed(values)
        row = self._count
        self._count += 1
        self._given[row] = {"createdAt": int(now), "updatedAt": int(now)} | typed
        self._indices.born(row)
        self.changes += 1
        return row

    def remove(self, row: int) -> None:
        """The row is gone for good."""
        self._removed.add(row)
        self.changes += 1

    def json_rows(self, names: Sequence[str], rows: Sequence[int]) -> list[dict[str, Any]]:
        """Rows as JSON objects, as the API writes values."""
        converters = [truth_converter(self.fields[name].data_type) for name in names]
        columns = self.columns(names, rows)
        converted = [convert(column) for convert, column in zip(converters, columns, strict=True)]
        return [dict(zip(names, values, strict=True)) for values in zip(*converted, strict=True)]

    def truth(self) -> Iterator[bytes]:
        """All existing rows as JSON lines with every field."""
        rows, names = self.rows(), list(self.fields)
        for start in range(0, len(rows), TRUTH_ROWS):
            lines = self.json_rows(names, rows[start : start + TRUTH_ROWS])
            yield b"".join(orjson.dumps(self.written(line), option=orjson.OPT_APPEND_NEWLINE) for line in lines)

    def _keys(self, names: tuple[str, ...], rows: Sequence[int]) -> list[Key]:
        """Keys of rows, each a tuple; None for one that is not complete."""
        keys = zip(*self.columns(names, rows), strict=True)
        return [None if None in key else key for key in keys]

    def _typed(self, values: Mapping[str, Any]) -> dict[str, Value]:
        unknown = sorted(set(values) - set(self.fields))
        if unknown:
            raise ValueError(f"there is no field {', '.join(unknown)}")
        return {name: coerced(self.fields[name].data_type, value) for name, value in values.items()}
