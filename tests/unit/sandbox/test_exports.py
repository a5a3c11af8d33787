"""Tests of the life of export jobs."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.exports import ExportJob, ExportRequest, Exports, Outcome
from syncengine.sandbox.files import MemoryFiles
from syncengine.sandbox.limits import Limits
from syncengine.sandbox.replies import Refusal
from tests.unit.sandbox.caller import small_options

START = 1_768_478_400.0
DAY = 86_400
ORDER = ["Created", "Queued", "Processing", "Completed"]
ACTIONS = st.lists(st.tuples(st.sampled_from(["create", "enqueue", "cancel", "wait"]), st.integers(0, 90)), max_size=60)


def exports_of(rows: int = 100, kind: str = "leads") -> tuple[Exports, ExportRequest]:
    """Jobs that each have so many rows, and a request for one."""
    options = small_options()
    files = MemoryFiles()
    exports = Exports(options, Limits(options), lambda _request, _at: (rows, files.write([b"x" * rows])))
    return exports, ExportRequest(kind, "CSV", (("id", "integer", "id"),), lambda _at: [], lambda _names, _rows: [])


def played(actions: list[tuple[str, int]], step: float | None) -> list[ExportJob]:
    """Carry out the actions; between them advance in steps, or at once."""
    exports, request = exports_of(rows=5_000)
    jobs: list[ExportJob] = []
    now = START
    for action, number in actions:
        if action == "wait":
            if step is not None:
                for tick in range(int(number / step)):
                    exports.advance(now + tick * step)
            now += number
        exports.advance(now)
        job = jobs[number % len(jobs)] if jobs else None
        try:
            if action == "create":
                jobs.append(exports.create(request, now, Outcome()))
            elif action == "enqueue" and job is not None:
                exports.enqueue(job, now)
            elif action == "cancel" and job is not None:
                exports.cancel(job, now)
        except Refusal:
            continue
    exports.advance(now + DAY)
    return jobs


@given(ACTIONS)
def test_jobs_move_forward_and_share_two_slots(actions: list[tuple[str, int]]) -> None:
    """At every instant at most two run and ten are queued, in order of arrival, and no job ever moves back."""
    jobs = played(actions, None)
    moments = sorted({moment for job in jobs for moment in (job.queued_at, job.started_at) if moment < START + DAY})
    before = {job.id: 0 for job in jobs}
    for moment in moments:
        statuses = {job.id: job.status_at(moment) for job in jobs if job.created_at <= moment}
        count = Counter(statuses.values())
        assert count["Processing"] <= 2
        assert count["Processing"] + count["Queued"] <= 10
        for job_id, status in statuses.items():
            place = ORDER.index(status) if status in ORDER else len(ORDER)
            assert before[job_id] <= place
            before[job_id] = place
    started = sorted((job for job in jobs if job.started_at < START + DAY), key=lambda job: job.started_at)
    assert [job.queued_at for job in started] == sorted(job.queued_at for job in started)


@given(ACTIONS)
def test_how_often_the_queue_is_looked_at_changes_nothing(actions: list[tuple[str, int]]) -> None:
    """Advancing second by second gives the same instants as advancing only when a call comes."""
    at_once = [(job.started_at, job.finished_at, job.cancelled_at) for job in played(actions, None)]
    stepwise = [(job.started_at, job.finished_at, job.cancelled_at) for job in played(actions, 1.0)]
    assert at_once == stepwise


def test_a_third_job_starts_when_a_slot_falls_free() -> None:
    """It starts at the very end of the first job, though nobody looked then."""
    exports, request = exports_of(rows=0)
    jobs = [exports.create(request, START, Outcome()) for _ in range(3)]
    for number, job in enumerate(jobs):
        exports.enqueue(job, START + number)
    exports.advance(START + 1000)
    assert [job.started_at - START for job in jobs] == [0, 1, 30]
    assert [job.finished_at - START for job in jobs] == [30, 31, 60]


def test_more_rows_take_longer_within_the_range() -> None:
    """Processing time grows from the least to the most."""
    seconds = []
    for rows in (0, 10_000, 20_000, 90_000):
        exports, request = exports_of(rows)
        job = exports.create(request, START, Outcome())
        exports.enqueue(job, START)
        seconds.append(job.finished_at - START)
    assert seconds == [30, 75, 120, 120]


def test_a_failed_job_shows_its_reason_and_costs_nothing() -> None:
    """A job that fails has no file and uses none of the day's bytes."""
    options = small_options()
    limits = Limits(options)
    exports = Exports(options, limits, lambda _request, _at: (5, MemoryFiles().write([b"12345"])))
    request = ExportRequest("leads", "CSV", (), lambda _at: [], lambda _names, _rows: [])
    job = exports.create(request, START, Outcome("Failed", "too bad", 7))
    exports.enqueue(job, START)
    exports.advance(START + 7)
    shown = job.shown_at(START + 7)
    assert (shown["status"], shown["errorMsg"], "fileSize" in shown) == ("Failed", "too bad", False)
    assert exports.file("leads", job.id, START + 7) is None
    assert limits.exported.used(START + 7) == 0


def test_a_completed_job_is_metered_on_the_day_that_it_ends() -> None:
    """Bytes count when the job finishes, not when its file is fetched."""
    options = small_options()
    limits = Limits(options)
    exports = Exports(options, limits, lambda _request, _at: (5, MemoryFiles().write([b"12345"])))
    job = exports.create(ExportRequest("leads", "CSV", (), lambda _at: [], lambda _names, _rows: []), START, Outcome())
    exports.enqueue(job, START)
    exports.advance(START + 29)
    before = limits.exported.used(START + 29)
    exports.advance(START + 31)
    assert (before, limits.exported.used(START + 31)) == (0, 5)


def test_files_and_lists_last_seven_days() -> None:
    """After seven days the file is gone and the job unlisted, its status is known for thirty."""
    exports, request = exports_of()
    job = exports.create(request, START, Outcome())
    exports.enqueue(job, START)
    exports.advance(START + 60)
    late = START + 7 * DAY
    assert exports.file("leads", job.id, late - 1) is not None
    assert exports.file("leads", job.id, late + 120) is None
    assert [exports.listed("leads", late - 1), exports.listed("leads", late)] == [[job], []]
    exports.advance(START + 29 * DAY)
    assert exports.find("leads", job.id) is job
    exports.advance(START + 31 * DAY)
    with pytest.raises(Refusal, match="1013"):
        exports.find("leads", job.id)
