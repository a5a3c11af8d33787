"""What is read again: keys whose rows have changed, and all of a stream when its last full read is old."""

from datetime import timedelta
from typing import Any

import pytest

from syncengine.exports import due
from syncengine.exports.due import Past
from syncengine.exports.streams import STREAMS, ByKey
from syncengine.exports.window import ABANDONED, CLEANED, COMMITTED, PLANNED
from syncengine.jobs.job import Job
from tests.unit.exports.journal import ALL, job, past
from tests.unit.exports.world import DAY
from tests.virtual import ORIGIN

HOUR = timedelta(hours=1)
ROLES = STREAMS["opportunity_roles"].way
OPPORTUNITIES = STREAMS["opportunities"].way
TICK = timedelta(microseconds=1)


def read_job(hour: int, *, state: str = CLEANED, ended: int | None = None, begun: int | None = None) -> Job:
    """A job whose rows were read at this hour."""
    read_at = (ORIGIN + hour * HOUR).isoformat()
    return job(
        state=state,
        facts={"read_at": read_at},
        created_at=ORIGIN + (hour if begun is None else begun) * HOUR,
        updated_at=ORIGIN + (hour if ended is None else ended) * HOUR,
    )


@pytest.mark.parametrize(
    ("own", "sources", "hour"),
    [
        ([read_job(5)], [], 5),
        ([read_job(5), read_job(3)], [], 5),
        ([read_job(5)], [read_job(4)], 5),
        # Written before the last reading, committed after it: the reading cannot have seen its rows.
        ([read_job(5)], [read_job(2, ended=6)], 2),
        ([read_job(5, state=COMMITTED)], [read_job(2, ended=6, state=COMMITTED), read_job(3, ended=7)], 2),
        ([read_job(5)], [read_job(2, ended=6, state=ABANDONED)], 5),
        ([read_job(5), read_job(9, state=ABANDONED)], [], 5),
    ],
)
def test_keys_count_as_changed_since_what_the_last_reading_saw(own: list[Job], sources: list[Job], hour: int) -> None:
    """The moment before it, so that what was read at that very moment is asked for again."""
    assert isinstance(ROLES, ByKey)
    assert ORIGIN + hour * HOUR - TICK == due.keys_since(ROLES, past(jobs=tuple(own)), sources)


@pytest.mark.parametrize(
    ("way", "known"),
    [
        (ROLES, past()),
        (ROLES, past(jobs=(read_job(5, state=PLANNED),))),
        (ROLES, past(jobs=(read_job(5),), is_full=True)),
        (OPPORTUNITIES, past(jobs=(read_job(5),))),
    ],
)
def test_all_keys_are_asked_for_where_changes_do_not_tell(way: Any, known: Past) -> None:
    """The first time, in a full read, and for objects whose change shows nowhere else."""
    assert due.keys_since(way, known, []) is None


# Full reads.


def began(days_ago: float, *, state: str = CLEANED, named: bool = True) -> Job:
    moment = ORIGIN - days_ago * DAY
    return job(state=state, generation=moment.isoformat() if named else "", created_at=moment)


@pytest.mark.parametrize(
    ("jobs", "is_due"),
    [
        ([began(6.9)], False),
        ([began(7)], True),
        ([began(7, named=False)], True),
        ([began(30), began(6)], False),
        ([began(30), began(8)], True),
        ([began(30), began(8, state=PLANNED)], False),
        ([began(30, state=PLANNED), began(8)], True),
        ([], False),
    ],
)
def test_a_full_read_is_due_when_the_last_one_began_long_ago(jobs: list[Job], is_due: bool) -> None:
    """One that is under way is gone on with; without any job nobody knows when the last one was."""
    assert is_due == due.is_full_due(7 * DAY, jobs, [ALL], ORIGIN)


def test_a_full_read_is_due_only_where_it_is_wanted_and_something_is_held() -> None:
    """The first read of a stream is a full one anyway."""
    assert not due.is_full_due(None, [began(99)], [ALL], ORIGIN)
    assert not due.is_full_due(7 * DAY, [began(99)], [], ORIGIN)
