"""Which records the job of a window asks for."""

from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.exports import request
from syncengine.exports.fields import Choice, shape
from syncengine.exports.streams import STREAMS
from syncengine.exports.window import KIND, PLANNED, Part, request_of
from syncengine.jobs.job import Job
from syncengine.marketo.endpoints.exports import Filter
from tests.unit.exports.world import DAY, SETTLE, activities, build
from tests.virtual import ORIGIN, virtual

SECOND = timedelta(seconds=1)
ACTIVITIES = shape(STREAMS["activities"], (), Choice())


@virtual
async def test_a_window_travels_without_its_last_second(tmp_path: Path) -> None:
    """Marketo's filter includes its end: [start, end) in our books is [start, end - 1 s] there."""
    (job,) = await build(tmp_path).planned(activities(1))
    start, end = ORIGIN - DAY, ORIGIN - SETTLE
    assert Filter("createdAt", start, end - SECOND) == request.chosen(job)


@pytest.mark.parametrize("part", [Part(program_ids=(1, 2)), Part(list_id=7)])
@pytest.mark.parametrize("field", ["updatedAt", None])
def test_a_part_of_a_stream_is_asked_for(part: Part, field: str | None) -> None:
    """Programs or a list are named as they were planned; without a date, all of their members are asked for."""
    facts = {"start": (ORIGIN - DAY).isoformat(), "end": ORIGIN.isoformat()}
    asked = request_of(ACTIVITIES, field, "", part)
    job = Job(id="w", instance="acme", kind=KIND, state=PLANNED, group="leads", facts={**facts, "request": asked})
    chosen = request.chosen(job)
    assert (part.program_ids, part.list_id) == (chosen.program_ids, chosen.static_list_id)
    assert (field, ORIGIN - SECOND if field else None) == (chosen.field, chosen.end)
