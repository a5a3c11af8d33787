"""`syncengine import`: a file of people, custom objects or program members into Marketo."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from syncengine.cli.import_orders import (
    STOPPED_BEFORE,
    Going,
    Order,
    carried_out,
    import_code,
    show_import,
    show_plan,
)
from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen
from syncengine.reports import ImportPlan, ImportReport

if TYPE_CHECKING:
    from syncengine.engine import Engine
    from syncengine.imports.asked import Asked
    from syncengine.imports.target import Target
    from syncengine.observe.import_progress import ImportProgress

RESUME = (
    "What Marketo has taken is in the journal: give the same command again, or `syncengine imports resume RUN`, "
    "to go on from there; `syncengine imports` lists the runs."
)

import_ = App(
    name="import",
    help="Import a file of people, custom objects or program members into Marketo.",
    result_action="return_value",
)


@import_.command
def leads(  # options of a command line
    *files: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True)],
    lookup_field: str = "email",
    list_id: int | None = None,
    partition: str = "",
    order: Order | None = None,
    going: Going | None = None,
    common: Common | None = None,
) -> int:
    """Import people from CSV, TSV, Parquet or JSON Lines (also .gz), from standard input (-) or from a query.

    The header names fields as the REST API spells them, or --map says which
    are meant. Everything is checked before anything is sent. Of rows with the
    same key the last one is imported. Ends with 0 when every row went in,
    with 1 when some did not (the account says which and why), with 2 when
    something has to be mended first, with 9 when --max-wait was over.

    For example:

      syncengine import leads people.csv --dry-run
      syncengine import leads people.csv --list-id 1234
      syncengine import leads part1.csv part2.csv.gz --map map.toml
      syncengine import leads --from duckdb:///warehouse.duckdb --query "SELECT email, score AS leadScore FROM scored"

    Parameters
    ----------
    files
        The files to import, as one import; - is standard input.
    lookup_field
        The field by which Marketo finds a person; with id people are updated and never created.
    list_id
        A static list that the people are added to as well.
    partition
        The partition in which new people are made.
    """
    from syncengine.imports.target import Kind, Target

    target = Target(kind=Kind.LEADS, keys=(lookup_field,), list_id=list_id, partition=partition)
    return _import(target, files, order, going, common)


@import_.command(name="custom-objects")
def custom_objects(
    api_name: Annotated[str, Parameter(name="API_NAME")],
    *files: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True)],
    order: Order | None = None,
    going: Going | None = None,
    common: Common | None = None,
) -> int:
    """Import records of a custom object; its dedupe fields tell them apart.

    For example:

      syncengine import custom-objects car_c cars.parquet

    Parameters
    ----------
    api_name
        The object's API name, as `syncengine streams --discover` shows it after custom_object_.
    files
        The files to import, as one import; - is standard input.
    """
    from syncengine.imports.target import Kind, Target

    target = Target(kind=Kind.CUSTOM_OBJECTS, keys=(), api_name=api_name)
    return _import(target, files, order, going, common)


@import_.command(name="program-members")
def program_members(  # options of a command line
    program_id: Annotated[int, Parameter(name="PROGRAM_ID")],
    *files: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True)],
    status: str,
    order: Order | None = None,
    going: Going | None = None,
    common: Common | None = None,
) -> int:
    """Import people, found by email, as members of a program with a status of its channel.

    For example:

      syncengine import program-members 1044 attendees.csv --status "On List"

    Parameters
    ----------
    program_id
        The program's id.
    files
        The files to import, as one import; - is standard input.
    status
        The status that the members are given.
    """
    from syncengine.imports.target import Kind, Target

    target = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=program_id, status=status)
    return _import(target, files, order, going, common)


def _import(
    target: "Target", files: tuple[str, ...], order: Order | None, going: Going | None, common: Common | None
) -> int:
    order, going, common = order or Order(), going or Going(), common or Common()
    return order_carried_out(order.asked(target, files, going), going, common, dry_run=order.dry_run)


def order_carried_out(asked: "Asked", going: Going, common: Common, *, dry_run: bool = False) -> int:
    """Plan an import, show what was found, and carry it out unless something stops it; gives the exit code."""
    settings, screen = common.settings(), common.screen()
    plans: list[ImportPlan] = []

    async def work(engine: "Engine", progress: "ImportProgress") -> ImportReport | None:
        desk = await engine.imports()
        async with desk.plan(asked) as (prepared, plan):
            plans.append(plan)
            with progress.suspended():
                show_plan(screen, plan)
            return None if plan.stops or dry_run else await desk.run(prepared)

    report = run(lambda: carried_out(settings, going, work), resume=RESUME)
    if report is None:
        return _only_planned(screen, plans[0])
    show_import(screen, report)
    screen.result({"plan": plans[0], "report": report})
    return import_code(report)


def _only_planned(screen: Screen, plan: ImportPlan) -> int:
    screen.result({"plan": plan, "report": None})
    if plan.stops:
        screen.say("Nothing was sent: mend what stops the import, or say with the options above that it is meant.")
        return STOPPED_BEFORE
    screen.say("A dry run: nothing was sent.")
    return 0
