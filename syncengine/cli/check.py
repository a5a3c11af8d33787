"""`syncengine check`: everything that a sync needs, tried one by one."""

from syncengine.cli.failures import PARTIAL, exit_code_named
from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen
from syncengine.reports import CheckReport


def check(*, common: Common | None = None) -> int:
    """Try credentials, permissions, the day's quota and the destination.

    Spends four calls, and one for each permission that the streams need besides those of leads and activities. Moves
    no row. Ends with 0 when a sync can be started.

    For example:

      syncengine check
      syncengine check -c configs/nightly.toml --json
    """
    common = common or Common()
    settings = common.settings()
    screen = common.screen()

    async def work() -> CheckReport:
        from syncengine.engine import open_engine
        from syncengine.marketo.call import Priority

        async with open_engine(settings, priority=Priority.INTERACTIVE) as engine:
            return await engine.check()

    report = run(work)
    show_check(screen, report)
    screen.result({"ok": report.ok, "items": report.items})
    return check_code(report)


def show_check(screen: Screen, report: CheckReport) -> None:
    """One row for each thing that was tried, and what to do about those that failed."""
    rows = [[item.name, "ok" if item.ok else "FAILED", item.detail] for item in report.items]
    screen.table(("check", "", "detail"), rows)
    for item in report.items:
        if item.advice:
            screen.say(f"{item.name}: {item.advice}")


def check_code(report: CheckReport) -> int:
    """0, or the exit code of the first fault."""
    failed = [item for item in report.items if not item.ok]
    return next((exit_code_named(item.error) for item in failed if item.error), PARTIAL if failed else 0)
