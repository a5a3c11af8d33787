"""Runs as the journal and their folders have them: planned, found again, and cleared away."""

import shutil
from dataclasses import astuple
from datetime import timedelta

from syncengine.errors import ConfigError, SourceUnusable
from syncengine.imports import states
from syncengine.imports.header import Column
from syncengine.imports.manifest import sync_folder
from syncengine.imports.parts import Parts, Terms
from syncengine.imports.prepare import Prepared
from syncengine.imports.route import Route
from syncengine.imports.target import Target
from syncengine.imports.work import Work
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.threads import run_blocking

# What lies in our folder for so long and belongs to no run is nobody's.
LEFT_BEHIND = timedelta(days=1)


async def planned(parts: Parts, plan: Prepared, terms: Terms, epoch: int) -> Job:
    """Give a plan its name and write it down: the run and all its chunks in one transaction."""
    now = parts.client.clock.now()
    run_id = f"{now:%Y%m%d-%H%M%S}-{plan.fingerprint[:4]}"
    number = 1
    while (parts.folder / run_id).exists() or await parts.store.get(parts.instance, run_id):
        number += 1
        run_id = f"{now:%Y%m%d-%H%M%S}-{plan.fingerprint[:4]}-{number}"
    target = plan.asked.target
    run = Job(
        id=run_id,
        instance=parts.instance,
        kind=states.IMPORT,
        state=states.OPEN,
        group=target.work,
        epoch=epoch,
        facts={
            "target": target.facts(),
            "route": plan.route.value,
            "fingerprint": plan.fingerprint,
            "columns": [list(astuple(each)) for each in plan.columns],
            "sources": list(plan.sources),
            "bodies": [body.facts() for body in plan.bodies],
            "rows": plan.rows,
            "quarantined": plan.quarantined,
            "superseded": plan.superseded,
            "retries": plan.asked.retries,
            "terms": terms.facts(),
        },
    )
    chunks = [
        Job(
            id=f"{run_id}-{number:06}",
            instance=parts.instance,
            kind=states.CHUNK,
            state=states.PLANNED,
            group=run_id,
            place=number,
            epoch=epoch,
            facts={"run": run_id, "manifest": manifest, "rows": rows, "bytes": size, "sha256": sha256},
        )
        for number, ((manifest, rows, size), sha256) in enumerate(zip(plan.chunks, plan.hashes, strict=True), 1)
    ]

    def adopt_folder() -> None:
        plan.folder.rename(parts.folder / run_id)
        sync_folder(parts.folder)

    await run_blocking(adopt_folder)
    stored, *_ = await parts.store.plan([run, *chunks])
    return stored


async def found(store: JobStore, instance: str, run_id: str) -> Job:
    """A run by its id; raises ConfigError when there is none."""
    job = await store.get(instance, run_id)
    if job is None or job.kind != states.IMPORT:
        raise ConfigError(f"there is no import run {run_id!r}", advice="`syncengine imports` lists them.")
    return job


async def open_run(parts: Parts, run_id: str) -> Job:
    """A run that has not ended; raises ConfigError when there is none, or when it has."""
    run = await found(parts.store, parts.instance, run_id)
    if run.state == states.CLOSED:
        raise ConfigError(
            f"run {run_id} has ended: nothing of it is left to be done",
            advice=f"`syncengine imports show {run_id}` says how, and `imports retry-failed {run_id}` sends "
            "its failed rows again.",
        )
    return run


async def chunks_of(store: JobStore, run: Job) -> list[Job]:
    """The chunks of a run that count: one that was cut in two stands for nothing any more."""
    jobs = await store.jobs(run.instance, kind=states.CHUNK, group=run.id)
    return [job for job in jobs if job.state != states.REPLACED]


async def unfinished(parts: Parts, work: str) -> list[Job]:
    """The runs of this work that have not ended."""
    return await parts.store.jobs(parts.instance, kind=states.IMPORT, group=work, unfinished_only=True)


def work_of(parts: Parts, run: Job, terms: Terms) -> Work:
    """A run's work, from the journal; raises SourceUnusable when its folder is gone."""
    facts, folder = run.facts, parts.folder / run.id
    if not folder.is_dir():
        raise SourceUnusable(
            f"the working files of run {run.id} are gone from {parts.folder}.",
            advice="Without them nobody can tell which rows its chunks hold: give the run up (`syncengine imports "
            f"abandon {run.id}`), and import anew what its account does not call imported.",
        )
    return Work(
        instance=run.instance,
        run_id=run.id,
        target=Target.of(facts["target"]),
        columns=tuple(Column(*each) for each in facts["columns"]),
        route=Route(facts["route"]),
        policy=terms.policy,
        folder=folder,
        bodies=tuple(folder / each["path"] for each in facts["bodies"]),
        drain=parts.drain,
    )


async def tidy(parts: Parts, plan: Prepared) -> None:
    """Remove what runs have left behind that ended, or died before the journal knew of them: it holds people's rows."""
    runs = await parts.store.jobs(parts.instance, kind=states.IMPORT)
    kept = {plan.folder.name, *(run.id for run in runs if run.state != states.CLOSED)}
    closed = {run.id for run in runs if run.state == states.CLOSED}

    def remove() -> None:
        # Files have this machine's time, and the instance may live in another.
        oldest = plan.folder.stat().st_mtime - LEFT_BEHIND.total_seconds()
        for path in parts.folder.iterdir():
            # A younger one may be another process's, which is about to begin.
            if path.name in closed or (path.name not in kept and path.stat().st_mtime < oldest):
                shutil.rmtree(path, ignore_errors=True)

    await run_blocking(remove)
