"""What changed in a stream's fields since its last run, in words for the report: rows keep what they were read with."""

from collections.abc import Sequence

from syncengine.exports.fields import Shape
from syncengine.exports.window import CLEANED
from syncengine.jobs.job import Job


def changes(shaped: Shape, jobs: Sequence[Job]) -> list[str]:
    """What a change of the fields means for rows that were read before, in the run that first meets it."""
    done = [job for job in jobs if job.state == CLEANED]
    if not done:
        return []
    request = max(done, key=lambda job: job.updated_at).facts["request"]
    before, hashed_before = [name for name, _ in request["fields"]], request.get("hashed", [])
    stream, names = shaped.stream.name, shaped.schema.names
    again = f"`syncengine sync --full {stream}` reads them all again."
    notes = []
    if added := [name for name in names if name not in before]:
        notes.append(f"new are {', '.join(added)}: rows read before have none of it until they change; {again}")
    if gone := [name for name in before if name not in names]:
        notes.append(f"no longer read are {', '.join(gone)}: their columns stay as they are.")
    if hidden := [name for name in shaped.hashed if name in before and name not in hashed_before]:
        notes.append(
            f"hashed from now on are {', '.join(hidden)}: rows that were read before keep the text; {again}"
            " People whom Marketo no longer has keep it until their rows are removed."
        )
    return notes
