"""Tests of creating and updating records of custom objects and memberships by key."""

from typing import Any

import pytest

from syncengine.sandbox.database import Database
from syncengine.sandbox.lead_upserts import Action
from syncengine.sandbox.object_upserts import ObjectUpsert
from tests.unit.sandbox.caller import Caller, small_options

NOW = 1_800_000_000.0


def rows_of(caller: Caller, stream: str, **wanted: Any) -> list[dict[str, Any]]:
    """Rows of a truth that have these values."""
    return [row for row in caller.truth(stream) if all(row[name] == value for name, value in wanted.items())]


@pytest.mark.parametrize(
    ("action", "record", "expected"),
    [
        ("createOrUpdate", {"vIN": "N", "year": "1999"}, ("created", "")),
        ("createOrUpdate", {"vIN": "5YJSA1E41FF000001"}, ("updated", "")),
        ("createOnly", {"vIN": "5YJSA1E41FF000001"}, ("skipped", "1017")),
        ("updateOnly", {"vIN": "N"}, ("skipped", "1013")),
        ("createOrUpdate", {"vIN": ""}, ("skipped", "1003")),
        ("createOrUpdate", {"vIN": "N", "year": "x"}, ("skipped", "1003")),
        ("createOrUpdate", {"vIN": "N", "noSuch": 1}, ("skipped", "1006")),
        ("createOrUpdate", {"vIN": "N", "marketoGUID": "x"}, ("skipped", "1003")),
    ],
)
def test_each_action_has_its_way(action: Action, record: dict[str, Any], expected: tuple[str, str]) -> None:
    """Adobe's codes for what cannot be done."""
    upsert = ObjectUpsert(Database(small_options()).custom.tables["car_c"], ("vIN",), action)
    landing = upsert.put_record(record, NOW)
    assert expected == (landing.status, landing.code)


def test_records_of_a_compound_key_are_found_by_all_of_it() -> None:
    """One part of the key is not enough."""
    table = Database(small_options()).custom.tables["purchase_c"]
    ((lead,), (product,)) = table.columns(["leadId", "productName"], [4])
    upsert = ObjectUpsert(table, ("leadId", "productName"))
    records = [{"leadId": lead, "productName": product}, {"leadId": lead, "productName": "Other"}, {"leadId": lead}]
    assert [upsert.put_record(record, NOW).row for record in records] == [4, len(table) - 1, -1]


def test_writes_that_overlap_make_duplicates() -> None:
    """As with leads; whoever comes later finds two."""
    table = Database(small_options()).custom.tables["car_c"]
    first, second = ObjectUpsert(table, ("vIN",)), ObjectUpsert(table, ("vIN",))
    assert [upsert.put_record({"vIN": "N"}, NOW).status for upsert in (first, second)] == ["created"] * 2
    first.close()
    second.close()
    assert ObjectUpsert(table, ("vIN",)).put_record({"vIN": "N"}, NOW).code == "1007"


def test_updated_at_moves_with_a_change_alone() -> None:
    """The same values once more change nothing."""
    table = Database(small_options()).custom.tables["car_c"]
    ((before,), (color,)) = table.columns(["updatedAt", "color"], [3])
    upsert = ObjectUpsert(table, ("vIN",))
    upsert.put_record({"vIN": "5YJSA1E41FF000003", "color": color}, NOW)
    assert table.columns(["updatedAt"], [3]) == [[before]]
    upsert.put_record({"vIN": "5YJSA1E41FF000003", "color": "new"}, NOW)
    assert table.columns(["updatedAt", "color"], [3]) == [[NOW], ["new"]]


def test_custom_objects_are_imported_by_their_key() -> None:
    """With names of their own in the status, and a new record has a GUID and nothing that was not given."""
    caller = Caller()
    shown = caller.finished("color,vIN,year\nred,5YJSA1E41FF000003,1999\nblue,NEW1,\n", "custom_objects")
    assert shown | {"importTime": ""} == {
        "batchId": 1001,
        "operation": "import",
        "status": "Complete",
        "objectApiName": "car_c",
        "numOfObjectsProcessed": 2,
        "numOfRowsFailed": 0,
        "numOfRowsWithWarning": 0,
        "importTime": "",
        "message": "Import succeeded, 2 records imported (2 members)",
    }
    (old,) = rows_of(caller, "custom_objects/car_c", vIN="5YJSA1E41FF000003")
    (new,) = rows_of(caller, "custom_objects/car_c", vIN="NEW1")
    assert (old["color"], old["year"]) == ("red", 1999)
    assert (new["color"], new["make"], new["year"], len(new["marketoGUID"])) == ("blue", None, None, 36)


def test_a_custom_object_header_with_a_space_spoils_every_row() -> None:
    """As on Adobe's page: the key is missing."""
    caller = Caller()
    shown = caller.finished("color,make,model, vIN\nred,bmw,2002,W1\nblue,bmw,325i,W2\n", "custom_objects")
    assert (shown["numOfObjectsProcessed"], shown["numOfRowsFailed"]) == (0, 2)
    assert caller.listing(shown["batchId"], "failures", "custom_objects").body == (
        b"color,make,model, vIN,Import Failure Reason\n"
        b"red,bmw,2002,W1,missing.dedupe.fields\nblue,bmw,325i,W2,missing.dedupe.fields\n"
    )


def test_program_members_are_imported_with_their_leads() -> None:
    """Leads by address, the membership with its status and custom fields."""
    caller = Caller()
    old = caller.leads_by("id", "1003", "email")[0]["email"]
    content = f"email,lastName,seatPreference\nn@x.de,N,Front\n{old},O,Rear\nm@x.de,M,{'x' * 256}\n"
    shown = caller.finished(content, "program_members")
    assert shown["message"] == "Import completed with errors, 2 records imported (2 members), 1 failed"
    lead_id = caller.leads_by("email", "n@x.de", "id")[0]["id"]
    found = caller.get(
        "/rest/v1/programs/4001/members.json",
        filterType="leadId",
        filterValues=f"1003,{lead_id}",
        fields="statusName,seatPreference",
    )
    assert {(row["leadId"], row["statusName"], row["seatPreference"]) for row in found["result"]} == {
        (1003, "On List", "Rear"),
        (lead_id, "On List", "Front"),
    }
    again = caller.finished("email\nn@x.de\n", "program_members", programMemberStatus="Attended")
    assert again["numOfLeadsProcessed"] == 1
    members = rows_of(caller, "program_members", leadId=lead_id)
    assert [(row["programId"], row["statusName"], row["seatPreference"]) for row in members] == [
        (4001, "Attended", "Front")
    ]
