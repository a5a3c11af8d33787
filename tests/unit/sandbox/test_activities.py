"""Tests of the activities."""

import orjson
import pytest

from syncengine.sandbox.activities import DEFAULT_FIELDS, FIRST_ACTIVITY_ID, Activities
from syncengine.sandbox.activity_types import ACTIVITY_TYPES
from syncengine.sandbox.people import FIRST_LEAD_ID
from tests.unit.sandbox.caller import small_options, text_of

OPTIONS = small_options(activities=5_000)
NOW = OPTIONS.start_seconds


def activities_of() -> Activities:
    """A fresh store for 300 leads."""
    return Activities(OPTIONS, 300)


def test_all_types_occur_and_belong_to_known_leads() -> None:
    """Every type that has a share, leads that exist, attributes that are JSON objects named by the type."""
    activities = activities_of()
    kinds, leads, attributes = activities.columns(["activityTypeId", "leadId", "attributes"], range(5_000))
    assert {kind.id for kind in ACTIVITY_TYPES if kind.weight} == set(kinds)
    assert all(FIRST_LEAD_ID <= int(lead or 0) < FIRST_LEAD_ID + 300 for lead in leads)
    names = {kind.id: {name for name, _ in kind.attributes} | {"Remark"} for kind in ACTIVITY_TYPES}
    assert all(set(orjson.loads(str(t))) <= names[int(k or 0)] for k, t in zip(kinds, attributes, strict=True))


def test_a_window_takes_both_its_ends() -> None:
    """An activity at the first or the last second is inside."""
    activities = activities_of()
    dates = [int(date or 0) for date in activities.columns(["activityDate"], [10, 11, 12])[0]]
    assert activities.between(dates[0], dates[2]) == [10, 11, 12]
    assert activities.between(dates[0] + 1, dates[2] - 1) == [11]


def test_an_added_activity_may_lie_in_the_past() -> None:
    """It is sorted in by its date, behind those with a lower GUID."""
    activities = activities_of()
    date = int(activities.columns(["activityDate"], [10])[0][0] or 0)
    guid = activities.add({"activityDate": text_of(date), "leadId": 1234, "activityTypeId": 46}, NOW)
    assert guid == str(FIRST_ACTIVITY_ID + 5_000)
    assert activities.between(date, date) == [10, 5_000]
    assert activities.columns(["leadId", "activityTypeId"], [5_000]) == [[1234], [46]]
    assert activities.between(date, date, frozenset({46}))[-1] == 5_000


@pytest.mark.parametrize("values", [{"marketoGUID": "1"}, {"colour": "red"}, {"activityDate": "today"}])
def test_an_impossible_activity_is_refused(values: dict[str, str]) -> None:
    """Unknown fields, a chosen GUID and a date that is none are errors."""
    activities = activities_of()
    with pytest.raises(ValueError, match=r"."):
        activities.add(values, NOW)
    assert len(activities) == 5_000


def test_truth_lists_the_default_fields_in_the_order_of_guids() -> None:
    """Numbers are numbers, the GUID is a text, attributes stay the text that an export holds."""
    activities = activities_of()
    lines = [orjson.loads(line) for line in b"".join(activities.truth()).splitlines()]
    assert [line["marketoGUID"] for line in lines] == [str(FIRST_ACTIVITY_ID + row) for row in range(5_000)]
    assert list(lines[0]) == list(DEFAULT_FIELDS)
    assert all(isinstance(line["leadId"], int) and isinstance(line["attributes"], str) for line in lines)
