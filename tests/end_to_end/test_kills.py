"""kill -9 at moments spread over every state of a window: the next sync goes on, and nothing is lost or doubled."""

import json
import os
import random
import subprocess
from collections import Counter
from pathlib import Path

from tests.end_to_end.processes import (
    Sandbox,
    command,
    days_ago,
    differences,
    sandbox,
    settle,
    started,
    write_config,
)

# More of them with SYNC_KILLS=30.
KILLS = int(os.environ.get("SYNC_KILLS", "16"))
STATES = (
    "CREATE_INTENT",
    "CREATED",
    "QUEUED",
    "COMPLETED",
    "DOWNLOADING",
    "VERIFIED",
    "COMMITTED",
    "CLEANED",
)
# What may lie between the sandbox's hand and the disk when a process dies: the sockets' buffers and one piece.
BUFFER_BYTES = 1_000_000


def kill_at(folder: Path, state: str, nth: int) -> str | None:
    """Start a sync and kill it at the `nth` move to `state`; the last state seen, or None when it ended before."""
    seen, last = 0, ""
    with started("sync", "--log", "-", folder=folder) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if not line.startswith(b"{"):
                continue
            event = json.loads(line)
            if event.get("event") == "job_moved":
                last = event["state"]
                seen += last == state
                if seen == nth:
                    process.kill()
                    break
    return last if seen == nth else None


def assert_whole(running: Sandbox, folder: Path) -> None:
    """The warehouse is the truth, and the ledger says so too."""
    warehouse = folder / "warehouse.duckdb"
    assert [] == differences(running, warehouse, "leads", "id")
    assert [] == differences(running, warehouse, "activities", "marketoGUID")


def test_a_sync_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Every state is hit several times; at the end each row stands once and each file was sent about once."""
    rng = random.Random(20261124)
    with sandbox(tmp_path, leads=3_000, activities=15_000, years=1.5, speed=300, bandwidth=20_000) as running:
        write_config(tmp_path, running.base_url, running.speed, start=days_ago(549))
        hits: Counter[str] = Counter()
        targets = [STATES[number % len(STATES)] for number in range(KILLS * 3)]
        for number, target in enumerate(targets):
            if hits.total() == KILLS:
                break
            nth = 1 if target in {"CREATE_INTENT", "DOWNLOADING"} else rng.randint(1, 3)
            if (last := kill_at(tmp_path, target, nth)) is None:
                running.control("change", {"update_leads": 150, "add_activities": 450, "seed": number})
                settle(running)
            else:
                hits[last] += 1
        assert hits.total() == KILLS
        assert set(STATES) == set(hits)
        assert hits["DOWNLOADING"] >= KILLS // 10
        settle(running)
        done = command("sync", "--quiet", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert_whole(running, tmp_path)
        counters = running.counters()
        assert set(counters["codes"]) <= {"1029"}
        assert counters["largest_window"] <= 100
        assert counters["most_in_flight"] <= 10


def test_downloads_killed_in_the_middle_are_resumed(tmp_path: Path) -> None:
    """Five kills within one throttled file: the server sends the file once, plus one buffer a kill."""
    kills = 5
    with sandbox(
        tmp_path, leads=9_000, activities=0, years=0.07, speed=60, bandwidth=25_000, job_seconds=(1, 1)
    ) as running:
        write_config(tmp_path, running.base_url, running.speed, start=days_ago(26), more='streams = ["leads"]')
        spool = tmp_path / "state" / "spool" / "sandbox"
        sizes = [0]
        for _ in range(kills):
            process = started("sync", "--quiet", folder=tmp_path)
            while part_bytes(spool) < sizes[-1] + 300_000:
                assert process.poll() is None, process.stderr and process.stderr.read()
                try:
                    process.wait(0.02)
                except subprocess.TimeoutExpired:
                    continue
            process.kill()
            process.communicate(timeout=60)
            sizes.append(part_bytes(spool))
        assert sorted(set(sizes)) == sizes
        done = command("sync", "--json", "--quiet", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert [] == differences(running, tmp_path / "warehouse.duckdb", "leads", "id")
        report = json.loads(done.stdout)
        counters = running.counters()
        longest = max(counters["file_bytes"].values())
        file_bytes = max(each["bytes"] for each in report["streams"])
        assert file_bytes > 5 * 300_000
        assert longest <= file_bytes + kills * BUFFER_BYTES
        assert longest < 2 * file_bytes


def part_bytes(spool: Path) -> int:
    """How much of unfinished files lies on disk."""
    return sum(path.stat().st_size for path in spool.glob("*.part")) if spool.exists() else 0
