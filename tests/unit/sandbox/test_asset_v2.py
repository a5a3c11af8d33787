"""Tests of the assets of the new designer."""

import pytest

from tests.unit.sandbox.asset_caller import DESIGNS, NOTHING, V2, V2_HEADERS, designed, done, known, of_kind
from tests.unit.sandbox.caller import Caller, code_of, value_of

EMAILS = f"{V2}/email/filter"


@pytest.fixture(scope="module")
def caller() -> Caller:
    """An instance that no test changes."""
    return Caller(assets=1_000, calls_per_window=100_000)


@pytest.mark.parametrize("kind", DESIGNS)
def test_a_filter_is_paged_by_index(caller: Caller, kind: str) -> None:
    """The result is an object that tells how many there are; a page beyond the end is empty."""
    whole = designed(caller, kind, workspaceId=1, includeArchived="true", pageSize=50)["result"]
    total = whole["totalItems"]
    assert (whole["pageSize"], whole["currentPage"], len(whole["items"])) == (50, 0, min(total, 50))
    pages = [designed(caller, kind, workspaceId=1, includeArchived="true", pageSize=7, pageIndex=n) for n in range(20)]
    ids = [item["id"] for page in pages for item in page["result"]["items"]]
    assert len(ids) == len(set(ids)) == total
    assert all(isinstance(one, str) for one in ids)
    assert designed(caller, kind, workspaceId=1, pageIndex=99)["result"]["items"] == []
    assert len(designed(caller, kind, workspaceId=1)["result"]["items"]) <= 20


def test_a_filter_sees_one_workspace(caller: Caller) -> None:
    """All of them together have everything; one that there is not has nothing."""
    totals = {
        zone: designed(caller, "email-v2", workspaceId=zone, includeArchived="true")["result"]["totalItems"]
        for zone in (1, 1001, 1002, 5)
    }
    assert sum(totals.values()) == len(of_kind(known(caller), "email-v2"))
    assert min(totals[1], totals[1001], totals[1002]) > 0
    assert totals[5] == 0


def test_filters_narrow(caller: Caller) -> None:
    """By status, repeated or not, by folder, name and dates, in the order that is asked for."""
    query = {"workspaceId": 1, "includeArchived": "true", "pageSize": 50}
    items = designed(caller, "fragment", **query)["result"]["items"]
    for statuses in ("draft", "approved", "draft,approved"):
        found = designed(caller, "fragment", **query, status=statuses)["result"]["items"]
        assert found
        assert {one["id"] for one in found} == {one["id"] for one in items if one["status"] in statuses}
    folder = items[0]["appData"]["folderId"]
    found = designed(caller, "fragment", **query, folderId=folder)["result"]["items"]
    assert {one["id"] for one in found} == {one["id"] for one in items if one["appData"]["folderId"] == folder}
    moment = sorted(one["metadata"]["modifiedAt"] for one in items)[len(items) // 2]
    found = designed(caller, "fragment", **query, modifiedAtStart=moment.removesuffix("+0000"))["result"]["items"]
    assert {one["id"] for one in found} == {one["id"] for one in items if one["metadata"]["modifiedAt"] >= moment}
    descending = designed(caller, "fragment", **query, sortKey="id", sortOrder="DESC")["result"]["items"]
    assert [int(one["id"]) for one in descending] == sorted((int(one["id"]) for one in items), reverse=True)
    named = designed(caller, "fragment", **query, name=items[-1]["name"])["result"]["items"]
    assert items[-1]["id"] in [one["id"] for one in named]


def test_archived_designs_are_left_out_unless_asked_for(caller: Caller) -> None:
    """A folder that is archived hides what lies in it."""
    counts = [
        sum(
            designed(caller, kind, workspaceId=zone, **more)["result"]["totalItems"]
            for kind in DESIGNS
            for zone in (1, 1001, 1002)
        )
        for more in ({}, {"includeArchived": "true"})
    ]
    assert counts[0] < counts[1]


def test_thumbnails_are_signed_anew(caller: Caller) -> None:
    """Two answers about the same fragment differ in that alone."""
    first, second = (designed(caller, "fragment", workspaceId=1)["result"]["items"] for _ in range(2))
    assert first[0]["thumbnail"]["url"] != second[0]["thumbnail"]["url"]
    assert [one | {"thumbnail": None} for one in first] == [one | {"thumbnail": None} for one in second]


def test_a_design_has_its_content_by_id(caller: Caller) -> None:
    """HTML and text; an id that there is not is nothing, here and among twenty."""
    detail = value_of(caller.call("GET", f"{V2}/email/14", headers=V2_HEADERS))["result"][0]
    assert detail["data"]["html"]["body"].startswith("<!DOCTYPE html>")
    assert value_of(caller.call("GET", f"{V2}/email/99999", headers=V2_HEADERS))["warnings"] == NOTHING
    body = {"assetIds": ["14", "99999", "4001"]}
    found = value_of(caller.call("POST", f"{V2}/email/bulk/get", body, headers=V2_HEADERS))["result"]
    assert [one["id"] for one in found] == ["14", "4001"]
    assert found[0] == detail


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "code"),
    [
        ("GET", "email/filter", {}, None, "1002"),
        ("GET", "email/filter", {"workspaceId": "1", "pageSize": "51"}, None, "1003"),
        ("GET", "email/filter", {"workspaceId": "1", "pageIndex": "-1"}, None, "1003"),
        ("GET", "email/filter", {"workspaceId": "1", "sortKey": "size"}, None, "1003"),
        ("GET", "email/filter", {"workspaceId": "1", "modifiedAtStart": "2024-01-01"}, None, "704"),
        ("GET", "email/x", {}, None, "1001"),
        ("GET", "fragment/bulk/get", {}, None, "605"),
        ("POST", "fragment/bulk/get", {}, {"assetIds": []}, "1003"),
        ("POST", "fragment/bulk/get", {}, {"assetIds": [str(n) for n in range(21)]}, "1003"),
        ("POST", "fragment/bulk/get", {}, {"ids": ["14"]}, "609"),
        ("POST", "email/filter", {}, {}, "605"),
    ],
)
def test_wrong_questions_of_designs_are_refused(
    caller: Caller, method: str, path: str, query: dict[str, str], body: object, code: str
) -> None:
    """Sizes, keys, dates and bodies are judged."""
    assert code_of(caller.call(method, f"{V2}/{path}", body, query=query, headers=V2_HEADERS)) == code


def test_a_call_says_which_application_it_is_for(caller: Caller) -> None:
    """Without the header it lacks a parameter; with another it is invalid."""
    query = {"workspaceId": "1"}
    assert code_of(caller.call("GET", EMAILS, query=query)) == "1002"
    assert code_of(caller.call("GET", EMAILS, query=query, headers={"x-app-type": "ajo"})) == "1003"


def test_a_subscription_may_lack_the_designer() -> None:
    """Its paths are unknown then, and there are no such assets."""
    caller = Caller(assets=200, assets_v2=False)
    assert code_of(caller.call("GET", EMAILS, query={"workspaceId": "1"}, headers=V2_HEADERS)) == "610"
    assert not {kind for kind, _ in known(caller)} & set(DESIGNS)
    assert sum(kind == "email" for kind, _ in known(caller)) > 0


def test_an_approval_changes_the_status() -> None:
    """And an edit the content; both move the date."""
    caller = Caller(assets=400)
    draft = next(x for x in of_kind(known(caller), "email-v2") if x["versions"][0]["row"]["status"] == "draft")
    assert done(caller, "approve", "email-v2", draft["id"])[0]["id"] == draft["id"]
    done(caller, "edit", "email-v2", draft["id"], text="Quite new")
    row = known(caller)["email-v2", draft["id"]]["versions"][0]["row"]
    assert (row["status"], row["headers"]["subject"]) == ("approved", "Quite new")
    assert row["metadata"]["modifiedAt"] > draft["versions"][0]["row"]["metadata"]["modifiedAt"]
