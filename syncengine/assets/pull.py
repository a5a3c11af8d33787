"""The pull: kinds as jobs of the scheduler, from their lists to files and tables. The one place that calls the stages.

`KindJobs` is the scheduler's handler. Kinds go side by side, and beside whatever else is in the queue; only what
folders and programs are called has to be known before anything is put to its place.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from syncengine.assets import states
from syncengine.assets.apply import Applying
from syncengine.assets.documents import Key
from syncengine.assets.entry import Entry
from syncengine.assets.kind import Kind
from syncengine.assets.kinds import FOLDER, KINDS
from syncengine.assets.parts import Asked, Parts
from syncengine.assets.store import OF_ONE_ASSET, SYSTEM_ERROR, Stored, Storing
from syncengine.assets.survey import FIRST, Survey, needs
from syncengine.errors import NoSpace, NotFound, PermissionDenied, StateUnusable, Unavailable, Unsupported
from syncengine.jobs.board import Done, Failed, Go, Step, Wait
from syncengine.jobs.job import Job
from syncengine.threads import run_blocking

# What waits for the folders.
TREE = "the tree of assets"
# An instance without the new designer does not know its paths.
NO_SUCH_PATH = frozenset({"610", "404"})
# What spoils the pull and nothing that goes beside it.
OF_THE_FOLDER = (StateUnusable, NoSpace)


class KindJobs:
    """Takes kinds through their states. `wake` wakes the jobs that wait for a key."""

    moves = states.MOVES

    def __init__(
        self,
        parts: Parts,
        asked: Asked,
        *,
        survey: Survey,
        storing: Storing,
        known: Mapping[Key, Entry],
        applying: Applying | None,
    ) -> None:
        self._parts = parts
        self._asked = asked
        self._survey = survey
        self._storing = storing
        self._known = known
        self._applying = applying
        self.wake: Callable[[str], None] = lambda _: None
        self.stored: dict[str, Stored] = {}
        self.absent: set[str] = set()
        self._steps: Mapping[str, Callable[[Job, Kind], Awaitable[Step]]] = {
            states.PLANNED: self._list,
            states.LISTED: self._store,
            states.STORED: self._apply,
        }

    def lane(self, job: Job) -> str | None:
        """Lists and contents share the calls."""
        return states.LANES.get(job.state)

    def stands(self, job: Job) -> bool:  # noqa: ARG002  # the scheduler's protocol
        """Nothing of a pull exists at Marketo."""
        return False

    async def step(self, job: Job) -> Step:
        """Take the step that the job's state asks for."""
        try:
            return await self._steps[job.state](job, KINDS[job.group])
        except (*OF_ONE_ASSET, *OF_THE_FOLDER, PermissionDenied, Unsupported) as error:
            return self._failed(job, error)
        except Unavailable as error:
            if error.code != SYSTEM_ERROR:
                raise
            # Marketo is there and fails on this one kind: the others go on.
            return self._failed(job, error)

    def _failed(self, job: Job, error: Exception) -> Step:
        self._survey.failed[job.group] = error
        self.wake(TREE)
        return Failed(job, error)

    async def _list(self, job: Job, kind: Kind) -> Step:
        if not self._survey.is_listed(needs(kind)):
            return Wait(job, TREE, keeps_place=False)
        try:
            surveyed = await self._survey.look(kind)
        except (NotFound, *OF_ONE_ASSET) as error:
            if kind.design is None or getattr(error, "code", "") not in NO_SUCH_PATH:
                raise
            self.absent.add(kind.name)
            return Done(await self._move(job, "abandon", problem=str(error)))
        job = await self._move(job, "listed", versions=len(surveyed.listed), is_steady=surveyed.is_steady)
        self.wake(TREE)
        return Go(job)

    async def _store(self, job: Job, kind: Kind) -> Step:
        if not self._survey.is_listed(FIRST & set(self._asked.kinds)):
            return Wait(job, TREE, keeps_place=False)
        if FOLDER in self._survey.failed:
            # Nobody knows where anything lies.
            return Failed(job, self._survey.failed[FOLDER])
        known = {key: entry for key, entry in self._known.items() if key.asset.kind == kind.name}
        stored = await self._storing.store(self._survey.found[kind.name], known, full=self._asked.full)
        self.stored[kind.name] = stored
        return Go(await self._move(job, "stored", fetched=stored.fetched, problems=len(stored.problems)))

    async def _apply(self, job: Job, kind: Kind) -> Step:
        if (applying := self._applying) is not None:
            stored = self.stored[kind.name]
            await run_blocking(lambda: applying.apply(kind, stored.entries, is_whole=stored.is_whole))
        return Done(await self._move(job, "applied"))

    async def _move(self, job: Job, event: str, **facts: Any) -> Job:
        return await self._parts.store.move(job, event, **facts)
