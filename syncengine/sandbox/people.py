"""The leads of the instance: when each was created and updated, what was changed since the start, and their values.

Separate from how values come about (`generated`, `loaded`): the store indexes rows, a source makes or holds them.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import orjson

from syncengine.sandbox.draws import row_key, share
from syncengine.sandbox.fates import Fates
from syncengine.sandbox.fields import DATA_TYPES, LeadField
from syncengine.sandbox.indices import Indices, Key, normal_key
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.packed import PackedRows
from syncengine.sandbox.sights import Sights
from syncengine.sandbox.values import Value, coerced, truth_converter

FIRST_LEAD_ID = 1001
TRUTH_ROWS = 500
SECONDS_A_YEAR = 365.25 * 86_400
# Nothing in the initial data is younger than this, so that a window up to the start is closed.
YOUNGEST_SECONDS = 120

DateFilter = Literal["createdAt", "updatedAt"]


class PeopleSource(Protocol):
    """Where values come from; `fields` is the instance's schema."""

    fields: list[LeadField]

    def columns(self, names: Sequence[str], indices: Sequence[int]) -> list[list[Value]]:
        """Values of the rows `indices`, a list for each name."""
        ...


class People:
    """All leads; row i has the id FIRST_LEAD_ID + i."""

    def __init__(self, source: PeopleSource, options: SandboxOptions, count: int, fates: Fates | None = None) -> None:
        self.fields = {field.name: field for field in source.fields if field.has_rest}
        self.described = list(source.fields)
        self.fates = fates or Fates()
        self._source = source
        self._changed: dict[int, dict[str, Value]] = {}
        self._created, self._updated = _timestamps(source, options, count)
        self._packed = PackedRows()  # leads that came by a write of the API: they have what they were given, no more
        self._indices = Indices(lambda: range(len(self)), self._keys)
        self.sights = Sights()

    def __len__(self) -> int:
        return len(self._created)

    def between(self, moment: DateFilter, start: int, end: int) -> list[int]:
        """Rows whose `moment` lies in [start, end], in the order of their ids."""
        stamps = self._created if moment == "createdAt" else self._updated
        return self._living(row for row, stamp in enumerate(stamps) if start <= stamp <= end)

    def rows(self, first: int = 0) -> list[int]:
        """Rows of leads that are not gone, from row `first` on."""
        return self._living(range(max(0, first), len(self)))

    def find(self, lead_id: int) -> int | None:
        """The lead's row; None when there is none (any more)."""
        row = lead_id - FIRST_LEAD_ID
        return row if 0 <= row < len(self) and lead_id not in self.fates.gone else None

    def matching(self, name: str, values: frozenset[Value]) -> list[int]:
        """Rows whose field has one of the values."""
        if name == "id":
            found = (self.find(int(value or 0)) for value in values)
            return sorted(row for row in found if row is not None)
        wanted = {normal_key(name, value) for value in values}
        return sorted({row for value in wanted for row in self.lookup(name, value)})

    def lookup(self, name: str, key: Value) -> list[int]:
        """Rows whose field has the value, found by an index; the value is given as `normal_key` has it."""
        return self._living(self._indices.of((name,)).find(key))

    def is_written(self, row: int) -> bool:
        """The lead came by a write of the API: it has what it was given, nothing that was drawn."""
        return row in self._packed

    def duplicates(self) -> Iterator[tuple[str, list[int]]]:
        """E-mail addresses that several leads have, one of them at least by a write of the API; and their ids."""
        for key, rows in self._indices.of(("email",)).items():
            if len(rows) > 1 and any(row in self._packed for row in rows):
                living = self._living(rows)
                if len(living) > 1:
                    yield str(key), [FIRST_LEAD_ID + row for row in living]

    def columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Present values of `rows`, a list for each name."""
        touched = [(place, self._changed[row]) for place, row in enumerate(rows) if row in self._changed]
        columns = self._made_columns(names, rows)
        for number, name in enumerate(names):
            if name == "id":
                columns[number] = [FIRST_LEAD_ID + row for row in rows]
            elif name == "createdAt":
                columns[number] = [self._created[row] for row in rows]
            elif name == "updatedAt":
                columns[number] = [self._updated[row] for row in rows]
            else:
                for place, values in touched:
                    if name in values:
                        columns[number][place] = values[name]
        return columns

    def update(self, lead_id: int, values: Mapping[str, Any], now: float) -> None:
        """Set fields of a lead; raises ValueError for an unknown lead, field or a value of the wrong type."""
        row = self.find(lead_id)
        if row is None:
            raise ValueError(f"there is no lead {lead_id}")
        self.write(row, self._typed(values), now)

    def write(self, row: int, values: Mapping[str, Value], now: float) -> None:
        """Set typed values of a row that there is."""
        before = self._indices.keys(row, values)
        if row in self._packed:
            self._packed.update(row, values)
        else:
            self._changed.setdefault(row, {}).update(values)
        self._updated[row] = int(now)
        self._indices.moved(row, before)

    def create(self, names: tuple[str, ...], values: Sequence[Value], now: float) -> int:
        """A new lead that has these typed values and no others; returns its row."""
        row = len(self)
        self._created.append(int(now))
        self._updated.append(int(now))
        self._packed.put(row, names, values)
        self._indices.born_with(row, dict(zip(names, values, strict=True)), normal_key)
        return row

    def add(self, values: Mapping[str, Any], now: float) -> int:
        """Add a lead; fields that are not given come from the source. Returns its id."""
        typed = self._typed(values)
        row = len(self)
        self._created.append(int(now))
        self._updated.append(int(now))
        if typed:
            self._changed[row] = typed
        self._indices.born(row)
        return FIRST_LEAD_ID + row

    def add_field(self, name: str, data_type: str, label: str = "") -> None:
        """A new custom field, null for everyone; raises ValueError for a name that is taken."""
        if name.lower() in {known.lower() for known in self.fields}:
            raise ValueError(f"there is a field {name!r} already")
        if data_type not in DATA_TYPES:
            raise ValueError(f"a field's type is one of {', '.join(sorted(DATA_TYPES))}")
        number = max((field.id for field in self.described), default=0) + 1
        field = LeadField(number, name, label or name, data_type, is_custom=True)
        self.fields[name] = field
        self.described.append(field)

    def remove_field(self, name: str) -> None:
        """The field is no longer described, and no longer exported; raises ValueError when there is none."""
        if name not in self.fields:
            raise ValueError(f"there is no field {name!r}")
        self.described.remove(self.fields.pop(name))
        self._indices.drop(name)

    def exportable(self) -> list[LeadField]:
        """Fields that a bulk export may name."""
        return [field for field in self.fields.values() if field.is_exportable]

    def truth(self) -> Iterator[bytes]:
        """All leads as JSON lines with typed values, in the order of their ids."""
        names = [field.name for field in self.exportable()]
        living = self.rows()
        for start in range(0, len(living), TRUTH_ROWS):
            rows = living[start : start + TRUTH_ROWS]
            lines = self.json_rows(names, rows)
            yield b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)

    def json_rows(self, names: Sequence[str], rows: Sequence[int]) -> list[dict[str, Any]]:
        """Rows as JSON objects, null where nothing is known."""
        converters = [truth_converter(self.fields[name].data_type) for name in names]
        columns = self.columns(names, rows)
        converted = [convert(column) for convert, column in zip(converters, columns, strict=True)]
        return [dict(zip(names, values, strict=True)) for values in zip(*converted, strict=True)]

    def _made_columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Values as they were when the leads came: packed ones as they were given, all others from the source."""
        if not len(self._packed):
            return self._source.columns(names, rows)
        places = [place for place, row in enumerate(rows) if row not in self._packed]
        if len(places) == len(rows):
            return self._source.columns(names, rows)
        columns: list[list[Value]] = [[None] * len(rows) for _ in names]
        if places:
            made = self._source.columns(names, [rows[place] for place in places])
            for column, values in zip(columns, made, strict=True):
                for place, value in zip(places, values, strict=True):
                    column[place] = value
        for place, row in enumerate(rows):
            if row in self._packed:
                given = self._packed.get(row)
                for column, name in zip(columns, names, strict=True):
                    if name in given:
                        column[place] = given[name]
        return columns

    def _keys(self, names: tuple[str, ...], rows: Sequence[int]) -> list[Key]:
        (name,) = names
        return [normal_key(name, value) for value in self.columns([name], rows)[0]]

    def _living(self, rows: Iterable[int]) -> list[int]:
        gone = self.fates.gone
        return [row for row in rows if FIRST_LEAD_ID + row not in gone] if gone else list(rows)

    def _typed(self, values: Mapping[str, Any]) -> dict[str, Value]:
        typed = {}
        for name, value in values.items():
            field = self.fields.get(name)
            if field is None or field.is_read_only:
                raise ValueError(f"{name!r} is not a field that can be written")
            typed[name] = coerced(field.data_type, value)
        return typed


def _timestamps(source: PeopleSource, options: SandboxOptions, count: int) -> "tuple[array[int], array[int]]":
    """When each initial row was created and updated: as the source says, else spread over the years."""
    last = int(options.start_seconds) - YOUNGEST_SECONDS
    span = int(options.years * SECONDS_A_YEAR)
    created, updated = array("q"), array("q")
    for row in range(count):
        birth = last - span + span * row // count
        created.append(birth)
        # The cube makes most people lie still for long and a few be touched lately.
        updated.append(birth + int((last - birth) * share("updatedAt", row_key(options.seed, row)) ** 3))
    for name, stamps in (("createdAt", created), ("updatedAt", updated)):
        known = source.columns([name], range(count))[0]
        for row, value in enumerate(known):
            if value is not None:
                stamps[row] = int(value)
    for row, birth in enumerate(created):
        updated[row] = max(birth, updated[row])
    return created, updated
