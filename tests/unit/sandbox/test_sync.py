"""Tests of writing up to 300 records a call."""

from typing import Any

import pytest

from tests.unit.sandbox.caller import FORM, Caller, code_of, value_of

LEADS = "/rest/v1/leads.json"
CARS = "/rest/v1/customobjects/car_c.json"


def synced(caller: Caller, path: str, *records: dict[str, Any], **more: Any) -> Any:
    """The answer to a write of these records."""
    return value_of(caller.call("POST", path, {"input": list(records), **more}))


def test_each_lead_has_a_status_of_its_own() -> None:
    """In the order of the input; a lead that was skipped says why."""
    caller = Caller()
    old = caller.leads_by("id", "1003", "email")[0]["email"]
    records = [
        {"email": "n@x.de", "leadScore": 3},
        {"email": old},
        {"email": "m@x.de", "leadScore": "x"},
        {"city": "C"},
    ]
    records += [{"email": "k@x.de", "noSuch": 1}, {"email": "k@x.de", "createdAt": None}, {"email": "k\u00e9@x.de"}]
    shown = synced(caller, LEADS, *records)
    assert shown["result"] == [
        {"id": 1301, "status": "created"},
        {"id": 1003, "status": "updated"},
        *(
            {"status": "skipped", "reasons": [{"code": code, "message": message}]}
            for code, message in (
                ("1003", "Invalid data type in field Lead Score"),
                ("1003", "Missing value for lookup field Email Address"),
                ("1006", "Field 'noSuch' not found"),
                ("1003", "Field 'createdAt' cannot be written"),
                ("1003", "Invalid characters in field Email Address"),
            )
        ),
    ]
    assert len(caller.truth("leads")) == 301


@pytest.mark.parametrize(
    ("action", "statuses"),
    [
        ("createOnly", ["created", "skipped"]),
        ("updateOnly", ["skipped", "updated"]),
        ("createDuplicate", ["created", "created"]),
        ("createOrUpdate", ["created", "updated"]),
    ],
)
def test_the_action_decides(action: str, statuses: list[str]) -> None:
    """For a new lead and an old one."""
    caller = Caller()
    synced(caller, LEADS, {"email": "old@x.de"})
    shown = synced(caller, LEADS, {"email": "new@x.de"}, {"email": "OLD@x.de"}, action=action)
    assert [record["status"] for record in shown["result"]] == statuses


def test_calls_under_way_at_once_make_a_duplicate() -> None:
    """A call sees what others have made when they have departed, a job likewise."""
    caller = Caller()
    caller.login()
    body = {"input": [{"email": "n@x.de"}]}
    first, second = caller.arrive("POST", LEADS, body), caller.arrive("POST", LEADS, body)
    for exchange in (first, second):
        assert value_of(exchange.response)["result"][0]["status"] == "created"
        caller.instance.depart(exchange, caller.now)
    assert [len(line["ids"]) for line in caller.truth("duplicate_leads")] == [2]
    caller.batch("email\nm@x.de\n")
    caller.now += 1
    assert synced(caller, LEADS, {"email": "m@x.de"})["result"][0]["status"] == "created"
    caller.now += 100
    caller.batch_status(1001)
    assert len(caller.truth("duplicate_leads")) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "609"),
        (b"[]", "609"),
        ({}, "1002"),
        ({"input": []}, "1002"),
        ({"input": ["a"]}, "1002"),
        ({"input": [{"email": "a@x.de"}] * 301}, "1003"),
        ({"input": [{"email": "a@x.de"}], "action": "delete"}, "1003"),
        ({"input": [{"email": "a@x.de"}], "lookupField": "lastName"}, "1011"),
        ({"input": [{"id": 1001}], "lookupField": "id"}, "1003"),
        ({"input": [{"email": "a@x.de"}], "partitionName": "Nowhere"}, "1008"),
    ],
)
def test_a_call_that_cannot_be_read_is_refused_whole(body: Any, code: str) -> None:
    """And writes nothing."""
    caller = Caller()
    headers = {"Content-Type": "application/json"}
    assert code_of(caller.call("POST", LEADS, body, headers=headers)) == code
    assert code_of(caller.call("POST", LEADS, b"a=1", headers=FORM)) == "612"
    assert len(caller.truth("leads")) == 300


def test_records_of_custom_objects_are_written() -> None:
    """With their GUIDs, by key or by GUID."""
    caller = Caller()
    (created, updated) = synced(caller, CARS, {"vIN": "N", "year": 1999}, {"vIN": "5YJSA1E41FF000002"})["result"]
    assert [(one["seq"], one["status"]) for one in (created, updated)] == [(0, "created"), (1, "updated")]
    by_guid = {"marketoGUID": created["marketoGUID"], "color": "red"}
    shown = synced(caller, CARS, by_guid, {"marketoGUID": "x"}, action="updateOnly", dedupeBy="idField")["result"]
    assert shown[0] == {"seq": 0, "status": "updated", "marketoGUID": created["marketoGUID"]}
    reasons = [{"code": "1013", "message": "Object not found"}]
    assert shown[1] == {"seq": 1, "status": "skipped", "reasons": reasons}
    found = caller.get(CARS, filterType="vIN", filterValues="N", fields="color,year")["result"]
    assert [(row["color"], row["year"]) for row in found] == [("red", 1999)]


@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        ("/rest/v1/customobjects/idea_c.json", {}, "1013"),
        (CARS, {"action": "createDuplicate"}, "1003"),
        (CARS, {"dedupeBy": "vIN"}, "1003"),
        (CARS, {"dedupeBy": "idField"}, "1003"),
    ],
)
def test_custom_object_calls_are_refused_whole(path: str, more: dict[str, Any], code: str) -> None:
    """A draft, and keys that do not go with the action."""
    assert code_of(Caller().call("POST", path, {"input": [{"vIN": "N"}], **more})) == code


def test_leads_are_added_to_a_list() -> None:
    """By ids in the URL or in the body; one that there is not is skipped."""
    caller = Caller()
    path = "/rest/v1/lists/2003/leads.json"
    reply = value_of(caller.call("POST", path, query={"id": "1003,99999"}))
    reasons = [{"code": "1004", "message": "Lead not found"}]
    assert reply["result"] == [
        {"id": 1003, "status": "added"},
        {"id": 99_999, "status": "skipped", "reasons": reasons},
    ]
    assert synced(caller, path, {"id": 1004})["result"] == [{"id": 1004, "status": "added"}]
    assert [row["id"] for row in caller.get(path)["result"]] == [1003, 1004]
    assert code_of(caller.call("POST", path)) == "1002"
    assert code_of(caller.call("POST", "/rest/v1/lists/1/leads.json", query={"id": "1003"})) == "1013"
    assert code_of(caller.call("POST", path, query={"id": ",".join(["1003"] * 301)})) == "1003"


def test_the_status_of_members_is_set() -> None:
    """A new member, a new status, the same once more, a lead that there is not."""
    caller = Caller()
    path = "/rest/v1/programs/4001/members/status.json"
    assert synced(caller, path, {"leadId": 1003}, statusName="Invited")["result"] == [
        {"seq": 0, "status": "created", "leadId": 1003}
    ]
    shown = synced(caller, path, {"leadId": 1003}, {"leadId": 1003}, {"leadId": 7}, statusName="Attended")["result"]
    assert [(one["seq"], one["status"]) for one in shown] == [(0, "updated"), (1, "skipped"), (2, "skipped")]
    assert [one["reasons"][0]["code"] for one in shown[1:]] == ["1037", "1004"]
    query = {"filterType": "leadId", "filterValues": "1003", "fields": "statusName"}
    assert caller.get("/rest/v1/programs/4001/members.json", **query)["result"][0]["statusName"] == "Attended"
    assert code_of(caller.call("POST", path, {"statusName": "Nobody", "input": [{"leadId": 1003}]})) == "1025"
    path = path.replace("4001", "7")
    assert code_of(caller.call("POST", path, {"statusName": "Attended", "input": [{"leadId": 1003}]})) == "1013"
