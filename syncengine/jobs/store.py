"""The journal as a protocol: what a store of jobs, runs and leases promises, whatever it keeps them in.

Every call is one transaction, durable when it returns. A call that was cancelled has happened or has not; the caller
reads the job again to know. All records belong to an instance and nothing is visible across instances.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from syncengine.errors import StateUnusable
from syncengine.jobs.job import HistoryEntry, Job, Moves, Run
from syncengine.jobs.lease import LeaseStore

INTERRUPTED = "interrupted"  # the outcome of a run whose process never came to say one


class JobStore(LeaseStore, Protocol):
    """Raises StateUnusable when the storage is damaged or stays locked, NoSpace when the disk is full."""

    async def claim(self, instance: str, origin: str) -> None:
        """Tie an instance's name to where its work comes from, for good once there is any.

        Raises StateUnusable when the work under that name is another origin's.
        """
        ...

    async def plan(self, jobs: Sequence[Job]) -> list[Job]:
        """Write down all these jobs or none, and give them as stored; one whose id exists is left as it is.

        Raises IllegalMove for a job that does not stand at its kind's beginning.
        """
        ...

    async def move(self, job: Job, event: str, /, *, attempt: int | None = None, **facts: Any) -> Job:
        """Apply an event to a job as last seen, and merge `facts` into its own.

        Raises IllegalMove when its state does not allow the event or it has moved on since it was seen, LeaseLost
        when a later epoch has adopted it. Nothing is written then.
        """
        ...

    async def replace(
        self, jobs: Sequence[Job], event: str, /, by: Sequence[Job], **facts: Any
    ) -> tuple[list[Job], list[Job]]:
        """Apply an event to jobs as `move` does and write down others in their place, all or nothing; gives both.

        Raises IllegalMove and LeaseLost as `plan` and `move` do.
        """
        ...

    async def adopt(self, jobs: Sequence[Job], epoch: int) -> list[Job]:
        """Make these jobs the present holder's, all or none; from then on an earlier holder's moves are refused.

        Raises LeaseLost when a later epoch has one of them.
        """
        ...

    async def jobs(
        self, instance: str, *, kind: str | None = None, group: str | None = None, unfinished_only: bool = False
    ) -> list[Job]:
        """The jobs of an instance by priority, place and id."""
        ...

    async def get(self, instance: str, job_id: str) -> Job | None:
        """The job as it stands now."""
        ...

    async def history(self, instance: str, job_id: str) -> list[HistoryEntry]:
        """Every move of a job, from its planning on, without gaps."""
        ...

    async def begin_run(self, instance: str, kind: str, detail: Mapping[str, Any]) -> Run:
        """Open a run. Open ones of the same kind are closed as interrupted: their lease must be the caller's now."""
        ...

    async def end_run(self, run: Run, outcome: str, report: Mapping[str, Any]) -> Run:
        """Close a run; raises LeaseLost when another process has closed it as interrupted."""
        ...

    async def runs(self, instance: str, limit: int) -> list[Run]:
        """The latest runs, newest first."""
        ...

    async def remember(self, instance: str, name: str, value: Any) -> None:
        """Keep a JSON value about the instance under a name, in place of an earlier one."""
        ...

    async def recall(self, instance: str, name: str) -> Any:
        """The value that was kept under a name, or None."""
        ...


def check_origin(instance: str, wanted: str, known: str) -> None:
    """Raise StateUnusable when the records of an instance come from elsewhere: ids would mean other rows there."""
    if wanted != known:
        raise StateUnusable(
            f"the state folder holds the work of {instance!r} at {known}, and not at {wanted}",
            advice="Give this instance another name, or another [state] path, and a [destination] schema of its own.",
        )


def moves_of(moves: Mapping[str, Moves], job: Job) -> Moves:
    """The table of a job's kind; raises ValueError for a kind that this store was not made for."""
    try:
        return moves[job.kind]
    except KeyError:
        raise ValueError(f"job {job.id!r} is of kind {job.kind!r}, which has no table of moves here") from None
