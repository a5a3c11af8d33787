"""One run's work as its steps need it: where to, how, and in which files its rows lie."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from syncengine.imports.ambiguity import Policy
from syncengine.imports.body import Rows
from syncengine.imports.header import Column
from syncengine.imports.route import Route
from syncengine.imports.target import Target
from syncengine.imports.upload import Payload
from syncengine.jobs.job import Job

# Beside a chunk's manifest stands which of its rows did not simply go in.
SETTLED_SUFFIX = ".settled"


@dataclass(frozen=True, slots=True)
class Work:
    """One run's work: what is imported where and how, and the folder of ours in which its files lie.

    `bodies` are the files that rows lie in; `drain` is the least time in which a job is certain to have run.
    """

    instance: str
    run_id: str
    target: Target
    columns: Sequence[Column]
    route: Route
    policy: Policy
    folder: Path
    bodies: Sequence[Path] = field(repr=False)
    drain: timedelta = timedelta(hours=1)

    def rows(self, job: Job) -> Rows:
        """The rows of a chunk."""
        return Rows(self.folder / job.facts["manifest"], self.bodies)

    def payload(self, job: Job) -> Payload:
        """What a chunk is made of."""
        return Payload(self.rows(job), self.columns, job.facts["bytes"])

    def settled(self, job: Job) -> Path:
        """Where it stands which rows of a chunk did not simply go in."""
        return self.rows(job).manifest.with_suffix(SETTLED_SUFFIX)

    def listed(self, job: Job, what: str) -> Path:
        """Where Marketo's list of failures or warnings lies."""
        return self._beside(job, f"{what}.csv")

    def _beside(self, job: Job, ending: str) -> Path:
        return self.folder / Path(job.facts["manifest"]).with_suffix(f".{ending}")
