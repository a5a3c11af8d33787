"""Tests of what create calls of program members and custom objects may ask, and of static lists as filters."""

from typing import Any

import pytest

from tests.unit.sandbox.caller import Caller, code_of, text_of, value_of

LEADS = "/bulk/v1/leads/export"
MEMBERS = "/bulk/v1/program/members/export"
CARS = "/bulk/v1/customobjects/car_c/export"
RECENT = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-15T00:00:00Z"}
TOO_LONG = {"startAt": "2025-12-01T00:00:00Z", "endAt": "2026-01-15T00:00:00Z"}


def refused(root: str, body: dict[str, Any], **options: Any) -> str:
    """The code of a create call."""
    return code_of(Caller(**options).call("POST", f"{root}/create.json", body))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"filter": {"programId": 4001}}, ""),
        ({"filter": {"programId": 4001, "programIds": [4001]}}, "1003"),
        ({"filter": {"updatedAt": RECENT}}, "1003"),
        ({"filter": {"programIds": []}}, "1003"),
        ({"filter": {"programIds": list(range(4001, 4011))}}, ""),
        ({"filter": {"programIds": list(range(4001, 4012))}}, "1003"),
        ({"filter": {"programIds": ["4001"]}}, "1003"),
        ({"filter": {"programIds": [4001, 9]}}, "1013"),
        ({"filter": {"programId": 4001, "updatedAt": RECENT, "isExhausted": True}}, ""),
        ({"filter": {"programId": 4001, "updatedAt": TOO_LONG}}, "1003"),
        ({"filter": {"programId": 4001, "createdAt": RECENT}}, "1003"),
        ({"filter": {"programId": 4001, "isExhausted": "yes"}}, "1003"),
        ({"filter": {"programId": 4001, "nurtureCadence": "fast"}}, "1003"),
        ({"filter": {"programId": 4001, "nurtureCadence": "norm", "statusNames": ["Member"]}}, ""),
        ({"filter": {"programId": 4001, "statusNames": ["NoSuchStatus"]}}, "1003"),
        ({"fields": []}, "1003"),
        ({"fields": ["email", "leadId", "webinarUrl"]}, ""),
        ({"fields": ["noSuchField"]}, "1003"),
        ({"fields": ["leadId"], "columnHeaderNames": {"email": "E"}}, "1003"),
    ],
)
def test_members_are_exported_by_program(changes: dict[str, Any], code: str) -> None:
    """One to ten programs are named, other filters may be added, and fields are those of members and leads."""
    assert code == refused(MEMBERS, {"fields": ["leadId"], "filter": {"programIds": [4001]}, **changes})


@pytest.mark.parametrize(
    ("api_name", "changes", "code"),
    [
        ("car_c", {}, ""),
        ("purchase_c", {"fields": ["leadId", "productName"]}, ""),
        ("noSuch_c", {}, "1013"),
        ("plant_c", {"fields": ["plantCode"]}, "1003"),
        ("idea_c", {"fields": ["title"]}, "1003"),
        ("car_c", {"fields": ["noSuchField"]}, "1003"),
        ("car_c", {"fields": None}, "1003"),
        ("car_c", {"filter": {}}, "1003"),
        ("car_c", {"filter": {"createdAt": RECENT}}, "1003"),
        ("car_c", {"filter": {"updatedAt": TOO_LONG}}, "1003"),
        ("car_c", {"filter": {"updatedAt": RECENT, "staticListId": 2001}}, "1003"),
        ("car_c", {"filter": {"staticListId": 2001}}, ""),
        ("car_c", {"filter": {"staticListId": "2001"}}, "1003"),
        ("car_c", {"filter": {"staticListId": 9}}, "1013"),
        ("car_c", {"filter": {"staticListName": "no such list"}}, "1013"),
        ("car_c", {"filter": {"smartListId": 1}}, "1035"),
    ],
)
def test_custom_objects_are_exported_when_they_hang_on_leads(api_name: str, changes: dict[str, Any], code: str) -> None:
    """Approved ones alone, linked to leads, by exactly one filter."""
    body = {"fields": ["vIN"], "filter": {"updatedAt": RECENT}, **changes}
    assert code == refused(f"/bulk/v1/customobjects/{api_name}/export", body)


def test_where_updatedat_is_not_available_members_lack_it_like_leads() -> None:
    """1035 for both; on custom objects the page does not star the filter."""
    of_members = {"fields": ["leadId"], "filter": {"programId": 4001, "updatedAt": RECENT}}
    of_cars = {"fields": ["vIN"], "filter": {"updatedAt": RECENT}}
    assert refused(MEMBERS, of_members, updated_at_filter=False) == "1035"
    assert refused(CARS, of_cars, updated_at_filter=False) == ""


def test_a_deletion_cannot_be_asked_of_a_bulk_export() -> None:
    """Adobe points at deletedleads instead."""
    body = {"filter": {"createdAt": RECENT, "activityTypeIds": [6, 37]}}
    assert refused("/bulk/v1/activities/export", body) == "1003"


def test_the_file_of_members_is_their_truth() -> None:
    """With programIds the program stands first; headers of some fields differ from their names, unless renamed."""
    caller = Caller()
    fields = ["leadId", "statusName", "membershipDate", "webinarUrl", "email"]
    rows = caller.rows(MEMBERS, {"fields": fields, "filter": {"programIds": [4002, 4001]}})
    assert rows[0] == ["programId", "Lead Id", "Status", "Member Date", "webinarUrl", "email"]
    wanted = ("programId", "leadId", "statusName", "membershipDate", "webinarUrl")
    truth = [
        ["null" if line[name] is None else str(line[name]) for name in wanted]
        for line in caller.truth("program_members")
        if line["programId"] in (4001, 4002)
    ]
    assert sorted(row[:5] for row in rows[1:]) == sorted(truth)
    emails = {str(line["id"]): line["email"] or "null" for line in caller.truth("leads")}
    assert all(emails[row[1]] == row[5] for row in rows[1:])
    renamed = {"fields": ["leadId"], "filter": {"programId": 4001}, "columnHeaderNames": {"leadId": "leadId"}}
    assert caller.rows(MEMBERS, renamed)[0] == ["leadId"]


def test_filters_of_members_are_all_applied() -> None:
    """A row passes each of them."""
    caller = Caller(years=0.05)
    chosen = {"programId": 4001, "isExhausted": False, "statusNames": ["Member", "Invited"], "updatedAt": RECENT}
    rows = caller.rows(MEMBERS, {"fields": ["leadId"], "filter": chosen})
    truth = [
        str(line["leadId"])
        for line in caller.truth("program_members")
        if line["programId"] == 4001
        and not line["isExhausted"]
        and line["statusName"] in {"Member", "Invited"}
        and "2026-01-01T00:00:00Z" <= line["updatedAt"] <= "2026-01-15T00:00:00Z"
    ]
    assert sorted(row[0] for row in rows[1:]) == sorted(truth)
    assert truth


def test_the_file_of_a_static_list_holds_its_members_of_the_start() -> None:
    """Leads and custom objects of the list; who joins before the job starts is in it."""
    caller = Caller()
    caller.change(list_members=[{"listId": 2003, "add": [1002]}])
    assert caller.rows(LEADS, {"fields": ["id"], "filter": {"staticListId": 2003}}) == [["id"], ["1002"]]
    name = next(line["name"] for line in caller.truth("lists") if line["id"] == 2001)
    members = [str(line["leadId"]) for line in caller.truth("list_members") if line["listId"] == 2001]
    by_name = caller.rows(LEADS, {"fields": ["id"], "filter": {"staticListName": name}})
    assert [row[0] for row in by_name[1:]] == members
    cars = caller.rows(CARS, {"fields": ["leadId", "vIN"], "filter": {"staticListId": 2001}})
    truth = [line["vIN"] for line in caller.truth("custom_objects/car_c") if str(line["leadID"]) in members]
    assert (cars[0], [row[1] for row in cars[1:]]) == (["leadId", "vIN"], truth)


def test_each_kind_has_its_own_list_of_jobs_and_all_share_the_queue() -> None:
    """Ten jobs of any kinds fill it."""
    caller = Caller(calls_per_window=1_000)
    bodies = {
        MEMBERS: {"fields": ["leadId"], "filter": {"programId": 4001}},
        CARS: {"fields": ["vIN"], "filter": {"updatedAt": RECENT}},
        "/bulk/v1/customobjects/purchase_c/export": {"fields": ["amount"], "filter": {"updatedAt": RECENT}},
    }
    for _ in range(4):
        for root, body in bodies.items():
            job_id = value_of(caller.call("POST", f"{root}/create.json", body))["result"][0]["exportId"]
            last = caller.call("POST", f"{root}/{job_id}/enqueue.json")
    assert code_of(last) == "1029"
    caller.now += 60
    assert [len(caller.get(f"{root}.json")["result"]) for root in bodies] == [4, 4, 4]
    counters = value_of(caller.control("GET", "counters"))
    assert counters["jobs_created"] == {"program_members": 4, "custom_object_car_c": 4, "custom_object_purchase_c": 4}
    assert counters["calls"]["custom_objects.export.create"] == 8
    other = caller.call("GET", f"/bulk/v1/customobjects/purchase_c/export/{job_id}/status.json")
    assert value_of(other)["result"][0]["status"] == "Created"
    assert code_of(caller.call("GET", f"{CARS}/{job_id}/status.json")) == "1013"
    assert caller.call("GET", f"{CARS}/{job_id}/file.json").status == 404


def test_a_row_of_a_custom_object_is_in_the_window_of_its_updatedat() -> None:
    """Both ends belong to it."""
    caller = Caller()
    caller.change(records={"custom_objects/car_c": [{"row": 5, "color": "null"}]})
    moment = {"startAt": text_of(caller.now), "endAt": text_of(caller.now)}
    rows = caller.rows(CARS, {"fields": ["vIN", "color"], "filter": {"updatedAt": moment}})
    assert rows[1:] == [["5YJSA1E41FF000005", "null"]]
