"""Tests of lists, their members, campaigns and programs."""

from typing import Any

import pytest

from tests.unit.sandbox.caller import Caller, code_of

PROGRAMS = "/rest/asset/v1/programs.json"


def paged(caller: Caller, path: str, **query: object) -> list[Any]:
    """All records, page by page while a token comes."""
    found, token = [], ""
    while True:
        page = caller.get(path, **query, nextPageToken=token)
        assert "moreResult" not in page
        found += page["result"]
        token = page.get("nextPageToken", "")
        if not token:
            return found


@pytest.mark.parametrize("stream", ["lists", "campaigns"])
def test_a_listing_is_read_by_token_alone(stream: str) -> None:
    """Nothing says that more follows but the token; what is null is left out."""
    caller = Caller(lists=25, campaigns=25)
    truth = [{k: v for k, v in line.items() if v is not None} for line in caller.truth(stream)]
    assert paged(caller, f"/rest/v1/{stream}.json", batchSize=10) == truth


def test_filters_narrow_a_listing() -> None:
    """By id, name, program and workspace, and campaigns by whether they can be triggered."""
    caller = Caller()
    assert [one["id"] for one in caller.get("/rest/v1/lists.json", id="2001,2003,9")["result"]] == [2001, 2003]
    assert caller.get("/rest/v1/lists.json", workspaceName="Nowhere")["result"] == []
    named = next(line for line in caller.truth("campaigns") if "," not in line["name"])
    assert [one["id"] for one in caller.get("/rest/v1/campaigns.json", name=named["name"])["result"]] == [named["id"]]
    triggerable = caller.get("/rest/v1/campaigns.json", isTriggerable="true")["result"]
    assert {(one["type"], one["active"]) for one in triggerable} == {("trigger", True)}


@pytest.mark.parametrize("path", ["/rest/v1/list/2002/leads.json", "/rest/v1/lists/2002/leads.json"])
def test_members_of_a_list_are_read_by_token(path: str) -> None:
    """Both paths give all members with the fields that were asked for."""
    caller = Caller()
    found = paged(caller, path, fields="id,nickname", batchSize=70)
    assert found == [{"id": line["id"], "nickname": line["nickname"]} for line in caller.truth("leads")]


def test_a_list_that_there_is_not_is_1013() -> None:
    """As Adobe's table says; a field that there is not is 1006."""
    caller = Caller()
    assert code_of(caller.call("GET", "/rest/v1/lists/9/leads.json")) == "1013"
    assert code_of(caller.call("GET", "/rest/v1/lists/x/leads.json")) == "1001"
    assert code_of(caller.call("GET", "/rest/v1/lists/2001/leads.json", query={"fields": "noSuch"})) == "1006"


def test_programs_are_read_by_offset_until_a_warning() -> None:
    """Twenty without maxReturn; past the end success without a result."""
    caller = Caller(programs=45)
    pages = [caller.get(PROGRAMS, offset=offset) for offset in (0, 20, 40, 60)]
    assert [len(page.get("result", [])) for page in pages] == [20, 20, 5, 0]
    ids = [program["id"] for page in pages[:3] for program in page["result"]]
    assert sorted(ids) == [line["id"] for line in caller.truth("programs")]
    assert pages[3]["success"]
    assert "result" not in pages[3]
    assert pages[3]["warnings"] == ["No assets found for the given search criteria."]
    assert pages[0]["result"][0]["createdAt"].endswith("Z+0000")


def test_programs_are_filtered_by_updatedat() -> None:
    """A change moves a program into the window."""
    caller = Caller()
    done = caller.change(records={"programs": [{"row": 3, "name": "Renamed"}]})
    found = caller.get(PROGRAMS, earliestUpdatedAt=done["now"], latestUpdatedAt=done["now"])["result"]
    assert [(one["id"], one["name"]) for one in found] == [(4004, "Renamed")]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"maxReturn": "201"}, "1003"),
        ({"maxReturn": "0"}, "1003"),
        ({"offset": "-1"}, "1003"),
        ({"offset": "x"}, "1001"),
        ({"earliestUpdatedAt": "2024-01-01"}, "704"),
        ({"earliestUpdatedAt": "2024-01-02T00:00:00Z", "latestUpdatedAt": "2024-01-01T00:00:00Z"}, "1003"),
        ({"maxReturn": "200"}, ""),
    ],
)
def test_wrong_questions_of_programs_are_refused(query: dict[str, str], code: str) -> None:
    """Sizes, numbers and dates are judged."""
    assert code_of(Caller().call("GET", PROGRAMS, query=query)) == code
