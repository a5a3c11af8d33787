"""What a person sees of an import: a bar of rows on a terminal, a plain line for each step otherwise.

Apart from `progress`, since an import has chunks and one target where a sync has windows and many streams.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from syncengine.observe.events import (
    CallAnswered,
    CallSent,
    ChunkMoved,
    ChunkProgress,
    Event,
    ImportPlanned,
    Paused,
    Refused,
    RowsRead,
    RunEnded,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WAIT_SECONDS_TOLD = 5.0
ROWS_READ_TOLD = 500_000
# The states of a chunk that are worth a word while they last, and those in which its rows are through.
WORDS = {"SENDING": "uploading", "ACCEPTED": "at Marketo", "AMBIGUOUS": "unanswered", "HELD": "held"}
THROUGH = frozenset({"DONE", "CONFIRMED", "UNRESOLVED", "REFUSED", "FAILED"})


@dataclass(slots=True)
class ImportCount:
    """How far an import is."""

    read: int = 0
    chunks: int = 0
    settled: int = 0
    rows: int = 0
    rows_through: int = 0
    calls: int = 0
    in_flight: int = 0
    states: dict[str, str] = field(default_factory=dict)
    processed: dict[str, int] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        match event:
            case RowsRead(rows):
                self.read = rows
            case ImportPlanned(_, chunks, settled, rows, rows_settled):
                self.chunks, self.settled, self.rows, self.rows_through = chunks, settled, rows, rows_settled
            case ChunkMoved(_, chunk_id, _, state, rows):
                self.states[chunk_id] = state
                if state in THROUGH:
                    self.settled += 1
                    self.rows_through += rows
                    self.processed.pop(chunk_id, None)
                elif state == "REPLACED":
                    self.chunks += 1
            case ChunkProgress(_, chunk_id, processed):
                self.processed[chunk_id] = processed
            case CallSent():
                self.calls += 1
                self.in_flight += 1
            case CallAnswered():
                self.in_flight = max(0, self.in_flight - 1)

    @property
    def underway(self) -> str:
        """How many chunks are in each state of work."""
        counts = Counter(WORDS[state] for state in self.states.values() if state in WORDS)
        return ", ".join(f"{counts[word]} {word}" for word in WORDS.values() if counts[word])


class ImportProgress(Protocol):
    """Something that shows progress, and gets out of the way for others who have something to say."""

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        ...

    def suspended(self) -> AbstractContextManager[None]:
        """Show nothing while the block prints."""
        ...


class NoProgress:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        """Take in an event."""

    def suspended(self) -> AbstractContextManager[None]:
        """There is nothing to suspend."""
        return nullcontext()


class ImportLines:
    """A line for each step that a person would want to read in a mail from cron."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._count = ImportCount()
        self._told = 0

    def __call__(self, event: Event) -> None:
        self._count(event)
        count = self._count
        match event:
            case RowsRead(rows) if rows - self._told >= ROWS_READ_TOLD:
                self._told = rows
                self._say(f"{rows:,} rows read")
            case ImportPlanned(run_id, chunks, settled):
                left = f", {settled} of them settled by an earlier run" if settled else ""
                self._say(f"run {run_id}: {chunks:,} {'chunk' if chunks == 1 else 'chunks'} to send{left}")
            case ChunkMoved(_, chunk_id, _, "AMBIGUOUS"):
                self._say(f"{chunk_id} was sent and not answered: it is not sent again before that is cleared up")
            case ChunkMoved(_, _, _, state) if state in THROUGH:
                self._say(f"{count.settled:,} of {count.chunks:,} chunks settled, {count.rows_through:,} rows")
            case Refused(code, name, wait_seconds) if wait_seconds >= WAIT_SECONDS_TOLD:
                self._say(f"{name} was refused ({code}): waiting {wait_seconds:.0f} s")
            case Paused(reason, until):
                self._say(f"waiting until {until:%Y-%m-%d %H:%MZ}: {reason}")

    def suspended(self) -> AbstractContextManager[None]:
        """Lines are in nobody's way."""
        return nullcontext()

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class ImportBars:
    """A bar of rows read, one of rows settled, a live line of calls. `open_display` makes a display to begin anew."""

    def __init__(self, open_display: "Callable[[], Progress]") -> None:
        self._open = open_display
        self._count = ImportCount()
        self._begin()

    def _begin(self) -> None:
        self._display = self._open()
        self._read: TaskID | None = None
        self._settled: TaskID | None = None
        self._calls = self._display.add_task("calls", total=None, figures="", underway="")
        self._display.start()

    def stop(self) -> None:
        """Leave the bars as they stand."""
        self._display.stop()

    def __call__(self, event: Event) -> None:
        self._count(event)
        count = self._count
        match event:
            case CallSent() | CallAnswered():
                figures = f"{count.calls:,} made, {count.in_flight} in flight"
                self._display.update(self._calls, figures=figures)
            case RowsRead(rows):
                if self._read is None:
                    self._read = self._display.add_task("read", total=None, figures="", underway="")
                self._display.update(self._read, figures=f"{rows:,} rows checked")
            case ImportPlanned():
                if self._read is not None:
                    self._display.remove_task(self._read)
                self._settled = self._display.add_task("import", total=count.rows or 1, figures="", underway="")
                self._show()
            case ChunkMoved() | ChunkProgress():
                self._show()
            case Refused(code, name, wait_seconds) if wait_seconds >= WAIT_SECONDS_TOLD:
                self._display.console.print(f"{name} was refused ({code}): waiting {wait_seconds:.0f} s")
            case Paused(reason, until):
                self._display.console.print(f"waiting until {until:%Y-%m-%d %H:%MZ}: {reason}")
            case RunEnded():
                self._display.update(self._calls, total=1, completed=1)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Leave the bars as they stand while the block prints, and begin new ones below it."""
        self.stop()
        try:
            yield
        finally:
            self._begin()

    def _show(self) -> None:
        if self._settled is None:
            return
        count = self._count
        self._display.update(
            self._settled,
            completed=count.rows_through + sum(count.processed.values()),
            figures=f"{count.settled:,}/{count.chunks:,} chunks, {count.rows_through:,} of {count.rows:,} rows",
            underway=count.underway,
        )


@contextmanager
def open_import_progress(*, quiet: bool = False, out: TextIO | None = None) -> Iterator[ImportProgress]:
    """Something that shows progress on `out` (standard error) in the way that fits it, or not at all."""
    target = out or sys.stderr
    if quiet:
        yield NoProgress()
        return
    if not target.isatty():
        yield ImportLines(target)
        return
    from syncengine.observe.progress import bars_on

    bars = ImportBars(lambda: bars_on(target))
    try:
        yield bars
    finally:
        bars.stop()
