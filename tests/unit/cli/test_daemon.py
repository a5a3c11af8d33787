"""`syncengine daemon`: what is due when, and what it refuses before any network."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from syncengine.cli.app import main
from syncengine.cli.daemon import TIMES_SHOWN, show_times
from syncengine.cli.screen import Screen
from syncengine.config import parse_all

HEAD = """\
[instances.acme]
base_url = "https://123-ABC-456.mktorest.com"
client_id = "id"
client_secret = "canary-secret"
[instances.emea]
base_url = "https://123-ABC-457.mktorest.com"
client_id = "id"
client_secret = "canary-secret"
destination = { path = "emea.duckdb" }
[sync]
start = 2026-01-01
"""
NIGHTLY = '[schedule.nightly]\ncron = "30 2 * * *"\nzone = "Europe/Berlin"\njitter_minutes = 10\n'
FILES = '[schedule.files]\ncron = "0 20 * * *"\nimports = ["inbox"]\n'
INBOX = '[import.inbox]\npath = "inbox"\ninstance = "acme"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs."""
    monkeypatch.delenv("SYNCENGINE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, *parts: str) -> None:
    path = folder / "nightly.toml"
    path.write_text(HEAD + "".join(parts))
    path.chmod(0o600)


def test_the_next_times_are_shown_by_both_clocks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three of each group, in its zone and in UTC, with what jitter may add, and the folders; nothing is opened."""
    written(folder, NIGHTLY, FILES, INBOX)
    assert 0 == main(["daemon", "-c", "nightly.toml", "--when"])
    lines = capsys.readouterr().out.splitlines()
    assert ["group", "due", "UTC", "later", "by", "at", "most"] == lines[1].split()
    assert 3 == sum(line.startswith("nightly") and " 02:30 Europe/Berlin " in line for line in lines)
    assert 3 == sum(line.startswith("files") and " 20:00 UTC " in line for line in lines)
    assert 3 == sum(line.endswith("10 min") for line in lines)
    assert f"Watched folder inbox: {folder / 'inbox'}" == lines[-1]
    assert ["nightly.toml"] == [path.name for path in folder.iterdir()]


def test_programs_get_the_same_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Instants in UTC, the soonest first; words for people go elsewhere."""
    written(folder, NIGHTLY, FILES, INBOX)
    assert 0 == main(["daemon", "-c", "nightly.toml", "--when", "--json"])
    out, told = capsys.readouterr()
    facts = orjson.loads(out)
    assert ["nightly"] * TIMES_SHOWN + ["files"] * TIMES_SHOWN == [each["group"] for each in facts]
    assert {"group", "due", "zone", "jitter_minutes"} == set(facts[0])
    dues = [datetime.fromisoformat(each["due"]) for each in facts[:TIMES_SHOWN]]
    now = datetime.now(UTC)  # noqa: TID251  # the command asks the machine's clock too
    assert now - timedelta(minutes=5) < dues[0] < now + timedelta(hours=26)
    assert sorted(dues) == dues
    assert "Watched folder inbox: " in told


def test_where_nothing_is_scheduled_it_says_how_to() -> None:
    """A line to copy, in place of an empty table."""
    out = io.StringIO()
    assert 0 == show_times(Screen(out=out), parse_all(HEAD, path=Path("nightly.toml")))
    assert 'Nothing is scheduled: add [schedule.nightly] with cron = "30 2 * * *".\n' == out.getvalue()


def test_a_daemon_without_work_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before any network, and nothing is left on disk."""
    written(folder)
    assert 2 == main(["daemon", "-c", "nightly.toml"])
    told = capsys.readouterr().err
    assert "has nothing for a daemon to do" in told
    assert "[schedule.nightly]" in told
    assert ["nightly.toml"] == [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[schedule.nightly]\ncron = "every night"\n', ("cron",)),
        ('[schedule.nightly]\ncron = "30 2 * * *"\nzone = "Europe/Nowhere"\n', ("schedule.nightly.zone",)),
        ('[schedule.nightly]\ncron = "30 2 * * *"\nimports = ["inbox"]\n', ("inbox", "unknown watched folder")),
        ('[schedule.nightly]\ncron = "30 2 * * *"\ninstances = ["apac"]\n', ("apac", "unknown instance")),
        ('[schedule.nightly]\ncron = "30 2 * * *"\nstreams = ["opportunities"]\n', ("opportunities", "not brought")),
        ('[schedule.nightly]\ncron = "0 0 30 2 *"\n', ("cron",)),
        ('[service]\nlisten = "0.0.0.0:8642"\n', ("token", "others can reach")),
    ],
)
@pytest.mark.parametrize("more", [[], ["--when"]])
def test_a_bad_configuration_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, words: tuple[str, ...], more: list[str]
) -> None:
    """With what is wrong where; no traceback, exit code 2, nothing on disk."""
    written(folder, text)
    assert 2 == main(["daemon", "-c", "nightly.toml", *more])
    told = capsys.readouterr().err
    assert [] == [word for word in words if word not in told]
    assert "Traceback" not in told
    assert "canary" not in told
    assert ["nightly.toml"] == [path.name for path in folder.iterdir()]


def test_a_log_that_cannot_be_written_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the state folder is made."""
    written(folder, NIGHTLY)
    assert 2 == main(["daemon", "-c", "nightly.toml", "--log", "no/such/place.jsonl"])
    assert "cannot be written" in capsys.readouterr().err
    assert ["nightly.toml"] == [path.name for path in folder.iterdir()]
