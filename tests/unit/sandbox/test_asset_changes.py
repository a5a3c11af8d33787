"""Tests of changes of assets: what each verb touches, and what it leaves alone."""

from typing import Any

import pytest

from tests.unit.sandbox.asset_caller import Known, asked, done, known, of_kind, rows
from tests.unit.sandbox.caller import Caller


@pytest.fixture
def caller() -> Caller:
    """A small instance of the test's own, an hour after its start."""
    caller = Caller(assets=90, programs=12, campaigns=10, lists=6, calls_per_window=100_000)
    caller.now += 3_600
    return caller


def with_versions(assets: Known, kind: str, *versions: str) -> dict[str, Any]:
    """An asset that has just these versions, and whose content can be read."""
    return next(
        line
        for line in of_kind(assets, kind)
        if list(rows(line)) == list(versions) and line["versions"][0]["content"].get("content", ()) is not None
    )


def dates(assets: Known) -> dict[Any, list[str]]:
    """The dates of all versions of all assets."""
    return {
        key: [str(row.get("updatedAt") or row.get("metadata")) for row in rows(line).values()]
        for key, line in assets.items()
    }


def moved(before: Known, after: Known) -> set[Any]:
    """The assets whose dates differ, or that are only in one of both."""
    earlier, later = dates(before), dates(after)
    return {key for key in earlier.keys() | later.keys() if earlier.get(key) != later.get(key)}


@pytest.mark.parametrize("kind", ["email", "landing-page", "form", "snippet", "email-template"])
def test_an_edit_of_an_approved_asset_makes_a_draft(caller: Caller, kind: str) -> None:
    """The approved version stays as it is, the draft has the new text."""
    before = known(caller)
    line = with_versions(before, kind, "approved")
    (change,) = done(caller, "edit", kind, line["id"], text="Quite new")
    assert change == {
        "do": "edit",
        "kind": kind,
        "id": line["id"],
        "name": line["name"],
        "versions": ["approved", "draft"],
    }
    assets = known(caller)
    after = assets[kind, line["id"]]
    assert after["versions"][0] == line["versions"][0]
    assert "Quite new" in str(after["versions"][1]["content"])
    assert moved(before, assets) == {(kind, line["id"])}


def test_an_edit_can_be_of_the_approved_version(caller: Caller) -> None:
    """The draft beside it stays; a draft alone has none to edit."""
    line = with_versions(known(caller), "form", "approved", "draft")
    done(caller, "edit", "form", line["id"], text="Quite new", version="approved")
    after = known(caller)["form", line["id"]]
    assert after["versions"][1] == line["versions"][1]
    assert after["versions"][0]["content"] != line["versions"][0]["content"]
    lone = with_versions(known(caller), "form", "draft")
    asked_for = [{"do": "edit", "kind": "form", "id": lone["id"], "version": "approved"}]
    assert "has no version" in caller.change(assets=asked_for)["error"]


@pytest.mark.parametrize("kind", ["folder", "program", "smart-campaign", "static-list", "smart-list", "segmentation"])
def test_an_edit_without_versions_changes_the_description(caller: Caller, kind: str) -> None:
    """And the date of nothing else."""
    before = known(caller)
    line = next(x for x in of_kind(before, kind) if not x["versions"][0]["row"].get("isSystem"))
    done(caller, "edit", kind, line["id"], text="Quite new")
    after = known(caller)
    row = after[kind, line["id"]]["versions"][0]["row"]
    assert row["description"] == "Quite new"
    assert row["updatedAt"] == "2026-01-15T13:00:00Z+0000"
    assert moved(before, after) == {(kind, line["id"])}


def test_an_edit_changes_the_bytes_of_a_file_and_the_target_of_a_rule(caller: Caller) -> None:
    """Checksum and size differ; a rule leads elsewhere."""
    before = known(caller)
    file, rule = of_kind(before, "file")[0], of_kind(before, "redirect-rule")[0]
    done(caller, "edit", "file", file["id"])
    done(caller, "edit", "redirect-rule", rule["id"], text="www.new.example")
    after = known(caller)
    assert after["file", file["id"]]["versions"][0]["sha256"] != file["versions"][0]["sha256"]
    assert after["file", file["id"]]["versions"][0]["row"]["size"] == file["versions"][0]["row"]["size"] + 1
    assert after["redirect-rule", rule["id"]]["versions"][0]["row"]["redirectToUrl"] == "www.new.example"


def test_a_move_leaves_dates_alone(caller: Caller) -> None:
    """The asset shows its new place and is as old as before."""
    before = known(caller)
    line = of_kind(before, "email")[0]
    target = next(x for x in of_kind(before, "program") if {"type": "Program", "id": x["id"]} != line["folder"])
    (change,) = done(caller, "move", "email", line["id"], to={"type": "Program", "id": target["id"]})
    after = known(caller)
    assert change["do"] == "move"
    shown = {"type": "Program", "value": target["id"], "folderName": target["name"]}
    assert {str(row["folder"]) for row in rows(after["email", line["id"]]).values()} == {str(shown)}
    assert moved(before, after) == set()


def test_a_moved_program_and_campaign_are_moved_for_both_apis(caller: Caller) -> None:
    """The lead database names the program that a campaign lies in, and no date moves there either."""
    before, listed = known(caller), {line["id"]: line for line in caller.truth("campaigns")}
    program, campaign = of_kind(before, "program")[0], of_kind(before, "smart-campaign")[0]
    done(caller, "move", "smart-campaign", campaign["id"], to={"type": "Program", "id": program["id"]})
    shown = next(line for line in caller.truth("campaigns") if line["id"] == campaign["id"])
    assert (shown["programId"], shown["programName"]) == (program["id"], program["name"])
    assert shown["updatedAt"] == listed[campaign["id"]]["updatedAt"]
    done(caller, "rename", "program", program["id"], name="Renamed")
    shown = next(line for line in caller.truth("campaigns") if line["id"] == campaign["id"])
    assert shown["programName"] == "Renamed"


def test_a_rename_of_a_folder_shows_below_it(caller: Caller) -> None:
    """In paths and in names of folders, but in no date but its own."""
    before = known(caller)
    line = next(x for x in of_kind(before, "folder") if x["name"] == "Level 2")
    done(caller, "rename", "folder", line["id"], name="a/b")
    after = known(caller)
    old, new = line["versions"][0]["row"]["path"], after["folder", line["id"]]["versions"][0]["row"]["path"]
    assert new == old.removesuffix("Level 2") + "a/b"
    below = [x for x in of_kind(before, "folder") if x["versions"][0]["row"]["path"].startswith(f"{old}/")]
    assert below
    for child in below:
        path = child["versions"][0]["row"]["path"]
        assert after["folder", child["id"]]["versions"][0]["row"]["path"] == new + path.removeprefix(old)
    assert moved(before, after) == {("folder", line["id"])}


def test_a_rename_is_of_all_versions(caller: Caller) -> None:
    """Approved and draft bear the new name and are updated."""
    line = with_versions(known(caller), "email", "approved", "draft")
    done(caller, "rename", "email", line["id"], name="")
    shown = rows(known(caller)["email", line["id"]])
    assert [(row["name"], row["updatedAt"]) for row in shown.values()] == [("", "2026-01-15T13:00:00Z+0000")] * 2


def test_an_approval_replaces_the_approved_version(caller: Caller) -> None:
    """The draft's content is the approved one from then on, and there is no draft."""
    line = with_versions(known(caller), "form", "approved", "draft")
    (change,) = done(caller, "approve", "form", line["id"])
    (after,) = known(caller)["form", line["id"]]["versions"]
    assert change["versions"] == ["approved"]
    assert after["row"]["status"] == "approved"
    assert "Text" in str(after["content"])
    assert after["content"] != line["versions"][0]["content"]
    assert "no draft" in caller.change(assets=[{"do": "approve", "kind": "form", "id": line["id"]}])["error"]


@pytest.mark.parametrize("kind", ["folder", "program"])
def test_a_token_moves_the_date_of_its_folder(caller: Caller, kind: str) -> None:
    """It is new or has a new value."""
    before = known(caller)
    line = next(x for x in of_kind(before, kind) if not x["versions"][0]["row"].get("isSystem"))
    for text in ("one", "two"):
        done(caller, "token", kind, line["id"], name="Mine", text=text)
    after = known(caller)
    (shown,) = after[kind, line["id"]]["versions"][0]["content"]["tokens"]
    assert [token["value"] for token in shown["tokens"] if token["name"] == "Mine"] == ["two"]
    assert shown["folder"] == {"type": kind.capitalize(), "value": line["id"]}
    assert moved(before, after) == {(kind, line["id"])}


def test_a_folder_takes_along_what_it_contains(caller: Caller) -> None:
    """Programs, their assets and their campaigns too; each of them is told."""
    before = known(caller)
    program = next(x for x in of_kind(before, "program") if x["folder"]["type"] == "Folder")
    inside = {"type": "Program", "id": program["id"]}
    (campaign,) = done(caller, "create", "smart-campaign", 0, name="Doomed", to=inside)
    gone = done(caller, "delete", "program", program["id"])
    after = known(caller)
    assert {(one["kind"], one["id"]) for one in gone} == (
        before.keys() | {("smart-campaign", campaign["id"])}
    ) - after.keys()
    assert {one["do"] for one in gone} == {"delete"}
    assert ("smart-campaign", campaign["id"]) in {(one["kind"], one["id"]) for one in gone}
    assert program["id"] not in {line["id"] for line in caller.truth("programs")}
    assert all(line["folder"] != inside for line in after.values())


@pytest.mark.parametrize(
    "kind",
    [
        *("folder", "program", "email", "form", "landing-page", "snippet", "file", "redirect-rule", "smart-list"),
        *("smart-campaign", "static-list", "segmentation", "email-template", "email-v2", "fragment"),
    ],
)
def test_whatever_there_is_can_be_made(caller: Caller, kind: str) -> None:
    """It is new, has an id of its own, and the other assets are as they were."""
    before = known(caller)
    folder = next(x for x in of_kind(before, "folder") if x["name"] == "Level 1")
    place = {} if kind == "redirect-rule" else {"to": {"type": "Folder", "id": folder["id"]}}
    (made,) = done(caller, "create", kind, 0, name="Made", text="Quite new", **place)
    after = known(caller)
    assert after.keys() - before.keys() == {(kind, made["id"])}
    assert after[kind, made["id"]]["name"] == "Made"
    assert after[kind, made["id"]]["folder"] == (None if kind == "redirect-rule" else place["to"])
    assert all(after[key] == line for key, line in before.items() if key[0] != "fragment")


MISTAKES: tuple[dict[str, Any], ...] = (
    {"do": "paint", "kind": "email", "id": 14},
    {"do": "edit", "kind": "poem", "id": 14},
    {"do": "edit", "kind": "channel", "id": 1001},
    {"do": "edit", "kind": "email", "id": 99_999},
    {"do": "rename", "kind": "folder", "id": 14, "name": "Root"},
    {"do": "delete", "kind": "folder", "id": 14},
    {"do": "rename", "kind": "redirect-rule", "id": 14, "name": "x"},
    {"do": "move", "kind": "redirect-rule", "id": 14, "to": {"type": "Folder", "id": 14}},
    {"do": "move", "kind": "email", "id": 14, "to": {"type": "Folder", "id": 99_999}},
    {"do": "move", "kind": "email", "id": 14, "to": {"type": "Email", "id": 14}},
    {"do": "move", "kind": "program", "id": 4001, "to": {"type": "Program", "id": 4001}},
    {"do": "token", "kind": "email", "id": 14, "name": "x"},
)


def test_what_cannot_be_done_to_an_asset_is_refused(caller: Caller) -> None:
    """A mistake in a test's own script is loud and changes nothing."""
    before = known(caller)
    answers = [caller.control("POST", "change", {"assets": [mistake]}).status for mistake in MISTAKES]
    assert answers == [400] * len(MISTAKES)
    assert moved(before, known(caller)) == set()


def test_churn_is_disjoint_and_repeatable(caller: Caller) -> None:
    """As many as were asked for, no asset twice, of many kinds, and the same again for the same seed."""
    asked_for = {"edit": 20, "move": 6, "rename": 8, "delete": 9}
    before = known(caller)
    changes = caller.change(asset_churn=asked_for, seed=5)["assets"]
    keys = [(one["kind"], one["id"]) for one in changes]
    assert len(set(keys)) == len(keys) == sum(asked_for.values())
    counts = {verb: sum(one["do"] == verb for one in changes) for verb in asked_for}
    assert counts == asked_for
    assert len({kind for kind, _ in keys}) > 12
    after = known(caller)
    deleted = {key for key, one in zip(keys, changes, strict=True) if one["do"] == "delete"}
    assert before.keys() - after.keys() == deleted
    still = {key for key, one in zip(keys, changes, strict=True) if one["do"] in {"edit", "rename"}}
    assert moved(before, after) == deleted | still
    for key, one in zip(keys, changes, strict=True):
        if one["do"] == "move":
            assert before[key]["folder"] != after[key]["folder"]
    other = Caller(assets=90, programs=12, campaigns=10, lists=6)
    other.now += 3_600
    assert other.change(asset_churn=asked_for, seed=5)["assets"] == changes


def test_churn_changes_nothing_else(caller: Caller) -> None:
    """But for the names of folders, the rows and parts of all other assets are what they were."""
    before = known(caller)
    changes = caller.change(asset_churn={"edit": 15, "delete": 10}, seed=2)["assets"]
    touched = {(one["kind"], one["id"]) for one in changes}
    after = known(caller)
    assert {key for key in before if key not in touched and after[key] != before[key]} == set()


@pytest.mark.parametrize("churn", [{"edit": 10_000}, {"paint": 1}])
def test_churn_that_cannot_be_is_refused(caller: Caller, churn: dict[str, int]) -> None:
    """More than there are, or a verb that there is not."""
    assert caller.control("POST", "change", {"asset_churn": churn}).status == 400


def test_rows_of_tables_are_assets(caller: Caller) -> None:
    """What changes in a table by the older verbs is changed for the asset calls as well."""
    caller.change(records={"programs": [{"row": 0, "name": "Renamed"}]}, new_records={"lists": [{"name": "New list"}]})
    assert asked(caller, "program/4001")["result"][0]["name"] == "Renamed"
    assert asked(caller, "folder/4001", type="Program")["result"][0]["name"] == "Renamed"
    assert "New list" in [line["name"] for line in of_kind(known(caller), "static-list")]
    caller.change(delete_records={"programs": [0]})
    after = known(caller)
    assert ("program", 4001) not in after
    assert {"type": "Program", "id": 4001} not in [line["folder"] for line in after.values()]
