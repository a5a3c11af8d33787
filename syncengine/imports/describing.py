"""What Marketo says about the place that rows are to go to, before a row is read: its fields, and that it is there.

A list, a program, a status or a partition that is not there makes every row fail, and a read of it costs one call.
"""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from syncengine.errors import ConfigError
from syncengine.imports.header import Writable, writable
from syncengine.imports.target import Kind, Target
from syncengine.marketo.endpoints import leads, lists, objects, programs
from syncengine.transport.client import Client

EMAIL = "email"


async def described(client: Client, target: Target) -> tuple[Target, tuple[Writable, ...]]:
    """The target with its keys filled in, and the fields that can be written there.

    Raises ConfigError for what Marketo does not have, and what the client raises.
    """
    if target.kind is Kind.CUSTOM_OBJECTS:
        return await _custom_object(client, target)
    fields = [writable(field) for field in await client.send(leads.describe())]
    if target.kind is Kind.PROGRAM_MEMBERS:
        await _refuse_unknown_program(client, target)
        members = await client.send(objects.describe(objects.PROGRAM_MEMBERS))
        known = {field.name for field in fields}
        fields += [writable(field, of_member=True) for field in members.fields if field.name not in known]
        return replace(target, keys=(EMAIL,)), tuple(fields)
    _refuse_unknown_field(target, fields)
    if target.list_id is not None:
        await _refuse_unknown_list(client, target.list_id)
    if target.partition:
        await _refuse_unknown_partition(client, target.partition)
    return target, tuple(fields)


async def _custom_object(client: Client, target: Target) -> tuple[Target, tuple[Writable, ...]]:
    known = [each.name for each in await client.send(objects.custom_objects())]
    if target.api_name not in known:
        near = get_close_matches(target.api_name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}."
        raise ConfigError(f"the instance has no custom object {target.api_name!r}: {hint}")
    found = await client.send(objects.describe(objects.custom_object(target.api_name)))
    keys = found.dedupe_fields or (found.id_field,)
    return replace(target, keys=keys), tuple(writable(field) for field in found.fields)


def _refuse_unknown_field(target: Target, fields: Sequence[Writable]) -> None:
    known = [field.name for field in fields]
    if target.keys[0] not in known:
        near = get_close_matches(target.keys[0], known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"--lookup-field {target.keys[0]!r} is no field of leads.{hint}")


async def _refuse_unknown_list(client: Client, list_id: int) -> None:
    if not (await client.send(lists.by_ids([list_id]))).rows:
        raise ConfigError(
            f"there is no static list {list_id}",
            advice="Its id stands in the list's address in Marketo: ST1234A1 is 1234.",
        )


async def _refuse_unknown_partition(client: Client, partition: str) -> None:
    page = await client.send(leads.partitions())
    names = [str(row.get("name", "")) for row in page.rows]
    if partition not in names:
        raise ConfigError(f"there is no partition {partition!r}; there are {', '.join(map(repr, names)) or 'none'}")


async def _refuse_unknown_program(client: Client, target: Target) -> None:
    program = await client.send(programs.program(target.program_id))
    if program is None:
        raise ConfigError(f"there is no program {target.program_id}")
    statuses = await client.send(programs.channel_statuses(program.channel))
    if statuses and target.status not in statuses:
        raise ConfigError(
            f"program {program.id} ({program.name}) has no status {target.status!r}",
            advice=f"Its channel {program.channel!r} has {', '.join(map(repr, statuses))}.",
        )
