"""The daemon: every instance of a configuration kept going until it is stopped, seen and told of by the same values.

Order of opening: configuration, state folder, notices, status page, instances; each instance opens its own clock and
journal in a task of its own. A stop cancels them, which is a normal way to end: what is in the middle of a step stands
in the journal as far as it came. What must not be cut off, an import's sending, is shielded where it is sent.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus

from syncengine.choices import JOURNAL, KINDS, Outside, private_folder
from syncengine.clock import Clock
from syncengine.config import Settings
from syncengine.errors import ConfigError, SyncEngineError
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore
from syncengine.observe import Observers
from syncengine.observe.events import ConfigRead, DaemonStarted, Event, Trouble
from syncengine.service.instance import Instance
from syncengine.service.place import Place
from syncengine.service.reload import fits
from syncengine.service.seen.metrics import Metrics
from syncengine.service.seen.snapshots import Snapshots
from syncengine.service.seen.web import serving
from syncengine.service.standing import Problem, Standings
from syncengine.service.told.notices import Notice
from syncengine.service.told.redaction import secrets_of
from syncengine.service.told.telling import Teller, open_channels
from syncengine.service.world import shared
from syncengine.threads import run_blocking

Load = Callable[[], Sequence[Settings]]
Observe = Callable[[str, Event], None]  # the instance's name, "" for the daemon itself, and what happened
CONFIGURATION = "configuration"
HEARTBEAT_SECONDS = 20.0
HEARTBEAT_MISSED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is to outlive the process of what was told, in the journal."""

    journal: JobStore

    async def recall(self, name: str) -> Any:
        return await self.journal.recall("", name)

    async def remember(self, name: str, value: Any) -> None:
        await self.journal.remember("", name, value)


@dataclass(slots=True)
class _Kept:
    """An instance under way, and how to end it."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    instance: Instance | None = None


class Daemon:
    """Everything together. `load` reads the configuration, now and whenever it is to be read again.

    `clock` is the machine's, in real time. A simulation gives an `outside` and a `clock` of its own.
    """

    def __init__(
        self,
        load: Load,
        *,
        clock: Clock,
        observe: Observe = lambda _instance, _event: None,
        outside: Outside | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._load = load
        self._clock = clock
        self._observe = observe
        self._outside = shared(outside or Outside())
        self._rng = rng or random.Random()  # noqa: S311  # it spreads calls, it keeps no secrets
        self._stopping = anyio.Event()
        self._reloading = anyio.Lock()
        self._settings: dict[str, Settings] = {}
        self._kept: dict[str, _Kept] = {}
        self._clocks: dict[str, Clock] = {}
        self._beat = clock.monotonic()
        self.standings = Standings(clock.now())
        self.metrics = Metrics()
        self._tasks: TaskGroup
        self._snapshots: Snapshots
        self._teller: Teller

    async def run(self, *, task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until it is stopped; told as started, with the page's address, when every instance is under way.

        Raises ConfigError for a configuration that cannot be used, AlreadyRunning when another daemon has one of its
        instances, StateUnusable, and with a scaled clock Unavailable.
        """
        found = await run_blocking(self._load)
        first = found[0]
        _refuse_idle(found)
        self._settings = {each.instance.name: each for each in found}
        await run_blocking(lambda: private_folder(first.state.path))
        failed: list[Exception] = []
        async with AsyncExitStack() as opened:
            journal = await opened.enter_async_context(open_journal(first.state.path / JOURNAL, KINDS, self._clock))
            self._teller = self._telling(found, journal)
            self._snapshots = Snapshots(
                found, self.standings, self._clocks, clock=self._clock, destination=self._outside.destination
            )
            url = await opened.enter_async_context(self._shown(first)) if first.service.listen else ""
            self._tasks = await opened.enter_async_context(anyio.create_task_group())
            try:
                await self._work(url, task_status)
            except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
                failed.append(error)
            self._tasks.cancel_scope.cancel()
        for reason in failed:
            raise reason

    def stop(self) -> None:
        """Begin nothing more, and end what can be ended at once."""
        self.standings.is_stopping = True
        self._stopping.set()

    async def reload(self) -> None:
        """Read the configuration again: a good one is used from the next step on, of a bad one everything is told."""
        async with self._reloading:
            try:
                found = await run_blocking(self._load)
                _refuse_idle(found)
                fits(tuple(self._settings.values()), found)
            except ConfigError as error:
                self._refused(error)
                return
            await self._renew(found)
            self._observe("", ConfigRead(accepted=True))

    async def _work(self, url: str, task_status: TaskStatus[str]) -> None:
        self._tasks.start_soon(self._teller.run)
        self._tasks.start_soon(self._beat_regularly)
        for name in self._settings:
            await self._begin(name)
        settings = next(iter(self._settings.values()))
        self._observe("", DaemonStarted(tuple(self._settings), tuple(settings.schedule), tuple(settings.import_), url))
        task_status.started(url)
        await self._stopping.wait()

    async def _begin(self, name: str) -> None:
        kept = self._kept[name] = _Kept()
        failed: list[Exception] = []
        await self._tasks.start(self._keep, name, kept, failed)
        for reason in failed:
            raise reason

    async def _keep(self, name: str, kept: _Kept, failed: list[Exception], *, task_status: TaskStatus[None]) -> None:
        """Open what an instance needs and keep it going; what keeps it from beginning is in `failed`."""
        is_started = False
        try:
            with kept.scope:
                async with AsyncExitStack() as opened:
                    settings = self._settings[name]
                    clock = self._clocks[name] = await self._outside.clock(settings)
                    ttl = self._outside.lease_ttl_seconds * max(1.0, settings.instance.time_scale)
                    path = settings.state.path / JOURNAL
                    journal = await opened.enter_async_context(open_journal(path, KINDS, clock, lease_ttl_seconds=ttl))
                    kept.instance = Instance(self._place(settings, clock, journal), self._clock)
                    tasks = await opened.enter_async_context(anyio.create_task_group())
                    await tasks.start(kept.instance.keep)
                    is_started = True
                    task_status.started()
        except Exception as error:
            if is_started:
                raise
            failed.append(_plain(error))
            task_status.started()

    def _place(self, settings: Settings, clock: Clock, journal: Any) -> Place:
        name = settings.instance.name
        counted = self.metrics.observer(name)
        return Place(
            settings=settings,
            clock=clock,
            journal=journal,
            standings=self.standings,
            outside=self._outside.at(clock),
            observe=Observers(lambda event: self._observe(name, event), counted),
            notify=self._notify,
            reread=self.reload,
            changed=self._snapshots.changed,
            rng=self._rng,
        )

    async def _renew(self, found: Sequence[Settings]) -> None:
        self._settings = {each.instance.name: each for each in found}
        for name in self._kept.keys() - self._settings.keys():
            self._kept.pop(name).scope.cancel()
            self.standings.forget(name)
        for name, settings in self._settings.items():
            kept = self._kept.get(name)
            if kept is not None and kept.instance is not None:
                kept.instance.renew(settings)
            else:
                await self._begin_later(name)
        self._snapshots.replace(found, self._clocks)
        self.standings.reloaded_at = self._clock.now()

    async def _begin_later(self, name: str) -> None:
        """Begin an instance that is new; what is wrong with it is its own affair."""
        try:
            await self._begin(name)
        except SyncEngineError as error:
            self._kept.pop(name, None)
            self._tell(name, CONFIGURATION, error.message)

    def _refused(self, error: ConfigError) -> None:
        self._observe("", ConfigRead(accepted=False, problems=(error.message, *error.problems)))
        text = f"The configuration was read again and refused; the one before stays. {error.message}."
        self._tell("", CONFIGURATION, text)
        self._notify(
            Notice(
                kind="failure",
                instance="",
                subject=CONFIGURATION,
                text=text,
                details=error.problems,
                at=self._clock.now(),
            )
        )

    def _tell(self, instance: str, subject: str, text: str) -> None:
        self.standings.problems.append(Problem(self._clock.now(), instance, subject, text))
        self._observe(instance, Trouble(instance, subject, text))

    def _notify(self, notice: Notice) -> None:
        self._teller.tell(notice)
        self.metrics.noticed(notice.kind)

    def _telling(self, found: Sequence[Settings], journal: JobStore) -> Teller:
        first = found[0]
        return Teller(
            first.notify,
            channels=open_channels(first.notify, first.network, self._clock),
            memory=_Memory(journal),
            clock=self._clock,
            secrets=frozenset().union(*(secrets_of(each) for each in found)),
            log=lambda text: self._tell("", "notices", text),
        )

    def _shown(self, settings: Settings) -> AbstractAsyncContextManager[str]:
        return serving(
            settings.service.listen or "",
            token=settings.service.token,
            snapshots=self._snapshots,
            metrics=self.metrics,
            heartbeat=self._is_alive,
        )

    async def _beat_regularly(self) -> None:
        while True:
            self._beat = self._clock.monotonic()
            await self._clock.sleep(HEARTBEAT_SECONDS)

    def _is_alive(self) -> bool:
        return self._clock.monotonic() - self._beat < HEARTBEAT_MISSED_SECONDS


def _refuse_idle(found: Sequence[Settings]) -> None:
    if not found[0].schedule and not found[0].import_:
        raise ConfigError(
            f"{found[0].source} has nothing for a daemon to do",
            advice='Add a table [schedule.nightly] with cron = "30 2 * * *", or a watched folder [import.inbox].',
        )


def _plain(error: Exception) -> Exception:
    """The first error of a group of groups."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
