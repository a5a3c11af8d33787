"""Activities as the REST calls write them, which differs from what a bulk export writes; separate from the paging.

What is empty is left out. Adobe's examples of lead changes and deleted leads write dates with +0000, those of
activities with Z: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/activities
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from syncengine.sandbox.activities import FIRST_ACTIVITY_ID, Activities
from syncengine.sandbox.activity_types import ACTIVITY_TYPES, CHANGE_DATA_VALUE, NEW_LEAD, api_name_of
from syncengine.sandbox.draws import numbers, row_key
from syncengine.sandbox.fields import LeadField
from syncengine.sandbox.people import People
from syncengine.sandbox.values import Value, utc_formatter

ROW_NAMES = (
    "leadId",
    "activityDate",
    "activityTypeId",
    "campaignId",
    "primaryAttributeValueId",
    "primaryAttributeValue",
    "attributes",
)
CUSTOM_TYPES = frozenset(kind.id for kind in ACTIVITY_TYPES if kind.api_name)
CHANGE_TYPES = frozenset({CHANGE_DATA_VALUE, NEW_LEAD})
TRUTH_ROWS = 2_000

Row = dict[str, Any]


class ActivityRows:
    """Rows of the log as JSON objects."""

    def __init__(self, activities: Activities, people: People, seed: int) -> None:
        self._activities, self._people = activities, people
        # What was changed long ago is not another field because one was added since.
        self._drawn = [field for field in people.exportable() if not field.is_read_only]
        self._seed = seed + 7
        self._utc = utc_formatter()

    def values(self, rows: Sequence[int]) -> list[Row]:
        """What the log knows of rows."""
        columns = self._activities.columns(ROW_NAMES, rows)
        return [dict(zip(ROW_NAMES, values, strict=True)) for values in zip(*columns, strict=True)]

    def activity(self, row: int, values: Row) -> Row:
        """A row as activities.json has it."""
        guid = FIRST_ACTIVITY_ID + row
        shown = {"id": guid, "marketoGUID": str(guid)} | values
        shown["activityDate"] = self._utc(int(values["activityDate"]))
        is_custom = values["activityTypeId"] in CUSTOM_TYPES
        shown["attributes"] = [
            {"apiName": api_name_of(name), "name": name, "value": value}
            if is_custom
            else {"name": name, "value": value}
            for name, value in _attributes_of(values).items()
        ]
        return {name: value for name, value in shown.items() if value is not None}

    def deletion(self, row: int, values: Row) -> Row:
        """A row as deletedleads.json has it."""
        return _plain_offset(self.activity(row, values))

    def change(self, row: int, values: Row) -> Row:
        """A row as leadchanges.json has it; a new lead has no changed fields."""
        shown = self.activity(row, values)
        attributes = _attributes_of(values)
        fields = []
        if values["activityTypeId"] == CHANGE_DATA_VALUE:
            field = self._changed_field(row, values)
            changed = {"id": field.id, "name": field.name, "newValue": str(attributes.pop("New Value", ""))}
            if "Old Value" in attributes:
                changed["oldValue"] = str(attributes.pop("Old Value"))
            fields.append(changed)
        attributes["Lead ID"] = values["leadId"]
        kept = {name: shown[name] for name in ("id", "marketoGUID", "leadId", "activityDate", "activityTypeId")}
        listed = [{"name": name, "value": value} for name, value in attributes.items()]
        return _plain_offset(kept | {"fields": fields, "attributes": listed})

    def changes_truth(self, now: float) -> Iterator[bytes]:
        """All lead changes that are visible by `now`, of any field, as JSON lines."""
        rows = self._activities.shown(range(len(self._activities)), now)
        for start in range(0, len(rows), TRUTH_ROWS):
            part = rows[start : start + TRUTH_ROWS]
            yield b"".join(
                orjson.dumps(self.change(row, values), option=orjson.OPT_APPEND_NEWLINE)
                for row, values in zip(part, self.values(part), strict=True)
                if values["activityTypeId"] in CHANGE_TYPES
            )

    def deletions_truth(self) -> Iterator[bytes]:
        """All deletions of leads as JSON lines."""
        rows = self._activities.deletions()
        return (
            orjson.dumps(self.deletion(row, values), option=orjson.OPT_APPEND_NEWLINE)
            for row, values in zip(rows, self.values(rows), strict=True)
        )

    def _changed_field(self, row: int, values: Row) -> LeadField:
        """The field that a change is about: the one that it names, else one that follows from the seed."""
        named = self._people.fields.get(str(values["primaryAttributeValue"]))
        if named is not None:
            return named
        return self._drawn[numbers("field", [row_key(self._seed, row)], len(self._drawn))[0]]


def _plain_offset(shown: Row) -> Row:
    return shown | {"activityDate": str(shown["activityDate"]).replace("Z", "+0000")}


def _attributes_of(values: Mapping[str, Value]) -> dict[str, Any]:
    parsed = orjson.loads(str(values["attributes"] or "{}"))
    return parsed if isinstance(parsed, dict) else {}
