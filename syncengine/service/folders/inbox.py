"""A watched folder: what is dropped in it is imported once, and ends in `done` or `failed` with its account.

Theory of operation
-------------------
A drop is taken by renaming it into a folder of its own in `working`, where nobody else touches it. Its path there is
unique, and the import's run in the journal names it. So whatever ended the process, one question decides what is next:
which run reads this path? None: import it. An unfinished one: go on with it. A closed one: only write its account again
and carry the drop to its end, which is one rename. Between the question and the answer stands the journal alone, which
takes up a run with all its chunks in one transaction.

What can be waited for (Marketo away, the day's calls used up, another import of people under way) is no end of a drop:
it is raised, the drop stays in `working`, and the next try begins with it. Order is kept: a later file of the same
people has the later values.

Nobody else may work in the same folder at the same time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from syncengine.clock import Clock
from syncengine.config.service import InboxSettings
from syncengine.errors import (
    CallRejected,
    ConfigError,
    NoSpace,
    NotFound,
    SourceUnusable,
    StateUnusable,
    TooLarge,
    Unsupported,
)
from syncengine.imports.asked import Asked
from syncengine.imports.parts import Terms
from syncengine.reports import ImportReport, ImportSummary
from syncengine.service.folders import drop_moves, drop_report
from syncengine.service.folders.drop_moves import Taken, Working, on_disk
from syncengine.service.folders.drop_report import REPORT_JSON, REPORT_TEXT, Verdict, Where
from syncengine.service.folders.drops import (
    WORKING,
    Drop,
    Lying,
    Places,
    Settling,
    folder_name,
    is_kind,
    is_text,
    shown,
    sorted_out,
)
from syncengine.service.folders.sidecar import asked_of
from syncengine.service.standing import InboxStanding
from syncengine.threads import drive, run_blocking

if TYPE_CHECKING:
    from syncengine.imports.desk import Desk  # it needs Arrow, which a folder without files does not

T = TypeVar("T")

# How often a folder is looked at, in real time. A network's folder tells of no changes by itself.
LOOK_SECONDS: Final = 2.0
NAMES_TOLD: Final = 3
SUMMARY: Final = "summary.json"
# No trying again mends these; of a run that has begun Marketo may have chunks, so these are not its end.
UNUSABLE: Final = (SourceUnusable, ConfigError)
REFUSED: Final = (CallRejected, NotFound, Unsupported, TooLarge)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReport:
    """What one try made of a drop. `waiting` is no end: it lies in `working` and is tried again.

    `name` can be shown; `folder` is where the drop lies now. `problems` and `advice` are in plain words.
    """

    name: str
    outcome: Literal["done", "failed", "waiting"]
    folder: Path
    run_id: str = ""
    report: ImportReport | None = None
    problems: tuple[str, ...] = ()
    advice: str = ""


class Inbox:
    """One watched folder. `clock` is one of real time; a method is called when the one before has ended.

    `standing` is where it stands, replaced as a whole; `changed` is called when it was. What keeps it from going on
    (`state`, `reason`) the caller writes there.
    """

    def __init__(
        self, name: str, settings: InboxSettings, *, clock: Clock, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.standing = InboxStanding(name=name, instance=settings.instance, path=str(settings.path))
        self._settings = settings
        self._places = Places(settings.path.absolute())
        self._clock = clock
        self._changed = changed
        self._settling = Settling(settings.settle_seconds)
        self._ready: tuple[Drop, ...] = ()
        self.settling = 0

    async def look(self) -> int:
        """How many drops can be imported now, those in `working` included; `settling` tells how many may soon be.

        It makes the folder where there is none. Raises StateUnusable or NoSpace for one that cannot be used.
        """
        try:
            lying, working = await self._on_disk(self._seen)
            if working.half:
                for folder in working.half:
                    await self._steps(drop_moves.put_back(self._places, folder))
                lying, working = await self._on_disk(self._seen)
        except (NoSpace, StateUnusable) as error:
            self._ready, self.settling = (), 0
            self._told(waiting=0, reason=error.message)
            raise
        self._ready = self._settling.complete(lying.drops, self._clock.monotonic())
        self.settling = len(lying.drops) - len(self._ready)
        waiting = len(lying.drops) + len(lying.without_settings) + len(working.taken)
        self._told(waiting=waiting, reason=_told_of(lying, working))
        return len(self._ready) + len(working.taken)

    async def take_one(self, desk: "Desk") -> DropReport | None:
        """Carry the next drop to its end, or as far as it goes now; None when none is ready.

        Raises what is no end of it: the drop stays in `working`, and is the next one again.
        """
        taken, is_fresh = await self._next()
        if taken is None:
            return None
        self._stands(working=shown(taken.name), state="running")
        try:
            verdict = await self._whole(desk, taken, await self._verdict(desk, taken, is_fresh=is_fresh))
            return await self._ended(taken, verdict)
        finally:
            self._stands(working="", state="waiting")

    def _stands(self, **facts: Any) -> None:
        self.standing = replace(self.standing, **facts)
        self._changed()

    def _count(self, *, is_done: bool) -> None:
        now = self.standing
        waiting = max(0, now.waiting - 1)
        self._stands(done=now.done + is_done, failed=now.failed + (not is_done), waiting=waiting)

    def _told(self, *, waiting: int, reason: str) -> None:
        self._stands(waiting=waiting, reason=reason, looked_at=self._clock.now())

    def _seen(self, places: Places) -> tuple[Lying, Working]:
        lying = sorted_out(drop_moves.entries(places), needs_sidecar=self._settings.needs_sidecar)
        return lying, drop_moves.working(places)

    async def _next(self) -> tuple[Taken | None, bool]:
        """The drop whose turn it is, and whether it was taken just now: then no run can know it yet."""
        working = await self._on_disk(drop_moves.working)
        if working.taken:
            return working.taken[0], False
        if not self._ready:
            return None, False
        (drop, *others), self._ready = self._ready, ()
        if taken := await self._take(drop):
            self._ready = tuple(others)
        return taken, True

    async def _take(self, drop: Drop) -> Taken | None:
        """Take a drop if it is still what it was at the last look, which may be hours ago; else it is looked at again.

        None of those behind it may go first.
        """
        lying, _ = await self._on_disk(self._seen)
        if drop not in lying.drops:
            return None
        names = await self._on_disk(drop_moves.names_in_use)
        folder = folder_name(drop.name, self._clock.now(), names)
        await self._steps(drop_moves.take(self._places, drop, folder))
        working = await self._on_disk(drop_moves.working)
        return next((each for each in working.taken if each.folder == folder), None)

    async def _verdict(self, desk: "Desk", taken: Taken, *, is_fresh: bool) -> Verdict:
        """What becomes of a drop now. Raises what is to be waited for."""
        ending = f"/{WORKING}/{taken.folder}/{taken.name}"
        run = None if is_fresh else await desk.of_file(ending)
        if run and run.state != drop_report.UNFINISHED:
            return await _of_closed(run)
        try:
            return await self._imported(desk, taken, run)
        except (*UNUSABLE, *REFUSED) as error:
            run = await desk.of_file(ending)
            if run and run.state != drop_report.UNFINISHED:
                return await _of_closed(run)  # somebody has ended it by hand meanwhile
            if run and not isinstance(error, UNUSABLE):
                raise
            return drop_report.of_error(error, run)

    async def _whole(self, desk: "Desk", taken: Taken, verdict: Verdict) -> Verdict:
        """The verdict, unless somebody wrote on in a file that had stood still: then not all of it is imported.

        A run that can be gone on with finds that out by itself.
        """
        if verdict.report is None or verdict.is_waiting or verdict.is_open:
            return verdict
        size = await self._on_disk(lambda places: (places.working / taken.folder / taken.name).stat().st_size)
        return verdict if size == await desk.bytes_read(verdict.run) else drop_report.grown(verdict)

    async def _imported(self, desk: "Desk", taken: Taken, run: ImportSummary | None) -> Verdict:
        asked = await run_blocking(partial(self._asked, taken))
        if run:
            terms = Terms(asked.policy, asked.failures_max, asked.wait_max)
            return drop_report.of_report(await desk.resume(run.run_id, terms))
        async with desk.plan(asked) as (prepared, plan):
            if plan.stops:
                return drop_report.of_plan(plan)
            return drop_report.of_report(await desk.run(prepared))

    def _asked(self, taken: Taken) -> Asked:
        own = self._places.working / taken.folder
        if not is_text(taken.name):
            raise ConfigError(f"the name {shown(taken.name)} is not UTF-8", advice="Give the file another name.")
        if not is_kind(taken.name):
            raise ConfigError(
                f"{shown(taken.name)} is none of the kinds of files that are imported",
                advice="These end with .csv, .tsv, .jsonl or .parquet, or with .gz after that.",
            )
        return asked_of(own / taken.name, own / taken.settings if taken.settings else None)

    async def _ended(self, taken: Taken, verdict: Verdict) -> DropReport:
        """Write the account of a drop and carry it to its end, if this is one."""
        folder, report = self._places.working / taken.folder, verdict.report
        if not verdict.is_waiting:
            places, at = self._places, self._clock.now()
            where = Where(places, taken.folder, taken.name, taken.settings, self._settings.instance)
            account = {
                REPORT_JSON: drop_report.json_of(verdict, taken.name, at),
                REPORT_TEXT: drop_report.text_of(verdict, where, at).encode(),
            }
            copies = [Path(report.folder) / name for name in report.files if name != SUMMARY] if report else []
            await self._steps(drop_moves.end(places, taken, account, copies, is_done=verdict.is_done))
            folder = places.end(is_done=verdict.is_done) / taken.folder
            self._count(is_done=verdict.is_done)
        return DropReport(
            name=shown(taken.name),
            outcome="waiting" if verdict.is_waiting else "done" if verdict.is_done else "failed",
            folder=folder,
            run_id=verdict.run,
            report=report,
            problems=verdict.problems,
            advice=verdict.advice,
        )

    async def _on_disk(self, work: Callable[[Places], T]) -> T:
        with on_disk(self._places.root):
            return await run_blocking(lambda: work(self._places))

    async def _steps(self, steps: Iterator[str]) -> None:
        with on_disk(self._places.root):
            await drive(steps, lambda _: None)


async def _of_closed(run: ImportSummary) -> Verdict:
    def read() -> bytes | None:
        try:
            return (Path(run.folder) / SUMMARY).read_bytes()
        except OSError:
            return None

    return drop_report.of_summary(run, await run_blocking(read))


def _told_of(lying: Lying, working: Working) -> str:
    """What an operator should know of the folder, in a sentence each; nothing of drops that only wait their turn."""
    told = []
    if lying.without_settings:
        told.append(f"without settings of their own wait: {_names(lying.without_settings)}")
    if lying.left_alone:
        told.append(f"left alone, for they are no files: {_names(lying.left_alone)}")
    if working.strange:
        told.append(f"left alone in {WORKING}, for they are none of ours: {_names(working.strange)}")
    return "; ".join(told)


def _names(names: tuple[str, ...]) -> str:
    first = ", ".join(shown(name) for name in names[:NAMES_TOLD])
    return first if len(names) <= NAMES_TOLD else f"{first} and {len(names) - NAMES_TOLD} more"
