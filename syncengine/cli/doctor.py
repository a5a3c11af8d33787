"""`syncengine doctor`: one file with everything that a report of a bug needs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from syncengine.cli.init import write_private
from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen
from syncengine.state_reports import DoctorReport


def doctor(
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    online: Annotated[bool, Parameter(negative="--offline", show_default=False)] = True,
    log: Path | None = None,
    common: Common | None = None,
) -> int:
    """Collect what a report of a bug needs into one file: versions, the configuration without secrets, whether the
    state is whole, quotas, the last runs, disk and clock.

    Works however broken things are: what cannot be told says why. Spends one
    call, unless --offline. Ends with 0 when the file could be written.

    For example:

      syncengine doctor
      syncengine doctor --offline --log sync.log -o bug.json

    Parameters
    ----------
    output
        The file to write. Default: syncengine-doctor-TIME.json here.
    online
        Ask Marketo for its clock and for the calls of today, for 10 seconds at most.
    log
        A log whose last 200 lines are taken along, without addresses and tokens.
    """
    common = common or Common()
    screen = common.screen()

    async def work() -> DoctorReport:
        from syncengine.config import find
        from syncengine.doctor import Asked, examine

        return await examine(Asked(find(common.config), online=online, log=log))

    report = run(work)
    path = written(report, output)
    show_doctor(screen, report, path)
    screen.result({"file": str(path), "problems": report.problems})
    return 0


def written(report: DoctorReport, output: Path | None) -> Path:
    """Write the sections to a new file that only its owner can read. Raises ConfigError."""
    import orjson

    from syncengine.doctor import default_name

    path = output or Path(default_name(report.sections["taken_at"]))
    text = orjson.dumps(
        report.sections, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str
    )
    write_private(path, f"{text.decode()}\n")
    return path


def show_doctor(screen: Screen, report: DoctorReport, path: Path) -> None:
    """What looked wrong, and where all of it is."""
    for each in report.problems:
        screen.say(f"- {each}")
    count = len(report.problems)
    found = "Nothing looks wrong" if not count else f"{count} {'thing looks' if count == 1 else 'things look'} wrong"
    screen.say(f"{found}. Everything is in {path}.")
    screen.say("No secret is in it, but names, paths and counts are: look at it before you give it away.")
