"""`syncengine streams`: what can be brought, how it is asked for, and what that costs."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncengine.exports.asking import StreamLine


def streams(
    *,
    discover: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    common: Common | None = None,
) -> int:
    """List every stream: whether it is on, how it is asked for, its cost, key, cursor and permission.

    Needs no network; with --discover, one call finds the instance's custom objects.

    For example:

      syncengine streams
      syncengine streams --discover -c configs/nightly.toml
      syncengine streams --json | jq -r '.streams[] | select(.is_on) | .stream'

    Parameters
    ----------
    discover
        Ask the instance which custom objects it has.
    """
    from syncengine.config import find
    from syncengine.config.reading import DEFAULT_NAME
    from syncengine.config.streams import CUSTOM_OBJECTS, DEFAULT_STREAMS
    from syncengine.exports.asking import lines

    common = common or Common()
    screen = common.screen()
    # Without any configuration the table is still worth reading; one that was named has to be there.
    if not discover and common.config is None and str(find()) == DEFAULT_NAME and not find().exists():
        on: tuple[str, ...] = DEFAULT_STREAMS
        found: tuple[str, ...] = ()
    else:
        settings = common.settings()
        on = settings.sync.streams

        async def work() -> tuple[str, ...]:
            from syncengine.engine import open_engine
            from syncengine.marketo.call import Priority

            async with open_engine(settings, priority=Priority.INTERACTIVE) as engine:
                return await engine.custom_objects()

        found = run(work) if discover else ()
    listed = lines(on, found)
    show_streams(screen, listed, all_custom_objects=CUSTOM_OBJECTS in on)
    screen.result({"streams": [asdict(each) for each in listed]})
    return 0


def show_streams(screen: Screen, listed: "Sequence[StreamLine]", *, all_custom_objects: bool = False) -> None:
    """A row a stream; where all custom objects are on, that is said in a line, as their names are the instance's."""
    rows = [
        [
            each.stream,
            "on" if each.is_on else "",
            each.way,
            each.cost,
            ", ".join(each.key),
            each.cursor,
            each.permission.removeprefix("Read-Only "),
        ]
        for each in listed
    ]
    screen.table(("stream", "", "asked for by", "cost", "key", "cursor", "permission: Read-Only"), rows)
    if all_custom_objects:
        screen.say("Every custom object of the instance is on; --discover names them.")
    screen.say('Turn a stream on in [sync] streams; "*" is every stream, "custom_object_*" every custom object.')
