"""Our jobs in Marketo's queues, as the journal knows them."""

from datetime import timedelta
from typing import Any

import pytest

from syncengine.exports import window
from syncengine.imports import states
from syncengine.jobs.job import Job
from syncengine.service.seen.bulk import WORDS, bulk_jobs
from tests.unit.service.seen.written import NOW

SINCE = NOW - timedelta(hours=1)


def export(state: str, **facts: Any) -> Job:
    """A window of leads in a state."""
    span = {"start": (NOW - timedelta(days=1)).isoformat(), "end": NOW.isoformat()}
    return Job(
        id="w", instance="acme", kind=window.KIND, state=state, group="leads", facts=span | facts, updated_at=NOW
    )


def chunk(state: str, **facts: Any) -> Job:
    """A chunk of 48,211 people in a state."""
    given: dict[str, Any] = {"run": "r-1", "rows": 48_211}
    return Job(
        id="r-1-1", instance="acme", kind=states.CHUNK, state=state, group="r-1", facts=given | facts, updated_at=NOW
    )


RUN = Job(id="r-1", instance="acme", kind=states.IMPORT, state=states.OPEN, group="import people")


@pytest.mark.parametrize("state", sorted({state for state, _ in window.MOVES.table} | window.FINAL))
def test_a_window_is_in_the_queue_while_it_holds_a_place(state: str) -> None:
    """Neither before Marketo has made a job of it, nor once its file is there."""
    assert (state in window.HOLDS_A_PLACE) == bool(bulk_jobs([export(state)]))


@pytest.mark.parametrize("state", sorted({state for state, _ in states.CHUNK_MOVES.table} | states.ENDED))
def test_a_chunk_is_in_the_queue_while_marketo_may_have_it(state: str) -> None:
    """One whose answer was lost may be there; it is told in words of its own."""
    found = bulk_jobs([RUN, chunk(state)])
    assert (state in states.AT_MARKETO) == bool(found)
    assert all(each.state in WORDS for each in found)


def test_each_job_says_what_it_is_and_since_when() -> None:
    """Exports by stream and time, imports by target, run and rows; the longest waiting first."""
    jobs = [
        chunk(states.SENDING, sent_at=SINCE.isoformat()),
        export(window.CREATED),
        export(window.QUEUED, enqueued_at=SINCE.isoformat()),
        RUN,
    ]
    assert [
        ("export", "leads, 1 Mar 2026 08:00Z to 2 Mar 2026 08:00Z", window.QUEUED, SINCE),
        ("export", "leads, 1 Mar 2026 08:00Z to 2 Mar 2026 08:00Z", window.CREATED, NOW),
        ("import", "people of import r-1, 48,211 rows", states.SENDING, SINCE),
    ] == [(each.queue, each.what, each.state, each.since) for each in bulk_jobs(jobs)]
