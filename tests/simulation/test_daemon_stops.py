"""A daemon that is stopped at any moment: nothing is left in doubt, and the next one goes on."""

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from syncengine.choices import JOURNAL, KINDS
from syncengine.imports.states import AMBIGUOUS, CHUNK, HELD, SENDING
from syncengine.jobs.sql import open_journal
from tests.simulation.months import NAME, Month
from tests.simulation.seeded import seeded
from tests.simulation.small import quick_folder

# The night begins at half past two in Berlin, some minutes later by its jitter.
START = datetime(2026, 3, 2, 1, 25, tzinfo=UTC)
# Fifty take two minutes; each is another set of moments.
SEEDS = int(os.environ.get("DAEMON_STOPS", "8"))
ROWS = 400
IN_DOUBT = {SENDING, AMBIGUOUS, HELD}


async def states(month: Month) -> Counter[str]:
    """How many chunks stand where."""
    path = month.settings.state.path / JOURNAL
    async with open_journal(path, KINDS, month.clock) as journal:
        return Counter(job.state for job in await journal.jobs(NAME, kind=CHUNK))


@pytest.mark.parametrize("seed", range(SEEDS))
@seeded
async def test_a_stop_leaves_no_chunk_in_doubt(tmp_path: Path, seed: int) -> None:
    """In the middle of a night and of an import, four times: what was sent is known, and every row goes in once."""
    rng = random.Random(f"stops {seed}")
    with quick_folder(tmp_path) as folder:
        month = Month(folder, seed, start=START, latency_seconds=(0.5, 8.0), import_seconds=(20.0, 60.0))
        inbox = month.watch()
        month.configure(imports=replace(month.settings.imports, file_bytes=3_000))
        inbox.mkdir()
        rows = [f"row{number}@example.com" for number in range(ROWS)]
        (inbox / "people.csv").write_text("email,firstName\n" + "".join(f"{row},Ada\n" for row in rows))
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                await month.start(tasks)
                await month.clock.sleep(rng.choice([5.0, 30.0, 200.0, 600.0]) * rng.random())
                await month.stop()
                found = await states(month)
                assert set() == IN_DOUBT & set(found), found
            await month.start(tasks)
            await month.until(START + timedelta(hours=4))
            await month.stop()
        assert sorted(rows) == sorted(month.addresses("row"))
        assert ["people.csv"] == [path.name.rpartition("-")[2] for path in (inbox / "done").iterdir()]
        assert ["done"] == [night.outcome for night in await month.nights() if night.outcome != "interrupted"]
        assert [] == month.broken_limits()
