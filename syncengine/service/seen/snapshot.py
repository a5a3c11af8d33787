"""What the operator is shown, as values: one instance's budget, streams, jobs and nights at one moment.

Apart from the reading of them, which waits for files and databases, and from the page and the metrics, which only say
them in their own ways. Instants are aware UTC by the instance's own clock, sizes are bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from syncengine.config import GroupSettings, LimitSettings
from syncengine.reports import RunSummary, StreamStatus, WindowStatus
from syncengine.service.schedule.nights import NightReport, StreamNight, evening_of
from syncengine.service.standing import GroupStanding, InboxStanding, Problem
from syncengine.transport.quota import next_reset
from syncengine.transport.use import GateUse

NIGHTS_SHOWN = 30
# Two readings of the reset lie an hour apart where they differ at all.
READINGS_APART = timedelta(hours=12)
# From the least to the most that is wrong with a night; what is not in it is worse than all.
HARM = ("done", "", "paused", "skipped", "partial", "stopped", "interrupted", "failed")


@dataclass(frozen=True, slots=True)
class Budget:
    """One of the day's two budgets, calls or bytes; `reserve` is left to others. It is gone until `paused_until`."""

    used: int
    limit: int
    reserve: int = 0
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Who uses the limits at this moment. Budgets are back at `back_at`, and `back_by` at the latest.

    `ours` are the shares of a limit that this engine allows itself now. `problem` says why nothing is known.
    """

    at: datetime
    window: int = 0
    window_limit: int = 0
    window_ours: int = 0
    window_seconds: float = 0.0
    in_flight: int = 0
    flight_limit: int = 0
    flight_ours: int = 0
    holders: Mapping[str, int] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    share: float = 1.0
    calls: Budget
    export: Budget
    back_at: datetime
    back_by: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """One of our jobs that has a place in a queue of Marketo's; `queue` is export or import."""

    queue: str
    what: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What the journal says of an instance; runs and nights are newest first. `problem` says why it cannot be read."""

    read_at: datetime
    runs: tuple[RunSummary, ...] = ()
    nights: tuple[NightReport, ...] = ()
    stream_names: tuple[str, ...] = ()
    unfinished: tuple[WindowStatus, ...] = ()
    jobs: tuple[BulkJob, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursors:
    """How far the destination holds each stream; `problem` says why it cannot be read."""

    read_at: datetime
    ends: Mapping[str, datetime] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSnapshot:
    """One instance at the moment `at` of its own clock. `groups` are the ones scheduled for it, with their settings.

    `nights` are of the last thirty evenings and newest first; one that is under way has no outcome.
    """

    name: str
    at: datetime
    schedule: Mapping[str, GroupSettings]
    groups: tuple[GroupStanding, ...]
    inboxes: tuple[InboxStanding, ...]
    problems: tuple[Problem, ...]
    live: Live
    nights: tuple[NightReport, ...]
    runs: tuple[RunSummary, ...]
    streams: tuple[StreamStatus, ...]
    unfinished: tuple[WindowStatus, ...]
    jobs: tuple[BulkJob, ...]
    journal_read_at: datetime
    cursors_read_at: datetime
    journal_problem: str = ""
    destination_problem: str = ""
    taken_over: str = ""  # why another daemon has the instance, if one has

    def last_night(self, group: str) -> NightReport | None:
        """The newest night of a group that has ended, by the time at which it was due."""
        ended = [night for night in self.nights if night.group == group and night.outcome]
        return max(ended, key=lambda night: (night.due, night.began_at), default=None)

    def zone(self, group: str) -> str:
        """The zone in which a group's nights are counted; UTC for a group that is configured no more."""
        return self.schedule[group].zone if group in self.schedule else "UTC"

    def evening(self, night: NightReport) -> date:
        """The day on whose evening a night began."""
        return evening_of(night.due, self.zone(night.group))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything, at the moment `at` of the machine's clock."""

    at: datetime
    started_at: datetime
    instances: tuple[InstanceSnapshot, ...]
    problems: tuple[Problem, ...] = ()
    reloaded_at: datetime | None = None
    is_stopping: bool = False


@dataclass(frozen=True, slots=True)
class Evening:
    """All nights of an instance that began on one evening, summed.

    One that a restart cut in two is in it twice: the later half says how it ended, and has the figures of both.
    """

    day: date
    nights: tuple[NightReport, ...]

    @property
    def last_words(self) -> tuple[NightReport, ...]:
        """The nights, each as it ended in the end."""
        by_age = sorted(self.nights, key=lambda night: night.began_at)
        return tuple({(night.group, night.due): night for night in by_age}.values())

    @property
    def outcome(self) -> str:
        """The worst outcome, empty while all that is wrong is that one has not ended."""
        return max((night.outcome for night in self.last_words), key=harm, default="")

    @property
    def counted(self) -> tuple[NightReport, ...]:
        """The nights, each once, with the figures that are known: one that goes on has none before it ends."""
        by_age = sorted(self.nights, key=lambda night: (night.ended_at is not None, night.began_at))
        return tuple({(night.group, night.due): night for night in by_age}.values())

    @property
    def rows(self) -> int:
        """Rows that were read."""
        return sum(night.rows for night in self.counted)

    @property
    def moved(self) -> int:
        """Rows whose content is new in the destination."""
        return sum(night.moved for night in self.counted)

    @property
    def calls(self) -> int:
        """Calls that were spent."""
        return sum(night.calls for night in self.counted)

    @property
    def export_bytes(self) -> int:
        """The size of all files that were fetched."""
        return sum(night.export_bytes for night in self.counted)

    @property
    def seconds(self) -> float:
        """How long the nights took, one after another."""
        return sum(took(night) or 0.0 for night in self.nights)

    @property
    def streams(self) -> Mapping[str, StreamNight]:
        """What was moved of each stream."""
        found: dict[str, StreamNight] = {}
        for night in self.counted:
            for name, counts in night.streams.items():
                found[name] = found.get(name, StreamNight()).plus(counts)
        return found


def harm(outcome: str) -> int:
    """How bad an outcome is; larger is worse."""
    return HARM.index(outcome) if outcome in HARM else len(HARM)


def took(night: NightReport) -> float | None:
    """How many seconds a night took; None while it runs."""
    return None if night.ended_at is None else (night.ended_at - night.began_at).total_seconds()


def evenings(instance: InstanceSnapshot) -> tuple[Evening, ...]:
    """The nights of an instance by evening, newest first; an evening without any is not in it."""
    found: dict[date, list[NightReport]] = {}
    for night in instance.nights:
        found.setdefault(instance.evening(night), []).append(night)
    return tuple(Evening(day, tuple(found[day])) for day in sorted(found, reverse=True)[:NIGHTS_SHOWN])


def resets(now: datetime) -> tuple[datetime, datetime]:
    """When today's budgets are back: by the earlier reading of the reset, and at the latest."""
    first = next_reset(now)
    second = next_reset(first)
    return first, second if second - first < READINGS_APART else first


def live_of(use: GateUse | None, limits: LimitSettings, at: datetime, problem: str = "") -> Live:
    """The present use; without one, nobody has made a call yet or `problem` says why it is unknown."""
    back_at, back_by = resets(at)
    return Live(
        at=at,
        window=use.in_window if use else 0,
        window_limit=limits.calls_per_window,
        window_ours=use.window_limit if use else max(1, int(limits.calls_per_window * limits.share)),
        window_seconds=limits.window_seconds,
        in_flight=use.in_flight if use else 0,
        flight_limit=limits.in_flight,
        flight_ours=use.flight_limit if use else max(1, int(limits.in_flight * limits.share)),
        holders=dict(use.holders) if use else {},
        waiting=use.waiting if use else frozenset(),
        share=limits.share,
        calls=Budget(
            use.spent_today.calls if use else 0,
            limits.calls_per_day,
            limits.reserve_calls,
            use.paused_until if use else None,
        ),
        export=Budget(
            use.spent_today.export_bytes if use else 0,
            limits.export_bytes_per_day,
            paused_until=use.export_paused_until if use else None,
        ),
        back_at=back_at,
        back_by=back_by,
        problem=problem,
    )


def known_nights(nights: Sequence[NightReport], groups: Sequence[GroupStanding]) -> tuple[NightReport, ...]:
    """The nights as they stand: one without an outcome that no group is at work on was interrupted."""
    under_way = {(each.group, each.due) for each in groups if each.due}
    return tuple(
        night if night.outcome or (night.group, night.due) in under_way else replace(night, outcome="interrupted")
        for night in nights
    )
