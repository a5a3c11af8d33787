"""Events as JSON lines."""

import io
import typing
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.errors import ConfigError
from syncengine.observe.events import CallSent, Event, JobMoved, Refused, RunEnded, RunStarted, Trouble
from syncengine.observe.logs import EventLog, event_name, open_log

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def now() -> datetime:
    return AT


def lines_of(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_object() -> None:
    """Instant, name, level and the event's own facts; a job's event is called its move."""
    stream = io.BytesIO()
    EventLog(stream, now)(JobMoved("j1", "leads", "enqueued", "QUEUED"))
    expected = {
        "at": "2026-03-02T08:00:00Z",
        "event": "job_moved",
        "level": "info",
        "job_id": "j1",
        "stream": "leads",
        "move": "enqueued",
        "state": "QUEUED",
    }
    assert [expected] == lines_of(stream)


def test_an_event_is_written_with_what_else_is_known() -> None:
    """Of which instance it is, say; what the event says of itself goes before."""
    stream = io.BytesIO()
    log = EventLog(stream, now)
    log.write(RunStarted("1", "sync"), instance="acme")
    log.write(Trouble("emea", "nightly", "away"), instance="acme")
    log.write(CallSent("leads.describe"), instance="acme")
    assert [("acme", "run_started", "info"), ("emea", "trouble", "warning")] == [
        (line["instance"], line["event"], line["level"]) for line in lines_of(stream)
    ]


def test_single_calls_are_for_debug() -> None:
    """A normal night does not log its thousands of calls."""
    quiet, loud = io.BytesIO(), io.BytesIO()
    for log in (EventLog(quiet, now), EventLog(loud, now, debug=True)):
        log(CallSent("leads.describe"))
        log(Refused("606", "leads.describe", 3.0))
    assert ["refused"] == [line["event"] for line in lines_of(quiet)]
    assert ["call_sent", "refused"] == [line["event"] for line in lines_of(loud)]


def test_every_event_has_a_line() -> None:
    """No kind of event breaks the log, whatever its fields are called."""
    kinds: tuple[type, ...] = typing.get_args(Event)
    stream = io.BytesIO()
    log = EventLog(stream, now, debug=True)
    for kind in kinds:
        log(kind(*("x" for _ in fields(kind))))
    assert len(kinds) == len(lines_of(stream))
    assert "window_applied" in {line["event"] for line in lines_of(stream)}


def test_names_are_snake_case() -> None:
    """Log lines are searched by name."""
    assert "run_started" == event_name(RunStarted("1", "sync"))


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    """Last night's lines stay, and each line is there as soon as it is written."""
    path = tmp_path / "sync.jsonl"
    for number in (1, 2):
        with open_log(path, now) as log:
            log(RunEnded(str(number), "sync", "done", 1.0))
            assert number == len(path.read_bytes().splitlines())


def test_a_file_that_cannot_be_written_is_refused_before_work(tmp_path: Path) -> None:
    """A wrong path is told at once, with the option's name."""
    with pytest.raises(ConfigError) as caught, open_log(tmp_path / "no" / "where", now):
        pytest.fail("opened")
    assert "--log" in caught.value.advice


def test_without_a_path_nothing_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """The default is silence; - is standard error."""
    with open_log(None, now) as log:
        log(RunStarted("1", "sync"))
    assert ("", "") == capfd.readouterr()
    with open_log(Path("-"), now) as log:
        log(RunStarted("1", "sync"))
    assert '"event":"run_started"' in capfd.readouterr().err
