"""The limiter under full load, with real processes over real HTTP: the sandbox's own counters are the judge.

Each contestant calls for 31 windows: at least 3,000 calls, answered after 20 to 400 ms, through at least three turns of
the token. Marketo allows 100 calls at once and 5 a second from then on; "used" is the part of that which arrived, read
when a whole number of windows has been spent. The sandbox's clock runs `speed` times fast, so the machine's own delays
weigh that much more than they would in the real world.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from benchmarks.caller import ENGINE, LEAKY_BUCKET, SEND_TIME_WINDOW
from syncengine.cli.init import write_private
from syncengine.cli.rehearsal import Rehearsal, rehearsal
from syncengine.cli.sandbox import config_text
from syncengine.cli.screen import Screen
from syncengine.sandbox.options import SandboxOptions

SPEED = 10.0
CALLS = 3_100
LATENCY_SECONDS = (0.02, 0.4)
TOKEN_SECONDS = 130.0
LOOK_SECONDS = 0.02
# A contestant that is slower than this has failed; in real seconds at speed 1.
PATIENCE_SECONDS = 1_200.0
END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to hold the rate, and how many processes share it."""

    label: str
    how: str
    processes: int = 1


CONTESTANTS = (
    Contestant("syncengine", ENGINE),
    Contestant("syncengine, 3 processes", ENGINE, 3),
    Contestant("aiolimiter (leaky bucket)", LEAKY_BUCKET),
    Contestant("window over send times", SEND_TIME_WINDOW),
)


def run(screen: Screen, *, speed: float = SPEED) -> None:
    """Let each contestant press on an instance of its own, and print what the instance saw."""
    minutes = CALLS / 5 / 60 / speed
    screen.say(f"Limits under full load: {len(CONTESTANTS)} runs of about {minutes:.1f} minutes each.")
    rows = [row(each, anyio.run(measure, each, speed)) for each in CONTESTANTS]
    headings = (
        "limiter",
        "calls",
        "largest window",
        "most in flight",
        "606",
        "615",
        "601/602",
        "tokens",
        "used",
        "least",
    )
    screen.table(headings, rows)
    screen.say('Allowed: 100 in any 20 s, 10 in flight. "least" is the smallest part of the calls that a process got.')


async def measure(contestant: Contestant, speed: float) -> dict[str, Any]:
    """The instance's counters after so many calls of one contestant."""
    with TemporaryDirectory(prefix="syncengine-bench-") as name:
        folder = Path(name)
        options = [f"--speed={speed}", "--leads=10", "--activities=10", f"--token-seconds={TOKEN_SECONDS}"]
        latency = ["--latency", *map(str, LATENCY_SECONDS)]
        ready, log = folder / "ready.json", folder / "sandbox.log"
        async with rehearsal([*options, *latency], ready_file=ready, log=log) as sandbox:
            config = folder / "syncengine.toml"
            shown = SandboxOptions(speed=speed)
            write_private(config, config_text(sandbox.base_url, sandbox.client_id, sandbox.client_secret, shown))
            with callers(contestant, config) as processes:
                return await counted(sandbox, processes, PATIENCE_SECONDS / speed)


async def counted(sandbox: Rehearsal, processes: "Sequence[subprocess.Popen[bytes]]", seconds: float) -> dict[str, Any]:
    """Wait for enough calls. RuntimeError: a process ended by itself; TimeoutError: it takes too long."""
    with anyio.fail_after(seconds):
        while True:
            if any(each.poll() is not None for each in processes):
                raise RuntimeError("a process of the load ended by itself: its error is above")
            report: dict[str, Any] = await sandbox.control("GET", "counters")
            if report["calls_total"] >= CALLS:
                return report
            await anyio.sleep(LOOK_SECONDS)


@contextmanager
def callers(contestant: Contestant, config: Path) -> "Iterator[Sequence[subprocess.Popen[bytes]]]":
    """The processes of one contestant, ended with the block."""
    command = [sys.executable, "-m", "benchmarks.caller", contestant.how, str(config)]
    root = Path(__file__).parents[1]
    processes = [subprocess.Popen(command, cwd=root) for _ in range(contestant.processes)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(END_SECONDS)


def row(contestant: Contestant, report: dict[str, Any]) -> list[str]:
    """One contestant's line of the table."""
    codes, calls = report["codes"], report["calls_total"]
    allowed = 100 + 5 * (report["last_arrival"] - report["first_arrival"])
    return [
        contestant.label,
        f"{calls:,}",
        f"{report['largest_window']}",
        f"{report['most_in_flight']}",
        f"{codes.get('606', 0)}",
        f"{codes.get('615', 0)}",
        f"{codes.get('601', 0) + codes.get('602', 0)}",
        f"{report['tokens_issued']}",
        f"{calls / allowed:.1%}",
        f"{min(report['clients'].values()) / calls:.0%}",
    ]
