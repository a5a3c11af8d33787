"""What a run will do, before it does anything: shapes, and the windows and readings that are due.

Apart from the run, so that `syncengine plan` shows exactly what `syncengine sync` then does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from syncengine.destinations import Destination, Standing
from syncengine.errors import (
    CallRejected,
    ConfigError,
    MarketoError,
    NotFound,
    PermissionDenied,
    Unavailable,
    Unsupported,
)
from syncengine.exports import due
from syncengine.exports.attempts import SYSTEM_ERROR
from syncengine.exports.budget import is_measured
from syncengine.exports.catalog import Catalog
from syncengine.exports.changes import changes
from syncengine.exports.due import New, Past, Wanted
from syncengine.exports.fields import Shape, shape
from syncengine.exports.readers import CRM_NOTE, CRM_OWNS_IT
from syncengine.exports.reading import READ, READING
from syncengine.exports.slice import Stretch, prefix_end, window_id
from syncengine.exports.streams import STREAMS, Bulk, ByKey, stream_of
from syncengine.exports.window import COMMITTED, FINAL, KIND, PLANNED, request_of
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# What concerns one stream alone, when what it has is asked for; of Unavailable, only Marketo's own fault (611) does.
OF_ONE_STREAM = (CallRejected, NotFound, PermissionDenied, Unavailable, Unsupported)
# What the journal remembers of an instance: streams whose export cannot be filtered by updatedAt.
NO_FILTER = "streams without the updatedAt filter"
NO_FILTER_NOTE = {
    "leads": "this subscription cannot filter leads by updatedAt (1035): new people come by createdAt, changed ones by"
    " their lead changes; what Marketo does not log as such comes with the next full read.",
    "program_members": "this subscription cannot filter members by updatedAt (1035): all are read each time.",
}
NO_OTHER_WAY = "left out: this subscription cannot filter these by updatedAt (1035), and there is no other way to them."


@dataclass(frozen=True, slots=True)
class Prepared:
    """One stream of this run: what to ask for, what is there, what an earlier run left, and what is new."""

    wanted: Wanted
    shape: Shape
    standing: Standing
    resumed: tuple[Job, ...]
    abandoned: tuple[Job, ...]
    new: tuple[New, ...]
    cursor: datetime
    jobs: tuple[Job, ...] = field(repr=False)  # all that the journal has of the stream
    changed: tuple[str, ...] = ()  # what is new of the fields since the last run, in words

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Every window and reading of this run, oldest first."""
        resumed = due.stretches_of(self.resumed)
        return tuple(sorted((*resumed, *(each.stretch for each in self.new)), key=lambda each: each.start))

    @property
    def measured(self) -> tuple[Job, ...]:
        """Windows of earlier runs whose files have a known size."""
        return tuple(filter(is_measured, self.jobs))


@dataclass(slots=True)
class Preparation:
    """The streams that can be brought, and those that cannot: denied ones with their error, others with a line."""

    streams: list[Prepared] = field(default_factory=list)
    denied: dict[str, MarketoError] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planner:
    """Finds out what is due; spends a describe for each object whose fields are not fixed, and nothing else."""

    client: Client
    store: JobStore
    destination: Destination
    instance: str
    catalog: Catalog

    async def prepare(self, wanted: Sequence[Wanted]) -> Preparation:
        """What is due for each stream. Raises ConfigError with the problems of all streams together."""
        # Whatever else is asked, identity's answer shows Marketo's clock, by which windows end.
        await self.client.tokens.current()
        _refuse_the_future(wanted, self.client.server_now())
        found, problems = Preparation(), list[ConfigError]()
        for each in wanted:
            try:
                found.streams.append(await self._stream(each))
            except ConfigError as error:
                problems.append(error)
            except OF_ONE_STREAM as error:
                if error.code == CRM_OWNS_IT:
                    found.skipped[each.name] = CRM_NOTE
                elif isinstance(error, Unavailable) and error.code != SYSTEM_ERROR:
                    raise
                else:
                    found.denied[each.name] = error
        if problems:
            raise joined(problems)
        return found

    async def _stream(self, wanted: Wanted) -> Prepared:
        stream = stream_of(wanted.name)
        described = await self.catalog.fields(stream)
        shaped = shape(stream, described, wanted.choice)
        standing = await run_blocking(partial(self.destination.standing, self.instance, wanted.name))
        jobs = [job for job in await self.store.jobs(self.instance, group=wanted.name) if job.kind in {KIND, READING}]
        now = self.client.server_now()
        committed = tuple(Stretch(interval.start, interval.end) for interval in standing.intervals)
        is_full = wanted.full or due.is_full_due(wanted.full_every, jobs, committed, now)
        can_filter = wanted.full or wanted.name not in (await self.store.recall(self.instance, NO_FILTER) or ())
        generation = now.isoformat() if is_full else max(map(due.generation_of, jobs), default="")
        unfinished = [job for job in jobs if job.state not in FINAL]
        # Rows that are committed stay, whatever is asked for now: such a job only has to be put away.
        put_away = [job for job in unfinished if job.state == COMMITTED]
        going_on = [
            job
            for job in unfinished
            if job not in put_away and _goes_on(job, shaped, generation, can_filter=can_filter)
        ]
        abandoned = [job for job in unfinished if job not in put_away and job not in going_on]
        past = Past(committed, tuple(jobs), tuple(going_on), tuple(abandoned), is_full, generation)
        changed = () if is_full else tuple(changes(shaped, jobs))
        notes = list(changed)
        if is_full and not wanted.full:
            notes.append("everything is read again, as `full` says.")
        if not can_filter:
            notes.append(NO_FILTER_NOTE.get(wanted.name, NO_OTHER_WAY))
        return Prepared(
            wanted=wanted,
            shape=replace(shaped, notes=(*shaped.notes, *notes)),
            standing=standing,
            resumed=(*put_away, *going_on),
            abandoned=tuple(abandoned),
            new=await self._new(shaped, wanted, past, now, can_filter=can_filter),
            cursor=prefix_end(committed, wanted.reach.start),
            jobs=tuple(jobs),
            changed=changed,
        )

    async def _new(
        self, shaped: Shape, wanted: Wanted, past: Past, now: datetime, *, can_filter: bool
    ) -> tuple[New, ...]:
        stream = shaped.stream
        match stream.way:
            case Bulk(parts="programs"):
                keys = await run_blocking(partial(self.destination.keys, self.instance, "programs", "id"))
                ids: list[Any] = keys.to_pylist()
                return due.members(shaped, wanted, past, now, program_ids=ids, can_filter=can_filter)
            case Bulk(parts="lists"):
                return due.list_members(shaped, wanted, past, now)
            case Bulk():
                if not can_filter and wanted.name != "leads":
                    return ()
                return due.windows(shaped, wanted, past, now, can_filter=can_filter)
            case ByKey():
                return await self._by_key(stream.way, shaped, wanted, past, now)
            case _:
                return due.readings(shaped, wanted, past, now)

    async def _by_key(self, way: ByKey, shaped: Shape, wanted: Wanted, past: Past, now: datetime) -> tuple[New, ...]:
        sources = [*await self.store.jobs(self.instance, group=way.stream)]
        activities = await self.store.jobs(self.instance, group="activities")
        since = due.keys_since(way, past, [*sources, *activities])
        facts: dict[str, Any] = {"by_activities": way.stream == "leads" and _tell_of_leads(activities)}
        if since is not None:
            facts["keys_since"] = since.isoformat()
        return tuple(replace(each, facts={**each.facts, **facts}) for each in due.readings(shaped, wanted, past, now))


def _tell_of_leads(activities: Sequence[Job]) -> bool:
    """Whether the rows of activities say of which type they are and whose: the configuration may hide either."""
    if not activities:
        return False
    request = max(activities, key=lambda job: job.updated_at).facts["request"]
    return {name for name, _ in request["fields"]} - {*request.get("hashed", ())} >= {"activityTypeId", "leadId"}


def _refuse_the_future(wanted: Sequence[Wanted], now: datetime) -> None:
    """Raise ConfigError when there is nothing to bring because it is all to come."""
    if wanted and now < (start := min(each.reach.start for each in wanted)):
        problem = f"sync.start: {start:%Y-%m-%dT%H:%MZ} lies in the future; Marketo's clock says {now:%Y-%m-%dT%H:%MZ}."
        raise ConfigError("Nothing can be brought.", problems=(problem,), advice="Choose an earlier [sync] start.")


def joined(problems: Sequence[ConfigError]) -> ConfigError:
    """One error that lists all problems."""
    if len(problems) == 1:
        return problems[0]
    return ConfigError(
        "The fields of several streams do not fit this instance.",
        problems=tuple(each for problem in problems for each in problem.problems),
    )


def _goes_on(job: Job, shaped: Shape, generation: str, *, can_filter: bool) -> bool:
    """Whether an unfinished job asks for just what this run would ask for.

    Jobs that share their time, or wait for each other, are asked for anew together; so is a reading that was cut short.
    """
    way, asked = shaped.stream.way, job.facts["request"]
    if job.kind == READING:
        # What is listed whole is listed anew: what lies in the spool may be days old.
        is_kept = job.state == READ and due.goes_by_time(shaped.stream)
        return is_kept and bool(asked == request_of(shaped, None, generation))
    if not isinstance(way, Bulk) or way.parts or not can_filter:
        return False
    return bool(asked == request_of(shaped, way.filter_field, generation))


def new_jobs(prepared: Prepared, instance: str, *, epoch: int, turn: int) -> list[Job]:
    """What is new as jobs of the holder with `epoch`; `turn` orders streams among windows of the same time."""
    until = max((each.stretch.end.isoformat() for each in prepared.new), default="")
    jobs: list[Job] = []
    for each in prepared.new:
        job = new_job(
            prepared.shape.stream.name,
            each.stretch,
            each.request,
            until=until,
            instance=instance,
            epoch=epoch,
            # The newest goes first: a backfill that is cut short has brought the years that matter most.
            place=turn - int(each.stretch.start.timestamp()) * len(STREAMS),
            priority=each.priority,
            late_before=each.late_before,
            kind=READING if each.is_reading else KIND,
            facts={**each.facts, **({} if each.counts else {"counts": False})},
        )
        if each.after_others:
            before = [other.id for other in jobs if other.facts["end"] == job.facts["end"]]
            job = replace(job, after=tuple(before))
        jobs.append(job)
    return jobs


def new_job(
    stream: str,
    stretch: Stretch,
    request: Mapping[str, Any],
    *,
    until: str,
    instance: str,
    epoch: int,
    place: int,
    priority: int,
    late_before: datetime | None = None,
    kind: str = KIND,
    facts: Mapping[str, Any] = MappingProxyType({}),
) -> Job:
    """One window or reading as a job.

    The ledger knows a window by what it asks for and by the end of the run that asked: a long lookback may ask for the
    very same time again, and its rows must not be taken for those that the ledger has. A job is one attempt at a window
    by one holder, and has an id of its own.
    """
    window = window_id(stream, stretch, {"instance": instance, "until": until, **request})
    known: dict[str, Any] = {
        **facts,
        "window": window,
        "start": stretch.start.isoformat(),
        "end": stretch.end.isoformat(),
        "request": dict(request),
        "until": until,
    }
    if late_before is not None:
        known["late_before"] = late_before.isoformat()
    return Job(
        id=f"{window}.{epoch}",
        instance=instance,
        kind=kind,
        group=stream,
        state=PLANNED,
        priority=priority,
        place=place,
        epoch=epoch,
        facts=known,
    )
