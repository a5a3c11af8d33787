"""What an instance has is asked for once in a run, whoever wants to know it and however often."""

from pathlib import Path

import anyio
import pytest

from syncengine.errors import PermissionDenied
from syncengine.exports.catalog import DESCRIBED, Catalog, custom_object_kind, object_of
from syncengine.exports.streams import STREAMS, stream_of
from syncengine.marketo.endpoints import objects
from tests.unit.exports.world import World, build, fault
from tests.virtual import virtual


def asked(world: World) -> int:
    """The calls that arrived, but for the token's."""
    return sum(count for name, count in world.marketo.report()["calls"].items() if not name.startswith("identity"))


@virtual
async def test_the_fields_of_an_object_are_asked_for_once(tmp_path: Path) -> None:
    """The plan, lead changes and the stream of fields all want those of leads."""
    world = build(tmp_path)
    catalog = Catalog(world.client)
    first = await catalog.fields(STREAMS["leads"])
    rows = await catalog.field_rows(None)
    assert first is await catalog.fields(STREAMS["leads"])
    assert (1, [each.name for each in first]) == (asked(world), [row["name"] for row in rows])
    assert {"leads"} == {row["object"] for row in rows}


@virtual
async def test_those_who_ask_at_once_share_the_answer(tmp_path: Path) -> None:
    """Readings run side by side: the second waits for the first one's answer."""
    world = build(tmp_path)
    catalog = Catalog(world.client)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(catalog.fields, STREAMS["leads"])
            tasks.start_soon(catalog.field_rows, None)
            tasks.start_soon(catalog.activity_types)
            tasks.start_soon(catalog.custom_objects)
            tasks.start_soon(catalog.field_rows, objects.COMPANIES)
    assert 4 == asked(world)


@virtual
async def test_fixed_columns_are_not_asked_for(tmp_path: Path) -> None:
    """Most streams are the same everywhere."""
    world = build(tmp_path)
    catalog = Catalog(world.client)
    fixed = [stream for stream in STREAMS.values() if stream.columns]
    assert {()} == {tuple(await catalog.fields(stream)) for stream in fixed}
    assert 0 == asked(world)


@virtual
async def test_an_error_is_not_remembered(tmp_path: Path) -> None:
    """What could not be asked for is asked for again, and nobody is kept waiting for it."""
    world = build(tmp_path, fault("error", "/describe.json", code="603", times=1))
    catalog = Catalog(world.client)
    with pytest.raises(PermissionDenied):
        await catalog.fields(STREAMS["leads"])
    assert await catalog.fields(STREAMS["leads"])


@virtual
async def test_custom_objects_are_those_that_can_be_exported(tmp_path: Path) -> None:
    """A draft has no rows, and one that is not linked to leads has no export."""
    world = build(tmp_path)
    found = await world.client.send(objects.custom_objects())
    good = {f"custom_object_{each.name}" for each in found if each.lead_fields and each.state.lower() != "draft"}
    assert good == set(await Catalog(world.client).custom_objects())
    assert 0 < len(good) < len(found)


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        ("companies", objects.COMPANIES),
        ("opportunities", objects.OPPORTUNITIES),
        ("opportunity_roles", objects.OPPORTUNITY_ROLES),
        ("salespersons", objects.SALESPERSONS),
        ("named_accounts", objects.NAMED_ACCOUNTS),
        ("program_members", objects.PROGRAM_MEMBERS),
        ("custom_object_pet_c", objects.custom_object("pet_c")),
    ],
)
def test_a_streams_fields_are_its_objects(stream: str, kind: objects.ObjectKind) -> None:
    """What is described is what is read; every such object is shown by the stream of fields too."""
    assert kind == object_of(stream_of(stream))
    assert kind in DESCRIBED or kind == custom_object_kind(stream)
