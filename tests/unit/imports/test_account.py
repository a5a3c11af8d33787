"""Adding up, from the chunks of a run to the ends of all its rows."""

from collections.abc import Mapping
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.imports import states
from syncengine.imports.account import account_of, counts_of, plan_of, report_of, summary_of
from syncengine.imports.asked import Asked
from syncengine.imports.findings import Effect, Finding
from syncengine.imports.outcome import Counts
from syncengine.imports.prepare import Prepared
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.jobs.job import Job
from tests.unit.imports.table import COLUMNS
from tests.virtual import ORIGIN

TARGET = Target(kind=Kind.LEADS, keys=("email",))
BODIES = [{"path": name, "size": 9, "sha256": "0" * 64} for name in ("spool.csv", "/data/people.csv")]


def run_of(rows: int, *, quarantined: int = 0, superseded: int = 0, route: str = "bulk") -> Job:
    facts = {
        "target": TARGET.facts(),
        "route": route,
        "rows": rows,
        "quarantined": quarantined,
        "superseded": superseded,
        "sources": [{"name": "people.csv", "sha256": "0" * 64, "size": 9}],
    }
    return Job(id="r", instance="acme", kind=states.IMPORT, state=states.OPEN, facts=facts, created_at=ORIGIN)


def chunk(rows: int, state: str = states.DONE, found: Mapping[str, int] | None = None, **facts: Any) -> Job:
    ends = {"failed": 0, "warned": 0, "unresolved": 0} | dict(found or {})
    given = {"rows": rows, "manifest": f"{rows:06}.arrow"} | ({"found": ends} if state in states.SETTLED else {})
    return Job(id=f"r-{rows}", instance="acme", kind=states.CHUNK, state=state, facts=given | facts)


def outcome_of(*chunks: Job, rows: int, **run: Any) -> str:
    return report_of(run_of(rows, **run), chunks, "done", "", calls=3, seconds=9.0).outcome


def test_rows_add_up() -> None:
    """Those of chunks by what is known of them, the others from the plan; what has not ended is waiting."""
    chunks = [
        chunk(10, found={"failed": 1, "warned": 2}),
        chunk(5, states.CONFIRMED, {"unresolved": 3}),
        chunk(7, states.ACCEPTED),
        chunk(2, states.REFUSED, {"failed": 2}),
        chunk(1, states.PLANNED),
    ]
    counts = counts_of(run_of(30, quarantined=4, superseded=1), chunks)
    assert Counts(imported=9, warned=2, failed=3, quarantined=4, superseded=1, unresolved=3, waiting=8) == counts
    assert 30 == counts.total


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_every_row_is_counted_once(chunks: list[tuple[int, int, int, int]]) -> None:
    """Whatever the chunks came to."""
    made = [chunk(sum(each), found={"failed": each[0], "warned": each[1], "unresolved": each[2]}) for each in chunks]
    rows = sum(job.facts["rows"] for job in made)
    report = report_of(run_of(rows + 5, quarantined=2, superseded=3), made, "done", "", calls=0, seconds=0.0)
    assert rows + 5 == sum(report.counts.values())
    assert () == report.problems


@pytest.mark.parametrize(
    ("chunks", "run", "outcome"),
    [
        ([chunk(3)], {"rows": 3}, "done"),
        ([], {"rows": 0}, "done"),
        ([chunk(3, found={"warned": 3})], {"rows": 3}, "done"),
        ([chunk(3)], {"rows": 5, "superseded": 2}, "done"),
        ([chunk(3)], {"rows": 5, "quarantined": 2}, "partial"),
        ([chunk(3, found={"failed": 1})], {"rows": 3}, "partial"),
        ([chunk(3, states.UNRESOLVED, {"unresolved": 3})], {"rows": 3}, "partial"),
        ([chunk(3, states.HELD)], {"rows": 3}, "partial"),
        ([chunk(3)], {"rows": 4}, "partial"),
        ([chunk(3, strangers=1)], {"rows": 3}, "partial"),
        ([chunk(3, missing=1)], {"rows": 3}, "partial"),
    ],
)
def test_done_is_only_what_went_in_whole(chunks: list[Job], run: dict[str, int], outcome: str) -> None:
    """Or was superseded: everything else is told as partial."""
    assert outcome == outcome_of(*chunks, **run)


@pytest.mark.parametrize("outcome", ["waiting", "stopped", "paused", "failed", "interrupted"])
def test_how_the_work_ended_is_kept(outcome: str) -> None:
    """With its reason first among the problems."""
    report = report_of(run_of(3), [chunk(3, states.PLANNED)], outcome, "because", calls=1, seconds=2.0)
    assert (outcome, ("because",)) == (report.outcome, report.problems)


def test_a_stop_after_the_last_row_has_interrupted_nothing() -> None:
    """A run that is stopped when all rows have their ends is as whole as they are."""
    for found, outcome in ((None, "done"), ({"failed": 1, "warned": 0, "unresolved": 0}, "partial")):
        report = report_of(run_of(3), [chunk(3, found=found)], "interrupted", "", calls=1, seconds=2.0)
        assert outcome == report.outcome


def test_an_account_that_is_not_whole_says_so() -> None:
    """Rows that are missing, rows that are nobody's, failures without a row."""
    report = report_of(run_of(5), [chunk(3, strangers=2, missing=1)], "done", "", calls=0, seconds=0.0)
    assert (
        "the outcomes of 3 rows are known, and the sources have 5",
        "Marketo lists 2 rows as failed or warned about that are none of this run's",
        "Marketo says that 1 more rows failed than it lists, so they are counted as imported",
    ) == report.problems


def test_a_report_tells_of_the_run() -> None:
    """Where to, what from, by which batches; and what is known only in part."""
    chunks = [chunk(3, batch_id=7), chunk(4, states.CONFIRMED), chunk(2, batch_id=9)]
    report = report_of(run_of(9, route="ingestion"), chunks, "done", "", calls=12, seconds=34.5)
    assert ("r", "leads", "ingestion", "done", 9, 3, (7, 9), 12, 34.5, ("people.csv",)) == (
        report.run_id,
        report.target,
        report.route,
        report.outcome,
        report.rows,
        report.chunks,
        report.batches,
        report.calls,
        report.seconds,
        report.sources,
    )
    confirmed, taken = report.notes
    assert confirmed.startswith("4 rows are known to be there by looking for their people")
    assert taken.startswith("The Data Ingestion API only says that it has taken the rows")


def test_rows_that_marketo_does_not_count_are_told() -> None:
    """Fewer processed than were sent, and none of them listed: what was counted is not held against the run."""
    counts = [
        {"processed": 8, "failed": 1, "warned": 0},
        {"processed": None, "failed": 0, "warned": 0},
        {"processed": 9, "failed": None, "warned": 0},
    ]
    chunks = [chunk(10 + number, counts=each) for number, each in enumerate(counts)]
    report = report_of(run_of(33), chunks, "done", "", calls=0, seconds=0.0)
    assert ("Marketo counted 4 rows less than it was sent, and lists none of them as failed",) == report.notes


def test_an_account_is_made_of_what_is_on_disk(tmp_path: Path) -> None:
    """The rows set aside first, then each chunk that has ended and left a file."""
    for name in ("aside.arrow", "000003.settled", "000007.settled"):
        (tmp_path / name).touch()
    chunks = [chunk(3), chunk(4), chunk(7, states.ACCEPTED)]
    run = run_of(14)
    run = replace(run, facts={**run.facts, "columns": [list(astuple(each)) for each in COLUMNS], "bodies": BODIES})
    account = account_of(run, chunks, tmp_path)
    assert ["aside.arrow", "000003.settled"] == [path.name for path in account.settled]
    assert ([each.name for each in COLUMNS], ["people.csv"]) == (account.names, account.sources)
    assert [tmp_path / "spool.csv", Path("/data/people.csv")] == account.bodies


def test_a_plan_tells_what_would_be_sent() -> None:
    """How full the chunks but the last are, what it costs, and what was found."""
    finding = Finding(Effect.SETS_ASIDE, "is empty", "email", "", 2, ("people.csv line 3",))
    plan = Prepared(
        folder=Path(),
        asked=Asked(target=TARGET),
        columns=COLUMNS,
        findings=(finding,),
        sources=({"name": "people.csv", "sha256": "", "size": 0},),
        bodies=(),
        route=Route.BULK,
        chunks=(("1", 50, 990), ("2", 51, 1_000), ("3", 1, 20)),
        hashes=("a", "b", "c"),
        rows=105,
        quarantined=2,
        superseded=1,
        room=1_000,
    )
    told = plan_of(plan, poll_seconds=30.0, job_seconds=60.0)
    assert ("leads", ("people.csv",), "bulk", 105, 102, 2, 1, 3, 2_010) == (
        told.target,
        told.sources,
        told.route,
        told.rows,
        told.sent,
        told.quarantined,
        told.superseded,
        told.chunks,
        told.bytes,
    )
    assert (3 + 8, 120.0, 0.995, ("email", "firstName", "leadScore"), False) == (
        told.calls,
        told.seconds,
        told.fullness,
        told.columns,
        told.stops,
    )
    (found,) = told.findings
    assert ("set aside", "email", "is empty", "", 2, ("people.csv line 3",)) == (
        found.effect,
        found.column,
        found.what,
        found.advice,
        found.rows,
        found.examples,
    )
    single = plan_of(replace(plan, chunks=(("1", 5, 9),)), poll_seconds=30.0, job_seconds=None)
    assert single.fullness is None
    assert plan_of(replace(plan, findings=(Finding.stop("x", "y"),)), poll_seconds=30.0, job_seconds=None).stops


def test_a_summary_is_a_run_as_the_journal_has_it() -> None:
    """An open one is unfinished, a closed one ended as it did."""
    chunks = [chunk(3), chunk(4), chunk(2, states.ACCEPTED)]
    summary = summary_of(run_of(9), chunks, "imports/r")
    assert ("r", "leads", "unfinished", ORIGIN, {"DONE": 2, "ACCEPTED": 1}, "imports/r") == (
        summary.run_id,
        summary.target,
        summary.state,
        summary.began_at,
        summary.chunks,
        summary.folder,
    )
    assert (7, 2) == (summary.counts["imported"], summary.counts["waiting"])
    run = run_of(9)
    closed = replace(run, state=states.CLOSED, facts={**run.facts, "outcome": "partial"})
    assert "partial" == summary_of(closed, chunks, "").state
