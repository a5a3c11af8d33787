"""Nights with faults at random: what a seed draws goes wrong for some runs and then stops, and all is whole at the end.

A failing seed replays exactly: run that one test again.
"""

import os
import random
from collections import Counter
from pathlib import Path

import anyio
import pytest

from syncengine.errors import MarketoError, Unavailable
from syncengine.marketo.endpoints import usage
from syncengine.observe.events import Refused
from syncengine.sandbox.exports import FOREVER
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.retry import BUDGET_FLOOR, BUDGET_SHARE, WAITS
from tests.simulation.deaths import dies, mourned
from tests.simulation.faults import drawn
from tests.simulation.nights import Night
from tests.simulation.seeded import Life, seeded
from tests.simulation.test_saturation import client, instance
from tests.virtual import virtual_clock

# More of them with NIGHT_SEEDS=25 and DEADLY_SEEDS=4.
SEEDS = int(os.environ.get("NIGHT_SEEDS", "12"))
DEADLY_SEEDS = int(os.environ.get("DEADLY_SEEDS", "2"))
FAULTS = (3, 12)
ENDS = {"done", "partial", "paused", "Unavailable", "QuotaExhausted", "CredentialsRejected"}
# Refusals after which a call is sent again, though nothing failed: it had to wait, or its token had ended.
NO_FAILURES = {*WAITS, "401", "601", "602"}


def night_of(seed: int, folder: Path) -> Night:
    """The instance of a seed, with its faults."""
    rng = random.Random(f"night {seed}")
    # So few calls as these nights make pass no limit by themselves: half of the instances allow less.
    window, in_flight = rng.choice([(100, 10), (12, 3)])
    return Night(
        folder,
        seed,
        days=rng.choice([20, 40]),
        leads=rng.randint(5, 60),
        activities=rng.randint(20, 100),
        token_seconds=rng.choice([100.0, 600.0, 3_600.0]),
        latency_seconds=rng.choice([(0.02, 0.5), (0.5, 8.0)]),
        bandwidth=rng.choice([None, 4_000.0]),
        job_seconds=rng.choice([(1.0, 2.0), (30.0, 120.0), (200.0, 400.0)]),
        calls_per_window=window,
        in_flight=in_flight,
        jobs_queued=rng.choice([1, 3, 10]),
        faults=tuple(drawn(rng) for _ in range(rng.randint(*FAULTS))),
    )


async def troubled(night: Night, seed: int) -> list[str]:
    """Some runs with faults, as a scheduler would begin them, while people go on working; how each run ended."""
    rng = random.Random(f"runs {seed}")
    ends: list[str] = []
    for _ in range(rng.randint(1, 3)):
        ends.append(await night.ending())
        night.change(update_leads=2, add_leads=1, add_activities=3, seed=rng.random())
        await night.pause()
        await night.clock.sleep(rng.choice([0.0, 3_600.0, 8 * 3_600.0]))
    night.server.set_faults([])
    return ends


@pytest.mark.parametrize("seed", range(SEEDS))
@seeded
async def test_whatever_goes_wrong_the_first_calm_run_is_whole(tmp_path: Path, seed: int) -> None:
    """Each run ends by itself and says how, and keeps every limit; a fault costs one retry, a lost job one export."""
    night = night_of(seed, tmp_path)
    script = night.server._faults
    ends = await troubled(night, seed)
    assert set() == set(ends) - ENDS
    await night.settle()
    assert "done" == await night.ending(), (ends, night.last_error)
    assert [] == await losses(night)
    # What was sent again because it failed; waits for room and turns of the token are no failures.
    retries = [each.code for each in night.events if isinstance(each, Refused) and each.code not in NO_FAILURES]
    assert len(retries) <= sum(script._struck), Counter(retries)


@pytest.mark.parametrize("seed", range(DEADLY_SEEDS))
@seeded
async def test_faults_and_deaths_together_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Eight processes, of which most die while calls fail; the first calm one that lives makes the night whole."""
    night, rng = night_of(1_000 + seed, tmp_path), random.Random(f"deaths {seed}")
    ends = set()
    for _ in range(8):
        try:
            await dies(night, Life(rng.randint(1, 300)))
        except MarketoError as error:
            ends.add(type(error).__name__)
            night.last_error = error
        night.change(update_leads=2, add_leads=1, add_activities=3, seed=rng.random())
        await mourned(night)
    assert set() == ends - ENDS
    night.server.set_faults([])
    await night.pause()
    await night.settle()
    assert "done" == (await night.endings(2))[-1], night.last_error
    assert [] == await losses(night)


async def losses(night: Night) -> list[str]:
    """What is wrong after the last run: `problems`, and more exports than windows and lost jobs ask for."""
    found = await night.problems()
    jobs, exports = await night.jobs(), night.server.exports._jobs.values()
    lost = sum(job.attempt for job in jobs)
    if (ran := sum(export.started_at < FOREVER for export in exports)) > len(jobs) + lost:
        found.append(f"{ran} exports were made for {len(jobs)} windows, {lost} of them lost")
    if not lost and (metered := night.exported_bytes()) != await night.applied_bytes():
        found.append(f"{metered} bytes were exported for {await night.applied_bytes()}")
    return found


@seeded
async def test_an_instance_in_trouble_is_asked_for_a_tenth_more_at_most() -> None:
    """Half of all calls fail, for minutes at full load: retries are a tenth of the calls, and the others give up."""
    first_tries = gave_up = 0
    server, clock = instance(1), virtual_clock()
    server.set_faults([{"action": "error", "code": "713", "probability": 0.5, "path": "/rest/*"}])
    engine = client(server, clock, MemorySlotStore(), "engine", 1)

    async def work() -> None:
        nonlocal first_tries, gave_up
        while clock.monotonic() < until:
            first_tries += 1
            try:
                await engine.send(usage.today())
            except Unavailable:
                gave_up += 1

    until = clock.monotonic() + 480.0
    async with anyio.create_task_group() as workers:
        for _ in range(20):
            workers.start_soon(work)
    retries = server.report()["calls"]["usage"] - first_tries
    assert gave_up > 0.3 * first_tries
    assert 0.8 * BUDGET_SHARE * first_tries < retries <= BUDGET_SHARE * first_tries + BUDGET_FLOOR
