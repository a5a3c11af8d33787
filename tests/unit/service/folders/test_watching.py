"""A watched folder for as long as the daemon lives: who is told, and when it is tried again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.config.service import InboxSettings
from syncengine.errors import CredentialsRejected, SyncEngineError, Unavailable
from syncengine.imports.desk import Desk
from syncengine.marketo.call import Priority
from syncengine.service.folders.inbox import LOOK_SECONDS
from syncengine.service.folders.watching import Watching
from syncengine.service.schedule.tally import Tally
from syncengine.service.told.notices import Notice
from tests.simulation.seeded import seeded
from tests.unit.imports.world import World, build
from tests.unit.service.placed import DUE, NAME, PlayedPlace, placed, quick, settings_of

PEOPLE = "email,firstName\nada@example.com,Ada\nbob@example.com,Bob\n"
UNUSABLE = "email,email\na@example.com,b@example.com\n"


class Here:
    """A watched folder, the place that keeps it, and a small instance behind the engines."""

    def __init__(self, root: Path, place: PlayedPlace, world: World) -> None:
        self.root = root
        self.place = place
        self.world = world
        self.watching = Watching(place, "inbox", place.clock)
        self.tally = Tally(NAME, "files", DUE, DUE)

    def drop(self, name: str, content: str = PEOPLE) -> None:
        self.root.mkdir(exist_ok=True)
        (self.root / name).write_text(content)

    def lying(self, where: str) -> list[str]:
        folder = self.root / where
        return sorted(path.name[23:] for path in folder.iterdir()) if folder.exists() else []

    def failures(self) -> list[Notice]:
        return [notice for notice in self.place.told if notice.kind == "failure"]

    async def desk(self, **_: Any) -> Desk:
        return self.world.desk()


@asynccontextmanager
async def folder(*does: Any, **options: Any) -> AsyncIterator[Here]:
    """A watched folder whose engines do these things, and then what they should."""
    with quick() as where:
        root = where / "inbox"
        own = {"inbox": InboxSettings(path=root, settle_seconds=5.0)}
        (where / "world").mkdir()
        async with placed(settings_of(where, import_=own)) as place:
            here = Here(root, place, build(where / "world", **options))
            place.script.does = [*does, here.desk]
            yield here


@asynccontextmanager
async def kept(here: Here) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.watching.keep)
        yield
        tasks.cancel_scope.cancel()


@seeded
async def test_a_folder_without_files_opens_no_engine() -> None:
    """An hour of looking costs no call; the folder is made, and its standing shown."""
    async with folder() as here, kept(here):
        await here.place.clock.sleep(3_600.0)
        assert ([], True, "waiting") == (here.place.script.priorities, here.root.is_dir(), here.place.inbox.state)


@seeded
async def test_what_is_dropped_is_imported_ahead_of_the_night() -> None:
    """Somebody waits for it; afterwards it lies in done, and nobody is told of what went well."""
    async with folder() as here, kept(here):
        here.drop("a.csv")
        await here.place.clock.sleep(120.0)
        assert (["a.csv"], [Priority.INTERACTIVE], []) == (
            here.lying("done"),
            here.place.script.priorities,
            here.place.notices("failure"),
        )
        assert (1, 0, "waiting") == (here.place.inbox.done, here.place.inbox.failed, here.place.inbox.state)
        assert 2 == len(await here.world.people("ada@example.com", "bob@example.com"))


@seeded
async def test_a_file_that_fails_is_told_with_where_it_lies_and_tried_no_more() -> None:
    """The others of the folder go in all the same."""
    async with folder() as here, kept(here):
        here.drop("a.csv", UNUSABLE)
        here.drop("b.csv")
        await here.place.clock.sleep(120.0)
        assert (["b.csv"], ["a.csv"]) == (here.lying("done"), here.lying("failed"))
        (notice,) = here.failures()
        assert notice.subject.startswith("inbox/")
        assert "a.csv" in notice.subject
        assert "The file a.csv of the watched folder inbox did not go in whole." == notice.text
        assert notice.details[-1].startswith(f"It lies in {here.root}/failed/")
        (problem,) = here.place.problems
        assert problem.startswith("a.csv: ")


@seeded
async def test_an_outage_is_waited_for_and_told_when_it_lasts() -> None:
    """With pauses that grow; the standing says why, and all is well when it is over."""
    away = Unavailable("Marketo is away")
    async with folder(away, away, away, away) as here, kept(here):
        here.drop("a.csv")
        await here.place.clock.sleep(60.0)
        assert ("backing off", "Marketo is away", []) == (
            here.place.inbox.state,
            here.place.inbox.reason,
            here.place.notices("failure"),
        )
        await here.place.clock.sleep(480.0)
        assert (["Marketo is away"], 4) == (here.place.notices("failure"), len(here.place.script.priorities))
        await here.place.clock.sleep(1_200.0)
        assert (["a.csv"], "waiting", "") == (here.lying("done"), here.place.inbox.state, here.place.inbox.reason)
        assert 1 == len(here.place.notices("failure"))


@seeded
async def test_rejected_credentials_are_told_at_once() -> None:
    """Somebody has to come."""
    refused = CredentialsRejected("refused", advice="Look them up.")
    async with folder(refused) as here, kept(here):
        here.drop("a.csv")
        await here.place.clock.sleep(60.0)
        assert ("parked", ["refused"]) == (here.place.inbox.state, here.place.notices("failure"))
        assert ("Look them up.",) == here.failures()[0].details


@seeded
async def test_a_bug_of_ours_ends_nothing() -> None:
    """It is told by its class, and the folder is looked at again."""
    async with folder(ZeroDivisionError("ada@example.com")) as here, kept(here):
        here.drop("a.csv")
        await here.place.clock.sleep(60.0)
        (problem,) = here.place.problems
        assert problem.startswith("a bug: ZeroDivisionError at ")
        await here.place.clock.sleep(600.0)
        assert ["a.csv"] == here.lying("done")


@seeded
async def test_a_drain_takes_all_that_lies_there() -> None:
    """What was dropped a moment ago too, once it stands still; files and calls are counted in the night."""
    async with folder() as here:
        here.drop("a.csv")
        here.drop("b.csv", UNUSABLE)
        ended = await here.watching.drain(here.tally)
        report = here.tally.report()
        assert ("partial", {"done": 1, "failed": 1}, 5) == (ended.outcome, report.files, report.calls)
        (line,) = ended.problems
        assert line.startswith("b.csv of inbox did not go in whole: see ")


@seeded
async def test_a_drain_of_nothing_is_done_at_once() -> None:
    """No time passes, and no engine is opened."""
    async with folder() as here:
        assert "done" == (await here.watching.drain(here.tally)).outcome
        assert ([], True) == (
            here.place.script.priorities,
            (here.place.clock.now() - here.place.standings.started_at).total_seconds() < LOOK_SECONDS,
        )


@pytest.mark.parametrize("error", [Unavailable("away"), CredentialsRejected("refused")])
@seeded
async def test_a_drain_ends_with_what_keeps_it(error: SyncEngineError) -> None:
    """The group decides what follows; the file stays where it is."""
    async with folder(error) as here:
        here.drop("a.csv")
        ended = await here.watching.drain(here.tally)
        assert ((type(error).__name__,), (error.message,)) == (ended.errors, ended.problems)
        assert "done" != ended.outcome
        assert [] == here.lying("done")


@seeded
async def test_an_import_that_marketo_has_not_ended_is_asked_for_again() -> None:
    """It is no failure of the file, and no end of the night; later its end is told."""
    async with folder(import_seconds=(900.0, 900.0)) as here:
        here.drop("a.csv")
        (here.root / "a.csv.toml").write_text('route = "bulk"\nmax_wait = "60s"\n')
        ended = await here.watching.drain(here.tally)
        assert (("Unavailable",), {}) == (ended.errors, here.tally.report().files)
        assert ["a.csv"] == here.lying("working")
        await here.place.clock.sleep(1_200.0)
        assert "done" == (await here.watching.drain(here.tally)).outcome
        assert {"done": 1} == here.tally.report().files


@seeded
async def test_a_folder_that_cannot_be_used_is_told_and_so_is_its_end() -> None:
    """Something else lies in its place: it backs off and says why; when it is a folder again it says so once."""
    async with folder() as here:
        here.root.write_text("no folder")
        async with kept(here):
            await here.place.clock.sleep(3_600.0)
            assert "backing off" == here.place.inbox.state
            assert 1 == len(here.place.notices("failure"))
            here.root.unlink()
            await here.place.clock.sleep(3_600.0)
            assert ["The watched folder inbox works again."] == here.place.notices("recovery")
            assert ("waiting", "") == (here.place.inbox.state, here.place.inbox.reason)


@seeded
async def test_trouble_that_an_earlier_process_told_of_has_an_end() -> None:
    """Else the next trouble would pass for more of the same, and nobody would be told of it for a day."""
    async with folder() as here:
        here.root.write_text("no folder")
        async with kept(here):
            await here.place.clock.sleep(3_600.0)
        (trouble,) = here.failures()
        here.root.unlink()
        here.watching = Watching(here.place, "inbox", here.place.clock)
        async with kept(here):
            await here.place.clock.sleep(3_600.0)
        (end,) = (notice for notice in here.place.told if notice.kind == "recovery")
        assert trouble.subject == end.subject


@seeded
async def test_a_folder_that_is_left_says_nothing_more() -> None:
    """By other settings it is watched by another, whose standing is not written over."""
    async with folder() as here:
        here.watching.leave()
        await here.watching.drain(here.tally)
        assert {} == here.place.standings.inboxes
