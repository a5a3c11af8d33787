"""The activities of the instance: when each happened, and its values as a pure function of the seed.

Separate from people because nothing is updated here: activities are only added. One can become visible later than its
own date, as "Send Email" does when it is committed after the mail went out; whoever has read past that date by then
never meets it again. Deletions of leads are kept here too, but bulk exports and the truth of activities lack them.
"""

import heapq
from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from syncengine.sandbox.activity_types import ACTIVITY_TYPES, DELETE_LEAD, attribute_texts
from syncengine.sandbox.draws import numbers, picks, row_key, row_keys, share
from syncengine.sandbox.fates import Fates
from syncengine.sandbox.hostile import HOSTILE_TEXTS, long_text
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import FIRST_LEAD_ID, SECONDS_A_YEAR, YOUNGEST_SECONDS
from syncengine.sandbox.values import Value, coerced, truth_converter

FIRST_ACTIVITY_ID = 500_001
TRUTH_ROWS = 2_000
LONG_TEXT_EVERY = 49_999
# A late activity comes between one and so many hours after its date.
LATE_HOURS_MAX = 30

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

    def __init__(self, options: SandboxOptions, lead_count: int, fates: Fates | None = None) -> None:
        last = int(options.start_seconds) - YOUNGEST_SECONDS
        span = int(options.years * SECONDS_A_YEAR)
        count = options.activities
        self._seed = options.seed
        self._lead_count = max(1, lead_count)
        self._dates = array("q", (last - span + span * (row + 1) // count for row in range(count)))
        self._given: dict[int, dict[str, Value]] = {}
        self._fates = fates or Fates()
        self._first_count = count
        self._late_share = options.late_activities
        self._visible_at: dict[int, int] = {}
        self._added: list[tuple[int, int]] = []  # (date, row) of what came after the start, sorted
        self._deletions: list[tuple[int, int]] = []
        self._types = [kind.id for kind in ACTIVITY_TYPES for _ in range(kind.weight)]
        self._attributes = {kind.id: attribute_texts(kind) for kind in ACTIVITY_TYPES}

    def __len__(self) -> int:
        return len(self._dates)

    def between(
        self, start: int, end: int, type_ids: frozenset[int] | None = None, now: float | None = None
    ) -> list[int]:
        """Rows that happened in [start, end], ordered by (activityDate, id); with `now`, those visible by then.

        Deletions of leads are not among them.
        """
        dates = self._dates
        rows = self.shown((row for row, stamp in enumerate(dates) if start <= stamp <= end), now)
        if type_ids is not None:
            kinds = self.columns(["activityTypeId"], rows)[0]
            rows = [row for row, kind in zip(rows, kinds, strict=True) if kind in type_ids]
        rows.sort(key=dates.__getitem__)
        return rows

    def after(self, date: int, row: int, count: int, *, deletions: bool = False) -> list[tuple[int, int]]:
        """The next `count` (date, row) behind that place, whether visible or not, deletions alone or all rows."""
        place = (date, row)
        later = self._deletions if deletions else self._added
        added = (later[number] for number in range(bisect_left(later, (date, row + 1)), len(later)))
        if deletions:
            return list(islice(added, count))
        first = bisect_left(self._dates, date, hi=self._first_count)
        initial = ((self._dates[number], number) for number in range(first, self._first_count))
        return list(islice((one for one in heapq.merge(initial, added) if one > place), count))

    def visible_at(self, row: int) -> int:
        """The instant from which on Marketo shows the activity."""
        given = self._visible_at.get(row)
        if given is not None:
            return given
        key = row_key(self._seed + 1, row)
        if not self._late_share or share("late", key) >= self._late_share:
            return self._dates[row]
        return self._dates[row] + 3_600 + int(share("hours", key) * (LATE_HOURS_MAX - 1) * 3_600)

    def columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Values of `rows`, a list for each name."""
        keys = row_keys(self._seed + 1, rows)
        columns = [self._column(name, rows, keys) for name in names]
        given = [(place, self._given[row]) for place, row in enumerate(rows) if row in self._given]
        for column, name in zip(columns, names, strict=True):
            for place, values in given:
                if name in values:
                    column[place] = values[name]
        if self._fates.has_merges and "leadId" in names:
            place = list(names).index("leadId")
            columns[place] = self._fates.heirs(columns[place])
        return columns

    def add(self, values: Mapping[str, Any], now: float, *, is_deletion: bool = False) -> str:
        """Add an activity, dated now unless `activityDate` (or `date`) is given, visible from `visibleAt` on.

        Returns its GUID. Raises ValueError for an unknown field.
        """
        asked = {"activityDate" if name == "date" else name: value for name, value in values.items()}
        visible = asked.pop("visibleAt", None)
        typed = {name: coerced(EXPORT_FIELDS[name], value) for name, value in asked.items() if name in EXPORT_FIELDS}
        if len(typed) < len(asked) or "marketoGUID" in typed:
            raise ValueError(f"an activity has the fields {', '.join(EXPORT_FIELDS)}, and its GUID is not chosen")
        seen_from = None if visible is None else int(coerced("datetime", visible) or 0)
        moment = typed.pop("activityDate", None)
        row = len(self)
        date = int(now) if moment is None else int(moment)
        self._dates.append(date)
        insort(self._added, (date, row))
        if is_deletion:
            insort(self._deletions, (date, row))
            typed["activityTypeId"] = DELETE_LEAD
        if typed:
            self._given[row] = typed
        if seen_from is not None:
            self._visible_at[row] = seen_from
        return str(FIRST_ACTIVITY_ID + row)

    def deletions(self) -> list[int]:
        """Rows that are deletions of leads."""
        return sorted(row for _, row in self._deletions)

    def truth(self, now: float | None = None) -> Iterator[bytes]:
        """Activities as JSON lines with typed values, in the order of GUIDs; with `now`, those visible by then."""
        names = list(DEFAULT_FIELDS)
        converters = [truth_converter(data_type) for data_type in DEFAULT_FIELDS.values()]
        known = self.shown(range(len(self)), now)
        for start in range(0, len(known), TRUTH_ROWS):
            columns = self.columns(names, known[start : start + TRUTH_ROWS])
            converted = [convert(column) for convert, column in zip(converters, columns, strict=True)]
            lines = (dict(zip(names, values, strict=True)) for values in zip(*converted, strict=True))
            yield b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)

    def shown(self, rows: Iterable[int], now: float | None) -> list[int]:
        """Those of the rows that are no deletions of leads and, with `now`, visible by then."""
        deleted = set(self.deletions())
        if deleted:
            rows = (row for row in rows if row not in deleted)
        if now is None or not (self._late_share or self._visible_at):
            return list(rows)
        return [row for row in rows if self.visible_at(row) <= now]

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
