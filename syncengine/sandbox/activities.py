"""The activities of the instance: when each happened, and its values as a pure function of the seed.

Separate from people because nothing is updated here: activities are only added.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from syncengine.sandbox.activity_types import ACTIVITY_TYPES, attribute_texts
from syncengine.sandbox.draws import numbers, picks, row_keys
from syncengine.sandbox.hostile import HOSTILE_TEXTS, long_text
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import FIRST_LEAD_ID, SECONDS_A_YEAR, YOUNGEST_SECONDS
from syncengine.sandbox.values import Value, coerced, truth_converter

FIRST_ACTIVITY_ID = 500_001
TRUTH_ROWS = 2_000
LONG_TEXT_EVERY = 49_999

DEFAULT_FIELDS: dict[str, str] = {
    "marketoGUID": "string",
    "leadId": "integer",
    "activityDate": "datetime",
    "activityTypeId": "integer",
    "campaignId": "integer",
    "primaryAttributeValueId": "integer",
    "primaryAttributeValue": "string",
    "attributes": "text",
}
EXPORT_FIELDS: dict[str, str] = {**DEFAULT_FIELDS, "actionResult": "string"}

PRIMARY_TEXTS = (
    "localhost/index.html",
    "Newsletter 2024-03",
    "GL_OP_ALL.Form, short",
    'Tasting "Autumn"',
    "Lead Score",
)


class Activities:
    """All activities; row j has the GUID FIRST_ACTIVITY_ID + j."""

    def __init__(self, options: SandboxOptions, lead_count: int) -> None:
        last = int(options.start_seconds) - YOUNGEST_SECONDS
        span = int(options.years * SECONDS_A_YEAR)
        count = options.activities
        self._seed = options.seed
        self._lead_count = max(1, lead_count)
        self._dates = array("q", (last - span + span * (row + 1) // count for row in range(count)))
        self._given: dict[int, dict[str, Value]] = {}
        self._types = [kind.id for kind in ACTIVITY_TYPES for _ in range(kind.weight)]
        self._attributes = {kind.id: attribute_texts(kind) for kind in ACTIVITY_TYPES}

    def __len__(self) -> int:
        return len(self._dates)

    def between(self, start: int, end: int, type_ids: frozenset[int] | None = None) -> list[int]:
        """Rows that happened in [start, end], ordered by (activityDate, id)."""
        dates = self._dates
        rows = [row for row, stamp in enumerate(dates) if start <= stamp <= end]
        if type_ids is not None:
            kinds = self.columns(["activityTypeId"], rows)[0]
            rows = [row for row, kind in zip(rows, kinds, strict=True) if kind in type_ids]
        rows.sort(key=dates.__getitem__)
        return rows

    def columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Values of `rows`, a list for each name."""
        keys = row_keys(self._seed + 1, rows)
        columns = [self._column(name, rows, keys) for name in names]
        given = [(place, self._given[row]) for place, row in enumerate(rows) if row in self._given]
        for column, name in zip(columns, names, strict=True):
            for place, values in given:
                if name in values:
                    column[place] = values[name]
        return columns

    def add(self, values: Mapping[str, Any], now: float) -> str:
        """Add an activity, dated now unless `activityDate` is given; returns its GUID.

        Raises ValueError for an unknown field.
        """
        typed = {name: coerced(EXPORT_FIELDS[name], value) for name, value in values.items() if name in EXPORT_FIELDS}
        if len(typed) < len(values) or "marketoGUID" in typed:
            raise ValueError(f"an activity has the fields {', '.join(EXPORT_FIELDS)}, and its GUID is not chosen")
        moment = typed.pop("activityDate", None)
        row = len(self)
        self._dates.append(int(now) if moment is None else int(moment))
        if typed:
            self._given[row] = typed
        return str(FIRST_ACTIVITY_ID + row)

    def truth(self) -> Iterator[bytes]:
        """All activities as JSON lines with typed values, in the order of their GUIDs."""
        names = list(DEFAULT_FIELDS)
        converters = [truth_converter(data_type) for data_type in DEFAULT_FIELDS.values()]
        for start in range(0, len(self), TRUTH_ROWS):
            columns = self.columns(names, range(start, min(start + TRUTH_ROWS, len(self))))
            converted = [convert(column) for convert, column in zip(converters, columns, strict=True)]
            lines = (dict(zip(names, values, strict=True)) for values in zip(*converted, strict=True))
            yield b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)

    def _column(  # noqa: PLR0911  # a case for each column
        self, name: str, rows: Sequence[int], keys: Sequence[int]
    ) -> list[Value]:
        match name:
            case "marketoGUID":
                return [str(FIRST_ACTIVITY_ID + row) for row in rows]
            case "activityDate":
                return [self._dates[row] for row in rows]
            case "activityTypeId":
                return list(picks("activityTypeId", keys, self._types))
            case "leadId":
                return [FIRST_LEAD_ID + number for number in numbers("leadId", keys, self._lead_count)]
            case "campaignId":
                return [None if number < 30 else 3_000 + number for number in numbers("campaignId", keys, 100)]
            case "primaryAttributeValueId":
                return [None if number < 10 else number for number in numbers("primaryAttributeValueId", keys, 400)]
            case "primaryAttributeValue":
                pool = (None, *PRIMARY_TEXTS * 40, *HOSTILE_TEXTS)
                return list(picks("primaryAttributeValue", keys, pool))
            case "attributes":
                return self._attribute_column(rows, keys)
            case _:
                return ["succeeded"] * len(rows)

    def _attribute_column(self, rows: Sequence[int], keys: Sequence[int]) -> list[Value]:
        kinds = picks("activityTypeId", keys, self._types)
        variants = numbers("attributes", keys, len(self._attributes[1]))
        return [
            orjson.dumps({"Remark": long_text(row)}).decode()
            if row % LONG_TEXT_EVERY == 11
            else self._attributes[kind][variant]
            for row, kind, variant in zip(rows, kinds, variants, strict=True)
        ]
