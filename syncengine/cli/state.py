"""`syncengine state`: is the state folder whole, a backup of it, and what ended long ago out of it."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from syncengine.cli.failures import PARTIAL
from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen, instant, megabytes
from syncengine.errors import ConfigError
from syncengine.state_reports import BackupReport, PruneReport, VerifyReport

if TYPE_CHECKING:
    from syncengine.config import Settings

# A damaged file has one cause and thousands of symptoms; --json has them all.
FINDINGS_SHOWN = 50
KEEP_DAYS = 90.0
RESTORING = """\
To restore: stop every syncengine on the state folder, make an empty one, `tar -xzf FILE -C FOLDER`, and start again.
An import that went on after the backup was taken must not be resumed from it, or people are sent twice: abandon it."""

state = App(name="state", help="Verify, back up and prune the state folder.", result_action="return_value")


@state.command
def verify(
    *,
    destination: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    common: Common | None = None,
) -> int:
    """Look whether the state folder is whole: its databases, each job and how it came to its state, working files.

    Changes nothing and makes no call, so it works beside a running daemon. Ends
    with 0 when all is well, 1 when something is wrong, 2 when the state cannot
    be read.

    For example:

      syncengine state verify
      syncengine state verify --destination --json | jq '.findings[]'

    Parameters
    ----------
    destination
        Ask the destination's ledger too for each window that the journal calls committed.
    """
    common = common or Common()
    instances, screen = shared(common), common.screen()

    async def work() -> VerifyReport:
        from syncengine.state_verify import verify

        return await verify(instances, destination=destination)

    report = run(work)
    show_verify(screen, report)
    screen.result({"whole": report.whole, **_facts(report)})
    return 0 if report.whole else PARTIAL


@state.command
def backup(
    file: Path,
    /,
    *,
    force: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    common: Common | None = None,
) -> int:
    """Write all that is not elsewhere into one file that only you can read: journal, the day's spending, and the
    working files of unfinished imports. A running daemon goes on.

    What lies half fetched in the spool is left out: Marketo gives it again. Rows
    of people may be in it: keep it as safe as the state folder.

    For example:

      syncengine state backup backups/acme-2026-11-30.tar.gz

    Parameters
    ----------
    file
        The .tar.gz to write.
    force
        Replace the file when it is there already.
    """
    common = common or Common()
    (settings, *_), screen = shared(common), common.screen()

    async def work() -> BackupReport:
        from syncengine.state_backup import backup

        return await backup(settings, file, force=force)

    report = run(work)
    show_backup(screen, report)
    screen.result(report)
    return 0


@state.command
def prune(
    *,
    keep_days: float = KEEP_DAYS,
    dry_run: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    common: Common | None = None,
) -> int:
    """Remove what ended long ago: finished jobs with their history, runs, and files that belong to nobody.

    Nothing unfinished goes, nor what the next sync still looks at; the
    destination is never touched. A running daemon goes on; only then the
    journal's file keeps its size until the next time.

    For example:

      syncengine state prune --dry-run
      syncengine state prune --keep-days 30

    Parameters
    ----------
    keep_days
        What ended in so many days stays.
    dry_run
        Only say what would be removed.
    """
    common = common or Common()
    (settings, *_), screen = shared(common), common.screen()
    if not 0 <= keep_days <= 36_500:
        raise ConfigError(f"--keep-days {keep_days:g} is no number of days", advice="Give one from 0 to 36500.")

    async def work() -> PruneReport:
        from syncengine.state_prune import prune

        return await prune(settings, timedelta(days=keep_days), dry_run=dry_run)

    report = run(work)
    show_prune(screen, report)
    screen.result(report)
    return 0


def shared(common: Common) -> "tuple[Settings, ...]":
    """The instances that are meant: all of a configuration, which share one state folder, unless one is named."""
    from syncengine.config import find, load, load_all

    path = find(common.config)
    return load_all(path) if common.instance is None else (load(path, common.instance),)


def show_verify(screen: Screen, report: VerifyReport) -> None:
    """What was found, what is wrong first, and how much was looked at."""
    found = sorted(report.findings, key=lambda each: not each.wrong)
    shown = found[:FINDINGS_SHOWN]
    screen.table(
        ("where", "", "what", "what to do"),
        [[each.where, "WRONG" if each.wrong else "", each.what, each.advice or "nothing"] for each in shown],
    )
    if len(found) > len(shown):
        screen.say(f"And {len(found) - len(shown):,} more, of one cause perhaps: --json has them all.")
    looked_at = f"{report.jobs:,} jobs, {report.moves:,} moves and {report.runs:,} runs in {report.folder}"
    if report.windows is not None:
        looked_at += f", {report.windows:,} windows in the destination's ledger"
    wrong = sum(each.wrong for each in report.findings)
    verdict = "All is well" if report.whole else f"{wrong:,} {'thing is' if wrong == 1 else 'things are'} wrong"
    screen.say(f"{verdict}: looked at {looked_at}.")


def show_backup(screen: Screen, report: BackupReport) -> None:
    """What is in it, where it is, and how it is used."""
    screen.table(("in the backup", "size"), [[each.name, megabytes(each.bytes)] for each in report.parts])
    for note in report.notes:
        screen.say(note)
    screen.say(f"{report.path} is written: {megabytes(report.bytes)}, as of {instant(report.taken_at)}.")
    screen.say(RESTORING.replace("FILE", report.path))


def show_prune(screen: Screen, report: PruneReport) -> None:
    """What went, and what that gained."""
    rows = [
        ["jobs", f"{report.jobs:,}"],
        ["their moves", f"{report.moves:,}"],
        ["of them imports", f"{report.imports:,}"],
        ["runs", f"{report.runs:,}"],
        ["files of nobody", f"{report.files:,}"],
    ]
    screen.table(("would go" if report.dry_run else "removed", "number"), rows)
    for note in report.notes:
        screen.say(note)
    if report.dry_run:
        screen.say(f"Nothing was changed; that is what ended before {instant(report.before)}.")
    else:
        screen.say(f"Of what ended before {instant(report.before)}; {megabytes(report.bytes_gained)} gained.")


def _facts(report: VerifyReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in ("folder", "findings", "jobs", "moves", "runs", "windows")}
