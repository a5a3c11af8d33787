"""What stands in the way of a run: a source that is no longer what it was, people whom Marketo may still be working on.

Apart from the runs, because each of these is a promise: never another file than was planned, never one person twice.
"""

from collections.abc import Sequence
from pathlib import Path

from syncengine.errors import AlreadyRunning, SourceUnusable
from syncengine.imports import states
from syncengine.imports.bodies import Body, body_of
from syncengine.imports.parts import Parts
from syncengine.imports.prepare import Prepared
from syncengine.imports.runs import chunks_of
from syncengine.jobs.job import Job


def refuse_changed(run: Job, plan: Prepared) -> None:
    """A file that was edited while a run with it is unfinished: neither may be guessed."""
    before = {each["origin"]: each["sha256"] for each in run.facts["sources"] if each["origin"]}
    for each in plan.sources:
        known = before.get(each["origin"])
        if known and each["sha256"] != known:
            raise SourceUnusable(
                f"{each['name']} has changed since run {run.id} was begun with it, and that run is unfinished: "
                f"its SHA-256 was {known[:16]}..., now it is {each['sha256'][:16]}....",
                advice=f"Put it back and resume that run (`syncengine imports resume {run.id}`), give the run up "
                f"(`imports abandon {run.id}`), or import what is there now beside it with --new-run.",
            )


async def refuse_unsettled(parts: Parts, unfinished: Sequence[Job]) -> None:
    """Chunks of an earlier run that Marketo may still work on could bring the same people as ours."""
    for run in unfinished:
        held = [job for job in await chunks_of(parts.store, run) if job.state in states.AT_MARKETO]
        if held:
            count = "1 chunk" if len(held) == 1 else f"{len(held)} chunks"
            raise AlreadyRunning(
                f"run {run.id} is unfinished and has {count} at Marketo: people who are in both could be doubled",
                holder=f"run {run.id}",
                advice=f"Finish it first: `syncengine imports resume {run.id}`; or give it up, if you know what became "
                f"of those rows: `syncengine imports abandon {run.id}`.",
            )


def refuse_other_bodies(bodies: Sequence[Path], run: Job) -> None:
    """Raise SourceUnusable when a file in which rows lie is no longer the one that was planned."""
    for path, facts in zip(bodies, run.facts["bodies"], strict=True):
        try:
            body: Body | None = body_of(path, path.parent)
        except OSError:
            body = None
        if body is None or body.sha256 != facts["sha256"]:
            now = f"now it is {body.sha256[:16]}..." if body else "now it cannot be read"
            raise SourceUnusable(
                f"{path} has changed since run {run.id} was planned: its SHA-256 was {facts['sha256'][:16]}..., {now}.",
                advice=f"Put it back as it was and resume, or give the run up: `syncengine imports abandon {run.id}`.",
            )
