"""Tests of activities as the REST calls write them."""

import orjson

from tests.unit.sandbox.caller import Caller


def test_a_row_says_the_same_as_a_bulk_export() -> None:
    """The same values under the same names, attributes as a list, what is null left out."""
    caller = Caller()
    log = caller.instance.data.log
    shown = [log.activity(row, values) for row, values in zip(range(600), log.values(range(600)), strict=True)]
    for line, row in zip(caller.truth("activities"), shown, strict=True):
        attributes = {one["name"]: one["value"] for one in row["attributes"]}
        told = row | {"attributes": orjson.loads(line["attributes"])}
        assert attributes == told["attributes"]
        expected = {name: value for name, value in line.items() if value is not None}
        assert told == expected | {"id": int(line["marketoGUID"]), "attributes": attributes}


def test_changes_are_those_of_two_types() -> None:
    """Each names a field that leads have; a new lead names none."""
    caller = Caller()
    lines = caller.truth("lead_changes")
    kinds = [line["activityTypeId"] for line in caller.truth("activities")]
    assert len(lines) == kinds.count(12) + kinds.count(13)
    names = {field.name for field in caller.instance.people.exportable()}
    for line in lines:
        assert len(line["fields"]) == (line["activityTypeId"] == 13)
        assert {one["name"] for one in line["fields"]} <= names
