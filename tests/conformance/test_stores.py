"""What every JobStore promises, whatever it keeps its records in."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.errors import AlreadyRunning, IllegalMove, LeaseLost
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from syncengine.jobs.memory import MemoryJobStore
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore
from tests.virtual import virtual

START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
MOVES = {
    "window": Moves(
        "planned",
        {
            ("planned", "create"): "created",
            ("created", "poll"): "created",
            ("created", "load"): "loaded",
            ("created", "give_up"): "failed",
        },
        frozenset({"loaded", "failed"}),
    ),
    "chunk": Moves("planned", {("planned", "send"): "sent"}, frozenset({"sent"})),
}


class HandClock:
    """A clock that a test turns by hand; nothing here sleeps on it."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def turn(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return (self.instant - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("no store sleeps")

    def fail_after(self, seconds: float) -> Any:
        raise AssertionError("no store sets a time-out")

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        raise AssertionError("no store sets a time-out")

    def real_seconds(self, seconds: float) -> float:
        return seconds


Opening = Callable[[HandClock], AbstractAsyncContextManager[JobStore]]


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """A way to open a store of each kind."""

    @asynccontextmanager
    async def in_memory(clock: HandClock) -> AsyncIterator[JobStore]:
        yield MemoryJobStore(MOVES, clock)

    @asynccontextmanager
    async def on_sqlite(clock: HandClock) -> AsyncIterator[JobStore]:
        async with open_journal(tmp_path / "state" / "journal.db", MOVES, clock) as store:
            yield store

    return {"memory": in_memory, "sqlite": on_sqlite}[request.param]


def window(job_id: str, **changes: Any) -> Job:
    return replace(Job(id=job_id, instance="acme", kind="window", state="planned", group="leads"), **changes)


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
async def test_a_run_has_a_beginning_an_end_and_a_report(opening: Opening) -> None:
    """A run is open until it is ended, and keeps what was said at both moments."""
    clock = HandClock()
    async with opening(clock) as store:
        run = await store.begin_run("acme", "sync", {"streams": ["leads"]})

        assert (run.id, run.outcome, run.ended_at) == (1, None, None)
        assert [run] == await store.runs("acme", 10)
        clock.turn(60)
        ended = await store.end_run(run, "done", {"rows": 7})
        assert ("done", clock.now(), {"rows": 7}) == (ended.outcome, ended.ended_at, ended.report)
        assert [ended] == await store.runs("acme", 10)


@virtual
async def test_a_run_that_never_ended_is_closed_by_the_next(opening: Opening) -> None:
    """The next run of the same kind closes a dead one as interrupted, and leaves other kinds alone."""
    async with opening(HandClock()) as store:
        dead = await store.begin_run("acme", "sync", {})
        other = await store.begin_run("acme", "import", {})
        await store.begin_run("acme", "sync", {})

        assert [(r.id, r.outcome) for r in await store.runs("acme", 10)] == [(3, None), (2, None), (1, "interrupted")]
        with pytest.raises(LeaseLost, match="closed as 'interrupted'"):
            await store.end_run(dead, "done", {})
        assert (await store.end_run(other, "done", {})).outcome == "done"
        assert [run.id for run in await store.runs("acme", 2)] == [3, 2]


@virtual
async def test_a_held_lease_is_refused_with_its_holder(opening: Opening) -> None:
    """While its holder lives, the same work cannot begin again, and the refusal says who has it since when."""
    async with opening(HandClock()) as store:
        lease = await store.acquire_lease("acme", "sync leads")
        with pytest.raises(AlreadyRunning, match=r"'sync leads' of 'acme' .* since 2026-03-02T01:30:00Z") as refusal:
            await store.acquire_lease("acme", "sync leads")

        assert str(lease.holder) == refusal.value.holder
        assert [lease] == await store.leases("acme")
        assert (await store.acquire_lease("acme", "import")).epoch == 1


@virtual
async def test_epochs_only_grow(opening: Opening) -> None:
    """Each holder's epoch is above all before it, and above what the caller knows from elsewhere."""
    async with opening(HandClock()) as store:
        first = await store.acquire_lease("acme", "sync")
        await store.release(first)
        second = await store.acquire_lease("acme", "sync", at_least=7)
        await store.release(second)
        third = await store.acquire_lease("acme", "sync", at_least=3)

        assert (first.epoch, second.epoch, third.epoch) == (1, 8, 9)


@virtual
async def test_a_silent_holder_loses_its_lease(opening: Opening) -> None:
    """A lease that was not renewed for its time goes to whoever asks, and its old holder is told so."""
    clock = HandClock()
    async with opening(clock) as store:
        old = await store.acquire_lease("acme", "sync")
        clock.turn(LEASE_TTL_SECONDS)
        new = await store.acquire_lease("acme", "sync")

        assert (old.epoch, new.epoch) == (1, 2)
        with pytest.raises(LeaseLost, match="passed to another holder"):
            await store.renew(old)
        await store.release(old)
        assert [new] == await store.leases("acme")


@virtual
async def test_a_renewed_lease_stays(opening: Opening) -> None:
    """Renewals keep a lease for as long as they come."""
    clock = HandClock()
    async with opening(clock) as store:
        lease = await store.acquire_lease("acme", "sync")
        for _ in range(3):
            clock.turn(LEASE_TTL_SECONDS - 1)
            lease = await store.renew(lease)
        with pytest.raises(AlreadyRunning):
            await store.acquire_lease("acme", "sync")


@virtual
async def test_a_released_lease_cannot_be_renewed(opening: Opening) -> None:
    """Who has given a lease back has none."""
    async with opening(HandClock()) as store:
        lease = await store.acquire_lease("acme", "sync")
        await store.release(lease)
        with pytest.raises(LeaseLost):
            await store.renew(lease)

        assert await store.leases("acme") == []
