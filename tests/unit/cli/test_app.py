"""The program's door: verbs, help, versions, exit codes of usage."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.cli.app import main

VERBS = ("demo", "sandbox", "init", "check", "streams", "plan", "sync", "daemon", "status", "doctor")
HEAVY = ("aiohttp", "pydantic", "pyarrow", "duckdb", "structlog", "anyio", "syncengine.engine")


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """The first screen says what there is to do and what the exit codes mean."""
    assert 0 == main(["--help"])
    shown = capsys.readouterr().out
    assert [] == [verb for verb in (*VERBS, "import", "imports", "assets", "state") if f" {verb} " not in shown]
    assert "130 interrupted" in shown


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_shows_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of a verb ends no conversation: it holds a line to copy."""
    assert 0 == main([verb, "--help"])
    assert f"  syncengine {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["sync", "--help"], ["demo", "--help"], ["daemon", "--help"]]
)
def test_help_is_light(words: list[str]) -> None:
    """Help imports nothing that takes long to load."""
    script = (
        "import sys; from syncengine.cli.app import main; code = main(sys.argv[1:]); "
        f"print('loaded', [name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True, timeout=60
    )
    assert "loaded []" == done.stdout.splitlines()[-1]


def test_a_mistyped_verb_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    """Usage errors end with 2 and name the nearest verb."""
    assert 2 == main(["syn"])
    assert 'Did you mean "sync"?' in capsys.readouterr().err


def test_a_mistyped_option_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown option is never ignored."""
    assert 2 == main(["status", "--jsn"])
    assert "--jsn" in capsys.readouterr().err


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints one line."""
    assert 0 == main(["--version"])
    assert "0.1.0\n" == capsys.readouterr().out


@pytest.mark.usefixtures("open_umask")
def test_what_a_command_writes_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the shell allows: rows of people lie in the warehouse, the logs and the state."""
    assert 0 == main(["--version"])
    (tmp_path / "warehouse.duckdb").write_bytes(b"rows")
    (tmp_path / "state").mkdir()
    assert [0o700, 0o600] == [path.stat().st_mode & 0o777 for path in sorted(tmp_path.iterdir())]


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A process whose files everybody may read; afterwards it is as it was."""
    before = os.umask(0o000)
    yield
    os.umask(before)


def test_the_module_runs_too() -> None:
    """`python -m syncengine` is the same program, and its exit code is the process's."""
    done = subprocess.run(
        [sys.executable, "-m", "syncengine", "nonsense"], capture_output=True, check=False, timeout=60
    )
    assert 2 == done.returncode
