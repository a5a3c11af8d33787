"""Assets in a real database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from syncengine.assets.apply import Applying, state_of
from syncengine.assets.documents import Document, Key, Place
from syncengine.assets.entry import Entry
from syncengine.assets.history import HISTORY
from syncengine.assets.kinds import KINDS
from syncengine.assets.tables import SEGMENTS, STATE, TOKENS, USAGE
from syncengine.assets.tree import Tree
from syncengine.destinations import Applied, Window
from syncengine.destinations.duckdb import DuckDB
from tests.simulation.small import quick_folder
from tests.unit.assets.made import by_key, document, entry, laid, ours

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HI, HO = document("email", 1, name="Hi", subject="Hi"), document("email", 1, name="Hi", subject="Ho")
OTHER = document("email", 2, name="Other", template=7)


class Dies(BaseException):
    """The process ends here."""


class Mortal(DuckDB):
    """A database whose process dies when it has written so many windows; it remembers into which tables they went."""

    def __init__(self, path: Path, windows: int = 99) -> None:
        super().__init__(path, threads=1)
        self.streams: list[str] = []
        self._windows = windows

    def apply(self, window: Window) -> Applied:
        if len(self.streams) >= self._windows:
            raise Dies
        self.streams.append(window.stream)
        return super().apply(window)


@dataclass
class Tables:
    """A folder and the tables that are made of it; each pull is a day later."""

    root: Path
    days: int = 0
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ours(self.root / "assets")

    @property
    def file(self) -> Path:
        """The database."""
        return self.root / "w.duckdb"

    def into(self, windows: int = 99) -> Mortal:
        """The database, which lives for so many windows."""
        return Mortal(self.file, windows)

    def state(self, kind: str, *there: Document) -> dict[Key, Entry]:
        """Bring the files of a kind to a state."""
        return laid(self.tree, *((f"Here/{each.listed.name}.{kind}", each) for each in there))

    def applying(self, into: DuckDB | None = None) -> Applying:
        """What writes tables in a pull."""
        self.days += 1
        at = DAY + timedelta(days=self.days)
        return Applying(into or self.into(), self.tree, instance="acme", epoch=self.days, read_at=at)

    def pull(self, kind: str, *there: Document, into: DuckDB | None = None, is_whole: bool = True) -> bool:
        """Bring a kind to the state that it has now; whether anything was written."""
        entries = self.state(kind, *there)
        return self.applying(into).apply(KINDS[kind], entries, is_whole=is_whole)

    def rows(self, columns: str, table: str, file: Path | None = None) -> list[tuple[Any, ...]]:
        """Rows of a table, in the order of these columns."""
        with duckdb.connect(str(file or self.file), read_only=True) as db:
            return db.execute(f"SELECT {columns} FROM marketo.{table} ORDER BY ALL").fetchall()


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """Tables that are not there yet."""
    with quick_folder(tmp_path) as folder:
        yield Tables(folder)


def test_a_kind_is_a_table_that_follows_it(tables: Tables) -> None:
    """What is new is added, what changed is changed, what is gone says since when, and what is back lives again."""
    gone = "id, subject, _deleted_at IS NOT NULL"
    tables.pull("email", HI, OTHER)
    assert [(1, "Hi", False), (2, None, False)] == tables.rows(gone, "asset_email")
    tables.pull("email", HO)
    assert [(1, "Ho", False), (2, None, True)] == tables.rows(gone, "asset_email")
    tables.pull("email", HO, OTHER)
    assert [(1, "Ho", False), (2, None, False)] == tables.rows(gone, "asset_email")
    assert [(1, 2), (2, 3)] == tables.rows("id, day(_changed_at)::INT - 1", "asset_email")


def test_the_history_has_every_state_once(tables: Tables) -> None:
    """However often it is applied; an earlier state that is back is another one."""
    for state in ([HI], [HI], [HO], [], [HI]):
        tables.pull("email", *state)
    expected = [(1, False), (3, False), (4, True), (5, False)]
    assert expected == tables.rows("day(seenAt)::INT - 1, gone", HISTORY)
    assert [("email", "1", "approved", "Hi", "Here/Hi.email")] == tables.rows(
        "DISTINCT kind, id, version, name, path", f"{HISTORY} WHERE NOT gone"
    )


def test_a_kind_wipes_no_other_from_the_tables_that_they_share(tables: Tables) -> None:
    """Neither tokens of folders those of programs, nor uses of one kind those of another."""
    token = {"name": "a", "type": "text", "value": "1"}
    folder = document("folder", 9, name="F", home=Place("Folder", 1), parts={"tokens": [token]})
    program = document("program", 9, name="P", channel="Webinar", parts={"tokens": [token, token | {"name": "b"}]})
    tables.pull("folder", folder)
    tables.pull("program", program)
    tables.pull("email", OTHER)
    alive = "WHERE _deleted_at IS NULL"
    expected = [("Folder", 9, "a"), ("Program", 9, "a"), ("Program", 9, "b")]
    assert expected == tables.rows("folderType, folderId, name", f"{TOKENS} {alive}")
    assert [("email", "7"), ("program", "")] == tables.rows("kind, usedId", f"{USAGE} {alive}")
    tables.pull("program")
    assert [("Folder", 9, "a")] == tables.rows("folderType, folderId, name", f"{TOKENS} {alive}")
    assert [("email", "7")] == tables.rows("kind, usedId", f"{USAGE} {alive}")
    assert 3 == len(tables.rows("name", TOKENS))


def test_segments_are_a_table_of_their_own(tables: Tables) -> None:
    """One that is gone from its segmentation is gone from it."""
    segments = [{"id": 5, "name": "EMEA"}, {"id": 6, "name": "Default"}]
    for left in (segments, segments[1:]):
        tables.pull("segmentation", document("segmentation", 1001, name="Region", parts={"segments": left}))
    assert [(5, True), (6, False)] == tables.rows("id, _deleted_at IS NOT NULL", SEGMENTS)


FOLDER = document("folder", 9, name="F", home=Place("Folder", 1), parts={"tokens": [{"name": "a", "type": "text"}]})


def test_what_is_applied_already_is_told_by_the_destination(tables: Tables) -> None:
    """Of each kind the state that it is in now, to whoever asks."""
    entries, forms = tables.state("email", HI, OTHER), tables.state("form", document("form", 1))
    state, of_forms = (
        state_of(KINDS[kind], each, is_whole=True) for kind, each in (("email", entries), ("form", forms))
    )
    applying = tables.applying()
    assert not applying.is_applied(state)
    applying.apply(KINDS["email"], entries, is_whole=True)
    assert (True, False) == (applying.is_applied(state), applying.is_applied(of_forms))
    applying.apply(KINDS["form"], forms, is_whole=True)
    for other in (applying, tables.applying()):
        assert (True, True) == (other.is_applied(state), other.is_applied(of_forms))
        assert not other.is_applied(state_of(KINDS["email"], entries, is_whole=False))
        assert not other.is_applied(state_of(KINDS["form"], {}, is_whole=True))
    tables.pull("email", HO, OTHER)
    assert (False, True) == (tables.applying().is_applied(state), tables.applying().is_applied(of_forms))
    assert [("email",), ("form",)] == tables.rows("kind", STATE)


def test_another_warehouse_is_brought_up_to_date_by_itself(tables: Tables) -> None:
    """Nothing has changed since, and yet it has nothing: only itself is asked."""
    tables.pull("email", HI, OTHER)
    other = tables.root / "other.duckdb"
    assert tables.pull("email", HI, OTHER, into=Mortal(other)) is True
    assert tables.pull("email", HI, OTHER) is False
    for columns, table in (("id, subject", "asset_email"), ("id, sha256, gone", HISTORY), ("usedId", USAGE)):
        assert tables.rows(columns, table) == tables.rows(columns, table, other)


def test_a_state_that_comes_back_is_applied_again(tables: Tables) -> None:
    """A, B and A: the table is as it was first, and the history has all three."""
    for state in (HI, HO, HI):
        assert tables.pull("email", state) is True
        assert tables.pull("email", state) is False
    assert [(1, "Hi", False)] == tables.rows("id, subject, _deleted_at IS NOT NULL", "asset_email")
    sha256 = [entry(each).sha256 for each in (HI, HO, HI)]
    assert [*enumerate(sha256)] == tables.rows("split_part(entry, '/', 4)::INT, sha256", HISTORY)


def test_a_kind_of_which_nothing_is_left_is_applied(tables: Tables) -> None:
    """Its rows are gone; nothing more is said of it, however often it is applied, nor of one that never was there."""
    tables.pull("email", OTHER)
    assert (True, True) == (tables.pull("email"), tables.pull("form"))
    assert (False, False) == (tables.pull("email"), tables.pull("form"))
    assert [(2, True)] == tables.rows("id, _deleted_at IS NOT NULL", "asset_email")
    assert [(False,), (True,)] == tables.rows("gone", HISTORY)
    assert [(True,)] == tables.rows("_deleted_at IS NOT NULL", USAGE)
    assert [] == tables.rows("id", "asset_form")


def test_of_what_was_not_all_seen_nothing_is_marked_as_gone(tables: Tables) -> None:
    """What is missing there may be there; what is new is told all the same, and a whole state tells the rest."""
    tables.pull("email", HI, OTHER)
    assert tables.pull("email", HO, is_whole=False) is True
    alive = "id, subject, _deleted_at IS NOT NULL"
    assert [(1, "Ho", False), (2, None, False)] == tables.rows(alive, "asset_email")
    assert [("7", False)] == tables.rows("usedId, _deleted_at IS NOT NULL", USAGE)
    assert [("1", False), ("1", False), ("2", False)] == tables.rows("id, gone", HISTORY)
    assert tables.pull("email", HO) is True
    assert [(1, "Ho", False), (2, None, True)] == tables.rows(alive, "asset_email")
    assert [("7", True)] == tables.rows("usedId, _deleted_at IS NOT NULL", USAGE)
    assert [("1", False), ("1", False), ("2", False), ("2", True)] == tables.rows("id, gone", HISTORY)


def test_what_a_pull_that_died_has_not_written_the_next_one_writes(tables: Tables) -> None:
    """It died when its tokens were written and its own table was not; the history has each state once."""
    now = document("folder", 9, name="F", home=Place("Folder", 1), parts={"tokens": [{"name": "b", "type": "text"}]})
    tables.pull("folder", FOLDER, document("folder", 8, name="G", home=Place("Folder", 1)))
    with pytest.raises(Dies):
        tables.pull("folder", now, into=tables.into(4))
    assert (True, False) == (tables.pull("folder", now), tables.pull("folder", now))
    assert [(8, True), (9, False)] == tables.rows("id, _deleted_at IS NOT NULL", "asset_folder")
    assert [("a", True), ("b", False)] == tables.rows("name, _deleted_at IS NOT NULL", TOKENS)
    assert [(entry(now).sha256,)] == tables.rows("sha256", "asset_folder WHERE id = 9")
    expected = [("8", 0, False), ("8", 1, True), ("9", 0, False), ("9", 1, False)]
    assert expected == tables.rows("id, split_part(entry, '/', 4)::INT, gone", HISTORY)


def test_the_state_of_a_kind_is_the_same_as_long_as_it_is() -> None:
    """In any order; another state, another place, another asset, another kind, or not all of them, gives another."""
    emails, one, other = KINDS["email"], entry(HI, "a/Hi.email"), entry(OTHER, "a/Other.email")
    state = state_of(emails, by_key(one, other), is_whole=True)
    assert state == state_of(emails, by_key(other, one), is_whole=True)
    states = [by_key(one), by_key(entry(HO, "a/Hi.email"), other), by_key(entry(HI, "b/Hi.email"), other), {}]
    others = [state_of(emails, each, is_whole=True) for each in states]
    others += [state_of(emails, each, is_whole=False) for each in (by_key(one, other), *states)]
    others += [state_of(KINDS["form"], {}, is_whole=True)]
    assert 11 == len({state, *others})
