"""A watched folder and a small instance around it, in virtual time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncengine.config.service import InboxSettings
from syncengine.service.folders.inbox import DropReport, Inbox
from tests.unit.imports.table import record
from tests.unit.imports.world import HEADER, World, build, people

BULK = 'route = "bulk"\n'


@dataclass
class Watched:
    """A watched folder and the world around it; each `again` is a new process over the same."""

    world: World
    root: Path
    inbox: Inbox

    def again(self) -> "Watched":
        return Watched(self.world, self.root, Inbox("inbox", self.settings(), clock=self.world.clock))

    def settings(self, **more: Any) -> InboxSettings:
        return InboxSettings(path=self.root, **more)

    def drop(self, name: str = "people.csv", rows: Sequence[Sequence[str]] = (), *, settings: str = "") -> None:
        """A file of people, with its settings if there are any."""
        self.written(name, b"".join(record(row) for row in (HEADER, *(rows or people(3)))))
        if settings:
            self.written(f"{name}.toml", settings.encode())

    def written(self, name: str, content: bytes) -> None:
        self.root.mkdir(exist_ok=True)
        (self.root / name).write_bytes(content)

    async def ready(self) -> int:
        """How many drops are ready once they have stood still."""
        await self.inbox.look()
        await self.world.clock.sleep(11.0)
        return await self.inbox.look()

    async def one(self) -> DropReport:
        """What becomes of the next drop."""
        await self.ready()
        found = await self.inbox.take_one(self.world.desk())
        assert found is not None
        return found

    def lying(self, *where: str) -> dict[str, list[str]]:
        """What lies in the folders of drops in a place."""
        return {
            path.name[23:]: sorted(each.name for each in path.iterdir())
            for path in self.root.joinpath(*where).iterdir()
        }


def watched(
    tmp_path: Path, *faults: Mapping[str, Any], options: Mapping[str, Any] | None = None, **more: Any
) -> Watched:
    world = build(tmp_path, *faults, **(options or {}))
    root = tmp_path / "inbox"
    return Watched(world, root, Inbox("inbox", InboxSettings(path=root, **more), clock=world.clock))
