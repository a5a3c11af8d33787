"""What is Postgres' own: connections and their deaths, passwords, names that are too long, roles with few rights."""

import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from syncengine.destinations import Applied, Standing, Window
from syncengine.destinations.postgres import Postgres
from syncengine.destinations.postgres_errors import translated
from syncengine.errors import ConfigError, DestinationUnavailable, NoSpace
from syncengine.schema import Field, FieldType, Schema

DAY = datetime(2024, 3, 1, tzinfo=UTC)
LEADS = Schema((Field("id", FieldType.INTEGER), Field("name", FieldType.TEXT)), ("id",))
NUMBERS = itertools.count(1)


@pytest.fixture
def schema() -> str:
    """A schema of the server that no other test has."""
    return f"u{next(NUMBERS)}"


def window(
    window_id: str = "w1", names: Sequence[Any] = ("a",), *, day: int = 0, fields: Schema = LEADS, **more: Any
) -> Window:
    """A window of leads numbered from 0, with the names given."""
    rows = pa.RecordBatch.from_pydict({"id": range(len(names)), "name": names}, schema=LEADS.arrow())
    return Window(
        **{
            "instance": "acme",
            "stream": "leads",
            "id": window_id,
            "epoch": 1,
            "start": DAY + timedelta(days=day),
            "end": DAY + timedelta(days=day + 1),
            "sha256": "",
            "read_at": DAY + timedelta(days=9 + day),
            "schema": fields,
            "newer_by": None,
            "batches": [rows],
            **more,
        }
    )


@contextmanager
def session(server: str) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """A session of somebody else."""
    with psycopg.connect(server, autocommit=True) as db:
        yield db


def test_nothing_is_opened_before_it_is_used() -> None:
    """A destination that cannot be reached is made all the same, and says so when it is asked."""
    destination = Postgres("postgresql://me:canary@127.0.0.1:1/warehouse")

    for ask in (destination.check, lambda: destination.standing("acme", "leads"), lambda: destination.apply(window())):
        with pytest.raises(DestinationUnavailable, match=r"127\.0\.0\.1:1/warehouse") as failure:
            ask()
        assert "canary" not in str(failure.value)
    destination.close()


@pytest.mark.parametrize(
    "conninfo", ["postgresql://me:canary%zz@host/db", "canary", "password=canary 'x", "host=x y=z canary"]
)
def test_a_connection_string_is_never_repeated(conninfo: str) -> None:
    """One that cannot be read is refused at once, in words that hold nothing of it."""
    with pytest.raises(ConfigError, match="cannot be read") as failure:
        Postgres(conninfo)

    assert "canary" not in f"{failure.value} {failure.value.advice} {failure.value.__cause__}"
    assert failure.value.__suppress_context__


def test_a_password_is_never_said(server: str) -> None:
    """Not in the name of the destination, nor when the server itself repeats it."""
    with session(server) as db:
        db.execute("CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'canary'")

    assert "canary" not in Postgres(f"{server}&user=keeper&password=canary").check()
    said = translated(psycopg.errors.InvalidPassword("for canary"), "Postgres at x", "canary")
    assert "canary" not in str(said)


def test_psycopg_is_asked_for_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigError, match="needs psycopg") as failure:
        Postgres("host=x")

    assert failure.value.advice == "pip install 'syncengine[postgres]'"


def test_questions_make_nothing(server: str, schema: str) -> None:
    """Asking for what is not there yet leaves the database as it was."""
    destination = Postgres(server, schema=schema)

    assert destination.standing("acme", "leads") == Standing()
    assert destination.holds("acme", "leads", "w1") is False
    assert destination.keys("acme", "leads", "id").to_pylist() == []
    with session(server) as db:
        assert db.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() == (0,)


def terminated(server: str) -> None:
    """End the sessions of every destination, as a server does that shuts down."""
    with session(server) as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'syncengine'")


def test_a_connection_that_dies_applies_nothing(server: str, schema: str) -> None:
    """While rows are read the server ends the session: that is said, nothing is left, and the next try works."""
    destination = Postgres(server, schema=schema)
    destination.apply(window("w0", ["old"]))

    def rows() -> Iterator[pa.RecordBatch]:
        yield from window("w1", ["new"]).batches
        terminated(server)
        yield from window("w1", ["newer"]).batches

    with pytest.raises(DestinationUnavailable, match="nothing was applied"):
        destination.apply(window("w1", batches=rows(), day=1))

    assert destination.holds("acme", "leads", "w1") is False
    assert destination.apply(window("w1", ["new"], day=1)) == Applied(changed=1)


def test_a_role_needs_no_more_than_its_schema(server: str, schema: str) -> None:
    """Who may not make schemas writes to one that was made for them; who may not write is told so."""
    with session(server) as db:
        db.execute(f"CREATE ROLE {schema} LOGIN; CREATE SCHEMA {schema} AUTHORIZATION {schema}".encode())
    mine = f"{server}&user={schema}"

    assert Postgres(mine, schema=schema).apply(window()) == Applied(inserted=1)
    with pytest.raises(DestinationUnavailable, match="permission denied") as failure:
        Postgres(mine, schema="elsewhere").check()
    assert "GRANT CREATE" in failure.value.advice


def test_a_table_made_by_somebody_else_is_refused(server: str, schema: str) -> None:
    """Rows are never merged into a table that this program did not make."""
    Postgres(server, schema=schema).check()
    with session(server) as db:
        db.execute(f"CREATE TABLE {schema}.leads (id bigint)".encode())

    with pytest.raises(ConfigError, match="was made by somebody else"):
        Postgres(server, schema=schema).apply(window())


def test_a_column_of_a_foreign_type_is_refused(server: str, schema: str) -> None:
    """A column whose type was changed by hand is named with its type."""
    Postgres(server, schema=schema).apply(window())
    with session(server) as db:
        db.execute(f"ALTER TABLE {schema}.leads ALTER COLUMN name TYPE bytea USING NULL".encode())

    with pytest.raises(ConfigError, match="has the type bytea"):
        Postgres(server, schema=schema).apply(window("w2", day=1))


def test_the_cursor_is_the_end_of_the_first_stretch(server: str, schema: str) -> None:
    """The view says from when until when a stream is complete, whatever lies beyond a gap."""
    for number, day in enumerate([3, 0, 1]):
        Postgres(server, schema=schema).apply(window(f"w{number}", day=day))

    with session(server) as db:
        found = db.execute(f"SELECT * FROM {schema}._marketo_cursor".encode()).fetchall()
    assert found == [("acme", "leads", DAY, DAY + timedelta(days=2))]


def test_too_many_columns_are_refused_before_they_are_made(server: str, schema: str) -> None:
    """A table holds 1,600 columns: at its making and later, the limit is said and nothing is applied."""
    destination = Postgres(server, schema=schema)
    for count in (1_597, 1_700):
        fields = tuple(Field(f"f{number}", FieldType.BOOLEAN) for number in range(count - 2))
        wide = Schema((*LEADS.fields, *fields), ("id",))
        with pytest.raises(ConfigError, match="1,600"):
            destination.apply(window("w1", fields=wide, batches=[]))
    destination.apply(window("w1"))
    with pytest.raises(ConfigError, match="1,600"):
        destination.apply(window("w2", fields=wide, batches=[], day=1))

    assert destination.apply(window("w2", ["b"], day=1)) == Applied(changed=1)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (psycopg.errors.DiskFull("could not extend file"), NoSpace, "the disk of Postgres at x is full"),
        (psycopg.errors.TooManyColumns("tables can have"), ConfigError, "1,600"),
        (psycopg.errors.LockNotAvailable("canceling"), DestinationUnavailable, "holds a lock"),
        (psycopg.errors.InvalidTextRepresentation('invalid: "canary"'), DestinationUnavailable, "refused a value"),
        (psycopg.errors.AdminShutdown("terminating connection"), DestinationUnavailable, "terminating connection"),
        (psycopg.OperationalError("server closed the connection\ncanary"), DestinationUnavailable, "server closed"),
    ],
)
def test_errors_say_what_to_do_next(error: psycopg.Error, kind: type[Exception], words: str) -> None:
    """A full disk is told from every other failure, and no row's value is quoted."""
    said = translated(error, "Postgres at x", "")

    assert type(said) is kind
    assert words in str(said)
    assert "canary" not in str(said)
