"""One attempt at a night: an engine of its own brings streams and assets, then watched folders are looked into.

Apart from the group, which decides what follows from how it ends.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from syncengine.config import GroupSettings
from syncengine.config.streams import is_brought
from syncengine.engine import Engine
from syncengine.jobs.halt import Halt
from syncengine.service.place import PRIORITIES, Place
from syncengine.service.schedule.reactions import Attempt, attempt_failed, attempt_of, together
from syncengine.service.schedule.tally import Tally

Drain = Callable[[str, Tally], Awaitable[Attempt]]
# Outcomes of an attempt that are none of a run's: it was asked to stop, or its time was over.
HALTED = "halted"
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Attempting:
    """`drain` carries the files of a watched folder to their ends."""

    place: Place
    own: GroupSettings
    drain: Drain
    halt: Halt

    async def run(self, tally: Tally, seconds: float) -> Attempt:
        """Work for so long at most. Whatever goes wrong is in the attempt; nothing is raised."""
        tally.attempts += 1
        with self.place.clock.move_on_after(seconds) as time:
            attempt = together(await self._parts(tally))
        if time.cancelled_caught:
            line = f"The night was stopped after {self.own.max_hours:g} hours, as max_hours says; the next one goes on."
            return Attempt(STOPPED, problems=(line,))
        return replace(attempt, outcome=HALTED) if self.halt.is_asked and attempt.outcome != "done" else attempt

    async def _parts(self, tally: Tally) -> list[Attempt]:
        """Each part whatever became of the others, unless a halt was asked for."""
        own, found = self.own, list[Attempt]()
        if own.streams or own.assets or own.brings_everything:
            found.append(await self._brought(tally))
        for name in own.imports:
            if not self.halt.is_asked:
                found.append(await self.drain(name, tally))
        return found

    async def _brought(self, tally: Tally) -> Attempt:
        try:
            async with self.place.engine(tally.see, PRIORITIES[self.own.priority]) as engine:
                try:
                    return await self._bring(engine, tally)
                finally:
                    tally.calls += engine.client.calls_sent
        except Exception as error:  # noqa: BLE001  # one group's fault, ours included, never ends the daemon
            return attempt_failed(error)

    async def _bring(self, engine: Engine, tally: Tally) -> Attempt:
        own, synced = self.own, engine.settings.sync.streams
        # A group may name streams that only some of its instances bring.
        streams = [name for name in own.streams if is_brought(name, synced)]
        if streams or own.brings_everything:
            some, with_assets = (None, True) if own.brings_everything else (streams, own.assets)
            report = await engine.sync(streams=some, with_assets=with_assets, halt=self.halt)
            tally.count_report(report)
            return attempt_of(report)
        return attempt_of(await engine.pull_assets()) if own.assets else Attempt("done")
