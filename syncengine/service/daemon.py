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
from syncengine.errors import ConfigError
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore
from syncengine.observe import Observers
from syncengine.observe.events import ConfigRead, DaemonStarted, Event, Trouble
from syncengine.service.instance import Instance
from syncengine.service.place import Place
from syncengine.service.reload import taken
from syncengine.service.schedule.reactions import attempt_failed, back_off
from syncengine.service.seen.metrics import Metrics
from syncengine.service.seen.snapshots import Snapshots
from syncengine.service.seen.web import serving
from syncengine.service.standing import Problem, Standings
from syncengine.service.told.notices import Kind, Notice
from syncengine.service.told.redaction import secrets_of
from syncengine.service.told.telling import Teller, open_channels
from syncengine.service.world import shared
from syncengine.threads import run_blocking

Load = Callable[[], Sequence[Settings]]
Observe = Callable[[str, Event], None]  # the instance's name, "" for the daemon itself, and what happened
CONFIGURATION = "configuration"
INSTANCE = "instance"
# An instance that has worked for so long is well: what ends it then is new.
STEADY_SECONDS = 3_600.0
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
    failure: Exception | None = None  # what kept it from beginning at the first try


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
        self._started = anyio.Event()
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
        """Work until it is stopped; told as started, with the page's address, when an instance is under way.

        Raises ConfigError for a configuration that cannot be used; and when no instance can begin, what keeps the first
        from it: AlreadyRunning, when another daemon has it, StateUnusable, and with a scaled clock Unavailable.
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
        await self._started.wait()
        async with self._reloading:
            try:
                read = await run_blocking(self._load)
                _refuse_idle(read)
                found, kept_back = taken(tuple(self._settings.values()), read)
            except ConfigError as error:
                self._refused(error)
                return
            await self._renew(found)
            self._observe("", ConfigRead(accepted=True, problems=kept_back))
            for line in kept_back:
                self._tell("", CONFIGURATION, line)
            self._notify_of("recovery", "", CONFIGURATION, "The configuration was read again, and is used.")

    async def _work(self, url: str, task_status: TaskStatus[str]) -> None:
        self._tasks.start_soon(self._teller.run)
        self._tasks.start_soon(self._beat_regularly)
        for name in self._settings:
            await self._begin(name)
        failures = {name: kept.failure for name, kept in self._kept.items() if kept.failure is not None}
        if len(failures) == len(self._kept):
            raise next(iter(failures.values()))
        for name, failure in failures.items():
            self._tell_failure(name, failure)
        self._started.set()
        settings = next(iter(self._settings.values()))
        self._observe("", DaemonStarted(tuple(self._settings), tuple(settings.schedule), tuple(settings.import_), url))
        task_status.started(url)
        await self._stopping.wait()

    async def _begin(self, name: str) -> None:
        """Begin an instance; one that cannot is tried again, and has a `failure` until then."""
        kept = self._kept[name] = _Kept()
        await self._tasks.start(self._keep, name, kept)

    async def _keep(self, name: str, kept: _Kept, *, task_status: TaskStatus[None]) -> None:
        """Keep an instance going until cancelled; whatever ends it is told, and it begins again after a while."""
        tries = 0
        with kept.scope:
            while True:
                began = self._clock.monotonic()
                try:
                    await self._opened(name, kept, task_status if tries == 0 else anyio.TASK_STATUS_IGNORED)
                except Exception as error:  # noqa: BLE001  # one instance's fault, ours included, is not the others'
                    reason, is_first = _plain(error), tries == 0 and kept.instance is None
                    kept.instance = None
                    # One that has worked for long begins anew as if for the first time.
                    tries = 1 if self._clock.monotonic() - began > STEADY_SECONDS else tries + 1
                    if is_first:
                        kept.failure = reason
                        task_status.started()
                    else:
                        self._tell_failure(name, reason)
                await self._clock.sleep(back_off(max(1, tries), self._rng.random()).total_seconds())

    async def _opened(self, name: str, kept: _Kept, task_status: TaskStatus[None]) -> None:
        """Open what an instance needs, and keep it going; raises what keeps it from that."""
        async with AsyncExitStack() as opened:
            settings = self._settings[name]
            clock = self._clocks[name] = await self._outside.clock(settings)
            ttl = self._outside.lease_ttl_seconds * max(1.0, settings.instance.time_scale)
            path = settings.state.path / JOURNAL
            journal = await opened.enter_async_context(open_journal(path, KINDS, clock, lease_ttl_seconds=ttl))
            instance = Instance(self._place(settings, clock, journal), self._clock)
            tasks = await opened.enter_async_context(anyio.create_task_group())
            await tasks.start(instance.keep)
            kept.instance, kept.failure = instance, None
            task_status.started()

    def _tell_failure(self, name: str, error: Exception) -> None:
        attempt = attempt_failed(error)
        self._tell(name, INSTANCE, attempt.problems[0])
        self._notify_of("failure", name, INSTANCE, attempt.problems[0], attempt.advice)

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
            reread=self._reread,
            changed=self._snapshots.changed,
            rng=self._rng,
        )

    async def _reread(self) -> None:
        """Read again for an instance, in a task that does not end with it: it may be gone from the file."""
        done = anyio.Event()

        async def read() -> None:
            await self.reload()
            done.set()

        self._tasks.start_soon(read)
        await done.wait()

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
                if kept is not None:
                    kept.scope.cancel()  # it waits for its next try: this is one
                await self._begin(name)
                if (failure := self._kept[name].failure) is not None:
                    self._tell_failure(name, failure)
        self._teller.renew(_secrets(found))
        self._snapshots.replace(found, self._clocks)
        self.standings.reloaded_at = self._clock.now()

    def _refused(self, error: ConfigError) -> None:
        self._observe("", ConfigRead(accepted=False, problems=(error.message, *error.problems)))
        text = f"The configuration was read again and refused; the one before stays. {error.message}."
        self._tell("", CONFIGURATION, text)
        self._notify_of("failure", "", CONFIGURATION, text, error.problems)

    def _tell(self, instance: str, subject: str, text: str) -> None:
        self.standings.problems.append(Problem(self._clock.now(), instance, subject, text))
        self._observe(instance, Trouble(instance, subject, text))

    def _notify_of(self, kind: Kind, instance: str, subject: str, text: str, details: tuple[str, ...] = ()) -> None:
        at = self._clock.now()
        self._notify(Notice(kind=kind, instance=instance, subject=subject, text=text, details=details, at=at))

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
            secrets=_secrets(found),
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


def _secrets(found: Sequence[Settings]) -> frozenset[str]:
    return frozenset().union(*(secrets_of(each) for each in found))


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
