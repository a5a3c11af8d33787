"""Who may take a lease, and what happens to the work of one who loses it."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from syncengine.errors import AlreadyRunning, LeaseLost, NoSpace
from syncengine.jobs.lease import Holder, Lease, granted, holding, is_held, known_dead, renewed, this_process
from syncengine.jobs.memory import MemoryJobStore
from tests.virtual import ORIGIN, virtual, virtual_clock

HELD = Lease("acme", "sync", 4, this_process(), ORIGIN, ORIGIN, 100.0)


def wanted(seconds: float) -> Lease:
    at = ORIGIN + timedelta(seconds=seconds)
    return Lease("acme", "sync", 0, this_process(), at, at, 100.0)


@pytest.mark.parametrize(
    ("stored", "at_least", "epoch"),
    [(None, 0, 1), (None, 9, 10), (replace(HELD, holder=None), 0, 5), (replace(HELD, holder=None), 9, 10)],
)
def test_a_free_lease_is_granted_above_every_known_epoch(stored: Lease | None, at_least: int, epoch: int) -> None:
    """The new epoch is above the stored one and above what the caller brings along."""
    assert epoch == granted(stored, wanted(1), at_least=at_least).epoch


def test_a_dead_holder_is_replaced_at_once() -> None:
    """A lease of a process that is known to be dead need not run out first."""
    assert granted(HELD, wanted(1), at_least=0, is_dead=lambda _: True).epoch == 5


def test_a_holder_that_may_live_is_believed_for_its_time() -> None:
    """Up to the moment that a holder promised, and not beyond, its claim stands."""
    with pytest.raises(AlreadyRunning):
        granted(HELD, wanted(99.9), at_least=0, is_dead=lambda _: False)
    assert granted(HELD, wanted(100), at_least=0, is_dead=lambda _: False).epoch == 5


def test_a_clock_that_was_set_back_breaks_no_lease() -> None:
    """A renewal that seems to lie in the future is taken as fresh."""
    with pytest.raises(AlreadyRunning):
        granted(HELD, wanted(-5000), at_least=0, is_dead=lambda _: False)


@pytest.mark.parametrize(
    ("seconds", "is_dead", "expected"),
    [(0, False, True), (99.9, False, True), (100, False, False), (0, True, False), (None, False, True)],
)
def test_a_lease_is_held_until_its_time_or_its_holder_ends(
    seconds: float | None, is_dead: bool, expected: bool
) -> None:
    """Silence for longer than was promised ends it, and a death that is known; without a clock only the latter."""
    at = None if seconds is None else ORIGIN + timedelta(seconds=seconds)
    assert expected == is_held(HELD, at, lambda _: is_dead)
    assert not is_held(replace(HELD, holder=None), at, lambda _: is_dead)


def test_this_process_is_alive() -> None:
    """The process that asks is not dead."""
    assert not known_dead(this_process())


def test_a_process_that_has_ended_is_dead() -> None:
    """A holder whose process has gone is known to be dead."""
    with subprocess.Popen([sys.executable, "-c", "print(1)"], stdout=subprocess.PIPE) as child:
        child.communicate()
    assert known_dead(replace(this_process(), pid=child.pid))


def test_a_zombie_is_dead() -> None:
    """A process that ended and that nobody has collected does no work any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert known_dead(replace(this_process(), pid=child.pid))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"started": "1"}, True),  # the pid is in use again
        ({"boot": "earlier"}, True),  # the machine was started again
        ({"host": "elsewhere", "pid": 1, "started": "1", "boot": "theirs"}, False),
        ({"namespace": "pid:[1]", "started": "1"}, False),  # a container beside ours
        ({"started": ""}, False),  # only the pid is known, and it exists
        ({"started": "", "pid": 2**22 + 1}, True),  # beyond the largest pid
    ],
)
def test_death_is_only_said_where_it_is_certain(changes: dict[str, str | int], expected: bool) -> None:
    """What this machine can prove is dead; of what it cannot see nothing is said."""
    here: Holder = this_process()
    assert expected == known_dead(replace(here, **changes))  # type: ignore[arg-type]  # mypy cannot match a mapping


def test_renewal_names_the_new_holder() -> None:
    """Who lost a lease is told who has it."""
    taken = replace(HELD, epoch=5, holder=Holder(77, "elsewhere"))
    with pytest.raises(LeaseLost, match="now process 77 on elsewhere"):
        renewed(taken, HELD, ORIGIN)


class Stubborn(MemoryJobStore):
    """A store whose renewals can be made to fail."""

    error: Exception | None = None
    renewals = 0

    async def renew(self, lease: Lease) -> Lease:
        self.renewals += 1
        if self.error:
            raise self.error
        return await super().renew(lease)


@virtual
async def test_a_lease_is_renewed_while_the_block_runs_and_given_back_after() -> None:
    """A block may run for much longer than a lease lasts, and leaves it free."""
    clock = virtual_clock()
    store = Stubborn({}, clock, lease_ttl_seconds=60)
    async with holding(store, clock, "acme", "sync", at_least=3) as lease:
        await clock.sleep(605)
        with pytest.raises(AlreadyRunning):
            await store.acquire_lease("acme", "sync")

    assert (lease.epoch, store.renewals, await store.leases("acme")) == (4, 60, [])


@virtual
async def test_a_lost_lease_cancels_the_block() -> None:
    """When the lease has passed on, the work under it is cancelled and the loss raised, bare."""
    clock = virtual_clock()
    store = Stubborn({}, clock, lease_ttl_seconds=60)
    progress: list[str] = []

    async def work() -> None:
        async with holding(store, clock, "acme", "sync"):
            store.error = LeaseLost("gone")
            try:
                await anyio.sleep_forever()
            finally:
                progress.append("cancelled")

    with pytest.raises(LeaseLost, match="gone"):
        await work()
    assert progress == ["cancelled"]


@virtual
async def test_a_renewal_that_fails_is_tried_again() -> None:
    """A disk that is full for less than the lease's time costs no lease."""
    clock = virtual_clock()
    store = Stubborn({}, clock, lease_ttl_seconds=60)
    async with holding(store, clock, "acme", "sync") as lease:
        store.error = NoSpace("full")
        await clock.sleep(55)
        (unrenewed,), failed = await store.leases("acme"), store.renewals
        store.error = None
        await clock.sleep(60)
        (held,) = await store.leases("acme")
        with pytest.raises(AlreadyRunning):
            await store.acquire_lease("acme", "sync")

    assert (5, ORIGIN) == (failed, unrenewed.renewed_at)
    assert (11, lease.epoch, lease.holder) == (store.renewals, held.epoch, held.holder)
    assert pytest.approx(110, abs=0.1) == (held.renewed_at - ORIGIN).total_seconds()


@virtual
async def test_a_lease_that_cannot_be_renewed_in_time_is_lost() -> None:
    """Whoever cannot say that it lives must take its lease for lost when its time is over."""
    clock = virtual_clock()
    store = Stubborn({}, clock, lease_ttl_seconds=60)
    store.error = NoSpace("full")
    with pytest.raises(LeaseLost, match="could not be renewed: full"):
        async with holding(store, clock, "acme", "sync"):
            await anyio.sleep_forever()

    assert pytest.approx((clock.now() - ORIGIN).total_seconds(), abs=0.001) == 60


@virtual
async def test_the_blocks_own_error_comes_out_bare() -> None:
    """An error of the block is raised as it is, not in a group, and the lease is free again."""
    clock = virtual_clock()
    store = MemoryJobStore({}, clock)
    with pytest.raises(ZeroDivisionError):
        async with holding(store, clock, "acme", "sync"):
            raise ZeroDivisionError

    assert await store.leases("acme") == []


@virtual
async def test_a_cancelled_block_gives_its_lease_back() -> None:
    """Cancelling is a normal way to end: the lease is free at once."""
    clock = virtual_clock()
    store = MemoryJobStore({}, clock)
    with anyio.move_on_after(5) as scope:
        async with holding(store, clock, "acme", "sync"):
            await anyio.sleep_forever()

    assert (scope.cancelled_caught, await store.leases("acme")) == (True, [])
