"""Tables, figures and JSON."""

import io
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from syncengine.cli.screen import Screen, clean, instant, json_line, megabytes, span
from syncengine.reports import CheckItem


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_plain_columns() -> None:
    """Figures are set right, words left, and nothing is drawn."""
    out = io.StringIO()
    Screen(out=out).table(("stream", "rows"), (("leads", "1,000"), ("activities", "5")), title="Streams")
    assert "Streams\nstream       rows\nleads       1,000\nactivities      5\n" == out.getvalue()


def test_a_terminal_gets_a_table() -> None:
    """The same cells, drawn; markup in a cell is text."""
    out = Terminal()
    Screen(out=out).table(("stream", "rows"), (("[bold]leads", "1,000"),))
    assert "[bold]leads" in out.getvalue()
    assert "─" in out.getvalue()


def test_a_program_gets_json_and_no_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json standard output holds the value alone; what is said goes to standard error."""
    out = io.StringIO()
    screen = Screen(as_json=True, out=out)
    screen.table(("a",), (("1",),))
    screen.say("hello")
    screen.result({"items": (CheckItem("a", ok=True, detail="b"),), "at": datetime(2026, 3, 2, tzinfo=UTC)})
    expected = {
        "items": [{"name": "a", "ok": True, "detail": "b", "advice": "", "error": ""}],
        "at": "2026-03-02T00:00:00Z",
    }
    assert expected == orjson.loads(out.getvalue())
    assert "hello\n" == capsys.readouterr().err


def test_without_json_there_is_no_result() -> None:
    """People get the tables only."""
    out = io.StringIO()
    Screen(out=out).result({"a": 1})
    assert "" == out.getvalue()


def test_control_characters_are_shown_not_obeyed() -> None:
    """Line breaks and tabs stay, everything else that drives a terminal goes."""
    assert "a\tb\nc??d?" == clean("a\tb\nc\x1b\x07d\x9b")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "?"),
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "2 h 00 min"),
        (86_400, "24 h 00 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_spans_are_as_precise_as_they_are_useful(seconds: float | None, text: str) -> None:
    """Seconds, minutes, hours, days."""
    assert text == span(seconds)


def test_sizes_and_instants() -> None:
    """Decimal megabytes; UTC to the minute."""
    assert ("1.5 MB", "?") == (megabytes(1_500_000), megabytes(None))
    at = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    assert ("2026-03-02 08:30Z", "-") == (instant(at), instant(None))


def test_json_is_one_line() -> None:
    """Programs read line by line."""
    assert '{"a":"x\\ny"}\n' == json_line({"a": "x\ny"})
