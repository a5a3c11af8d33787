"""What a user meets when something is wrong: a sentence, what to do, the right exit code, and nothing lost."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.processes import (
    SECRET,
    Sandbox,
    command,
    days_ago,
    differences,
    sandbox,
    started,
    write_config,
)

SMALL = {"leads": 2_000, "activities": 4_000, "years": 0.5}
START = days_ago(184)


def assert_told(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """The exit code is right, the message says all of `said`, and no traceback or secret is shown."""
    assert (code, []) == (done.returncode, [part for part in said if part not in done.stderr]), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert SECRET not in done.stderr + done.stdout


def assert_next_sync_is_whole(running: Sandbox, folder: Path) -> None:
    """Once the trouble is over, the same command brings everything, once."""
    done = command("sync", "--quiet", folder=folder)
    assert done.returncode == 0, done.stderr
    warehouse = folder / "warehouse.duckdb"
    assert [] == differences(running, warehouse, "leads", "id")
    assert [] == differences(running, warehouse, "activities", "marketoGUID")


def test_a_wrong_secret_ends_with_3_and_says_where_to_look(tmp_path: Path) -> None:
    """Credentials are refused once, not tried again and again; the right ones go on at once."""
    with sandbox(tmp_path, speed=300, **SMALL) as running:
        write_config(tmp_path, running.base_url, running.speed, start=START)
        done = command("sync", "--quiet", folder=tmp_path, SANDBOX_SECRET="wrong")
        assert_told(done, 3, "client", "LaunchPoint")
        assert running.counters()["calls"] == {"identity": 1}
        assert_next_sync_is_whole(running, tmp_path)


def test_an_unreachable_host_ends_with_6(tmp_path: Path) -> None:
    """A port where nobody listens: told as such, after a few tries."""
    write_config(tmp_path, "http://127.0.0.1:9")
    assert_told(command("sync", "--quiet", folder=tmp_path), 6, "Connection refused", "base_url")


def test_an_unreachable_sandbox_ends_with_6(tmp_path: Path) -> None:
    """A fast clock needs the sandbox itself: its absence is told with the way to start it."""
    write_config(tmp_path, "http://127.0.0.1:9", 60)
    assert_told(command("sync", "--quiet", folder=tmp_path), 6, "syncengine sandbox")


def test_a_bad_config_ends_with_2_and_names_every_problem(tmp_path: Path) -> None:
    """All faults at once, each with its key and line, before any network."""
    (tmp_path / "syncengine.toml").write_text(
        '[instance]\nname = "acme"\nbase_url = "http://example.com"\nclient_id = "a"\n'
        'client_secret = "${NO_SUCH_VARIABLE}"\n[sync]\nstart = 2023-01-01\nsettle_minuts = 1\nstreams = ["lead"]\n'
    )
    done = command("sync", "--quiet", folder=tmp_path)
    assert_told(done, 2, "base_url", "NO_SUCH_VARIABLE", "settle_minutes", "leads", "line 3", "line 8")


def test_a_missing_config_ends_with_2_and_says_how_to_make_one(tmp_path: Path) -> None:
    """The first command of a newcomer."""
    assert_told(command("sync", folder=tmp_path), 2, "syncengine init")


def test_a_second_sync_of_the_same_stream_ends_with_7_and_names_the_holder(tmp_path: Path) -> None:
    """Two commands at once: one works, the other says who does."""
    with sandbox(tmp_path, speed=100, **SMALL) as running:
        write_config(tmp_path, running.base_url, running.speed, start=START)
        with started("sync", "--quiet", "--log", "-", folder=tmp_path) as first:
            assert first.stderr is not None
            assert any(b"stream_planned" in line for line in first.stderr)
            done = command("sync", "--quiet", folder=tmp_path)
            assert_told(done, 7, "already running", f"process {first.pid}")
            first.stderr.read()
            assert first.wait(120) == 0
        assert_next_sync_is_whole(running, tmp_path)


def test_a_killed_holder_does_not_keep_its_lease(tmp_path: Path) -> None:
    """A process that died holds nothing: the next one takes over at once."""
    with sandbox(tmp_path, speed=100, **SMALL) as running:
        write_config(tmp_path, running.base_url, running.speed, start=START)
        with started("sync", "--log", "-", folder=tmp_path) as first:
            assert first.stderr is not None
            assert any(b"stream_planned" in line for line in first.stderr)
            first.kill()
        assert_next_sync_is_whole(running, tmp_path)


def test_an_interrupted_sync_ends_with_130_and_can_be_resumed(tmp_path: Path) -> None:
    """Ctrl-C: a sentence, no traceback, and the next run goes on."""
    with sandbox(tmp_path, speed=100, **SMALL) as running:
        write_config(tmp_path, running.base_url, running.speed, start=START)
        with started("sync", "--log", "-", folder=tmp_path) as first:
            assert first.stderr is not None
            assert any(b'"state":"QUEUED"' in line for line in first.stderr)
            first.send_signal(2)
            told = first.stderr.read().decode()
        assert first.returncode == 130
        assert "interrupted" in told
        assert "Traceback" not in told
        assert_next_sync_is_whole(running, tmp_path)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own under `folder`; skips where the user may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_with_8_and_the_next_sync_is_whole(tmp_path: Path) -> None:
    """The state folder fills up in the middle: nothing is lost, and room is all it takes."""
    with sandbox(tmp_path, speed=300, leads=8_000, activities=20_000, years=0.5) as running:
        state, room = tmp_path / "disk", tmp_path / "disk" / "taken"
        more = f'[state]\npath = "{state}"\n'
        write_config(tmp_path, running.base_url, running.speed, start=START, more=more)
        with small_disk(state, 40):
            room.write_bytes(bytes(24_000_000))
            done = command("sync", "--quiet", folder=tmp_path)
            assert_told(done, 8, "room")
            room.unlink()
            assert_next_sync_is_whole(running, tmp_path)


def test_a_full_disk_under_the_warehouse_ends_with_8_and_the_next_sync_is_whole(tmp_path: Path) -> None:
    """The destination's disk fills up: its transaction is rolled back whole."""
    with sandbox(tmp_path, speed=300, leads=8_000, activities=20_000, years=0.5) as running:
        disk, room = tmp_path / "disk", tmp_path / "disk" / "taken"
        more = f'[destination]\npath = "{disk}/warehouse.duckdb"\n'
        write_config(tmp_path, running.base_url, running.speed, start=START, more=more)
        with small_disk(disk, 64):
            room.write_bytes(bytes(61_000_000))
            assert_told(command("sync", "--quiet", folder=tmp_path), 8, "full")
            room.unlink()
            done = command("sync", "--quiet", folder=tmp_path)
            assert done.returncode == 0, done.stderr
            assert [] == differences(running, disk / "warehouse.duckdb", "leads", "id")
            assert [] == differences(running, disk / "warehouse.duckdb", "activities", "marketoGUID")
