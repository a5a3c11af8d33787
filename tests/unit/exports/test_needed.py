"""What a plan reads of finished jobs is the same when all but the needed ones are forgotten."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncengine.exports import due
from syncengine.exports.budget import density, expected
from syncengine.exports.due import Past
from syncengine.exports.needed import needed, trace_of
from syncengine.exports.reading import READING
from syncengine.exports.slice import Stretch
from syncengine.exports.streams import STREAMS, ByKey
from syncengine.exports.window import ABANDONED, CLEANED, COMMITTED, FINAL, KEPT, KIND, PLANNED
from syncengine.jobs.job import Job

START = datetime(2026, 1, 1, tzinfo=UTC)
GENERATIONS = ("", "2026-01-05T00:00:00+00:00", "2026-01-20T00:00:00+00:00")
COMMITTED_TIME = (Stretch(START, START + timedelta(days=40)),)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


# Streams that have to do with each other.
TOGETHER = (("leads",), ("program_members",), ("opportunity_roles", "leads", "activities"), ("companies", "activities"))


@st.composite
def job(draw: st.DrawFn, number: int, streams: Sequence[str]) -> Job:
    """A job of one of these streams."""
    stream = draw(st.sampled_from(streams))
    created = draw(st.integers(0, 900))
    request: dict[str, Any] = {"fields": [], "generation": draw(st.sampled_from(GENERATIONS[:1] * 4 + GENERATIONS[1:]))}
    request["filter"] = draw(st.sampled_from([None, "updatedAt"]))
    if stream == "program_members":
        request["programs"] = draw(st.lists(st.integers(1, 12), max_size=3))
    facts: dict[str, Any] = {"request": request, "start": at(created).isoformat()}
    facts["end"] = at(created + draw(st.integers(1, 48))).isoformat()
    if draw(st.integers(0, 3)):
        facts["read_at"] = at(created + draw(st.integers(0, 60))).isoformat()
    if draw(st.booleans()):
        facts["file_bytes"] = draw(st.integers(0, 1_000))
    return Job(
        id=f"job {number}",
        instance="acme",
        kind=READING if isinstance(STREAMS[stream].way, ByKey) else KIND,
        group=stream,
        state=draw(st.sampled_from([*[CLEANED] * 8, ABANDONED, KEPT, COMMITTED, PLANNED])),
        facts=facts,
        created_at=at(created) + timedelta(seconds=number),
        # No two at one moment: of two that are equally late, any may be taken.
        updated_at=at(created + draw(st.integers(0, 100))) + timedelta(seconds=number),
    )


@st.composite
def journals(draw: st.DrawFn) -> tuple[Sequence[Job], Sequence[Job]]:
    """All jobs, and those that are left: what is unfinished, what is needed, and some that are simply young."""
    streams = draw(st.sampled_from(TOGETHER))
    jobs = [draw(job(number, streams)) for number in range(draw(st.integers(1, 40)))]
    kept = needed(map(trace_of, jobs))
    young = draw(st.sets(st.sampled_from([each.id for each in jobs]), max_size=3))
    return jobs, [each for each in jobs if each.state not in FINAL or each.id in kept or each.id in young]


def of(jobs: Sequence[Job], stream: str) -> list[Job]:
    return [each for each in jobs if each.group == stream]


def asked(jobs: Sequence[Job], stream: str) -> list[Any]:
    """Everything that plans ask of the jobs of a stream, and what they learn."""
    mine = of(jobs, stream)
    if not mine:
        return []
    generation = max(map(due.generation_of, mine))
    past = Past(COMMITTED_TIME, tuple(mine), (), (), False, generation)
    cleaned = [each for each in mine if each.state == CLEANED]
    found: list[Any] = [
        generation,
        density(mine),
        expected(mine, COMMITTED_TIME[0], by_date=False),
        max(mine, key=lambda each: each.updated_at).id,
        max(cleaned, key=lambda each: each.updated_at).id if cleaned else None,
        due._programs_seen(past),
        *(due.is_full_due(timedelta(days=days), mine, COMMITTED_TIME, at(1_000)) for days in range(1, 42, 4)),
    ]
    way = STREAMS[stream].way
    if isinstance(way, ByKey):
        sources = [*of(jobs, way.stream), *of(jobs, "activities")]
        found.append(due.keys_since(ByKey(way.object, "", "", "", only_changed=True), past, sources))
    return found


@given(journals())
def test_plans_learn_the_same_of_what_is_left(journal: tuple[Sequence[Job], Sequence[Job]]) -> None:
    """Of every stream: its generation and when that began, its bytes, its programs, and what its keys came after."""
    jobs, left = journal
    for stream in {each.group for each in jobs}:
        assert asked(jobs, stream) == asked(left, stream)


def test_a_long_past_leaves_little() -> None:
    """A window a night for three years: what is kept of it is a handful, for no rule keeps them all."""
    jobs = [
        Job(
            id=str(night),
            instance="acme",
            kind=KIND,
            group="leads",
            state=CLEANED,
            facts={
                "request": {"fields": [], "filter": "updatedAt", "generation": ""},
                "start": at(24 * night).isoformat(),
                "end": at(24 * night + 24).isoformat(),
                "read_at": at(24 * night + 24).isoformat(),
                "file_bytes": 1_000,
            },
            created_at=at(24 * night),
            updated_at=at(24 * night + 1),
        )
        for night in range(1_000)
    ]
    # The last dozen with their sizes, and the one with which all began.
    assert {"0", *map(str, range(988, 1_000))} == needed(map(trace_of, jobs))


def done(name: str, stream: str, *, hours: int, read: int, committed: int, programs: Sequence[int] = ()) -> Job:
    """A committed job: when it was planned, read and committed; its size is not known."""
    request = {"fields": [], "filter": "updatedAt", "generation": "", "programs": list(programs)}
    start, end = at(hours).isoformat(), at(hours + 1).isoformat()
    return Job(
        id=name,
        instance="acme",
        kind=KIND,
        group=stream,
        state=CLEANED,
        facts={"request": request, "start": start, "end": end, "read_at": at(read).isoformat()},
        created_at=at(hours),
        updated_at=at(committed),
    )


def test_rows_that_a_reading_by_keys_could_not_see_are_remembered() -> None:
    """Read before it and committed after it began, be it a window of its keys' stream or of activities."""
    jobs = [
        done("first lead", "leads", hours=0, read=0, committed=0),
        done("first activity", "activities", hours=0, read=0, committed=0),
        done("seen", "leads", hours=1, read=1, committed=9),
        done("roles", "opportunity_roles", hours=10, read=11, committed=12),
        done("late lead", "leads", hours=2, read=5, committed=10),
        done("late activity", "activities", hours=2, read=4, committed=15),
        done("last lead", "leads", hours=20, read=20, committed=20),
        done("last activity", "activities", hours=20, read=20, committed=20),
    ]
    assert {job.id for job in jobs} - {"seen"} == needed(map(trace_of, jobs))


def test_each_program_keeps_the_last_job_that_read_it() -> None:
    """However long ago that was: without it all of its members would be read again."""
    jobs = [
        done("first", "program_members", hours=0, read=0, committed=0, programs=(1, 2)),
        done("left behind", "program_members", hours=1, read=1, committed=1, programs=(1,)),
        done("last of 1", "program_members", hours=2, read=2, committed=2, programs=(1,)),
        done("nothing new", "program_members", hours=2, read=1, committed=1, programs=(4,)),
        done("last", "program_members", hours=9, read=9, committed=9, programs=(4,)),
    ]
    assert {"first", "last of 1", "last"} == needed(map(trace_of, jobs))
