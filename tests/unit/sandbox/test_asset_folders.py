"""Tests of the folder tree."""

import orjson
import pytest

from tests.unit.sandbox.asset_caller import NOTHING, Known, asked, everything, known, of_kind
from tests.unit.sandbox.caller import Caller, code_of

ROOTS = ["Design Studio", "Lead Database", "Marketing Activities"]


@pytest.fixture(scope="module")
def caller() -> Caller:
    """An instance that no test changes."""
    return Caller(assets=600, programs=40, calls_per_window=100_000)


@pytest.fixture(scope="module")
def assets(caller: Caller) -> Known:
    """The truth of it."""
    return known(caller)


def root(name: str, caller: Caller) -> str:
    """A root folder as a parameter."""
    (found,) = asked(caller, "folder/byName", name=name, type="Folder")["result"]
    return orjson.dumps(found["folderId"]).decode()


def test_the_roots_are_system_folders_without_a_parent(caller: Caller) -> None:
    """Three of them, and a folder for each workspace below."""
    shown = everything(caller, "folders", maxDepth=0)
    assert [row["name"] for row in shown] == ROOTS
    assert {(row["folderType"], row["parent"], row["isSystem"]) for row in shown} == {("Zone", None, True)}
    below = everything(caller, "folders", root=root(ROOTS[2], caller), maxDepth=1)
    homes = [(row["name"], row["accessZoneId"]) for row in below if row["isSystem"] and row["parent"]]
    assert homes == [("Default", 1), ("EMEA, APAC", 1001), ("Labs \u00e9", 1002)]
    assert all(row["workspace"] == row["name"] for row in below if row["parent"])


def test_depth_bounds_what_is_browsed(caller: Caller) -> None:
    """None shows the root alone, two levels without a bound, and the tree is deep."""
    depths = [len(everything(caller, "folders", root=root(ROOTS[2], caller), maxDepth=depth)) for depth in range(12)]
    assert depths[0] == 1
    assert depths[:7] == sorted(set(depths[:7]))
    assert len(everything(caller, "folders", root=root(ROOTS[2], caller))) == depths[2]
    shown = everything(caller, "folders", root=root(ROOTS[2], caller), maxDepth=99)
    assert max(row["path"].count("/Level ") for row in shown) == 7


def test_programs_are_folders_too(caller: Caller, assets: Known) -> None:
    """With their own types, in folders and in engagement programs, and with folders of their own."""
    shown = everything(caller, "folders", maxDepth=99)
    programs = [row for row in shown if row["folderId"]["type"] == "Program"]
    assert len(programs) == 40
    assert {row["folderType"] for row in programs} == {
        "Marketing Program",
        "Marketing Event",
        "Nurture Program",
        "Email Batch Program",
    }
    types = {row["id"]: row["folderType"] for row in programs}
    inside = [row for row in programs if row["parent"]["type"] == "Program"]
    assert {types[row["parent"]["id"]] for row in inside} == {"Nurture Program"}
    assert [
        row for row in shown if row["folderId"]["type"] == "Folder" and (row["parent"] or {}).get("type") == "Program"
    ]
    listed = {row["id"]: row["folder"]["value"] for row in everything(caller, "programs")}
    assert listed == {row["id"]: row["parent"]["id"] for row in programs}


def test_a_path_is_made_of_the_names_above(caller: Caller, assets: Known) -> None:
    """Whatever these are."""
    for line in of_kind(assets, "folder"):
        row = line["versions"][0]["row"]
        above = None if line["folder"] is None else assets[line["folder"]["type"].lower(), line["folder"]["id"]]
        parent = above["versions"][0]["row"] if above else {}
        if above is None or above["kind"] == "folder":
            assert row["path"] == f"{parent.get('path', '')}/{line['name']}"


def test_ids_of_kinds_overlap(assets: Known) -> None:
    """An id says nothing without its kind."""
    ids = {kind: {key for one, key in assets if one == kind} for kind in ("folder", "program", "email", "form")}
    assert len(ids["folder"] & ids["program"]) > 10
    assert len(ids["folder"] & ids["email"] & ids["form"]) > 20


def test_names_are_hostile(assets: Known) -> None:
    """Siblings that differ in case or normal form alone, namesakes, names that are paths."""
    names = {line["name"] for line in assets.values()}
    assert {"", "..", "../x", ".git", "CON", "con.txt", "100%", "x~1", "trailing dot.", " leading space"} <= names
    assert any(len(name) == 300 for name in names)
    siblings: dict[tuple[str, str], list[str]] = {}
    for line in assets.values():
        siblings.setdefault((line["kind"], str(line["folder"])), []).append(line["name"])
    pairs = (["Twin", "Twin"], ["caf\u00e9", "cafe\u0301"], ["Readme", "README"], ["stra\u00dfe", "strasse"])
    for pair in pairs:
        assert any(set(pair) <= set(here) and len([n for n in here if n in pair]) >= 2 for here in siblings.values())
    (folder,) = [line for line in of_kind(assets, "folder") if line["name"] == "Foo.email.json"]
    emails = {line["name"] for line in of_kind(assets, "email") if line["folder"] == folder["folder"]}
    assert {"Foo", "Foo.email"} <= emails
    namesakes = {line["kind"] for line in assets.values() if line["name"] == assets["program", 4001]["name"]}
    assert {"email", "folder", "program", "form"} <= namesakes


def test_a_folder_is_found_by_name_and_id(caller: Caller, assets: Known) -> None:
    """Every one of the name, within a type, a root or a workspace."""
    level = asked(caller, "folder/byName", name="Level 3")["result"]
    assert len(level) > 1
    studio = orjson.loads(root(ROOTS[0], caller))
    within = asked(caller, "folder/byName", name="Level 3", root=orjson.dumps(studio).decode())["result"]
    assert within == [row for row in level if row["path"].startswith("/Design Studio")]
    assert asked(caller, "folder/byName", name="Level 3", root=studio["id"], type="Folder")["result"] == within
    assert asked(caller, "folder/byName", name="Level 3", workSpace="Nowhere")["warnings"] == NOTHING
    both = assets["program", 4001]["name"]
    assert len(asked(caller, "folder/byName", name=both)["result"]) == 2
    assert len(asked(caller, "folder/byName", name=both, type="Program")["result"]) == 1
    for kind in ("folder", "program"):
        (row,) = asked(caller, "folder/4001", type=kind.capitalize())["result"]
        assert (row["id"], row["folderId"]["type"], row["name"]) == (
            4001,
            kind.capitalize(),
            assets[kind, 4001]["name"],
        )
    assert asked(caller, "folder/99999", type="Folder")["warnings"] == NOTHING


def test_a_folder_tells_what_lies_in_it(caller: Caller, assets: Known) -> None:
    """Immediately, of every kind that folders know."""
    inside = [line for line in assets.values() if line["folder"] == {"type": "Program", "id": 4001}]
    shown = everything(caller, "folder/4001/content", size=3, type="Program")
    plain = [line["id"] for line in inside if not line["kind"].endswith("-v2")]
    assert sorted(one["id"] for one in shown) == sorted(plain)
    assert set(shown[0]) == {"id", "type"}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("folder/byName.json", {}, "1002"),
        ("folder/byName.json", {"name": "x", "type": "Email"}, "1003"),
        ("folder/byName.json", {"name": "x", "root": "14"}, "1002"),
        ("folder/14.json", {}, "1002"),
        ("folder/14.json", {"type": "folder"}, "1003"),
        ("folder/14/content.json", {}, "1002"),
        ("folder/14/tokens.json", {"folderType": "Zone"}, "1003"),
        ("folders.json", {"root": "14"}, "1003"),
        ("folders.json", {"maxDepth": "-1"}, "1003"),
        ("folders.json", {"root": '{"id": 99999, "type": "Folder"}'}, ""),
    ],
)
def test_wrong_questions_of_folders_are_refused(caller: Caller, path: str, query: dict[str, str], code: str) -> None:
    """Types and places are judged; a root that there is not has nothing below it."""
    assert code_of(caller.call("GET", f"/rest/asset/v1/{path}", query=query)) == code
