"""A whole sync with real processes: what Marketo has is what the warehouse has."""

import json
from pathlib import Path

from tests.end_to_end.processes import SECRET, Sandbox, command, days_ago, differences, sandbox, settle, write_config

MINUTES_POLL = 60.0


def sync(folder: Path) -> dict[str, dict[str, int]]:
    """Run a sync and give its streams' reports by name."""
    done = command("sync", "--json", "--quiet", folder=folder)
    assert done.returncode == 0, done.stderr
    return {each["stream"]: each for each in json.loads(done.stdout)["streams"]}


def all_differences(running: Sandbox, folder: Path) -> list[str]:
    """Everything in which the warehouse is not the sandbox's truth."""
    warehouse = folder / "warehouse.duckdb"
    return [
        *differences(running, warehouse, "leads", "id"),
        *differences(running, warehouse, "activities", "marketoGUID"),
    ]


def test_the_warehouse_equals_the_instance_and_a_second_run_moves_only_changes(tmp_path: Path) -> None:
    """Row for row and cell for cell, hostile values included; unchanged rows of the lookback are counted apart."""
    with sandbox(tmp_path, leads=8_000, activities=24_000, years=1.0, speed=240) as running:
        write_config(tmp_path, running.base_url, running.speed, start=days_ago(366))
        first = sync(tmp_path)
        assert [] == all_differences(running, tmp_path)
        inserted = {name: each["inserted"] for name, each in first.items()}
        assert {"leads": 8_000, "activities": 24_000, "deleted_leads": 0, "activity_types": 13} == inserted
        running.control("change", {"update_leads": 200, "add_activities": 600, "seed": 1})
        settle(running)
        second = sync(tmp_path)
        assert [] == all_differences(running, tmp_path)
        assert (0, 200) == (second["leads"]["inserted"], second["leads"]["changed"])
        assert (600, 0) == (second["activities"]["inserted"], second["activities"]["changed"])
        assert {1} == {each["windows"] for each in second.values()}
        counters = running.counters()
        # Every file is sent once, and nothing is asked for in vain.
        assert counters["codes"] == {}
        assert counters["jobs_created"] == {kind: first[kind]["windows"] + 1 for kind in ("leads", "activities")}
        assert min(counters["poll_gap_seconds_min"].values()) >= MINUTES_POLL
        assert counters["largest_window"] <= 100
        assert counters["most_in_flight"] <= 10


def test_no_secret_lies_on_disk_after_a_sync(tmp_path: Path) -> None:
    """The client secret and the token stay in memory: not in the journal, the logs, the warehouse or the output."""
    with sandbox(tmp_path, leads=200, activities=200, years=0.2, speed=600) as running:
        write_config(tmp_path, running.base_url, running.speed, start=days_ago(74))
        done = command("sync", "--log", "events.jsonl", folder=tmp_path)
        assert done.returncode == 0
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "sandbox"]
    assert len(written) >= 5
    assert [] == [path for path in written if SECRET.encode() in path.read_bytes()]
    assert SECRET not in done.stdout + done.stderr


def test_the_spool_is_empty_and_the_state_is_private_after_a_sync(tmp_path: Path) -> None:
    """Downloaded rows do not outlive their commit, and nobody else can read the state."""
    with sandbox(tmp_path, leads=200, activities=200, years=0.2, speed=600) as running:
        write_config(tmp_path, running.base_url, running.speed, start=days_ago(74))
        sync(tmp_path)
    state = tmp_path / "state"
    spool = state / "spool" / "sandbox"
    assert [] == list(spool.iterdir())
    assert [0o700] * 3 == [path.stat().st_mode & 0o777 for path in (state, spool.parent, spool)]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in state.iterdir() if path.is_file()}
