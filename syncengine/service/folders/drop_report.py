"""What became of a drop, for a person and for a program: `report.txt` and `report.json` beside it.

Plain values and words, apart from the files: what was wrong, where the rows are, and the very command that comes next.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from syncengine.errors import ConfigError, SyncEngineError
from syncengine.reports import FindingReport, ImportPlan, ImportReport, ImportSummary
from syncengine.service.folders.drops import SHARED, Places, shown

REPORT_JSON: Final = "report.json"
REPORT_TEXT: Final = "report.txt"
REPLAY: Final = "replay.csv"
# The outcomes of rows in words, and the files of an account in which they stand.
OUTCOMES: Final = {
    "imported": ("imported", ""),
    "warned": ("imported with a warning", "warnings.csv"),
    "failed": ("failed in Marketo", "failed.csv"),
    "quarantined": ("set aside before sending", "quarantine.csv"),
    "superseded": ("superseded by a later row", "superseded.csv"),
    "unresolved": ("unresolved", "unresolved.csv"),
    "waiting": ("not sent", ""),
}
ACCOUNT: Final = (REPORT_JSON, REPORT_TEXT, REPLAY, *(file for _, file in OUTCOMES.values() if file))
FINDINGS_SHOWN: Final = 20
STOPS: Final = "stops"
UNFINISHED: Final = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a drop ended, or that it has not. `problems` are sentences without their full stop.

    `is_done` means that every row went in; one that is `waiting` is tried again. `run` is the import run that it has,
    and `is_open` tells that this run is unfinished and could be gone on with.
    """

    is_done: bool = False
    is_waiting: bool = False
    problems: tuple[str, ...] = ()
    advice: str = ""
    run: str = ""
    is_open: bool = False
    report: ImportReport | None = None
    plan: ImportPlan | None = None


def of_report(report: ImportReport) -> Verdict:
    """How a run left a drop. What waits for time or for the operator's word is no end; a run that stopped itself is."""
    is_held = report.outcome == "partial" and report.counts["waiting"] > 0
    advice = ""
    if is_held:
        advice = f"Decide with `syncengine imports resume {report.run_id} --on-ambiguous verify`, or with abandon."
    return Verdict(
        is_done=report.outcome == "done",
        is_waiting=report.outcome == "waiting" or is_held,
        problems=report.problems,
        advice=advice,
        run=report.run_id,
        is_open=report.outcome == "stopped",
        report=report,
    )


def grown(verdict: Verdict) -> Verdict:
    """A drop that is no longer what was imported."""
    problem = "the file was written to after it had been taken: what was added is not imported"
    advice = "Drop what was added, or all of it again; put files in by renaming them when they are finished."
    return replace(verdict, is_done=False, problems=(*verdict.problems, problem), advice=advice)


def of_plan(plan: ImportPlan) -> Verdict:
    """A plan that has to be mended first."""
    return Verdict(
        problems=tuple(finding_text(each) for each in plan.findings if each.effect.startswith(STOPS)),
        advice="Mend the file, or say in its settings that it is meant: an option such as --allow-clear is "
        "allow_clear = true there, and --map is the table [columns].",
        plan=plan,
    )


def of_error(error: SyncEngineError, run: ImportSummary | None = None) -> Verdict:
    """Something that no trying again mends."""
    problems = (error.message, *(error.problems if isinstance(error, ConfigError) else ()))
    return Verdict(problems=problems, advice=error.advice, run=run.run_id if run else "", is_open=run is not None)


def of_summary(run: ImportSummary, summary: bytes | None) -> Verdict:
    """How a run ended that is closed, by the `summary.json` of its account; by the journal alone where that is gone."""
    verdict = of_report(_report_in(summary, run) or _report_by_journal(run))
    return replace(verdict, is_waiting=False, is_open=False)


def _report_in(summary: bytes | None, run: ImportSummary) -> ImportReport | None:
    try:
        facts = orjson.loads(summary or b"")
        lists = {name: tuple(facts[name]) for name in ("batches", "sources", "problems", "notes", "files")}
        return ImportReport(**(facts | lists | {"outcome": run.state, "folder": run.folder}))
    except (ValueError, TypeError, KeyError):
        return None  # somebody has written in it


def _report_by_journal(run: ImportSummary) -> ImportReport:
    return ImportReport(
        run_id=run.run_id,
        target=run.target,
        route=run.route,
        outcome=run.state,
        rows=run.rows,
        counts=run.counts,
        chunks=sum(run.chunks.values()),
        batches=(),
        calls=0,
        seconds=0.0,
        sources=run.sources,
        notes=(f"the account in {run.folder} is gone: this is what the journal knows",),
    )


def finding_text(finding: FindingReport) -> str:
    """A finding as a sentence."""
    rows = "" if finding.rows is None else f" ({finding.rows:,} {'row' if finding.rows == 1 else 'rows'})"
    first = f", first {'; '.join(finding.examples)}" if finding.examples else ""
    advice = f": {finding.advice.removesuffix('.')}" if finding.advice else ""
    return f"{finding.column} {finding.what}{rows}{first}{advice}"


def json_of(verdict: Verdict, name: str, at: datetime) -> bytes:
    """The account for programs."""
    facts: Mapping[str, Any] = {
        "file": shown(name),
        "ended_at": at,
        "outcome": "done" if verdict.is_done else "failed",
        "run": verdict.run,
        "problems": verdict.problems,
        "advice": verdict.advice,
        "import": asdict(verdict.report) if verdict.report else None,
        "plan": asdict(verdict.plan) if verdict.plan else None,
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a drop lies when all is over, and how commands name the instance."""

    places: Places
    folder: str
    name: str
    settings: str
    instance: str = ""

    @property
    def path(self) -> Path:
        """Its folder, when it has failed."""
        return self.places.end(is_done=False) / self.folder

    def imports(self, verb: str, run: str) -> str:
        """A command about its run."""
        return f"syncengine imports {verb} {run}" + (f" --instance {self.instance}" if self.instance else "")

    def again(self) -> str:
        """The command that has it taken up again."""
        return shlex.join(["mv", str(self.path), f"{self.places.working}/"])


def text_of(verdict: Verdict, where: Where, at: datetime) -> str:
    """The account for people."""
    return "\n".join(_lines(verdict, where, at)) + "\n"


def _lines(verdict: Verdict, where: Where, at: datetime) -> Iterator[str]:
    report = verdict.report
    yield f"{shown(where.name)}: {_outcome(verdict)}"
    yield f"{at:%Y-%m-%d %H:%M} UTC" + (f", run {verdict.run}" if verdict.run else "")
    if verdict.problems and not verdict.plan:
        yield from ("", "What was wrong")
        yield from (f"  {_sentence(each)}" for each in verdict.problems)
    if report:
        yield from ("", f"Rows into {report.target}")
        yield from _rows(report)
        yield from (f"  {_sentence(note)}" for note in report.notes)
    if verdict.plan:
        yield from ("", "What was found")
        found = verdict.plan.findings
        yield from (f"  {each.effect}: {finding_text(each)}" for each in found[:FINDINGS_SHOWN])
        if len(found) > FINDINGS_SHOWN:
            yield f"  and {len(found) - FINDINGS_SHOWN} more, in {REPORT_JSON}"
    if not verdict.is_done:
        yield from ("", "What to do")
        yield from (f"  {each}" for each in _next(verdict, where))


def _outcome(verdict: Verdict) -> str:
    report = verdict.report
    if verdict.is_done:
        return "every row is imported"
    if not report or not any(report.counts[name] for name in ("imported", "warned")):
        return "nothing is known to be imported" if verdict.run else "nothing was sent"
    return "some rows are not imported"


def _rows(report: ImportReport) -> Iterator[str]:
    for name, count in report.counts.items():
        label, file = OUTCOMES[name]
        if count or name == "imported":
            yield f"  {count:>12,}  {label}" + (f"  ({file})" if file in report.files else "")


def _next(verdict: Verdict, where: Where) -> Iterator[str]:
    """What comes next, with the commands."""
    report, settings = verdict.report, where.settings or SHARED
    if verdict.advice:
        yield _sentence(verdict.advice)
    if verdict.is_open:
        if report:
            yield f'To send the rest all the same, write max_failures = "100%" into {settings} beside this report and'
        else:
            yield "To go on, mend what is said above and"
        yield f"move this folder back: {where.again()}"
        yield f"To give the run up: {where.imports('abandon', verdict.run)}"
    elif not verdict.run:
        yield f"Then drop the file into {where.places.root} again, or move this folder back: {where.again()}"
    if report and report.counts["failed"] and not report.counts["waiting"]:
        yield f"To send the failed rows again: {where.imports('retry-failed', report.run_id)}"
    if report and report.counts["quarantined"]:
        yield f"Mend the rows in {OUTCOMES['quarantined'][1]} in a file of their own, and drop that."
    if report and report.counts["unresolved"]:
        yield f"Look in Marketo for the people in {OUTCOMES['unresolved'][1]}; what is not there can be dropped again."
    if report and report.counts["waiting"] and not verdict.is_open:
        yield "Rows were not sent: drop the file again to import them."


def _sentence(text: str) -> str:
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}" + ("" if whole.endswith((".", "?", "!")) else ".")
