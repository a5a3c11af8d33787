"""The verbs by name, and the one door through which every command runs and ends with an exit code."""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, Group

from syncengine.cli.failures import ended

EPILOGUE = """\
Try it without a Marketo account: syncengine demo

Exit codes: 0 done, 1 done in part, 2 usage or configuration or state,
3 credentials or permission, 4 paused by quota, 5 destination unavailable,
6 Marketo unreachable, 7 already running, 8 no room on disk, 9 still queued,
70 a bug, 130 interrupted (the next run goes on from there)
"""

GO = Group("Try", sort_key=1)
WORK = Group("Every day", sort_key=2)


def make_app() -> App:
    """The program; its verbs' modules are imported when a verb is run or asked for help."""
    app = App(
        name="syncengine",
        help="Bulk sync between Adobe Marketo Engage and your data stack.",
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version=version,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    app.command("syncengine.cli.demo:demo", group=GO, help_epilogue="")
    app.command("syncengine.cli.sandbox:sandbox", group=GO, help_epilogue="")
    app.command("syncengine.cli.init:init", group=WORK, help_epilogue="")
    app.command("syncengine.cli.check:check", group=WORK, help_epilogue="")
    app.command("syncengine.cli.streams:streams", group=WORK, help_epilogue="")
    app.command("syncengine.cli.plan:plan", group=WORK, help_epilogue="")
    app.command("syncengine.cli.sync:sync", group=WORK, help_epilogue="")
    app.command("syncengine.cli.import_:import_", name="import", group=WORK)
    app.command("syncengine.cli.imports:imports", name="imports", group=WORK)
    app.command("syncengine.cli.assets:assets", name="assets", group=WORK)
    app.command("syncengine.cli.daemon:daemon", group=WORK, help_epilogue="")
    app.command("syncengine.cli.status:status", group=WORK, help_epilogue="")
    app.command("syncengine.cli.state:state", name="state", group=WORK)
    app.command("syncengine.cli.doctor:doctor", group=WORK, help_epilogue="")
    return app


def version() -> str:
    """The installed version."""
    from importlib import metadata

    return metadata.version("syncengine")


def main(tokens: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; nothing is raised."""
    words = list(sys.argv[1:] if tokens is None else tokens)
    # Rows of people lie in what we write: journal, half-fetched files, logs, warehouse. They are their owner's alone.
    os.umask(0o077)
    debug = "--debug" in words or os.environ.get("SYNCENGINE_DEBUG", "") not in {"", "0"}
    try:
        code = make_app()(words)
        sys.stdout.flush()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 2
    except BaseException as error:  # noqa: BLE001  # the outermost frame: every error ends as a sentence and a code
        return ended(error, debug=debug, as_json="--json" in words)
    return code if isinstance(code, int) else 0
