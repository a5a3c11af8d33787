"""`syncengine init`."""

from pathlib import Path

import pytest

from syncengine.cli.app import main


def test_a_private_file_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only its owner can read it, and the next step is named."""
    path = tmp_path / "acme.toml"
    assert 0 == main(["init", str(path)])
    assert 0o600 == path.stat().st_mode & 0o777
    assert f"syncengine check -c {path}" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that exists stays as it is."""
    path = tmp_path / "acme.toml"
    path.write_text("mine")
    assert 2 == main(["init", str(path)])
    assert "mine" == path.read_text()
    assert "exists already" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The operating system's reason, and what to do."""
    assert 2 == main(["init", str(tmp_path / "no" / "a.toml")])
    assert "No such file or directory" in capsys.readouterr().err


def test_the_default_is_what_the_other_verbs_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init` and then `check` need no option."""
    monkeypatch.chdir(tmp_path)
    assert 0 == main(["init"])
    assert (tmp_path / "syncengine.toml").is_file()
