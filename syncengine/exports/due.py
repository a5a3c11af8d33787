"""What of one stream is due now: its windows or its reading, out of what the destination and the journal have.

Apart from the plan, which asks and writes: everything here is a decision on values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from syncengine.exports.budget import density
from syncengine.exports.fields import Choice, Shape, needed_by, parts
from syncengine.exports.slice import Reach, Stretch, due, gaps, sampled, whole_second, window_length
from syncengine.exports.streams import Bulk, ByKey, Since, Stream
from syncengine.exports.window import CLEANED, COMMITTED, FINAL, WHOLE, Part, part_of, request_of, stretch_of
from syncengine.jobs.job import Job
from syncengine.marketo.limits import EXPORT_PROGRAMS_MAX, EXPORT_WINDOW_DAYS_MAX

# What is new since the last run comes before what lies behind, whatever the streams.
INCREMENT, BACKFILL = 0, 1
# A reading by time is one listing however long it is.
ANY_LENGTH = timedelta(days=40_000)
LEAD_CHANGES = "lead changes"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stream as the configuration wants it.

    `full` reads everything since the start again, `full_every` does so when the last full read is that old. `lists` are
    the ids of the static lists whose members are wanted, `names` those of named account lists.
    """

    name: str
    choice: Choice
    reach: Reach
    full: bool = False
    full_every: timedelta | None = None
    hard_delete: bool = False
    lists: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class New:
    """A window or a reading that is due: its time, what to ask for, and how it stands among the others.

    `late_before` is the moment before which a row that it inserts is a late one. Of several that share their time, only
    the last one `counts`, and it comes `after_others`. `facts` are what its step needs besides.
    """

    stretch: Stretch
    request: Mapping[str, Any] = field(default_factory=dict)
    priority: int = BACKFILL
    late_before: datetime | None = None
    counts: bool = True
    is_reading: bool = False
    after_others: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a stream: the committed time, and every job of it that the journal has."""

    committed: tuple[Stretch, ...]
    jobs: tuple[Job, ...]
    going_on: tuple[Job, ...]
    again: tuple[Job, ...]
    is_full: bool
    generation: str


def windows(shaped: Shape, wanted: Wanted, past: Past, now: datetime, *, can_filter: bool) -> tuple[New, ...]:
    """The windows of a stream that is exported by date; `can_filter` says whether its own filter may be used.

    Leads that cannot be filtered by `updatedAt` come in two ways: the changed ones by a reading of lead changes, and
    the new ones by `createdAt`, after it; so their time is committed only when both are.
    """
    way = shaped.stream.way
    assert isinstance(way, Bulk)
    rate = density(past.jobs)
    stretches = due(
        () if past.is_full else past.committed,
        stretches_of(past.going_on),
        wanted.reach,
        now,
        again=stretches_of(past.again),
        longest=window_length(rate),
    )
    if rate is None and not past.committed:
        stretches = sampled(stretches)
    lists = len(parts(shaped.schema.names, needed_by(shaped.stream)))
    if can_filter:
        request = request_of(shaped, way.filter_field, past.generation)
        return tuple(one for each in stretches for one in _by_columns(_placed(each, request, past, wanted), lists))
    found = []
    for each in stretches:
        changes = request_of(shaped, LEAD_CHANGES, past.generation)
        found.append(
            New(each, changes, priority=_placed(each, changes, past, wanted).priority, counts=False, is_reading=True)
        )
        new = _placed(each, request_of(shaped, "createdAt", past.generation), past, wanted)
        found += [replace(one, after_others=one.counts) for one in _by_columns(new, lists)]
    return tuple(found)


def members(
    shaped: Shape, wanted: Wanted, past: Past, now: datetime, *, program_ids: Sequence[int], can_filter: bool
) -> tuple[New, ...]:
    """The jobs of program members: ten programs each, those that changed since they were last read or, where that is
    not known or lies too far back, all of them. The time is committed when every group is.

    A first or full read that takes several days goes on with the programs that it has not read yet.
    """
    until, start = whole_second(now - wanted.reach.settle), whole_second(wanted.reach.start)
    seen = _programs_seen(past) if can_filter and not past.is_full else {}
    sinces = {each: max(start, whole_second(end - wanted.reach.lookback)) for each, end in seen.items()}
    longest = timedelta(days=EXPORT_WINDOW_DAYS_MAX)
    known = [each for each in program_ids if each in sinces and until - sinces[each] <= longest]
    # Of a program that was never asked for, nobody knows what changed before.
    fresh = [each for each in program_ids if each not in known]
    since = min((sinces[each] for each in known), default=start)
    found = [
        New(Stretch(since if field else start, until), request, INCREMENT if known else BACKFILL)
        for field, ids in (("updatedAt", known), (None, fresh))
        for request in _by_programs(shaped, field, past.generation, ids)
    ]
    return _together(found)


def _programs_seen(past: Past) -> dict[int, datetime]:
    """Up to when the members of each program have been read in this generation, as far as the destination knows."""
    if not past.committed:
        return {}
    # A group that does not count has no time in the ledger, but a row.
    ledger = max((each.end for each in past.committed if each.end > each.start), default=None)
    seen: dict[int, datetime] = {}
    for job in past.jobs:
        if job.state in {CLEANED, COMMITTED} and generation_of(job) == past.generation:
            end = stretch_of(job)[1]
            end = end if ledger is None else min(end, ledger)
            for each in part_of(job).program_ids:
                seen[each] = max(end, seen.get(each, end))
    return seen


def _by_programs(shaped: Shape, field: str | None, generation: str, ids: Sequence[int]) -> list[Mapping[str, Any]]:
    groups = [tuple(ids[at : at + EXPORT_PROGRAMS_MAX]) for at in range(0, len(ids), EXPORT_PROGRAMS_MAX)]
    return [request_of(shaped, field, generation, Part(program_ids=group)) for group in groups]


def list_members(shaped: Shape, wanted: Wanted, past: Past, now: datetime) -> tuple[New, ...]:
    """A job for each chosen list: its members of this moment, all of them. Lists do not wait for each other."""
    stretch = Stretch(whole_second(wanted.reach.start), whole_second(now))
    if stretch.end <= stretch.start:
        return ()
    requests = [request_of(shaped, None, past.generation, Part(list_id=each)) for each in wanted.lists]
    return tuple(New(stretch, request, INCREMENT) for request in requests)


def readings(shaped: Shape, wanted: Wanted, past: Past, now: datetime) -> tuple[New, ...]:
    """The reading of a paged stream: since its cursor where it goes by time, or of everything that there is now."""
    request = request_of(shaped, None, past.generation, WHOLE)
    if goes_by_time(shaped.stream):
        committed = () if past.is_full else past.committed
        again = stretches_of(past.again)
        found = due(committed, stretches_of(past.going_on), wanted.reach, now, again=again, longest=ANY_LENGTH)
        return tuple(New(each, request, INCREMENT, is_reading=True) for each in found)
    start, end = whole_second(wanted.reach.start), whole_second(now)
    if past.going_on or end <= start:
        return ()
    facts: dict[str, Any] = {"names": list(wanted.names)} if wanted.names else {}
    return (New(Stretch(start, end), request, INCREMENT, is_reading=True, facts=facts),)


def goes_by_time(stream: Stream) -> bool:
    """Whether a paged stream is read since its cursor, and not as a whole each time."""
    return isinstance(stream.way, Since) or stream.name == "lead_changes"


def keys_since(way: ByKey, past: Past, sources: Sequence[Job]) -> datetime | None:
    """From when on rows of the streams that give the keys count as changed; None for all of them.

    `sources` are the jobs of those streams. A file that was written before the last reading and committed after it has
    rows that the reading could not see.
    """
    read = [job for job in past.jobs if job.state in {CLEANED, COMMITTED} and "read_at" in job.facts]
    if not way.only_changed or past.is_full or not read:
        return None
    last = max(read, key=lambda job: job.facts["read_at"])
    seen = datetime.fromisoformat(last.facts["read_at"])
    later = [
        datetime.fromisoformat(job.facts["read_at"])
        for job in sources
        if job.facts.get("read_at") and job.state in {CLEANED, COMMITTED} and job.updated_at >= last.created_at
    ]
    return min([seen, *later]) - timedelta(microseconds=1)


def is_full_due(every: timedelta | None, jobs: Sequence[Job], committed: Sequence[Stretch], now: datetime) -> bool:
    """Whether everything is to be read again because the last full read began long ago.

    The first read of a stream is a full one; a full read that is under way is gone on with.
    """
    if every is None or not committed or not jobs:
        return False
    generation = max(map(generation_of, jobs))
    if any(job.state not in FINAL and generation_of(job) == generation for job in jobs):
        return False
    began = datetime.fromisoformat(generation) if generation else min(job.created_at for job in jobs)
    return now - began >= every


def generation_of(job: Job) -> str:
    """The moment at which everything was asked for anew, of which the job is a part; empty for the first time."""
    # Journals of early versions counted generations.
    stated = job.facts["request"].get("generation", "")
    return stated if isinstance(stated, str) else ""


def stretches_of(jobs: Sequence[Job]) -> list[Stretch]:
    """The time of each job."""
    return [Stretch(*stretch_of(job)) for job in jobs]


def _placed(stretch: Stretch, request: Mapping[str, Any], past: Past, wanted: Wanted) -> New:
    """What the window is among the others: the increment, with the lookback before it, or part of a backfill."""
    frontier = max((each.end for each in past.committed), default=None)
    if frontier is None:
        return New(stretch, request)
    is_looking_back = not past.is_full and stretch.start < frontier
    # Of a stream with many rows, the lookback is windows of its own.
    is_lookback_alone = (
        is_looking_back
        and stretch.start >= whole_second(frontier - wanted.reach.lookback)
        and not gaps(past.committed, stretch)
    )
    if stretch.end <= frontier and not is_lookback_alone:
        return New(stretch, request)
    return New(stretch, request, INCREMENT, frontier if is_looking_back else None)


def _by_columns(window: New, lists: int) -> tuple[New, ...]:
    """The window as it is, or a job for each list of its columns, of which the last one made joins them all."""
    if lists == 1:
        return (window,)
    numbers = (*range(1, lists), 0)
    return tuple(
        replace(
            window,
            request={**window.request, "columns": number},
            counts=number == 0,
            after_others=number == 0,
        )
        for number in numbers
    )


def _together(jobs: Sequence[New]) -> tuple[New, ...]:
    """Jobs up to one moment, whose time is committed with the last of them."""
    if not jobs or jobs[-1].stretch.end <= jobs[-1].stretch.start:
        return ()
    *others, last = jobs
    first = [replace(each, counts=False) for each in others]
    return (*first, replace(last, after_others=bool(first)))
