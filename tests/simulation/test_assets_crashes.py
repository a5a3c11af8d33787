"""Pulls of assets that die after any of their effects: only whole files are left, and the next pull completes.

An effect is a call that has been carried out, a transaction of the journal, a piece of work on files or tables, or, for
the disk, each rename, removal, folder and flush of Python's own.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from syncengine.assets.disk import WORKSHOP
from syncengine.assets.marker import MARKER
from syncengine.assets.parts import chosen_kinds
from tests.simulation.asset_checks import htmls
from tests.simulation.assets import Bytes, Library, contents, mortal_disk
from tests.simulation.seeded import Life, seeded
from tests.simulation.small import quick_folder

TINY: dict[str, Any] = {"assets": 16, "programs": 1, "campaigns": 1, "lists": 1, "workspaces": 1}
CHURN = {"edit": 9, "move": 4, "rename": 5, "delete": 4}
TABLES = chosen_kinds(("form",))

Dies = Callable[[Path, int], bool]
Anew = dict[str, Bytes]


def broken(library: Library, known: set[bytes]) -> list[str]:
    """The files that are not whole; `known` are all documents that there have been."""
    found = []
    for name, body in contents(library.folder).items() if library.folder.exists() else ():
        if name.startswith(WORKSHOP):
            continue
        try:
            is_whole = body in known if name.endswith(".html") else bool(orjson.loads(body))
        except orjson.JSONDecodeError:
            is_whole = False
        found += [] if is_whole else [name]
    return found


@seeded
async def dies_once(folder: Path, length: int, anew: Anew, *, is_first: bool, **asked: Any) -> bool:
    """A pull that dies, and another one; whether it did. `anew` keeps what a pull into an empty folder brings."""
    library = Library(folder, **TINY)
    known = htmls(library.truth())
    if not is_first:
        await library.pull(**asked)
        await library.later()
        library.change(asset_churn=CHURN, seed=1)
        known |= htmls(library.truth())
    has_died = await library.dies(Life(length), **asked)
    assert [] == broken(library, known), length
    report = await library.pull(**asked)
    assert "done" == report.outcome, length
    if not anew:
        anew[""] = await library.fresh(**{**asked, "with_tables": False})
    assert anew[""] == contents(library.folder), length
    assert not (library.folder / WORKSHOP).exists(), length
    assert (library.folder / MARKER).exists(), length
    if asked.get("with_tables"):
        assert [] == wrong_tables(library, asked["kinds"]), length
    return has_died


def wrong_tables(library: Library, kinds: tuple[str, ...]) -> list[str]:
    """Versions that do not stand once in their tables as they lie in the folder, and states that do not stand once."""
    found: list[str] = []
    bodies = [orjson.loads(body) for path, body in contents(library.folder).items() if path.endswith(".json")]
    files = [each for each in bodies if "kind" in each]
    with duckdb.connect(str(library.warehouse), read_only=True) as database:
        for kind in kinds:
            rows = database.execute(f"SELECT id, version, asset FROM marketo.asset_{kind} WHERE _deleted_at IS NULL")
            stand = sorted((row[0], row[1], orjson.dumps(orjson.loads(row[2]))) for row in rows.fetchall())
            lie = sorted(
                (each["id"], each["version"], orjson.dumps(each["asset"])) for each in files if each["kind"] == kind
            )
            found += [] if stand == lie else [f"{kind}: {len(stand)} rows stand for {len(lie)} files"]
        history = database.execute("SELECT kind, id, version, coalesce(sha256, ''), entry FROM marketo.asset_history")
        states: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
        for kind, number, version, sha256, entry in history.fetchall():
            states.setdefault((kind, number, version), []).append((int(entry.split("/")[-2]), sha256))
    for key, seen in states.items():
        numbers = [number for number, _ in sorted(seen)]
        if numbers != list(range(len(seen))) or any(a[1] == b[1] for a, b in pairwise(sorted(seen))):
            found.append(f"the states of {key} are {sorted(seen)}")
    there = {(each["kind"], str(each["id"]), each["version"]) for each in files}
    return [*found, *(f"{key} has no state" for key in there - states.keys())]


def count_of_deaths(tmp_path: Path, dies: Dies, first: int, step: int) -> int:
    """Let one process after another die, each a step later, until one lives to its end; gives how many have died."""
    length = first
    while True:
        with quick_folder(tmp_path) as folder:
            if not dies(folder, length):
                return (length - first) // step
        length += step


@pytest.mark.parametrize("is_first", [True, False])
def test_a_pull_may_die_after_any_of_its_effects(tmp_path: Path, is_first: bool) -> None:
    """Effects spread over the first pull, and over one after changes of all sorts."""
    anew: Anew = {}

    def dies(folder: Path, length: int) -> bool:
        return dies_once(folder, length, anew, is_first=is_first)

    assert count_of_deaths(tmp_path, dies, 3, 30 if is_first else 24) > 5


@pytest.mark.parametrize("is_first", [True, False])
def test_a_pull_may_die_in_the_middle_of_its_work_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    """Between any rename, removal and flush: an HTML without its JSON, a half moved pair, a half tidied folder."""
    anew: Anew = {}

    def dies(folder: Path, length: int) -> bool:
        return dies_once(folder, length, anew, is_first=is_first)

    mortal_disk(monkeypatch)
    assert count_of_deaths(tmp_path, dies, 5, 90 if is_first else 60) > 4


@pytest.mark.parametrize("is_first", [True, False])
def test_a_pull_that_dies_doubles_nothing_in_the_tables(tmp_path: Path, is_first: bool) -> None:
    """Between files, tables and history: each version stands once, and each state that it was seen in."""
    anew: Anew = {}

    def dies(folder: Path, length: int) -> bool:
        return dies_once(folder, length, anew, is_first=is_first, with_tables=True, kinds=TABLES)

    assert count_of_deaths(tmp_path, dies, 13, 34 if is_first else 21) > 1
