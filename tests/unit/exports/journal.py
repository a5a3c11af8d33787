"""What a journal and a destination know of a stream, as a test writes it."""

from dataclasses import replace
from typing import Any

from syncengine.exports.due import Past
from syncengine.exports.slice import Stretch
from syncengine.exports.window import KIND, PLANNED
from syncengine.jobs.job import Job
from tests.unit.exports.world import DAY, SETTLE
from tests.virtual import ORIGIN

UNTIL = ORIGIN - SETTLE
START = ORIGIN - 20 * DAY
ALL = Stretch(START, UNTIL)


def past(*committed: Stretch, **changes: Any) -> Past:
    return replace(Past(committed, (), (), (), is_full=False, generation=""), **changes)


def job(stretch: Stretch = ALL, *, state: str = PLANNED, filter_field: str | None = None, **changes: Any) -> Job:
    """A job of the journal."""
    facts = {
        "start": stretch.start.isoformat(),
        "end": stretch.end.isoformat(),
        "request": {"filter": filter_field, "fields": [], "generation": changes.pop("generation", "")},
        **changes.pop("facts", {}),
    }
    return Job(id="w.1", instance="acme", kind=changes.pop("kind", KIND), state=state, facts=facts, **changes)
