"""Tests of the truth of assets: it is what the calls give, for every kind and every part."""

from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.unit.sandbox.asset_caller import (
    DESIGNS,
    LISTS,
    V2,
    V2_HEADERS,
    VERSIONED,
    Known,
    asked,
    designed,
    everything,
    known,
    of_kind,
)
from tests.unit.sandbox.caller import Caller, value_of

HOST = "localhost"
PARTS = {
    ("email", "content"): "email/{}/content",
    ("email", "variables"): "email/{}/variables",
    ("email-template", "content"): "emailTemplate/{}/content",
    ("landing-page", "content"): "landingPage/{}/content",
    ("landing-page", "variables"): "landingPage/{}/variables",
    ("landing-page-template", "content"): "landingPageTemplate/{}/content",
    ("form", "fields"): "form/{}/fields",
    ("snippet", "content"): "snippet/{}/content",
    ("snippet", "dynamicContent"): "snippet/{}/dynamicContent",
    ("smart-list", "rules"): "smartList/{}",
    ("smart-campaign", "rules"): "smartCampaign/{}/smartList",
    ("program", "rules"): "program/{}/smartList",
    ("program", "detail"): "program/{}",
    ("segmentation", "segments"): "segmentation/{}/segments",
}


@pytest.fixture(scope="module")
def caller() -> Caller:
    """An instance whose limits do not matter here, with something of every kind, changed at random."""
    caller = Caller(assets=130, programs=30, campaigns=6, lists=4, calls_per_window=100_000)
    caller.change(asset_churn={"edit": 20, "rename": 8, "move": 5, "delete": 5}, seed=1)
    return caller


@pytest.fixture(scope="module")
def assets(caller: Caller) -> Known:
    """The truth of it."""
    return known(caller)


def listed(caller: Caller, kind: str) -> list[dict[str, Any]]:
    """All rows of a kind, in all versions."""
    states = ("approved", "draft") if kind in VERSIONED else ("",)
    found = []
    for state in states:
        query: dict[str, Any] = {"status": state} if state else {}
        found += everything(caller, LISTS[kind][0], **query)
    return found


def by_id(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda row: (str(row.get("id", "")), str(row.get("status", "")), str(sorted(row))))


@pytest.mark.parametrize("kind", LISTS)
def test_the_lists_of_a_kind_are_its_truth(caller: Caller, assets: Known, kind: str) -> None:
    """Every version of every asset is listed once, and by its id as well."""
    truth = [version["row"] for line in of_kind(assets, kind) for version in line["versions"]]
    assert by_id(listed(caller, kind)) == by_id(truth)
    for line in of_kind(assets, kind):
        for version in line["versions"]:
            query = {"status": version["version"]} if version["version"] else {}
            (row,) = asked(caller, LISTS[kind][1].format(line["id"]), **query)["result"]
            assert version["row"].items() <= row.items()


def test_the_folders_are_their_truth(caller: Caller, assets: Known) -> None:
    """All roots, as deep as they go, show all folders and all programs."""
    shown = everything(caller, "folders", maxDepth=100)
    folders = [row for row in shown if row["folderId"]["type"] == "Folder"]
    assert by_id(folders) == by_id([line["versions"][0]["row"] for line in of_kind(assets, "folder")])
    programs = {row["id"]: row["name"] for row in shown if row["folderId"]["type"] == "Program"}
    assert programs == {line["id"]: line["name"] for line in of_kind(assets, "program")}


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("channel", "channels"),
        ("tag-type", "tagTypes"),
        ("landing-page-domain", "landingPageDomains"),
        ("segmentation", "segmentation"),
    ],
)
def test_short_lists_are_their_truth(caller: Caller, assets: Known, kind: str, path: str) -> None:
    """What admins set up is listed, too."""
    assert asked(caller, path)["result"] == [line["versions"][0]["row"] for line in of_kind(assets, kind)]


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_a_part_is_its_truth(caller: Caller, assets: Known, kind: str, part: str) -> None:
    """Each part of each version is what its call gives; what the truth leaves out is 702, what is null 709."""
    seen = 0
    for line in of_kind(assets, kind):
        for version in line["versions"]:
            if part == "variables" and kind == "email" and version is not line["versions"][0]:
                continue  # the call shows one version only
            query: dict[str, Any] = {"status": version["version"]} if version["version"] else {"includeRules": "true"}
            answer = asked(caller, PARTS[kind, part].format(line["id"]), **query)
            if part not in version["content"]:
                assert answer["errors"] == [{"code": "702", "message": "No data found"}]
            elif version["content"][part] is None:
                assert answer["errors"][0]["code"] == "709"
            else:
                assert answer["result"] == version["content"][part]
                seen += 1
    assert seen


@pytest.mark.parametrize("kind", ["email", "landing-page"])
def test_dynamic_content_and_whole_documents_are_their_truth(caller: Caller, assets: Known, kind: str) -> None:
    """Each dynamic part by its id, and the HTML; a page shows one version of both."""
    path = LISTS[kind][1]
    seen = 0
    for line in of_kind(assets, kind):
        for version in line["versions"]:
            query = {"status": version["version"]} if kind == "email" else {}
            for key, part in version["content"].get("dynamicContent", {}).items():
                shown = asked(caller, f"{path.format(line['id'])}/dynamicContent/{key}", **query)
                assert shown["result"] == part
                seen += 1
            if version["html"] is not None:
                shown = asked(caller, f"{path.format(line['id'])}/fullContent", **query)["result"]
                assert shown[0]["content"] == version["html"]
    assert seen


@pytest.mark.parametrize("kind", ["folder", "program"])
def test_tokens_are_their_truth(caller: Caller, assets: Known, kind: str) -> None:
    """A folder without any has none in the truth, and its call finds nothing."""
    with_some = 0
    for line in of_kind(assets, kind):
        answer = asked(caller, f"folder/{line['id']}/tokens", folderType=kind.capitalize())
        assert answer.get("result") == line["versions"][0]["content"].get("tokens")
        with_some += "result" in answer
    assert with_some


def test_tag_types_show_their_values_by_name(caller: Caller, assets: Known) -> None:
    """But for the one with a comma in its name, which no call finds."""
    for line in of_kind(assets, "tag-type"):
        answer = asked(caller, "tagType/byName", name=line["name"])
        assert answer.get("result") == line["versions"][0]["content"].get("detail")


def signless(value: Any) -> Any:
    """An asset of the new designer without the signature of its thumbnail."""
    if "thumbnail" in value:
        return value | {"thumbnail": {"url": value["thumbnail"]["url"].partition("?")[0]}}
    return value


@pytest.mark.parametrize("kind", DESIGNS)
def test_designs_are_their_truth(caller: Caller, assets: Known, kind: str) -> None:
    """Filtered in each workspace, and in full twenty at once; only signatures differ."""
    workspaces = {line["versions"][0]["row"]["accessZoneId"] for line in of_kind(assets, "folder")}
    found = []
    for workspace in workspaces:
        found += designed(caller, kind, workspaceId=workspace, includeArchived="true", pageSize=50)["result"]["items"]
    truth = of_kind(assets, kind)
    assert by_id([signless(row) for row in found]) == by_id([signless(line["versions"][0]["row"]) for line in truth])
    body = {"assetIds": [line["id"] for line in truth][:20]}
    answer = value_of(caller.call("POST", f"{V2}/{DESIGNS[kind]}/bulk/get", body, headers=V2_HEADERS))
    details = [signless(line["versions"][0]["content"]["detail"][0]) for line in truth[:20]]
    assert [signless(row) for row in answer["result"]] == details
    alone = value_of(caller.call("GET", f"{V2}/{DESIGNS[kind]}/{truth[0]['id']}", headers=V2_HEADERS))
    assert [signless(row) for row in alone["result"]] == details[:1]


def test_bytes_of_files_are_their_truth(caller: Caller, assets: Known) -> None:
    """The address that the row names gives bytes of that size, type and checksum, without a token."""
    for line in of_kind(assets, "file"):
        version = line["versions"][0]
        prefix = f"http://{HOST}"
        assert version["row"]["url"].startswith(f"{prefix}/rs/123-ABC-456/images/")
        # A server hands the path on decoded.
        path = unquote(version["row"]["url"].removeprefix(prefix))
        assert quote(path.rpartition("_")[2], safe="") in version["row"]["url"]
        response = caller.call("GET", path, headers={"Authorization": ""})
        assert isinstance(response.body, bytes)
        assert sha256(response.body).hexdigest() == version["sha256"]
        assert len(response.body) == version["row"]["size"]
        assert response.headers["Content-Type"] == version["row"]["mimeType"]


def test_the_truth_is_the_same_for_the_same_seed() -> None:
    """And another one for another seed."""
    texts = [b"".join(Caller(assets=40, seed=seed).instance.truth("assets", 0) or ()) for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]
