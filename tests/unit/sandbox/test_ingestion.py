"""Tests of the Data Ingestion API."""

from typing import Any

import orjson
import pytest

from syncengine.sandbox.messages import Response
from tests.unit.sandbox.caller import Caller, value_of

ROOT = "/subscriptions/123-ABC-456"
PERSONS = f"{ROOT}/persons"


def send(caller: Caller, path: str, body: Any, **headers: str) -> Response:
    """A call with the caller's token in the header that this API reads."""
    if not caller.token:
        caller.login()
    return caller.call("POST", path, body, headers={"X-Mkto-User-Token": caller.token, **headers})


def test_persons_are_accepted_and_written_later() -> None:
    """202 without a body but with an id of the request; a while later they are there."""
    caller = Caller()
    old = caller.leads_by("id", "1003", "email")[0]["email"]
    reply = send(caller, PERSONS, {"priority": "high", "persons": [{"email": "n@x.de"}, {"email": old, "city": "C"}]})
    assert (reply.status, reply.body, len(reply.headers["X-Request-Id"])) == (202, b"", 32)
    assert caller.leads_by("email", "n@x.de") == []
    caller.now += 5
    assert len(caller.leads_by("email", "n@x.de")) == 1
    assert caller.leads_by("id", "1003", "city") == [{"city": "C"}]


def test_it_counts_in_no_limit_but_its_own() -> None:
    """Neither calls of the day nor the rate window know of it; the counters and the truth do."""
    caller = Caller(calls_per_window=2)
    for number in range(5):
        assert send(caller, PERSONS, {"persons": [{"email": f"n{number}@x.de"}, {"city": "C"}]}).status == 202
    caller.now += 10
    counters = value_of(caller.control("GET", "counters"))
    assert (counters["calls_total"], counters["ingested"]) == (1, {"persons.calls": 5, "persons.objects": 10})
    assert caller.call("GET", "/rest/v1/leads/describe.json").code == ""
    assert [(line["written"], line["failed"]) for line in caller.truth("ingestion")] == [(1, 1)] * 5


def test_two_fields_can_find_a_person() -> None:
    """Both have to be the same."""
    caller = Caller()
    dedupe = {"field1": "email", "field2": "firstName"}
    for name in ("A", "B", "A"):
        send(caller, PERSONS, {"dedupeFields": dedupe, "persons": [{"email": "n@x.de", "firstName": name}]})
        caller.now += 10
    assert sorted(lead["firstName"] for lead in caller.leads_by("email", "n@x.de")) == ["A", "B"]


def test_custom_objects_and_members_are_written() -> None:
    """By key, by GUID, by lead."""
    caller = Caller()
    send(caller, f"{ROOT}/customobjects/car_c", {"customObjects": [{"vIN": "N", "color": "red"}]})
    program = {"programId": 4001, "status": "Influenced", "members": [{"leadId": 1003, "seatpreference": "Front"}]}
    strangers = {"programId": 4001, "statusName": "Influenced", "input": [{"leadId": 9}, {"leadId": 1004, "x": 1}]}
    send(caller, f"{ROOT}/programmembers", {"programs": [program, strangers]})
    caller.now += 10
    found = caller.get("/rest/v1/customobjects/car_c.json", filterType="vIN", filterValues="N", fields="color")
    assert [row["color"] for row in found["result"]] == ["red"]
    guid = found["result"][0]["marketoGUID"]
    by_guid = {"dedupeBy": "marketoGUID", "customObjects": [{"marketoGUID": guid, "color": "blue"}]}
    send(caller, f"{ROOT}/customobjects/car_c", by_guid)
    caller.now += 10
    found = caller.get("/rest/v1/customobjects/car_c.json", filterType="vIN", filterValues="N", fields="color")
    assert [row["color"] for row in found["result"]] == ["blue"]
    query = {"filterType": "leadId", "filterValues": "1003", "fields": "statusName,seatPreference"}
    member = caller.get("/rest/v1/programs/4001/members.json", **query)["result"][0]
    assert (member["statusName"], member["seatPreference"]) == ("Influenced", "Front")
    assert [(line["written"], line["failed"]) for line in caller.truth("ingestion")] == [(1, 0), (1, 2), (1, 0)]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/subscriptions/999-XXX-999/persons", {"persons": [{}]}, (404, "404040")),
        (f"{ROOT}/animals", {"persons": [{}]}, (404, "404040")),
        (f"{ROOT}/customobjects/idea_c", {"customObjects": [{}]}, (404, "404040")),
        (PERSONS, b"{", (400, "4000801")),
        (PERSONS, [], (400, "4000801")),
        (PERSONS, {"persons": [{"notes": "x" * 1_000_000}]}, (400, "4000801")),
        (PERSONS, {}, (400, "4000802")),
        (PERSONS, {"persons": []}, (400, "4000802")),
        (PERSONS, {"persons": [{"email": "a"}] * 1_001}, (400, "4000802")),
        (PERSONS, {"persons": [{}], "priority": "low"}, (400, "4000802")),
        (PERSONS, {"persons": [{}], "partitionName": "Nowhere"}, (400, "4000802")),
        (PERSONS, {"persons": [{}], "dedupeFields": {"field1": "title"}}, (400, "4000802")),
        (f"{ROOT}/customobjects/car_c", {"customObjects": [{}], "dedupeBy": "vIN"}, (400, "4000802")),
        (f"{ROOT}/programmembers", {"programs": [{"programId": "1"}]}, (400, "4000802")),
        (f"{ROOT}/programmembers", {"programs": [{"programId": 1, "status": "Not in Program"}]}, (400, "4000802")),
        (
            f"{ROOT}/programmembers",
            {"programs": [{"programId": 1, "status": "Member", "members": [{"leadId": "1"}]}]},
            (400, "4000802"),
        ),
    ],
)
def test_calls_of_a_wrong_shape_are_refused(path: str, body: Any, expected: tuple[int, str]) -> None:
    """With an error code, a message and an id of the request; nothing is written."""
    caller = Caller()
    reply = send(caller, path, body, **{"Content-Type": "application/json"})
    assert (reply.status, value_of(reply)["error_code"], len(reply.headers["X-Request-Id"])) == (*expected, 32)
    assert value_of(reply)["message"]
    assert caller.truth("ingestion") == []


def test_the_token_has_a_header_of_its_own() -> None:
    """A missing one is 403, a wrong or an old one 401; the Authorization header is not looked at."""
    caller = Caller(token_seconds=100)
    caller.login()
    body = {"persons": [{"email": "n@x.de"}]}
    missing = caller.call("POST", PERSONS, body)
    wrong = send(caller, PERSONS, body, **{"X-Mkto-User-Token": "no"})
    caller.now += 100
    old = send(caller, PERSONS, body)
    assert [(reply.status, value_of(reply)["error_code"]) for reply in (missing, wrong, old)] == [
        (403, "403010"),
        (401, "401013"),
        (401, "401013"),
    ]


def test_the_day_has_a_quota_of_objects() -> None:
    """A call that would go beyond it is refused whole, the next day it is free."""
    caller = Caller(ingestion_objects_per_day=3, token_seconds=10**6)
    two = {"persons": [{"email": "a@x.de"}, {"email": "b@x.de"}]}
    statuses = [send(caller, PERSONS, two).status for _ in range(2)]
    caller.now += 86_400
    assert [*statuses, send(caller, PERSONS, two).status] == [202, 429, 202]


@pytest.mark.parametrize(
    ("rule", "status", "calls"),
    [
        ({"action": "error", "code": "429001"}, 429, 0),
        ({"action": "error", "code": "5000801", "message": "Oh"}, 500, 0),
        ({"action": "http", "status": 502}, 502, 0),
        ({"action": "drop_before"}, 200, 0),
        ({"action": "drop_after"}, 202, 1),
        ({"action": "latency", "seconds": 3}, 202, 1),
    ],
)
def test_faults_strike_it(rule: dict[str, Any], status: int, calls: int) -> None:
    """Refused and lost calls are not carried out, lost answers are."""
    caller = Caller()
    caller.login()
    caller.control("POST", "faults", [{"path": "/subscriptions/*", **rule}])
    headers = {"X-Mkto-User-Token": caller.token}
    exchange = caller.arrive("POST", PERSONS, {"persons": [{"email": "n@x.de"}]}, headers=headers)
    assert (exchange.response.status, len(caller.truth("ingestion"))) == (status, calls)
    assert exchange.is_dropped == rule["action"].startswith("drop")
    assert exchange.latency_seconds == rule.get("seconds", 0)
    if rule["action"] == "error":
        assert orjson.loads(exchange.response.body)["error_code"] == rule["code"]  # type: ignore[arg-type]  # bytes
