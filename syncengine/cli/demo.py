"""`syncengine demo`: a whole night in a minute, against a sandbox in another process.

Everything is real but Marketo: HTTP, limits, files, state on disk, DuckDB. Only the sandbox's clock runs fast.
"""

import fcntl
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.cli.check import show_check
from syncengine.cli.failures import PARTIAL
from syncengine.cli.init import write_private
from syncengine.cli.options import Printing
from syncengine.cli.plan import show_plan
from syncengine.cli.running import run
from syncengine.cli.screen import Screen, megabytes
from syncengine.cli.sync import sync_facts, sync_once
from syncengine.errors import AlreadyRunning, ConfigError, SyncEngineError
from syncengine.reports import SyncReport

if TYPE_CHECKING:
    from syncengine.cli.rehearsal import Rehearsal
    from syncengine.config import Settings

MARKER = ".syncengine-demo"
CONFIG = "syncengine.toml"
WAREHOUSE = "warehouse.duckdb"
READY = "ready.json"
LOG = "sandbox.log"
# What a demo leaves behind; the next one removes exactly this.
OURS = (CONFIG, WAREHOUSE, f"{WAREHOUSE}.wal", f"{WAREHOUSE}.tmp", "state", READY, LOG)

LEADS_CHANGED = 1_000
ACTIVITIES_ADDED = 3_000
# Beyond the settle time, in the sandbox's seconds: its Date header shows whole seconds, and a call takes a moment.
SETTLE_MARGIN_SECONDS = 30.0

QUERY = """\
SELECT activityTypeId, count(*) AS activities, count(DISTINCT leadId) AS people, max(activityDate) AS latest
FROM marketo.activities GROUP BY ALL ORDER BY activities DESC LIMIT 5"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the demo plays, and where."""

    folder: Path
    speed: float
    leads: int
    activities: int
    years: float


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One sync of the demo: what it reports, and what the sandbox counted meanwhile."""

    report: SyncReport
    real_seconds: float
    largest_window: int
    most_in_flight: int

    def total(self, name: str) -> int:
        """One figure of the report over all streams."""
        return sum(getattr(stream, name) for stream in self.report.streams)


def demo(
    *,
    dir: Path = Path("demo"),  # noqa: A002  # the option's name
    speed: float = 60.0,
    leads: int = 100_000,
    activities: int = 300_000,
    years: float = 3.0,
    printing: Printing | None = None,
) -> int:
    """Run a whole night against a sandbox on this machine.

    Starts a sandbox, checks, plans, syncs leads and activities into DuckDB,
    changes some of them in the sandbox and syncs again: about a minute.

    For example:

      syncengine demo
      syncengine demo --dir /tmp/night --leads 10000 --activities 30000

    Parameters
    ----------
    dir
        Its folder; an earlier demo there is replaced, anything else refused.
    speed
        How many times faster than real the sandbox's clock runs.
    leads
        How many people the sandbox has.
    activities
        How many activities they have.
    years
        How far back the oldest of them lie.
    """
    screen = (printing or Printing()).screen()
    with _folder(dir):
        scene = Scene(dir, speed, leads, activities, years)
        screen.say(
            f"A sandbox starts, with {leads:,} leads and {activities:,} activities; its clock is {speed:g} times fast."
        )
        runs = run(lambda: _night(screen, scene), resume="The sandbox is stopped; run the demo again.")
        _show(screen, dir, runs)
        return 0 if all(each.report.outcome == "done" for each in runs) else PARTIAL


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """An empty folder of ours for the length of the block. Raises ConfigError, and AlreadyRunning for a living demo."""
    marker = folder / MARKER
    if folder.exists() and not marker.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder} is there already and is no demo's folder: it is left as it is",
            advice="Name another one with --dir.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = marker.open("a")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be used: {error.strerror}", advice="Name another one with --dir.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            advice = "Wait for it, or name another folder with --dir."
            raise AlreadyRunning(f"a demo is running in {folder}", holder="another demo", advice=advice) from None
        for name in OURS:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        yield


async def _night(screen: Screen, scene: Scene) -> list[DemoRun]:
    import anyio

    from syncengine.engine import open_engine

    folder = scene.folder
    async with _sandbox(scene) as sandbox:
        settings = _configured(scene, sandbox)
        screen.say(f"\nsyncengine check -c {folder / CONFIG}")
        async with open_engine(settings) as engine:
            checked = await engine.check()
            show_check(screen, checked)
            if not checked.ok:
                raise SyncEngineError("the demo's check failed", advice=f"What the sandbox said is in {folder / LOG}.")
            screen.say(f"\nsyncengine plan -c {folder / CONFIG}")
            show_plan(screen, await engine.plan())
        screen.say(f"\nsyncengine sync -c {folder / CONFIG}")
        first = await _sync(settings, sandbox)
        changed = min(LEADS_CHANGED, scene.leads)
        screen.say(f"\nIn the sandbox, {changed:,} leads change and {ACTIVITIES_ADDED:,} activities are added.")
        await sandbox.control("POST", "change", update_leads=changed, add_activities=ACTIVITIES_ADDED, seed=1)
        settle = settings.sync.settle_minutes * 60
        screen.say(
            f"The newest {settings.sync.settle_minutes:g} minutes of its clock are left to settle before they are read."
        )
        await anyio.sleep((settle + SETTLE_MARGIN_SECONDS) / scene.speed)
        screen.say(f"\nsyncengine sync -c {folder / CONFIG}")
        return [first, await _sync(settings, sandbox)]


@asynccontextmanager
async def _sandbox(scene: Scene) -> "AsyncIterator[Rehearsal]":
    from syncengine.cli.rehearsal import rehearsal

    data = [f"--leads={scene.leads}", f"--activities={scene.activities}", f"--years={scene.years}"]
    async with rehearsal(
        [f"--speed={scene.speed}", *data], ready_file=scene.folder / READY, log=scene.folder / LOG
    ) as sandbox:
        yield sandbox


def _configured(scene: Scene, sandbox: "Rehearsal") -> "Settings":
    """Write the demo's configuration and read it back as any other."""
    from syncengine.cli.sandbox import config_text
    from syncengine.config import load
    from syncengine.sandbox.options import SandboxOptions

    text = config_text(
        sandbox.base_url, sandbox.client_id, sandbox.client_secret, SandboxOptions(speed=scene.speed, years=scene.years)
    )
    write_private(scene.folder / CONFIG, text)
    return load(scene.folder / CONFIG)


async def _sync(settings: "Settings", sandbox: "Rehearsal") -> DemoRun:
    import anyio

    await sandbox.control("POST", "counters/reset")
    began = anyio.current_time()
    report = await sync_once(settings)
    seconds = anyio.current_time() - began
    counted: dict[str, Any] = await sandbox.control("GET", "counters")
    return DemoRun(report, seconds, counted["largest_window"], counted["most_in_flight"])


def _show(screen: Screen, folder: Path, runs: list[DemoRun]) -> None:
    def row(label: str, *figures: str) -> list[str]:
        return [label, *figures]

    rows = [
        row("rows read", *(f"{each.total('rows'):,}" for each in runs)),
        row("  inserted", *(f"{each.total('inserted'):,}" for each in runs)),
        row("  changed", *(f"{each.total('changed'):,}" for each in runs)),
        row("  read again, as before", *(f"{each.total('unchanged') + each.total('outdated'):,}" for each in runs)),
        row("size of the files", *(megabytes(each.total("bytes")) for each in runs)),
        row("calls", *(f"{each.report.calls:,}" for each in runs)),
        row("seconds here", *(f"{each.real_seconds:.1f}" for each in runs)),
        row("minutes of the sandbox's clock", *(f"{each.report.seconds / 60:.1f}" for each in runs)),
        row("most calls in any 20 s (100 allowed)", *(f"{each.largest_window}" for each in runs)),
        row("most calls in flight (10 allowed)", *(f"{each.most_in_flight}" for each in runs)),
    ]
    screen.say()
    screen.table(("", "first run", "second run"), rows)
    for each in runs:
        for problem in each.report.problems:
            screen.say(f"Missing: {problem}")
    warehouse = folder / WAREHOUSE
    statement = " ".join(QUERY.split())
    code = f'import duckdb; duckdb.connect("{warehouse}", read_only=True).sql("{statement}").show()'
    screen.say(f"\nThe rows are in {warehouse}. A query to try:\n\n{QUERY}\n\nHere it is as a command:\n")
    screen.say(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}")
    screen.result({"warehouse": str(warehouse), "query": QUERY, "runs": [_facts(each) for each in runs]})


def _facts(each: DemoRun) -> dict[str, object]:
    return {
        "report": sync_facts(each.report),
        "real_seconds": each.real_seconds,
        "largest_window": each.largest_window,
        "most_in_flight": each.most_in_flight,
    }
