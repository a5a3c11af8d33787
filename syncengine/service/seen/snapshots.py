"""The latest snapshot for as many as look, and how often each part of it is read.

The limiter's slots change by the second and are read in milliseconds. The journal tells of nights, and the destination
has a lock that others wait for: both are read now and then, and when the daemon says that something has changed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import anyio

from syncengine.choices import open_destination
from syncengine.clock import Clock
from syncengine.config import Settings
from syncengine.service.seen.kept import Kept
from syncengine.service.seen.looking import (
    OpenDestination,
    composed,
    read_destination,
    read_journals,
    read_live,
    whole,
)
from syncengine.service.seen.snapshot import Cursors, InstanceSnapshot, Journal, Live, Snapshot, live_of
from syncengine.service.standing import Standings

SLOW_SECONDS = 30.0
LIVE_SECONDS = 2.0
PATIENCE_SECONDS = 3.0
UNREAD = "it has not been read yet"


@dataclass(frozen=True, slots=True)
class _Looks:
    """What is read again and again of one configuration: the journal, and of each instance slots and destination."""

    settings: tuple[Settings, ...]
    clocks: Mapping[str, Clock]
    journals: Kept[dict[str, Journal]]
    live: Mapping[str, Kept[Live]]
    cursors: Mapping[str, Kept[Cursors]]


class Snapshots:
    """What is known now. `keep_fresh` has to run beside whoever asks: it does the reading, and only when asked."""

    def __init__(
        self,
        settings: Sequence[Settings],
        standings: Standings,
        clocks: Mapping[str, Clock],
        *,
        clock: Clock,
        destination: OpenDestination = open_destination,
    ) -> None:
        """`clocks` are those of the instances by name, now or later; `clock` is the machine's."""
        self.standings = standings
        self.clock = clock
        self._destination = destination
        self._threads: Executor | None = None
        self._replaced = anyio.Event()
        self._looks = self._look(tuple(settings), clocks)

    def replace(self, settings: Sequence[Settings], clocks: Mapping[str, Clock]) -> None:
        """Show these instances from now on: the configuration was read again."""
        self._looks = self._look(tuple(settings), clocks)
        self._replaced.set()
        self._replaced = anyio.Event()

    def changed(self) -> None:
        """A night, a run or an import has begun or ended: what is known of the journal and the destination is old."""
        self._looks.journals.expire()
        for cursors in self._looks.cursors.values():
            cursors.expire()

    async def keep_fresh(self) -> None:
        """Read what somebody wants to see, until cancelled."""
        while True:
            looks, replaced = self._looks, self._replaced
            # A destination that hangs must not keep others waiting: each has a thread of its own.
            with ThreadPoolExecutor(len(looks.settings), thread_name_prefix="cursors") as self._threads:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(looks.journals.keep)
                    for name, live in looks.live.items():
                        tasks.start_soon(live.keep)
                        tasks.start_soon(looks.cursors[name].keep)
                    await replaced.wait()
                    tasks.cancel_scope.cancel()

    async def latest(self) -> Snapshot:
        """As it stands now: the live part two seconds old at most, the rest half a minute, if it can be had in time."""
        looks = self._looks
        journals = await looks.journals.latest() or {}
        found: dict[str, InstanceSnapshot] = {}

        async def look_at(settings: Settings) -> None:
            name = settings.instance.name
            clock = looks.clocks.get(name, self.clock)
            journal = journals.get(name) or Journal(read_at=clock.now(), problem=UNREAD)
            live = await looks.live[name].latest()
            cursors = await looks.cursors[name].latest() or Cursors(read_at=clock.now(), problem=UNREAD)
            found[name] = composed(
                settings,
                self.standings,
                clock.now(),
                live=live or live_of(None, settings.limits, clock.now(), UNREAD),
                past=(journal, cursors),
            )

        async with anyio.create_task_group() as tasks:
            for each in looks.settings:
                tasks.start_soon(look_at, each)
        return whole(self.standings, self.clock.now(), [found[each.instance.name] for each in looks.settings])

    def _look(self, settings: tuple[Settings, ...], clocks: Mapping[str, Clock]) -> _Looks:
        async def journals_now() -> dict[str, Journal]:
            return await read_journals(settings, clocks, self.clock)

        def clock_of(each: Settings) -> Clock:
            # Looked up when it is read by: an instance may get its clock after it is configured.
            return clocks.get(each.instance.name, self.clock)

        def live_kept(each: Settings) -> Kept[Live]:
            return Kept(
                lambda: read_live(each, clock_of(each)),
                self.clock,
                fresh_seconds=LIVE_SECONDS,
                patience_seconds=PATIENCE_SECONDS,
            )

        def cursors_kept(each: Settings) -> Kept[Cursors]:
            async def read() -> Cursors:
                known = (await journals.latest() or {}).get(each.instance.name)
                names = known.stream_names if known else ()
                return await read_destination(
                    each, clock_of(each), names, destination=self._destination, threads=self._threads
                )

            return Kept(read, self.clock, fresh_seconds=SLOW_SECONDS, patience_seconds=PATIENCE_SECONDS)

        journals: Kept[dict[str, Journal]] = Kept(
            journals_now, self.clock, fresh_seconds=SLOW_SECONDS, patience_seconds=PATIENCE_SECONDS
        )
        return _Looks(
            settings,
            clocks,
            journals,
            {each.instance.name: live_kept(each) for each in settings},
            {each.instance.name: cursors_kept(each) for each in settings},
        )
