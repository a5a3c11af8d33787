"""A tree of marketing assets by real processes: what a first pull costs, a night without changes, and one with some.

Calls, the fullest window and the most in flight are the sandbox's own counts. At the default speed the machine and not
Marketo is the limit; `--speed 1` shows the pace at which Marketo lets it go.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.imports import Ran, ran
from syncengine.cli.screen import Screen, megabytes
from tests.end_to_end.processes import Sandbox, sandbox, write_config

SPEED = 60.0
CHURN = {"edit": 20, "move": 5, "rename": 5, "delete": 5}
LISTS = ("list", "by_name", "token")


def run(screen: Screen, *, speed: float = SPEED) -> None:
    """Pull, pull again, change some assets, compare, and pull once more; print a line for each."""
    with TemporaryDirectory(prefix="syncengine-bench-") as name:
        place = Path(name)
        with sandbox(place, leads=10, activities=0, programs=200, speed=speed) as running:
            write_config(place, running.base_url, speed)
            lines = [line("first pull", running, pulled(running, place))]
            before = stamps(place)
            lines.append(line("nothing changed", running, pulled(running, place)))
            if stamps(place) != before:
                raise RuntimeError("a pull without changes has touched a file")
            changed = running.control("change", {"asset_churn": CHURN, "seed": 1})["assets"]
            done = pulled(running, place)
            if len(done.told["changes"]) != len(changed):
                raise RuntimeError(f"{len(changed)} assets were changed, {len(done.told['changes'])} were named")
            lines.append(line(f"{len(changed)} changed", running, done))
    versions = sum(each["versions"] for each in done.told["kinds"])
    screen.say(f"A tree of {versions:,} versions of assets and folders, the sandbox's clock {speed:g} times fast:")
    headings = ("pull", "calls", "for lists", "for contents", "fullest window", "in flight", "606/615", "peak memory")
    screen.table((*headings, "wall"), lines)


def pulled(running: Sandbox, place: Path) -> Ran:
    """One pull, counted by the sandbox alone."""
    running.control("counters/reset", {})
    return ran(["assets", "pull", "tree"], place)


def line(label: str, running: Sandbox, done: Ran) -> list[str]:
    """What a pull cost."""
    counts: Counter[str] = Counter(done.told["calls_by_name"])
    lists = sum(number for name, number in counts.items() if name.endswith(LISTS))
    seen: dict[str, Any] = running.counters()
    refused = sum(seen["codes"].get(code, 0) for code in ("606", "615"))
    return [
        label,
        f"{counts.total():,}",
        f"{lists:,}",
        f"{counts.total() - lists:,}",
        f"{seen['largest_window']}",
        f"{seen['most_in_flight']}",
        f"{refused}",
        megabytes(done.peak_bytes),
        f"{done.seconds:.0f} s",
    ]


def stamps(place: Path) -> dict[str, int]:
    """When each file of the tree was last written."""
    return {str(path): path.stat().st_mtime_ns for path in (place / "tree").rglob("*") if path.is_file()}
