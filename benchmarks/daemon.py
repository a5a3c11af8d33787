"""Five nights of a real daemon at sixty times Marketo's pace, while ad hoc imports come and go: what the instance saw.

All processes are real and share one state folder. What the daemon holds after each night, memory and files, is the
kernel's count.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from syncengine.cli.screen import Screen, megabytes
from tests.end_to_end.processes import Sandbox, command, differences, sandbox, settle, write_config
from tests.end_to_end.test_daemon import daemon, ended, said, whole_nights, write_people

NIGHTS = 5
SPEED = 60.0
PEOPLE = 2_000
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 900.0
CONFIG = """
[schedule.nightly]
cron = "*/30 * * * *"
zone = "Europe/Berlin"
[import.inbox]
path = "inbox"
settle_seconds = 0.5
"""
OPTIONS = {"leads": 20_000, "activities": 60_000, "years": 0.2, "latency": (1, 20), "speed": SPEED}


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds: resident bytes, and open files."""

    resident_bytes: int
    files: int


def run(screen: Screen) -> None:
    """Run the nights, and print what each left and what the instance has seen in all."""
    with TemporaryDirectory(prefix="syncengine-bench-") as name:
        folder = Path(name)
        with sandbox(folder, **OPTIONS) as running:
            write_config(folder, running.base_url, SPEED, start="2026-08-01", more=CONFIG)
            began = monotonic()
            with daemon(folder) as process:
                held = list(nights(folder, process))
                code, _ = ended(process)
            took = monotonic() - began
            settle(running)
            command("sync", "--quiet", folder=folder)
            show(screen, folder, running, held, took=took, code=code)


def nights(folder: Path, process: subprocess.Popen[bytes]) -> Iterator[Held]:
    """What the daemon holds after each night; imports of people go in beside it, by command and by folder."""
    number, deadline = 0, monotonic() + PATIENCE_SECONDS
    for night in range(1, NIGHTS + 1):
        while whole_nights(folder) < night:
            if process.poll() is not None or monotonic() > deadline:
                raise RuntimeError("the daemon has not brought its nights")
            number += 1
            write_people(folder / "people.csv", PEOPLE, f"adhoc{number}.")
            command("import", "leads", "people.csv", "--quiet", folder=folder)
            with suppress(OSError):
                write_people(folder / "inbox" / f"dropped{number}.csv", PEOPLE // 10, f"dropped{number}.")
            time.sleep(LOOK_SECONDS)  # noqa: TID251  # a real process gives no other sign
        yield held_by(process.pid)


def held_by(pid: int) -> Held:
    """The kernel's count."""
    status = Path(f"/proc/{pid}/status").read_text()
    (resident,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return Held(int(resident) * 1_024, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def show(screen: Screen, folder: Path, running: Sandbox, held: list[Held], *, took: float, code: int) -> None:
    """A line a night, then what the server has counted over all processes."""
    ends = [each for each in said(folder, "run_ended") if each["kind"].startswith("night")][:NIGHTS]
    rows = [
        [
            f"{number}",
            each["outcome"],
            f"{each['seconds'] / 60:.0f} min",
            megabytes(holds.resident_bytes),
            f"{holds.files}",
        ]
        for number, (each, holds) in enumerate(zip(ends, held, strict=True), 1)
    ]
    screen.table(("night", "outcome", "of its clock", "memory", "files"), rows)
    counters = running.counters()
    refused = sum(count for name, count in counters["codes"].items() if name in {"606", "607", "615"})
    imported = sum(str(row["email"]).startswith(("adhoc", "dropped")) for row in running.truth("leads"))
    wrong = differences(running, folder / "warehouse.duckdb", "activities", "marketoGUID")
    screen.say(
        f"{counters['calls_total']:,} calls by all processes in {took:,.0f} s: {counters['largest_window']} in the "
        f"fullest window, {counters['most_in_flight']} in flight, {refused} refused; {imported:,} people imported "
        f"meanwhile; {len(wrong)} activities are not as Marketo has them; the daemon ended with {code}."
    )
