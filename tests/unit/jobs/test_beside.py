"""Two flows in one queue: each has its own outcome."""

from dataclasses import replace

from syncengine.jobs.board import Done, Failed, Go, Outcome, Step
from syncengine.jobs.job import Job
from syncengine.jobs.scheduler import Beside, Scheduler
from tests.unit.jobs.acting import Acting, job, over
from tests.virtual import virtual, virtual_clock

WIDE = {"vendor": 9, "fetch": 9}


async def act(one: Job) -> Step:
    """Fail those that are called so, and end the others after a step."""
    if one.id.startswith("bad"):
        return Failed(one, ValueError(one.id))
    return Go(replace(one, state="sent", seq=1)) if one.state == "planned" else over(one)


def assets(name: str) -> Job:
    """A job of the flow beside."""
    return job(name, kind="assets")


def ids(outcome: Outcome) -> tuple[list[str], list[str], list[str]]:
    """What became of which jobs."""
    return (
        sorted(each.id for each in outcome.done),
        sorted(each.job.id for each in outcome.failed),
        sorted(each.id for each in outcome.left),
    )


def beside(*jobs: Job) -> Beside:
    """A flow beside another one."""
    return Beside({"assets": Acting(act)}, {}, jobs, lambda _: None)


def test_an_outcome_is_split_by_the_kinds_of_jobs() -> None:
    """Nothing is lost, nothing is in both, and the order stays."""
    made = beside()
    mine = Outcome((assets("a"), assets("b")), (Failed(assets("c"), ValueError("c")),), (assets("d"),))
    others = Outcome((job("w"), job("x")), (Failed(job("y"), ValueError("y")),), (job("z"),))
    mixed = Outcome(
        (others.done[0], mine.done[0], mine.done[1], others.done[1]),
        (*mine.failed, *others.failed),
        (*others.left, *mine.left),
    )
    assert others == made.split(mixed)
    assert mine == made.outcome


def test_an_outcome_of_one_flow_alone_leaves_the_other_empty() -> None:
    """Before anything has run, nothing has become of anything."""
    made, nothing = beside(), Outcome((), (), ())
    assert nothing == made.outcome
    only_others = Outcome((job("w"),), (), ())
    assert only_others == made.split(only_others)
    assert nothing == made.outcome
    only_mine = Outcome((), (), (assets("a"),))
    assert nothing == made.split(only_mine)
    assert only_mine == made.outcome


@virtual
async def test_jobs_of_two_flows_go_through_one_queue() -> None:
    """And each flow learns what became of its own."""
    made = beside(assets("a"), assets("bad a"))
    scheduler = Scheduler({"window": Acting(act), **made.handlers}, virtual_clock(), workers=2, lanes=WIDE)
    outcome = await scheduler.run([job("w"), *made.jobs, job("bad w"), job("x")])
    assert (["w", "x"], ["bad w"], []) == ids(made.split(outcome))
    assert (["a"], ["bad a"], []) == ids(made.outcome)


@virtual
async def test_a_stop_leaves_jobs_to_either_flow() -> None:
    """They are told as left, each to its own."""

    async def stopping(one: Job) -> Step:
        scheduler.stop()
        return Done(replace(one, state="over", seq=1))

    made = beside(assets("a"), assets("b"))
    handlers = {"window": Acting(stopping), "assets": Acting(stopping)}
    scheduler = Scheduler(handlers, virtual_clock(), workers=1, lanes=WIDE)
    outcome = await scheduler.run([job("w", priority=-1), job("x", priority=9), *made.jobs])
    assert (["w"], [], ["x"]) == ids(made.split(outcome))
    assert ([], [], ["a", "b"]) == ids(made.outcome)
