"""What is written about a drop."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from syncengine.errors import ConfigError, SourceUnusable
from syncengine.imports.report import FILES, REPLAY
from syncengine.reports import FindingReport, ImportPlan, ImportReport, ImportSummary
from syncengine.service.folders.drop_report import (
    ACCOUNT,
    OUTCOMES,
    Where,
    json_of,
    of_error,
    of_plan,
    of_report,
    of_summary,
    text_of,
)
from syncengine.service.folders.drops import Places

AT = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)
COUNTS = {"imported": 5, "warned": 0, "failed": 0, "quarantined": 0, "superseded": 0, "unresolved": 0, "waiting": 0}
REPORT = ImportReport(
    run_id="r-1",
    target="leads",
    route="bulk",
    outcome="done",
    rows=5,
    counts=COUNTS,
    chunks=1,
    batches=(7,),
    calls=4,
    seconds=90.0,
    sources=("people.csv",),
    files=("summary.json",),
    folder="imports/r-1",
)
SUMMARY = ImportSummary("r-1", "leads", "bulk", "partial", AT, ("people.csv",), 5, COUNTS, {"DONE": 1}, "imports/r-1")
FOUND = FindingReport("stops the import", "First Name", "is no field", "did you mean 'firstName'?")
PLAN = ImportPlan(
    target="leads",
    sources=("people.csv",),
    route="bulk",
    rows=9,
    sent=0,
    quarantined=8,
    superseded=0,
    chunks=0,
    bytes=0,
    calls=0,
    seconds=0.0,
    fullness=None,
    columns=("email",),
    findings=(FOUND, FindingReport("set aside", "email", "is empty", "", 8, ("people.csv line 3",))),
    stops=True,
)
WHERE = Where(Places(Path("/in box")), "20261125-a.csv", "a.csv", "a.csv.toml")


def told(outcome: str = "partial", *, files: tuple[str, ...] = (), where: Where = WHERE, **counts: int) -> list[str]:
    """The lines about a run that ended so."""
    report = replace(REPORT, outcome=outcome, counts=COUNTS | counts, files=files)
    return text_of(of_report(report), where, AT).splitlines()


def test_the_words_know_the_files_of_an_account() -> None:
    """All that an import writes."""
    assert set(FILES.values()) == {file for _, file in OUTCOMES.values() if file}
    assert {"report.json", "report.txt", REPLAY, *FILES.values()} == set(ACCOUNT)
    assert COUNTS.keys() == OUTCOMES.keys()


def test_a_drop_that_went_in_is_told_briefly() -> None:
    """Its rows, and nothing to do."""
    assert [
        "a.csv: every row is imported",
        "2026-11-25 08:15 UTC, run r-1",
        "",
        "Rows into leads",
        "             5  imported",
    ] == told("done")


def test_rows_that_did_not_go_in_are_told_with_what_to_do() -> None:
    """Each outcome with its file, and the very command."""
    lines = told(files=("failed.csv", "quarantine.csv"), failed=2, quarantined=1, unresolved=1)
    assert "a.csv: some rows are not imported" == lines[0]
    assert "             2  failed in Marketo  (failed.csv)" in lines
    assert [
        "What to do",
        "  To send the failed rows again: syncengine imports retry-failed r-1",
        "  Mend the rows in quarantine.csv in a file of their own, and drop that.",
        "  Look in Marketo for the people in unresolved.csv; what is not there can be dropped again.",
    ] == lines[-4:]
    assert "  To send the failed rows again: syncengine imports retry-failed r-1 --instance emea" in told(
        where=replace(WHERE, instance="emea"), failed=1
    )


def test_a_run_that_stopped_can_go_on_or_be_given_up() -> None:
    """Its file has moved, so it goes on where it was: the command says how."""
    assert [
        '  To send the rest all the same, write max_failures = "100%" into a.csv.toml beside this report and',
        "  move this folder back: mv '/in box/failed/20261125-a.csv' '/in box/working/'",
        "  To give the run up: syncengine imports abandon r-1",
    ] == told("stopped", failed=3, waiting=2)[-3:]
    assert any("into inbox.toml beside" in line for line in told("stopped", where=replace(WHERE, settings="")))


def test_a_run_that_was_given_up_says_what_was_not_sent() -> None:
    """Nobody sends it by itself."""
    assert "  Rows were not sent: drop the file again to import them." == told("abandoned", waiting=2)[-1]


@pytest.mark.parametrize(
    ("outcome", "counts", "is_done", "is_waiting", "is_open"),
    [
        ("done", {}, True, False, False),
        ("partial", {"failed": 1}, False, False, False),
        ("stopped", {"failed": 1, "waiting": 1}, False, False, True),
        ("waiting", {"waiting": 5}, False, True, False),
        ("partial", {"waiting": 5}, False, True, False),
        ("abandoned", {"waiting": 5}, False, False, False),
    ],
)
def test_what_waits_is_no_end(
    outcome: str, counts: dict[str, int], is_done: bool, is_waiting: bool, is_open: bool
) -> None:
    """Rows that are held for the operator keep a drop where its run finds it."""
    verdict = of_report(replace(REPORT, outcome=outcome, counts=COUNTS | counts))
    assert (is_done, is_waiting, is_open) == (verdict.is_done, verdict.is_waiting, verdict.is_open)
    assert ("--on-ambiguous verify" in verdict.advice) is (is_waiting and outcome == "partial")


def test_a_plan_that_stops_is_told_with_its_findings() -> None:
    """All of them, and how to try again."""
    lines = text_of(of_plan(PLAN), WHERE, AT).splitlines()
    assert [
        "a.csv: nothing was sent",
        "2026-11-25 08:15 UTC",
        "",
        "What was found",
        "  stops the import: First Name is no field: did you mean 'firstName'?",
        "  set aside: email is empty (8 rows), first people.csv line 3",
        "",
        "What to do",
    ] == lines[:8]
    assert ("First Name is no field: did you mean 'firstName'?",) == of_plan(PLAN).problems
    assert (
        "  Then drop the file into /in box again, or move this folder back: "
        "mv '/in box/failed/20261125-a.csv' '/in box/working/'"
    ) == lines[-1]
    many = replace(PLAN, findings=(FOUND,) * 25)
    assert "  and 5 more, in report.json" in text_of(of_plan(many), WHERE, AT).splitlines()


def test_an_error_is_told_with_all_its_problems() -> None:
    """And with its advice."""
    error = ConfigError("the settings have 2 problems", problems=("a is wrong", "b is wrong"), advice="Mend them.")
    lines = text_of(of_error(error), WHERE, AT).splitlines()
    assert ["  The settings have 2 problems.", "  A is wrong.", "  B is wrong."] == lines[4:7]
    assert "  Mend them." == lines[9]


def test_an_error_of_a_run_that_has_begun_says_how_to_go_on() -> None:
    """Or how to give it up."""
    lines = text_of(of_error(SourceUnusable("it has changed"), SUMMARY), WHERE, AT).splitlines()
    assert ("a.csv: nothing is known to be imported", "  To give the run up: syncengine imports abandon r-1") == (
        lines[0],
        lines[-1],
    )
    assert "  To go on, mend what is said above and" in lines


def test_a_run_that_had_ended_is_told_by_its_account() -> None:
    """By the journal alone where that is gone or spoilt; it never waits."""
    report = replace(REPORT, outcome="partial", counts=COUNTS | {"failed": 1}, problems=("p",))
    assert of_report(report) == of_summary(SUMMARY, orjson.dumps(asdict(report)))
    for content in (None, b"", b"[]", b"{}", b'{"a": 1}'):
        found = of_summary(replace(SUMMARY, counts=COUNTS | {"waiting": 1}), content)
        assert (False, False, False) == (found.is_done, found.is_waiting, found.is_open)
        assert found.report is not None
        notes = ("the account in imports/r-1 is gone: this is what the journal knows",)
        assert ("partial", 5, notes) == (found.report.outcome, found.report.rows, found.report.notes)
    assert of_summary(replace(SUMMARY, state="done"), None).is_done


def test_programs_read_the_same() -> None:
    """With the import's own account and its plan."""
    found = orjson.loads(json_of(of_report(REPORT), "a\udcff.csv", AT))
    assert ("a_.csv", "done", "r-1", "2026-11-25T08:15:00Z", 5) == (
        found["file"],
        found["outcome"],
        found["run"],
        found["ended_at"],
        found["import"]["counts"]["imported"],
    )
    stopped = orjson.loads(json_of(of_plan(PLAN), "a.csv", AT))
    assert ("failed", None, True) == (stopped["outcome"], stopped["import"], stopped["plan"]["stops"])
