"""What a check tries besides leads and activities: the permissions of the streams that are configured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncengine.checks import probes
from syncengine.config import StreamSettings, SyncSettings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.exports.streams import ACTIVITY, LEAD, STREAMS
from syncengine.reports import CheckItem
from tests.unit.exports.opened import opened, settings_for
from tests.unit.exports.world import fault
from tests.virtual import ORIGIN, virtual

EVERY = (*STREAMS, CUSTOM_OBJECTS)
OWN = {"named_account_lists": StreamSettings(names=("Targets", "Others")), "list_members": StreamSettings(lists=(7,))}
# The permissions of all streams, by the first stream that needs each.
TRIED = [
    "programs",
    "campaigns",
    "opportunity_roles",
    "companies",
    "salespersons",
    "named_account_lists",
    "named_accounts",
    CUSTOM_OBJECTS,
]


def choosing(*streams: str) -> dict[str, Any]:
    return {"sync": SyncSettings(start=ORIGIN, streams=streams), "streams": OWN}


async def tried(folder: Path, streams: tuple[str, ...], *faults: Mapping[str, Any], **options: Any) -> list[CheckItem]:
    """The items of further permissions."""
    usual = {"permission: leads", "permission: activities"}
    async with opened(settings_for(folder, **choosing(*streams)), *faults, **options) as here:
        report = await here.engine.check()
        items = [each for each in report.items if each.name.startswith("permission: ") and each.name not in usual]
        assert 4 + len(items) == here.engine.client.calls_sent
    return items


def test_each_permission_has_one_probe(tmp_path: Path) -> None:
    """Whatever a stream needs is tried, once, and by a call that needs just that."""
    found = probes(settings_for(tmp_path, **choosing(*EVERY, "custom_object_car_c")))
    needed = {each.permission for each in STREAMS.values()} - {LEAD, ACTIVITY, ""}
    permissions = [call.permission for call in found.values()]
    assert needed | {"Read-Only Custom Object"} == set(permissions)
    assert len(permissions) == len(set(permissions))


@pytest.mark.parametrize(
    "name", [name for name, each in STREAMS.items() if each.permission not in {LEAD, ACTIVITY, ""}]
)
def test_a_probe_needs_what_its_stream_needs(name: str, tmp_path: Path) -> None:
    """A role that may make the call may read the stream."""
    (call,) = probes(settings_for(tmp_path, **choosing(name))).values()
    assert STREAMS[name].permission == call.permission


def test_what_is_not_configured_is_not_tried(tmp_path: Path) -> None:
    """Leads and activities are tried always: a sync of the default streams needs nothing else."""
    assert {} == probes(settings_for(tmp_path, **choosing("leads", "deleted_leads", "list_members", "usage")))


@virtual
async def test_every_permission_is_tried(tmp_path: Path) -> None:
    """A call each, and the permission stands beside it."""
    items = await tried(tmp_path, EVERY)
    assert [f"permission: {name}" for name in TRIED] == [each.name for each in items]
    assert {True} == {each.ok for each in items}
    assert "programs.list answers (Read-Only Assets)" == items[0].detail


@virtual
async def test_a_permission_that_is_missing_is_named(tmp_path: Path) -> None:
    """Before a night has come to nothing, with the name that an admin knows it by."""
    refused = fault("error", "/companies/describe.json", code="603", message="Access denied")
    programs, companies = await tried(tmp_path, ("leads", "programs", "companies"), refused)
    assert (True, False, "PermissionDenied") == (programs.ok, companies.ok, companies.error)
    assert "Read-Only Company" in companies.detail


@virtual
async def test_what_a_crm_owns_is_no_fault(tmp_path: Path) -> None:
    """A sync leaves these streams out and goes on: so the check says it, and is content."""
    (companies,) = await tried(tmp_path, ("leads", "companies"), crm=True)
    assert (True, "left out by a sync: a CRM owns these objects here (1018)") == (companies.ok, companies.detail)
