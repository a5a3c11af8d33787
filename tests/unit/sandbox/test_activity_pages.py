"""Tests of the activity family."""

from typing import Any

import pytest

from tests.unit.sandbox.caller import Caller, text_of

TOKEN = "/rest/v1/activities/pagingtoken.json"
ACTIVITIES = "/rest/v1/activities.json"
CHANGES = "/rest/v1/activities/leadchanges.json"
DELETED = "/rest/v1/activities/deletedleads.json"
ALL_TYPES = "1,2,6,7,10,11,12,13,22,46"
HOUR = 3_600


def caller_of(**options: Any) -> Caller:
    """A caller whom neither rate limit nor expiring access tokens hold up."""
    return Caller(calls_per_window=100_000, token_seconds=1e9, **options)


def token_of(caller: Caller, since: float = 0.0) -> str:
    """A token for a date, by default before everything."""
    return str(caller.get(TOKEN, sinceDatetime=text_of(since or caller.now - 4 * 366 * 86_400))["nextPageToken"])


def pages(caller: Caller, path: str, token: str, **query: object) -> tuple[list[Any], str]:
    """All answers up to the one without more results, and the token at their end."""
    found = []
    while True:
        found.append(caller.get(path, nextPageToken=token, **query))
        assert found[-1]["success"]
        token = found[-1]["nextPageToken"]
        if not found[-1]["moreResult"]:
            return found, token


def guids(found: list[Any]) -> list[str]:
    """The GUIDs of all pages."""
    return [row["marketoGUID"] for page in found for row in page.get("result", ())]


def test_pages_hold_every_activity_once_in_the_order_of_dates() -> None:
    """Custom types are asked like others, and the truth knows no other activity."""
    caller = caller_of(activities=5_000)
    found, _ = pages(caller, ACTIVITIES, token_of(caller), activityTypeIds=ALL_TYPES)
    custom, _ = pages(caller, ACTIVITIES, token_of(caller), activityTypeIds="100001")
    truth = caller.truth("activities")
    assert sorted(guids(found) + guids(custom)) == sorted(str(line["marketoGUID"]) for line in truth)
    attributes = [attribute for page in custom for row in page.get("result", ()) for attribute in row["attributes"]]
    assert {"apiName", "name", "value"} == set(attributes[0])
    dates = [row["activityDate"] for page in found for row in page.get("result", ())]
    assert dates == sorted(dates)


def test_short_and_empty_pages_do_not_end_a_reading_and_repeat_with_the_seed() -> None:
    """Both kinds occur while more is to come, at the same places in another instance of the same seed."""
    sizes = []
    for _ in range(2):
        caller = caller_of(activities=5_000)
        found, _ = pages(caller, ACTIVITIES, token_of(caller), activityTypeIds=ALL_TYPES)
        sizes.append([len(page.get("result", ())) for page in found])
    assert sizes[0] == sizes[1]
    assert min(sizes[0][:-1]) == 0
    assert any(0 < size < 300 for size in sizes[0][:-1])
    assert max(sizes[0]) == 300


def test_only_what_lies_after_the_date_is_returned() -> None:
    """An activity at the very second is not."""
    caller = caller_of()
    row = caller.truth("activities")[300]
    since = caller.instance.activities.columns(["activityDate"], [300])[0][0]
    found, _ = pages(caller, ACTIVITIES, token_of(caller, int(since or 0)), activityTypeIds=ALL_TYPES)
    before, _ = pages(caller, ACTIVITIES, token_of(caller, int(since or 0) - 1), activityTypeIds=ALL_TYPES)
    assert row["marketoGUID"] not in guids(found)
    assert set(guids(before)) - set(guids(found)) == {row["marketoGUID"]}


def test_the_last_token_goes_on_where_the_reading_ended() -> None:
    """What happens afterwards, in the same second too, comes with it, and nothing twice."""
    caller = caller_of()
    first, token = pages(caller, ACTIVITIES, token_of(caller), activityTypeIds=ALL_TYPES)
    new = caller.change(new_activities=[{"activityTypeId": 6, "leadId": 1001, "attributes": "{}"}])
    later, _ = pages(caller, ACTIVITIES, token, activityTypeIds=ALL_TYPES)
    assert guids(later) == new["added_activities"]
    assert not set(guids(first)) & set(guids(later))


def test_a_late_activity_is_lost_to_a_reader_who_has_passed_its_date() -> None:
    """It shows hours after its date, to a bulk export and to a token that goes back, but not to the last token."""
    caller = caller_of(activities=0)
    late = {"activityTypeId": 6, "date": text_of(caller.now - HOUR), "visibleAt": text_of(caller.now + 2 * HOUR)}
    done = caller.change(new_activities=[late])
    back = token_of(caller, caller.now - 2 * HOUR)
    early, token = pages(caller, ACTIVITIES, back, activityTypeIds="6")
    window = {"startAt": text_of(caller.now - 86_400), "endAt": text_of(caller.now)}
    assert (guids(early), caller.truth("activities")) == ([], [])
    assert caller.rows("/bulk/v1/activities/export", {"filter": {"createdAt": window}})[1:] == []
    caller.now += 3 * HOUR
    assert guids(pages(caller, ACTIVITIES, token, activityTypeIds="6")[0]) == []
    assert guids(pages(caller, ACTIVITIES, back, activityTypeIds="6")[0]) == done["added_activities"]
    assert len(caller.rows("/bulk/v1/activities/export", {"filter": {"createdAt": window}})) == 2


def test_a_share_of_activities_can_be_late() -> None:
    """With the option some of the newest are not visible at the start, and all are a day and a half later."""
    caller = caller_of(late_activities=0.5, activities=2_000, years=0.02)
    before = len(caller.truth("activities"))
    caller.now += 36 * HOUR
    assert before < len(caller.truth("activities")) == 2_000


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (TOKEN, {}, "1002"),
        (TOKEN, {"sinceDatetime": "yesterday"}, "1003"),
        (TOKEN, {"sinceDatetime": "2026-01-01T00:00:00"}, "1003"),
        (ACTIVITIES, {"activityTypeIds": "1"}, "1002"),
        (ACTIVITIES, {"nextPageToken": "?"}, "1002"),
        (ACTIVITIES, {"nextPageToken": "?", "activityTypeIds": "1,2,3,4,5,6,7,8,9,10,11"}, "1003"),
        (ACTIVITIES, {"nextPageToken": "?", "activityTypeIds": "one"}, "1001"),
        (ACTIVITIES, {"nextPageToken": "WQV2VQ====", "activityTypeIds": "1"}, "1003"),
        (ACTIVITIES, {"nextPageToken": "?", "activityTypeIds": "1", "batchSize": "301"}, "1003"),
        (ACTIVITIES, {"nextPageToken": "?", "activityTypeIds": "1", "listId": "9"}, "1013"),
        (ACTIVITIES, {"nextPageToken": "?", "activityTypeIds": "1", "leadIds": ",".join(["1"] * 31)}, "1003"),
        (CHANGES, {"nextPageToken": "?"}, "1002"),
        (CHANGES, {"nextPageToken": "?", "fields": "email,noSuchField"}, "1006"),
        (DELETED, {}, "1002"),
    ],
)
def test_wrong_questions_are_refused(path: str, query: dict[str, str], code: str) -> None:
    """Each parameter is judged."""
    caller = caller_of()
    asked = {name: token_of(caller) if value == "?" else value for name, value in query.items()}
    assert caller.get(path, **asked)["errors"][0]["code"] == code


def test_leads_and_lists_narrow_the_activities() -> None:
    """Only those of the named leads, or of members of the list."""
    caller = caller_of(activities=3_000)
    of_leads, _ = pages(caller, ACTIVITIES, token_of(caller), activityTypeIds=ALL_TYPES, leadIds="1001,1002")
    of_list, _ = pages(caller, ACTIVITIES, token_of(caller), activityTypeIds=ALL_TYPES, listId=2001)
    members = {line["leadId"] for line in caller.truth("list_members") if line["listId"] == 2001}
    assert {row["leadId"] for page in of_leads for row in page.get("result", ())} == {1001, 1002}
    assert {row["leadId"] for page in of_list for row in page.get("result", ())} <= members


def test_a_list_of_ten_thousand_is_refused_from_the_end_of_2026_on() -> None:
    """Adobe announced the date."""
    caller = caller_of(leads=10_000, activities=0, calls_per_day=10)
    asked = {"activityTypeIds": 1, "listId": 2002}
    assert caller.get(ACTIVITIES, nextPageToken=token_of(caller), **asked)["success"]
    caller.now = 1_798_588_800
    assert caller.get(ACTIVITIES, nextPageToken=token_of(caller), **asked)["errors"][0]["code"] == "1003"


def test_deleted_leads_are_paged_by_their_own_log() -> None:
    """Each deletion comes once, with the lead's name, and is what the truth says."""
    caller = caller_of(activities=5_000)
    token = token_of(caller)
    gone = caller.change(delete_leads=[1003, 1004, 1005])["deleted_leads"]
    found, last = pages(caller, DELETED, token)
    rows = [row for page in found for row in page.get("result", ())]
    assert rows == caller.truth("deleted_leads")
    assert [(row["leadId"], row["activityTypeId"], row["attributes"]) for row in rows] == [(i, 37, []) for i in gone]
    assert guids(pages(caller, DELETED, last)[0]) == []


def test_a_logged_change_is_a_lead_change() -> None:
    """Old and new value, by the field's REST name; a new lead has no changed field."""
    caller = caller_of(activities=0)
    caller.change(leads=[{"id": 1001, "title": "CTO"}], log_changes=True)
    caller.change(leads=[{"id": 1001, "title": "CEO", "city": "Oslo"}], new_leads=[{}], log_changes=True)
    found, _ = pages(caller, CHANGES, token_of(caller), fields="title,phone")
    rows = [row for page in found for row in page.get("result", ())]
    assert [row["activityTypeId"] for row in rows] == [13, 13, 12]
    assert rows[1]["fields"] == [{"id": 23, "name": "title", "newValue": "CEO", "oldValue": "CTO"}]
    assert rows[2]["fields"] == []
    assert rows[0]["activityDate"].endswith("+0000")
