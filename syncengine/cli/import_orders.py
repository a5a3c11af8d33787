"""What the commands of imports have in common: their options, how a run is carried out and how its account is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import Group, Parameter

from syncengine.cli.failures import PARTIAL
from syncengine.cli.screen import Screen, megabytes, span
from syncengine.errors import ConfigError
from syncengine.imports.texts import mapping_in, share_of, span_of
from syncengine.reports import ImportPlan, ImportReport

if TYPE_CHECKING:
    from syncengine.config import Settings
    from syncengine.engine import Engine
    from syncengine.imports.asked import Asked
    from syncengine.imports.parts import NewTerms, Terms
    from syncengine.imports.target import Target
    from syncengine.observe.import_progress import ImportProgress

T = TypeVar("T")

STILL_QUEUED = 9
STOPPED_BEFORE = 2
SOURCE = Group("Source", sort_key=1)
WAY = Group("Way in", sort_key=2)
END = Group("How it ends", sort_key=3)
ENDINGS = {"done": "Done", "waiting": "Still queued", "stopped": "Stopped", "abandoned": "Given up"}
OUTCOMES = {
    "imported": ("imported", ""),
    "warned": ("imported with warning", "warnings.csv"),
    "failed": ("failed in Marketo", "failed.csv"),
    "quarantined": ("quarantined before sending", "quarantine.csv"),
    "superseded": ("superseded by a later row", "superseded.csv"),
    "unresolved": ("unresolved", "unresolved.csv"),
    "waiting": ("not sent, or not told yet", ""),
}


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """How a run goes on and when it ends."""

    on_ambiguous: Annotated[Literal["verify", "hold", "resubmit"] | None, Parameter(group=END)] = None
    """Rows sent and not answered: look for them first (verify, the default), leave them to you, or send them again."""

    max_failures: Annotated[str | None, Parameter(group=END)] = None
    """Send nothing more once this share of rows has failed (20%), or all of the first chunk; 100% never stops."""

    max_wait: Annotated[str | None, Parameter(group=END)] = None
    """How long the run may take: 90s, 30m, 2h, 1d (12h). What is not done then is resumed later (exit 9)."""

    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False, group=END)] = False
    """Show no progress on standard error."""

    log: Annotated[Path | None, Parameter(allow_leading_hyphen=True, group=END)] = None
    """Append events to this file as JSON lines; - is standard error, which then shows no progress."""

    def new_terms(self) -> "NewTerms":
        """What was said of them, for a run that has terms already. Raises ConfigError."""
        from syncengine.imports.ambiguity import Policy
        from syncengine.imports.parts import NewTerms

        return NewTerms(
            None if self.on_ambiguous is None else Policy(self.on_ambiguous),
            None if self.max_failures is None else share_of(self.max_failures),
            None if self.max_wait is None else span_of(self.max_wait),
        )

    def terms(self) -> "Terms":
        """The terms of a run that begins. Raises ConfigError."""
        from syncengine.imports.ambiguity import Policy
        from syncengine.imports.asked import WAIT_MAX
        from syncengine.imports.brake import FAILURES_MAX
        from syncengine.imports.parts import Terms

        return self.new_terms().over(Terms(Policy.VERIFY, FAILURES_MAX, WAIT_MAX))


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is imported, and on what conditions."""

    database: Annotated[str, Parameter(name="--from", group=SOURCE, show_default=False)] = ""
    """Read rows from a database instead of files: postgresql://user@host/db, or duckdb:///file.duckdb."""

    query: Annotated[str, Parameter(group=SOURCE, show_default=False)] = ""
    """The SELECT that gives the rows; its columns are the header."""

    map: Annotated[Path | None, Parameter(group=SOURCE)] = None
    """A TOML file whose table [columns] names the field of a column: "E-Mail" = "email"; "" leaves it out."""

    encoding: Annotated[str | None, Parameter(group=SOURCE)] = None
    """The encoding of the files, if it is neither UTF-8 nor told by a mark: cp1252, latin-1, shift_jis."""

    allow_clear: Annotated[bool, Parameter(negative="", show_default=False, group=SOURCE)] = False
    """Let empty cells clear fields of people that Marketo has."""

    route: Annotated[Literal["auto", "bulk", "rest", "ingestion"], Parameter(group=WAY)] = "auto"
    """rest: 300 rows a call, for a few thousand; bulk: files of 10 MB; ingestion: where the subscription has it."""

    dry_run: Annotated[bool, Parameter(negative="", show_default=False, group=WAY)] = False
    """Read and check everything, show the plan, send nothing."""

    new_run: Annotated[bool, Parameter(negative="", show_default=False, group=END)] = False
    """Begin a run of its own even if an unfinished one has the same file."""

    def asked(self, target: "Target", files: tuple[str, ...], going: Going) -> "Asked":
        """The same as the engine takes it. Raises ConfigError."""
        from syncengine.imports.asked import Asked
        from syncengine.imports.route import Route

        if bool(self.query) != bool(self.database):
            raise ConfigError("--from and --query go together: where the rows are, and the SELECT that gives them")
        if bool(self.query) == bool(files):
            advice = "syncengine import leads people.csv; - reads standard input."
            what = "rows come from files or from a query, not from both" if files else "no file was named"
            raise ConfigError(what, advice=advice)
        if files.count("-") > 1 or ("-" in files and len(files) > 1):
            raise ConfigError("standard input (-) is read alone")
        terms = going.terms()
        return Asked(
            target=target,
            files=files,
            database=self.database,
            query=self.query,
            mapping=mapping_in(self.map) if self.map else {},
            encoding=self.encoding,
            route=Route(self.route),
            allow_clear=self.allow_clear,
            policy=terms.policy,
            failures_max=terms.failures_max,
            wait_max=terms.wait_max,
            is_new=self.new_run,
        )


async def carried_out(
    settings: "Settings", going: Going, work: "Callable[[Engine, ImportProgress], Awaitable[T]]"
) -> T:
    """Do something with an engine whose calls go before those of a nightly sync, with progress and log.

    Who prints in between suspends the progress.
    """
    import pyarrow as pa

    from syncengine.clock import SystemClock
    from syncengine.engine import open_engine
    from syncengine.marketo.call import Priority
    from syncengine.observe import Observers
    from syncengine.observe.import_progress import open_import_progress
    from syncengine.observe.logs import open_log

    # Arrow's own pool keeps what is freed: fifty megabytes more at the peak, and no faster here.
    pa.set_memory_pool(pa.system_memory_pool())
    to_stderr = str(going.log) == "-"
    with (
        open_log(going.log, SystemClock().now) as write_log,
        open_import_progress(quiet=going.quiet or to_stderr) as show_progress,
    ):
        observe = Observers(write_log, show_progress)
        async with open_engine(settings, observe=observe, priority=Priority.INTERACTIVE) as engine:
            return await work(engine, show_progress)


def show_plan(screen: Screen, plan: ImportPlan) -> None:
    """What was found, then what would be sent."""
    rows = [
        [
            each.effect,
            each.column,
            each.what,
            f"{each.rows:,}" if each.rows is not None else "",
            "; ".join(each.examples),
            each.advice,
        ]
        for each in plan.findings
    ]
    screen.table(("effect", "column", "finding", "rows", "first", "what to do"), rows, title="Findings")
    if plan.stops:
        return
    full = f", {plan.fullness:.1%} full but for the last" if plan.fullness is not None else ""
    chunks = "1 chunk" if plan.chunks == 1 else f"{plan.chunks:,} chunks"
    screen.say(
        f"{plan.sent:,} of {plan.rows:,} rows go into {plan.target} by {plan.route}: {chunks}{full}, "
        f"{megabytes(plan.bytes)}, about {_calls(plan.calls)} and {span(plan.seconds)}."
    )


def show_import(screen: Screen, report: ImportReport) -> None:
    """A row an outcome, then whatever is missing."""
    rows = []
    for name, count in report.counts.items():
        label, file = OUTCOMES[name]
        if count or name == "imported":
            rows.append([label, f"{count:,}", file if file in report.files else ""])
    screen.table(("outcome", "rows", "file"), rows, title=f"Import {report.run_id} into {report.target}")
    for problem in report.problems:
        screen.say(f"{problem[:1].upper()}{problem[1:]}.")
    for note in report.notes:
        screen.say(f"{note.removesuffix('.')}.")
    if report.outcome == "stopped":
        screen.say(f"Nothing more was sent. To go on: syncengine imports resume {report.run_id} --max-failures 100%")
    elif report.counts["waiting"] and report.outcome != "abandoned":
        screen.say(f"To go on: syncengine imports resume {report.run_id}")
    if report.counts["failed"] and not report.counts["waiting"]:
        screen.say(f"To send the failed rows again: syncengine imports retry-failed {report.run_id}")
    screen.say(f"The account is in {report.folder}.")
    done = ENDINGS.get(report.outcome, "Done in part")
    screen.say(f"{done}: {report.rows:,} rows, {_calls(report.calls)} in {span(report.seconds)}.")


def import_code(report: ImportReport) -> int:
    """0 when every row went in or was superseded, 9 when the time was over, 1 for everything else that is missing."""
    if report.outcome == "done":
        return 0
    return STILL_QUEUED if report.outcome == "waiting" else PARTIAL


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
