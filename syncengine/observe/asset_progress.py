"""What a person sees of a pull of assets: one bar on a terminal, a line a kind otherwise; on standard error."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from syncengine.observe.events import AssetFetched, AssetsListed, CallAnswered, CallSent, Event, Observer, Refused
from syncengine.observe.progress import WAIT_SECONDS_TOLD, bars_on

if TYPE_CHECKING:
    from rich.progress import Progress


class Lines:
    """A line for each kind whose lists have been read, and one when all of it is fetched."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._left: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        match event:
            case AssetsListed(kind, versions, due):
                self._left[kind] = due
                self._say(f"{kind}: {versions:,} listed, {due:,} to fetch")
            case AssetFetched(kind):
                self._left[kind] -= 1
                if self._left[kind] == 0:
                    self._say(f"{kind}: fetched")
            case Refused(code, name, wait_seconds) if wait_seconds >= WAIT_SECONDS_TOLD:
                self._say(f"{name} was refused ({code}): waiting {wait_seconds:.0f} s")

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class Bars:
    """One bar for all contents that are to be fetched, and a live line of calls."""

    def __init__(self, display: "Progress") -> None:
        self._display = display
        self._listed: dict[str, int] = {}
        self._due = self._fetched = self._calls = self._in_flight = 0
        self._row = display.add_task("calls", total=None, figures="", underway="")
        self._bar = display.add_task("assets", total=None, figures="", underway="")

    def __call__(self, event: Event) -> None:
        match event:
            case CallSent():
                self._calls += 1
                self._in_flight += 1
            case CallAnswered():
                self._in_flight = max(0, self._in_flight - 1)
            case AssetsListed(kind, versions, due):
                self._listed[kind] = versions
                self._due += due
            case AssetFetched():
                self._fetched += 1
            case Refused(code, name, wait_seconds) if wait_seconds >= WAIT_SECONDS_TOLD:
                self._display.console.print(f"{name} was refused ({code}): waiting {wait_seconds:.0f} s")
            case _:
                return
        self._display.update(self._row, figures=f"{self._calls:,} made, {self._in_flight} in flight")
        figures = f"{self._fetched:,}/{self._due:,} fetched, {sum(self._listed.values()):,} listed"
        self._display.update(self._bar, total=self._due or None, completed=self._fetched, figures=figures)


@contextmanager
def open_asset_progress(*, quiet: bool = False, out: TextIO | None = None) -> Iterator[Observer]:
    """An observer that shows progress on `out` (standard error) in the way that fits it, or not at all."""
    target = out or sys.stderr
    if quiet:
        yield lambda _: None
    elif not target.isatty():
        yield Lines(target)
    else:
        with bars_on(target) as display:
            yield Bars(display)
