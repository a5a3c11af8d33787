"""The daemon as a process: nights at sixty times the pace, ad hoc imports beside them, signals, and a second daemon."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.end_to_end.processes import Sandbox, command, differences, sandbox, settle, started, write_config

# In real seconds: for whatever a daemon is waited for here.
PATIENCE_SECONDS = 90.0
NIGHTS = 5
# Stops in the middle of an import; fifty of them with DAEMON_STOPS=50.
STOPS = int(os.environ.get("DAEMON_STOPS", "4"))
ROWS = 4_000
NIGHTLY = """
[schedule.nightly]
cron = "*/5 * * * *"
zone = "Europe/Berlin"
"""
INBOX = """
[import.inbox]
path = "inbox"
settle_seconds = 0.2
[imports]
file_bytes = 100000
[polling]
import_seconds = 5
"""


@contextmanager
def daemon(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that logs to a file, and is ended at the end of the block if it still runs."""
    process = started("daemon", "--log", "daemon.jsonl", folder=folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(folder: Path, event: str) -> list[dict[str, Any]]:
    """Every event of one name that a daemon has logged."""
    path = folder / "daemon.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [fact for line in lines if line.endswith("}") and (fact := json.loads(line))["event"] == event]


def wait_for(what: Any, process: subprocess.Popen[bytes]) -> None:
    """Wait until something is true, as long as the daemon lives."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)  # noqa: TID251  # a real process gives no other sign


def ended(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> tuple[int, str]:
    """Send a signal, and give the exit code and what was said on standard error."""
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, told.decode()


def whole_nights(folder: Path) -> int:
    """How many nights have ended whole."""
    return sum(each["kind"].startswith("night") and each["outcome"] == "done" for each in said(folder, "run_ended"))


def write_people(path: Path, rows: int, name: str) -> None:
    """A file of people who are in no other, put into its place when it is whole."""
    part = path.with_name(f".{path.name}")
    part.write_text("email,firstName\n" + "".join(f"{name}{number}@example.com,Ada\n" for number in range(rows)))
    part.rename(path)


def people_called(running: Sandbox, name: str) -> list[str]:
    """The addresses in Marketo that begin so, as often as they are there."""
    return [row["email"] for row in running.truth("leads") if str(row["email"]).startswith(name)]


def chunks(folder: Path) -> list[str]:
    """The states of all chunks in the journal."""
    with sqlite3.connect(folder / "state" / "journal.db") as journal:
        return [state for (state,) in journal.execute("SELECT state FROM jobs WHERE kind = 'chunk'")]


def test_five_nights_with_imports_beside_them_keep_every_limit(tmp_path: Path) -> None:
    """At sixty times the pace, all processes together: a hundred calls in a window, ten in flight, nothing refused."""
    with sandbox(
        tmp_path, leads=800, activities=800, years=0.1, speed=60, job_seconds=(5, 20), latency=(1, 6)
    ) as running:
        write_config(tmp_path, running.base_url, running.speed, start="2026-10-01", more=NIGHTLY + INBOX)
        with daemon(tmp_path) as process:
            wait_for(lambda: said(tmp_path, "daemon_started"), process)
            imports = 0
            while whole_nights(tmp_path) < NIGHTS:
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                imports += 1
                if imports <= 3:
                    write_people(tmp_path / "people.csv", 200, f"adhoc{imports}.")
                    done = command("import", "leads", "people.csv", "--route", "rest", "--quiet", folder=tmp_path)
                    assert done.returncode == 0, done.stderr
                else:
                    time.sleep(0.5)  # noqa: TID251  # the sandbox's own clock has to pass
            assert (0, "") == ended(process)
            settle(running)
            assert 0 == command("sync", "--quiet", folder=tmp_path).returncode
        counters = running.counters()
        assert counters["largest_window"] <= 100
        assert counters["most_in_flight"] <= 10
        assert not {"606", "615", "607"} & set(counters["codes"])
        assert 600 == len(people_called(running, "adhoc"))
        assert [] == differences(running, tmp_path / "warehouse.duckdb", "activities", "marketoGUID")
        assert len(list((tmp_path / "reports" / "sandbox").glob("*.txt"))) >= NIGHTS


def test_a_stop_at_any_moment_leaves_no_chunk_in_doubt(tmp_path: Path) -> None:
    """SIGTERM in the middle of imports: 0, nothing ambiguous, and in the end every person is there once."""
    rng = random.Random(8)
    with sandbox(tmp_path, leads=100, activities=10, years=0.1, speed=720, latency=(5, 60)) as running:
        write_config(tmp_path, running.base_url, running.speed, start="2026-10-01", more=INBOX)
        (tmp_path / "inbox").mkdir()
        for number in range(STOPS):
            write_people(tmp_path / "inbox" / f"people{number}.csv", ROWS, f"stop{number}.")
            with daemon(tmp_path) as process:
                moves = rng.randint(0, 12)
                seen = len(said(tmp_path, "chunk_moved"))
                starts = len(said(tmp_path, "daemon_started"))
                wait_for(lambda since=starts: len(said(tmp_path, "daemon_started")) > since, process)
                wait_for(lambda since=seen, more=moves: len(said(tmp_path, "chunk_moved")) >= since + more, process)
                time.sleep(rng.random() * 0.1)  # noqa: TID251  # anywhere between two events
                assert (0, "") == ended(process)
            assert not {"SENDING", "AMBIGUOUS", "HELD"} & set(chunks(tmp_path)), chunks(tmp_path)
        with daemon(tmp_path) as process:
            wait_for(lambda: len(list((tmp_path / "inbox" / "done").glob("*"))) == STOPS, process)
            assert (0, "") == ended(process)
        found = people_called(running, "stop")
        assert STOPS * ROWS == len(found) == len(set(found))


def test_signals_and_a_second_daemon(tmp_path: Path) -> None:
    """A second one is turned away, a bad configuration is refused, and a good one is taken without a restart."""
    with sandbox(tmp_path, leads=100, activities=10, years=0.1, speed=60) as running:
        path = write_config(tmp_path, running.base_url, running.speed, start="2026-10-01", more=NIGHTLY)
        good = path.read_text()
        with daemon(tmp_path) as process:
            wait_for(lambda: said(tmp_path, "daemon_started"), process)
            second = command("daemon", folder=tmp_path)
            assert 7 == second.returncode
            assert f"process {process.pid} on" in second.stderr
            path.write_text(good.replace("settle_minutes = 1", "settle_minutes = true"))
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: said(tmp_path, "config_read"), process)
            (refused,) = said(tmp_path, "config_read")
            assert (False, True) == (refused["accepted"], "settle_minutes" in refused["problems"][1])
            path.write_text(good.replace("[schedule.nightly]", "[schedule.late]"))
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: [each for each in said(tmp_path, "config_read") if each["accepted"]], process)
            wait_for(lambda: [each for each in said(tmp_path, "run_ended") if each["kind"] == "night late"], process)
            assert (0, "") == ended(process, signal.SIGINT)


def test_a_daemon_with_nothing_to_do_says_what_is_missing(tmp_path: Path) -> None:
    """No schedule and no folder: exit 2, and the tables that it takes."""
    write_config(tmp_path, "http://127.0.0.1:9")
    done = command("daemon", folder=tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    assert "[schedule.nightly]" in done.stderr
    assert "Traceback" not in done.stderr
