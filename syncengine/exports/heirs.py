"""What takes a window's place: halves of what was too much, or another way where the filter that it asks by is missing.

Apart from the plan, which knows beforehand: this shows in the middle of a run. Whoever waits for a window waits for its
heirs, so that a time which several share is committed when all of them are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from syncengine.exports import due
from syncengine.exports.budget import cut
from syncengine.exports.fields import needed_by, parts
from syncengine.exports.plan import NO_FILTER_NOTE, new_job
from syncengine.exports.reading import READING
from syncengine.exports.slice import Stretch
from syncengine.exports.window import columns_of, counts, part_of, shape_of
from syncengine.jobs.job import Job


def halves(job: Job, stretches: Sequence[Stretch]) -> list[Job]:
    """Jobs that take a window's place, one for each stretch, with all else as it was."""
    late = job.facts.get("late_before")
    return [
        new_job(
            job.group,
            each,
            job.facts["request"],
            until=job.facts.get("until", ""),
            instance=job.instance,
            epoch=job.epoch,
            place=job.place,
            priority=job.priority,
            late_before=datetime.fromisoformat(late) if late else None,
            kind=job.kind,
        )
        for each in stretches
    ]


def smaller(job: Job) -> list[Job]:
    """Jobs that bring half of the window each: of its time, or of its programs; none where it cannot be halved."""
    ids = part_of(job).program_ids
    if len(ids) < 2:
        stretches = cut(job, 2)
        return halves(job, stretches) if len(stretches) > 1 else []
    middle = len(ids) // 2
    first, last = ({**job.facts["request"], "programs": list(half)} for half in (ids[:middle], ids[middle:]))
    before = _like(job, first, counts=False)
    # The one that stands for the time of all comes after the others, now as before.
    after = (*job.after, before.id) if counts(job) else ()
    return [before, replace(_like(job, last, counts=counts(job)), after=after)]


def other_way(job: Job) -> list[Job]:
    """Jobs that bring what the window was to bring without the filter; none if there is no other way.

    Leads come by `createdAt`, after the reading of those that changed; a list of their columns like the window did.
    """
    if job.group not in NO_FILTER_NOTE:
        return []
    request = {**job.facts["request"], "filter": "createdAt" if job.group == "leads" else None}
    if job.group != "leads" or columns_of(job):
        return [_like(job, request, counts=counts(job))]
    first = _like(job, {**_without_columns(request), "filter": due.LEAD_CHANGES}, counts=False, kind=READING)
    shape = shape_of(job)
    lists = len(parts(shape.schema.names, needed_by(shape.stream))) if columns_of(job) is not None else 1
    others = [_like(job, {**request, "columns": number}, counts=False).id for number in range(1, lists)]
    return [first, replace(_like(job, request, counts=True), after=(first.id, *others))]


def _like(job: Job, request: Mapping[str, Any], *, counts: bool, kind: str = "") -> Job:
    """A job over the window's time with another request."""
    changed = replace(job, kind=kind or job.kind, facts={**job.facts, "request": request})
    (heir,) = halves(changed, due.stretches_of([job]))
    return heir if counts else replace(heir, facts={**heir.facts, "counts": False})


def _without_columns(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "columns"}
