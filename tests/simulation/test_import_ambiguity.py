"""Imports whose create answers are lost at random: nobody is doubled, no row is lost, next to none unknown.

When read-back can tell: a chunk most of whose rows are there, by them; rows that are certainly not in effect in any
other one, by their absence, and they go on as a chunk of their own. It cannot tell of a single row of an applied chunk
that is not there as sent: Marketo may have failed it, or given the job up before it. Such a row, one whose key cannot
be asked for, and one that somebody else has changed since, is unresolved. Nothing else ever is.
"""

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.imports import states
from syncengine.jobs.job import Job, Run
from syncengine.jobs.lease import Lease
from syncengine.jobs.store import JobStore
from tests.simulation.import_checks import problems
from tests.simulation.imports import CREATE, DRAIN, Intake
from tests.simulation.mortal import Through
from tests.simulation.people import People, Shares
from tests.simulation.seeded import Life, seeded
from tests.simulation.small import quick_folder

# Of a thousand the first ones; all of them with IMPORT_SEEDS=1000.
SEEDS = int(os.environ.get("IMPORT_SEEDS", "160"))
SHARDS = 4
ROWS = 24
SHARES = Shares(failed=0.06, warned=0.04)
GOOD = Shares(failed=0.0, warned=0.0, quarantined=0.0)
# Answers that are lost after the server carried the call out, before it did, and refusals that only look like them.
LOSSES: tuple[dict[str, Any], ...] = (
    {"action": "drop_after"},
    {"action": "drop_after"},
    {"action": "drop_before"},
    {"action": "reset", "bytes": 10},
    {"action": "truncate", "bytes": 30},
    {"action": "latency", "seconds": 700.0},
    {"action": "http", "status": 502},
    {"action": "http", "status": 200},
    {"action": "error", "code": "611"},
    {"action": "error", "code": "713"},
    {"action": "error", "code": "606"},
    {"action": "error", "code": "1016"},
    {"action": "cut", "bytes": 50},
)


def scenario(folder: Path, seed: int, **options: Any) -> tuple[Intake, People, random.Random]:
    """An instance whose queue others fill more or less, and answers that are lost by the seed."""
    rng = random.Random(f"ambiguity {seed}")
    options = {"file_bytes": 2_000, "import_seconds": (20.0, 150.0), "leads": 8, "poll_seconds": 30.0, **options}
    intake = Intake(folder, seed, in_memory=True, **options)
    intake.others(rng.choice([0, 0, 3, 8]), rng.uniform(30.0, 300.0))
    rules = [{**rng.choice(LOSSES), "path": CREATE, "probability": rng.uniform(0.3, 0.8)} for _ in range(2)]
    if rng.random() < 0.3:
        rules.append({**rng.choice(LOSSES), "path": "*", "probability": 0.1, "times": 5})
    intake.faults(*rules)
    return intake, intake.people(ROWS, shares=SHARES), rng


@seeded
async def ambiguous(folder: Path, seed: int, *, drain: timedelta = DRAIN, **parts: Any) -> tuple[list[str], int, int]:
    """One import of a seed until it is closed: what is wrong, how many chunks were looked for, rows unresolved."""
    intake, people, rng = scenario(folder, seed, drain=drain)
    asked = intake.asked(people, failures_max=1.0)
    for _ in range(rng.choice([0, 1, 1, 2])):
        if not await intake.is_closed():
            await intake.ending(asked, Life(rng.randint(1, 90) if rng.random() < 0.7 else None), **parts)
    intake.faults()
    await intake.close(asked, **parts)
    wrong = await problems(intake, people)
    looked = [job for job in await intake.jobs() if job.state == states.CONFIRMED or job.attempt]
    return [f"seed {seed}: {problem}" for problem in wrong], len(looked), (await intake.told()).counts["unresolved"]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_lost_answers_double_nobody_and_lose_no_row(tmp_path: Path, shard: int) -> None:
    """Whatever answers are lost and whichever processes die: when faults stop, the run ends with every row known."""
    wrong, looked, unresolved = list[str](), 0, 0
    for seed in range(shard, SEEDS, SHARDS):
        with quick_folder(tmp_path) as folder:
            found, chunks, rows = ambiguous(folder, seed=seed)
        wrong, looked, unresolved = wrong + found, looked + chunks, unresolved + rows
    assert [] == wrong
    # It was about something: chunks were looked for, and rows that Marketo does not take were among them.
    assert looked > SEEDS / SHARDS / 2
    assert 0 < unresolved < looked


class Hasty(Through):
    """Sends again at once what was sent and not answered."""

    async def move(self, job: Job, event: str, /, **facts: Any) -> Job:
        moved: Job = await self.store.move(job, "not taken" if event == "lost" else event, **facts)
        return moved


class Forgetful(Through):
    """Writes a batch id down only when there is more to write about its chunk."""

    def __init__(self, store: JobStore) -> None:
        super().__init__(store)
        self._kept: dict[str, dict[str, Any]] = {}

    async def move(self, job: Job, event: str, /, **facts: Any) -> Job:
        if event == "accepted":
            self._kept[job.id] = facts
            return replace(job, state=states.ACCEPTED, facts={**job.facts, **facts}, seq=job.seq + 1)
        if job.id in self._kept:
            before = replace(job, state=states.SENDING, seq=job.seq - 1)
            job = await self.store.move(before, "accepted", **self._kept.pop(job.id))
        moved: Job = await self.store.move(job, event, **facts)
        return moved


class Unguarded(Through):
    """Knows of no other import: two processes may bring the same people at once."""

    async def jobs(self, instance: str, *, unfinished_only: bool = False, **which: Any) -> list[Job]:
        jobs: list[Job] = [] if unfinished_only else await self.store.jobs(instance, **which)
        return jobs

    async def acquire_lease(self, instance: str, work: str, **more: Any) -> Lease:
        lease: Lease = await self.store.acquire_lease(instance, f"{work} {id(self)}", **more)
        return lease

    async def begin_run(self, instance: str, kind: str, detail: Mapping[str, Any]) -> Run:
        run: Run = await self.store.begin_run(instance, f"{kind} {id(self)}", detail)
        return run


def is_found(folder: Path, *said: str, **parts: Any) -> bool:
    """Whether the check says all of this of one of the first seeds when something is wrong with the engine."""
    wrong = ""
    for seed in range(40):
        with quick_folder(folder) as quick:
            wrong += "\n".join(ambiguous(quick, seed=seed, **parts)[0])
        if all(part in wrong for part in said):
            return True
    return False


def test_a_blind_second_sending_is_caught(tmp_path: Path) -> None:
    """Of a check that catches nothing nobody knows what it is good for: these engines are broken on purpose."""
    assert is_found(tmp_path, "was sent again as", "has 2 leads", keep=Hasty)


def test_a_batch_id_that_is_not_written_down_is_caught(tmp_path: Path) -> None:
    """The process dies while it follows the batch, and the next one has to look for what it had been told."""
    assert is_found(tmp_path, "its answer had come", keep=Forgetful)


def test_a_look_before_the_drain_bound_is_caught(tmp_path: Path) -> None:
    """What waits in the queue is not there yet, is taken for lost, and is sent a second time."""
    assert is_found(tmp_path, "was sent again as", "has 2 leads", drain=timedelta())


@seeded
async def test_keys_that_two_chunks_share_at_once_are_caught(tmp_path: Path) -> None:
    """Two imports of the same new people at the same time make each of them twice, and the check says so."""
    intake = Intake(tmp_path, 1, in_memory=True)
    people = intake.people(ROWS, shares=GOOD)
    asked = intake.asked(people, is_new=True)

    async def one(after: float) -> None:
        await intake.clock.sleep(after)
        async with intake.process(keep=Unguarded) as parts:
            await intake.run(parts, asked)

    async with anyio.create_task_group() as both:
        both.start_soon(one, 0.0)
        both.start_soon(one, 5.0)
    assert any("has 2 leads" in problem for problem in await problems(intake, people))
