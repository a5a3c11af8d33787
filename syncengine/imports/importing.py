"""One run of an import: from a plan to an account of every row; and the same run again, after whatever ended it.

The order is what makes it safe: the lease first, then the plan, whole, into the journal, then work. Whatever ends a
run, the journal says how far each chunk came, and what is known of its rows is written down for people.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

import anyio

from syncengine.errors import QuotaExhausted, SourceUnusable, SyncEngineError
from syncengine.imports import states
from syncengine.imports.account import ABANDONED, account_of, report_of
from syncengine.imports.answers import Answering
from syncengine.imports.brake import Brake
from syncengine.imports.endings import write_all
from syncengine.imports.outcome import Outcome
from syncengine.imports.parts import NewTerms, Parts, Terms
from syncengine.imports.prepare import Prepared
from syncengine.imports.refusals import refuse_changed, refuse_other_bodies, refuse_unsettled
from syncengine.imports.report import Account, write_report
from syncengine.imports.run import AT_MARKETO, CALLS, Chunks
from syncengine.imports.runs import chunks_of, open_run, planned, tidy, unfinished, work_of
from syncengine.imports.target import Target
from syncengine.imports.upload import import_target
from syncengine.imports.watch import Batches
from syncengine.imports.work import SETTLED_SUFFIX, Work
from syncengine.jobs.job import Job
from syncengine.jobs.lease import holding
from syncengine.jobs.scheduler import Scheduler
from syncengine.marketo.endpoints import imports
from syncengine.observe.events import ChunkProgress, ImportPlanned, RunEnded, RunStarted
from syncengine.reports import ImportReport
from syncengine.threads import run_blocking

# Two run at Marketo; two more stand ready behind them, and six places of the ten are left to others.
BULK_AT_MARKETO = 4
CALLS_AT_ONCE = 5
WORKERS = 8


async def begin(parts: Parts, plan: Prepared, terms: Terms) -> ImportReport:
    """Carry out a plan, or go on with the unfinished run that has the same.

    Raises AlreadyRunning when another import of the same objects is under way, or an earlier one has chunks at Marketo
    whose people could be doubled; SourceUnusable when a source of an unfinished run has changed since.
    """
    target = plan.asked.target
    async with holding(parts.store, parts.client.clock, parts.instance, target.work) as lease:
        await tidy(parts, plan)
        open_runs = await unfinished(parts, target.work)
        for run in () if plan.asked.is_new else open_runs:
            if run.facts["fingerprint"] == plan.fingerprint:
                return await _carry_out(parts, run, terms, lease.epoch)
            refuse_changed(run, plan)
        await refuse_unsettled(parts, open_runs)
        run = await planned(parts, plan, terms, lease.epoch)
        return await _carry_out(parts, run, terms, lease.epoch)


async def resume(parts: Parts, run_id: str, terms: Terms | NewTerms) -> ImportReport:
    """Go on with a run. Raises ConfigError for one that is unknown or has ended, and else what `begin` raises."""
    run = await open_run(parts, run_id)
    target = Target.of(run.facts["target"])
    async with holding(parts.store, parts.client.clock, parts.instance, target.work) as lease:
        new = terms if isinstance(terms, Terms) else terms.over(Terms.of(run.facts["terms"]))
        return await _carry_out(parts, run, new, lease.epoch)


async def abandon(parts: Parts, run_id: str) -> ImportReport:
    """Give a run up: what was not sent stays so, and what Marketo has or may have of it ends as unresolved.

    Raises ConfigError for a run that is unknown or has ended, AlreadyRunning for one that is under way.
    """
    run = await open_run(parts, run_id)
    target = Target.of(run.facts["target"])
    async with holding(parts.store, parts.client.clock, parts.instance, target.work) as lease:
        (run,) = await parts.store.adopt([run], lease.epoch)
        chunks = [job for job in await chunks_of(parts.store, run) if job.state not in states.ENDED]
        for job in await parts.store.adopt(chunks, lease.epoch):
            await _given_up(parts, run, job)
        chunks = await chunks_of(parts.store, run)
        report = report_of(run, chunks, ABANDONED, "", calls=0, seconds=0.0)
        return await _written(parts, run, chunks, report, is_last=True)


async def _given_up(parts: Parts, run: Job, job: Job) -> None:
    rows = job.facts["rows"]
    found = {"failed": 0, "warned": 0, "unresolved": 0}
    if job.state != states.PLANNED:
        found["unresolved"] = rows
        manifest = parts.folder / run.id / job.facts["manifest"]
        reason = "the run was given up before Marketo had told what became of it"
        if await run_blocking(manifest.exists):
            await run_blocking(
                partial(write_all, manifest, Outcome.UNRESOLVED, reason, manifest.with_suffix(SETTLED_SUFFIX))
            )
    await parts.store.move(job, "give up", found=found, strangers=0)


async def _carry_out(parts: Parts, run: Job, terms: Terms, epoch: int) -> ImportReport:
    """Work until every chunk has ended, or until something ends the run before; then account for every row."""
    clock = parts.client.clock
    others = [each for each in await unfinished(parts, run.group) if each.id != run.id]
    await refuse_unsettled(parts, others)
    work = await run_blocking(partial(work_of, parts, run, terms))
    (run,) = await parts.store.adopt([run], epoch)
    if terms.facts() != run.facts["terms"]:
        run = await parts.store.move(run, "renew", terms=terms.facts())
    await parts.store.adopt(await parts.store.jobs(parts.instance, kind=states.CHUNK, group=run.id), epoch)
    chunks = await chunks_of(parts.store, run)
    if any(job.state not in states.ENDED for job in chunks):
        await run_blocking(partial(refuse_other_bodies, work.bodies, run))
    detail = {"run": run.id, "work": [work.target.work]}
    record = await parts.store.begin_run(parts.instance, f"import {work.target.label}", detail)
    parts.observe(RunStarted(run.id, "import"))
    started_at, calls = clock.now(), parts.calls_sent
    outcome, problem, errors = "failed", "", []
    try:
        outcome, problem = await _work(parts, work, chunks, terms)
    except SyncEngineError as error:
        outcome = "paused" if isinstance(error, QuotaExhausted) else "failed"
        problem = error.message
        errors.append(error)
    except anyio.get_cancelled_exc_class():
        outcome = "interrupted"
        raise
    finally:
        with anyio.CancelScope(shield=True):
            chunks = await chunks_of(parts.store, run)
            seconds = (clock.now() - started_at).total_seconds()
            report = report_of(run, chunks, outcome, problem, calls=parts.calls_sent - calls, seconds=seconds)
            report = await _written(parts, run, chunks, report)
            await parts.store.end_run(
                record, report.outcome, {"run": run.id, "counts": dict(report.counts), "calls": report.calls}
            )
            parts.observe(RunEnded(run.id, "import", report.outcome, seconds))
    for reason in errors:
        reason.advice = f"{reason.advice} The account so far is in {parts.reports / run.id}.".strip()
        raise reason
    return report


async def _work(parts: Parts, work: Work, chunks: Sequence[Job], terms: Terms) -> tuple[str, str]:
    """Take every chunk to its end; gives the outcome, and why it is none where it is none."""
    clock = parts.client.clock
    brake = Brake(terms.failures_max)
    for job in chunks:
        if job.state in states.SETTLED:
            brake.count(job.facts["rows"], job.facts["found"]["failed"])
    unsettled = [job for job in chunks if job.state not in states.ENDED]
    if unsettled:
        # What is decided by time is decided by Marketo's, and the first answer of a process shows it.
        await parts.client.tokens.current()
    rows, rows_left = (sum(job.facts["rows"] for job in jobs) for jobs in (chunks, unsettled))
    parts.observe(ImportPlanned(work.run_id, len(chunks), len(chunks) - len(unsettled), rows, rows - rows_left))
    scheduler: Scheduler

    def wake(job_id: str) -> None:
        scheduler.wake(job_id)

    target = import_target(work.target)
    batches = Batches(
        parts.client,
        lambda batch_id: imports.status(target, batch_id),
        parts.poll_seconds,
        wake,
        lambda job_id, rows: parts.observe(ChunkProgress(work.run_id, job_id, rows)),
    )
    answering = Answering(work.route, parts.client, parts.ingestion, parts.munchkin_id)
    handler = Chunks(parts.client, answering, parts.store, work, batches, brake=brake, observe=parts.observe)
    # Two imports into one list at once are refused (1019).
    at_marketo = 1 if work.target.list_id is not None else BULK_AT_MARKETO
    lanes = {AT_MARKETO: at_marketo, CALLS: CALLS_AT_ONCE}
    scheduler = Scheduler({states.CHUNK: handler}, clock, workers=WORKERS, lanes=lanes)
    with clock.move_on_after(terms.wait_max.total_seconds()) as waiting:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(batches.run)
                outcome = await scheduler.run(unsettled)
                group.cancel_scope.cancel()
        except ExceptionGroup as raised:
            raise _first(raised) from raised
    if waiting.cancelled_caught:
        return "waiting", "the time of --max-wait is over"
    if brake.reason and any(each.job.state == states.PLANNED for each in outcome.failed):
        return "stopped", brake.reason
    return "done", "; ".join(dict.fromkeys(str(each.error) for each in outcome.failed))


async def _written(
    parts: Parts, run: Job, chunks: Sequence[Job], report: ImportReport, *, is_last: bool = False
) -> ImportReport:
    """Write the account; once every row has its end, the run is closed and its working files go.

    Rows are shown as long as the files in which they lie are those that were planned; a run that is not at its last
    stays open for them.
    """
    folder, work = parts.reports / run.id, parts.folder / run.id
    report = replace(report, folder=str(folder))
    known = account_of(run, chunks, work)
    account: Account | None = known
    if report.counts["imported"] != report.rows:
        try:
            await run_blocking(partial(refuse_other_bodies, known.bodies, run))
        except SourceUnusable as error:
            # Its rows lie elsewhere now: what would be shown of them were lies.
            account = None
            problems = (*report.problems, error.message, f"Put it back and resume run {run.id} for its whole account")
            outcome = report.outcome if is_last else "partial"
            report = replace(report, outcome=outcome, problems=tuple(dict.fromkeys(problems)))

    def write() -> tuple[str, ...]:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return write_report(folder, account, asdict(report))

    report = replace(report, files=await run_blocking(write))
    if is_last or (account is not None and all(job.state in states.ENDED for job in chunks)):
        await parts.store.move(run, "close", counts=dict(report.counts), outcome=report.outcome)
        await run_blocking(partial(shutil.rmtree, work, ignore_errors=True))
    return report


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
