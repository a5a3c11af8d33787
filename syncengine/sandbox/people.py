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
from syncengine.sandbox.options import SandboxOptions
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
        rows = self.rows()
        return [row for row, value in zip(rows, self.columns([name], rows)[0], strict=True) if value in values]

    def columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Present values of `rows`, a list for each name."""
        touched = [(place, self._changed[row]) for place, row in enumerate(rows) if row in self._changed]
        columns = self._source.columns(names, rows)
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
        typed = self._typed(values)
        self._changed.setdefault(row, {}).update(typed)
        self._updated[row] = int(now)

    def add(self, values: Mapping[str, Any], now: float) -> int:
        """Add a lead; fields that are not given come from the source. Returns its id."""
        typed = self._typed(values)
        row = len(self)
        self._created.append(int(now))
        self._updated.append(int(now))
        if typed:
            self._changed[row] = typed
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
