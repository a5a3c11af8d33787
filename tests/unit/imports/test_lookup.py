"""What Marketo has of rows, sought by their keys."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import orjson

from syncengine.imports.header import Column
from syncengine.imports.lookup import Answer, Lookup
from syncengine.imports.target import Kind, Target
from syncengine.transport.wire import WireRequest
from tests.scripted import Answer as Reply
from tests.scripted import client_over, refused, rows
from tests.unit.imports.table import COLUMNS
from tests.virtual import virtual, virtual_clock

LEADS = Target(kind=Kind.LEADS, keys=("email",))
MEMO = Column("memo", "string", 50, 3, is_key=False, of_member=True)
MEMBERS = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=7, status="On List")


def asked(request: WireRequest) -> dict[str, str]:
    """The filter of a call, wherever it stands."""
    text = (request.body or b"").decode() or request.target.partition("?")[2]
    return {name: found[0] for name, found in parse_qs(text).items()}


def values_of(request: WireRequest) -> list[str]:
    return asked(request)["filterValues"].split(",")


@virtual
async def test_people_are_read_page_by_page() -> None:
    """With their fields and the time of their last change, until Marketo has no more."""
    told = client_over(virtual_clock(), rows({"id": 1}, nextPageToken="t-1"), rows({"id": 2}))
    found = await Lookup(told.client, LEADS, COLUMNS).records([("a@x",), ("b@x",)])
    assert Answer([{"id": 1}, {"id": 2}], frozenset()) == found
    first, second = map(asked, told.wire.requests)
    assert ("email", "a@x,b@x", "id,email,firstName,leadScore,updatedAt") == (
        first["filterType"],
        first["filterValues"],
        first["fields"],
    )
    assert "t-1" == second["nextPageToken"]


@virtual
async def test_too_many_people_for_some_values_are_asked_for_in_halves() -> None:
    """Marketo refuses a filter that more than a thousand have."""
    told = client_over(virtual_clock(), at_most(2))
    values = [f"p{n}" for n in range(7)]
    found = await Lookup(told.client, LEADS, COLUMNS).records([(value,) for value in values])
    assert (values, frozenset()) == ([each["email"] for each in found.records], found.unasked)
    assert [7, 3, 1, 2, 4, 2, 2] == [len(values_of(each)) for each in told.wire.requests]


def at_most(count: int) -> Any:
    """Refuses filters of more values than `count`."""

    def answer(request: WireRequest) -> Reply:
        values = values_of(request)
        return refused("1003", "Too many results") if len(values) > count else rows(*[{"email": v} for v in values])

    return answer


@virtual
async def test_a_value_that_is_refused_alone_is_told_of() -> None:
    """There is no half of it; what is found of the others stands."""

    def answer(request: WireRequest) -> Reply:
        values = values_of(request)
        return refused("1011") if "bad" in values else rows(*[{"email": value} for value in values])

    told = client_over(virtual_clock(), answer)
    found = await Lookup(told.client, LEADS, COLUMNS).records([("a",), ("bad",), ("c",)])
    assert Answer([{"email": "a"}, {"email": "c"}], frozenset({("bad",)})) == found
    assert 5 == len(told.wire.requests)


@virtual
async def test_a_key_that_a_filter_cannot_carry_is_not_asked_for() -> None:
    """Neither an empty one nor one that would be cut at its comma; where no other is left, no call is made."""
    told = client_over(virtual_clock(), rows())
    found = await Lookup(told.client, LEADS, COLUMNS).records([("a,b",), ("",)])
    assert (Answer([], frozenset({("a,b",), ("",)})), []) == (found, told.wire.requests)


def world(people: Sequence[dict[str, Any]], members: Sequence[dict[str, Any]]) -> Any:
    """Answers calls about leads and about members."""

    def answer(request: WireRequest) -> Reply:
        return rows(*(members if "/programs/7/members" in request.target else people))

    return answer


@virtual
async def test_members_are_people_with_what_they_are_in_the_program() -> None:
    """Found by email and then by id; the newer of the two changes counts, and who is no member has no status."""
    people = [{"id": n, "email": f"p{n}@x", "updatedAt": "2026-03-02T07:00:00Z"} for n in (1, 2, 3)]
    members = [
        {"leadId": 1, "statusName": "On List", "memo": "m", "updatedAt": "2026-03-02T08:00:00Z"},
        {"leadId": 2, "statusName": "Attended", "updatedAt": "2026-03-02T06:00:00Z"},
    ]
    told = client_over(virtual_clock(), world(people, members))
    found = await Lookup(told.client, MEMBERS, (*COLUMNS, MEMO)).records([("p1@x",), ("p2@x",), ("p3@x",)])
    assert [
        ("p1@x", "On List", "m", "2026-03-02T08:00:00Z"),
        ("p2@x", "Attended", None, "2026-03-02T07:00:00Z"),
        ("p3@x", None, None, "2026-03-02T07:00:00Z"),
    ] == [(each["email"], each["statusName"], each["memo"], each["updatedAt"]) for each in found.records]
    leads, of_members = map(asked, told.wire.requests)
    assert ("id,email,firstName,leadScore,updatedAt", "leadId,memo,statusName,updatedAt") == (
        leads["fields"],
        of_members["fields"],
    )
    assert ("leadId", "1,2,3") == (of_members["filterType"], of_members["filterValues"])


VIN, PLATE = (Column(name, "string", 36, place, is_key=True) for place, name in enumerate(("vin", "plate")))


@virtual
async def test_records_with_one_key_are_asked_for_by_its_values() -> None:
    """They have no id."""
    told = client_over(virtual_clock(), rows({"vin": "V1"}))
    target = Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin",), api_name="car_c")
    found = await Lookup(told.client, target, (VIN,)).records([("V1",)])
    assert [{"vin": "V1"}] == found.records
    (request,) = told.wire.requests
    assert ("vin", "V1", "vin,updatedAt") == (
        asked(request)["filterType"],
        asked(request)["filterValues"],
        asked(request)["fields"],
    )


@virtual
async def test_records_with_several_keys_are_asked_for_by_all_of_them() -> None:
    """Marketo searches for no part of a compound key; a comma in a value is no harm there."""
    told = client_over(virtual_clock(), rows({"vin": "V,1", "plate": "P1"}))
    target = Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin", "plate"), api_name="car_c")
    found = await Lookup(told.client, target, (VIN, PLATE)).records([("V,1", "P1"), ("V2", "P2"), ("V2", "")])
    assert Answer([{"vin": "V,1", "plate": "P1"}], frozenset({("V2", "")})) == found
    (request,) = told.wire.requests
    assert {
        "batchSize": 300,
        "filterType": "dedupeFields",
        "fields": ["vin", "plate", "updatedAt"],
        "input": [{"vin": "V,1", "plate": "P1"}, {"vin": "V2", "plate": "P2"}],
    } == orjson.loads(request.body or b"")
