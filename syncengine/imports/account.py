"""Adding up: from the chunks of a run as the journal has them to the ends of all its rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from syncengine.imports import states
from syncengine.imports.deal import aside_file
from syncengine.imports.outcome import Counts
from syncengine.imports.prepare import Prepared
from syncengine.imports.report import Account
from syncengine.imports.route import Route, cost
from syncengine.imports.target import Target
from syncengine.imports.work import SETTLED_SUFFIX
from syncengine.jobs.job import Job
from syncengine.reports import FindingReport, ImportPlan, ImportReport, ImportSummary

# How a run ends that was given up.
ABANDONED = "abandoned"
INGESTION_NOTE = (
    "The Data Ingestion API only says that it has taken the rows: what becomes of each is told by the Observability "
    "Data Stream alone."
)
CONFIRMED_NOTE = "by looking for their people, since the answer was lost: what Marketo warned about is not known"


def counts_of(run: Job, chunks: Sequence[Job]) -> Counts:
    """Rows by outcome; those of chunks that have not ended are waiting."""
    counts = Counts(quarantined=run.facts["quarantined"], superseded=run.facts["superseded"])
    for job in chunks:
        rows = job.facts["rows"]
        if job.state not in states.SETTLED:
            counts.waiting += rows
            continue
        found = job.facts["found"]
        counts.failed += found["failed"]
        counts.warned += found["warned"]
        counts.unresolved += found["unresolved"]
        counts.imported += rows - sum(found.values())
    return counts


def report_of(
    run: Job, chunks: Sequence[Job], outcome: str, problem: str, *, calls: int, seconds: float
) -> ImportReport:
    """The account of a run. `outcome` is how its work ended; rows that did not go in make a done one partial."""
    counts = counts_of(run, chunks)
    problems = [problem] if problem else []
    problems += _gaps(run, chunks, counts)
    if outcome == "interrupted" and not counts.waiting:
        outcome = "done"  # the stop came when every row had its end already
    if counts.waiting and outcome == "done":
        outcome = "partial"
    if outcome == "done" and (counts.failed or counts.quarantined or counts.unresolved or problems):
        outcome = "partial"
    notes = []
    if confirmed := sum(job.facts["rows"] for job in chunks if job.state == states.CONFIRMED):
        notes.append(f"{confirmed:,} rows are known to be there {CONFIRMED_NOTE}")
    if uncounted := sum(_uncounted(job) for job in chunks):
        notes.append(f"Marketo counted {uncounted:,} rows less than it was sent, and lists none of them as failed")
    if unlisted := sum(job.facts.get("unlisted", 0) for job in chunks):
        notes.append(f"Marketo warned about {unlisted:,} more rows than it lists: they are counted as imported")
    if run.facts["route"] == "ingestion":
        notes.append(INGESTION_NOTE)
    return ImportReport(
        run_id=run.id,
        target=Target.of(run.facts["target"]).label,
        route=run.facts["route"],
        outcome=outcome,
        rows=run.facts["rows"],
        counts=asdict(counts),
        chunks=len(chunks),
        batches=tuple(job.facts["batch_id"] for job in chunks if "batch_id" in job.facts),
        calls=calls,
        seconds=seconds,
        sources=tuple(each["name"] for each in run.facts["sources"]),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _uncounted(job: Job) -> int:
    """Rows of a complete batch that are in none of Marketo's counts."""
    counts = job.facts.get("counts")
    if not counts or counts["processed"] is None:
        return 0
    return max(0, int(job.facts["rows"]) - int(counts["processed"]) - int(counts["failed"] or 0))


def _gaps(run: Job, chunks: Sequence[Job], counts: Counts) -> list[str]:
    """Why the account is not whole, if it is not."""
    gaps = []
    if counts.total != run.facts["rows"]:
        gaps.append(f"the outcomes of {counts.total:,} rows are known, and the sources have {run.facts['rows']:,}")
    if strangers := sum(job.facts.get("strangers", 0) for job in chunks):
        gaps.append(f"Marketo lists {strangers:,} rows as failed or warned about that are none of this run's")
    if missing := sum(job.facts.get("missing", 0) for job in chunks):
        gaps.append(f"Marketo says that {missing:,} more rows failed than it lists, so they are counted as imported")
    return gaps


def account_of(run: Job, chunks: Sequence[Job], folder: Path) -> Account:
    """Where everything lies that a report is made of; `folder` is the run's working folder."""
    settled = [
        (folder / job.facts["manifest"]).with_suffix(SETTLED_SUFFIX) for job in chunks if job.state in states.SETTLED
    ]
    return Account(
        settled=[path for path in (aside_file(folder), *settled) if path.exists()],
        bodies=[folder / each["path"] for each in run.facts["bodies"]],
        names=[each[0] for each in run.facts["columns"]],
        # A query has no hash; beside each row its whole text would be no help.
        sources=[each["name"] if each["sha256"] else "the query" for each in run.facts["sources"]],
    )


def plan_of(plan: Prepared, *, poll_seconds: float, job_seconds: float | None) -> ImportPlan:
    """What a plan would send and cost."""
    spent = cost(plan.route, len(plan.chunks), plan.bytes, poll_seconds=poll_seconds, job_seconds=job_seconds)
    # What fills a synchronous call is its number of rows.
    full = [size / plan.room for _, _, size in plan.chunks[:-1]] if plan.route is Route.BULK else []
    return ImportPlan(
        target=plan.asked.target.label,
        sources=tuple(each["name"] for each in plan.sources),
        route=plan.route.value,
        rows=plan.rows,
        sent=sum(rows for _, rows, _ in plan.chunks),
        quarantined=plan.quarantined,
        superseded=plan.superseded,
        chunks=len(plan.chunks),
        bytes=spent.bytes,
        calls=spent.calls,
        seconds=spent.seconds,
        fullness=sum(full) / len(full) if full else None,
        columns=tuple(column.name for column in plan.columns),
        findings=tuple(
            FindingReport(each.effect.value, each.column, each.what, each.advice, each.rows, each.examples)
            for each in plan.findings
        ),
        stops=plan.stops,
    )


def summary_of(run: Job, chunks: Sequence[Job], folder: str) -> ImportSummary:
    """A run as the journal has it."""
    return ImportSummary(
        run_id=run.id,
        target=Target.of(run.facts["target"]).label,
        route=run.facts["route"],
        state=run.facts["outcome"] if run.state == states.CLOSED else "unfinished",
        began_at=run.created_at,
        sources=tuple(each["name"] for each in run.facts["sources"]),
        rows=run.facts["rows"],
        counts=asdict(counts_of(run, chunks)),
        chunks=dict(Counter(job.state for job in chunks)),
        folder=folder,
    )
