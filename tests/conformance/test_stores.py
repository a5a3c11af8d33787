"""What every JobStore promises about jobs, whatever it keeps its records in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import IllegalMove, LeaseLost, StateUnusable
from syncengine.jobs.job import Job
from tests.conformance.stores import KINDS, START, HandClock, Opening, opening_of
from tests.virtual import virtual


@pytest.fixture(params=KINDS)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    return opening_of(request.param, tmp_path)


def window(job_id: str, **changes: Any) -> Job:
    return replace(Job(id=job_id, instance="acme", kind="window", state="planned", group="leads"), **changes)


@virtual
async def test_a_name_is_tied_to_its_origin_once_there_is_work(opening: Opening) -> None:
    """A mistyped origin can be mended before the first job; after it another is refused, and another name is free."""
    async with opening(HandClock()) as store:
        await store.claim("acme", "https://mistyped.example")
        await store.claim("acme", "https://one.example")
        await store.plan([window("w1")])
        await store.claim("acme", "https://one.example")
        await store.claim("globex", "https://two.example")

        with pytest.raises(StateUnusable, match=r"work of 'acme' at https://one\.example, and not at https://two"):
            await store.claim("acme", "https://two.example")


@virtual
async def test_planned_jobs_come_back_as_they_were(opening: Opening) -> None:
    """Every field of a planned job survives storage, and the store says when it was planned."""
    clock = HandClock()
    job = window("w1", facts={"a": 1, "é": [None, "x"]}, attempt=2, priority=3, place=4, after=("w0",), epoch=5)
    async with opening(clock) as store:
        expected = replace(job, seq=1, created_at=START, updated_at=START)

        assert [expected] == await store.plan([job])
        assert expected == await store.get("acme", "w1")


@virtual
async def test_planning_again_changes_nothing(opening: Opening) -> None:
    """A job whose id exists keeps its state, while new ones beside it are planned."""
    async with opening(HandClock()) as store:
        (first,) = await store.plan([window("w1")])
        created = await store.move(first, "create", export_id="e1")

        assert [created, "planned"] == [
            job if job.id == "w1" else job.state for job in await store.plan([window("w1"), window("w2")])
        ]
        assert len(await store.history("acme", "w1")) == 2


@virtual
async def test_planning_is_all_or_nothing(opening: Opening) -> None:
    """One job that does not stand at its beginning keeps all the others out."""
    async with opening(HandClock()) as store:
        with pytest.raises(IllegalMove, match="'w2' is planned in state 'created'"):
            await store.plan([window("w1"), window("w2", state="created")])

        assert await store.jobs("acme") == []


@virtual
async def test_jobs_take_the_place_of_others(opening: Opening) -> None:
    """The old ones are moved and the new ones are there, with all that a move and a plan leave behind."""
    async with opening(HandClock()) as store:
        old = await store.plan([window("w1"), window("w2")])

        after, planned = await store.replace(old, "create", by=[window("w3")], why="too large")

        assert [("w1", "created"), ("w2", "created")] == [(job.id, job.state) for job in after]
        assert [{"why": "too large"}] * 2 == [job.facts for job in after]
        assert [*after, *planned] == await store.jobs("acme")
        assert ["w3"] == [job.id for job in planned]
        assert ["plan", "create"] == [line.event for line in await store.history("acme", "w1")]


@virtual
async def test_jobs_take_the_place_of_others_all_or_not_at_all(opening: Opening) -> None:
    """Neither an old one that has moved on nor a new one at no beginning leaves anything behind."""
    async with opening(HandClock()) as store:
        before = first, second = await store.plan([window("w1"), window("w2")])

        with pytest.raises(IllegalMove, match="'w3' is planned in state 'created'"):
            await store.replace(before, "create", by=[window("w3", state="created")])
        assert before == await store.jobs("acme")

        moved_on = await store.move(second, "create")
        with pytest.raises(IllegalMove, match="'w2'"):
            await store.replace(before, "create", by=[window("w3")])
        assert [first, moved_on] == await store.jobs("acme")
        assert 1 == len(await store.history("acme", "w1"))


@virtual
async def test_a_move_changes_state_facts_and_history(opening: Opening) -> None:
    """A move goes where the table says, merges its facts, and leaves a line in the history."""
    clock = HandClock()
    async with opening(clock) as store:
        (job,) = await store.plan([window("w1", facts={"start": "a", "end": "b"})])
        clock.turn(1.5)
        moved = await store.move(job, "create", attempt=1, export_id="e1", end="c")

        assert (
            moved.state,
            moved.attempt,
            moved.facts,
        ) == ("created", 1, {"start": "a", "end": "c", "export_id": "e1"})
        assert moved == await store.get("acme", "w1")
        assert [("plan", None, "planned", START), ("create", "planned", "created", clock.now())] == [
            (line.event, line.before, line.after, line.at) for line in await store.history("acme", "w1")
        ]


@virtual
async def test_facts_return_as_json(opening: Opening) -> None:
    """A fact is what JSON makes of it from the first moment, not only after it was read again."""
    async with opening(HandClock()) as store:
        (job,) = await store.plan([window("w1")])
        moved = await store.move(job, "create", at=START, pair=(1, 2))

        assert moved.facts == {"at": "2026-03-02T01:30:00+00:00", "pair": [1, 2]}


@virtual
async def test_an_illegal_event_writes_nothing(opening: Opening) -> None:
    """An event that the state does not allow is refused by name and leaves no trace."""
    async with opening(HandClock()) as store:
        (job,) = await store.plan([window("w1")])
        with pytest.raises(IllegalMove, match="'planned' does not allow 'load'; it allows create"):
            await store.move(job, "load", rows=5)

        assert job == await store.get("acme", "w1")
        assert len(await store.history("acme", "w1")) == 1


@virtual
async def test_a_job_moved_by_another_is_refused(opening: Opening) -> None:
    """Of two that hold the same value of a job only the first can move it; the message names both states."""
    async with opening(HandClock()) as store:
        (job,) = await store.plan([window("w1")])
        await store.move(job, "create")
        with pytest.raises(IllegalMove, match=r"stands in 'created' \(move 2\), not in 'planned' \(move 1\)"):
            await store.move(job, "create")


@virtual
async def test_a_state_that_leads_to_itself_is_guarded_too(opening: Opening) -> None:
    """Two moves from the same state to itself cannot both be made from one value."""
    async with opening(HandClock()) as store:
        (job,) = await store.plan([window("w1")])
        created = await store.move(job, "create")
        await store.move(created, "poll", polls=1)
        with pytest.raises(IllegalMove):
            await store.move(created, "poll", polls=1)


@virtual
async def test_a_job_that_was_never_planned_cannot_move(opening: Opening) -> None:
    """A move of an unknown job is refused."""
    async with opening(HandClock()) as store:
        with pytest.raises(IllegalMove, match="not in the journal"):
            await store.move(window("ghost"), "create")


@virtual
async def test_a_kind_without_moves_is_refused(opening: Opening) -> None:
    """A job of a kind that the store was not made for is a mistake of the caller."""
    async with opening(HandClock()) as store:
        with pytest.raises(ValueError, match="kind 'asset'"):
            await store.plan([window("a1", kind="asset")])


@virtual
async def test_an_adopted_job_refuses_its_earlier_holder(opening: Opening) -> None:
    """After a later epoch has adopted a job, whoever held it before can neither move nor adopt it."""
    async with opening(HandClock()) as store:
        old = await store.adopt(await store.plan([window("w1")]), 1)
        new = await store.adopt(old, 2)
        with pytest.raises(LeaseLost, match="later run"):
            await store.move(old[0], "create")
        with pytest.raises(LeaseLost, match="later run"):
            await store.adopt(old, 1)

        assert ((moved := await store.move(new[0], "create")).state, moved.epoch) == ("created", 2)


@virtual
async def test_jobs_are_found_by_kind_group_and_progress(opening: Opening) -> None:
    """Filters combine, and the order is priority, place, id."""
    async with opening(HandClock()) as store:
        jobs = await store.plan(
            [
                window("w3", place=3),
                window("w1", place=1),
                window("w2", place=1, priority=1),
                window("w4", group="activities"),
                window("c1", kind="chunk"),
            ]
        )
        await store.move(await store.move(jobs[1], "create"), "load")

        async def ids(**filters: Any) -> list[str]:
            return [job.id for job in await store.jobs("acme", **filters)]

        assert await ids() == ["c1", "w4", "w1", "w3", "w2"]
        assert await ids(kind="window", unfinished_only=True) == ["w4", "w3", "w2"]
        assert await ids(kind="window", group="leads", unfinished_only=True) == ["w3", "w2"]
        assert await ids(group="activities") == ["w4"]


@virtual
async def test_instances_do_not_see_each_other(opening: Opening) -> None:
    """The same ids may exist in two instances and stay apart: jobs, runs and leases."""
    async with opening(HandClock()) as store:
        ours, theirs = await store.plan([window("w1"), window("w1", instance="other")])
        await store.move(ours, "create")
        await store.begin_run("acme", "sync", {})
        await store.acquire_lease("acme", "sync")

        assert theirs == await store.get("other", "w1")
        assert len(await store.history("other", "w1")) == 1
        assert (await store.runs("other", 10), await store.leases("other")) == ([], [])
        assert (await store.acquire_lease("other", "sync")).epoch == 1
        assert (await store.begin_run("other", "sync", {})).id == 1


@virtual
async def test_what_was_learned_of_an_instance_is_known_again(opening: Opening) -> None:
    """A value is recalled as it was last remembered; another name or another instance has none."""
    async with opening(HandClock()) as store:
        await store.remember("acme", "filter", "updatedAt")
        await store.remember("acme", "filter", {"refused": ["1035"]})
        found = [await store.recall(*asked) for asked in (("acme", "filter"), ("acme", "x"), ("globex", "filter"))]

    assert [{"refused": ["1035"]}, None, None] == found
