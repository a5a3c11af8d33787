"""kill -9 at random moments of an import: the next command goes on, no row is lost, and nothing is sent twice."""

import json
import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.imported import Person, imported, keys_of, people, ran, write_csv, wrong
from tests.end_to_end.processes import Sandbox, sandbox, started, write_config

# More of them with IMPORT_KILLS=100.
KILLS = int(os.environ.get("IMPORT_KILLS", "12"))
ROWS = 3_000
# So fast that the hour after which nothing of a lost sending can be under way takes five seconds.
SPEED = 720.0
# In the sandbox's seconds: an answer takes up to 80 ms, so that many a kill falls between a sending and its answer.
LATENCY = (5, 60)
MORE = "[imports]\nfile_bytes = 100000\n[polling]\nimport_seconds = 5\n"
PATIENCE_SECONDS = 60.0
# About as many events as half an import has.
EVENTS_MAX = 18


@dataclass
class Killer:
    """Starts commands and kills them; `states` counts what a killed one had last said of a chunk."""

    folder: Path
    rng: random.Random
    states: Counter[str] = field(default_factory=Counter[str])
    kills: int = 0
    run_id: str = ""

    def import_of(self, words: Sequence[str], kills: int) -> Any:
        """One import, killed up to so many times, each time gone on with in one of the two ways; its summary."""
        self.run_id = ""
        most = self.kills + kills
        while self.kills < most:
            again = ("imports", "resume", self.run_id) if self.run_id and self.rng.random() < 0.5 else words
            self.kill(*again)
            # Killed after the end of the run, the command is not to be given again: that would be another import.
            if self.run_id and (summary := self.summary())["state"] != "unfinished":
                return summary
        ended = ran(*words, folder=self.folder)
        assert ended.code == 0, ended.said
        self.run_id = ended.report["run_id"]
        return self.summary()

    def kill(self, *words: str) -> None:
        """Start a command and kill it after a random number of events and a random while."""
        events, seconds = self.rng.randrange(EVENTS_MAX), self.rng.random() * 0.06
        said = ["before the plan"]
        with started(*words, "--log", "-", folder=self.folder) as process:
            assert process.stderr is not None
            timer = threading.Timer(PATIENCE_SECONDS, process.kill)
            timer.start()
            for line in islice(process.stderr, events):
                self.hear(line, said)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
            for line in process.stderr:
                self.hear(line, said)
            timer.cancel()
        if process.returncode == -signal.SIGKILL:
            self.kills += 1
            self.states[said[-1]] += 1

    def hear(self, line: bytes, said: list[str]) -> None:
        """Note what a line of a log says of the run and of a chunk."""
        if not line.startswith(b"{") or not line.endswith(b"\n"):
            return
        event = json.loads(line)
        self.run_id = event.get("run_id", self.run_id)
        if event["event"] == "import_planned":
            said.append("planned")
        elif event["event"] == "chunk_moved":
            said.append(event["state"])

    def summary(self) -> Any:
        """The run as its journal has it."""
        return ran("imports", "show", self.run_id, folder=self.folder).told


@pytest.mark.parametrize(("route", "share", "rows"), [("bulk", 0.7, ROWS), ("rest", 0.3, ROWS)])
def test_an_import_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, route: str, share: float, rows: int
) -> None:
    """Import after import until all kills are spent; every lead is its row, once, and no batch came twice."""
    kills = max(1, round(KILLS * share))
    killer = Killer(tmp_path, random.Random(20261125))
    given: list[Person] = []
    with sandbox(tmp_path, leads=50, activities=0, speed=SPEED, latency=LATENCY, import_seconds=(20, 60)) as running:
        write_config(tmp_path, running.base_url, running.speed, more=MORE)
        before = list(running.truth("leads"))
        while killer.kills < kills:
            name = f"people{len(given)}.csv"
            mine = list(people(rows, prefix=f"person{len(given)}-"))
            write_csv(tmp_path / name, mine)
            given += mine
            words = ("import", "leads", name, "--route", route, "--allow-clear")
            # A few kills an import, so that the beginning and the end come up as well.
            summary = killer.import_of(words, min(kills - killer.kills, 10))
            distinct = len(keys_of(mine))
            counts = {name: count for name, count in summary["counts"].items() if count}
            assert {"imported": distinct, "superseded": rows - distinct} == counts
            assert "done" == summary["state"]
        assert [] == wrong(running, before, given)
        assert [] == list(running.truth("duplicate_leads"))
        assert [] == sent_twice(running)
        assert running.counters()["largest_window"] <= 100


def sent_twice(running: Sandbox) -> list[str]:
    """The hashes of files that Marketo has accepted more than once."""
    times = Counter(batch["sha256"] for batch in running.truth("imports"))
    return [sha256 for sha256, count in times.items() if count > 1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_sending_waits_for_the_answer(tmp_path: Path, number: int) -> None:
    """What was sent is known to have been taken: nothing is ambiguous, and going on needs no look at the people."""
    rows = list(people(ROWS))
    with sandbox(tmp_path, leads=50, activities=0, speed=60, latency=(20, 30), import_seconds=(20, 30)) as running:
        write_config(tmp_path, running.base_url, running.speed, more=MORE)
        before = list(running.truth("leads"))
        write_csv(tmp_path / "people.csv", rows)
        words = ("import", "leads", "people.csv", "--route", "bulk", "--allow-clear", "--log", "-")
        with started(*words, folder=tmp_path) as process:
            assert process.stderr is not None
            run_id = until_sending(process.stderr)
            process.send_signal(number)
            told = process.stderr.read().decode()
        assert process.returncode == 130
        assert "interrupted" in told
        assert "Traceback" not in told
        chunks = ran("imports", "show", run_id, folder=tmp_path).told["chunks"]
        assert {"ACCEPTED", "PLANNED"} == set(chunks)
        assert chunks["ACCEPTED"] == len(list(running.truth("imports")))
        ended = ran("imports", "resume", run_id, folder=tmp_path)
        assert ended.code == 0, ended.said
        assert [] == wrong(running, before, rows)
        assert [] == sent_twice(running)
        assert "leads.by_filter" not in running.counters()["calls"]


def until_sending(lines: Iterator[bytes] | Any) -> str:
    """Read a log until a chunk is being sent; the run's id."""
    for line in lines:
        event = json.loads(line)
        if event.get("state") == "SENDING":
            return str(event["run_id"])
    raise AssertionError("nothing was sent")


def test_an_interrupted_import_can_be_given_again(tmp_path: Path) -> None:
    """The same command goes on with the run that it finds; the account says 0 rows waiting then."""
    rows = list(people(ROWS))
    with sandbox(tmp_path, leads=50, activities=0, speed=60, import_seconds=(20, 30)) as running:
        write_config(tmp_path, running.base_url, running.speed, more=MORE)
        before = list(running.truth("leads"))
        write_csv(tmp_path / "people.csv", rows)
        words = ("leads", "people.csv", "--route", "bulk", "--allow-clear")
        first = imported(*words, "--max-wait", "60s", folder=tmp_path)
        assert 9 == first.code
        assert first.counts["waiting"] > 0
        again = imported(*words, folder=tmp_path)
        assert (0, first.report["run_id"]) == (again.code, again.report["run_id"])
        assert "waiting" not in again.counts
        assert [] == wrong(running, before, rows)
        assert [] == sent_twice(running)
