"""`syncengine sync`: bring every configured stream up to now."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from syncengine.cli.assets_shown import show_assets
from syncengine.cli.failures import PARTIAL, exit_code_named
from syncengine.cli.options import Common, Full
from syncengine.cli.running import run
from syncengine.cli.screen import Screen, instant, megabytes, span
from syncengine.errors import PermissionDenied, QuotaExhausted
from syncengine.reports import SyncReport

if TYPE_CHECKING:
    from syncengine.config import Settings

RESUME = "What was committed is kept, and files that were half fetched too: `syncengine sync` goes on from there."


def sync(
    *,
    full: Full = (),
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False)] = False,
    log: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    common: Common | None = None,
) -> int:
    """Bring every configured stream up to now.

    A run that was cut short, by whatever, is continued by the next one.
    Ends with 0 when everything is in the destination, with 1 when something
    is missing (the report says what), with 4 when today's quota is used up.

    For example:

      syncengine sync
      syncengine sync -c configs/nightly.toml --quiet --log sync.jsonl
      syncengine sync --full leads
      syncengine sync --json | jq '.streams[] | {stream, moved}'

    Parameters
    ----------
    full
        A stream to read again from its start on; may be given more than once.
    quiet
        Show no progress on standard error.
    log
        Append events to this file as JSON lines; - is standard error, which then shows no progress.
    """
    common = common or Common()
    settings = common.settings()
    screen = common.screen()
    report = run(lambda: sync_once(settings, full=full, quiet=quiet, log=log), resume=RESUME)
    show_sync(screen, report, time_scale=settings.instance.time_scale)
    screen.result(sync_facts(report))
    return sync_code(report)


def sync_code(report: SyncReport) -> int:
    """0, or 4 when the rest only waits for the day's quota; otherwise 3 for a missing permission, which running again
    does not mend, or 1 for whatever else is missing."""
    if report.outcome == "done":
        return 0
    if report.outcome == "paused":
        return exit_code_named(QuotaExhausted.__name__)
    denied = PermissionDenied.__name__
    return exit_code_named(denied) if denied in report.errors else PARTIAL


async def sync_once(
    settings: "Settings", *, full: Full = (), quiet: bool = False, log: Path | None = None
) -> SyncReport:
    """One sync with its observers: progress for people, a log for programs."""
    from syncengine.clock import SystemClock
    from syncengine.engine import open_engine
    from syncengine.observe import Observers
    from syncengine.observe.logs import open_log
    from syncengine.observe.progress import open_progress

    to_stderr = str(log) == "-"
    with open_log(log, SystemClock().now) as write_log, open_progress(quiet=quiet or to_stderr) as show_progress:
        async with open_engine(settings, observe=Observers(write_log, show_progress)) as engine:
            return await engine.sync(full=full)


def show_sync(screen: Screen, report: SyncReport, *, time_scale: float = 1.0) -> None:
    """A row a stream, then whatever is missing."""
    rows = [
        [
            each.stream,
            f"{each.windows:,}",
            f"{each.rows:,}",
            f"{each.inserted:,}",
            f"{each.changed:,}",
            f"{each.unchanged + each.outdated:,}",
            megabytes(each.bytes),
        ]
        for each in report.streams
    ]
    screen.table(("stream", "windows", "rows read", "inserted", "changed", "as before", "size"), rows)
    for each in report.streams:
        for note in each.problems:
            screen.say(f"{each.stream}: {note.removeprefix(f'{each.stream}: ')}")
    for problem in report.problems:
        screen.say(f"Missing: {problem}")
    if report.assets is not None:
        show_assets(screen, report.assets)
    for advice in report.advice:
        screen.say(advice)
    here = f" of the sandbox's clock, {span(report.seconds / time_scale)} here" if time_scale != 1.0 else ""
    screen.say(f"{_ending(report)}: {report.calls:,} calls in {span(report.seconds)}{here}.")


def _ending(report: SyncReport) -> str:
    if report.outcome == "done":
        return "Done"
    if report.outcome == "paused":
        return f"Paused until {instant(report.resume_at)}; run `syncengine sync` again then for the rest"
    return "Done in part; run `syncengine sync` again for the rest"


def sync_facts(report: SyncReport) -> dict[str, object]:
    """A report for programs, with the sums that they would otherwise have to know how to make."""
    from dataclasses import asdict

    streams = [asdict(each) | {"moved": each.moved} for each in report.streams]
    return asdict(report) | {"streams": streams}
