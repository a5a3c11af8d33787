"""One holder per kind of work: who has it, whether that process still lives, and which epoch fences it.

Theory of operation
-------------------
A lease is a row (instance, work). Taking it counts its `epoch` up, and the epoch goes with everything that the holder
writes: the destination and the journal refuse a lower one. So the lease keeps honest processes apart, and the epoch
keeps out the one that believes it still holds a lease that has passed on.

A lease passes on when its holder gave it back, is known to be dead, or has not renewed it for the time it promised
(`ttl_seconds`, of the holder's own clock). Dead is what this machine can prove: the machine was started again since, or
no process with that pid *and* that start time exists (pids are used again). Of a process in another pid namespace, a
container beside ours, nothing can be proven, and only the time decides.

A living process may lose its lease too: frozen for longer than it promised. It finds out at its next renewal, and what
it tries to write before that is refused by the epoch.

Separate from the stores so that who may take a lease is one plain function for all of them.
"""

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import anyio

from syncengine.clock import Clock
from syncengine.errors import AlreadyRunning, LeaseLost, SyncEngineError

LEASE_TTL_SECONDS = 120.0
RENEWALS_PER_TTL = 6


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, told apart from all others; what a platform does not offer is empty."""

    pid: int
    host: str
    boot: str = ""  # identifies the machine's present start
    namespace: str = ""  # pids mean something only within it
    started: str = ""  # ticks from the machine's start to the process's

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one kind of work. With no holder it is free, and remembers its last epoch."""

    instance: str
    work: str
    epoch: int
    holder: Holder | None
    since: datetime
    renewed_at: datetime
    ttl_seconds: float

    @property
    def runs_out_at(self) -> datetime:
        """When the holder has been silent for too long."""
        return self.renewed_at + timedelta(seconds=self.ttl_seconds)


class LeaseStore(Protocol):
    """The part of a store that keeps leases; each call is one transaction."""

    async def acquire_lease(self, instance: str, work: str, *, at_least: int = 0) -> Lease:
        """Take the lease with an epoch above the stored one and `at_least`; raises AlreadyRunning when it is held."""
        ...

    async def renew(self, lease: Lease) -> Lease:
        """Say that the holder lives; raises LeaseLost when the lease has passed on."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease back; of one that has passed on nothing is left to give."""
        ...

    async def leases(self, instance: str) -> list[Lease]:
        """All leases that somebody holds, dead or alive, by name of their work."""
        ...


def is_held(lease: Lease, at: datetime | None, is_dead: Callable[[Holder], bool] | None = None) -> bool:
    """Whether somebody may still be at work under a lease at `at`; None, where clocks differ, leaves time out."""
    if lease.holder is None or (at is not None and at >= lease.runs_out_at):
        return False
    return not (is_dead or known_dead)(lease.holder)


def granted(
    stored: Lease | None, wanted: Lease, *, at_least: int, is_dead: Callable[[Holder], bool] | None = None
) -> Lease:
    """`wanted` with its epoch, when `stored` stands in nobody's way; raises AlreadyRunning when it does."""
    if stored and is_held(stored, wanted.since, is_dead):
        raise AlreadyRunning(
            f"{stored.work!r} of {stored.instance!r} is already running: {stored.holder}"
            f" since {stored.since:%Y-%m-%dT%H:%M:%SZ}",
            holder=str(stored.holder),
            advice=f"Wait for it to end, or stop it. If it has died unseen, its claim ends at "
            f"{stored.runs_out_at:%Y-%m-%dT%H:%M:%SZ}.",
        )
    return replace(wanted, epoch=max(stored.epoch if stored else 0, at_least) + 1)


def renewed(stored: Lease | None, lease: Lease, at: datetime) -> Lease:
    """`lease`, held on from `at`; raises LeaseLost when it is no longer the caller's."""
    if stored is None or (stored.epoch, stored.holder) != (lease.epoch, lease.holder):
        taker = f", now {stored.holder}" if stored and stored.holder else ""
        raise LeaseLost(
            f"{lease.work!r} of {lease.instance!r} has passed to another holder{taker}",
            advice="This process was silent for too long (suspended, or starved). The other one goes on with the work.",
        )
    return replace(lease, renewed_at=at)


@asynccontextmanager
async def holding(
    store: LeaseStore, clock: Clock, instance: str, work: str, *, at_least: int = 0
) -> AsyncIterator[Lease]:
    """Hold a lease over a block. When it is lost the block is cancelled and LeaseLost raised.

    A renewal that fails for another reason, a full disk say, is tried again until the lease's time is over.
    """
    lease = await store.acquire_lease(instance, work, at_least=at_least)
    lost: list[LeaseLost] = []
    failed: list[Exception] = []

    async def renew_regularly(block: anyio.CancelScope) -> None:
        current = lease
        while True:
            await clock.sleep(lease.ttl_seconds / RENEWALS_PER_TTL)
            try:
                current = await store.renew(current)
            except LeaseLost as error:
                lost.append(error)
            except SyncEngineError as error:
                if clock.now() < current.runs_out_at:
                    continue
                lost.append(LeaseLost(f"{work!r} of {instance!r} could not be renewed: {error}", advice=error.advice))
            if lost:
                block.cancel()
                return

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(renew_regularly, group.cancel_scope)
            try:
                yield lease
            except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
                failed.append(error)
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True), suppress(SyncEngineError):
            # A lease that cannot be given back ends with this process all the same.
            await store.release(lease)
    for reason in (*lost, *failed):
        raise reason


def this_process() -> Holder:
    """The process that asks, as others can look for it."""
    return Holder(
        pid=os.getpid(),
        host=socket.gethostname(),
        boot=_read("/proc/sys/kernel/random/boot_id"),
        namespace=_pid_namespace(),
        started=_start_of(os.getpid()) or "",
    )


def known_dead(holder: Holder) -> bool:
    """Whether it is certain, from here, that the process is gone."""
    here = this_process()
    if holder.host != here.host:
        return False
    if holder.boot != here.boot:
        return True
    if holder.namespace != here.namespace:
        return False
    if not holder.started:
        return not _exists(holder.pid)
    return _start_of(holder.pid) != holder.started


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _start_of(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat; None for a process that is gone, or dead and waiting to be collected."""
    # The second field is the program's name in brackets and may hold anything, brackets and blanks included.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return None if not fields or fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
