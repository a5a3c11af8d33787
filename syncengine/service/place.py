"""One instance as the tasks that work for it see it: what they share, and the one door to an engine."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from syncengine.choices import Outside
from syncengine.clock import Clock
from syncengine.config import Settings
from syncengine.engine import Engine, open_engine
from syncengine.jobs.sql import SqlJobStore
from syncengine.marketo.call import Priority
from syncengine.observe import Observers
from syncengine.observe.events import Event, SchemaChanged, Trouble
from syncengine.service.standing import Problem, Standings
from syncengine.service.told.notices import Kind, Notice

PRIORITIES = {"high": Priority.INTERACTIVE, "normal": Priority.BACKGROUND, "low": Priority.PATIENT}


@dataclass(slots=True)
class Place:
    """`settings` are replaced when the configuration is read again; `reread` asks for that."""

    settings: Settings
    clock: Clock
    journal: SqlJobStore
    standings: Standings
    outside: Outside
    observe: Callable[[Event], None]
    notify: Callable[[Notice], None]
    reread: Callable[[], Awaitable[None]]
    changed: Callable[[], None]
    rng: random.Random

    @property
    def name(self) -> str:
        """The instance's."""
        return self.settings.instance.name

    @asynccontextmanager
    async def engine(
        self, see: Callable[[Event], None], priority: Priority = Priority.BACKGROUND
    ) -> AsyncIterator[Engine]:
        """An engine for one attempt, with its own gate and token; raises what `open_engine` raises."""
        observe = Observers(self.observe, see, self._see)
        async with open_engine(self.settings, observe=observe, priority=priority, outside=self.outside) as engine:
            yield engine

    def tell_problem(self, subject: str, text: str) -> None:
        """Something went wrong that whoever looks should see."""
        self.standings.problems.append(Problem(self.clock.now(), self.name, subject, text))
        self.observe(Trouble(self.name, subject, text))

    def tell(self, kind: Kind, subject: str, text: str, details: tuple[str, ...] = (), *, key: str = "") -> None:
        """Something that the operator may want to be told of, wherever that person is."""
        at = self.clock.now()
        self.notify(Notice(kind=kind, instance=self.name, subject=subject, text=text, details=details, key=key, at=at))

    def _see(self, event: Event) -> None:
        if isinstance(event, SchemaChanged):
            self.tell("schema", event.stream, f"The fields of {event.stream} have changed: {' '.join(event.changes)}")
