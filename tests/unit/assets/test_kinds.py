"""The table of kinds, against the configuration and against Adobe's own definitions."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.assets.asking import html_body, html_section
from syncengine.assets.contents import parts_of
from syncengine.assets.kind import Kind, Part, Subject, Version
from syncengine.assets.kinds import FOLDER, KINDS
from syncengine.config.streams import ASSET_KINDS
from syncengine.marketo.endpoints.assets import designs

DEFINITIONS = Path(__file__).parents[4] / "shared" / "openapi" / "asset.json"
needs_definitions = pytest.mark.skipif(not DEFINITIONS.is_file(), reason="Adobe's API definitions are not at hand")

LISTED = [kind for kind in KINDS.values() if kind.path]
PARTS = [(kind, part) for kind in KINDS.values() for part in kind.parts]
DYNAMIC = [kind for kind in KINDS.values() if kind.dynamic]
DESIGNS = [kind for kind in KINDS.values() if kind.design is not None]


def test_the_configuration_knows_the_same_kinds() -> None:
    """In the same order; it imports nothing of them, and so cannot look."""
    assert ASSET_KINDS == tuple(KINDS)
    assert all(name == kind.name for name, kind in KINDS.items())


def test_each_kind_has_a_way_to_be_listed() -> None:
    """A list, or the new designer; folders are found area by area."""
    assert all(bool(kind.path) != (kind.design is not None) for kind in KINDS.values() if kind.name != FOLDER)


def test_no_name_of_a_kind_is_mistaken_in_the_name_of_a_file() -> None:
    """It has no dot, and is neither the word for drafts nor an ending."""
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in KINDS)
    assert not {"draft", "json", "html"} & set(KINDS)
    assert all(f"asset_{name}" == kind.table for name, kind in KINDS.items())


@cache
def paths() -> dict[str, dict[str, Any]]:
    """Adobe's operations by path, in which every place is an empty pair of braces."""
    found = orjson.loads(DEFINITIONS.read_bytes())
    return {
        re.sub(r"\{\w+\}", "{}", path): {"definitions": found["definitions"], **methods}
        for path, methods in found["paths"].items()
    }


def parameters(path: str, method: str = "get") -> dict[str, dict[str, Any]]:
    """What an operation takes in its query, by name."""
    operation = paths()[re.sub(r"\{\w+\}", "{}", path)][method]
    return {each["name"]: each for each in operation.get("parameters", []) if each["in"] == "query"}


def members(path: str) -> set[str]:
    """The members that the rows of a list have."""
    operation = paths()[path]
    schema = operation["get"]["responses"]["200"]["schema"]
    for name in ("result", ""):
        while "$ref" in schema:
            schema = operation["definitions"][schema["$ref"].rsplit("/", 1)[1]]
        schema = schema["properties"][name]["items"] if name else schema
    return set(schema["properties"])


def asked(kind: Kind, part: Part) -> set[str]:
    """The query of a part."""
    return {
        *part.query,
        *(["status"] if part.takes_status else []),
        *(["offset", "maxReturn"] if part.is_paged else []),
    }


@needs_definitions
@pytest.mark.parametrize("kind", LISTED, ids=lambda kind: kind.name)
def test_every_list_is_one_of_adobes(kind: Kind) -> None:
    """It takes what we ask it for, and its rows have what we take from them."""
    takes = parameters(kind.path)
    assert kind.is_paged == ({"offset", "maxReturn"} <= set(takes))
    assert kind.has_since == ("earliestUpdatedAt" in takes)
    assert kind.statuses == (tuple(takes["status"]["enum"]) if "status" in takes else ("",))
    assert not [name for name, each in takes.items() if each.get("required")]
    assert {kind.id, kind.shown, *(column.name for column in kind.columns)} <= members(kind.path)


@needs_definitions
@pytest.mark.parametrize(("kind", "part"), PARTS, ids=lambda each: each.name)
def test_every_part_is_one_of_adobes(kind: Kind, part: Part) -> None:
    """Its call takes what we ask it for, is given what it demands, and is asked of either version where it can be."""
    takes = parameters(part.path)
    assert asked(kind, part) <= set(takes)
    assert {name for name, each in takes.items() if each.get("required")} <= asked(kind, part)
    assert part.takes_status == ("status" in takes)


@needs_definitions
@pytest.mark.parametrize("kind", DYNAMIC, ids=lambda kind: kind.name)
def test_dynamic_content_is_asked_for_where_adobe_gives_it(kind: Kind) -> None:
    """Section by section, or all of it at once."""
    assert not [name for name, each in parameters(kind.dynamic).items() if each.get("required")]


@needs_definitions
@pytest.mark.parametrize("kind", DESIGNS, ids=lambda kind: kind.name)
def test_every_design_is_one_of_adobes(kind: Kind) -> None:
    """It can be listed, and fetched with others."""
    takes = parameters(f"/rest/asset/v2/{kind.design}/filter")
    query = designs(kind.design, 1).query if kind.design else {}
    assert {"workspaceId", "pageIndex"} <= set(query) <= set(takes)
    assert "post" in paths()[f"/rest/asset/v2/{kind.design}/bulk/get"]


@needs_definitions
def test_every_list_of_adobes_that_has_folders_for_its_places_has_a_kind() -> None:
    """Whatever Adobe lists by offset is either brought or known to be no asset."""
    no_assets = {
        "/rest/asset/v1/folders.json",  # read area by area
        "/rest/asset/v1/form/fields.json",  # what forms may be made of
        "/rest/asset/v1/form/programMemberFields.json",
        "/rest/asset/v1/landingPage/byName.json",  # one of those that are listed
        "/rest/asset/v1/program/byTag.json",
    }
    by_offset = {
        path for path, each in paths().items() if "get" in each and "{" not in path and "offset" in parameters(path)
    }
    assert by_offset - {kind.path for kind in LISTED} == no_assets


def names(
    kind: str, row: dict[str, Any], version: Version = "", *, live: bool = True, free_form: frozenset[int] = frozenset()
) -> list[str]:
    """The parts that are asked for of one asset."""
    return [part.name for part in parts_of(KINDS[kind], Subject(row, version, is_live=live, free_form=free_form))]


def test_not_everything_is_asked_of_every_asset() -> None:
    """Only of those that can have it; what is not known is asked."""
    assert ["content", "html"] == names("email", {"version": 1})
    assert ["content", "variables", "html"] == names("email", {"version": 2}) == names("email", {})
    assert ["content", "variables", "html"] == names("email", {"version": 2}, "draft")  # never approved
    assert ["content", "html"] == names("email", {"version": 2}, "draft", live=False)
    assert ["content", "variables", "html"] == names("landing_page", {"template": 3})
    assert ["content", "variables"] == names("landing_page", {"template": 3}, "draft", live=False)
    assert ["content", "html"] == names("landing_page", {"template": 4}, free_form=frozenset({4}))
    assert ["content", "variables", "html"] == names("landing_page", {"template": "3"}, free_form=frozenset({4}))
    assert ["detail", "tokens"] == names("program", {"type": "Event"})
    assert ["detail", "tokens", "smartList"] == names("program", {"type": "Email"})
    assert ["detail"] == names("tag_type", {"tagType": "Region"})
    assert [] == names("tag_type", {"tagType": "Region, old"})


def test_what_follows_from_a_name_or_place_is_no_key() -> None:
    """Only what is neither what identifies nor what names an asset may be said to follow from it."""
    for kind in KINDS.values():
        assert not kind.entailed & {kind.id, kind.shown, "updatedAt"}
        assert not kind.entailed & kind.ignored
    assert {"file", "smart_campaign"} == {kind.name for kind in KINDS.values() if kind.entailed}


def test_answers_are_taken_out_of_their_wraps() -> None:
    """And an answer without rows is nothing."""
    pick = {(kind.name, part.name): part.pick for kind, part in PARTS}
    assert [{"name": "a"}] == pick["folder", "tokens"]([{"folder": {}, "tokens": [{"name": "a"}]}])
    assert [] == pick["program", "tokens"]([])
    assert "<p>" == pick["email", "html"]([{"id": 1, "content": "<p>"}])
    assert pick["email", "html"]([]) is None
    assert {"id": 9, "rules": {"filters": []}} == pick["smart_list", "smartList"](
        [{"id": 9, "rules": {"filters": []}, "name": "x", "updatedAt": "y"}]
    )
    assert pick["smart_campaign", "smartList"]([]) is None
    assert {"tags": [1], "costs": []} == pick["program", "detail"]([{"tags": [1], "costs": None, "name": "x"}])
    assert pick["program", "detail"]([]) is None
    assert ({"tagType": "a"}, None) == (pick["tag_type", "detail"]([{"tagType": "a"}]), pick["tag_type", "detail"]([]))
    assert [{"id": 1}] == pick["form", "fields"](({"id": 1},))


def test_a_snippet_has_its_html_in_a_section() -> None:
    """Which is taken out of its parts; its text stays."""
    text, html = {"type": "Text", "content": "Hi"}, {"type": "HTML", "content": "<p>Hi"}
    parts: dict[str, Any] = {"content": [html, text]}
    assert "<p>Hi" == html_section(parts)
    assert {"content": [text]} == parts


@pytest.mark.parametrize("sections", [None, [], [{"type": "DynamicContent", "content": 5}], [{"type": "HTML"}] * 2])
def test_a_snippet_without_one_html_keeps_all_its_sections(sections: list[Any] | None) -> None:
    """A dynamic one has none, and of two neither is the one."""
    parts = {"content": sections}
    assert html_section(parts) is None
    assert {"content": sections} == parts


def test_a_design_has_its_html_in_its_data() -> None:
    """Which is taken out of them, and nothing else is; what was given is left alone."""
    data = {"html": {"body": "<p>", "head": "x"}, "json": {}}
    parts: dict[str, Any] = {"data": data}
    assert "<p>" == html_body(parts)
    assert {"data": {"html": {"head": "x"}, "json": {}}} == parts
    assert {"html": {"body": "<p>", "head": "x"}, "json": {}} == data


@pytest.mark.parametrize("data", [None, "x", {}, {"html": "<p>"}, {"html": {"head": "x"}}])
def test_a_design_without_html_keeps_its_data(data: object) -> None:
    """Whatever they are."""
    parts = {"data": data}
    assert html_body(parts) is None
    assert {"data": data} == parts
