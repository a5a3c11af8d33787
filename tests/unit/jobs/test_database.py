"""One SQLite file: how it is made, opened, upgraded, and refused."""

import shutil
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from operator import methodcaller
from pathlib import Path

import pytest

from syncengine.errors import NoSpace, StateUnusable
from syncengine.jobs.database import Database, create, open_database, statements

V1 = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n"
V2 = """-- a comment; with a semicolon
ALTER TABLE notes ADD COLUMN tag TEXT;
CREATE INDEX tags ON notes (tag);
"""
INSERT = "INSERT INTO notes (text) VALUES (?)"
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "notes.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_in(folder: Path) -> dict[str, int]:
    return {file.name: mode(file) for file in folder.iterdir()}


def content(path: Path) -> bytes:
    return path.read_bytes()


def remove(path: Path) -> None:
    path.unlink()


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


async def write(path: Path, text: str, migrations: Sequence[str] = (V1,)) -> None:
    async with open_database(path, migrations) as database:
        await database.write(lambda it: it.execute(INSERT, (text,)))


async def texts(path: Path, migrations: Sequence[str] = (V1,)) -> list[str]:
    async with open_database(path, migrations) as database:
        rows = await database.read(lambda it: it.execute("SELECT text FROM notes ORDER BY id").fetchall())
    return [text for (text,) in rows]


async def test_what_was_written_is_there_when_opened_again(path: Path) -> None:
    """A committed transaction outlives its connection."""
    await write(path, "one")
    await write(path, "two")

    assert await texts(path) == ["one", "two"]


async def test_a_file_that_another_process_made_first_is_kept(path: Path) -> None:
    """Of two processes that make the file at once, the later one keeps the earlier one's, rows and all."""
    await write(path, "theirs")
    create(path, [V1])

    assert await texts(path) == ["theirs"]
    assert list(files_in(path.parent)) == ["notes.db"]


async def test_only_the_owner_can_read(path: Path) -> None:
    """Folder, file and SQLite's own files beside it are closed to others, and nothing else is left there."""
    async with open_database(path, [V1]) as database:
        await database.write(lambda it: it.execute("INSERT INTO notes (text) VALUES ('x')"))
        modes = files_in(path.parent)

    assert modes == {"notes.db": 0o600, "notes.db-wal": 0o600, "notes.db-shm": 0o600}
    assert mode(path.parent) == 0o700


async def test_transactions_are_synced_to_the_disk(path: Path) -> None:
    """The write-ahead log is on and each commit is waited for."""
    async with open_database(path, [V1]) as database:
        settings = await database.read(
            lambda it: [it.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        )
    full = 2

    assert ["wal", full] == settings


async def test_an_exception_leaves_nothing(path: Path) -> None:
    """A change that raises is rolled back, and the next one finds the database ready."""

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes (text) VALUES ('half')")
        raise ZeroDivisionError

    async with open_database(path, [V1]) as database:
        with pytest.raises(ZeroDivisionError):
            await database.write(change)
        await database.write(lambda it: it.execute("INSERT INTO notes (text) VALUES ('whole')"))

    assert await texts(path) == ["whole"]


async def test_an_older_file_is_copied_and_upgraded(path: Path) -> None:
    """Rows survive an upgrade, the new schema is there, and the old file is kept as a backup."""
    await write(path, "old")
    await write(path, "new", [V1, V2])

    assert await texts(path, [V1, V2]) == ["old", "new"]
    backup = path.with_name("notes.db.v1.backup")
    assert mode(backup) == 0o600
    assert await texts(backup) == ["old"]


async def test_an_upgrade_that_fails_changes_nothing(path: Path) -> None:
    """A migration is one transaction: the file stays at its version, rows and all."""
    await write(path, "old")
    with pytest.raises(StateUnusable, match="no such table: nowhere"):
        await texts(path, [V1, V2 + "DROP TABLE nowhere;\n"])

    assert await texts(path) == ["old"]


async def test_a_newer_file_is_refused(path: Path) -> None:
    """A program never touches a journal that a later release has written."""
    await write(path, "new", [V1, V2])
    before = content(path)
    with pytest.raises(StateUnusable, match=r"newer syncengine \(schema 2, this one knows 1\)") as refusal:
        await texts(path)

    assert refusal.value.advice.startswith("Upgrade syncengine")
    assert before == content(path)


@pytest.mark.parametrize(
    ("found", "finding"), [(b"", "it is empty"), (b"not a database at all" * 500, "file is not a database")]
)
async def test_a_file_that_is_no_journal_is_refused_and_kept(path: Path, found: bytes, finding: str) -> None:
    """Whatever stands in the journal's place is not overwritten, and the user is told how to restore."""
    put(path, found)
    with pytest.raises(StateUnusable, match=finding) as refusal:
        await texts(path)

    assert "Then put a backup" in refusal.value.advice
    assert found == content(path)


async def test_a_database_of_another_program_is_refused(path: Path) -> None:
    """A database without our version was not written by us, or not whole."""
    put(path, b"")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (id)")
    with pytest.raises(StateUnusable, match="no schema version"):
        await texts(path)


async def test_every_damaged_page_is_found(path: Path, tmp_path: Path) -> None:
    """With the head of any one page overwritten the file is refused at the door."""
    async with open_database(path, [V1, V2]) as database:
        rows = [("note " * (i % 50), f"tag {i}") for i in range(2000)]
        await database.write(lambda it: it.executemany("INSERT INTO notes (text, tag) VALUES (?, ?)", rows))
    whole = content(path)
    copy = tmp_path / "damaged.db"
    opened = []
    for page in range(len(whole) // PAGE):
        start = page * PAGE
        head = bytes(0xFF ^ byte for byte in whole[start : start + 16])
        put(copy, whole[:start] + head + whole[start + 16 :])
        try:
            await texts(copy, [V1, V2])
            opened.append(page)
        except StateUnusable:
            pass

    assert len(whole) // PAGE > 20
    assert opened == []


async def test_a_truncated_file_is_refused(path: Path) -> None:
    """A file that ends too early is damaged."""
    for i in range(20):
        await write(path, f"{i}" * 1000)
    whole = content(path)
    put(path, whole[: len(whole) - PAGE])
    with pytest.raises(StateUnusable, match="damaged"):
        await texts(path)


async def test_a_log_without_its_database_is_refused(path: Path) -> None:
    """A new file is not made beside a write-ahead log that would be played into it."""
    async with open_database(path, [V1]) as database:
        await database.write(lambda it: it.execute("INSERT INTO notes (text) VALUES ('kept')"))
        log = content(path.with_name("notes.db-wal"))
    remove(path)
    put(path.with_name("notes.db-wal"), log)
    with pytest.raises(StateUnusable, match=r"missing while its log notes\.db-wal is there"):
        await texts(path)

    assert list(files_in(path.parent)) == ["notes.db-wal"]


async def test_a_foreign_lock_is_waited_for_and_then_named(path: Path) -> None:
    """Another program that holds the file locked gets a bounded time."""
    await write(path, "one")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with open_database(path, [V1], busy_seconds=0.05) as database:
            with pytest.raises(StateUnusable, match=r"locked by another program for more than 0\.05 s"):
                await database.write(lambda it: it.execute("INSERT INTO notes (text) VALUES ('two')"))
            other.execute("ROLLBACK")
            await database.write(lambda it: it.execute("INSERT INTO notes (text) VALUES ('three')"))

    assert await texts(path) == ["one", "three"]


async def test_a_full_disk_keeps_what_was_written(path: Path) -> None:
    """However full the disk: each write is there whole or refused as NoSpace, and room makes it go on."""
    written: list[str] = []

    async def fill(database: Database, room: int) -> None:
        for i in range(100):
            text = f"{room} {i} " + "x" * 900
            await database.write(methodcaller("execute", INSERT, (text,)))
            written.append(text)

    async with open_database(path, [V1]) as database:
        pages = await database.read(lambda it: it.execute("PRAGMA page_count").fetchone()[0])
        for room in range(1, 6):
            await database.read(methodcaller("execute", f"PRAGMA max_page_count = {pages + room}"))
            with pytest.raises(NoSpace, match="everything written before is kept"):
                await fill(database, room)

    assert len(written) > 5
    assert written == await texts(path)


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A path that runs through a file is an error with a name, not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match="cannot be used"):
        await texts(tmp_path / "file" / "notes.db")


async def test_a_copy_of_the_folder_opens(path: Path, tmp_path: Path) -> None:
    """A backup of the closed folder is enough to go on from."""
    await write(path, "one")
    shutil.copytree(path.parent, tmp_path / "backup")

    assert await texts(tmp_path / "backup" / "notes.db") == ["one"]


def test_statements_are_cut_where_sqlite_ends_them() -> None:
    """Semicolons in comments, strings and triggers do not end a statement."""
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM b;\n  DELETE FROM c;\nEND;\n"

    assert ["SELECT ';\n';\n", trigger, "-- x; y\nSELECT 1;\n"] == list(
        statements("SELECT ';\n';\n" + trigger + "-- x; y\nSELECT 1;\n")
    )
