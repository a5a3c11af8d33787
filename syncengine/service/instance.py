"""One instance of the daemon: its lease, its groups and folders, what it has left of the day, and its housekeeping.

An instance knows nothing of the others, and whatever goes wrong with it stays in here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import anyio
from anyio.abc import TaskGroup, TaskStatus

from syncengine.clock import Clock
from syncengine.config import Settings
from syncengine.config.service import InboxSettings
from syncengine.errors import AlreadyRunning, LeaseLost
from syncengine.jobs.lease import Lease, holding, is_held, this_process
from syncengine.service.folders.watching import Watching
from syncengine.service.place import Place
from syncengine.service.schedule.group import Group
from syncengine.service.schedule.reactions import Attempt
from syncengine.service.schedule.tally import Tally
from syncengine.service.upkeep import keep_house, watch_budget

DAEMON = "daemon"
TAKE_OVER_SECONDS = 60.0


@dataclass(slots=True)
class _Folder:
    """A watched folder, by which settings it is kept, and how to end that."""

    watching: Watching
    own: InboxSettings
    is_scheduled: bool
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


@dataclass(slots=True)
class _Group:
    """A group, and how to end it."""

    group: Group
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Instance:
    """Keeps one instance going. `real` is real time, by which files stand still."""

    def __init__(self, place: Place, real: Clock) -> None:
        self.place = place
        self._real = real
        self._folders: dict[str, _Folder] = {}
        self._groups: dict[str, _Group] = {}
        self._turns: dict[str, anyio.Lock] = {}  # of folders, by name: one at a time is at work in each
        self._tasks: TaskGroup | None = None

    async def keep(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled. Raises AlreadyRunning when another daemon has the instance at the start."""
        place, is_first = self.place, True
        if waiting := await self._silent():
            # A daemon of another container: nothing of it can be proven from here. If it lives, it keeps the instance.
            is_first = False
            task_status.started()
            self._taken_over(f"{waiting.holder} had this instance and may be gone: waiting until its claim ends.")
            await place.clock.sleep((waiting.runs_out_at - place.clock.now()).total_seconds())
        while True:
            try:
                async with holding(place.journal, place.clock, place.name, DAEMON):
                    self._taken_over("")
                    if is_first:
                        task_status.started()
                    is_first = False
                    await self._work()
            except (AlreadyRunning, LeaseLost) as error:
                if is_first:
                    raise
                # This process was silent for too long. Another daemon may have gone on; if none has, this one does.
                self._taken_over(error.message)
            await place.clock.sleep(TAKE_OVER_SECONDS)

    def renew(self, settings: Settings) -> None:
        """Go on by other settings: what is new begins, what is gone ends, what has changed is told."""
        before, self.place.settings = self.place.settings, settings
        if self._tasks is None or settings == before:
            return
        for name in self._groups.keys() - _groups_of(settings):
            self._groups.pop(name).scope.cancel()
            self.place.standings.groups.pop((self.place.name, name), None)
        for name, folder in list(self._folders.items()):
            if settings.import_.get(name) != folder.own or _is_scheduled(settings, name) != folder.is_scheduled:
                folder.scope.cancel()
                folder.watching.leave()
                del self._folders[name]
        for name, kept in self._groups.items():
            if _seen_by(name, before) != _seen_by(name, settings):
                kept.group.renewed()
        self._begin(self._tasks)

    def _taken_over(self, message: str) -> None:
        """Say once that another daemon has the instance, and once that it is ours again."""
        place, known = self.place, self.place.standings.taken_over
        if message and place.name not in known:
            known[place.name] = message
            place.standings.groups = {key: each for key, each in place.standings.groups.items() if key[0] != place.name}
            place.tell_problem(DAEMON, message)
            place.tell("failure", DAEMON, message)
        elif not message and known.pop(place.name, ""):
            place.tell("recovery", DAEMON, f"This daemon has {place.name} again.")
        place.changed()

    async def _silent(self) -> Lease | None:
        """The claim of a daemon of which it cannot be told whether it lives."""
        place, here = self.place, this_process()
        for lease in await place.journal.leases(place.name):
            holder = lease.holder
            if lease.work == DAEMON and holder is not None and is_held(lease, place.clock.now()):
                return lease if (holder.host, holder.namespace) != (here.host, here.namespace) else None
        return None

    async def _work(self) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                self._begin(tasks)
                tasks.start_soon(watch_budget, self.place)
                tasks.start_soon(keep_house, self.place)
        finally:
            self._tasks = None
            self._groups.clear()
            self._folders.clear()

    def _begin(self, tasks: TaskGroup) -> None:
        """Begin what is configured and does not run yet."""
        settings = self.place.settings
        for name, own in settings.import_.items():
            if name not in self._folders and own.instance in {"", self.place.name}:
                watching = Watching(self.place, name, self._real, self._turns.setdefault(name, anyio.Lock()))
                folder = self._folders[name] = _Folder(watching, own, _is_scheduled(settings, name))
                if not folder.is_scheduled:
                    tasks.start_soon(_within, folder.scope, watching.keep)
        for name in _groups_of(settings, self.place.name) - self._groups.keys():
            kept = self._groups[name] = _Group(Group(self.place, name, self._drain))
            tasks.start_soon(_within, kept.scope, kept.group.keep)

    async def _drain(self, name: str, tally: Tally) -> Attempt:
        if name in self._folders:
            return await self._folders[name].watching.drain(tally)
        return Attempt("done")  # its files go into another instance


async def _within(scope: anyio.CancelScope, work: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await work()


def _groups_of(settings: Settings, instance: str = "") -> set[str]:
    """The groups that work for the instance."""
    name = instance or settings.instance.name
    return {group for group, own in settings.schedule.items() if not own.instances or name in own.instances}


def _is_scheduled(settings: Settings, folder: str) -> bool:
    """Whether a folder is looked into at the times of a group, and not always."""
    return any(folder in settings.schedule[name].imports for name in _groups_of(settings))


def _seen_by(group: str, settings: Settings) -> Settings:
    """The settings without what a group does not look at: other groups, folders, and what people see."""
    nothing = Settings(instance=settings.instance, sync=settings.sync)
    own = {group: settings.schedule[group]} if group in settings.schedule else {}
    return replace(settings, schedule=own, import_={}, service=nothing.service, notify=nothing.notify)
