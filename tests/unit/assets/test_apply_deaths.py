"""Tables of assets, whatever becomes of the process that writes them."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from syncengine.assets.apply import Applying
from syncengine.assets.documents import Document, Place
from syncengine.assets.history import ENTRY, GONE, HISTORY
from syncengine.assets.kinds import KINDS
from syncengine.assets.tables import SEGMENTS, STATE, TOKENS, USAGE
from syncengine.assets.tree import Tree
from syncengine.destinations import Applied, Window
from tests.unit.assets.made import document, entry, laid, ours
from tests.unit.exports.memory import MemoryDestination

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOME = Place("Folder", 1)


class Dies(BaseException):
    """The process ends here."""


class Shelf(MemoryDestination):
    """Tables in memory that mark what is gone; whoever writes to them dies when `windows` more are written."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = 99
        self.streams: list[str] = []
        self.gone: dict[str, set[Any]] = {}

    def apply(self, window: Window) -> Applied:
        if self.windows == 0:
            raise Dies
        self.windows -= 1
        self.streams.append(window.stream)
        rows = [row for batch in window.batches for row in batch.to_pylist()]
        keys = {tuple(row[name] for name in window.schema.key) for row in rows}
        table, gone = self.rows.setdefault(window.stream, {}), self.gone.setdefault(window.stream, set())
        gone -= keys
        if window.snapshot is not None:
            field, value = window.snapshot.field, window.snapshot.value
            gone |= {key for key, row in table.items() if key not in keys and (not field or row[field] == value)}
        table.update({tuple(row[name] for name in window.schema.key): row for row in rows})
        return Applied()

    def keys(
        self,
        instance: str,
        stream: str,
        field: str,
        *,
        changed_after: datetime | None = None,
        only: tuple[str, Collection[int]] | None = None,
    ) -> "pa.Array[Any]":
        found: pa.Array[Any] = pa.array(sorted({row[field] for row in self.alive(stream)}), pa.string())
        return found

    def alive(self, stream: str) -> list[Mapping[str, Any]]:
        """The rows that are not gone."""
        return [row for key, row in self.rows.get(stream, {}).items() if key not in self.gone[stream]]

    @property
    def state(self) -> dict[str, list[Mapping[str, Any]]]:
        """All rows that are not gone, but for the history, which tells of the way."""
        return {stream: sorted(self.alive(stream), key=str) for stream in self.rows if stream not in {HISTORY, STATE}}


class Pulls:
    """Pulls of one folder into one shelf; each is a day later."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.shelf = Shelf()
        self._days = 0

    def pull(self, kind: str, *there: Document, dies: int = 99, is_whole: bool = True) -> bool | None:
        """Whether anything was written; None for a process that died after so many windows."""
        self._days += 1
        self.shelf.windows, self.shelf.streams = dies, []
        at = DAY + timedelta(days=self._days)
        applying = Applying(self.shelf, self.tree, instance="acme", epoch=self._days, read_at=at)
        entries = laid(self.tree, *((f"Here/{each.listed.name}.{kind}", each) for each in there))
        try:
            return applying.apply(KINDS[kind], entries, is_whole=is_whole)
        except Dies:
            return None

    def history(self) -> list[tuple[str, int, str | None]]:
        """Each state of each version: its id, its number, and its hash, None where it was gone."""
        rows = self.shelf.rows.get(HISTORY, {}).values()
        return sorted((row["id"], int(row[ENTRY].split("/")[3]), None if row[GONE] else row["sha256"]) for row in rows)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A folder that is ours and empty."""
    return ours(tmp_path / "assets")


def folder(identity: int, *tokens: str) -> Document:
    """A folder with tokens of these names."""
    stated = [{"name": name, "type": "text", "value": "1"} for name in tokens]
    return document("folder", identity, name=f"F{identity}", home=HOME, parts={"tokens": stated})


def region(identity: int, *segments: str) -> Document:
    """A segmentation of these segments."""
    stated = [{"id": number, "name": name} for number, name in enumerate(segments)]
    return document("segmentation", identity, name=f"R{identity}", parts={"segments": stated})


A, A_NEW, B = (document("email", number, name=f"E{number}", template=used) for number, used in ((1, 7), (1, 8), (2, 9)))
STATES: Mapping[str, tuple[tuple[Document, ...], tuple[Document, ...]]] = {
    "email": ((A, B), (A_NEW,)),
    "folder": ((folder(1, "a", "b"), folder(2, "c")), (folder(1, "b", "d"),)),
    "segmentation": ((region(1, "EMEA", "Default"), region(2, "Default")), (region(1, "APAC"),)),
}
ORDER: Mapping[str, list[str]] = {
    "email": [STATE, HISTORY, USAGE, "asset_email", STATE],
    "folder": [STATE, HISTORY, USAGE, TOKENS, "asset_folder", STATE],
    "segmentation": [STATE, HISTORY, USAGE, SEGMENTS, "asset_segmentation", STATE],
}


@pytest.mark.parametrize("kind", STATES)
def test_that_a_kind_is_written_is_said_last(tree: Tree, kind: str) -> None:
    """And that it is being written first; what is there already is not written again, and writes nothing."""
    pulls, (before, after) = Pulls(tree), STATES[kind]
    for there in (before, after, before):
        assert pulls.pull(kind, *there) is True
        assert ORDER[kind] == pulls.shelf.streams
        assert pulls.pull(kind, *there) is False
        assert [] == pulls.shelf.streams


@pytest.mark.parametrize("kind", STATES)
def test_a_process_may_die_between_any_two_tables(tree: Tree, kind: str) -> None:
    """Twice even, at any two places: the next one ends as if nothing had happened, and each state is told once."""
    before, after = STATES[kind]
    straight = Pulls(tree)
    straight.pull(kind, *before)
    straight.pull(kind, *after)
    for first, second in product(range(len(ORDER[kind])), repeat=2):
        pulls = Pulls(tree)
        pulls.pull(kind, *before)
        assert pulls.pull(kind, *after, dies=first) is None
        died = pulls.pull(kind, *after, dies=second) is None
        assert died or (first > 1 and second == len(ORDER[kind]) - 1)  # the history was there already
        assert pulls.pull(kind, *after) is died
        assert pulls.pull(kind, *after) is False
        assert straight.shelf.state == pulls.shelf.state
        assert straight.history() == pulls.history()


@pytest.mark.parametrize("kind", STATES)
def test_a_process_may_die_in_its_first_pull(tree: Tree, kind: str) -> None:
    """Nothing was there before, and each gets a little further."""
    before, _ = STATES[kind]
    straight, pulls = Pulls(tree), Pulls(tree)
    straight.pull(kind, *before)
    for windows in range(len(ORDER[kind]) - 1):
        assert pulls.pull(kind, *before, dies=windows) is None
    assert pulls.pull(kind, *before) is True
    assert (straight.shelf.state, straight.history()) == (pulls.shelf.state, pulls.history())


@pytest.mark.parametrize("kind", STATES)
def test_a_state_that_was_half_written_and_is_gone_leaves_nothing_behind(tree: Tree, kind: str) -> None:
    """The assets are again as they were before the pull that died: so say all tables; the history tells of both."""
    before, after = STATES[kind]
    straight = Pulls(tree)
    straight.pull(kind, *before)
    only_before = straight.history()
    straight.pull(kind, *after)
    straight.pull(kind, *before)
    for windows in range(len(ORDER[kind])):
        pulls = Pulls(tree)
        pulls.pull(kind, *before)
        assert pulls.pull(kind, *after, dies=windows) is None
        assert pulls.pull(kind, *before) is (windows > 0)
        assert pulls.pull(kind, *before) is False
        assert straight.shelf.state == pulls.shelf.state
        assert (straight.history() if windows > 1 else only_before) == pulls.history()


@pytest.mark.parametrize("kind", STATES)
def test_of_what_was_not_all_seen_nothing_is_gone(tree: Tree, kind: str) -> None:
    """From none of its tables; and what is all seen tells the rest, also after a death."""
    before, after = STATES[kind]
    straight, pulls = Pulls(tree), Pulls(tree)
    for each in (straight, pulls):
        each.pull(kind, *before)
    seen = {stream: {str(row) for row in rows} for stream, rows in pulls.shelf.state.items()}
    assert pulls.pull(kind, is_whole=False) is True
    assert seen == {stream: {str(row) for row in rows} for stream, rows in pulls.shelf.state.items()}
    assert pulls.pull(kind, *after, is_whole=False) is True
    assert not any(pulls.shelf.gone.values())
    assert [] == [each for each in pulls.history() if each[2] is None]
    assert pulls.pull(kind, *after, dies=3) is None
    assert pulls.pull(kind, *after) is True
    straight.pull(kind, *after)
    assert (straight.shelf.state, straight.history()) == (pulls.shelf.state, pulls.history())


def test_kinds_that_die_leave_each_other_alone(tree: Tree) -> None:
    """What one has not written is no reason to write another again."""
    pulls = Pulls(tree)
    for kind, (before, _) in STATES.items():
        pulls.pull(kind, *before)
    assert pulls.pull("folder", *STATES["folder"][1], dies=3) is None
    assert [False, False] == [pulls.pull(kind, *STATES[kind][0]) for kind in ("email", "segmentation")]
    assert pulls.pull("folder", *STATES["folder"][1]) is True
    assert {"7", "9"} == {row["usedId"] for row in pulls.shelf.alive(USAGE)}
    assert entry(A).sha256 in {row["sha256"] for row in pulls.shelf.alive("asset_email")}
