"""The sandbox's answers against Adobe's own API definitions, where a copy of them lies beside the repository."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.sandbox.activities import EXPORT_FIELDS
from syncengine.sandbox.export_requests import ACTIVITY_FILTERS, LEAD_FILTERS, MEMBER_FILTERS, OBJECT_FILTERS
from syncengine.sandbox.messages import Response
from syncengine.sandbox.parameters import PARAMETERS, Parameters
from syncengine.sandbox.routes import BULK_METHODS, BULK_ROOTS, IMPORT_PATHS, METHODS, ONLY_GET, PATHS, WRITES
from tests.unit.sandbox.caller import Caller, text_of, value_of

DEFINITIONS = Path(__file__).parents[3] / "shared" / "openapi"

pytestmark = pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="Adobe's API definitions are not at hand")

# The definitions call these required; Adobe's own examples leave them out, and so does a real instance.
ABSENT = {"errors", "warnings"}
# A new person has no primary attribute.
ABSENT_FOR_NEW_LEAD = {"primaryAttribute"}
# Where the definitions and the examples of Adobe's guides differ, the sandbox holds to the examples:
# keys that a definition requires and no example has, and keys that only the examples have.
EXAMPLES: dict[str, tuple[set[str], set[str]]] = {
    "ObjectMetaData": (
        {"apiName", "pluralName", "version", "status", "description", "displayName", "relationships", "fields"},
        {"name"},
    ),
    "ImportLeadResponse": ({"numOfLeadsProcessed"}, set()),
    "ImportCustomObjectResponse": ({"operation"}, set()),
    "ImportProgramMemberResponse": (
        set(),
        {"numOfLeadsProcessed", "numOfRowsFailed", "numOfRowsWithWarning", "message"},
    ),
    "BrowseAllPrograms": (set(), {"headStart"}),
    "ProgramResponse": (set(), {"headStart"}),
    "Folder": ({"id"}, {"value", "folderName"}),
}
# A parameter that the definitions spell in another way than Adobe's examples.
NAMED_OTHERWISE = {("/rest/asset/v1/channel/byName.json", "Name"): "name"}
# Records that have whatever fields describe names.
OPEN = {"Lead", "CustomObject", "CompanyResponse", "SalesPerson", "NamedAccount"}
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}

OPERATIONS = [(path, method) for path, endpoint in PATHS.items() for method in sorted(METHODS.get(endpoint, ONLY_GET))]
OPERATIONS += [(path, "POST") for path, endpoint in PATHS.items() if endpoint in WRITES]
READS = [
    path
    for path, method in OPERATIONS
    if method == "GET" and path.startswith("/rest/") and path != "/rest/v1/activities/pagingtoken.json"
]
# What each reading call is asked so that it has something to answer; other paths need nothing.
SINCE = "2020-01-01T00:00:00Z"
ASKED: dict[str, dict[str, str]] = {
    "/rest/v1/leads.json": {"filterType": "id", "filterValues": "1001,1002"},
    "/rest/v1/activities.json": {"activityTypeIds": "1,6,12,32,100001", "nextPageToken": "?"},
    "/rest/v1/activities/leadchanges.json": {"fields": "email,nickname,title,lastName", "nextPageToken": "?"},
    "/rest/v1/activities/deletedleads.json": {"nextPageToken": "?"},
    "/rest/v1/companies.json": {"filterType": "id", "filterValues": "1,2"},
    "/rest/v1/salespersons.json": {"filterType": "email", "filterValues": "rep1@sales.example"},
    "/rest/v1/opportunities.json": {"filterType": "dedupeFields", "filterValues": "OPP0000001L"},
    "/rest/v1/opportunities/roles.json": {"filterType": "externalOpportunityId", "filterValues": "OPP0000001L"},
    "/rest/v1/namedaccounts.json": {"filterType": "industry", "filterValues": "Software,Retail"},
    "/rest/v1/programs/{programId}/members.json": {
        "filterType": "statusName",
        "filterValues": "Member,Invited,Attended",
    },
    "/rest/asset/v1/channel/byName.json": {"name": "Tradeshow"},
    "/rest/v1/customobjects/{customObjectName}.json": {"filterType": "vIN", "filterValues": "5YJSA1E41FF000001"},
}
PARTS = {"apiName": "car_c", "customObjectName": "car_c", "listId": "2001", "programId": "4001"}


@cache
def definitions(name: str) -> dict[str, Any]:
    """One of Adobe's files."""
    content: dict[str, Any] = orjson.loads((DEFINITIONS / f"{name}.json").read_bytes())
    return content


def operation(path: str, method: str) -> dict[str, Any]:
    """What Adobe says of a path and method."""
    found: dict[str, Any] = file_of(path)["paths"][path][method.lower()]
    return found


def file_of(path: str) -> dict[str, Any]:
    """The file that defines a path."""
    if path.startswith("/rest/asset/"):
        return definitions("asset")
    return definitions("identity" if path.startswith("/identity/") else "mapi")


def parameters(path: str, method: str, place: str, *, required: bool = False) -> set[str]:
    """Names of a call's parameters in the query or the path."""
    return {
        one["name"]
        for one in operation(path, method).get("parameters", [])
        if one["in"] == place and (one.get("required") or not required)
    }


def schema_of(path: str, method: str) -> dict[str, Any]:
    """The definition of the answer."""
    schema: dict[str, Any] = operation(path, method)["responses"]["200"]["schema"]
    return schema


def faults(given: Any, schema: dict[str, Any], file: dict[str, Any], where: str = "$") -> list[str]:
    """Everything about a value that its definition does not allow."""
    name = ""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = file["definitions"][name]
    expected = schema.get("type", "object")
    if expected == "object" and "properties" not in schema:
        return []  # anything: an attribute's value
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
        lacking, besides = EXAMPLES.get(name, (set(), set()))
        found += [
            f"{where} lacks {key}" for key in schema.get("required", []) if key not in {*value, *absent, *lacking}
        ]
        known = {*properties, *besides} if name not in OPEN else {*properties, *value}
        found += [f"{where} has an unknown {key}" for key in value if key not in known]
        for key in set(value) & set(properties):
            found += faults(value[key], properties[key], file, f"{where}.{key}")
    return found


def body_of(caller: Caller, kind: str) -> dict[str, Any]:
    """What a create call of a kind is given."""
    window = {"startAt": text_of(caller.now - 30 * 86_400), "endAt": text_of(caller.now)}
    bodies: dict[str, dict[str, Any]] = {
        "leads": {"fields": ["id"], "filter": {"createdAt": window}},
        "activities": {"filter": {"createdAt": window}},
        "program_members": {"fields": ["leadId"], "filter": {"programIds": [4001]}},
        "custom_objects": {"fields": ["vIN"], "filter": {"updatedAt": window}},
    }
    return bodies[kind]


def answers(kind: str) -> dict[str, Response]:
    """An answer of each JSON call of a finished job's life, by verb."""
    caller = Caller()
    root = BULK_ROOTS[kind].format(**PARTS)

    def create() -> tuple[Response, str]:
        reply = caller.call("POST", f"{root}/create.json", body_of(caller, kind))
        return reply, str(value_of(reply)["result"][0]["exportId"])

    created, job_id = create()
    found = {"create": created, "enqueue": caller.call("POST", f"{root}/{job_id}/enqueue.json")}
    caller.now += 180
    found["status"] = caller.call("GET", f"{root}/{job_id}/status.json")
    create()
    found["list"] = caller.call("GET", f"{root}.json", query={"batchSize": "1"})
    _, other = create()
    found["cancel"] = caller.call("POST", f"{root}/{other}/cancel.json")
    return found


def read(path: str) -> Any:
    """A page that has something in it, of a call that reads."""
    caller = Caller()
    caller.control("POST", "change", {"delete_leads": [1005, 1006], "merge_leads": [[1007, 1008]]})
    if path == "/rest/v1/stats/usage/last7days.json":
        caller.call("GET", path)
    guid = orjson.loads(b"".join(caller.instance.data.truth("named_account_lists", caller.now) or ()).splitlines()[0])
    parts = PARTS | {"id": str(guid["marketoGUID"])}
    if "/program/" in path:
        parts["id"] = parts["programId"]
    if "external" in path:
        parts["apiName"] = "attendedTasting_c"
    query = dict(ASKED.get(path, {}))
    if path == "/rest/v1/namedAccountLists.json":
        query = {"filterType": "idField", "filterValues": parts["id"]}
    if "nextPageToken" in query:
        token = caller.call("GET", "/rest/v1/activities/pagingtoken.json", query={"sinceDatetime": SINCE})
        query["nextPageToken"] = value_of(token)["nextPageToken"]
    while True:
        value = value_of(caller.call("GET", path.format(**parts), query=query))
        if value.get("result") or not value.get("moreResult"):
            return value
        query["nextPageToken"] = value["nextPageToken"]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_call_of_the_sandbox_is_one_of_adobes(path: str, method: str) -> None:
    """Path and method are defined."""
    assert "responses" in operation(path, method)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_parameters_are_adobes(path: str, method: str) -> None:
    """The sandbox requires what Adobe requires, reads what Adobe knows, and names parts of paths as Adobe does."""
    if path.startswith("/identity/"):
        assert parameters(path, method, "query", required=True) <= {"client_id", "client_secret", "grant_type"}
        return
    endpoint = WRITES.get(PATHS[path], PATHS[path]) if method == "POST" else PATHS[path]
    known = PARAMETERS.get(endpoint, Parameters())
    required = {NAMED_OTHERWISE.get((path, name), name) for name in parameters(path, method, "query", required=True)}
    assert set(known.required) == required
    assert set(known.optional) <= parameters(path, method, "query")
    assert set(re.findall(r"{(\w+)}", path)) == parameters(path, method, "path")


@pytest.mark.parametrize("path", [path for path in READS if PATHS[path] in PARAMETERS])
def test_required_parameters_are_demanded(path: str) -> None:
    """Without any of them the call is refused with 1002, which names the parameter."""
    for name in PARAMETERS[PATHS[path]].required:
        asked = dict.fromkeys(PARAMETERS[PATHS[path]].required, "1")
        del asked[name]
        value = value_of(Caller().call("GET", path.format(**PARTS, id="1"), query=asked))
        assert value["errors"] == [{"code": "1002", "message": f"Missing value for the required parameter '{name}'"}]


@pytest.mark.parametrize("path", READS)
def test_reads_have_adobes_shape(path: str) -> None:
    """Whatever is read holds the defined keys with the defined types."""
    value = read(path)
    assert faults(value, schema_of(path, "GET"), file_of(path)) == []
    assert value["result"]


def test_a_paging_token_has_adobes_shape() -> None:
    """It is an answer without a result."""
    path = "/rest/v1/activities/pagingtoken.json"
    value = value_of(Caller().call("GET", path, query={"sinceDatetime": SINCE}))
    assert faults(value, schema_of(path, "GET"), definitions("mapi")) == []


def test_asset_reads_past_the_end_have_adobes_shape() -> None:
    """No result, and a warning in plain text."""
    path = "/rest/asset/v1/programs.json"
    value = value_of(Caller().call("GET", path, query={"offset": "1000"}))
    assert faults(value, schema_of(path, "GET"), definitions("asset")) == []
    assert "result" not in value


@pytest.mark.parametrize(
    ("definition", "names"),
    [
        ("ExportLeadFilter", LEAD_FILTERS),
        ("ExportActivityFilter", ACTIVITY_FILTERS),
        ("ExportProgramMemberFilter", MEMBER_FILTERS),
        ("ExportCustomObjectFilter", OBJECT_FILTERS),
    ],
)
def test_filters_of_exports_are_adobes(definition: str, names: frozenset[str]) -> None:
    """Each filter that the sandbox takes is defined."""
    assert names <= set(definitions("mapi")["definitions"][definition]["properties"])


def test_a_token_has_adobes_shape() -> None:
    """The identity endpoint answers outside the envelope."""
    value = value_of(Caller().login())
    assert faults(value, schema_of("/identity/oauth/token", "POST"), definitions("identity")) == []


@pytest.mark.parametrize("kind", list(BULK_ROOTS))
@pytest.mark.parametrize("verb", [verb for verb in BULK_METHODS if verb != "file"])
def test_bulk_answers_have_adobes_shape(kind: str, verb: str) -> None:
    """Each call of a job's life holds the defined keys with the defined types, and no filter or field list."""
    path = next(path for path, endpoint in PATHS.items() if endpoint == f"{kind}.export.{verb}")
    value = value_of(answers(kind)[verb])
    schema = schema_of(path, BULK_METHODS[verb])
    assert faults(value, schema, definitions("mapi")) == []
    assert value["result"]


IMPORTED = {
    "leads": "email,leadScore\na@x.de,1\nb,2\nc@x.de,x\n",
    "custom_objects": "vIN,year\nN,1999\n,1999\n",
    "program_members": "email,leadScore\na@x.de,1\nb,2\nc@x.de,x\n",
}


@pytest.mark.parametrize("kind", list(IMPORT_PATHS))
def test_import_answers_have_adobes_shape(kind: str) -> None:
    """When a batch is made, while it waits, while it runs and when it is done."""
    caller = Caller(imports_running=1)
    made = [value_of(caller.imported(IMPORTED[kind], kind)) for _ in range(2)]
    create, batch = IMPORT_PATHS[kind]
    assert [faults(one, schema_of(create, "POST"), definitions("mapi")) for one in made] == [[], []]
    path = f"{batch}.json" if kind == "leads" else f"{batch}/status.json"
    statuses = []
    for batch_id, seconds in ((1002, 0), (1001, 0), (1001, 100)):
        caller.now += seconds
        value = value_of(caller.call("GET", path.format(**PARTS, batchId=batch_id)))
        assert faults(value, schema_of(path, "GET"), definitions("mapi")) == []
        statuses.append(value["result"][0]["status"])
    assert statuses == ["Queued", "Importing", "Complete"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rest/v1/leads.json", {"input": [{"email": "a@x.de"}, {"city": "C"}], "action": "createOrUpdate"}),
        (
            "/rest/v1/customobjects/{customObjectName}.json",
            {"input": [{"vIN": "N"}, {"color": "C"}], "action": "createOrUpdate", "dedupeBy": "dedupeFields"},
        ),
        ("/rest/v1/lists/{listId}/leads.json", {"input": [{"id": 1001}, {"id": 7}]}),
    ],
)
def test_writes_have_adobes_shape(path: str, body: dict[str, Any]) -> None:
    """What is sent is defined, and so is the answer to records that were written and that were skipped."""
    given = next(one for one in operation(path, "POST")["parameters"] if one["in"] == "body")
    found = faults(body, given["schema"], definitions("mapi"))
    value = value_of(Caller().call("POST", path.format(**PARTS), body))
    found += faults(value, schema_of(path, "POST"), definitions("mapi"))
    # One definition serves what is sent, which has no number, and what was skipped, which has no GUID.
    assert [
        one for one in found if not re.fullmatch(r"\$\.(input.*lacks \w+|result\[1\] lacks marketoGUID)", one)
    ] == []
    assert [record["status"] == "skipped" for record in value["result"]] == [False, True]


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
