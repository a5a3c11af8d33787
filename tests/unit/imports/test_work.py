"""One run's work as its steps need it."""

from pathlib import Path

from syncengine.imports import states
from syncengine.imports.ambiguity import Policy
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.imports.work import Work
from syncengine.jobs.job import Job
from tests.unit.imports.table import COLUMNS, chunk


def test_files_of_a_chunk_lie_beside_its_manifest(tmp_path: Path) -> None:
    """Under its name."""
    rows = chunk(tmp_path, ("a@x", "A", "1"), name="000007")
    facts = {"manifest": "000007.arrow", "rows": 1, "bytes": 8}
    job = Job(id="r-7", instance="acme", kind=states.CHUNK, state=states.PLANNED, facts=facts)
    target = Target(kind=Kind.LEADS, keys=("email",))
    work = Work("acme", "r", target, COLUMNS, Route.BULK, Policy.VERIFY, tmp_path, rows.bodies)
    assert rows == work.rows(job)
    assert (rows, COLUMNS, 8) == (work.payload(job).rows, work.payload(job).columns, work.payload(job).row_bytes)
    assert [tmp_path / f"000007.{end}" for end in ("settled", "failures.csv", "warnings.csv")] == [
        work.settled(job),
        work.listed(job, "failures"),
        work.listed(job, "warnings"),
    ]
