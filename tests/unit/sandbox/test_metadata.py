"""Tests of what an instance says of its schema."""

import pytest

from syncengine.sandbox.shapes import SHAPES
from tests.unit.sandbox.caller import Caller, code_of

OBJECTS = {
    "companies": "companies",
    "salespersons": "salespersons",
    "opportunities": "opportunities",
    "opportunity_roles": "opportunities/roles",
    "named_accounts": "namedaccounts",
}


@pytest.mark.parametrize("stream", list(OBJECTS))
def test_every_described_field_is_in_the_truth_and_every_key_is_described(stream: str) -> None:
    """Keys and searchable fields are fields."""
    caller = Caller()
    (described,) = caller.get(f"/rest/v1/{OBJECTS[stream]}/describe.json")["result"]
    names = {field["name"] for field in described["fields"]}
    keys = {
        described["idField"],
        *described["dedupeFields"],
        *(n for key in described["searchableFields"] for n in key),
    }
    assert keys <= names == set(caller.truth(stream)[0])
    assert described["idField"] == SHAPES[stream].id_field


def test_members_have_no_id_but_a_compound_key() -> None:
    """Describe names every field of the truth."""
    caller = Caller()
    (described,) = caller.get("/rest/v1/programs/members/describe.json")["result"]
    assert described["dedupeFields"] == ["leadId", "programId"]
    assert "idField" not in described
    assert [field["name"] for field in described["fields"]] == list(caller.truth("program_members")[0])


def test_custom_objects_are_listed_with_their_state_and_their_relationships() -> None:
    """One is linked to companies, one is a draft; names narrow the list."""
    caller = Caller()
    listed = {one["name"]: one for one in caller.get("/rest/v1/customobjects.json")["result"]}
    assert {name: one["state"] for name, one in listed.items()} == {
        "car_c": "approved",
        "purchase_c": "approvedWithDraft",
        "plant_c": "approved",
        "idea_c": "draft",
    }
    linked = {name: [link["relatedTo"]["name"] for link in one["relationships"]] for name, one in listed.items()}
    assert linked == {"car_c": ["Lead"], "purchase_c": ["Lead"], "plant_c": ["Company"], "idea_c": []}
    assert [one["name"] for one in caller.get("/rest/v1/customobjects.json", names="car_c")["result"]] == ["car_c"]


def test_the_metadata_api_names_custom_objects_otherwise() -> None:
    """apiName instead of name, with fields; a state narrows the list."""
    caller = Caller()
    drafts = caller.get("/rest/v1/customobjects/schema.json", state="draft")["result"]
    assert [(one["apiName"], "name" in one, one["version"]) for one in drafts] == [("idea_c", False, "draft")]
    path = "/rest/v1/customobjects/schema/car_c/describe.json"
    assert (
        caller.get(path)["result"][0]["fields"]
        == caller.get("/rest/v1/customobjects/car_c/describe.json")["result"][0]["fields"]
    )
    assert code_of(caller.call("GET", path, query={"state": "draft"})) == "1013"
    assert code_of(caller.call("GET", path, query={"state": "lost"})) == "1003"
    assert code_of(caller.call("GET", "/rest/v1/customobjects/noSuch_c/describe.json")) == "1013"


def test_custom_activity_types_are_told_apart_only_where_they_are_managed() -> None:
    """types.json has the approved one among the others, external/types.json has both."""
    caller = Caller()
    external = caller.get("/rest/v1/activities/external/types.json")["result"]
    assert {one["id"]: one["status"] for one in external} == {100001: "approved with draft", 100002: "draft"}
    assert {100001, 100002} & {one["id"] for one in caller.get("/rest/v1/activities/types.json")["result"]} == {100001}


@pytest.mark.parametrize(
    ("name", "draft", "code"),
    [
        ("attendedTasting_c", "false", ""),
        ("attendedTasting_c", "true", ""),
        ("returnGlass_c", "false", "1013"),
        ("returnGlass_c", "true", ""),
        ("noSuch_c", "false", "1013"),
        ("attendedTasting_c", "perhaps", "1001"),
    ],
)
def test_a_custom_activity_type_is_described_in_the_version_that_was_asked_for(
    name: str, draft: str, code: str
) -> None:
    """A draft that was never approved has no approved version."""
    path = f"/rest/v1/activities/external/type/{name}/describe.json"
    assert code_of(Caller().call("GET", path, query={"draft": draft})) == code


def test_leads_can_be_searched_by_custom_fields_of_three_types() -> None:
    """And by id and email; describe2 says so."""
    searchable = Caller().get("/rest/v1/leads/describe2.json")["result"][0]["searchableFields"]
    assert [["id"], ["email"]] == searchable[:2]
    assert {"nickname", "secondEmail", "storeVisits"} <= {name for (name,) in searchable}
    assert not {"isVip", "notes", "firstName"} & {name for (name,) in searchable}
