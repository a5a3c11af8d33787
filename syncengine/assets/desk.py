"""The door of this room: everything that can be asked of assets."""

import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from secrets import token_hex

import anyio

from syncengine.asset_reports import AssetChange, AssetsDiff, AssetsPlan, AssetsReport
from syncengine.assets.changes import changes
from syncengine.assets.cost import cost
from syncengine.assets.differences import with_lines
from syncengine.assets.marker import claim, owner
from syncengine.assets.parts import Asked, Parts
from syncengine.assets.run import BesideStreams, opened_beside, pull
from syncengine.assets.tree import Tree
from syncengine.errors import ConfigError
from syncengine.marketo.endpoints import usage
from syncengine.threads import run_blocking

LIVE = "live"
LEFT_BEHIND = timedelta(days=1)


class Desk:
    """Takes orders for one instance. `workroom` is a folder of ours, `calls_per_day` what we may spend."""

    def __init__(self, parts: Parts, *, workroom: Path, calls_per_day: int) -> None:
        self.parts = parts
        self._workroom = workroom
        self._calls_per_day = calls_per_day

    def beside(self, asked: Asked) -> AbstractAsyncContextManager[BesideStreams]:
        """A pull whose jobs go through the queue of a sync."""
        return opened_beside(self.parts, asked)

    async def pull(self, asked: Asked) -> AssetsReport:
        """Bring a folder, and the tables, to where the instance is; raises what `run.pull` raises."""
        return await pull(self.parts, asked)

    async def plan(self, asked: Asked) -> AssetsPlan:
        """What a pull would spend; raises what `cost.cost` raises."""
        used = await self.parts.client.send(usage.today())
        booked = (await self.parts.client.gate.use()).spent_today.calls
        return await cost(self.parts, asked, max(0, self._calls_per_day - max(used.calls, booked)))

    async def diff_live(self, folder: Path, kinds: tuple[str, ...]) -> AssetsDiff:
        """What has become of the instance since a folder was pulled; the folder stays as it is.

        A copy of it is brought to where the instance is: this costs what a pull does. Raises what a pull raises.
        """
        parts, before, calls = self.parts, Tree(folder), self.parts.client.calls_sent
        await run_blocking(partial(claim, folder, parts.instance, parts.origin, write=False))
        async with copied(before, self._workroom) as copy:
            asked = Asked(copy.root, kinds, with_tables=False)
            report = await pull(parts, asked, kind="assets diff")
            found, spoilt = await run_blocking(lambda: differences(before, copy))
        return AssetsDiff(
            before=str(folder),
            after=LIVE,
            changes=tuple(each for each in found if each.kind in kinds),
            calls=parts.client.calls_sent - calls,
            problems=(*report.problems, *spoilt),
            errors=report.errors,
        )


def diff(before: Path, after: Path, kinds: Collection[str]) -> AssetsDiff:
    """What is different between two folders; it blocks. Raises ConfigError for one that is no folder of assets."""
    instances = [owner(folder).get("instance") for folder in (before, after)]
    if instances[0] != instances[1]:
        raise ConfigError(
            f"{before} holds the assets of {instances[0]!r}, {after} those of {instances[1]!r}",
            advice="Ids of two instances are not the same assets: compare two folders of one.",
        )
    found, spoilt = differences(Tree(before), Tree(after))
    chosen = tuple(change for change in found if change.kind in kinds)
    return AssetsDiff(str(before), str(after), chosen, problems=tuple(spoilt))


def differences(before: Tree, after: Tree) -> tuple[list[AssetChange], list[str]]:
    """All changes from one folder to the other with their lines, and what could not be compared; it blocks."""
    spoilt: list[PurePosixPath] = []
    found = changes(before.scan(spoilt), after.scan(spoilt))
    told = [f"{path} is not what was written to it: pull again to mend it" for path in spoilt]
    return [with_lines(change, before, after) for change in found], told


@asynccontextmanager
async def copied(tree: Tree, workroom: Path) -> AsyncIterator[Tree]:
    """A copy of a folder of assets for as long as the block lasts."""
    copy = Tree(workroom / f"live-{token_hex(4)}")
    try:
        await run_blocking(lambda: tree.copy_to(copy.root))
        await run_blocking(lambda: clear_left_behind(copy.root))
        yield copy
    finally:
        with anyio.CancelScope(shield=True):
            await run_blocking(partial(shutil.rmtree, copy.root, ignore_errors=True))


def clear_left_behind(copy: Path) -> None:
    """Remove the copies beside this one whose processes died long before it was made."""
    oldest = copy.stat().st_mtime - LEFT_BEHIND.total_seconds()
    for path in copy.parent.iterdir():
        if path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)
