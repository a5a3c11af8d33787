"""What Marketo says about the place that rows are to go to."""

from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import ConfigError
from syncengine.imports.describing import described
from syncengine.imports.target import Kind, Target
from tests.unit.imports.world import build
from tests.virtual import virtual

LEADS: dict[str, Any] = {"kind": Kind.LEADS, "keys": ("email",)}
MEMBERS: dict[str, Any] = {"kind": Kind.PROGRAM_MEMBERS, "keys": ("email",), "status": "Clicked"}
CARS: dict[str, Any] = {"kind": Kind.CUSTOM_OBJECTS, "keys": ()}


@virtual
async def test_people_have_the_fields_of_leads(tmp_path: Path) -> None:
    """With their types and lengths, and which of them can be written; that takes one call."""
    world = build(tmp_path)
    target, fields = await described(world.client, Target(**LEADS))
    known = {field.name: field for field in fields}
    assert ("email", "email", True) == (known["email"].name, known["email"].data_type, known["email"].is_writable)
    assert not known["id"].is_writable
    assert not known["createdAt"].is_writable
    assert ({False}, Target(**LEADS), {"identity": 1, "describe": 1}) == (
        {field.of_member for field in fields},
        target,
        world.marketo.report()["calls"],
    )


@virtual
async def test_what_is_named_and_there_is_fine(tmp_path: Path) -> None:
    """A list, a partition, another lookup field."""
    world = build(tmp_path)
    for more in ({"list_id": 2001}, {"partition": "EMEA, APAC"}, {"keys": ("phone",)}):
        target = Target(**(LEADS | more))
        assert target == (await described(world.client, target))[0]


@virtual
async def test_an_objects_keys_are_its_dedupe_fields(tmp_path: Path) -> None:
    """They tell its records apart, in Marketo as here."""
    world = build(tmp_path)
    found = [await described(world.client, Target(**CARS, api_name=name)) for name in ("car_c", "purchase_c")]
    assert [("vIN",), ("leadId", "productName")] == [target.keys for target, _ in found]
    assert {"vIN", "color"} <= {field.name for field in found[0][1]}


@virtual
async def test_members_have_fields_of_their_own_beside_those_of_leads(tmp_path: Path) -> None:
    """And are found by email."""
    world = build(tmp_path)
    program, status = await a_status(world)
    target, fields = await described(world.client, Target(**(MEMBERS | {"status": status}), program_id=program))
    assert ("email",) == target.keys
    of_member = {field.name for field in fields if field.of_member}
    assert "seatPreference" in of_member
    assert {"email", "firstName"} <= {field.name for field in fields} - of_member
    assert len(fields) == len({field.name for field in fields})


async def a_status(world: Any) -> tuple[int, str]:
    """A program of the instance and a status of its channel."""
    from syncengine.marketo.endpoints import programs

    program = await world.client.send(programs.program(4001))
    statuses = await world.client.send(programs.channel_statuses(program.channel))
    return program.id, statuses[0]


@pytest.mark.parametrize(
    ("target", "message", "advice"),
    [
        (LEADS | {"keys": ("emial",)}, "--lookup-field 'emial' is no field of leads. Did you mean 'email'?", ""),
        (LEADS | {"keys": ("zzzzzz",)}, "--lookup-field 'zzzzzz' is no field of leads.", ""),
        (
            LEADS | {"list_id": 99},
            "there is no static list 99",
            "Its id stands in the list's address in Marketo: ST1234A1 is 1234.",
        ),
        (
            LEADS | {"partition": "Mars"},
            "there is no partition 'Mars'; there are 'Default', 'EMEA, APAC'",
            "",
        ),
        (MEMBERS | {"program_id": 99}, "there is no program 99", ""),
        (CARS | {"api_name": "cra_c"}, "the instance has no custom object 'cra_c': did you mean 'car_c'?", ""),
    ],
)
@virtual
async def test_what_is_not_there_is_told(
    tmp_path_factory: pytest.TempPathFactory, target: dict[str, Any], message: str, advice: str
) -> None:
    """Before a row is read, since every row would fail; with what comes close."""
    world = build(tmp_path_factory.mktemp("world"))
    with pytest.raises(ConfigError) as raised:
        await described(world.client, Target(**target))
    assert (message, advice) == (raised.value.message, raised.value.advice)


@virtual
async def test_an_unknown_custom_object_that_is_like_none_lists_them(tmp_path: Path) -> None:
    """There are few."""
    world = build(tmp_path)
    with pytest.raises(ConfigError, match=r"'zzz': it has car_c, purchase_c"):
        await described(world.client, Target(**CARS, api_name="zzz"))


@virtual
async def test_an_unknown_status_is_told_with_those_of_the_channel(tmp_path: Path) -> None:
    """Each channel has its own."""
    world = build(tmp_path)
    program, status = await a_status(world)
    with pytest.raises(ConfigError, match=rf"^program {program} \(.*\) has no status 'Nowhere'$") as raised:
        await described(world.client, Target(**(MEMBERS | {"status": "Nowhere"}), program_id=program))
    assert repr(status) in raised.value.advice
