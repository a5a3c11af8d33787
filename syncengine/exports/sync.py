"""One sync of some streams, from lease to report.

The order is what makes it safe: leases first, then what the destination holds, then the plan into the journal, then
work. Whatever ends the run, its leases are given back and the journal says how it ended.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import orjson

from syncengine.destinations import Destination
from syncengine.errors import MarketoError, QuotaExhausted
from syncengine.exports import fetch, request
from syncengine.exports.budget import Megabytes
from syncengine.exports.load import Landing
from syncengine.exports.plan import Prepared, Wanted, new_jobs, prepare
from syncengine.exports.request import Watch
from syncengine.exports.run import Windows
from syncengine.exports.streams import stream_of
from syncengine.exports.tally import Tally
from syncengine.exports.window import APPLYING, AT_MARKETO, FETCHING, HOLDS_A_PLACE, KIND, lease_name, stretch_of
from syncengine.jobs.board import Failed, Outcome
from syncengine.jobs.job import Job
from syncengine.jobs.lease import holding
from syncengine.jobs.scheduler import Scheduler
from syncengine.jobs.store import JobStore
from syncengine.observe.events import Event, RunEnded, RunStarted, StreamPlanned
from syncengine.reports import SyncReport
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# Status is renewed once a minute and looked at once a minute, so a finished job may be counted for two minutes more:
# eight counted ones keep the two running slots busy even with short jobs, and leave two places of the ten to others.
PLACES = {AT_MARKETO: 8, FETCHING: 3, APPLYING: 1}
# Enough for all long steps at once and two more, so that Marketo's queue is refilled while files come in.
WORKERS = PLACES[FETCHING] + PLACES[APPLYING] + 2


@dataclass(frozen=True, slots=True)
class Parts:
    """What a sync works with, all of it opened by the engine."""

    instance: str
    client: Client
    store: JobStore
    destination: Destination
    spool: Path
    poll_seconds: float
    observe: Callable[[Event], None]
    hash_key: bytes = field(default=b"", repr=False)


async def sync(parts: Parts, wanted: Sequence[Wanted]) -> SyncReport:
    """Bring every wanted stream up to now, and report what that moved.

    Raises AlreadyRunning when one of the streams is being synced elsewhere, QuotaExhausted when the day has no call
    left, and whatever else ends a run early. What waits for tomorrow's export megabytes is in the report.
    """
    clock = parts.client.clock
    async with AsyncExitStack() as held:
        epochs = {}
        for each in wanted:
            standing = await run_blocking(partial(parts.destination.standing, parts.instance, each.name))
            lease = holding(parts.store, clock, parts.instance, lease_name(each.name), at_least=standing.epoch)
            epochs[each.name] = (await held.enter_async_context(lease)).epoch
        kind = "sync " + "+".join(sorted(each.name for each in wanted))
        run = await parts.store.begin_run(parts.instance, kind, {"streams": [each.name for each in wanted]})
        parts.observe(RunStarted(str(run.id), kind))
        outcome, detail = "failed", {}
        try:
            report = await _work(parts, wanted, epochs, str(run.id), run.started_at)
            outcome, detail = report.outcome, orjson.loads(orjson.dumps(report))
        except QuotaExhausted as error:
            outcome, detail = "paused", {"problem": error.message, "resume_at": error.resume_at.isoformat()}
            raise
        except Exception as error:
            detail = {"problem": str(error)}
            raise
        except anyio.get_cancelled_exc_class():
            outcome = "interrupted"
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await parts.store.end_run(run, outcome, detail)
            parts.observe(RunEnded(str(run.id), kind, outcome, (clock.now() - run.started_at).total_seconds()))
    return report


async def _work(
    parts: Parts, wanted: Sequence[Wanted], epochs: dict[str, int], run_id: str, started_at: datetime
) -> SyncReport:
    calls_before = parts.client.calls_sent
    prepared = await prepare(parts.client, parts.store, parts.destination, parts.instance, wanted)
    jobs: list[Job] = []
    for turn, each in enumerate(prepared):
        jobs += await _planned(parts, each, epochs[each.shape.stream.name], turn)
    await _tidy(parts)
    landing = Landing(
        clock=parts.client.clock,
        destination=parts.destination,
        spool=parts.spool,
        observe=parts.observe,
        hash_key=parts.hash_key,
        hard_delete=frozenset(each.name for each in wanted if each.hard_delete),
    )
    megabytes = Megabytes(parts.client.gate)
    for each in prepared:
        megabytes.learn(each.measured)
    outcome = await _run(parts, jobs, landing, megabytes)
    failed = [each for each in outcome.failed if not isinstance(each.error, QuotaExhausted)]
    waiting = [each for each in outcome.failed if isinstance(each.error, QuotaExhausted)]
    streams = tuple(landing.tallies.get(each.shape.stream.name, Tally()).report(each.shape) for each in prepared)
    incomplete = bool(failed) or any(each.rejected for each in streams)
    ended_at = parts.client.clock.now()
    return SyncReport(
        run_id=run_id,
        outcome="partial" if incomplete else "paused" if waiting else "done",
        started_at=started_at,
        ended_at=ended_at,
        seconds=(ended_at - started_at).total_seconds(),
        calls=parts.client.calls_sent - calls_before,
        streams=streams,
        problems=(*_problems(failed), *_problems(waiting)),
        errors=tuple(dict.fromkeys(type(each.error).__name__ for each in (*failed, *waiting))),
        advice=tuple(
            dict.fromkeys(advice for each in (*failed, *waiting) if (advice := getattr(each.error, "advice", "")))
        ),
        resume_at=_resume_at(waiting),
    )


def _resume_at(waiting: Sequence[Failed]) -> datetime | None:
    """When the day's quota is back for those that wait for it."""
    moments = [each.error.resume_at for each in waiting if isinstance(each.error, QuotaExhausted)]
    return max(moments, default=None)


async def _planned(parts: Parts, prepared: Prepared, epoch: int, turn: int) -> list[Job]:
    """Write this run's windows of a stream into the journal: new ones, and an earlier run's as our own."""
    store = parts.store
    resumed = await store.adopt(prepared.resumed, epoch)
    new = await store.plan(new_jobs(prepared, parts.instance, epoch=epoch, turn=turn))
    # Last: what a window was to bring is planned anew before it is given up.
    for job in await store.adopt(prepared.abandoned, epoch):
        await _cancelled(parts, job)
        await store.move(job, "abandon", problem="the stream's fields or filter have changed")
    parts.observe(StreamPlanned(prepared.shape.stream.name, len(resumed) + len(new), len(resumed)))
    return [*resumed, *new]


async def _cancelled(parts: Parts, job: Job) -> None:
    """Take a window's job out of Marketo's queue: it would cost megabytes that nobody wants any more."""
    if job.state in HOLDS_A_PLACE:
        # A job that cannot be cancelled, for whatever reason, does no harm but that.
        with suppress(MarketoError):
            await request.cancel(parts.client, stream_of(job.group).way.kind, job.facts["export_id"])


async def _run(parts: Parts, jobs: Sequence[Job], landing: Landing, megabytes: Megabytes) -> Outcome:
    """Let the scheduler take every window to its end, beside one watch for each kind of export."""
    kinds = {stream_of(job.group).way.kind for job in jobs}
    scheduler: Scheduler

    def wake(job_id: str) -> None:
        scheduler.wake(job_id)

    watches = {kind: Watch(parts.client, kind, parts.poll_seconds, wake) for kind in kinds}
    windows = Windows(client=parts.client, store=parts.store, landing=landing, megabytes=megabytes, watches=watches)
    scheduler = Scheduler({KIND: windows}, parts.client.clock, workers=WORKERS, lanes=PLACES)
    try:
        async with anyio.create_task_group() as group:
            for watch in watches.values():
                group.start_soon(watch.run)
            outcome = await scheduler.run(jobs)
            group.cancel_scope.cancel()
    except ExceptionGroup as errors:
        raise _first(errors) from errors
    return outcome


async def _tidy(parts: Parts) -> None:
    """Remove spooled files of windows that nobody works on any more."""
    unfinished = await parts.store.jobs(parts.instance, kind=KIND, unfinished_only=True)
    kept = {fetch.spool_path(parts.spool, job.id).name for job in unfinished}

    def remove() -> None:
        for path in parts.spool.iterdir():
            if path.name.removesuffix(".part") not in kept:
                path.unlink(missing_ok=True)

    await run_blocking(remove)


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _problems(failed: Sequence[Failed]) -> tuple[str, ...]:
    """A sentence for each thing that went wrong with a stream, and over which time."""
    alike: dict[tuple[str, str], list[Failed]] = {}
    for each in failed:
        alike.setdefault((each.job.group, str(each.error)), []).append(each)
    sentences = []
    for (stream, error), all_of_it in alike.items():
        start = min(stretch_of(each.job)[0] for each in all_of_it)
        end = max(stretch_of(each.job)[1] for each in all_of_it)
        count = f" in {len(all_of_it)} windows" if len(all_of_it) > 1 else ""
        sentences.append(f"{stream} from {start:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}{count}: {error}")
    return tuple(sentences)
