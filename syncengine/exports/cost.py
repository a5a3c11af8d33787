"""What a run will cost in calls, megabytes and minutes, before any of it is spent.

Apart from the plan, which says what is to be done: here it is only counted.
"""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from syncengine.exports.budget import density, is_measured
from syncengine.exports.plan import Prepared
from syncengine.exports.slice import Stretch
from syncengine.exports.window import stretch_of
from syncengine.marketo.limits import EXPORT_RUNNING_MAX, EXPORT_STATUS_SECONDS
from syncengine.reports import StreamPlan

# Create, enqueue, file.
CALLS_PER_WINDOW = 3
# What a job takes in Marketo's queue when it runs; nothing better is known before it does.
JOB_SECONDS_TYPICAL = 60.0


def stream_plans(prepared: Sequence[Prepared], now: datetime, export_bytes_left: int) -> tuple[StreamPlan, ...]:
    """What each stream of the run will cost. Windows of all streams go in turn: each kind is watched to the end."""
    run_seconds = sum(_seconds(len(each.stretches)) for each in prepared)
    waiting = _waiting(prepared, export_bytes_left)
    polls = ceil(run_seconds / EXPORT_STATUS_SECONDS)
    return tuple(_stream_plan(each, now, polls, waiting[number]) for number, each in enumerate(prepared))


def _waiting(prepared: Sequence[Prepared], export_bytes_left: int) -> list[int]:
    """Of each stream, how many windows do not fit into the day's megabytes when the first ones go first."""
    line = []
    for number, each in enumerate(prepared):
        rate = density(each.measured) or 0.0
        old = [(job.priority, Stretch(*stretch_of(job))) for job in each.resumed if not is_measured(job)]
        for priority, stretch in (*old, *((new.priority, new.stretch) for new in each.new)):
            size = rate * (stretch.end - stretch.start).total_seconds()
            line.append((priority, -stretch.start.timestamp(), number, size))
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
    stretches = prepared.stretches
    count = len(stretches)
    span = sum((each.end - each.start).total_seconds() for each in stretches)
    rate = density(prepared.measured)
    return StreamPlan(
        stream=prepared.shape.stream.name,
        windows=count,
        resumed=len(prepared.resumed),
        waiting=waiting,
        start=stretches[0].start if stretches else prepared.cursor,
        end=max((each.end for each in stretches), default=min(prepared.cursor, now)),
        calls=CALLS_PER_WINDOW * count + (polls if count else 0) + (0 if prepared.shape.stream.columns else 1),
        bytes_estimate=None if rate is None else round(rate * span),
        seconds_estimate=_seconds(count),
        notes=prepared.shape.notes,
    )
