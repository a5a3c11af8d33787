"""Assets by real processes: the folder against the sandbox's truth, exit codes, and kill -9 at random moments."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.assets.run import LEASE
from syncengine.choices import JOURNAL, KINDS
from syncengine.clock import SystemClock
from syncengine.jobs.lease import holding
from syncengine.jobs.sql import open_journal
from syncengine.threads import run_blocking
from tests.end_to_end.processes import Sandbox, command, sandbox, started, write_config
from tests.simulation.asset_checks import htmls, problems

# More of them with ASSET_KILLS=100.
KILLS = int(os.environ.get("ASSET_KILLS", "5"))
SPEED = 500.0
# As many as a pull tells of, and about as long as it works after each.
EVENTS_MAX = 22
SECONDS_MAX = 0.2
CHURN = {"edit": 12, "move": 4, "rename": 4, "delete": 1}
FEW = {"leads": 10, "activities": 0, "programs": 4, "campaigns": 4, "lists": 3, "workspaces": 2, "assets": 80}


@dataclass(frozen=True)
class Stage:
    """A sandbox, and a folder with a configuration for it."""

    running: Sandbox
    home: Path

    @property
    def folder(self) -> Path:
        """Where assets are pulled to."""
        return self.home / "assets"

    def told(self, code: int, *words: str, **environment: str) -> Any:
        """Run `syncengine assets WORDS --json`, which ends with `code`, and give the one JSON value that it prints."""
        done = command("assets", *words, "--json", "--quiet", folder=self.home, **environment)
        assert "Traceback" not in done.stderr, done.stderr
        assert code == done.returncode, (done.stderr, done.stdout[:2_000])
        return json.loads(done.stdout)

    def pull(self, code: int = 0, *words: str) -> Any:
        """The report of a pull without tables."""
        return self.told(code, "pull", "assets", "--no-tables", *words)

    def problems(self) -> list[str]:
        """Everything in the folder that is not as the sandbox has it now."""
        return problems(self.running.truth("assets"), self.folder)

    def churn(self, **asked: int) -> list[Any]:
        """Change some assets; tells what was done."""
        done = self.running.control("change", {"asset_churn": asked, "seed": random.Random(repr(asked)).random()})
        assert isinstance(done["assets"], list)
        return done["assets"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One instance for all tests of this file, each of which has a folder of its own."""
    with sandbox(tmp_path_factory.mktemp("instance"), speed=SPEED, latency=(0.1, 2), **FEW) as started_one:
        yield started_one


@pytest.fixture
def stage(running: Sandbox, tmp_path: Path) -> Stage:
    """The instance as a test finds it."""
    write_config(tmp_path, running.base_url, running.speed)
    return Stage(running, tmp_path)


def marks(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files of a folder with what tells that they were not touched."""
    found = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        stat = path.stat()
        found[str(path.relative_to(folder))] = (stat.st_ino, stat.st_mtime_ns, path.read_bytes())
    return found


def test_a_pull_costs_what_was_announced_and_brings_the_truth(stage: Stage) -> None:
    """A dry run writes nothing and counts right; the pull is whole; a second one, and a comparison, find no change."""
    plan = stage.pull(0, "--dry-run")
    assert not stage.folder.exists()
    report = stage.pull()
    assert ("done", []) == (report["outcome"], report["problems"])
    unannounced = sum(count for name, count in report["calls_by_name"].items() if ".dynamicContent" in name)
    assert plan["calls"] == report["calls"] - unannounced - report["calls_by_name"]["identity.token"]
    assert [] == stage.problems()
    before = marks(stage.folder)
    again = stage.pull()
    assert ([], True) == (again["changes"], again["calls"] < 50)
    found = stage.told(0, "diff", "assets", "--live")
    assert ([], [], "live") == (found["changes"], found["problems"], found["after"])
    assert before == marks(stage.folder)


def test_a_comparison_tells_what_changed_and_leaves_the_folder_as_it_is(stage: Stage) -> None:
    """With the instance it ends with 1 and names each change; with another folder, by no configuration, just so."""
    stage.pull()
    shutil.copytree(stage.folder, stage.home / "older")
    before = marks(stage.folder)
    done = stage.churn(**CHURN)
    names = {(each["kind"].replace("-", "_"), str(each["id"])) for each in done}
    live = stage.told(1, "diff", "assets", "--live")
    assert names == {(each["kind"], str(each["id"])) for each in live["changes"]}
    assert before == marks(stage.folder)
    stage.pull()
    assert [] == stage.problems()
    (stage.home / "syncengine.toml").unlink()
    found = stage.told(1, "diff", "older", "--against", "assets")
    assert found["changes"] == live["changes"]
    assert (0, []) == (found["calls"], stage.told(0, "diff", "assets", "--against", "assets")["changes"])
    shown = command("assets", "diff", "older", "--against", "assets", folder=stage.home)
    assert 1 == shown.returncode
    assert f"{len(names)} assets differ" in shown.stdout


def test_every_way_to_fail_has_its_exit_code(stage: Stage) -> None:
    """2 for what is to be mended here, 3 for credentials, 6 for an instance that cannot be reached."""
    (stage.home / "mine").mkdir()
    (stage.home / "mine" / "notes.txt").write_text("mine")
    assert "notes.txt" in stage.told(2, "pull", "mine")["error"]["message"]
    assert "no kind of asset" in stage.told(2, "pull", "assets", "--only", "emails")["error"]["message"]
    assert "no folder" in stage.told(2, "pull")["error"]["message"]
    assert "no folder of assets" in stage.told(2, "diff", "mine", "--live")["error"]["message"]
    assert ["notes.txt"] == [path.name for path in (stage.home / "mine").iterdir()]
    stage.told(3, "pull", "assets", SANDBOX_SECRET="wrong")
    write_config(stage.home, "http://127.0.0.1:9", stage.running.speed)
    stage.told(6, "pull", "assets")
    assert not list(stage.home.rglob("*.email.json"))


def test_bytes_of_files_are_those_of_the_instance_and_come_once(stage: Stage) -> None:
    """Each file lies beside its description with the truth's SHA-256; a second pull asks for none."""
    truth = {
        each["id"]: each["versions"][0]["sha256"] for each in stage.running.truth("assets") if each["kind"] == "file"
    }
    asked = stage.running.counters()["files_fetched"]
    report = stage.pull(0, "--with-files", "--only", "file")
    found = {}
    for path in stage.folder.rglob("*.file.json"):
        (beside,) = (each for each in path.parent.iterdir() if each.stem == path.stem and each != path)
        found[json.loads(path.read_text())["id"]] = hashlib.sha256(beside.read_bytes()).hexdigest()
    assert truth == found
    assert report["files_bytes"] == sum(
        path.stat().st_size for path in stage.folder.rglob("*.file.*") if path.suffix != ".json"
    )
    assert len(truth) == stage.running.counters()["files_fetched"] - asked
    stage.pull(0, "--with-files", "--only", "file")
    assert len(truth) == stage.running.counters()["files_fetched"] - asked


def test_a_second_pull_at_the_same_time_is_refused(stage: Stage) -> None:
    """It ends with 7 and touches nothing, and so does a comparison with the instance; later both go through."""
    stage.pull(0, "--only", "channel")
    before = {path: path.stat().st_mtime_ns for path in stage.folder.rglob("*")}

    async def beside() -> None:
        async with (
            # The sandbox's clock is far ahead of this one.
            open_journal(stage.home / "state" / JOURNAL, KINDS, SystemClock(), lease_ttl_seconds=1e7) as journal,
            holding(journal, SystemClock(), "sandbox", LEASE),
        ):
            await run_blocking(lambda: stage.pull(7))
            await run_blocking(lambda: stage.told(7, "diff", "assets"))

    anyio.run(beside)
    assert before == {path: path.stat().st_mtime_ns for path in stage.folder.rglob("*")}
    stage.pull()
    assert [] == stage.problems()


def test_an_interrupted_pull_ends_with_130_and_the_next_one_completes(stage: Stage) -> None:
    """Ctrl-C in the middle: no traceback, only whole files, and what was fetched is not fetched again."""
    known = htmls(stage.running.truth("assets"))
    with started("assets", "pull", "assets", "--no-tables", "--log", "-", folder=stage.home) as process:
        assert process.stderr is not None
        until_event(process, "assets_listed", times=4)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().decode()
    assert 130 == process.returncode
    assert "interrupted" in said
    assert "Traceback" not in said
    assert [] == broken(stage.folder, known)
    there = len(list(stage.folder.rglob("*.json")))
    report = stage.pull()
    assert sum(each["versions"] - each["fetched"] for each in report["kinds"]) >= there - 1
    assert [] == stage.problems()


def test_a_pull_killed_again_and_again_leaves_only_whole_files(stage: Stage) -> None:
    """kill -9 at random moments, of a first pull and of pulls after changes: the last one is as the instance is."""
    rng, kills, number = random.Random(20261128), 0, 0
    known = htmls(stage.running.truth("assets"))
    while kills < KILLS:
        number += 1
        events, seconds = rng.randrange(EVENTS_MAX), rng.random() * SECONDS_MAX
        with started("assets", "pull", "assets", "--no-tables", "--log", "-", folder=stage.home) as process:
            assert process.stderr is not None
            for _ in islice(process.stderr, events):
                pass
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
            process.stderr.read()
        kills += process.returncode == -signal.SIGKILL
        assert process.returncode in {0, -signal.SIGKILL}
        assert [] == broken(stage.folder, known)
        if number % 2 == 0:
            stage.churn(edit=5, move=2, rename=2 + number % 3)
            known |= htmls(stage.running.truth("assets"))
    assert "done" == stage.pull()["outcome"]
    assert [] == stage.problems()
    assert [] == [path.name for path in stage.folder.iterdir() if path.name.startswith(".") and path.is_dir()]


def until_event(process: subprocess.Popen[bytes], name: str, *, times: int = 1) -> None:
    """Read a log until something has happened so often."""
    assert process.stderr is not None
    for line in process.stderr:
        times -= line.startswith(b"{") and json.loads(line)["event"] == name
        if times == 0:
            return
    raise AssertionError(f"{name} was never told")


def broken(folder: Path, known: set[bytes]) -> list[str]:
    """The files that are not whole; `known` are all documents that there have been."""
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and ".syncengine-tmp" not in each.parts):
        body = path.read_bytes()
        try:
            is_whole = body in known if path.suffix == ".html" else isinstance(json.loads(body), dict)
        except ValueError:
            is_whole = False
        found += [] if is_whole else [str(path)]
    return found
