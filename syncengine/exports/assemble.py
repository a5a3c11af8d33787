"""The rows of a window that is ready to be applied: out of its file, and of the files of its other columns.

Apart from the flow, which moves the window on, and from the parser and the join, which know one file and many.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.errors import NotFound
from syncengine.exports import fetch
from syncengine.exports.fields import landed
from syncengine.exports.tally import ParseProblems
from syncengine.exports.window import KEPT, KIND, columns_of, file_schema, shape_of
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.threads import run_blocking

if TYPE_CHECKING:
    import pyarrow as pa


async def rows(store: JobStore, spool: Path, job: Job, problems: ParseProblems) -> Iterable["pa.RecordBatch"]:
    """The window's rows, read while they are taken.

    Raises NotFound when a file of its other columns is not there any more: the window has to be asked for anew.
    """
    from syncengine.exports import join  # Arrow, a quarter of a second: `status` and `plan` do without it

    if job.facts["records"] == 0 or columns_of(job) is None:
        return _of_file(spool, job, problems)
    before = [await store.get(job.instance, job_id) for job_id in job.after]
    others = [other for other in before if other is None or other.kind == KIND]
    found = [other for other in others if other is not None and other.state == KEPT]
    there = [one.facts["records"] == 0 or await run_blocking(fetch.spool_path(spool, one.id).exists) for one in found]
    if len(found) < len(others) or not all(there):
        raise NotFound("The files of the window's other columns are gone; the next run asks for them anew.")
    files = [(landed(file_schema(one)).arrow(), _of_file(spool, one, problems)) for one in (job, *found)]
    return join.joined(files, shape_of(job).landed, spool / f"{job.id}.join")


def _of_file(spool: Path, job: Job, problems: ParseProblems) -> Iterable["pa.RecordBatch"]:
    from syncengine.exports import parse

    return parse.rows_of(fetch.spool_path(spool, job.id), job, problems) if job.facts["records"] != 0 else ()
