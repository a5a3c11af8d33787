"""One pull from its claim on the folder to its report.

The order is what makes it safe: the lease first, then the folder's owner, then what lies in it, then the journal, then
work. Whatever ends a pull, its folder has whole files that say what they are.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from syncengine.asset_reports import AssetKindReport, AssetsReport, Outcome
from syncengine.assets import states
from syncengine.assets.apply import Applying
from syncengine.assets.changes import WHAT, changes
from syncengine.assets.differences import in_words
from syncengine.assets.documents import Key
from syncengine.assets.entry import Entry
from syncengine.assets.file_bytes import FileBytes
from syncengine.assets.history import HISTORY
from syncengine.assets.marker import claim
from syncengine.assets.parts import FULL_PULL, Asked, Parts
from syncengine.assets.pull import OF_THE_FOLDER, KindJobs
from syncengine.assets.store import Storing, called
from syncengine.assets.survey import Survey
from syncengine.assets.tree import Tree
from syncengine.errors import AlreadyRunning, ConfigError, NoSpace, StateUnusable, SyncEngineError
from syncengine.jobs.board import Outcome as Board
from syncengine.jobs.job import Job
from syncengine.jobs.lease import holding
from syncengine.jobs.recording import recorded
from syncengine.jobs.scheduler import Beside, Scheduler
from syncengine.threads import run_blocking

AREAS = "asset areas"  # in the journal: the ids of the roots of the folder tree
LEASE = "assets"
WORKERS = sum(states.PLACES.values()) + 2


class Pull:
    """A pull that is under way: its jobs and their handler, for whatever scheduler runs them."""

    def __init__(
        self,
        parts: Parts,
        asked: Asked,
        *,
        tree: Tree,
        known: Mapping[Key, Entry],
        areas: dict[str, int],
        files: FileBytes | None,
    ) -> None:
        self._parts = parts
        self._asked = asked
        self._tree = tree
        self._known = known
        self._files = files
        self._calls_before = Counter(parts.client.calls)
        self._began = parts.client.clock.monotonic()
        self.survey = Survey(parts.client, known, areas, quick=asked.quick)
        self.jobs: Sequence[Job] = ()
        self.handler: KindJobs

    async def prepare(self, epoch: int) -> None:
        """Write the jobs into the journal, in the place of those of a pull that was cut short."""
        parts, clock = self._parts, self._parts.client.clock
        applying = None
        if self._asked.with_tables:
            applying = Applying(
                parts.destination(),
                self._tree,
                instance=parts.instance,
                epoch=epoch,
                read_at=parts.client.server_now(),
            )
        storing = Storing(parts.client, self._tree, self.survey, parts.observe, self._files)
        self.handler = KindJobs(
            parts, self._asked, survey=self.survey, storing=storing, known=self._known, applying=applying
        )
        left = await parts.store.jobs(parts.instance, kind=states.ASSETS, unfinished_only=True)
        left = await parts.store.adopt(left, epoch)
        planned = [
            Job(
                id=f"assets-{epoch}-{clock.now():%Y%m%dT%H%M%S}-{name}",
                instance=parts.instance,
                kind=states.ASSETS,
                state=states.PLANNED,
                group=name,
                epoch=epoch,
                place=place,
            )
            for place, name in enumerate(self._asked.kinds)
        ]
        _, self.jobs = await parts.store.replace(left, "abandon", by=planned, problem="another pull began")
        self._began_at = clock.now()

    def run_by(self, scheduler: Scheduler) -> None:
        """Learn who runs the jobs."""
        self.handler.wake = scheduler.wake

    async def finish(self, board: Board) -> AssetsReport:
        """Tidy the folder and give the report."""
        parts, stored = self._parts, self.handler.stored
        before = {key: entry for key, entry in self._known.items() if key.asset.kind in stored}
        after = {key: entry for each in stored.values() for key, entry in each.entries.items()}
        # Of a kind that failed nobody knows how far it came: nothing of it is in excess.
        await run_blocking(lambda: self._tree.tidy({key: entry.path for key, entry in after.items()}, set(stored)))
        outcome = self._outcome(board)
        if self._asked.full and outcome == "done":
            await parts.store.remember(parts.instance, FULL_PULL, self._began_at.isoformat())
        found = changes(before, after)
        became = Counter((each.asset.kind, what) for each in found for what in each.what)
        touched = Counter(each.asset.kind for each in found)
        kinds = tuple(
            AssetKindReport(
                kind=name,
                versions=len(each.entries),
                fetched=each.fetched,
                **{what: became[name, what] for what in WHAT},
                unchanged=len({key.asset for key in each.entries}) - touched[name] + became[name, "removed"],
            )
            for name, each in stored.items()
        )
        calls = parts.client.calls - self._calls_before
        failed = board.failed
        return AssetsReport(
            folder=str(self._asked.folder),
            outcome=outcome,
            calls=calls.total(),
            calls_by_name=dict(sorted(calls.items())),
            seconds=parts.client.clock.monotonic() - self._began,
            kinds=tuple(sorted(kinds, key=lambda each: self._asked.kinds.index(each.kind))),
            changes=tuple(in_words(each) for each in found),
            notes=tuple(
                f"{called(entry)}: Marketo gives no {part}" for entry in after.values() for part in entry.refused
            ),
            problems=(
                *(f"{each.job.group}: {each.error}" for each in failed),
                *(problem for each in stored.values() for problem in each.problems),
            ),
            errors=tuple(dict.fromkeys(type(each.error).__name__ for each in failed)),
            advice=tuple(dict.fromkeys(text for each in failed if (text := getattr(each.error, "advice", "")))),
            absent=tuple(name for name in self._asked.kinds if name in self.handler.absent),
            files_bytes=self._files.fetched if self._files else 0,
        )

    def _outcome(self, board: Board) -> Outcome:
        # What is left was not begun: the run beside which the pull went was asked to stop.
        return (
            "partial"
            if board.failed or board.left or any(each.problems for each in self.handler.stored.values())
            else "done"
        )


@asynccontextmanager
async def opened(parts: Parts, asked: Asked) -> AsyncIterator[Pull]:
    """A pull that holds its lease and has its jobs in the journal.

    Raises AlreadyRunning when assets of the instance are being pulled elsewhere, ConfigError for a folder that is not
    ours, and the destination's errors when tables are wanted.
    """
    tree, at_least = Tree(asked.folder), 0
    if asked.with_tables:
        destination = parts.destination()
        at_least = (await run_blocking(partial(destination.standing, parts.instance, HISTORY))).epoch
    async with AsyncExitStack() as held:
        lease = await held.enter_async_context(
            holding(parts.store, parts.client.clock, parts.instance, LEASE, at_least=at_least)
        )
        files = FileBytes(parts.wire_to, parts.client.clock)
        await held.enter_async_context(files)
        await run_blocking(partial(claim, asked.folder, parts.instance, parts.origin))
        known = await run_blocking(tree.scan)
        areas = dict(await parts.store.recall(parts.instance, AREAS) or {})
        pull = Pull(parts, asked, tree=tree, known=known, areas=areas, files=files if asked.with_files else None)
        await pull.prepare(lease.epoch)
        yield pull
        await parts.store.remember(parts.instance, AREAS, areas)


class BesideStreams:
    """A pull whose jobs go through the queue of a sync. What keeps it from beginning is told in its report."""

    def __init__(self, asked: Asked, under_way: Pull | None, error: SyncEngineError | None = None) -> None:
        self._asked = asked
        self._under_way = under_way
        self._error = error
        self.jobs: Beside | None = None
        if under_way is not None:
            self.jobs = Beside({states.ASSETS: under_way.handler}, states.PLACES, under_way.jobs, under_way.run_by)

    async def report(self) -> AssetsReport:
        """What became of the assets, when the queue has run."""
        if self._under_way is not None and self.jobs is not None:
            return await self._under_way.finish(self.jobs.outcome)
        return nothing_done(self._asked, self._error)


@asynccontextmanager
async def opened_beside(parts: Parts, asked: Asked) -> AsyncIterator[BesideStreams]:
    """A pull as `opened` gives it, or the reason why there is none: the streams are brought all the same."""
    async with AsyncExitStack() as held:
        try:
            beside = BesideStreams(asked, await held.enter_async_context(opened(parts, asked)))
        except (AlreadyRunning, ConfigError, StateUnusable, NoSpace) as error:
            beside = BesideStreams(asked, None, error)
        yield beside


def nothing_done(asked: Asked, error: SyncEngineError | None) -> AssetsReport:
    """The report of a pull that could not begin."""
    return AssetsReport(
        folder=str(asked.folder),
        outcome="partial",
        calls=0,
        calls_by_name={},
        seconds=0.0,
        kinds=(),
        changes=(),
        problems=(f"assets: {error}",),
        errors=(type(error).__name__,),
        advice=(error.advice,) if error is not None and error.advice else (),
    )


async def pull(parts: Parts, asked: Asked, *, kind: str = "assets pull") -> AssetsReport:
    """Bring the folder, and the tables, to where the instance is; raises what `opened` and the scheduler raise.

    `kind` is what the run is called in the journal.
    """
    async with opened(parts, asked) as under_way:
        run = recorded(
            parts.store,
            parts.client.clock,
            parts.observe,
            instance=parts.instance,
            kind=kind,
            detail={"folder": str(asked.folder)},
        )
        async with run as entry:
            scheduler = Scheduler(
                {states.ASSETS: under_way.handler}, parts.client.clock, workers=WORKERS, lanes=states.PLACES
            )
            under_way.run_by(scheduler)
            board = await scheduler.run(under_way.jobs)
            report = await under_way.finish(board)
            for failed in board.failed:
                if isinstance(failed.error, OF_THE_FOLDER):
                    raise failed.error
            entry.outcome, entry.report = report.outcome, summary(report)
    return report


def summary(report: AssetsReport) -> Mapping[str, object]:
    """A report as the journal keeps it, without what became of each asset."""
    return {
        "calls": report.calls,
        "kinds": [{"kind": each.kind, "versions": each.versions, "fetched": each.fetched} for each in report.kinds],
        "changes": len(report.changes),
        "problems": list(report.problems),
    }
