"""One group on one instance, for as long as the daemon lives: wait, bring a night, wait for the next.

What is decided stands in `cron` and `reactions`; here it is carried out. The journal knows, under the group's name,
which night was the last to be settled and which one is under way, so that a restart goes on with that one.
"""

from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from syncengine.config import GroupSettings
from syncengine.jobs.halt import Halt
from syncengine.jobs.lease import holding
from syncengine.jobs.recording import Recorded, recorded
from syncengine.jobs.store import INTERRUPTED
from syncengine.service.place import Place
from syncengine.service.schedule.accounts import write_account
from syncengine.service.schedule.attempting import HALTED, STOPPED, Attempting, Drain
from syncengine.service.schedule.cron import Begin, Schedule, Skip, WaitUntil, decide
from syncengine.service.schedule.memo import Memo, recalled, remember
from syncengine.service.schedule.nights import KIND, NightReport, night_of
from syncengine.service.schedule.reactions import (
    CREDENTIALS,
    REJECTED,
    Again,
    Attempt,
    Settle,
    after,
    attempt_failed,
    back_off,
)
from syncengine.service.schedule.tally import Tally
from syncengine.service.standing import GroupStanding
from syncengine.service.told.notices import Kind

# The wall clock may be set, or the machine may have slept: no wait is longer before it is looked at again.
LOOK_AGAIN_SECONDS = 300.0
# So far back in the journal a night is looked for that an earlier process has begun.
RUNS_LOOKED_AT = 1_000
# So many tries in vain are told, though the night is not over.
TOLD_AFTER_TRIES = 4


class Group:
    """Keeps one group going. `drain` carries the files of a watched folder to their ends."""

    def __init__(self, place: Place, name: str, drain: Drain) -> None:
        self._place = place
        self._name = name
        self._drain = drain
        self._changed = anyio.Event()
        self._halt = Halt()
        self._standing = GroupStanding(instance=place.name, group=name)

    @property
    def settings(self) -> GroupSettings:
        """The group's own table."""
        return self._place.settings.schedule[self._name]

    @property
    def schedule(self) -> Schedule:
        """When it is due."""
        own = self.settings
        return Schedule(
            own.cron,
            own.zone,
            f"{self._place.name} {self._name}",
            timedelta(minutes=own.jitter_minutes),
            skips_missed=own.missed == "skip",
        )

    def renewed(self) -> None:
        """The place has other settings now: go on by them at once, or between two windows while one is brought."""
        self._halt.ask()
        self._changed.set()
        self._changed = anyio.Event()

    async def keep(self) -> None:
        """Bring night after night until cancelled; whatever goes wrong is told and ends nothing."""
        place, faults = self._place, 0
        while True:
            try:
                await self._turn()
                faults = 0
            except Exception as error:  # noqa: BLE001  # one group's fault, ours included, never ends the daemon
                faults += 1
                attempt = attempt_failed(error)
                place.tell_problem(self._name, attempt.problems[0])
                if faults >= TOLD_AFTER_TRIES:
                    self._notify("failure", attempt.problems[0], attempt)
                at = place.clock.now() + back_off(faults, place.rng.random())
                self._stand(state="backing off", next_at=at, reason=attempt.problems[0])
                await self._sleep_until(at)

    async def _turn(self) -> None:
        place, now = self._place, self._place.clock.now()
        memo = await recalled(place.journal, place.name, self._name, self.schedule.times, now)
        if memo.begun is not None and memo.began_at is not None:
            await self._go_on(memo.begun, memo.began_at)
            return
        match decide(self.schedule, memo.settled, now):
            case WaitUntil(due, at):
                self._stand(state="waiting", due=None, next_at=at, next_due=due, reason="", attempts=0)
                await self._sleep_until(at)
            case Skip(due):
                await self._skip(due, now)
            case Begin(due):
                await remember(place.journal, place.name, self._name, replace(memo, begun=due, began_at=now))
                await self._night(Tally(place.name, self._name, due, now))

    async def _skip(self, due: datetime, now: datetime) -> None:
        """Write down that a night was missed and is not made up for."""
        missed = Attempt("skipped", problems=("The daemon was down when it was due, and `missed` says skip.",))
        report = Tally(self._place.name, self._name, due, now, last=missed).report("skipped", now)
        async with self._recording(due) as entry:
            entry.outcome, entry.report = report.outcome, report.facts()
        await self._settle(report)

    async def _go_on(self, due: datetime, began_at: datetime) -> None:
        """Take up a night that an earlier process has begun, with what it had moved; or settle it, if it had ended."""
        place = self._place
        runs = await place.journal.runs(place.name, RUNS_LOOKED_AT)
        mine = [night for run in runs if run.kind == self._work and (night := night_of(run)) and night.due == due]
        if mine and mine[0].outcome not in {"", INTERRUPTED}:
            await self._settle(mine[0])
            return
        await self._night(Tally.gone_on(place.name, self._name, due, began_at, before=mine))

    async def _night(self, tally: Tally) -> None:
        place, clock = self._place, self._place.clock
        async with holding(place.journal, clock, place.name, self._work), self._recording(tally.due) as entry:
            try:
                entry.outcome = await self._attempts(tally)
            finally:
                entry.report = tally.report(entry.outcome).facts()
        await self._settle(tally.report(entry.outcome, clock.now()))

    def _recording(self, due: datetime) -> AbstractAsyncContextManager[Recorded]:
        place, detail = self._place, {"due": due.isoformat(), "work": [self._work]}
        return recorded(place.journal, place.clock, place.observe, instance=place.name, kind=self._work, detail=detail)

    @property
    def _work(self) -> str:
        return f"{KIND}{self._name}"

    async def _attempts(self, tally: Tally) -> str:
        """Try until the night is whole, or something ends it; gives its outcome."""
        clock = self._place.clock
        tries, seconds_left = Counter[str](), self.settings.max_hours * 3_600
        rejected: Attempt | None = None
        while True:
            self._halt = Halt()
            self._stand(state="running", due=tally.due, next_at=None, reason="", attempts=tally.attempts + 1)
            began = clock.monotonic()
            attempting = Attempting(self._place, self.settings, self._drain, self._halt)
            attempt = await attempting.run(tally, seconds_left)
            seconds_left -= clock.monotonic() - began
            if attempt.outcome == HALTED:
                continue
            if attempt.outcome == STOPPED:
                # What had gone wrong before is why the time was not enough.
                tally.last = replace(attempt, problems=(*attempt.problems, *tally.last.problems))
                return STOPPED
            tally.last = attempt
            if REJECTED in attempt.errors:
                rejected = attempt
            # A part that fails has tries of its own, however long the outage before it took.
            tries[attempt.outcome] += 1
            match after(attempt, tries[attempt.outcome], clock.now(), self._place.rng.random()):
                case Settle("done") if rejected is not None:
                    # They are kept aside, and no later attempt meets them again.
                    tally.last = rejected
                    return "partial"
                case Settle(outcome):
                    return outcome
                case Again() as again:
                    if seconds_left <= 0 or not await self._pause(tally.due, attempt, again, tries.total()):
                        return attempt.outcome

    async def _pause(self, due: datetime, attempt: Attempt, again: Again, tries: int) -> bool:
        """Wait until the next try makes sense; False when the next night comes before."""
        following = self.schedule.next_after(due)
        following += self.schedule.delay(following)
        until = min(again.at, following)
        needs_somebody = again.state == "parked" and attempt.resume_at is None
        self._stand(state=again.state, next_at=until, reason=again.reason, needs_somebody=needs_somebody)
        self._place.tell_problem(self._name, again.reason)
        if attempt.resume_at is not None:
            budget = "export megabytes" if "export" in again.reason else "calls"
            self._place.tell("quota", budget, again.reason, attempt.advice, key=attempt.resume_at.isoformat())
        elif again.state == "parked" or tries >= TOLD_AFTER_TRIES:
            self._notify("failure", again.reason, attempt)
        await self._sleep_until(until)
        if CREDENTIALS in attempt.errors:
            # The secret may have been replaced in the meantime: the file is read again before the next try.
            await self._place.reread()
        return again.at < following

    async def _settle(self, report: NightReport) -> None:
        """End a night: first for the journal, then for people."""
        place = self._place
        memo = await recalled(place.journal, place.name, self._name, self.schedule.times, place.clock.now())
        # By the times that it was due by: whose times have changed meanwhile has missed nothing of the new ones.
        await remember(place.journal, place.name, self._name, Memo(settled=report.due, times=memo.times))
        self._stand(state="waiting", due=None, reason="", attempts=0, last=report)
        if report.is_whole:
            self._notify("recovery", f"{self._name} is whole: {report.moved:,} rows moved.", Attempt("done"))
        else:
            attempt = Attempt(report.outcome, problems=report.problems, advice=report.advice)
            self._notify("failure", f"{self._name} ended as {report.outcome}.", attempt)
        try:
            await write_account(place.settings.service.reports, report, self.settings.zone)
        except OSError as error:
            place.tell_problem(self._name, f"The account of the night cannot be written: {error.strerror}.")

    def _notify(self, kind: Kind, text: str, attempt: Attempt) -> None:
        details = (*(line for line in attempt.problems if line != text), *attempt.advice)
        self._place.tell(kind, self._name, text, details)

    def _stand(self, **facts: Any) -> None:
        self._standing = replace(self._standing, **({"needs_somebody": False} | facts))
        self._place.standings.groups[self._place.name, self._name] = self._standing
        self._place.changed()

    async def _sleep_until(self, at: datetime) -> None:
        """Wait for an instant, or for other settings."""
        clock, changed = self._place.clock, self._changed
        while (left := (at - clock.now()).total_seconds()) > 0 and not changed.is_set():
            with clock.move_on_after(min(left, LOOK_AGAIN_SECONDS)):
                await changed.wait()
