"""Lists of assets that shift while they are read: nothing that was there all the time is ever taken for deleted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.assets.parts import chosen_kinds
from syncengine.assets.places import UNFILED
from tests.simulation.assets import Library, Meddler, Wrap, contents
from tests.simulation.seeded import seeded
from tests.simulation.small import quick_folder

# Three pages of static lists, of which nothing but their rows is asked for.
LISTS = 405
KINDS = chosen_kinds(("static_list",))
LISTED = "/rest/asset/v1/staticLists.json"
FOLDERS = "/rest/asset/v1/folders.json"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder for what a simulated machine keeps."""
    with quick_folder(tmp_path) as folder:
        yield folder


def listing(room: Path, lists: int, *, seed: int = 7) -> Library:
    """An instance with so many lists that shows its assets as they are when a call comes."""
    few: dict[str, Any] = {"assets": 0, "programs": 0, "campaigns": 0, "workspaces": 1}
    return Library(room, seed, lists=lists, latency_seconds=(0.0, 0.0), **few)


def meddling(library: Library, kind: str, verb: str) -> None:
    """Change a list at one of its ends, so that everything behind shifts by one."""
    ids, number = library.ids(kind), len(library.heard)
    change: dict[str, dict[str, Any]] = {
        "delete first": {"do": "delete", "id": ids[0]},
        "insert first": {"do": "create", "name": f"!{number}"},
        "rename first to last": {"do": "rename", "id": ids[0], "name": f"zz{number}"},
        "rename last to first": {"do": "rename", "id": ids[-1], "name": f"!!{number}"},
    }
    library.change({"kind": kind, **change[verb]})


def meddled(library: Library, meddle: Callable[[int], None], numbers: range, path: str) -> Wrap:
    """A wire behind which the instance changes after calls of these numbers."""
    return lambda wire: Meddler(wire, numbers, meddle, path)


def stored(library: Library, kind: str) -> set[int]:
    """The ids of a kind that lie in the folder, by its files."""
    ending = f".{kind}.json"
    paths = (path for path in contents(library.folder) if path.endswith(ending))
    return {int((library.folder / path).read_text().split('"id": ', 1)[1].split(",", 1)[0]) for path in paths}


@pytest.mark.parametrize("verb", ["delete first", "insert first", "rename first to last", "rename last to first"])
@seeded
async def test_a_list_that_shifts_once_loses_nothing(room: Path, verb: str) -> None:
    """After each of its calls, which are made all at once: whatever was there before and after lies in the folder."""
    library = listing(room, LISTS)
    await library.pull(kinds=KINDS)
    for number in range(1, 4):
        await library.later()
        before = set(library.ids("static-list"))
        wrap = meddled(library, lambda _: meddling(library, "static-list", verb), range(number, number + 1), LISTED)
        report = await library.pull(kinds=KINDS, wrap=wrap)
        assert ("done", ()) == (report.outcome, report.problems)
        assert (before & set(library.ids("static-list"))) - stored(library, "static_list") == set()
    await library.pull(kinds=KINDS)
    assert [] == library.problems(kinds=KINDS)


@pytest.mark.parametrize("number", range(1, 4))
@seeded
async def test_a_list_that_shifts_in_a_first_pull_loses_nothing(room: Path, number: int) -> None:
    """Nobody knows how long it is, and its pages are read one after the other."""
    library = listing(room, LISTS)
    before = set(library.ids("static-list"))
    wrap = meddled(
        library, lambda _: meddling(library, "static-list", "delete first"), range(number, number + 1), LISTED
    )
    report = await library.pull(kinds=KINDS, wrap=wrap)
    assert ("done", ()) == (report.outcome, report.problems)
    assert (before & set(library.ids("static-list"))) - stored(library, "static_list") == set()


@seeded
async def test_a_list_that_never_holds_still_keeps_all_that_was_not_seen_in_it(room: Path) -> None:
    """It shifts after every call: the report says that it is not whole, and a later pull removes what is gone."""
    library = listing(room, LISTS)
    await library.pull(kinds=KINDS)
    await library.later()
    before = set(library.ids("static-list"))
    wrap = meddled(library, lambda _: meddling(library, "static-list", "delete first"), range(1, 100), LISTED)
    report = await library.pull(kinds=KINDS, wrap=wrap)
    assert "partial" == report.outcome
    assert set(library.ids("static-list")) <= stored(library, "static_list") <= before
    await library.pull(kinds=KINDS)
    assert [] == library.problems(kinds=KINDS)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@seeded
async def test_two_changes_that_make_up_for_each_other_lose_nothing(room: Path, seed: int) -> None:
    """One list is renamed from a page to another, and one deleted: the pages agree where they meet, yet it slips."""
    library = listing(room, 300, seed=seed)
    await library.pull(kinds=KINDS)
    await library.later()
    before = set(library.ids("static-list"))

    def meddle(_: int) -> None:
        ids = library.ids("static-list")
        library.change(
            {"do": "rename", "kind": "static-list", "id": ids[230], "name": "!"},
            {"do": "delete", "kind": "static-list", "id": ids[0]},
        )

    await library.pull(kinds=KINDS, wrap=meddled(library, meddle, range(1, 2), LISTED))
    assert (before & set(library.ids("static-list"))) - stored(library, "static_list") == set()


@pytest.mark.parametrize("verb", ["delete first", "rename first to last"])
@seeded
async def test_a_tree_that_shifts_leaves_everything_in_its_place(room: Path, verb: str) -> None:
    """A program is deleted or renamed between two pages of folders: no other is taken for gone or unfiled for it."""
    few: dict[str, Any] = {"assets": 0, "campaigns": 0, "lists": 20, "workspaces": 1}
    library = Library(room, programs=230, latency_seconds=(0.0, 0.0), **few)
    await library.pull(kinds=KINDS)
    for number in range(1, 5):
        await library.later()
        before = set(library.ids("folder"))
        wrap = meddled(library, lambda _: meddling(library, "program", verb), range(number, number + 1), FOLDERS)
        report = await library.pull(kinds=KINDS, wrap=wrap)
        assert "done" == report.outcome
        assert (before & set(library.ids("folder"))) - stored(library, "folder") == set()
        assert not list(library.folder.rglob(UNFILED))
    await library.pull(kinds=KINDS)
    assert await library.fresh(kinds=KINDS) == contents(library.folder)
