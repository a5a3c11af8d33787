"""`syncengine imports`: what became of earlier imports, and going on with them."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from syncengine.cli.import_ import RESUME, order_carried_out
from syncengine.cli.import_orders import OUTCOMES, Going, carried_out, import_code, show_import
from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen, instant
from syncengine.reports import ImportReport, ImportSummary

if TYPE_CHECKING:
    from syncengine.engine import Engine
    from syncengine.imports.asked import Asked
    from syncengine.observe.import_progress import ImportProgress

imports = App(name="imports", help="Show earlier imports and go on with them.", result_action="return_value")


@imports.default
@imports.command(name="list")
def list_runs(*, common: Common | None = None) -> int:
    """List the imports of this instance, the newest first. Makes no call."""
    common = common or Common()
    settings, screen = common.settings(), common.screen()

    async def work() -> tuple[ImportSummary, ...]:
        from syncengine.engine import open_engine

        async with open_engine(settings) as engine:
            return await (await engine.imports()).all()

    runs = run(work)
    rows = [
        [
            each.run_id,
            each.state,
            instant(each.began_at),
            each.target,
            ", ".join(each.sources),
            f"{each.rows:,}",
            f"{each.counts['imported'] + each.counts['warned']:,}",
            f"{each.rows - each.counts['imported'] - each.counts['warned']:,}",
        ]
        for each in runs
    ]
    screen.table(("run", "state", "began", "into", "from", "rows", "imported", "others"), rows)
    if not runs:
        screen.say("Nothing has been imported yet: syncengine import leads people.csv")
    screen.result(runs)
    return 0


@imports.command
def show(run_id: Annotated[str, Parameter(name="RUN")], /, *, common: Common | None = None) -> int:
    """Show one import: its rows by outcome, its chunks by state, where its files are. Makes no call."""
    common = common or Common()
    settings, screen = common.settings(), common.screen()

    async def work() -> ImportSummary:
        from syncengine.engine import open_engine

        async with open_engine(settings) as engine:
            return await (await engine.imports()).one(run_id)

    summary = run(work)
    show_summary(screen, summary)
    screen.result(summary)
    return 0


@imports.command
def resume(
    run_id: Annotated[str, Parameter(name="RUN")], /, *, going: Going | None = None, common: Common | None = None
) -> int:
    """Go on with an import that was interrupted, stopped or is waiting. What Marketo has taken is not sent again.

    For example:

      syncengine imports resume 20261125-081500-3f9a --max-failures 100%
    """
    going, common = going or Going(), common or Common()
    settings, screen = common.settings(), common.screen()
    terms = going.new_terms()

    async def work(engine: "Engine", _progress: "ImportProgress") -> ImportReport:
        return await (await engine.imports()).resume(run_id, terms)

    report = run(lambda: carried_out(settings, going, work), resume=RESUME)
    show_import(screen, report)
    screen.result(report)
    return import_code(report)


@imports.command
def abandon(run_id: Annotated[str, Parameter(name="RUN")], /, *, common: Common | None = None) -> int:
    """Give an import up that cannot or shall not be finished: its file is gone, say.

    What was not sent is never sent; rows that Marketo has or may have end as
    unresolved. Marketo may still work on them for an hour: import nobody of
    them before that, or people are doubled. Makes no call.
    """
    common = common or Common()
    settings, screen = common.settings(), common.screen()

    async def work() -> ImportReport:
        from syncengine.engine import open_engine

        async with open_engine(settings) as engine:
            return await (await engine.imports()).abandon(run_id)

    report = run(work)
    show_import(screen, report)
    screen.result(report)
    return 0


@imports.command(name="retry-failed")
def retry_failed(
    run_id: Annotated[str, Parameter(name="RUN")], /, *, going: Going | None = None, common: Common | None = None
) -> int:
    """Import the rows of an earlier import that failed once more, as they were sent: a run of its own.

    Mend replay.csv in the run's folder first, or what made them fail in Marketo.
    """
    going, common = going or Going(), common or Common()
    settings = common.settings()
    terms = going.terms()

    async def work() -> "Asked":
        from syncengine.engine import open_engine

        async with open_engine(settings) as engine:
            return await (await engine.imports()).again(run_id, terms)

    return order_carried_out(run(work), going, common)


def show_summary(screen: Screen, summary: ImportSummary) -> None:
    """One import in words."""
    screen.say(f"Import {summary.run_id} into {summary.target}, by {summary.route}, from {', '.join(summary.sources)}")
    screen.say(f"Began {instant(summary.began_at)}, {summary.state}.")
    rows = [[OUTCOMES[name][0], f"{count:,}"] for name, count in summary.counts.items() if count]
    screen.table(("outcome", "rows"), [*rows, ["all", f"{summary.rows:,}"]])
    chunks = [[state, f"{count:,}"] for state, count in summary.chunks.items()]
    screen.table(("chunks", "number"), chunks)
    screen.say(f"The account is in {summary.folder}.")
