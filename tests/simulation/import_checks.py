"""What must be true when an import is over, by the sandbox's truth, the journal and the files of the report.

Chunks are told from the journal; which rows lie in which one follows from the order of the rows. A chunk whose answer
came is accounted for row by row. One whose answer was lost is looked for: then its rows are there, but for those that
Marketo did not take. Where they are few, no look can tell such a row from one that somebody else has changed since, so
it is unresolved; where they are many, they go on as a chunk of their own. What was warned about counts as imported,
since a look shows no warnings. Nothing else may be unresolved. Of a batch that Marketo gave up in its middle, the rows
that are there are imported.

A chunk may be sent a second time only when its first batch is over and no row of it was imported: one whose rows were
all refused looks like one that never came, and sending it again changes nothing but that the reasons become known.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from syncengine.imports import states
from syncengine.imports.outcome import Outcome
from syncengine.imports.report import FILES, REPLAY
from syncengine.jobs.job import Job
from syncengine.reports import ImportReport
from tests.simulation.heirs import LETTER
from tests.simulation.imports import Intake
from tests.simulation.people import COLUMNS, People, Row

# A process that had an answer for so long has written it down.
TO_WRITE_SECONDS = 5.0
CLOCK_SLACK_SECONDS = 2.0
LOOKED_FOR = {Outcome.FAILED: Outcome.UNRESOLVED, Outcome.WARNED: Outcome.IMPORTED}
# Ways in that tell less: the synchronous calls warn of nothing, the Data Ingestion API tells of no row at all.
TOLD = {
    "rest": {Outcome.WARNED: Outcome.IMPORTED},
    "ingestion": {Outcome.WARNED: Outcome.IMPORTED, Outcome.FAILED: Outcome.IMPORTED},
}


async def problems(intake: Intake, people: People, report: ImportReport | None = None) -> list[str]:
    """Everything that is not as it has to be after an import of these rows alone has come to its end."""
    if not await intake.is_closed():
        return [f"the run is not closed: {intake.last_error!r}"]
    report = report or await intake.told()
    chunks = [job for job in await intake.jobs() if job.facts["run"] == report.run_id]
    return [
        *_leads(intake, people, chunks),
        *_account(intake, people, report, chunks),
        *_journal(chunks, await intake.jobs(states.IMPORT)),
        *_batches(intake, chunks),
        *intake.broken_limits(),
        *(f"{path.name} lies in the state folder" for path in _left_behind(intake)),
    ]


def _left_behind(intake: Intake) -> list[Path]:
    """Working files; of a process that died it takes a day until they are known to be nobody's."""
    return [] if intake.died_at else list((intake.folder / "imports").iterdir())


def chunk_of_rows(intake: Intake, people: People, chunks: Sequence[Job]) -> list[tuple[Row, Job | None]]:
    """Each row that is sent, and its chunk; None for rows that no chunk holds."""
    rows, jobs = iter(people.sent), {job.id: job for job in chunks}
    placed: list[tuple[Row, Job | None]] = []
    for first, line in groupby(chunks, lambda job: job.id.rstrip(LETTER)):
        count = sum(job.facts["rows"] for job in line)
        placed += [(row, jobs[intake.heirs.holder(first, row.number)]) for row in islice(rows, count)]
    return [*placed, *((row, None) for row in rows)]


def leads_by_key(intake: Intake) -> dict[str, list[dict[str, Any]]]:
    """All leads of the instance, by address without case."""
    intake.server.advance(intake.clock.now().timestamp())
    people = intake.server.people
    found: dict[str, list[dict[str, Any]]] = {}
    for lead in people.json_rows([*COLUMNS, "id"], people.rows()):
        found.setdefault(str(lead["email"] or "").strip().lower(), []).append(lead)
    return found


def wrong_lead(row: Row, leads: Sequence[dict[str, Any]]) -> str:
    """What is wrong with the lead that a row made, if anything."""
    if len(leads) != 1:
        return f"row {row.number} has {len(leads)} leads"
    wrong = [name for name, value in row.lead().items() if leads[0][name] != value]
    return f"row {row.number} has other {', '.join(wrong)}" if wrong else ""


def _leads(intake: Intake, people: People, chunks: Sequence[Job]) -> Iterator[str]:
    leads = leads_by_key(intake)
    for row, job in chunk_of_rows(intake, people, chunks):
        there = leads.get(row.key, [])
        if row.end is Outcome.FAILED:
            if there:
                yield f"row {row.number} is there, which Marketo does not take"
        elif job is None or job.state not in {states.FAILED, states.REFUSED}:
            yield from filter(None, [wrong_lead(row, there)])
        elif len(there) > 1:
            yield f"row {row.number} has {len(there)} leads"
    for row in people.rows:
        if row.end is Outcome.QUARANTINED and row.key in leads:
            yield f"row {row.number} was to be quarantined"
    for key, found in leads.items():
        if len(found) > 1 and key.endswith("import.example"):
            yield f"{key} is there {len(found)} times"


def expected_ends(intake: Intake, people: People, chunks: Sequence[Job], route: str) -> dict[int, Outcome]:
    """How each row has to end, by its number."""
    ends = {row.number: TOLD.get(route, {}).get(row.end, row.end) for row in people.rows}
    leads = leads_by_key(intake)
    for row, job in chunk_of_rows(intake, people, chunks):
        if job is None:
            continue
        if job.state == states.REFUSED:
            ends[row.number] = Outcome.FAILED
        elif job.state == states.FAILED:
            is_in = not wrong_lead(row, leads.get(row.key, []))
            ends[row.number] = Outcome.IMPORTED if is_in else Outcome.FAILED
        elif job.state in {states.CONFIRMED, states.UNRESOLVED}:
            ends[row.number] = LOOKED_FOR.get(row.end, row.end)
    return ends


def _account(intake: Intake, people: People, report: ImportReport, chunks: Sequence[Job]) -> Iterator[str]:
    wanted = expected_ends(intake, people, chunks, report.route)
    told = told_ends(intake.reports / report.run_id)
    for number, ends in told.items():
        if len(ends) > 1:
            yield f"row {number} ends as {', '.join(ends)}"
    for number, end in wanted.items():
        found = told.get(number, [Outcome.IMPORTED.value])
        if found != [end.value]:
            yield f"row {number} is told to be {found[0]}, and is {end.value}"
    counts = Counter(end.name.lower() for end in wanted.values())
    if report.counts != {name: counts.get(name, 0) for name in report.counts}:
        yield f"the counts are {report.counts}, not {dict(counts)}"
    if report.rows != len(people.rows) or sum(report.counts.values()) != report.rows:
        yield f"the counts are of {sum(report.counts.values())} rows, the report of {report.rows}"
    by_number = {row.number: row for row in people.rows}
    failed = [by_number[number].cells for number, end in sorted(wanted.items()) if end is Outcome.FAILED]
    if failed != replayed(intake.reports / report.run_id):
        yield "the rows that failed are not those of the replay file"


def told_ends(folder: Path) -> dict[int, list[str]]:
    """The ends of rows by the files of a report, by their numbers; rows that simply went in stand in none."""
    told: dict[int, list[str]] = {}
    for outcome, name in FILES.items():
        for cells in read(folder / name)[1:]:
            told.setdefault(int(cells[2]), []).append(outcome)
    return told


def replayed(folder: Path) -> list[tuple[str, ...]]:
    """The rows of the replay file."""
    return [tuple(cells) for cells in read(folder / REPLAY)[1:]]


def read(path: Path) -> list[list[str]]:
    """A CSV file that may not be there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _journal(chunks: Sequence[Job], runs: Sequence[Job]) -> Iterator[str]:
    yield from (f"{job.id} stands in {job.state}" for job in chunks if job.state not in states.SETTLED)
    yield from (f"run {job.id} stands in {job.state}" for job in runs if job.state != states.CLOSED)


def accepted_at(intake: Intake, batch: dict[str, Any]) -> float:
    """When a batch was taken."""
    return intake.server.imports.jobs[batch["batchId"]].created_at


def ended_at(intake: Intake, batch: dict[str, Any]) -> float:
    """When a batch was over."""
    return intake.server.imports.jobs[batch["batchId"]].finished_at


def _batches(intake: Intake, chunks: Sequence[Job]) -> Iterator[str]:
    """What was sent twice, and which answers came and were not used."""
    sent: dict[str, list[dict[str, Any]]] = {}
    for batch in intake.batches():
        for earlier in sent.setdefault(batch["sha256"], []):
            if earlier["processed"] or accepted_at(intake, batch) < ended_at(intake, earlier):
                yield f"batch {earlier['batchId']} was sent again as {batch['batchId']}"
        sent[batch["sha256"]].append(batch)
    for job in chunks:
        if job.state in {states.CONFIRMED, states.UNRESOLVED} and "batch_id" not in job.facts:
            for batch in sent.get(job.facts["sha256"], ()):
                at = intake.delivered.get(batch["batchId"], 0.0)
                is_this = at > datetime.fromisoformat(job.facts["sent_at"]).timestamp() - CLOCK_SLACK_SECONDS
                if is_this and not any(0 <= died - at <= TO_WRITE_SECONDS for died in intake.died_at):
                    yield f"{job.id} was looked for, and its answer had come"
