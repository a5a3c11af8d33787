"""The journal on a disk that is really full, from the first byte of its making on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.clock import SystemClock
from syncengine.errors import NoSpace
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.sql import open_journal

DISK_BYTES = 204_800
STEP_BYTES = 8_192
LOOP = {"loop": Moves("idle", {("idle", "go"): "idle", ("idle", "end"): "over"}, frozenset({"over"}))}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk, and not in every container")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, size: int) -> None:
    (disk / "filler").write_bytes(bytes(size))


async def work(path: Path, confirmed: list[Job]) -> None:
    """Move a job for ever, noting what was confirmed."""
    async with open_journal(path, LOOP, SystemClock()) as store:
        confirmed += await store.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        while True:
            confirmed.append(await store.move(confirmed[-1], "go", note="x" * 2000))


async def test_a_full_disk_is_called_full_wherever_it_strikes(disk: Path) -> None:
    """Being made, opened or written, the journal says NoSpace, and with some room all that was confirmed is there."""
    most = 0
    for free in range(0, DISK_BYTES + 1, STEP_BYTES):
        path = disk / f"state{free}" / "journal.db"
        confirmed: list[Job] = []
        fill(disk, DISK_BYTES - free)
        with pytest.raises(NoSpace):
            await work(path, confirmed)
        fill(disk, 0)
        most = max(most, len(confirmed))

        async with open_journal(path, LOOP, SystemClock()) as store:
            assert await store.get("acme", "j") == (confirmed[-1] if confirmed else None)
            assert len(await store.history("acme", "j")) == len(confirmed)
        for leftover in path.parent.iterdir():
            leftover.unlink()
        path.parent.rmdir()
    assert most > 5
