"""Assets in a real database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
import pytest

from syncengine.assets.apply import Applying, mark_of
from syncengine.assets.documents import Document, Place
from syncengine.assets.history import HISTORY
from syncengine.assets.kinds import KINDS
from syncengine.assets.tables import SEGMENTS, TOKENS, USAGE
from syncengine.assets.tree import Tree
from syncengine.destinations import Applied, Window
from syncengine.destinations.duckdb import DuckDB
from syncengine.errors import DestinationUnavailable
from tests.unit.assets.made import by_key, document, entry

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HI, HO = document("email", 1, name="Hi", subject="Hi"), document("email", 1, name="Hi", subject="Ho")
OTHER = document("email", 2, name="Other", template=7)


class Failing(DuckDB):
    """A database that cannot be reached when it is to write a certain table."""

    def __init__(self, path: Path, stream: str) -> None:
        super().__init__(path)
        self._stream = stream

    def apply(self, window: Window) -> Applied:
        if window.stream == self._stream:
            raise DestinationUnavailable("gone")
        return super().apply(window)


@dataclass
class Tables:
    """A folder and the tables that are made of it; each pull is a day later."""

    root: Path
    days: int = 0
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(self.root / "assets")
        self.tree.claim("acme", "https://x.example")

    @property
    def file(self) -> Path:
        """The database."""
        return self.root / "w.duckdb"

    def pull(self, kind: str, *there: Document, into: DuckDB | None = None) -> Applying:
        """Bring a kind to the state that it has now."""
        self.days += 1
        paths = [PurePosixPath(f"Here/{each.listed.name}.{kind}") for each in there]
        for path, each in zip(paths, there, strict=True):
            self.tree.write(path, each)
        entries = by_key(*(entry(each, str(path)) for each, path in zip(there, paths, strict=True)))
        applying = Applying(
            into or DuckDB(self.file),
            self.tree,
            instance="acme",
            epoch=self.days,
            read_at=DAY + timedelta(days=self.days),
        )
        applying.apply(KINDS[kind], entries)
        return applying

    def rows(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        """Rows of a table, in the order of these columns."""
        with duckdb.connect(str(self.file), read_only=True) as db:
            return db.execute(f"SELECT {columns} FROM marketo.{table} ORDER BY ALL").fetchall()


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """Tables that are not there yet."""
    return Tables(tmp_path)


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


@pytest.mark.parametrize("stream", [USAGE, HISTORY])
def test_what_a_pull_that_died_has_not_written_the_next_one_writes(tables: Tables, stream: str) -> None:
    """Once, wherever it died between its tables."""
    tables.pull("email", HI, OTHER)
    with pytest.raises(DestinationUnavailable):
        tables.pull("email", HO, into=Failing(tables.file, stream))
    tables.pull("email", HO)
    assert [(1, "Ho", False), (2, None, True)] == tables.rows("id, subject, _deleted_at IS NOT NULL", "asset_email")
    assert [("7", True)] == tables.rows("usedId, _deleted_at IS NOT NULL", USAGE)
    assert [("1", 1, False), ("1", 3, False), ("2", 1, False), ("2", 3, True)] == tables.rows(
        "id, day(seenAt)::INT - 1, gone", HISTORY
    )


def test_it_can_be_asked_whether_a_kind_was_ever_applied(tables: Tables) -> None:
    """An empty kind was, too."""
    applying = tables.pull("email")
    assert (True, False) == (applying.has(KINDS["email"]), applying.has(KINDS["form"]))


def test_the_mark_of_a_kind_is_the_same_as_long_as_it_is() -> None:
    """In any order; another state, another place or another asset gives another."""
    one, other = entry(HI, "a/Hi.email"), entry(OTHER, "a/Other.email")
    mark = mark_of(by_key(one, other))
    assert mark == mark_of(by_key(other, one))
    others = [by_key(one), by_key(entry(HO, "a/Hi.email"), other), by_key(entry(HI, "b/Hi.email"), other), {}]
    assert 5 == len({mark, *map(mark_of, others)})
