"""One attempt at a night: what an engine is asked for, and that nothing is raised."""

from typing import Any

import anyio
import pytest

from syncengine.asset_reports import AssetsReport
from syncengine.config import GroupSettings
from syncengine.errors import PermissionDenied, Unavailable
from syncengine.jobs.halt import Halt
from syncengine.marketo.call import Priority
from syncengine.observe.events import WindowApplied
from syncengine.service.schedule.attempting import HALTED, STOPPED, Attempting
from syncengine.service.schedule.reactions import Attempt
from syncengine.service.schedule.tally import Tally
from tests.simulation.seeded import seeded
from tests.unit.service.placed import DUE, NAME, NIGHTLY, START, PlayedPlace, placed, quick, settings_of, synced

PULLED = AssetsReport("tree", "done", 0, {}, 0.0, (), ())
HOUR = 3_600.0


class Folders:
    """Watched folders that are drained as a test says."""

    def __init__(self, *ends: Attempt, halt: Halt | None = None) -> None:
        self.names: list[str] = []
        self._ends = list(ends)
        self._halt = halt

    async def drain(self, name: str, tally: Tally) -> Attempt:
        self.names.append(name)
        tally.count_file("done")
        if self._halt is not None:
            self._halt.ask()
        return self._ends.pop(0) if self._ends else Attempt("done")


async def attempt(
    place: PlayedPlace, own: GroupSettings, *, folders: Folders | None = None, halt: Halt | None = None
) -> tuple[Attempt, Tally]:
    tally = Tally(NAME, "nightly", DUE, DUE)
    attempting = Attempting(place, own, (folders or Folders()).drain, halt or Halt())
    return await attempting.run(tally, HOUR), tally


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ({}, [{"what": "sync", "streams": None, "with_assets": True}]),
        ({"streams": ("leads",)}, [{"what": "sync", "streams": ["leads"], "with_assets": False}]),
        (
            {"streams": ("leads", "programs"), "assets": True},
            [{"what": "sync", "streams": ["leads"], "with_assets": True}],
        ),
        ({"streams": ("*",)}, [{"what": "sync", "streams": ["*"], "with_assets": False}]),
        ({"streams": ("programs",)}, []),
        ({"assets": True}, [{"what": "assets"}]),
        ({"imports": ("inbox",)}, []),
    ],
)
@seeded
async def test_an_engine_is_asked_for_what_the_group_names(own: dict[str, Any], asked: list[dict[str, Any]]) -> None:
    """Everything where nothing is picked out; of streams those that the instance brings."""
    with quick() as folder:
        async with placed(settings_of(folder), PULLED if own == {"assets": True} else synced()) as place:
            ended, _ = await attempt(place, GroupSettings(cron="30 2 * * *", **own))
            assert "done" == ended.outcome
            for each in place.script.asked:
                each.pop("halt", None)
            assert asked == place.script.asked


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("high", Priority.INTERACTIVE), ("normal", Priority.BACKGROUND), ("low", Priority.PATIENT)],
)
@seeded
async def test_a_group_has_its_place_in_line(priority: str, expected: Priority) -> None:
    """What its table says goes to the engine."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            await attempt(place, GroupSettings(cron="30 2 * * *", priority=priority))
            assert [expected] == place.script.priorities


@seeded
async def test_what_an_engine_raises_is_in_the_attempt() -> None:
    """Ours by its message, a foreign one as a bug; folders are looked into all the same, and calls are counted."""
    own = GroupSettings(cron="30 2 * * *", streams=("leads",), imports=("a", "b"))
    with quick() as folder:
        async with placed(settings_of(folder), Unavailable("away"), ZeroDivisionError("row 7")) as place:
            folders = Folders(Attempt("failed", ("PermissionDenied",), ("no",)))
            ended, tally = await attempt(place, own, folders=folders)
            assert Attempt("partial", ("Unavailable", "PermissionDenied"), ("away", "no")) == ended
            assert (["a", "b"], 1, 5, {"done": 2}) == (folders.names, tally.attempts, tally.calls, tally.report().files)
            bug, _ = await attempt(place, NIGHTLY)
            assert ("failed", ("ZeroDivisionError",)) == (bug.outcome, bug.errors)
            assert "row 7" not in str(bug)


@seeded
async def test_an_engine_that_does_not_open_is_in_the_attempt_too() -> None:
    """A state folder that is out of order, say."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            place.script.calls = 0

            class Shut(PlayedPlace):
                def engine(self, *_: Any) -> Any:
                    raise PermissionDenied("shut")

            shut = Shut(**{name: getattr(place, name) for name in PlayedPlace.__dataclass_fields__})
            ended, tally = await attempt(shut, NIGHTLY)
            assert (Attempt("failed", ("PermissionDenied",), ("shut",)), 0) == (ended, tally.calls)


@seeded
async def test_a_night_that_takes_too_long_is_stopped() -> None:
    """At its time, with a sentence; what it moved and called is counted."""

    async def slow(*, see: Any, **_: Any) -> None:
        see(WindowApplied("leads", "w", 3, 0, 0, 0, 10, 1.0))
        await anyio.sleep_forever()

    with quick() as folder:
        async with placed(settings_of(folder), slow) as place:
            ended, tally = await attempt(place, GroupSettings(cron="30 2 * * *", max_hours=1))
            (line,) = ended.problems
            assert STOPPED == ended.outcome
            assert pytest.approx(HOUR, abs=1) == (place.clock.now() - START).total_seconds()
            assert "stopped after 1 hours" in line
            assert (5, 3) == (tally.calls, tally.report().rows)


@seeded
async def test_a_halt_is_told_unless_all_was_done() -> None:
    """The folders that are left are not begun, and the halt reaches the engine."""
    own = GroupSettings(cron="30 2 * * *", streams=("leads",), imports=("a", "b"))
    with quick() as folder:
        async with placed(settings_of(folder), synced("partial", problems=("asked to stop",)), synced()) as place:
            halt = Halt()
            folders = Folders(halt=halt)
            ended, _ = await attempt(place, own, folders=folders, halt=halt)
            assert (HALTED, ["a"]) == (ended.outcome, folders.names)
            assert halt is place.script.asked[0]["halt"]
            asked = Halt()
            asked.ask()
            assert "done" == (await attempt(place, NIGHTLY, halt=asked))[0].outcome
