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
from syncengine.service.schedule.reactions import (
    BACK_OFF_MAX,
    FILE_FAILED,
    Again,
    Attempt,
    after,
    attempt_failed,
    together,
)
from syncengine.service.schedule.tally import Tally

PARTIAL = "partial"
WAITING = "waiting"
# So many tries in vain are told: what passes by itself within minutes is not.
TOLD_AFTER_TRIES = 4


class Watching:
    """Keeps one watched folder going. `real` is real time, by which files stand still.

    `turn` is that of the folder: whoever watched it by other settings may not have let go of it yet.
    """

    def __init__(self, place: Place, name: str, real: Clock, turn: anyio.Lock | None = None) -> None:
        self._place = place
        self._name = name
        self._real = real
        self._turn = turn or anyio.Lock()
        self._is_gone = False
        # Whoever kept it before, in another process or by other settings, may have told of trouble: what ends here is
        # news only if it did.
        self._is_told = True
        own = place.settings.import_[name]
        self._inbox = Inbox(name, replace(own, instance=place.name), clock=real, changed=self._stand)

    async def keep(self) -> None:
        """Import whatever comes, until cancelled; whatever goes wrong is told and ends nothing."""
        clock, tries = self._place.clock, 0
        while True:
            attempt = await self._attempt(None)
            if is_through(attempt):
                tries = 0
                self._is_well()
                await self._real.sleep(LOOK_SECONDS)
                continue
            tries += 1
            again = after(attempt, tries, clock.now(), self._place.rng.random())
            if not isinstance(again, Again):
                # For a night this would be the end; a folder is looked into again, in case somebody has mended it.
                reason = attempt.problems[0] if attempt.problems else "it did not say why"
                again = Again(clock.now() + BACK_OFF_MAX, "parked", reason)
            self._stand(state=again.state, reason=again.reason)
            if tries == TOLD_AFTER_TRIES or again.state == "parked":
                self._tell_trouble(again.reason, attempt)
            await clock.sleep((again.at - clock.now()).total_seconds())

    async def drain(self, tally: Tally) -> Attempt:
        """Import what lies in the folder now, as often as it takes for all of it to stand still."""
        found = []
        while True:
            found.append(await self._attempt(tally))
            if not is_through(found[-1]) or not self._inbox.settling:
                return together(found)
            await self._real.sleep(LOOK_SECONDS)

    def leave(self) -> None:
        """The folder is another's affair from now on: nothing more is said of it."""
        self._is_gone = True
        self._place.standings.inboxes.pop(self._name, None)

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
        return Attempt(PARTIAL, (FILE_FAILED,), tuple(missing)) if missing else Attempt("done")

    def _tell_failed(self, drop: DropReport) -> None:
        text = f"The file {drop.name} of the watched folder {self._name} did not go in whole."
        self._place.tell_problem(self._name, f"{drop.name}: {drop.problems[0]}" if drop.problems else text)
        details = (*drop.problems, f"It lies in {drop.folder}")
        # Each file is news of its own.
        self._place.tell("failure", f"{self._name}/{drop.folder.name}", text, details)

    def _tell_trouble(self, text: str, attempt: Attempt) -> None:
        self._is_told = True
        details = (*(line for line in attempt.problems if line != text), *attempt.advice)
        self._place.tell("failure", self._subject, text, details)

    def _is_well(self) -> None:
        if self._inbox.standing.state != "waiting":
            self._stand(state="waiting", reason="")
        if self._is_told:
            self._is_told = False
            self._place.tell("recovery", self._subject, f"The watched folder {self._name} works again.")

    @property
    def _subject(self) -> str:
        return f"folder {self._name}"

    def _stand(self, **facts: Any) -> None:
        if facts:
            self._inbox.standing = replace(self._inbox.standing, **facts)
        if not self._is_gone:
            self._place.standings.inboxes[self._name] = self._inbox.standing
        self._place.changed()


def is_through(attempt: Attempt) -> bool:
    """Whether the folder was looked through, though files of it may have failed."""
    return attempt.outcome == "done" or attempt.errors == (FILE_FAILED,)
