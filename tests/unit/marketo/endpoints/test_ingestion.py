"""Data Ingestion: bodies as Adobe's page has them, and a 202 that is read for what it is."""

from typing import Any

import orjson
import pytest

from syncengine.marketo.call import Api, Call, Repeat
from syncengine.marketo.endpoints import ingestion
from syncengine.marketo.reply import Malformed, Refusal, Reply, read_accepted

ID = "556-RJS-213"
ROWS = [{"email": "a@example.com", "firstName": "A"}]


def test_people_go_as_adobes_page_has_them() -> None:
    """Up to two fields find a person; a partition is named only where one is wanted."""
    call = ingestion.persons(ID, ROWS, dedupe_fields=["email", "firstName"], partition="EMEA", priority="high")

    assert {
        "priority": "high",
        "partitionName": "EMEA",
        "dedupeFields": {"field1": "email", "field2": "firstName"},
        "persons": ROWS,
    } == call.json
    assert ("POST", f"/subscriptions/{ID}/persons", Api.INGESTION) == (call.method, call.path, call.api)
    assert {"priority": "normal", "dedupeFields": {"field1": "email"}, "persons": ROWS} == ingestion.persons(
        ID, ROWS
    ).json


def test_objects_and_members_go_as_adobes_page_has_them() -> None:
    """Each with its permission, and nothing in a query."""
    cars = ingestion.custom_objects(ID, "car_c", [{"vin": "1"}])
    members = ingestion.program_members(ID, 1001, "Member", [{"leadId": 10001}])

    assert {"priority": "normal", "dedupeBy": "dedupeFields", "customObjects": [{"vin": "1"}]} == cars.json
    assert {"programs": [{"programId": 1001, "status": "Member", "members": [{"leadId": 10001}]}]} == members.json
    assert [f"/subscriptions/{ID}/customobjects/car_c", f"/subscriptions/{ID}/programmembers"] == [
        cars.path,
        members.path,
    ]
    assert ["Read-Write Custom Object", "Read-Write Lead"] == [cars.permission, members.permission]
    assert [{}, {}] == [cars.query, members.query]


@pytest.mark.parametrize(
    ("call", "repeat"),
    [
        (ingestion.persons(ID, ROWS), Repeat.UNSAFE),
        (ingestion.persons(ID, [{"id": 1}], dedupe_fields=["id"]), Repeat.SAFE),
        (ingestion.custom_objects(ID, "car_c", [{"vin": "1"}]), Repeat.UNSAFE),
        (ingestion.custom_objects(ID, "car_c", [{"marketoGUID": "1"}], dedupe_by="marketoGUID"), Repeat.SAFE),
        (ingestion.program_members(ID, 1, "Member", [{"leadId": 1}]), Repeat.SAFE),
    ],
)
def test_what_may_create_twice_is_not_repeated_blindly(call: Call[str], repeat: Repeat) -> None:
    """Two upserts with one key at a time may make two records; a system's own id cannot."""
    assert repeat is call.repeat


@pytest.mark.parametrize(
    "make",
    [
        lambda: ingestion.persons("556-RJS-213/x", ROWS),
        lambda: ingestion.persons("", ROWS),
        lambda: ingestion.persons(ID, []),
        lambda: ingestion.persons(ID, ROWS * 1_001),
        lambda: ingestion.persons(ID, [{}]),
        lambda: ingestion.persons(ID, ROWS, dedupe_fields=[]),
        lambda: ingestion.persons(ID, ROWS, dedupe_fields=["a", "b", "c"]),
        lambda: ingestion.custom_objects(ID, "car_c/x", ROWS),
        lambda: ingestion.program_members(ID, 0, "Member", [{"leadId": 1}]),
        lambda: ingestion.program_members(ID, 1, "", [{"leadId": 1}]),
        lambda: ingestion.program_members(ID, 1, "not in Program", [{"leadId": 1}]),
        lambda: ingestion.program_members(ID, 1, "Member", [{"email": "a"}]),
    ],
)
def test_what_the_service_would_refuse_is_not_sent(make: Any) -> None:
    """Its own validation rules, and what could lead out of a path."""
    with pytest.raises(ValueError):  # noqa: PT011  # Malformed is one
        make()


def test_a_thousand_go_in_one_call() -> None:
    """The limit itself is allowed."""
    assert 1_000 == len(ingestion.persons(ID, ROWS * 1_000).json["persons"])


def test_taken_is_202_with_an_id_and_no_body() -> None:
    """The id of the request is the whole result."""
    reply = read_accepted(202, "WOUBf3fH", b"")
    assert isinstance(reply, Reply)
    assert "WOUBf3fH" == ingestion.persons(ID, ROWS).decode(reply)
    with pytest.raises(Malformed, match="without an id"):
        ingestion.persons(ID, ROWS).decode(Reply())


@pytest.mark.parametrize(
    ("status", "request_id", "body"),
    [
        (202, "", b""),
        (202, " \n", b""),
        (202, "r", b"<html>maintenance</html>"),
        (202, "r", b'{"success": true}'),
        (200, "r", b""),
        (204, "r", b""),
        (200, "r", b'{"requestId": "r", "success": true, "result": []}'),
    ],
)
def test_any_other_success_is_not_the_services(status: int, request_id: str, body: bytes) -> None:
    """An empty answer of a proxy is never taken for records that were taken."""
    refusal = read_accepted(status, request_id, body)
    assert isinstance(refusal, Refusal)
    assert ("2XX_NOT_JSON", True) == (refusal.code, refusal.entry.unsafe_on_create)


@pytest.mark.parametrize(
    ("status", "code", "known"),
    [
        (401, "401013", "401013"),
        (403, 4030801, "4030801"),
        (429, "429001", "429001"),
        (429, "4290801", "4290801"),
        (400, "4000802", "4000802"),
        (500, "5000801", "500"),  # outside 4xx the status decides
        (503, "", "503"),
    ],
)
def test_a_refusal_keeps_its_code_and_the_requests_id(status: int, code: object, known: str) -> None:
    """The service's own envelope is read, and the header names the request for Marketo's support."""
    refusal = read_accepted(status, "r-1", orjson.dumps({"error_code": code, "message": "said"}))
    assert isinstance(refusal, Refusal)
    assert (known, "r-1") == (refusal.code, refusal.request_id)
