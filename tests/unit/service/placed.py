"""A place as the tasks of an instance see it, whose journal is real and whose engines do what a test says."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from syncengine.choices import JOURNAL, KINDS, Outside
from syncengine.config import GroupSettings, InstanceSettings, Secret, Settings, StateSettings, SyncSettings
from syncengine.config.service import ServiceSettings
from syncengine.jobs.sql import open_journal
from syncengine.marketo.call import Priority
from syncengine.observe.events import Event
from syncengine.reports import SyncReport
from syncengine.service.place import Place
from syncengine.service.schedule.nights import NightReport, night_of
from syncengine.service.standing import GroupStanding, InboxStanding, Standings
from syncengine.service.told.notices import Notice
from tests.simulation.small import quick_folder
from tests.virtual import virtual_clock

# Half an hour before the night.
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DUE = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
NIGHTLY = GroupSettings(cron="30 2 * * *")
NAME = "acme"
# What an engine does when it is asked for work: it gives a report, or raises.
Does = Callable[..., Awaitable[Any]]


def settings_of(folder: Path, **changes: Any) -> Settings:
    """A configuration with one group, over a state folder in `folder`."""
    given: dict[str, Any] = {
        "instance": InstanceSettings(
            name=NAME, base_url="http://127.0.0.1:9", client_id="id", client_secret=Secret("canary-secret")
        ),
        "sync": SyncSettings(start=START.replace(day=1), streams=("leads", "activities")),
        "state": StateSettings(path=folder / "state"),
        "service": ServiceSettings(reports=folder / "reports"),
        "schedule": {"nightly": NIGHTLY},
    }
    return Settings(**(given | changes))


def synced(outcome: Any = "done", **facts: Any) -> SyncReport:
    """The report of a sync that ended so."""
    return SyncReport("7", outcome, START, START, 0.0, 0, **{"streams": (), **facts})


@dataclass
class Script:
    """What engines do, in order; the last thing is done again and again. `asked` is what they were asked for."""

    does: list[Any]
    asked: list[dict[str, Any]] = field(default_factory=list)
    priorities: list[Priority] = field(default_factory=list)
    calls: int = 5

    async def act(self, see: Callable[[Event], None], **asked: Any) -> Any:
        """Do the next thing."""
        self.asked.append(asked)
        thing = self.does.pop(0) if len(self.does) > 1 else self.does[0]
        if callable(thing):
            thing = await thing(see=see, **asked)
        if isinstance(thing, Exception):
            raise thing
        return thing


class PlayedEngine:
    """An engine of one attempt."""

    def __init__(self, script: Script, settings: Settings, see: Callable[[Event], None]) -> None:
        self.settings = settings
        self.client = SimpleNamespace(calls_sent=script.calls)
        self._script = script
        self._see = see

    async def sync(self, **asked: Any) -> Any:
        return await self._script.act(self._see, what="sync", **asked)

    async def pull_assets(self) -> Any:
        return await self._script.act(self._see, what="assets")

    async def imports(self) -> Any:
        return await self._script.act(self._see, what="imports")


@dataclass(slots=True)
class PlayedPlace(Place):
    """A place with played engines; `told`, `events` and `rereads` are what others would have seen of it."""

    script: Script = field(default_factory=lambda: Script([synced()]))
    told: list[Notice] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rereads: list[datetime] = field(default_factory=list)

    @asynccontextmanager
    async def engine(self, see: Any, priority: Priority = Priority.BACKGROUND) -> AsyncIterator[Any]:
        self.script.priorities.append(priority)
        yield PlayedEngine(self.script, self.settings, see)

    @property
    def standing(self) -> GroupStanding:
        """Where the group stands."""
        return self.standings.groups[NAME, "nightly"]

    @property
    def inbox(self) -> InboxStanding:
        """Where the watched folder stands."""
        return self.standings.inboxes["inbox"]

    @property
    def problems(self) -> list[str]:
        """What went wrong, in words."""
        return [each.text for each in self.standings.problems]

    def notices(self, kind: str = "") -> list[str]:
        """What somebody was told, of one kind or of all."""
        return [each.text for each in self.told if kind in {"", each.kind}]

    async def until(self, at: datetime) -> None:
        """Let time pass."""
        await self.clock.sleep((at - self.clock.now()).total_seconds())

    async def nights(self) -> list[NightReport]:
        """The accounts in the journal, oldest first."""
        found = [night_of(run) for run in await self.journal.runs(self.name, 1_000)]
        return [each for each in reversed(found) if each is not None]


@contextmanager
def quick() -> Iterator[Path]:
    """A folder in memory."""
    with quick_folder(Path("/tmp")) as folder:  # only where the machine has no memory to give
        yield folder


@asynccontextmanager
async def placed(
    settings: Settings, *does: Any, start: datetime = START, ttl_seconds: float = 900.0
) -> AsyncIterator[PlayedPlace]:
    """A place of `settings` whose engines do these things, on the journal in its state folder."""
    clock = virtual_clock(start)
    settings.state.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with open_journal(settings.state.path / JOURNAL, KINDS, clock, lease_ttl_seconds=ttl_seconds) as journal:
        told, events, rereads = list[Notice](), list[Event](), list[datetime]()

        async def reread() -> None:
            rereads.append(clock.now())

        yield PlayedPlace(
            settings=settings,
            clock=clock,
            journal=journal,
            standings=Standings(start),
            outside=Outside(),
            observe=events.append,
            notify=told.append,
            reread=reread,
            changed=lambda: None,
            rng=random.Random(1),
            script=Script(list(does) or [synced()]),
            told=told,
            events=events,
            rereads=rereads,
        )
