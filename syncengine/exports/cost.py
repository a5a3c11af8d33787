"""What a run will cost in calls, megabytes and minutes, before any of it is spent.

Apart from the plan, which says what is to be done: here it is only counted.
"""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from syncengine.exports.budget import expected, is_dated, is_measured
from syncengine.exports.plan import Preparation, Prepared
from syncengine.exports.reading import READING
from syncengine.exports.slice import Stretch
from syncengine.exports.window import CLEANED, stretch_of
from syncengine.marketo.limits import EXPORT_RUNNING_MAX, EXPORT_STATUS_SECONDS
from syncengine.reports import StreamPlan

# Create, enqueue, file.
CALLS_PER_WINDOW = 3
# What a job takes in Marketo's queue when it runs; nothing better is known before it does.
JOB_SECONDS_TYPICAL = 60.0


def stream_plans(found: Preparation, now: datetime, export_bytes_left: int) -> tuple[StreamPlan, ...]:
    """What each stream of the run will cost. Windows of all streams go in turn: each kind is watched to the end.

    A stream that cannot be brought costs nothing and says why.
    """
    prepared = found.streams
    run_seconds = sum(_seconds(len(_windows(each))) for each in prepared)
    waiting = _waiting(prepared, export_bytes_left)
    polls = ceil(run_seconds / EXPORT_STATUS_SECONDS)
    plans = [_stream_plan(each, now, polls, waiting[number]) for number, each in enumerate(prepared)]
    for name, reason in (*found.denied.items(), *found.skipped.items()):
        plans.append(StreamPlan(name, 0, 0, now, now, 0, notes=(str(reason),)))
    return tuple(plans)


def _windows(prepared: Prepared) -> list[tuple[int, Stretch, float | None]]:
    """Priority, time and expected bytes of each window: readings are not exported."""
    asked = [
        (one.priority, one.stretch, one.request.get("filter") is not None) for one in prepared.new if not one.is_reading
    ]
    resumed = [job for job in prepared.resumed if job.kind != READING]
    asked += [(job.priority, Stretch(*stretch_of(job)), is_dated(job)) for job in resumed if not is_measured(job)]
    known = prepared.measured
    found = [(priority, stretch, expected(known, stretch, by_date=dated)) for priority, stretch, dated in asked]
    # What Marketo has made is spent already.
    return [*found, *((job.priority, Stretch(*stretch_of(job)), 0.0) for job in resumed if is_measured(job))]


def _reading_calls(prepared: Prepared) -> int:
    """What the readings of a stream will take: as many calls as the last one did, and one before the first."""
    count = sum(each.is_reading for each in prepared.new)
    past = [job for job in prepared.jobs if job.kind == READING and job.state == CLEANED]
    last = max(past, key=lambda job: job.updated_at, default=None)
    return count * (int(last.facts.get("calls", 1)) if last else 1)


def _waiting(prepared: Sequence[Prepared], export_bytes_left: int) -> list[int]:
    """Of each stream, how many windows do not fit into the day's megabytes when the first ones go first."""
    line = []
    for number, each in enumerate(prepared):
        line += [
            (priority, -stretch.start.timestamp(), number, size or 0.0) for priority, stretch, size in _windows(each)
        ]
    waiting, left = [0] * len(prepared), float(export_bytes_left)
    for _, _, number, size in sorted(line):
        if size > left:
            waiting[number] += 1
        else:
            left -= size
    return waiting


def _seconds(windows: int) -> float:
    """About how long Marketo takes for so many windows."""
    return ceil(windows / EXPORT_RUNNING_MAX) * JOB_SECONDS_TYPICAL + EXPORT_STATUS_SECONDS if windows else 0.0


def _stream_plan(prepared: Prepared, now: datetime, polls: int, waiting: int) -> StreamPlan:
    stretches, exported = prepared.stretches, _windows(prepared)
    count = len(exported)
    sizes = [size for _, _, size in exported]
    described = 0 if prepared.shape.stream.columns else 1
    return StreamPlan(
        stream=prepared.shape.stream.name,
        windows=len(stretches),
        resumed=len(prepared.resumed),
        waiting=waiting,
        start=stretches[0].start if stretches else prepared.cursor,
        end=max((each.end for each in stretches), default=min(prepared.cursor, now)),
        calls=CALLS_PER_WINDOW * count + (polls if count else 0) + _reading_calls(prepared) + described,
        bytes_estimate=None if None in sizes or not prepared.measured else round(sum(filter(None, sizes))),
        seconds_estimate=_seconds(count),
        notes=prepared.shape.notes,
    )
