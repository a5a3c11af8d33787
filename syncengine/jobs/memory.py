"""The journal's twin in memory: the same promises but one, for tests and for runs that need no tomorrow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncengine.clock import Clock
from syncengine.errors import IllegalMove, LeaseLost
from syncengine.jobs.job import PLANNED, HistoryEntry, Job, Moves, Run, adopted, as_json, entry, moved, planned
from syncengine.jobs.lease import LEASE_TTL_SECONDS, Lease, granted, renewed, this_process
from syncengine.jobs.store import INTERRUPTED, check_origin, moves_of


class MemoryJobStore:
    """A JobStore that lasts as long as its process."""

    def __init__(
        self, moves: Mapping[str, Moves], clock: Clock, *, lease_ttl_seconds: float = LEASE_TTL_SECONDS
    ) -> None:
        self._moves = moves
        self._clock = clock
        self._lease_ttl_seconds = lease_ttl_seconds
        self._jobs: dict[tuple[str, str], Job] = {}
        self._history: dict[tuple[str, str], list[HistoryEntry]] = {}
        self._runs: dict[tuple[str, int], Run] = {}
        self._leases: dict[tuple[str, str], Lease] = {}
        self._origins: dict[str, str] = {}
        self._known: dict[tuple[str, str], Any] = {}

    async def claim(self, instance: str, origin: str) -> None:
        if not any(job.instance == instance for job in self._jobs.values()):
            self._origins[instance] = origin
        check_origin(instance, origin, self._origins.setdefault(instance, origin))

    async def plan(self, jobs: Sequence[Job]) -> list[Job]:
        _, fresh = await self.replace((), "", by=jobs)
        return fresh

    async def move(self, job: Job, event: str, /, *, attempt: int | None = None, **facts: Any) -> Job:
        after = self._moved(job, event, attempt, facts)
        self._keep(after, event)
        return after

    async def replace(
        self, jobs: Sequence[Job], event: str, /, by: Sequence[Job], **facts: Any
    ) -> tuple[list[Job], list[Job]]:
        at = self._clock.now()
        fresh = [planned(job, moves_of(self._moves, job), at) for job in by]
        after = [self._moved(job, event, None, facts) for job in jobs]
        for job in fresh:
            if (job.instance, job.id) not in self._jobs:
                self._jobs[job.instance, job.id] = job
                self._history[job.instance, job.id] = [entry(None, job, PLANNED)]
        for job in after:
            self._keep(job, event)
        return after, [self._jobs[job.instance, job.id] for job in by]

    async def adopt(self, jobs: Sequence[Job], epoch: int) -> list[Job]:
        mine = [adopted(self._stored(job), epoch) for job in jobs]
        self._jobs.update({(job.instance, job.id): job for job in mine})
        return mine

    async def jobs(
        self, instance: str, *, kind: str | None = None, group: str | None = None, unfinished_only: bool = False
    ) -> list[Job]:
        found = [
            job
            for job in self._jobs.values()
            if job.instance == instance
            and kind in (None, job.kind)
            and group in (None, job.group)
            and not (unfinished_only and job.state in moves_of(self._moves, job).final)
        ]
        return sorted(found, key=lambda job: (job.priority, job.place, job.id))

    async def get(self, instance: str, job_id: str) -> Job | None:
        return self._jobs.get((instance, job_id))

    async def history(self, instance: str, job_id: str) -> list[HistoryEntry]:
        return list(self._history.get((instance, job_id), ()))

    async def begin_run(self, instance: str, kind: str, detail: Mapping[str, Any]) -> Run:
        now = self._clock.now()
        for key, run in self._runs.items():
            if (run.instance, run.kind, run.outcome) == (instance, kind, None):
                self._runs[key] = replace(run, outcome=INTERRUPTED, ended_at=now)
        number = 1 + max((run.id for run in self._runs.values() if run.instance == instance), default=0)
        self._runs[instance, number] = Run(instance, number, kind, as_json(detail), now)
        return self._runs[instance, number]

    async def end_run(self, run: Run, outcome: str, report: Mapping[str, Any]) -> Run:
        stored = self._runs[run.instance, run.id]
        if stored.outcome is not None:
            raise LeaseLost(f"run {run.id} of {run.instance!r} was closed as {stored.outcome!r} by another process")
        ended = replace(stored, outcome=outcome, ended_at=self._clock.now(), report=as_json(report))
        self._runs[run.instance, run.id] = ended
        return ended

    async def runs(self, instance: str, limit: int) -> list[Run]:
        return sorted((run for run in self._runs.values() if run.instance == instance), key=lambda run: -run.id)[:limit]

    async def remember(self, instance: str, name: str, value: Any) -> None:
        self._known[instance, name] = as_json({"value": value})["value"]

    async def recall(self, instance: str, name: str) -> Any:
        return self._known.get((instance, name))

    async def acquire_lease(self, instance: str, work: str, *, at_least: int = 0) -> Lease:
        now = self._clock.now()
        wanted = Lease(instance, work, 0, this_process(), now, now, self._lease_ttl_seconds)
        lease = granted(self._leases.get((instance, work)), wanted, at_least=at_least)
        self._leases[instance, work] = lease
        return lease

    async def renew(self, lease: Lease) -> Lease:
        current = renewed(self._leases.get((lease.instance, lease.work)), lease, self._clock.now())
        self._leases[lease.instance, lease.work] = current
        return current

    async def release(self, lease: Lease) -> None:
        stored = self._leases.get((lease.instance, lease.work))
        if stored and stored.epoch == lease.epoch:
            self._leases[lease.instance, lease.work] = replace(stored, holder=None)

    async def leases(self, instance: str) -> list[Lease]:
        held = [lease for lease in self._leases.values() if lease.instance == instance and lease.holder]
        return sorted(held, key=lambda lease: lease.work)

    def _moved(self, job: Job, event: str, attempt: int | None, facts: Mapping[str, Any]) -> Job:
        moves, at = moves_of(self._moves, job), self._clock.now()
        return moved(self._stored(job), job, event, moves=moves, at=at, attempt=attempt, facts=facts)

    def _keep(self, job: Job, event: str) -> None:
        before = self._jobs[job.instance, job.id]
        self._jobs[job.instance, job.id] = job
        self._history[job.instance, job.id].append(entry(before, job, event))

    def _stored(self, job: Job) -> Job:
        try:
            return self._jobs[job.instance, job.id]
        except KeyError:
            raise IllegalMove(f"job {job.id!r} of {job.instance!r} is not in the journal") from None
