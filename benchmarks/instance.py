"""The sandbox itself: how soon it answers, and how much memory its people take."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from syncengine.cli.screen import Screen, megabytes

# People and activities: what a rehearsal has by default, and a large subscription.
SIZES = ((100_000, 300_000), (1_000_000, 3_000_000))
LOOK_SECONDS = 0.02
ANSWER_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Started:
    """A sandbox that answers, and how long it took to."""

    process: subprocess.Popen[bytes]
    facts: dict[str, Any]
    seconds: float

    def count(self, kind: str) -> int:
        """Read every row of a kind from the control path, and count them."""
        url = f"{self.facts['base_url']}/__sandbox__/truth/{kind}"
        request = urllib.request.Request(url, headers={"X-Sandbox-Key": self.facts["control_key"]})  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  # loopback
            return sum(1 for _ in answer)

    def peak_bytes(self) -> int:
        """The most memory that the process ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


def run(screen: Screen) -> None:
    """Start a sandbox of each size, read all that it has, and print what that took."""
    rows = []
    for leads, activities in SIZES:
        with started(leads, activities) as sandbox:
            counted = sandbox.count("leads")
            rows.append(
                [f"{counted:,}", f"{activities:,}", f"{sandbox.seconds:.1f} s", megabytes(sandbox.peak_bytes())]
            )
    screen.say("The sandbox: from its start to its first answer, and its peak memory after all leads were read.")
    screen.table(("leads", "activities", "start", "peak memory"), rows)


@contextmanager
def started(leads: int, activities: int) -> Iterator[Started]:
    """A sandbox of this size, ended with the block."""
    with TemporaryDirectory(prefix="syncengine-bench-") as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "syncengine", "sandbox", "--with-parent", f"--ready-file={ready}"]
        command += [f"--leads={leads}", f"--activities={activities}"]
        began = monotonic()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                while not ready.exists():
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(LOOK_SECONDS)
                        raise RuntimeError("the sandbox did not start: its error is above")
                yield Started(process, json.loads(ready.read_bytes()), monotonic() - began)
            finally:
                process.terminate()
