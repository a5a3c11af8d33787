"""What a person sees of a run."""

import io
from datetime import UTC, datetime

import pytest

from syncengine.observe.events import (
    CallAnswered,
    CallSent,
    DownloadProgress,
    Event,
    JobMoved,
    Paused,
    Refused,
    RunEnded,
    StreamPlanned,
    WindowApplied,
)
from syncengine.observe.progress import Count, Lines, open_progress

EVENTS: tuple[Event, ...] = (
    StreamPlanned("leads", 2, 1),
    CallSent("leads.export.create"),
    CallSent("leads.export.list"),
    CallAnswered("leads.export.create", 200, 0.1),
    JobMoved("j1", "leads", "enqueued", "QUEUED"),
    JobMoved("j2", "leads", "enqueued", "QUEUED"),
    JobMoved("j1", "leads", "download", "DOWNLOADING"),
    DownloadProgress("j1", "leads", 500_000, 2_000_000),
    DownloadProgress("j1", "leads", 2_000_000, 2_000_000),
    WindowApplied("leads", "w1", 10, 5, 3, 2, 2_000_000, 0.5),
    JobMoved("j1", "leads", "cleaned", "CLEANED"),
)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_counts_follow_the_events() -> None:
    """Rows, moved rows, fetched bytes, windows under way and calls in flight add up."""
    count = Count()
    for event in EVENTS:
        count(event)
    leads = count.of("leads")
    assert (1, 2) == (leads.applied, leads.windows)
    assert "20 rows (15 new or changed), 2.0 MB" == leads.summary
    assert "1 at Marketo" == leads.underway
    assert (2, 1) == (count.calls, count.in_flight)


def test_a_pipe_gets_a_line_for_each_step() -> None:
    """A log or a mail from cron holds no bars, and nothing about single calls."""
    out = io.StringIO()
    show = Lines(out)
    for event in EVENTS:
        show(event)
    show(Refused("606", "leads.export.create", 1.0))
    show(Refused("606", "leads.export.create", 12.0))
    show(Paused("the day's calls are used up", datetime(2026, 3, 3, 6, 0, tzinfo=UTC)))
    assert [
        "leads: 2 windows to fetch, 1 of them left by an earlier run",
        "leads: 1 of 2 windows, 20 rows (15 new or changed), 2.0 MB",
        "leads.export.create was refused (606): waiting 12 s",
        "paused until 2026-03-03 06:00Z: the day's calls are used up",
    ] == out.getvalue().splitlines()


def test_a_terminal_gets_bars() -> None:
    """Each stream has a bar with its figures, and one line tells of the calls."""
    out = Terminal()
    with open_progress(out=out) as show:
        for event in (*EVENTS, StreamPlanned("activities", 0, 0), RunEnded("1", "sync", "done", 1.0)):
            show(event)
    assert "1/2 windows" in out.getvalue()
    assert "activities" in out.getvalue()
    assert "2 made, 1 in flight" in out.getvalue()


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_quiet_is_quiet(out: io.StringIO) -> None:
    """Nobody who asked for silence sees anything."""
    with open_progress(quiet=True, out=out) as show:
        for event in EVENTS:
            show(event)
    assert "" == out.getvalue()
