"""What every JobStore promises about runs and leases, whatever it keeps its records in."""

from pathlib import Path

import pytest

from syncengine.errors import AlreadyRunning, LeaseLost
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from tests.conformance.stores import KINDS, HandClock, Opening, opening_of
from tests.virtual import virtual


@pytest.fixture(params=KINDS)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    return opening_of(request.param, tmp_path)


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
