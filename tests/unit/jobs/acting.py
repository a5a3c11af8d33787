"""A handler whose steps a test gives, and a scheduler around it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from syncengine.clock import Clock
from syncengine.jobs.board import Done, Step
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.scheduler import Scheduler

MOVES = Moves(
    "planned",
    {("planned", "send"): "sent", ("sent", "get"): "got", ("got", "apply"): "over"},
    frozenset({"over"}),
)
LANES = {"planned": "vendor", "sent": "vendor", "got": "fetch"}

Act = Callable[[Job], Awaitable[Step]]


class Acting:
    """A handler whose steps are given by the test; its sent jobs stand at the vendor."""

    moves = MOVES

    def __init__(self, act: Act) -> None:
        self._act = act

    async def step(self, job: Job) -> Step:
        return await self._act(job)

    def lane(self, job: Job) -> str | None:
        return LANES.get(job.state)

    def stands(self, job: Job) -> bool:
        return job.state == "sent"


def job(job_id: str, **changes: Any) -> Job:
    return replace(Job(id=job_id, instance="acme", kind="window", state="planned"), **changes)


def scheduler(act: Act, clock: Clock, *, workers: int = 3, vendor: int = 9, fetch: int = 9) -> Scheduler:
    return Scheduler({"window": Acting(act)}, clock, workers=workers, lanes={"vendor": vendor, "fetch": fetch})


def over(one: Job) -> Done:
    return Done(replace(one, state="over", seq=one.seq + 1))
