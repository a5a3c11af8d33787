"""The sandbox's answers against Adobe's own API definitions, where a copy of them lies beside the repository."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.sandbox.activities import EXPORT_FIELDS
from syncengine.sandbox.messages import Response
from syncengine.sandbox.routes import BULK_METHODS, METHODS, ONLY_GET, PATHS
from tests.unit.sandbox.caller import Caller, value_of

DEFINITIONS = Path(__file__).parents[3] / "shared" / "openapi"

pytestmark = pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="Adobe's API definitions are not at hand")

# The definitions call these required; Adobe's own examples leave them out, and so does a real instance.
ABSENT = {"errors", "warnings"}
# A new person has no primary attribute.
ABSENT_FOR_NEW_LEAD = {"primaryAttribute"}
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}

OPERATIONS = [
    *((path, method) for path, endpoint in PATHS.items() for method in sorted(METHODS.get(endpoint, ONLY_GET))),
    *(
        (f"/bulk/v1/{kind}/export{tail}.json", method)
        for kind in ("leads", "activities")
        for verb, method in BULK_METHODS.items()
        for tail in ({"list": "", "create": "/create"}.get(verb, f"/{{exportId}}/{verb}"),)
    ),
]


@cache
def definitions(name: str) -> dict[str, Any]:
    """One of Adobe's files."""
    content: dict[str, Any] = orjson.loads((DEFINITIONS / f"{name}.json").read_bytes())
    return content


def operation(path: str, method: str) -> dict[str, Any]:
    """What Adobe says of a path and method."""
    file = definitions("identity" if path.startswith("/identity/") else "mapi")
    found: dict[str, Any] = file["paths"][path][method.lower()]
    return found


def schema_of(path: str, method: str) -> dict[str, Any]:
    """The definition of the answer."""
    schema: dict[str, Any] = operation(path, method)["responses"]["200"]["schema"]
    return schema


def faults(given: Any, schema: dict[str, Any], file: dict[str, Any], where: str = "$") -> list[str]:
    """Everything about a value that its definition does not allow."""
    if "$ref" in schema:
        schema = file["definitions"][schema["$ref"].rpartition("/")[2]]
    expected = schema.get("type", "object")
    if not isinstance(given, JSON_TYPES[expected]) or (expected == "integer" and isinstance(given, bool)):
        return [f"{where} is no {expected}"]
    value: Any = given
    found: list[str] = []
    if expected == "array":
        for number, item in enumerate(value):
            found += faults(item, schema["items"], file, f"{where}[{number}]")
    elif "properties" in schema:
        properties = schema["properties"]
        absent = ABSENT_FOR_NEW_LEAD if value.get("name") == "New Lead" else ABSENT if where == "$" else set()
        found += [f"{where} lacks {key}" for key in schema.get("required", []) if key not in {*value, *absent}]
        found += [f"{where} has an unknown {key}" for key in value if key not in properties]
        for key in set(value) & set(properties):
            found += faults(value[key], properties[key], file, f"{where}.{key}")
    return found


def answers(kind: str) -> dict[str, Response]:
    """An answer of each JSON call of a finished job's life, by verb."""
    caller = Caller()
    root = f"/bulk/v1/{kind}/export"
    created = caller.create(kind)
    job_id = str(value_of(created)["result"][0]["exportId"])
    found = {"create": created, "enqueue": caller.enqueue(job_id, kind)}
    caller.now += 180
    found["status"] = caller.call("GET", f"{root}/{job_id}/status.json")
    caller.create(kind)
    found["list"] = caller.call("GET", f"{root}.json", query={"batchSize": "1"})
    other = caller.queued(kind)
    found["cancel"] = caller.call("POST", f"{root}/{other}/cancel.json")
    return found


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_call_of_the_sandbox_is_one_of_adobes(path: str, method: str) -> None:
    """Path and method are defined."""
    assert "responses" in operation(path, method)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_required_parameters_are_those_that_the_sandbox_reads(path: str, method: str) -> None:
    """Nothing is demanded by Adobe that the sandbox would not look at."""
    required = {one["name"] for one in operation(path, method).get("parameters", []) if one.get("required")}
    known = {"client_id", "client_secret", "grant_type"} if "/identity/" in path else {"exportId"}
    assert required <= known


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/rest/")])
def test_metadata_has_adobes_shape(path: str) -> None:
    """Describe, activity types and usage hold the defined keys with the defined types."""
    caller = Caller()
    caller.call("GET", path)
    value = value_of(caller.call("GET", path))
    assert faults(value, schema_of(path, "GET"), definitions("mapi")) == []
    assert value["result"]


def test_a_token_has_adobes_shape() -> None:
    """The identity endpoint answers outside the envelope."""
    value = value_of(Caller().login())
    assert faults(value, schema_of("/identity/oauth/token", "POST"), definitions("identity")) == []


@pytest.mark.parametrize("kind", ["leads", "activities"])
@pytest.mark.parametrize("verb", [verb for verb in BULK_METHODS if verb != "file"])
def test_bulk_answers_have_adobes_shape(kind: str, verb: str) -> None:
    """Each call of a job's life holds the defined keys with the defined types, and no filter or field list."""
    tail = {"list": "", "create": "/create"}.get(verb, f"/{{exportId}}/{verb}")
    value = value_of(answers(kind)[verb])
    schema = schema_of(f"/bulk/v1/{kind}/export{tail}.json", BULK_METHODS[verb])
    assert faults(value, schema, definitions("mapi")) == []
    assert value["result"]


@pytest.mark.parametrize(
    "refuse",
    [
        lambda caller: caller.call("GET", "/rest/v1/leads/describe.json", headers={"Authorization": "Bearer no"}),
        lambda caller: caller.create(fields=["noSuchField"]),
        lambda caller: caller.call("GET", "/rest/v1/nothing.json"),
    ],
)
def test_refusals_have_adobes_shape(refuse: Callable[[Caller], Response]) -> None:
    """Codes are texts, and there is no result."""
    value = value_of(refuse(Caller()))
    envelope = {"$ref": "#/definitions/ResponseWithoutResult"}
    assert faults(value, envelope, definitions("mapi")) == []
    assert value["success"] is False


def test_fields_of_an_activity_export_are_adobes() -> None:
    """Each field that the sandbox takes is named in the definition, or in the guide's list of default fields."""
    text = definitions("mapi")["definitions"]["ExportActivityRequest"]["properties"]["fields"]["description"]
    assert [name for name in EXPORT_FIELDS if name not in text] == ["attributes"]


def test_a_wrong_answer_would_be_noticed() -> None:
    """The comparison itself finds missing and unknown keys and wrong types."""
    schema = {"$ref": "#/definitions/ExportResponse"}
    found = faults({"status": 7, "filter": {}}, schema, definitions("mapi"))
    assert found == ["$ lacks exportId", "$ has an unknown filter", "$.status is no string"]
