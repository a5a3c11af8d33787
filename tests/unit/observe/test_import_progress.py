"""What a person sees of an import."""

import io
import re
from datetime import UTC, datetime

import pytest

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
from syncengine.observe.import_progress import ROWS_READ_TOLD, ImportCount, ImportLines, open_import_progress


def moved(chunk: str, state: str, rows: int = 100) -> ChunkMoved:
    return ChunkMoved("r-1", chunk, "event", state, rows)


EVENTS: tuple[Event, ...] = (
    RowsRead(1_000),
    ImportPlanned("r-1", 4, 0, 400),
    CallSent("leads.import.create"),
    CallSent("leads.import.create"),
    CallAnswered("leads.import.create", 200, 0.1),
    moved("c1", "SENDING"),
    moved("c1", "ACCEPTED"),
    moved("c2", "SENDING"),
    ChunkProgress("r-1", "c1", 40),
    moved("c3", "SENDING"),
    moved("c3", "AMBIGUOUS"),
    moved("c1", "COMPLETE"),
    moved("c1", "DONE"),
    moved("c2", "ACCEPTED"),
    ChunkProgress("r-1", "c2", 30),
)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def counted(*events: Event) -> ImportCount:
    count = ImportCount()
    for event in events:
        count(event)
    return count


def test_counts_follow_the_events() -> None:
    """Rows read, chunks and rows that are through, what is under way, calls in flight."""
    count = counted(*EVENTS)
    assert (1_000, 4, 1, 400, 100) == (count.read, count.chunks, count.settled, count.rows, count.rows_through)
    assert ("1 at Marketo, 1 unanswered", {"c2": 30}) == (count.underway, count.processed)
    assert (2, 1) == (count.calls, count.in_flight)


@pytest.mark.parametrize("state", ["DONE", "CONFIRMED", "UNRESOLVED", "REFUSED", "FAILED"])
def test_every_end_of_a_chunk_is_through(state: str) -> None:
    """Whatever became of its rows."""
    count = counted(ImportPlanned("r-1", 2, 0, 150), moved("c1", state, 100))
    assert (1, 100) == (count.settled, count.rows_through)


def test_a_chunk_that_is_cut_in_two_makes_one_more() -> None:
    """The two halves take its place."""
    count = counted(ImportPlanned("r-1", 2, 0, 200), moved("c1", "REPLACED"), moved("c1a", "DONE", 50))
    assert (3, 1, 50) == (count.chunks, count.settled, count.rows_through)


def test_what_an_earlier_process_settled_counts() -> None:
    """A run that is resumed begins where it stands, and comes to its end."""
    count = counted(ImportPlanned("r-1", 3, 2, 300, 200), moved("c3", "DONE"))
    assert (3, 300, 300) == (count.settled, count.rows_through, count.rows)


def lines(*events: Event) -> list[str]:
    out = io.StringIO()
    show = ImportLines(out)
    for event in events:
        show(event)
    return out.getvalue().splitlines()


def test_a_pipe_gets_a_line_for_each_step() -> None:
    """A log or a mail from cron holds no bars, and nothing about single calls."""
    until = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    assert [
        "run r-1: 4 chunks to send",
        "c3 was sent and not answered: it is not sent again before that is cleared up",
        "1 of 4 chunks settled, 100 rows",
        "leads.import.create was refused (606): waiting 12 s",
        "waiting until 2026-03-03 06:00Z: Marketo's queue of imports is full",
    ] == lines(
        *EVENTS,
        Refused("606", "leads.import.create", 1.0),
        Refused("606", "leads.import.create", 12.0),
        Paused("Marketo's queue of imports is full", until),
    )


def test_a_resumed_run_says_what_is_left() -> None:
    """And one chunk is one chunk."""
    assert ["run r-1: 3 chunks to send, 2 of them settled by an earlier run"] == lines(
        ImportPlanned("r-1", 3, 2, 300, 200)
    )
    assert ["run r-1: 1 chunk to send"] == lines(ImportPlanned("r-1", 1, 0, 5))


def test_reading_is_told_now_and_then() -> None:
    """Each half a million rows, not each piece."""
    told = lines(*(RowsRead(rows) for rows in range(0, 3 * ROWS_READ_TOLD + 1, 50_000)))
    assert [f"{count * ROWS_READ_TOLD:,} rows read" for count in (1, 2, 3)] == told


def test_a_terminal_gets_bars() -> None:
    """One of rows with its figures, and one line tells of the calls."""
    out = Terminal()
    with open_import_progress(out=out) as show:
        for event in (
            *EVENTS,
            Paused("full", datetime(2026, 3, 3, tzinfo=UTC)),
            RunEnded("r-1", "import", "done", 1.0),
        ):
            show(event)
    shown = out.getvalue()
    assert "1/4 chunks, 100 of 400 rows" in shown
    assert "1 at Marketo, 1 unanswered" in shown
    assert "2 made, 1 in flight" in shown
    assert "waiting until 2026-03-03 00:00Z: full" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)


def test_a_terminal_shows_what_is_read_before_there_is_a_plan() -> None:
    """Chunks that move before it are nobody's."""
    out = Terminal()
    with open_import_progress(out=out) as show:
        show(RowsRead(1_000))
        show(moved("c1", "DONE"))
    assert "1,000 rows checked" in out.getvalue()
    assert "chunks" not in out.getvalue()


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_what_is_printed_in_between_stands_alone(out: io.StringIO) -> None:
    """Progress goes on below it."""
    with open_import_progress(out=out) as show:
        for event in EVENTS[:2]:
            show(event)
        with show.suspended():
            before = out.getvalue()
            out.write("a plan\n")
            assert f"{before}a plan\n" == out.getvalue()
        for event in EVENTS[1:]:
            show(event)
    assert "1 of 4 chunks" in out.getvalue() or "1/4 chunks" in out.getvalue()


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_quiet_is_quiet(out: io.StringIO) -> None:
    """Nobody who asked for silence sees anything."""
    with open_import_progress(quiet=True, out=out) as show:
        for event in EVENTS:
            show(event)
        with show.suspended():
            pass
    assert "" == out.getvalue()
