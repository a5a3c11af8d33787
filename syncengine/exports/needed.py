"""Which finished jobs the next plan still looks at, however old they are: all others may be forgotten.

The ledger knows what was committed, so of what has ended a plan asks the journal only for what the ledger does not
know. Whoever lets a plan read more of finished jobs keeps it here; each rule names who reads it. Apart from the plan,
since these are the jobs of all streams, and nothing is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncengine.exports.budget import REMEMBERED, is_dated, is_measured
from syncengine.exports.due import generation_of
from syncengine.exports.streams import STREAMS, ByKey
from syncengine.exports.window import CLEANED, COMMITTED, part_of, stretch_of
from syncengine.jobs.job import Job

ACTIVITIES = "activities"


@dataclass(frozen=True, slots=True)
class Trace:
    """What a plan may want to know of a window or reading: a job without its columns, of which there are many."""

    id: str
    stream: str
    state: str
    created_at: datetime
    updated_at: datetime
    end: datetime
    generation: str
    programs: tuple[int, ...]
    read_at: datetime | None
    measured: bool
    dated: bool

    @property
    def is_committed(self) -> bool:
        """Whether the destination has its rows."""
        return self.state in {CLEANED, COMMITTED}


def trace_of(job: Job) -> Trace:
    """What is kept in mind of a job."""
    read_at = job.facts.get("read_at")
    return Trace(
        id=job.id,
        stream=job.group,
        state=job.state,
        created_at=job.created_at,
        updated_at=job.updated_at,
        end=stretch_of(job)[1],
        generation=generation_of(job),
        programs=part_of(job).program_ids,
        read_at=datetime.fromisoformat(read_at) if read_at else None,
        measured=is_measured(job),
        dated=is_dated(job),
    )


def needed(traces: Iterable[Trace]) -> set[str]:
    """The ids of those jobs, all of one instance, that a plan looks at."""
    streams: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        streams[trace.stream].append(trace)
    kept = {each.id for of_stream in streams.values() for each in _of_stream(of_stream)}
    return kept | {each.id for name in streams for each in _sources(name, streams)}


def _of_stream(traces: Sequence[Trace]) -> Iterator[Trace]:
    latest_first = sorted(traces, key=lambda each: each.updated_at, reverse=True)
    # The fields that were asked for last (`plan`), and those of the rows that are there (`changes`).
    yield from latest_first[:1]
    yield from [each for each in latest_first if each.state == CLEANED][:1]
    # How many bytes a window has (`budget.expected`, `budget.density`).
    for dated in (True, False):
        yield from [each for each in latest_first if each.measured and each.dated is dated][:REMEMBERED]
    # When everything was last asked for anew (`due.is_full_due`, and `plan` for what goes on).
    generation = max(each.generation for each in traces)
    present = [each for each in traces if each.generation == generation]
    yield min(present, key=lambda each: each.created_at)
    yield from _of_programs([each for each in present if each.is_committed])
    if last := _last_reading(traces):
        yield last


def _of_programs(traces: Sequence[Trace]) -> Iterator[Trace]:
    """The last jobs that read each program (`due.members`)."""
    seen: set[int] = set()
    for each in sorted(traces, key=lambda each: each.end, reverse=True):
        if fresh := set(each.programs) - seen:
            seen |= fresh
            yield each


def _sources(name: str, streams: Mapping[str, Sequence[Trace]]) -> Iterator[Trace]:
    """What was read before a stream that takes its keys from it and committed after, so that it was not seen
    (`due.keys_since`).
    """
    stream = STREAMS.get(name)
    last = _last_reading(streams[name])
    if stream is None or not isinstance(stream.way, ByKey) or last is None or last.read_at is None:
        return
    for source in {stream.way.stream, ACTIVITIES}:
        for each in streams.get(source, ()):
            if (
                each.is_committed
                and each.read_at
                and each.read_at < last.read_at
                and each.updated_at >= last.created_at
            ):
                yield each


def _last_reading(traces: Sequence[Trace]) -> Trace | None:
    """The committed job that was read last (`due.keys_since`)."""
    read = [(each.read_at, each) for each in traces if each.is_committed and each.read_at]
    return max(read, key=lambda pair: pair[0])[1] if read else None
