"""The door of this room: everything that can be asked of imports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from syncengine.errors import ConfigError
from syncengine.imports import states
from syncengine.imports.account import ABANDONED, plan_of, summary_of
from syncengine.imports.ambiguity import SLOWEST
from syncengine.imports.asked import Asked
from syncengine.imports.describing import described
from syncengine.imports.importing import abandon, begin, resume
from syncengine.imports.parts import NewTerms, Parts, Terms
from syncengine.imports.prepare import Prepared, prepared
from syncengine.imports.report import REPLAY
from syncengine.imports.run import FILE_BYTES_MAX
from syncengine.imports.runs import chunks_of, found
from syncengine.imports.target import Target
from syncengine.reports import ImportPlan, ImportReport, ImportSummary
from syncengine.threads import run_blocking


class Desk:
    """Takes orders for one instance. `file_bytes` is the largest file of a chunk, all overhead included."""

    def __init__(self, parts: Parts, file_bytes: int) -> None:
        self._parts = parts
        self._file_bytes = file_bytes

    @asynccontextmanager
    async def plan(self, asked: Asked) -> AsyncIterator[tuple[Prepared, ImportPlan]]:
        """Read what is to be imported and plan it; nothing is sent. Spends a few calls to ask what Marketo has.

        Raises SourceUnusable for a source that cannot be read at all, ConfigError for a target that is not there.
        """
        parts = self._parts
        target, fields = await described(parts.client, asked.target)
        known = await parts.store.recall(parts.instance, FILE_BYTES_MAX)
        job_seconds = await parts.store.recall(parts.instance, SLOWEST)
        reading = prepared(
            replace(asked, target=target),
            fields,
            parts.folder,
            has_ingestion=parts.ingestion is not None,
            file_bytes_max=min(self._file_bytes, known or self._file_bytes),
            observe=parts.observe,
        )
        async with reading as plan:
            yield plan, plan_of(plan, poll_seconds=parts.poll_seconds, job_seconds=job_seconds)

    async def run(self, plan: Prepared) -> ImportReport:
        """Carry a plan out; raises what `importing.begin` raises."""
        asked = plan.asked
        return await begin(self._parts, plan, Terms(asked.policy, asked.failures_max, asked.wait_max))

    async def resume(self, run_id: str, terms: Terms | NewTerms) -> ImportReport:
        """Go on with an unfinished run; raises what `importing.resume` raises."""
        return await resume(self._parts, run_id, terms)

    async def abandon(self, run_id: str) -> ImportReport:
        """Give an unfinished run up; raises what `importing.abandon` raises."""
        return await abandon(self._parts, run_id)

    async def all(self) -> tuple[ImportSummary, ...]:
        """Every run of the instance, the newest first."""
        parts = self._parts
        runs = await parts.store.jobs(parts.instance, kind=states.IMPORT)
        found = [await self._summary(run.id) for run in runs]
        return tuple(sorted(found, key=lambda each: each.began_at, reverse=True))

    async def one(self, run_id: str) -> ImportSummary:
        """One run; raises ConfigError when there is none."""
        return await self._summary(run_id)

    async def of_file(self, ending: str) -> ImportSummary | None:
        """The newest run that reads a file whose full path ends so; None when there is none."""
        runs = await self._parts.store.jobs(self._parts.instance, kind=states.IMPORT)
        reading = [run for run in runs if any(each["origin"].endswith(ending) for each in run.facts["sources"])]
        newest = max(reading, key=lambda run: run.created_at, default=None)
        return await self._summary(newest.id) if newest else None

    async def bytes_read(self, run_id: str) -> int:
        """How large the files of a run were when they were read; raises ConfigError when there is no such run."""
        run = await found(self._parts.store, self._parts.instance, run_id)
        return sum(each["size"] or 0 for each in run.facts["sources"])

    async def again(self, run_id: str, terms: Terms) -> Asked:
        """An import of the rows that failed in a run; raises ConfigError when there are none to be sent."""
        run = await found(self._parts.store, self._parts.instance, run_id)
        if run.state != states.CLOSED:
            raise ConfigError(
                f"run {run_id} is unfinished", advice=f"Finish it first: `syncengine imports resume {run_id}`."
            )
        for later in await self._parts.store.jobs(self._parts.instance, kind=states.IMPORT):
            if later.facts["retries"] == run_id and later.facts.get("outcome") != ABANDONED:
                raise ConfigError(
                    f"the failed rows of run {run_id} were sent again already, by run {later.id}",
                    advice=f"`syncengine imports show {later.id}` says how that ended.",
                )
        replay = self._parts.reports / run_id / REPLAY
        if not await run_blocking(replay.is_file):
            raise ConfigError(f"no row of run {run_id} failed: there is no {replay}")
        return Asked(
            target=Target.of(run.facts["target"]),
            files=(str(replay),),
            allow_clear=True,  # it was decided when they were sent first
            policy=terms.policy,
            failures_max=terms.failures_max,
            wait_max=terms.wait_max,
            retries=run_id,
        )

    async def _summary(self, run_id: str) -> ImportSummary:
        parts = self._parts
        run = await found(parts.store, parts.instance, run_id)
        return summary_of(run, await chunks_of(parts.store, run), str(parts.reports / run_id))
