"""The door of this room: everything that can be asked of assets."""

import os
import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from syncengine.assets.changes import changes
from syncengine.assets.cost import cost
from syncengine.assets.differences import with_lines
from syncengine.assets.parts import Asked, Parts
from syncengine.assets.run import Pull, opened, pull
from syncengine.assets.tree import Tree
from syncengine.errors import ConfigError
from syncengine.marketo.endpoints import usage
from syncengine.reports import AssetChange, AssetsDiff, AssetsPlan, AssetsReport
from syncengine.threads import run_blocking

LIVE = "live"


class Desk:
    """Takes orders for one instance. `workroom` is a folder of ours, `calls_per_day` what we may spend."""

    def __init__(self, parts: Parts, *, workroom: Path, calls_per_day: int) -> None:
        self.parts = parts
        self._workroom = workroom
        self._calls_per_day = calls_per_day

    def opened(self, asked: Asked) -> AbstractAsyncContextManager[Pull]:
        """A pull whose jobs another flow's queue runs; raises what `run.opened` raises."""
        return opened(self.parts, asked)

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
        await run_blocking(partial(before.claim, parts.instance, parts.origin, write=False))
        async with copied(folder, self._workroom / "live") as copy:
            asked = Asked(copy, kinds, with_tables=False)
            report = await pull(parts, asked, kind="assets diff")
            found = await run_blocking(lambda: differences(before, Tree(copy)))
        return AssetsDiff(
            before=str(folder),
            after=LIVE,
            changes=tuple(found),
            calls=parts.client.calls_sent - calls,
            problems=report.problems,
            errors=report.errors,
        )


def diff(before: Path, after: Path, kinds: Collection[str]) -> AssetsDiff:
    """What is different between two folders; it blocks. Raises ConfigError for one that is no folder of assets."""
    old, new = Tree(before), Tree(after)
    instances = [tree.owner().get("instance") for tree in (old, new)]
    if instances[0] != instances[1]:
        raise ConfigError(
            f"{before} holds the assets of {instances[0]!r}, {after} those of {instances[1]!r}",
            advice="Ids of two instances are not the same assets: compare two folders of one.",
        )
    found = [change for change in differences(old, new) if change.kind in kinds]
    return AssetsDiff(str(before), str(after), tuple(found))


def differences(before: Tree, after: Tree) -> list[AssetChange]:
    """All changes from one folder to the other with their lines; it blocks."""
    return [with_lines(change, before, after) for change in changes(before.scan(), after.scan())]


@asynccontextmanager
async def copied(folder: Path, copy: Path) -> AsyncIterator[Path]:
    """A copy of a folder of assets for as long as the block lasts; files are linked where the disk allows it.

    Files are only ever replaced as a whole, so that a change of the copy leaves the folder as it is.
    """
    clear = partial(shutil.rmtree, copy, ignore_errors=True)
    ignored = shutil.ignore_patterns(".git")
    await run_blocking(clear)
    try:
        await run_blocking(partial(shutil.copytree, folder, copy, copy_function=_linked, ignore=ignored))
        yield copy
    finally:
        with anyio.CancelScope(shield=True):
            await run_blocking(clear)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
