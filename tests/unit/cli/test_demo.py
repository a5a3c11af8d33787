"""`syncengine demo` and `syncengine sandbox`, with real processes."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import orjson
import pytest

from syncengine.cli.app import main
from syncengine.cli.rehearsal import rehearsal
from syncengine.config import load
from syncengine.errors import SyncEngineError

SMALL = ("--leads=200", "--activities=400", "--years=0.2", "--speed=300")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "syncengine", *words]


def test_a_night_in_a_demo(tmp_path: Path) -> None:
    """Two runs: the first brings everything, the second what changed; the table, the query and the JSON agree."""
    folder = tmp_path / "demo"
    done = subprocess.run(
        command("demo", f"--dir={folder}", "--json", *SMALL), capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stderr
    facts = orjson.loads(done.stdout)
    first, second = facts["runs"]
    brought = {each["stream"]: each["inserted"] for each in first["report"]["streams"]}
    assert {"leads": 200, "activities": 400, "deleted_leads": 0}.items() <= brought.items()
    moved = {each["stream"]: (each["inserted"], each["changed"]) for each in second["report"]["streams"]}
    assert {"leads": (0, 200), "activities": (3_000, 0), "activity_types": (0, 0)}.items() <= moved.items()
    assert 100 >= first["largest_window"] > 0
    assert 10 >= first["most_in_flight"] > 0
    assert 0o600 == (folder / "syncengine.toml").stat().st_mode & 0o777
    with duckdb.connect(facts["warehouse"], read_only=True) as warehouse:
        assert (3_400,) == warehouse.execute("SELECT count(*) FROM marketo.activities").fetchone()
        assert (5,) == warehouse.execute(f"SELECT count(*) FROM ({facts['query']})").fetchone()
    assert 0 == main(["status", "-c", str(folder / "syncengine.toml"), "--json"])


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody else keeps there is neither removed nor mixed with ours."""
    (tmp_path / "precious.txt").write_text("mine")
    assert 2 == main(["demo", "--dir", str(tmp_path)])
    assert ["precious.txt"] == os.listdir(tmp_path)  # noqa: PTH208  # names only
    assert "is no demo's folder" in capsys.readouterr().err


def test_a_living_demo_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder of a demo that is running is locked."""
    with (tmp_path / ".syncengine-demo").open("w") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        assert 7 == main(["demo", "--dir", str(tmp_path)])
    assert "a demo is running" in capsys.readouterr().err


async def test_the_sandbox_ends_with_its_block(tmp_path: Path) -> None:
    """It answers its control path inside the block and nobody after it."""
    async with rehearsal(["--leads=5", "--activities=5"], ready_file=tmp_path / "r", log=tmp_path / "l") as sandbox:
        counters = await sandbox.control("GET", "counters")
        assert 0 == counters["calls_total"]
        with pytest.raises(SyncEngineError, match="a change has no"):
            await sandbox.control("POST", "change", nonsense=1)
    with pytest.raises(SyncEngineError, match="does not answer"):
        await sandbox.control("GET", "counters")


async def test_a_sandbox_that_does_not_start_is_told(tmp_path: Path) -> None:
    """Its own words are shown."""
    with pytest.raises(SyncEngineError, match="the sandbox cannot be made: counts"):
        async with rehearsal(["--leads=-5"], ready_file=tmp_path / "r", log=tmp_path / "l"):
            pytest.fail("started")


def test_the_sandbox_ends_when_its_parent_dies(tmp_path: Path) -> None:
    """Standard input that closes is the parent's death, however it died."""
    ready = tmp_path / "r"
    words = command("sandbox", "--with-parent", "--json", f"--ready-file={ready}", "--leads=5", "--activities=5")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert orjson.loads(process.stdout.readline()) == orjson.loads(ready.read_bytes())
        process.stdin.close()
        assert 0 == process.wait(timeout=60)


def test_the_sandbox_writes_a_config_that_is_valid(tmp_path: Path) -> None:
    """What it prints, and writes with 0600, is a configuration for exactly it."""
    path = tmp_path / "sb.toml"
    words = command("sandbox", "--json", f"--write-config={path}", "--leads=5", "--activities=5", "--speed=7")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = orjson.loads(process.stdout.readline())
        process.terminate()
        assert 0 == process.wait(timeout=60)
    settings = load(path)
    assert (ready["base_url"], 7.0) == (settings.instance.base_url, settings.instance.time_scale)
    assert ready["client_secret"] == settings.instance.client_secret.reveal()


@pytest.mark.parametrize(
    "words",
    [["--host", "10.0.0.1"], ["--speed", "0"], ["--host", "nonsense"], ["--leads", "-1"]],
)
def test_a_sandbox_that_cannot_be_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Options that make no instance end with 2 and a sentence."""
    assert 2 == main(["sandbox", "--activities=5", *words])
    assert "the sandbox cannot be" in capsys.readouterr().err
