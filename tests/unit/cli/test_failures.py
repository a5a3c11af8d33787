"""Errors become sentences and exit codes."""

import errno
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from syncengine import errors
from syncengine.cli.failures import ended, exit_code, exit_code_named, that_matters
from syncengine.cli.running import Interrupted


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.StateUnusable("x"), 2),
        (errors.CredentialsRejected("x"), 3),
        (errors.PermissionDenied("x"), 3),
        (errors.QuotaExhausted("x", resume_at=datetime(2026, 3, 2, tzinfo=UTC)), 4),
        (errors.DestinationUnavailable("x"), 5),
        (errors.Unavailable("x"), 6),
        (errors.AlreadyRunning("x", holder="y"), 7),
        (errors.NoSpace("x"), 8),
        (OSError(errno.ENOSPC, "full"), 8),
        (errors.CallRejected("x"), 1),
        (errors.FileDamaged("x"), 1),
        (errors.IllegalMove("x"), 70),
        (ZeroDivisionError(), 70),
        (KeyboardInterrupt(), 130),
        (Interrupted("x"), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    """Each class of error ends with its documented code."""
    assert code == exit_code(error)


def test_every_error_that_leaves_the_engine_has_a_code() -> None:
    """A new class of error falls back to "done in part", never to "a bug"."""
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert {"IllegalMove"} == {each.__name__ for each in classes if exit_code_named(each.__name__) == 70}


def test_an_unknown_class_name_is_done_in_part() -> None:
    """A report of a later version still gives a code."""
    assert 1 == exit_code_named("FromTheFuture")


def test_groups_are_opened_to_what_matters() -> None:
    """What the engine says on purpose is told before what broke in its wake."""
    quota = errors.QuotaExhausted("spent", resume_at=datetime(2026, 3, 2, tzinfo=UTC))
    group = BaseExceptionGroup("a", [RuntimeError("wake"), ExceptionGroup("b", [errors.CallRejected("c"), quota])])
    assert quota is that_matters(group)


def test_an_interrupt_goes_before_all() -> None:
    """Ctrl-C during a fault is still Ctrl-C."""
    stop = Interrupted("later")
    assert stop is that_matters(BaseExceptionGroup("a", [errors.Unavailable("x"), stop]))


def test_what_happened_then_problems_then_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence, every problem, the advice; no traceback."""
    error = errors.ConfigError("a.toml has 1 problem", problems=("line 1: x is empty",), advice="Mend it.")
    assert 2 == ended(error)
    assert "syncengine: a.toml has 1 problem\n  line 1: x is empty\nMend it.\n" == capsys.readouterr().err


def test_text_from_outside_does_not_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a message are shown as question marks."""
    ended(errors.CallRejected("bad \x1b[31mred\x9b"))
    assert "syncengine: bad ?[31mred?\n" == capsys.readouterr().err


def test_programs_get_the_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, standard output holds one object with stable keys."""
    ended(errors.Unavailable("no answer", advice="Wait."), as_json=True)
    expected = {"type": "Unavailable", "message": "no answer", "problems": [], "advice": "Wait.", "exit_code": 6}
    assert {"error": expected} == orjson.loads(capsys.readouterr().out)


def open_nothing() -> None:
    raise errors.NoSpace("full")


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Those who mend us see where it came from."""
    with pytest.raises(errors.NoSpace) as caught:
        open_nothing()
    ended(caught.value, debug=True)
    assert "in open_nothing" in capsys.readouterr().err


def test_a_bug_is_told_in_a_sentence_and_its_traceback_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception shows no traceback; the file that holds it is private, and its message is not printed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert 70 == ended(ValueError("a row's value"))
    shown = capsys.readouterr().err
    (written,) = tmp_path.iterdir()
    assert "this is a bug in syncengine: ValueError." in shown
    assert str(written) in shown
    assert "a row's value" not in shown
    assert "ValueError: a row's value" in written.read_text()
    assert 0o600 == written.stat().st_mode & 0o777


def test_a_traceback_that_cannot_be_written_is_no_second_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk does not hide the first error."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert 70 == ended(ValueError("x"))
    assert "could not be written" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet() -> None:
    """`syncengine ... | head -0` complains about nothing."""
    script = (
        "import sys, time; from syncengine.cli.failures import ended\n"
        "try:\n    [print('x' * 1000) for _ in range(1000)]; sys.stdout.flush()\n"
        "except BaseException as error: sys.exit(ended(error))"
    )
    done = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout is not None
    assert done.stderr is not None
    done.stdout.close()
    assert b"" == done.stderr.read()
    done.stderr.close()
    assert 141 == done.wait(timeout=60)
