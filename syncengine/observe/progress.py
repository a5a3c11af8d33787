"""What a person sees of a run: bars on a terminal, a plain line for each step otherwise. Both write to standard error.

The counting is one plain class, so that both show the same figures.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from syncengine.observe.events import (
    AssetFetched,
    AssetsListed,
    CallAnswered,
    CallSent,
    DownloadProgress,
    Event,
    JobMoved,
    Observer,
    Paused,
    Refused,
    RunEnded,
    StreamPlanned,
    WindowApplied,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# A shorter wait is not worth a line; the log has it.
WAIT_SECONDS_TOLD = 5.0
MEGABYTE = 1_000_000
# The states of a window that are worth a word while they last.
WORDS = {"CREATED": "at Marketo", "QUEUED": "at Marketo", "DOWNLOADING": "fetching", "VERIFIED": "loading"}


@dataclass(slots=True)
class StreamCount:
    """How far one stream is; `fetched` holds the bytes so far of each job's file."""

    windows: int = 0
    applied: int = 0
    rows: int = 0
    moved: int = 0
    states: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, int] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """Rows, and megabytes that were fetched for them."""
        size = sum(self.fetched.values())
        return f"{self.rows:,} rows ({self.moved:,} new or changed), {size / MEGABYTE:,.1f} MB"

    @property
    def underway(self) -> str:
        """How many windows are in each state of work."""
        counts = Counter(WORDS[state] for state in self.states.values() if state in WORDS)
        return ", ".join(f"{counts[word]} {word}" for word in dict.fromkeys(WORDS.values()) if counts[word])


@dataclass(slots=True)
class AssetCount:
    """How far the assets are: versions by kind that are listed, and those to be fetched that are not yet."""

    listed: dict[str, int] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    due: int = 0

    @property
    def fetched(self) -> int:
        """How many versions have been fetched."""
        return self.due - self.left.total()

    @property
    def summary(self) -> str:
        """Both in words."""
        return f"{self.fetched:,}/{self.due:,} fetched, {sum(self.listed.values()):,} listed"


class Count:
    """All streams, assets and calls of a run, counted from its events."""

    def __init__(self) -> None:
        self.streams: dict[str, StreamCount] = {}
        self.assets = AssetCount()
        self.calls = 0
        self.in_flight = 0

    def __call__(self, event: Event) -> None:
        match event:
            case CallSent():
                self.calls += 1
                self.in_flight += 1
            case CallAnswered():
                self.in_flight = max(0, self.in_flight - 1)
            case StreamPlanned(stream, windows):
                self.of(stream).windows = windows
            case JobMoved(job_id, stream, _, state):
                self.of(stream).states[job_id] = state
            case DownloadProgress(job_id, stream, done_bytes):
                self.of(stream).fetched[job_id] = done_bytes
            case WindowApplied():
                self._applied(event)
            case AssetsListed(kind, versions, due):
                self.assets.listed[kind], self.assets.left[kind] = versions, due
                self.assets.due += due
            case AssetFetched(kind):
                self.assets.left[kind] -= 1

    def of(self, stream: str) -> StreamCount:
        """One stream's count."""
        return self.streams.setdefault(stream, StreamCount())

    def _applied(self, event: WindowApplied) -> None:
        count = self.of(event.stream)
        count.applied += 1
        count.rows += event.inserted + event.changed + event.unchanged + event.outdated
        count.moved += event.inserted + event.changed


class Lines:
    """A line for each step that a person would want to read in a mail from cron."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._count = Count()

    def __call__(self, event: Event) -> None:
        self._count(event)
        match event:
            case StreamPlanned(stream, windows, resumed):
                left = f", {resumed} of them left by an earlier run" if resumed else ""
                self._say(f"{stream}: {windows} {'window' if windows == 1 else 'windows'} to fetch{left}")
            case WindowApplied(stream):
                count = self._count.of(stream)
                self._say(f"{stream}: {count.applied} of {count.windows} windows, {count.summary}")
            case AssetsListed(kind, versions, due):
                self._say(f"{kind}: {versions:,} listed, {due:,} to fetch")
            case AssetFetched(kind) if not self._count.assets.left[kind]:
                self._say(f"{kind}: fetched")
            case Refused(code, name, wait_seconds) if wait_seconds >= WAIT_SECONDS_TOLD:
                self._say(f"{name} was refused ({code}): waiting {wait_seconds:.0f} s")
            case Paused(reason, until):
                self._say(f"paused until {until:%Y-%m-%d %H:%MZ}: {reason}")

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class Bars:
    """A bar a stream and a live line of calls; `open_progress` starts and stops the display."""

    def __init__(self, display: "Progress") -> None:
        self._display = display
        self._count = Count()
        self._bars: dict[str, TaskID] = {}
        self._calls = display.add_task("calls", total=None, figures="", underway="")

    def __call__(self, event: Event) -> None:
        self._count(event)
        match event:
            case CallSent() | CallAnswered():
                figures = f"{self._count.calls:,} made, {self._count.in_flight} in flight"
                self._display.update(self._calls, figures=figures)
            case StreamPlanned(stream) | JobMoved(_, stream) | DownloadProgress(_, stream) | WindowApplied(stream):
                self._show(stream)
            case AssetsListed() | AssetFetched():
                self._show_assets()
            case Refused(code, name, wait_seconds) if wait_seconds >= WAIT_SECONDS_TOLD:
                self._display.console.print(f"{name} was refused ({code}): waiting {wait_seconds:.0f} s")
            case Paused(reason, until):
                self._display.console.print(f"paused until {until:%Y-%m-%d %H:%MZ}: {reason}")
            case RunEnded():
                self._display.update(self._calls, total=1, completed=1)

    def _show(self, stream: str) -> None:
        count = self._count.of(stream)
        if stream not in self._bars:
            self._bars[stream] = self._display.add_task(stream, figures="", underway="")
        self._display.update(
            self._bars[stream],
            total=count.windows or 1,
            # A stream without windows has nothing to do: its bar is full.
            completed=count.applied if count.windows else 1,
            figures=f"{count.applied}/{count.windows} windows, {count.summary}",
            underway=count.underway,
        )

    def _show_assets(self) -> None:
        assets = self._count.assets
        if "assets" not in self._bars:
            self._bars["assets"] = self._display.add_task("assets", figures="", underway="")
        completed = assets.fetched if assets.due else 1
        self._display.update(self._bars["assets"], total=assets.due or 1, completed=completed, figures=assets.summary)


@contextmanager
def open_progress(*, quiet: bool = False, out: TextIO | None = None) -> Iterator[Observer]:
    """An observer that shows progress on `out` (standard error) in the way that fits it, or not at all."""
    target = out or sys.stderr
    if quiet:
        yield lambda _: None
        return
    if not target.isatty():
        yield Lines(target)
        return
    with bars_on(target) as display:
        yield Bars(display)


def bars_on(target: TextIO) -> "Progress":
    """A display of bars; a task has the fields `figures` and `underway`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<12}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[figures]}", markup=False),
        TextColumn("{task.fields[underway]}", style="dim", markup=False),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(file=target), refresh_per_second=4)
