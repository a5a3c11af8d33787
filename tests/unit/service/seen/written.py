"""A state folder as a daemon leaves it: nights, syncs and jobs in a real journal, and calls in real slots."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncengine.choices import JOURNAL, KINDS, SLOTS, boot_of, gate_limits, limited_as
from syncengine.clock import ScaledClock
from syncengine.config import (
    DestinationSettings,
    GroupSettings,
    InstanceSettings,
    LimitSettings,
    Secret,
    Settings,
    StateSettings,
    StreamSettings,
    SyncSettings,
)
from syncengine.jobs.job import Run
from syncengine.jobs.sql import SqlJobStore, open_journal
from syncengine.marketo.call import Priority
from syncengine.service.schedule.nights import KIND, NightReport, StreamNight
from syncengine.service.standing import Standings
from syncengine.transport.gate import Gate, Permit
from syncengine.transport.shared_slots import SharedSlotStore

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STREAMS = ("leads", "activities")


@dataclass
class Hand:
    """A clock that stands until a test moves it."""

    seconds: float = 0.0
    clock: ScaledClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = ScaledClock(1.0, NOW, lambda: self.seconds)

    def stand_at(self, at: datetime) -> None:
        """Let it be this instant."""
        self.seconds = (at - NOW).total_seconds()


def settings_of(folder: Path, *names: str, **changes: Any) -> tuple[Settings, ...]:
    """A configuration of these instances with one group, `nightly`, over state and destinations in `folder`."""
    found = []
    for number, name in enumerate(names or ("acme",)):
        given: dict[str, Any] = {
            "instance": InstanceSettings(
                name=name, base_url=f"http://127.0.0.1:{number + 9}", client_id="id", client_secret=Secret("canary")
            ),
            "sync": SyncSettings(start=NOW - timedelta(days=60), streams=STREAMS),
            "limits": LimitSettings(),
            "state": StateSettings(path=folder / "state"),
            "destination": DestinationSettings(path=folder / f"{name}.duckdb", lock_wait_seconds=0.0),
            "streams": {stream: StreamSettings() for stream in STREAMS},
            "schedule": {"nightly": GroupSettings(cron="30 2 * * *")},
        }
        found.append(Settings(**(given | changes)))
    return tuple(found)


def night(days_ago: int = 0, outcome: str = "done", **changes: Any) -> NightReport:
    """A night of `nightly` on acme that was due at 02:30Z so many days before NOW, and took 38 minutes."""
    due = NOW.replace(hour=2, minute=30) - timedelta(days=days_ago)
    given: dict[str, Any] = {
        "instance": "acme",
        "group": "nightly",
        "due": due,
        "began_at": due,
        "ended_at": due + timedelta(minutes=38) if outcome else None,
        "outcome": outcome,
        "attempts": 1,
        "streams": {
            "leads": StreamNight(rows=1_200, inserted=100, changed=250, bytes=3_400_000),
            "activities": StreamNight(rows=8_000, inserted=7_900, bytes=21_000_000),
        },
        "calls": 412,
    }
    return NightReport(**(given | changes))


@asynccontextmanager
async def journal_of(settings: Settings, hand: Hand) -> AsyncIterator[SqlJobStore]:
    """The journal of a state folder, which is made."""
    settings.state.path.mkdir(mode=0o700, exist_ok=True)
    async with open_journal(settings.state.path / JOURNAL, KINDS, hand.clock) as journal:
        yield journal


async def write_night(journal: SqlJobStore, hand: Hand, account: NightReport) -> Run:
    """Write a night down as the daemon does: begun, and ended if it has an outcome."""
    hand.stand_at(account.began_at)
    run = await journal.begin_run(account.instance, f"{KIND}{account.group}", {"due": account.due.isoformat()})
    if account.ended_at is not None:
        hand.stand_at(account.ended_at)
        run = await journal.end_run(run, account.outcome, account.facts())
    return run


async def write_nights(settings: Settings, *accounts: NightReport) -> None:
    """Write nights into the journal of `settings`, in this order."""
    hand = Hand()
    async with journal_of(settings, hand) as journal:
        for account in accounts:
            await write_night(journal, hand, account)


@asynccontextmanager
async def calling(settings: Settings, clock: ScaledClock, *, holder: str = "process 1") -> AsyncIterator[Permit]:
    """A call in flight, in the slots of the state folder."""
    settings.state.path.mkdir(mode=0o700, exist_ok=True)
    limits = settings.limits
    slots = SharedSlotStore(
        settings.state.path / SLOTS,
        limited_as(settings),
        boot_of(settings),
        window_seconds=limits.window_seconds,
        now=clock.monotonic(),
    )
    try:
        gate = Gate(slots, gate_limits(settings), clock, holder=holder)
        async with gate.enter("leads.describe", Priority.BACKGROUND, seconds=120.0) as permit:
            yield permit
    finally:
        await slots.close()


def standings(**changes: Any) -> Standings:
    """Where a daemon stands that began a day before NOW."""
    given: dict[str, Any] = {"started_at": NOW - timedelta(days=1)}
    return Standings(**(given | changes))
