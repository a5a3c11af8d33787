"""A watched folder, for as long as the daemon lives: look into it, open an engine when something lies there, import it.

Apart from the folder itself (`inbox`), which knows files: here are the engine, the back-off, and who is told.
"""

from dataclasses import replace
from typing import Any

import anyio

from syncengine.clock import Clock
from syncengine.marketo.call import Priority
from syncengine.service.folders.inbox import LOOK_SECONDS, DropReport, Inbox
from syncengine.service.place import Place
from syncengine.service.schedule.reactions import Again, Attempt, after, attempt_failed, together
from syncengine.service.schedule.tally import Tally

PARTIAL = "partial"
WAITING = "waiting"
# So many tries in vain are told: what passes by itself within minutes is not.
TOLD_AFTER_TRIES = 4


class Watching:
    """Keeps one watched folder going. `real` is real time, by which files stand still."""

    def __init__(self, place: Place, name: str, real: Clock) -> None:
        self._place = place
        self._name = name
        self._real = real
        self._turn = anyio.Lock()
        own = place.settings.import_[name]
        self._inbox = Inbox(name, replace(own, instance=place.name), clock=real, changed=self._stand)

    async def keep(self) -> None:
        """Import whatever comes, until cancelled; whatever goes wrong is told and ends nothing."""
        tries = 0
        while True:
            attempt = await self._attempt(None)
            tries = 0 if attempt.outcome == "done" else tries + 1
            match after(attempt, tries, self._place.clock.now(), self._place.rng.random()) if tries else None:
                case Again(at, state, reason):
                    self._stand(state=state, reason=reason)
                    if tries == TOLD_AFTER_TRIES or state == "parked":
                        self._notify(reason, attempt)
                    await self._place.clock.sleep((at - self._place.clock.now()).total_seconds())
                case _:
                    if self._inbox.standing.state != "waiting":
                        self._stand(state="waiting", reason="")
                    await self._real.sleep(LOOK_SECONDS)

    async def drain(self, tally: Tally) -> Attempt:
        """Import what lies in the folder now, as often as it takes for all of it to stand still."""
        found = []
        while True:
            found.append(await self._attempt(tally))
            if found[-1].outcome != "done" or not self._inbox.settling:
                return together(found)
            await self._real.sleep(LOOK_SECONDS)

    async def _attempt(self, tally: Tally | None) -> Attempt:
        """Import what is ready. Whatever goes wrong is in the attempt; nothing is raised."""
        async with self._turn:
            try:
                return await self._take_all(tally) if await self._inbox.look() else Attempt("done")
            except Exception as error:  # noqa: BLE001  # one folder's fault, ours included, never ends the daemon
                attempt = attempt_failed(error)
                self._place.tell_problem(self._name, attempt.problems[0])
                return attempt

    async def _take_all(self, tally: Tally | None) -> Attempt:
        see = tally.see if tally else lambda _: None
        missing: list[str] = []
        async with self._place.engine(see, Priority.INTERACTIVE) as engine:
            desk = await engine.imports()
            try:
                while drop := await self._inbox.take_one(desk):
                    if drop.outcome == WAITING:
                        # Marketo has it and is not done with it: asked again later, when there is an end to tell.
                        return Attempt("failed", ("Unavailable",), drop.problems, (drop.advice,) if drop.advice else ())
                    if tally:
                        tally.count_file(drop.outcome)
                    if drop.outcome == "failed":
                        self._tell_failed(drop)
                        missing.append(f"{drop.name} of {self._name} did not go in whole: see {drop.folder}")
            finally:
                if tally:
                    tally.calls += engine.client.calls_sent
        # A file that has failed has its own account, and lies where a person finds it: it is not tried again.
        return Attempt("done", problems=tuple(missing))

    def _tell_failed(self, drop: DropReport) -> None:
        text = f"The file {drop.name} of the watched folder {self._name} did not go in whole."
        self._place.tell_problem(self._name, f"{drop.name}: {drop.problems[0]}" if drop.problems else text)
        self._notify(text, Attempt(PARTIAL, problems=(*drop.problems, f"It lies in {drop.folder}")))

    def _notify(self, text: str, attempt: Attempt) -> None:
        details = (*(line for line in attempt.problems if line != text), *attempt.advice)
        self._place.tell("failure", self._name, text, details)

    def _stand(self, **facts: Any) -> None:
        if facts:
            self._inbox.standing = replace(self._inbox.standing, **facts)
        self._place.standings.inboxes[self._name] = self._inbox.standing
        self._place.changed()
