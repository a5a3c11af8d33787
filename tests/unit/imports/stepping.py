"""A run whose chunks are taken by hand, as a scheduler would take them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from syncengine.imports.ambiguity import Policy
from syncengine.imports.answers import Answering
from syncengine.imports.brake import Brake
from syncengine.imports.parts import Terms
from syncengine.imports.route import Route
from syncengine.imports.run import Chunks
from syncengine.imports.runs import chunks_of, planned, work_of
from syncengine.imports.upload import import_target
from syncengine.imports.watch import Batches
from syncengine.jobs.board import Failed, Later, Step, Wait
from syncengine.jobs.job import Job
from syncengine.marketo.endpoints import imports
from tests.unit.imports.world import TERMS, World, asked, build, people

CREATE = "/bulk/v1/leads.json"
SYNC = "/rest/v1/leads.json"
STEPS_MAX = 60


@dataclass
class Stepping:
    """A planned run, and the handler of its chunks as a run has it."""

    world: World
    chunks: Chunks
    batches: Batches
    brake: Brake
    run: Job
    folder: Path

    async def first(self) -> Job:
        """The first chunk as the journal has it."""
        return (await chunks_of(self.world.parts.store, self.run))[0]

    async def until(self, job: Job, state: str) -> Job:
        """Go on with the chunk until it is in `state`, letting pass the time that it asks for."""
        for _ in range(STEPS_MAX):
            if job.state == state:
                return job
            step = await self.chunks.step(job)
            assert not isinstance(step, Failed), step
            job = step.job
            await self.pass_time(step)
        raise AssertionError(f"{job.state} is as far as it came")

    async def pass_time(self, step: Step) -> None:
        if isinstance(step, Later):
            await self.world.clock.sleep(step.seconds)
        if isinstance(step, Wait):
            await self.world.clock.sleep(120.0)
            await self.batches.poll()


async def stepping(
    folder: Path,
    *faults: Mapping[str, Any],
    rows: int = 5,
    route: Route = Route.BULK,
    policy: Policy = Policy.VERIFY,
    share: float = 0.2,
    bad_rows: int = 0,
    **options: Any,
) -> Stepping:
    """A run of so many people that is planned and not begun; Marketo refuses the `bad_rows` after them."""
    world = build(folder, *faults, **options)
    bad = [(f"bad{number}@x.example", "B", "9999999999") for number in range(bad_rows)]
    async with world.desk().plan(asked(world.file(*people(rows), *bad), route=route)) as (plan, _):
        terms = replace(TERMS, policy=policy)
        run = await planned(world.parts, plan, terms, 1)
    return handled(world, run, terms, share)


def handled(world: World, run: Job, terms: Terms = TERMS, share: float = 0.2) -> Stepping:
    """A handler for a run, as each process makes its own."""
    work = work_of(world.parts, run, terms)
    target = import_target(work.target)
    batches = Batches(world.client, lambda batch_id: imports.status(target, batch_id), 30.0, lambda _: None)
    brake = Brake(share)
    chunks = Chunks(
        world.client,
        Answering(work.route, world.client),
        world.parts.store,
        work,
        batches,
        brake=brake,
        observe=world.events.append,
    )
    return Stepping(world, chunks, batches, brake, run, work.folder)


def emails(count: int) -> list[str]:
    """The keys of so many people."""
    return [email for email, _, _ in people(count)]
