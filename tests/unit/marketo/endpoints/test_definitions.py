"""Every call that is sent, against Adobe's own API definitions, where a copy of them lies beside the repository."""

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import (
    activities,
    campaigns,
    exports,
    imports,
    leads,
    lists,
    objects,
    program_members,
    programs,
    usage,
)
from syncengine.marketo.endpoints.exports import Filter
from syncengine.marketo.multipart import form_file
from syncengine.marketo.rows import ExportStatus

DEFINITIONS = Path(__file__).parents[5] / "shared" / "openapi"
GUID = "dff23271-f996-47d7-984f-f2676861b5fb"
MOMENT = datetime(2024, 5, 1, tzinfo=UTC)
KINDS = {
    exports.LEADS: Filter("updatedAt", MOMENT, MOMENT),
    exports.ACTIVITIES: Filter("createdAt", MOMENT, MOMENT, activity_type_ids=(1,)),
    exports.PROGRAM_MEMBERS: Filter("updatedAt", MOMENT, MOMENT, program_ids=(1,)),
    exports.custom_object("car_c"): Filter(static_list_id=1),
}
OBJECTS = (
    objects.COMPANIES,
    objects.OPPORTUNITIES,
    objects.OPPORTUNITY_ROLES,
    objects.SALESPERSONS,
    objects.NAMED_ACCOUNTS,
    objects.custom_object("car_c"),
)

FILE = form_file(0, "0" * 64, lambda: iter(()), filename="leads.csv")
TARGETS = (
    imports.LeadImport("email", 1081, "EMEA"),
    imports.CustomObjectImport("car_c"),
    imports.ProgramMemberImport(1044, "On List"),
)

pytestmark = pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="Adobe's API definitions are not at hand")

CALLS: tuple[Call[Any], ...] = (
    activities.types(),
    activities.type_rows(),
    activities.paging_token(MOMENT),
    activities.activities("T", [1]),
    activities.lead_changes("T", ["email"]),
    activities.deleted_leads("T"),
    campaigns.campaigns("T"),
    leads.describe(),
    leads.by_filter("id", [1], ["id"], "T"),
    leads.partitions(),
    lists.lists("T"),
    lists.leads_of_list(1, ["id"], "T"),
    programs.programs("200", MOMENT),
    usage.today(),
    usage.last_7_days(),
    objects.custom_objects(),
    objects.named_account_lists("idField", [GUID], "T"),
    objects.accounts_of_list(GUID, ["name"], "T"),
    objects.describe(objects.PROGRAM_MEMBERS),
    *(objects.describe(kind) for kind in OBJECTS),
    *(objects.by_key(kind, "id", [1], ["id"], "T") for kind in OBJECTS),
    *(exports.create(kind, ("id",), chosen) for kind, chosen in KINDS.items()),
    *(step(kind, GUID) for kind in KINDS for step in (exports.enqueue, exports.status, exports.cancel, exports.file)),
    *(imports.create(target, FILE) for target in TARGETS),
    *(step(target, 7) for target in TARGETS for step in (imports.status, imports.failures, imports.warnings)),
    leads.sync([{"email": "a"}], partition="EMEA"),
    lists.add_members(1, [1]),
    objects.sync_custom_objects("car_c", [{"vin": "1"}]),
    program_members.by_filter(1, "leadId", [1], ["leadId"], "T"),
    program_members.set_status(1, "Member", [1]),
    program_members.sync(1, [{"leadId": 1, "webinarUrl": "x"}]),
    programs.program(1),
    programs.channel_statuses("Blog"),
    *(exports.jobs(kind, statuses=[ExportStatus.QUEUED], page_token="T") for kind in KINDS),
)


@cache
def definitions(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((DEFINITIONS / f"{name}.json").read_bytes())
    return content


def operation(call: Call[Any]) -> dict[str, Any]:
    """What Adobe says of a call's path and method; a path without parameters is meant before one with some."""
    paths = definitions("asset" if call.path.startswith("/rest/asset/") else "mapi")["paths"]
    fitting = [path for path in paths if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), call.path)]
    (found,) = [path for path in fitting if path == call.path] or fitting
    stated: dict[str, Any] = paths[found][call.method.lower()]
    return stated


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_call_is_one_that_adobe_defines(call: Call[Any]) -> None:
    """Path, method and parameters are known, and none that is required is missing."""
    parameters = [each for each in operation(call).get("parameters", []) if each["in"] == "query"]
    # The definition of channels by name writes "Name" where Adobe's page writes "name".
    required = {each["name"]: each.get("required") is True for each in parameters}
    asked = {{"name": "Name"}.get(name, name) if "Name" in required else name for name in call.query}
    assert asked <= set(required)
    assert {name for name, is_required in required.items() if is_required} <= asked


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_call_names_a_permission_that_is_enough(call: Call[Any]) -> None:
    """Adobe names it in the description, now and then in the plural or not at all."""
    said = operation(call)["description"]
    if "Required Permissions:" not in said or said.endswith("None"):
        assert call.permission == "" or "bulk" in call.path
        return
    assert call.permission.removesuffix("s") in said.partition("Required Permissions:")[2]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_filter_is_one_that_adobe_defines(kind: exports.ExportKind) -> None:
    """The members of a create call's filter are those of the kind's definition, and the required ones are there."""
    call = exports.create(kind, ("id",), KINDS[kind])
    (body,) = [each for each in operation(call)["parameters"] if each["in"] == "body"]
    request = definitions("mapi")["definitions"][body["schema"]["$ref"].rsplit("/", 1)[1]]
    stated = definitions("mapi")["definitions"][request["properties"]["filter"]["$ref"].rsplit("/", 1)[1]]
    assert set(call.json) <= set(request["properties"])
    assert set(stated.get("required", ())) <= set(call.json["filter"]) <= set(stated["properties"])


@pytest.mark.parametrize(
    "call",
    [
        leads.sync([{"email": "a"}], partition="EMEA"),
        lists.add_members(1, [1]),
        objects.sync_custom_objects("car_c", [{"vin": "1"}]),
        program_members.set_status(1, "Member", [1]),
        program_members.sync(1, [{"leadId": 1, "webinarUrl": "x"}]),
    ],
    ids=lambda call: call.name,
)
def test_every_write_has_the_members_that_adobe_defines(call: Call[Any]) -> None:
    """No member of its body is unknown, and none that is required is missing."""
    (body,) = [each for each in operation(call)["parameters"] if each["in"] == "body"]
    assert_members(call, body["schema"]["$ref"])


def test_a_compound_key_is_asked_for_as_adobe_defines() -> None:
    """The body of a query that travels as a POST has a definition of its own."""
    assert_members(
        objects.by_compound_key(objects.custom_object("car_c"), [{"a": 1, "b": 2}], ["a"], "T"),
        "#/definitions/LookupCustomObjectRequest",
    )


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
def test_every_import_sends_the_part_that_adobe_defines(target: imports.ImportTarget) -> None:
    """One form field, and it is the file."""
    (field,) = [each for each in operation(imports.create(target, FILE))["parameters"] if each["in"] == "formData"]
    assert f'name="{field["name"]}"'.encode() in FILE.head


def assert_members(call: Call[Any], reference: str) -> None:
    stated = definitions("mapi")["definitions"][reference.rsplit("/", 1)[1]]
    assert set(stated.get("required", ())) <= set(call.json) <= set(stated["properties"])
