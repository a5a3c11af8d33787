"""Tests of what assets contain."""

from typing import Any

import pytest

from tests.unit.sandbox.asset_caller import NOTHING, Known, asked, known, of_kind
from tests.unit.sandbox.caller import Caller, code_of

V1 = "/rest/asset/v1"


@pytest.fixture(scope="module")
def caller() -> Caller:
    """An instance that no test changes."""
    return Caller(assets=500, programs=30, campaigns=20, calls_per_window=100_000)


@pytest.fixture(scope="module")
def assets(caller: Caller) -> Known:
    """The truth of it."""
    return known(caller)


def contents(assets: Known, kind: str, part: str) -> list[Any]:
    """A part of all versions of a kind, where there is one."""
    versions = [version for line in of_kind(assets, kind) for version in line["versions"]]
    return [found for version in versions if (found := version["content"].get(part))]


def test_emails_have_sections_of_every_sort(assets: Known) -> None:
    """Texts in two forms, modules with an index, dynamic ones by the id of their content."""
    sections = [section for found in contents(assets, "email", "content") for section in found]
    kinds = {section["contentType"] for section in sections}
    assert kinds == {"Text", "Image", "Module", "Snippet", "Video", "DynamicContent"}
    assert all([one["type"] for one in s["value"]] == ["HTML", "Text"] for s in sections if s["contentType"] == "Text")
    assert {s["parentHtmlId"] for s in sections if s["contentType"] == "Module"} == {"template-wrapper"}
    snippets = {line["id"] for line in of_kind(assets, "snippet")}
    assert {s["value"] for s in sections if s["contentType"] == "Snippet"} <= snippets


def test_dynamic_sections_and_headers_lead_to_their_content(caller: Caller, assets: Known) -> None:
    """Ids that stand in rows and sections are those of dynamicContent, with a piece for each segment."""
    headers = 0
    for line in of_kind(assets, "email"):
        for version in line["versions"]:
            row, parts = version["row"], version["content"]
            ids = {row[n]["value"] for n in ("subject", "fromName") if row[n]["type"] == "DynamicContent"}
            headers += len(ids)
            ids |= {s["value"] for s in parts["content"] or () if s["contentType"] == "DynamicContent"}
            if parts["content"] is not None:
                assert ids == set(parts.get("dynamicContent", {}))
            for (dynamic,) in parts.get("dynamicContent", {}).values():
                segments = assets["segmentation", dynamic["segmentation"]]["versions"][0]["content"]["segments"]
                assert {piece["segmentName"] for piece in dynamic["content"]} == {one["name"] for one in segments}
    assert headers


def test_pages_have_sections_of_every_sort(assets: Known) -> None:
    """Forms by id in a text, snippets, and dynamic ones by the id of their content."""
    sections = [section for found in contents(assets, "landing-page", "content") for section in found]
    assert {s["type"] for s in sections} == {
        "RichText",
        "HTML",
        "Image",
        "Rectangle",
        "Form",
        "Snippet",
        "DynamicContent",
    }
    forms = {str(line["id"]) for line in of_kind(assets, "form")}
    assert {s["content"]["content"] for s in sections if s["type"] == "Form"} <= forms
    dynamic = {key for found in contents(assets, "landing-page", "dynamicContent") for key in found}
    assert {s["content"]["content"] for s in sections if s["type"] == "DynamicContent"} & dynamic


@pytest.mark.parametrize(("kind", "path"), [("email", "email"), ("landing-page", "landingPage")])
def test_what_cannot_be_shown_is_709(caller: Caller, assets: Known, kind: str, path: str) -> None:
    """Predictive content and social buttons hide the sections; other calls about these assets work."""
    hidden = [line for line in of_kind(assets, kind) if line["versions"][0]["content"]["content"] is None]
    assert 0 < len(hidden) < 10
    for line in hidden:
        answer = asked(caller, f"{path}/{line['id']}/content")
        assert answer["errors"][0]["code"] == "709"
        assert "holds" in answer["errors"][0]["message"]
        assert asked(caller, f"{path}/{line['id']}")["result"]
        assert asked(caller, f"{path}/{line['id']}/fullContent")["result"]


def test_parts_that_cannot_be_are_702(caller: Caller, assets: Known) -> None:
    """Variables of a first-version email or a free-form page, dynamic content that is not there, odd smart lists."""
    old = next(line for line in of_kind(assets, "email") if line["versions"][0]["row"]["version"] == 1)
    free = next(line for line in of_kind(assets, "landing-page") if "variables" not in line["versions"][0]["content"])
    static = next(line for line in of_kind(assets, "snippet") if "dynamicContent" not in line["versions"][0]["content"])
    event = next(line for line in of_kind(assets, "program") if line["versions"][0]["row"]["type"] == "Event")
    for path in (
        f"email/{old['id']}/variables",
        f"landingPage/{free['id']}/variables",
        f"snippet/{static['id']}/dynamicContent",
        f"email/{old['id']}/dynamicContent/RVMtNDg=",
        f"program/{event['id']}/smartList",
    ):
        assert code_of(caller.call("GET", f"{V1}/{path}.json")) == "702"


@pytest.mark.parametrize(
    "path",
    [
        "email/99999/content",
        "email/99999/variables",
        "email/99999/fullContent",
        "landingPage/99999/dynamicContent/x",
        "form/99999/fields",
        "program/99999/smartList",
        "smartList/99999",
        "segmentation/99999/segments",
    ],
)
def test_parts_of_nothing_are_nothing(caller: Caller, path: str) -> None:
    """An asset that there is not is a warning, not an error."""
    answer = asked(caller, path)
    assert (answer["success"], answer["warnings"], "result" in answer) == (True, NOTHING, False)


def test_a_status_picks_the_content(caller: Caller, assets: Known) -> None:
    """Approved and draft differ; without it the approved one shows; a version that is not there is nothing."""
    both = next(
        line
        for line in of_kind(assets, "form")
        if [version["version"] for version in line["versions"]] == ["approved", "draft"]
    )
    approved, draft = (asked(caller, f"form/{both['id']}/fields", status=s)["result"] for s in ("approved", "draft"))
    assert approved != draft
    assert asked(caller, f"form/{both['id']}/fields")["result"] == approved
    lone = next(line for line in of_kind(assets, "form") if [v["version"] for v in line["versions"]] == ["draft"])
    assert asked(caller, f"form/{lone['id']}/fields", status="approved")["warnings"] == NOTHING
    assert code_of(caller.call("GET", f"{V1}/form/14/fields.json", query={"status": "x"})) == "1003"


def test_documents_hold_template_and_sections(caller: Caller, assets: Known) -> None:
    """The HTML of an email has its first section in it, its text version the text."""
    line = next(one for one in of_kind(assets, "email") if one["versions"][0]["content"]["content"] is not None)
    version = line["versions"][0]
    first = next(s for s in version["content"]["content"] if s["contentType"] == "Text")
    assert first["value"][0]["value"] in version["html"]
    assert f"template-{version['row']['template']}" in version["html"]
    text = asked(caller, f"email/{line['id']}/fullContent", type="Text")["result"][0]["content"]
    assert first["value"][1]["value"] in text
    assert code_of(caller.call("GET", f"{V1}/email/{line['id']}/fullContent.json", query={"type": "PDF"})) == "1003"


def test_forms_have_rules_and_follow_ups(caller: Caller, assets: Known) -> None:
    """Fields are shown by rules, a follow-up page is a page's id or an address, one entry is the default."""
    fields = [field for found in contents(assets, "form", "fields") for field in found]
    assert {field["visibilityRules"]["ruleType"] for field in fields if "visibilityRules" in field} == {
        "alwaysShow",
        "show",
    }
    thanks = [version["row"]["thankYouList"] for line in of_kind(assets, "form") for version in line["versions"]]
    assert {entry["followupType"] for entries in thanks for entry in entries} == {"none", "url", "lp"}
    assert {sum(entry["default"] for entry in entries) for entries in thanks} == {1}
    line = of_kind(assets, "form")[0]
    (page,) = asked(caller, f"form/{line['id']}/thankYouPage")["result"]
    assert page == {"id": line["id"], "thankYouList": line["versions"][0]["row"]["thankYouList"]}


def test_rules_come_when_they_are_asked_for(caller: Caller, assets: Known) -> None:
    """Those of campaigns that triggers start have triggers."""
    line = of_kind(assets, "smart-list")[0]
    assert "rules" not in asked(caller, f"smartList/{line['id']}")["result"][0]
    triggers = [
        bool(line["versions"][0]["content"]["rules"][0]["rules"]["triggers"])
        for line in of_kind(assets, "smart-campaign")
    ]
    types = [line["versions"][0]["row"]["type"] == "trigger" for line in of_kind(assets, "smart-campaign")]
    assert triggers == types
    assert len(set(types)) == 2


def test_both_paths_of_a_template_give_its_document(caller: Caller) -> None:
    """With the ending that the others have, and without it as Adobe's definitions write it."""
    plain = caller.get(f"{V1}/emailTemplate/14/content")["result"]
    assert plain == caller.get(f"{V1}/emailTemplate/14/content.json")["result"]
    assert plain[0]["content"].startswith("<!DOCTYPE html>")


def test_faults_strike_calls_about_assets() -> None:
    """By their paths, one asset's content apart from the others."""
    caller = Caller(assets=60)
    rule = {"path": f"{V1}/email/14/*", "action": "error", "code": "713", "message": "Transient Error", "times": 1}
    assert caller.control("POST", "faults", [rule]).status == 200
    paths = ("email/14", "email/4001/content", "email/14/content", "email/14/content")
    assert [code_of(caller.call("GET", f"{V1}/{path}.json")) for path in paths] == ["", "", "713", ""]
