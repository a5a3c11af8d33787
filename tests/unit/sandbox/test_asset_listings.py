"""Tests of lists of assets: pages, order, versions, filters."""

import orjson
import pytest

from syncengine.sandbox.asset_endpoints import asset_endpoints
from syncengine.sandbox.asset_paths import ASSET_PATHS
from tests.unit.sandbox.asset_caller import LISTS, NOTHING, VERSIONED, Known, asked, everything, known, of_kind, rows
from tests.unit.sandbox.caller import Caller, code_of

V1 = "/rest/asset/v1"


@pytest.fixture(scope="module")
def caller() -> Caller:
    """An instance that no test changes."""
    return Caller(assets=400, programs=30, campaigns=30, lists=25, calls_per_window=100_000)


@pytest.fixture(scope="module")
def assets(caller: Caller) -> Known:
    """The truth of it."""
    return known(caller)


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_is_read_by_offset_until_a_warning(caller: Caller, assets: Known, kind: str) -> None:
    """Twenty without maxReturn, each asset once, and past the end success without a result."""
    path = LISTS[kind][0]
    whole = everything(caller, path)
    assert len(whole) == len({row["id"] for row in whole}) == len(of_kind(assets, kind))
    assert asked(caller, path)["result"] == whole[:20]
    assert everything(caller, path, size=7) == whole
    beyond = asked(caller, path, offset=1_000)
    assert (beyond["success"], beyond["warnings"], "result" in beyond) == (True, NOTHING, False)


@pytest.mark.parametrize("kind", ["email", "folder", "smart-list", "file"])
def test_a_list_is_in_the_order_of_names(caller: Caller, assets: Known, kind: str) -> None:
    """Without regard to case, and by id where names are the same."""
    shown = everything(caller, "folders" if kind == "folder" else LISTS[kind][0])
    keys = [(row["name"].lower(), row["id"]) for row in shown]
    assert keys == sorted(keys)
    assert len({name for name, _ in keys}) < len(keys)


def test_a_rename_shifts_pages() -> None:
    """What is renamed moves to its new name's place, and everything between shifts by one."""
    caller = Caller(assets=100)
    before = [row["id"] for row in everything(caller, "forms")]
    caller.change(assets=[{"do": "rename", "kind": "form", "id": before[-1], "name": ""}])
    after = [row["id"] for row in everything(caller, "forms")]
    assert after[:1] + after[1:] != before
    assert sorted(after) == sorted(before)
    assert before[-1] in after[:3]


@pytest.mark.parametrize("kind", VERSIONED)
def test_a_status_picks_versions(caller: Caller, assets: Known, kind: str) -> None:
    """Each status shows its version of all that have one; without it the approved one shows, or a lone draft."""
    truth = {line["id"]: rows(line) for line in of_kind(assets, kind)}
    states = {tuple(versions) for versions in truth.values()}
    assert states == {("approved",), ("approved", "draft"), ("draft",)}
    for status in ("approved", "draft"):
        shown = {row["id"]: row for row in everything(caller, LISTS[kind][0], status=status)}
        assert shown == {key: versions[status] for key, versions in truth.items() if status in versions}
    shown = {row["id"]: row for row in everything(caller, LISTS[kind][0])}
    assert shown == {key: versions.get("approved", versions.get("draft")) for key, versions in truth.items()}


def test_templates_write_their_status_with_a_capital(caller: Caller) -> None:
    """As Adobe's examples do; the other kinds do not."""
    written = {kind: {row["status"] for row in everything(caller, LISTS[kind][0])} for kind in VERSIONED}
    with_capital = {"email-template", "landing-page-template"}
    assert {kind for kind, statuses in written.items() if statuses == {"Approved", "Draft"}} == with_capital


def test_a_draft_beside_an_approved_version_differs(assets: Known) -> None:
    """Another subject, and a later date."""
    both = [rows(line) for line in of_kind(assets, "email") if len(line["versions"]) == 2]
    assert all(
        one["approved"]["subject"] != one["draft"]["subject"] or one["draft"]["subject"]["type"] != "Text"
        for one in both
    )
    assert all(one["approved"]["updatedAt"] < one["draft"]["updatedAt"] for one in both)


def test_an_unknown_id_and_a_version_that_is_not_there_are_nothing(caller: Caller, assets: Known) -> None:
    """Success, a warning, no result."""
    only = next(line for line in of_kind(assets, "snippet") if list(rows(line)) == ["approved"])
    for answer in (asked(caller, "snippet/9999"), asked(caller, f"snippet/{only['id']}", status="draft")):
        assert (answer["success"], answer["warnings"], "result" in answer) == (True, NOTHING, False)


@pytest.mark.parametrize("kind", ["email", "redirect-rule", "smart-campaign", "smart-list", "static-list", "program"])
def test_updates_are_filtered_by_time(caller: Caller, assets: Known, kind: str) -> None:
    """Both ends belong to the range."""
    whole = everything(caller, LISTS[kind][0])
    moments = sorted(row["updatedAt"].removesuffix("+0000") for row in whole)
    first, last = moments[len(moments) // 3], moments[len(moments) // 2]
    found = everything(caller, LISTS[kind][0], earliestUpdatedAt=first, latestUpdatedAt=last)
    assert found == [row for row in whole if first <= row["updatedAt"].removesuffix("+0000") <= last]
    assert found


@pytest.mark.parametrize("kind", ["email", "form", "landing-page", "file", "smart-campaign", "smart-list"])
def test_a_folder_narrows_a_list(caller: Caller, assets: Known, kind: str) -> None:
    """What lies immediately in it, programs told from folders of the same id."""
    lines = of_kind(assets, kind)
    folder = lines[0]["folder"]
    found = everything(caller, LISTS[kind][0], folder=orjson.dumps(folder).decode())
    assert {row["id"] for row in found} == {line["id"] for line in lines if line["folder"] == folder}


def test_only_active_trigger_campaigns_are_active(caller: Caller) -> None:
    """As the parameter's description says."""
    active = everything(caller, "smartCampaigns", isActive="true")
    assert {(row["type"], row["isActive"]) for row in active} == {("trigger", True)}
    assert len(active) == sum(row["isActive"] for row in everything(caller, "smartCampaigns"))


def test_users_of_templates_and_forms_are_listed(caller: Caller) -> None:
    """Emails of a template and pages with a form, as the lists show them."""
    email = next(row for row in everything(caller, "emails") if row["template"] is not None)
    users = everything(caller, f"emailTemplates/{email['template']}/usedBy")
    shown = {name: email[name] for name in ("id", "name", "status", "updatedAt")}
    assert shown | {"type": "Email"} in users
    pages = [everything(caller, f"form/{row['id']}/usedBy") for row in everything(caller, "forms")]
    assert {row["type"] for page in pages for row in page} == {"Landing Page"}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("emails.json", {"maxReturn": "201"}, "1003"),
        ("forms.json", {"maxReturn": "0"}, "1003"),
        ("files.json", {"offset": "-1"}, "1003"),
        ("files.json", {"offset": "x"}, "1001"),
        ("snippets.json", {"status": "archived"}, "1003"),
        ("emails.json", {"folder": "5"}, "1003"),
        ("emails.json", {"folder": '{"id": 5, "type": "Email"}'}, "1003"),
        ("emails.json", {"earliestUpdatedAt": "2024-01-01"}, "704"),
        ("smartCampaigns.json", {"isActive": "yes"}, "1001"),
        ("email/x.json", {}, "1001"),
        ("tagType/byName.json", {}, "1002"),
        ("noSuch.json", {}, "610"),
        ("emails.json", {"maxReturn": "200", "status": "Approved"}, ""),
    ],
)
def test_wrong_questions_are_refused(caller: Caller, path: str, query: dict[str, str], code: str) -> None:
    """Sizes, numbers, dates, statuses and places are judged."""
    assert code_of(caller.call("GET", f"{V1}/{path}", query=query)) == code


def test_calls_are_counted_by_what_they_ask() -> None:
    """Lists are told from contents, and one asset from many."""
    caller = Caller(assets=40)
    for path in ("emails", "email/14", "email/14/content", "folders", "channels", "email/ccFields"):
        asked(caller, path)
    counted = caller.instance.report()["calls"]
    expected = {"emails.list", "emails.get", "emails.content", "folders.list", "channels.list", "emails.cc_fields"}
    assert expected <= set(counted)
    assert caller.instance.report()["files_fetched"] == 0


def test_every_path_has_an_endpoint() -> None:
    """And every endpoint a path; what programs and channels had before stands elsewhere."""
    endpoints = asset_endpoints(Caller(leads=1, activities=0).instance.data)
    assert set(endpoints) == set(ASSET_PATHS.values())
