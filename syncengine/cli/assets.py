"""`syncengine assets`: marketing assets as files that Git can diff, and what has become of them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import App, Parameter

from syncengine.asset_reports import AssetsDiff, AssetsPlan, AssetsReport
from syncengine.cli.assets_shown import show_diff, show_plan, show_pull
from syncengine.cli.failures import PARTIAL, exit_code_named
from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.errors import ConfigError, PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from syncengine.assets.parts import Asked
    from syncengine.config import Settings
    from syncengine.engine import Engine

T = TypeVar("T")

RESUME = "What was written is whole: give the same command again, and it fetches only what is missing."
# `assets diff` answers 1 for "differs"; what went wrong is told by the other codes.
DIFFERS = 1
TROUBLE = 6

assets = App(
    name="assets",
    help="Bring marketing assets into a folder that Git can diff, and show what changed.",
    result_action="return_value",
)

Folder = Annotated[Path | None, Parameter(name="DIR")]
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which kinds of assets a command is about."""

    only: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = ()
    """A kind of asset to take, and no others; may be given more than once."""

    but: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = ()
    """A kind of asset to leave out; may be given more than once."""


@assets.command
def pull(  # options of a command line
    folder: Folder = None,
    /,
    *,
    chosen: Chosen | None = None,
    with_files: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    full: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    quick: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    no_tables: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    dry_run: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    quiet: Quiet = False,
    log: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    common: Common | None = None,
) -> int:
    """Bring every marketing asset into a folder, and into the destination's tables.

    The first pull fetches everything. Each later one reads the lists, and
    fetches only what has changed; files of unchanged assets are not touched,
    those of deleted ones are removed. A pull that was cut short is continued
    by the next. Ends with 0 when the folder is as the instance is, with 1
    when something is missing (the report says what).

    For example:

      syncengine assets pull assets
      syncengine assets pull assets --dry-run
      syncengine assets pull assets --only email --only landing_page
      git -C assets add -A && git -C assets commit -m "Marketo, last night"

    Parameters
    ----------
    folder
        The folder: empty, not there yet, or pulled before. Without it, the one of [assets] path.
    with_files
        Bring the bytes of images and documents too.
    full
        Fetch all contents again. Marketo dates no change of a token's value or a tag's, and none that
        an email takes over from a snippet: this finds them.
    quick
        Ask long lists (more than 398 of a kind) only for what has a later date, in two calls each. A move has
        none: the next pull without this finds it.
    no_tables
        Write no tables.
    dry_run
        Show how many calls a pull would make. The lists are read to find out.
    quiet
        Show no progress on standard error.
    log
        Append events to this file as JSON lines; - is standard error, which then shows no progress.
    """
    if full and quick:
        raise ConfigError("--full and --quick exclude each other", advice="Keep one of them.")
    common = common or Common()
    settings, screen = common.settings(), common.screen()
    asked = asked_for(settings, folder, chosen or Chosen())(
        with_files=with_files or settings.assets.files, full=full, quick=quick, with_tables=not no_tables
    )
    if dry_run:
        plan = run(lambda: planned(settings, asked))
        show_plan(screen, plan)
        screen.result(plan)
        return missing_code(plan.errors) if plan.problems else 0

    async def work(engine: "Engine") -> AssetsReport:
        return await (await engine.assets()).pull(asked)

    report = run(lambda: carried_out(settings, work, quiet=quiet, log=log), resume=RESUME)
    show_pull(screen, report, time_scale=settings.instance.time_scale)
    screen.result(report)
    return pull_code(report)


@assets.command
def diff(
    folder: Folder = None,
    /,
    *,
    against: Path | None = None,
    live: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    chosen: Chosen | None = None,
    text: Annotated[bool, Parameter(name="--text", negative="--no-text")] = True,
    quiet: Quiet = False,
    common: Common | None = None,
) -> int:
    """Show what was added, removed, moved, renamed and changed since a folder was pulled.

    Ends with 0 when nothing was, with 1 when something was, and with a
    higher code when that could not be found out.

    For example:

      syncengine assets diff assets --live
      syncengine assets diff assets --against assets-of-last-week --json
      syncengine assets diff assets --live --no-text || echo "Marketo has changed"

    Parameters
    ----------
    folder
        The older state: a folder that was pulled. Without it, the one of [assets] path.
    against
        The newer state: another folder of the same instance. Needs no configuration.
    live
        The newer state is the instance itself; this is so without --against too. Costs the calls of a pull.
    text
        Show the lines that differ.
    quiet
        Show no progress on standard error.
    """
    common, chosen = common or Common(), chosen or Chosen()
    screen = common.screen()
    if against is not None:
        if live:
            raise ConfigError("--against and --live exclude each other", advice="Keep one of them.")
        from syncengine.assets.desk import diff as compared
        from syncengine.assets.parts import chosen_kinds

        if folder is None:
            raise ConfigError("--against compares with a folder that is not named", advice="Name DIR first.")
        found = compared(folder, against, chosen_kinds(chosen.only, chosen.but))
    else:
        settings = common.settings()
        asked = asked_for(settings, folder, chosen)()

        async def work(engine: "Engine") -> AssetsDiff:
            return await (await engine.assets()).diff_live(asked.folder, asked.kinds)

        found = run(lambda: carried_out(settings, work, quiet=quiet), resume="Nothing was changed.")
    show_diff(screen, found, with_text=text)
    screen.result(asdict(found) | {"differs": found.differs})
    return diff_code(found)


def asked_for(settings: "Settings", folder: Path | None, chosen: Chosen) -> "Callable[..., Asked]":
    """An order for the folder that is named, or the configured one; raises ConfigError when there is neither."""
    from functools import partial

    from syncengine.assets.parts import Asked, chosen_kinds

    wanted = folder or settings.assets.path
    if wanted is None:
        raise ConfigError(
            "no folder for the assets is named", advice="Name one: syncengine assets pull DIR, or set [assets] path."
        )
    kinds = chosen.only or (() if "*" in settings.assets.kinds else settings.assets.kinds)
    return partial(Asked, wanted, chosen_kinds(kinds, chosen.but))


async def planned(settings: "Settings", asked: "Asked") -> AssetsPlan:
    """What a pull would spend."""
    from syncengine.engine import open_engine

    async with open_engine(settings) as engine:
        return await (await engine.assets()).plan(asked)


async def carried_out(
    settings: "Settings", work: "Callable[[Engine], Awaitable[T]]", *, quiet: bool, log: Path | None = None
) -> T:
    """Work on an engine with its observers: progress for people, a log for programs."""
    from syncengine.clock import SystemClock
    from syncengine.engine import open_engine
    from syncengine.observe import Observers
    from syncengine.observe.logs import open_log
    from syncengine.observe.progress import open_progress

    to_stderr = str(log) == "-"
    with open_log(log, SystemClock().now) as write_log, open_progress(quiet=quiet or to_stderr) as show_progress:
        async with open_engine(settings, observe=Observers(write_log, show_progress)) as engine:
            return await work(engine)


def pull_code(report: AssetsReport) -> int:
    """0 when everything is there, else what `missing_code` says."""
    return 0 if report.outcome == "done" else missing_code(report.errors)


def missing_code(errors: tuple[str, ...]) -> int:
    """3 for a missing permission, which running again does not mend, or 1 for whatever else is missing."""
    denied = PermissionDenied.__name__
    return exit_code_named(denied) if denied in errors else PARTIAL


def diff_code(found: AssetsDiff) -> int:
    """0 for no difference, 1 for some; where not everything could be compared, a code beyond these."""
    if found.errors or found.problems:
        codes = [code for name in found.errors if (code := exit_code_named(name)) > DIFFERS]
        return max(codes, default=TROUBLE)
    return DIFFERS if found.differs else 0
