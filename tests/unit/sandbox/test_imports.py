"""Tests of the queue and the pace of import jobs."""

import pytest

from syncengine.sandbox.exports import Outcome
from syncengine.sandbox.imports import ImportJob, ImportRequest, Imports
from syncengine.sandbox.replies import Refusal
from tests.unit.sandbox.caller import small_options

PACE = {"import_seconds": (10.0, 10.0)}


class Notes:
    """Rows that were written and when."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float]] = []
        self.closed = 0

    def write(self, cells: list[str], now: float) -> tuple[str, str]:
        self.rows.append((cells[0], now))
        return ("bad", "") if cells[0].startswith("bad") else ("", "odd" if cells[0].startswith("odd") else "")

    def close(self) -> None:
        self.closed += 1


class Queue:
    """Imports whose rows go into notes."""

    def __init__(self, **options: object) -> None:
        self.imports = Imports(small_options(**{**PACE, **options}))
        self.notes: dict[int, Notes] = {}

    def create(
        self, *rows: str, at: float = 0.0, outcome: Outcome | None = None, list_id: int | None = None
    ) -> ImportJob:
        notes = Notes()
        request = ImportRequest("leads", "csv", ("a", "b"), ("b",), lambda: notes, list_id=list_id)
        body = "".join(f"{row},\n" for row in ("a", *rows)).encode()
        job = self.imports.create(request, body, at, outcome or Outcome())
        self.notes[job.id] = notes
        return job


def test_two_jobs_run_and_the_others_wait_in_order() -> None:
    """Statuses at each moment of the first three jobs."""
    queue = Queue()
    jobs = [queue.create("x", "y") for _ in range(3)]
    seen = []
    for now in (0, 5, 10, 19, 20):
        queue.imports.advance(now)
        seen.append([job.status[0] for job in jobs])
    assert seen == [list("IIQ"), list("IIQ"), list("CCI"), list("CCI"), list("CCC")]
    assert (queue.imports.running_most, jobs[2].started_at, jobs[2].body) == (2, 10, None)
    assert [notes.closed for notes in queue.notes.values()] == [1, 1, 1]


def test_the_eleventh_job_is_refused_until_one_ends() -> None:
    """Those that run count."""
    queue = Queue()
    for _ in range(10):
        queue.create("x")
    queue.imports.advance(9)
    with pytest.raises(Refusal, match="Too many imports"):
        queue.create("x", at=9)
    queue.imports.advance(10)
    assert queue.create("x", at=10).status == "Queued"


def test_a_list_is_imported_to_by_one_job_at_a_time() -> None:
    """A job that waits blocks the list too; another list is free."""
    queue = Queue()
    queue.create("x", list_id=1)
    with pytest.raises(Refusal, match="Import in progress"):
        queue.create("x", list_id=1)
    queue.create("x", list_id=2)
    queue.imports.advance(10)
    queue.create("x", at=10, list_id=1)


def test_rows_are_written_evenly() -> None:
    """A half finished job has written half of its rows, and says so."""
    queue = Queue()
    job = queue.create(*(f"row{number:03}" for number in range(100)))
    counts = []
    for now in (0, 2.5, 5, 9.9, 10):
        queue.imports.advance(now)
        counts.append((job.status, job.processed))
    assert counts[0] == ("Importing", 0)
    assert counts[1:3] == [("Importing", 25), ("Importing", 50)]
    assert counts[4] == ("Complete", 100)
    assert [at for _, at in queue.notes[job.id].rows][-1] == 10


def test_the_work_of_one_call_can_be_bounded() -> None:
    """A job whose time is over is Importing until its last row is written; the next one begins when it should have."""
    queue = Queue(imports_running=1)
    first, second = queue.create("1", "2", "3"), queue.create("4")
    written = [queue.imports.advance(100, 2) for _ in range(5)]
    assert (written, first.status, second.status) == ([2, 2, 0, 0, 0], "Complete", "Complete")
    assert [row for notes in queue.notes.values() for row, _ in notes.rows] == ["1", "2", "3", "4"]
    assert second.started_at == first.finished_at


def test_a_failing_job_has_read_a_part_of_its_file() -> None:
    """Nothing, or what lies in its first bytes; its message is the given one."""
    queue = Queue()
    nothing = queue.create("1", "2", outcome=Outcome("Failed", "Out of luck"))
    a_part = queue.create("1", "2", "3", outcome=Outcome("Failed", at_byte=8, seconds=5))
    queue.imports.advance(100)
    assert [(job.status, job.processed, job.message) for job in (nothing, a_part)] == [
        ("Failed", 0, "Out of luck"),
        ("Failed", 2, "Import failed"),
    ]


def test_failures_and_warnings_are_listed() -> None:
    """With the columns of the file and the reason; a last column that is the key and always empty is missing."""
    queue = Queue()
    job, ragged = queue.create("bad1", "fine", "odd1", "bad2"), queue.create("bad1", 'bad,"2"')
    queue.imports.advance(100)
    assert (job.processed, job.failed, job.warned) == (2, 2, 1)
    assert job.files == {
        "failures": b"a,Import Failure Reason\nbad1,bad\nbad2,bad\n",
        "warnings": b"a,Import Warning Reason\nodd1,odd\n",
    }
    assert job.message == "Import completed with errors, 2 records imported (2 members), 2 failed, 1 warning."
    assert ragged.files["failures"].splitlines() == [
        b"a,b,Import Failure Reason",
        b"bad1,,bad",
        b'bad,2,,"Row has 3 columns, the header has 2"',
    ]


def test_a_batch_is_known_for_seven_days_under_its_own_kind() -> None:
    """Not under another kind, not later, and never when it was forgotten."""
    queue = Queue()
    job, lost = queue.create("x"), queue.create("x", outcome=Outcome(is_forgotten=True))
    find = queue.imports.find
    assert find("leads", "", job.id, 604_799) is job
    assert find("leads", "", job.id, 604_800) is None
    assert find("custom_objects", "car_c", job.id, 0) is None
    assert find("leads", "", lost.id, 0) is None
    assert find("leads", "", 1, 0) is None
    assert lost.id == job.id + 1
