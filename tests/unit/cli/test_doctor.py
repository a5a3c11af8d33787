"""`syncengine doctor`: one private file, whatever is broken."""

from pathlib import Path

import orjson

from tests.unit.cli.live import Shell


def test_a_report_is_written_and_told(shell: Shell) -> None:
    """Marketo is asked, the file is private, and people are told to look at it."""
    code, out = shell.run("doctor")
    (path,) = shell.folder.glob("syncengine-doctor-*.json")
    assert (0, 0o600) == (code, path.stat().st_mode & 0o777)
    assert f"Nothing looks wrong. Everything is in {path.name}." == out.splitlines()[0]
    assert "look at it before you give it away" in out
    marketo = orjson.loads(path.read_bytes())["instances"]["acme"]["marketo"]
    assert {"calls_today", "users_today", "skew_seconds"} == marketo.keys()
    assert not (shell.folder / "state").exists()


def test_a_broken_configuration_ends_with_0_and_a_file(shell: Shell) -> None:
    """It is what a report is for."""
    (shell.folder / "syncengine.toml").write_text("[instance\n")
    code, value = shell.as_json("doctor", "--offline", "-o", "bug.json")
    assert (0, "bug.json") == (code, value["file"])
    assert "the configuration cannot be read" in value["problems"][0]
    assert "not valid TOML" in value["problems"][1]
    assert "- the configuration cannot be read" in shell.told


def test_a_file_that_cannot_be_written_ends_with_2(shell: Shell) -> None:
    """One that is there already is left as it is."""
    precious = Path("bug.json")
    precious.write_text("precious")
    assert 2 == shell.run("doctor", "--offline", "-o", "bug.json")[0]
    assert "precious" == precious.read_text()
    assert 2 == shell.run("doctor", "--offline", "-o", "nowhere/bug.json")[0]


def test_offline_asks_nobody(shell: Shell) -> None:
    """The section is not there."""
    assert 0 == shell.run("doctor", "--offline", "-o", "bug.json")[0]
    assert "marketo" not in orjson.loads(Path("bug.json").read_bytes())["instances"]["acme"]


def test_help_shows_an_example(shell: Shell) -> None:
    """A line to copy."""
    code, out = shell.run("doctor", "--help")
    assert (0, True, True) == (code, "  syncengine doctor --offline" in out, "--offline" in out)
