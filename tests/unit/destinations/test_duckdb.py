"""What is DuckDB's own: the file, its lock, the disk, and tables that somebody else made."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from syncengine.destinations import Applied, Standing, Window
from syncengine.destinations.duckdb import LOCK_POLL_SECONDS, DuckDB, translated
from syncengine.errors import ConfigError, DestinationUnavailable, NoSpace
from syncengine.schema import Field, FieldType, Schema

DAY = datetime(2024, 3, 1, tzinfo=UTC)


def window(
    window_id: str = "w1",
    names: Sequence[str] = ("a",),
    *,
    stream: str = "leads",
    day: int = 0,
    name_type: FieldType = FieldType.TEXT,
) -> Window:
    """A window of rows numbered from 0, with the names given."""
    schema = Schema((Field("id", FieldType.INTEGER), Field("name", name_type)), ("id",))
    rows = pa.RecordBatch.from_pydict({"id": range(len(names)), "name": names}, schema=schema.arrow())
    return Window(
        instance="acme",
        stream=stream,
        id=window_id,
        epoch=1,
        start=DAY + timedelta(days=day),
        end=DAY + timedelta(days=day + 1),
        sha256="",
        read_at=DAY + timedelta(days=9),
        schema=schema,
        newer_by=None,
        batches=[rows],
    )


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The file in the hands of another process, until its input ends."""
    script = "import duckdb, sys; db = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder
        if holder.returncode is None:
            holder.communicate()


def test_a_lock_is_waited_for_as_long_as_allowed(tmp_path: Path) -> None:
    """The wait is bounded, and the message names who holds the file."""
    path, waits = tmp_path / "w.duckdb", list[float]()
    destination = DuckDB(path, lock_wait_seconds=2, pause=waits.append)
    with held(path) as holder, pytest.raises(DestinationUnavailable, match=f"is in use by .*PID {holder.pid}"):
        destination.check()

    assert waits == [LOCK_POLL_SECONDS] * 8


def test_a_lock_that_goes_away_is_forgotten(tmp_path: Path) -> None:
    """An operation goes on as soon as the file is free."""
    path = tmp_path / "w.duckdb"
    with held(path) as holder:
        destination = DuckDB(path, pause=lambda _: holder.communicate())

        assert destination.apply(window()) == Applied(inserted=1)


def test_closing_ends_a_wait(tmp_path: Path) -> None:
    """After close, a held file is not waited for."""
    path, waits = tmp_path / "w.duckdb", list[float]()
    destination = DuckDB(path, pause=waits.append)
    destination.close()
    with held(path), pytest.raises(DestinationUnavailable):
        destination.check()

    assert waits == []


def test_questions_do_not_make_a_file(tmp_path: Path) -> None:
    """Asking for what is not there yet leaves the disk as it was."""
    destination = DuckDB(tmp_path / "w.duckdb")

    assert destination.standing("acme", "leads") == Standing()
    assert destination.holds("acme", "leads", "w1") is False
    assert list(tmp_path.iterdir()) == []


def test_questions_to_another_database_are_answered(tmp_path: Path) -> None:
    """A file without our ledger holds nothing of ours, and is not changed by asking."""
    path = tmp_path / "w.duckdb"
    duckdb.connect(str(path)).close()

    assert DuckDB(path).standing("acme", "leads") == Standing()
    assert DuckDB(path).holds("acme", "leads", "w1") is False
    with duckdb.connect(str(path), read_only=True) as db:
        assert db.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A path that cannot be opened is said, with nothing applied."""
    with pytest.raises(DestinationUnavailable, match="nowhere"):
        DuckDB(tmp_path / "nowhere" / "w.duckdb").check()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Somebody's other file is neither opened nor overwritten."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 1_000)

    with pytest.raises(DestinationUnavailable):
        DuckDB(path).apply(window())

    assert path.read_text() == "not a database" * 1_000


def test_a_table_made_by_somebody_else_is_refused(tmp_path: Path) -> None:
    """Rows are never merged into a table that this program did not make."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE SCHEMA marketo; CREATE TABLE marketo.Leads (id BIGINT, name VARCHAR)")

    with pytest.raises(ConfigError, match="was made by somebody else"):
        DuckDB(path).apply(window())


def test_a_column_of_a_foreign_type_is_refused(tmp_path: Path) -> None:
    """A column whose type was changed by hand is named with its type."""
    path = tmp_path / "w.duckdb"
    DuckDB(path).apply(window())
    with duckdb.connect(str(path)) as db:
        db.execute("ALTER TABLE marketo.leads ALTER COLUMN name TYPE BLOB")

    with pytest.raises(ConfigError, match="has the type BLOB"):
        DuckDB(path).apply(window("w2", day=1))


def test_the_cursor_is_the_end_of_the_first_stretch(tmp_path: Path) -> None:
    """The view says from when until when a stream is complete, whatever lies beyond a gap."""
    path = tmp_path / "w.duckdb"
    for number, day in enumerate([3, 0, 1]):
        DuckDB(path).apply(window(f"w{number}", day=day))

    with duckdb.connect(str(path), read_only=True) as db:
        found = db.execute(
            "SELECT instance, stream, epoch_us(complete_from), epoch_us(cursor) FROM marketo._marketo_cursor"
        ).fetchall()
    microseconds = [int((DAY + timedelta(days=days)).timestamp() * 1_000_000) for days in (0, 2)]
    assert found == [("acme", "leads", *microseconds)]


def test_the_ledger_says_what_each_window_did(tmp_path: Path) -> None:
    """One row a window, its time of commit from the database."""
    path = tmp_path / "w.duckdb"
    DuckDB(path).apply(window("w1", "ab"))
    DuckDB(path).apply(window("w2", "abc"))

    with duckdb.connect(str(path), read_only=True) as db:
        found = db.execute(
            "SELECT window_id, rows, inserted, changed, unchanged, outdated, committed_at <= now()"
            " FROM marketo._marketo_sync ORDER BY window_id"
        ).fetchall()
    assert found == [("w1", 2, 2, 0, 0, 0, True), ("w2", 3, 1, 0, 2, 0, True)]


def test_schemas_keep_instances_apart(tmp_path: Path) -> None:
    """One file may hold two instances, each in a schema of any name."""
    path = tmp_path / "w.duckdb"

    assert DuckDB(path, schema='eu "1"').apply(window()) == Applied(inserted=1)
    assert DuckDB(path, schema="us").apply(window()) == Applied(inserted=1)


MANY = [f"{number:064}" for number in range(200_000)]

FILL = """
import resource, sys
from pathlib import Path
from syncengine.destinations.duckdb import DuckDB
from syncengine.errors import NoSpace

sys.path.insert(0, sys.argv[2])
import test_duckdb as tests

destination = DuckDB(Path(sys.argv[1]))
destination.apply(tests.window("w1"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    destination.apply(tests.window("w2", tests.MANY, day=1))
except NoSpace as error:
    print(error)
"""


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """When the file cannot grow, the window is not applied, what was there stays, and later it works."""
    path = tmp_path / "w.duckdb"
    folder = str(Path(__file__).parent)

    run = subprocess.run([sys.executable, "-c", FILL, str(path), folder], capture_output=True, text=True, check=True)

    assert f"the disk is full at {tmp_path}" in run.stdout
    assert DuckDB(path).holds("acme", "leads", "w1") is True
    assert DuckDB(path).apply(window("w2", MANY, day=1)) == Applied(inserted=len(MANY) - 1, changed=1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.IOException('IO Error: Could not write file "x": No space left on device'), NoSpace),
        (duckdb.OutOfMemoryException("failed to offload ... 'max_temp_directory_size' setting"), NoSpace),
        (duckdb.OutOfMemoryException("could not allocate block"), DestinationUnavailable),
        (duckdb.CatalogException("Catalog Error: something"), DestinationUnavailable),
    ],
)
def test_errors_say_what_to_do_next(error: duckdb.Error, kind: type[Exception]) -> None:
    """A full disk is told from every other failure."""
    assert type(translated(error, Path("/data/w.duckdb"))) is kind


def test_errors_never_quote_a_row(tmp_path: Path) -> None:
    """DuckDB's words about a value stay out of the message."""
    error = translated(duckdb.ConversionException("Could not convert string 'canary' to INT64"), tmp_path / "w")

    assert "canary" not in error.message


def test_json_needs_no_extension_from_the_network(tmp_path: Path) -> None:
    """JSON columns are DuckDB's own type, with nothing to install."""
    DuckDB(tmp_path / "w.duckdb").apply(window("w1", ['{"a": 1}'], name_type=FieldType.JSON))

    with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as db:
        assert db.execute("SELECT name ->> 'a', typeof(name) FROM marketo.leads").fetchone() == ("1", "JSON")


OLD = """
CREATE SCHEMA marketo;
CREATE TABLE marketo._marketo_sync (instance VARCHAR, stream VARCHAR, window_id VARCHAR, epoch BIGINT,
    window_start TIMESTAMPTZ, window_end TIMESTAMPTZ, read_at TIMESTAMPTZ, sha256 VARCHAR, rows BIGINT,
    inserted BIGINT, changed BIGINT, unchanged BIGINT, outdated BIGINT, committed_at TIMESTAMPTZ,
    PRIMARY KEY (instance, stream, window_id));
CREATE TABLE marketo.leads (id BIGINT, name VARCHAR, _read_at TIMESTAMPTZ, _window VARCHAR);
INSERT INTO marketo._marketo_sync VALUES ('acme', 'leads', 'w0', 1, '2024-02-29 00:00:00Z', '2024-03-01 00:00:00Z',
    '2024-03-01 01:00:00Z', '', 2, 2, 0, 0, 0, '2024-03-01 02:00:00Z');
INSERT INTO marketo.leads VALUES (0, 'a', '2024-03-01 01:00:00Z', 'w0'), (1, 'b', '2024-03-01 01:00:00Z', 'w0');
"""


def test_a_warehouse_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Its tables get the columns that they lack; its rows count as changed when they were last read."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute(OLD)
    asked = DuckDB(path).keys("acme", "leads", "id", changed_after=DAY)

    applied = DuckDB(path).apply(replace(window("w1", "aX"), can_be_marked=True))

    assert [0, 1] == asked.to_pylist()
    assert Applied(changed=1, unchanged=1) == applied
    with duckdb.connect(str(path), read_only=True) as db:
        rows = db.execute(
            "SELECT id, name, (epoch(_changed_at) - epoch('2024-03-01 00:00:00Z'::TIMESTAMPTZ)) // 3600,"
            " _deleted_at, _merged_into FROM marketo.leads ORDER BY id"
        ).fetchall()
        ledger = db.execute("SELECT window_id, rows, rejected FROM marketo._marketo_sync ORDER BY window_id").fetchall()
    assert [(0, "a", 1, None, None), (1, "X", 216, None, None)] == rows
    assert [("w0", 2, None), ("w1", 2, 0)] == ledger


def test_threads_take_turns_at_the_file(tmp_path: Path) -> None:
    """Questions asked at the same moment, beside a window that is applied, are all answered."""
    destination = DuckDB(tmp_path / "w.duckdb")
    destination.apply(window("w0", ("a", "b")))

    def ask(number: int) -> int:
        if number % 10 == 0:
            destination.apply(window(f"w{number}", ("a", "b"), day=number))
        return len(destination.keys("acme", "leads", "id"))

    with ThreadPoolExecutor(4) as threads:
        assert [2] * 80 == list(threads.map(ask, range(1, 81)))
