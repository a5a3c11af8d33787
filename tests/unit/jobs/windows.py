"""A kind of job with a stretch at a vendor and one on a local resource, for tests of the board."""

from dataclasses import replace
from typing import Any

from syncengine.jobs.job import Job, Moves

# planned -> sent -> ready -> over; one stretch at the vendor, one for a local resource
MOVES = Moves(
    "planned",
    {("planned", "send"): "sent", ("sent", "get"): "got", ("got", "apply"): "over", ("sent", "lose"): "planned"},
    frozenset({"over"}),
)
FOLLOWING = {"planned": "sent", "sent": "got", "got": "over"}
LANES = {"planned": "vendor", "sent": "vendor", "got": "local"}
ERROR = RuntimeError("broken")


class Windows:
    """A kind whose jobs stand at the vendor once they are sent."""

    moves = MOVES

    def lane(self, job: Job) -> str | None:
        return LANES.get(job.state)

    def stands(self, job: Job) -> bool:
        return job.state == "sent"


def job(job_id: str, **changes: Any) -> Job:
    return replace(Job(id=job_id, instance="acme", kind="window", state="planned", seq=1), **changes)


def forward(one: Job) -> Job:
    return replace(one, state=FOLLOWING[one.state], seq=one.seq + 1)
