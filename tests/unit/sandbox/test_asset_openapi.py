"""Answers about assets against Adobe's own API definitions, where a copy of them lies beside the repository.

The definitions are made by hand in part and differ from the examples of Adobe's guides; the sandbox holds to the
examples, and every difference stands here by name.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.sandbox.asset_paths import ASSET_PARAMETERS, ASSET_PATHS, POSTED
from tests.unit.sandbox.asset_caller import V2_HEADERS, known, of_kind
from tests.unit.sandbox.caller import Caller, value_of

FILE = Path(__file__).parents[4] / "shared" / "openapi" / "asset.json"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="Adobe's API definitions are not at hand")

# The definitions have this path without its ending.
ALSO = "/rest/asset/v1/emailTemplate/{id}/content.json"
# Required by the definitions of the new designer; the sandbox takes a token in the header alone, here as elsewhere.
TOKEN = {"access_token"}
# Keys that a definition requires and no example of the guides has.
LACKING: dict[str, set[str]] = {
    "EmailContentResponse": {"value"},  # modules have none
    "Folder": {"id"},
    "GetLandingPageFullContentResponse": {"status"},
    "Recurrence": {"startAt", "endAt", "interval", "intervalType", "weekdayMask"}
    | {"dayOfMonth", "dayOfWeek", "weekOfMonth"},
    "SmartCampaignResponse": {"maxMembers", "qualificationRuleInterval", "qualificationRuleUnit"},
}
# Keys that the examples have and no definition.
BESIDES: dict[str, set[str]] = {
    "EmailResponse": {"isOpenTrackingDisabled"},
    "Folder": {"value", "folderName"},
    "LandingPageDynamicContentResponse": {"segments"},
    "SegmentsResponse": {"status"},
    **{f"{kind}NewResponse": {"errors", "warnings"} for kind in ("Email", "EmailTemplate", "Fragment")},
}
# Values that are null in the examples.
NULLS = {
    "EmailResponse.template",
    "FileResponse.description",
    "FolderResponse.description",
    "FolderResponse.parent",
    "FolderResponse.url",
    "FormKnownVisitorDTO.template",
    "FormThankYouPageDTO.followupValue",
}
# Values whose type is another one in the examples; triggers are in none, and have the shape of filters.
OTHER_TYPES = {"RedirectFrom.value", "RedirectTo.value", "SmartListRules.triggers", "TokenResponse.folder"}
# Written as a description of Java's class for JSON, which stands for any object.
OPEN = {"JsonNode"}
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number": (int, float),
    "object": (dict, list, str, int),
    "array": (list,),
}


@cache
def definitions() -> dict[str, Any]:
    """Adobe's file."""
    content: dict[str, Any] = orjson.loads(FILE.read_bytes())
    return content


def resolved(schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A definition and its name, with all its parts."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found = definitions()["definitions"][name] if name else schema
    if "allOf" in found:
        properties: dict[str, Any] = {}
        for part in found["allOf"]:
            properties |= resolved(part)[1].get("properties", {})
        found = {"type": "object", "properties": properties}
    return name, found


def differences(value: Any, schema: dict[str, Any], where: str = "") -> set[str]:
    """Everything about a value that its definition does not allow, each as the definition's name and the key."""
    name, found = resolved(schema)
    kind = found.get("type", "object")
    if value is None:
        return set() if where in NULLS else {f"{where} is null"}
    is_wrong = not isinstance(value, JSON_TYPES[kind]) or (kind == "integer" and isinstance(value, bool))
    if is_wrong or ("properties" in found and not isinstance(value, dict)):
        return set() if where in OTHER_TYPES else {f"{where} is no {kind} but {type(value).__name__}"}
    if kind == "array":
        return {fault for item in value for fault in differences(item, found["items"], where)}
    properties = found.get("properties", {})
    if not properties or name in OPEN:
        return set()
    absent = set(found.get("required", ())) - set(value) - LACKING.get(name, set())
    unknown = set(value) - set(properties) - BESIDES.get(name, set())
    faults = {f"{name} lacks {key}" for key in absent} | {f"{name} has {key}" for key in unknown}
    for key in set(value) & set(properties):
        faults |= differences(value[key], properties[key], f"{name}.{key}")
    return faults


def operation(path: str, method: str) -> dict[str, Any]:
    """What Adobe says of a path."""
    found: dict[str, Any] = definitions()["paths"][path][method.lower()]
    return found


OPERATIONS = [(path, "POST" if name in POSTED else "GET") for path, name in ASSET_PATHS.items() if path != ALSO]


@pytest.fixture(scope="module")
def caller() -> Caller:
    """An instance that no test changes."""
    return Caller(assets=250, programs=30, calls_per_window=100_000)


def questions(caller: Caller, path: str) -> list[tuple[str, dict[str, str]]]:
    """The path for several assets, with what it needs to answer."""
    query = {"workspaceId": "1", "includeRules": "true", "maxReturn": "200", "pageSize": "50"}
    if "Content/{" in path:
        kind = "email" if "/email/" in path else "landing-page"
        found = [
            (path.format(id=line["id"], contentId=key), query)
            for line in of_kind(known(caller), kind)
            for key in line["versions"][0]["content"].get("dynamicContent", {})
        ]
        return found[:20]
    if "byName" in path:
        query["name"] = "Presenter" if "tagType" in path else "Level 1"
    if "/folder/" in path:
        query["type"] = "Folder"
    if "{" not in path:
        return [(path, query)]
    if "smartCampaign" in path or "staticList" in path:
        numbers: Sequence[int] = (*range(2_001, 2_010), *range(3_000, 3_020))
    else:
        numbers = (*range(14, 24), *range(4_001, 4_031))
    return [(path.format(id=number, programId=number), query) for number in numbers]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_asset_call_is_one_of_adobes(path: str, method: str) -> None:
    """Path, method, parts of the path and parameters are defined."""
    defined = operation(path, method).get("parameters", [])
    required, optional = ASSET_PARAMETERS[ASSET_PATHS[path]]
    assert set(re.findall(r"{(\w+)}", path)) == {one["name"] for one in defined if one["in"] == "path"}
    in_query = {one["name"]: bool(one.get("required")) for one in defined if one["in"] == "query"}
    assert {*required, *optional} <= set(in_query)
    assert {name for name, is_needed in in_query.items() if is_needed} - TOKEN == set(required)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_asset_answers_have_adobes_shape(caller: Caller, path: str, method: str) -> None:
    """Whatever is read holds the defined keys with the defined types, but for the differences above."""
    schema = operation(path, method)["responses"]["200"]["schema"]
    faults, answered = set(), 0
    for address, query in questions(caller, path):
        body = {"assetIds": [str(number) for number in range(14, 24)]} if method == "POST" else None
        value = value_of(caller.call(method, address, body, query=query, headers=V2_HEADERS))
        if value.get("result"):
            answered += 1
            faults |= {fault for fault in differences(value, schema) if not fault.endswith("has warnings")}
    assert sorted(faults) == []
    assert answered
