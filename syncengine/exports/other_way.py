"""What takes a window's place where the subscription lacks the filter that it asks by (1035).

Apart from the plan, which knows from the first run on: here it shows in the middle of one.
"""

from dataclasses import replace
from typing import Any

from syncengine.exports import due
from syncengine.exports.fields import needed_by, parts
from syncengine.exports.plan import NO_FILTER_NOTE, halves
from syncengine.exports.reading import READING
from syncengine.exports.window import columns_of, counts, shape_of
from syncengine.jobs.job import Job


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


def _like(job: Job, request: dict[str, Any], *, counts: bool, kind: str = "") -> Job:
    """A job over the window's time with another request."""
    changed = replace(job, kind=kind or job.kind, facts={**job.facts, "request": request})
    (heir,) = halves(changed, due.stretches_of([job]))
    return heir if counts else replace(heir, facts={**heir.facts, "counts": False})


def _without_columns(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "columns"}
