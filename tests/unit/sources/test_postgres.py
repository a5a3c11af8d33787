"""Queries on a Postgres server as sources."""

import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from syncengine.errors import SourceUnusable
from syncengine.sources import THE_SOURCE, Source
from syncengine.sources.opening import open_query
from syncengine.sources.postgres import PostgresQuery
from tests.unit.sources.reading import assert_records_hold_rows, read


def asked(server: str, query: str, folder: Path) -> Source:
    """The query, opened."""
    return PostgresQuery(server, query, work=folder / "work")


def test_the_rows_of_a_query_lie_in_a_file_of_ours(server: str, tmp_path: Path) -> None:
    """Records are the server's, in the order of the columns wanted; nothing is written to the spool."""
    query = """SELECT i AS id, 'n' || i || E',"\\n é' AS name FROM generate_series(1, 3) AS s(i) ORDER BY i DESC;"""
    source = asked(server, query, tmp_path)

    whole = read(source, tmp_path, [1, 0])

    assert ("id", "name") == source.columns
    assert [(f'n{n},"\n é', str(n)) for n in (3, 2, 1)] == whole.rows
    assert {THE_SOURCE} == {body for body, _, _ in whole.places}
    assert ("", 0) == (source.sha256, source.size)
    assert_records_hold_rows(whole)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("true", "true"),
        ("false", "false"),
        ("NULL::boolean", ""),
        ("1.50::numeric", "1.50"),
        ("2::float8", "2"),
        ("9223372036854775807", "9223372036854775807"),
        ("date '2024-03-01'", "2024-03-01"),
        ("timestamptz '2024-03-01 10:00:00+02'", "2024-03-01T08:00:00Z"),
        ("timestamptz '2024-03-01 10:00:00.12+00'", "2024-03-01T10:00:00.12Z"),
        ("timestamp '2024-03-01 10:00:00'", "2024-03-01T10:00:00"),
        ("timestamp '2024-03-01 10:00:10.5'", "2024-03-01T10:00:10.5"),
        ("timestamptz 'infinity'", "infinity"),
        ("NULL::timestamptz", ""),
        ("'{\"x\": 1}'::jsonb", '{"x": 1}'),
        ("uuid '00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
        ("'\\.'::text", "\\."),
        ("'100 %s {0} %'::text", "100 %s {0} %"),
    ],
)
def test_types_have_the_text_that_others_have(server: str, tmp_path: Path, value: str, text: str) -> None:
    """Not what the server says in its own words; alone in its row, no value is an empty cell and no blank line."""
    assert [(text, "x")] == read(asked(server, f"SELECT {value}, 'x'", tmp_path), tmp_path).rows
    assert [(text,)] == read(asked(server, f"SELECT {value}", tmp_path), tmp_path).rows


def test_columns_of_one_name_are_told_apart_by_their_place(server: str, tmp_path: Path) -> None:
    """A comment at the end of a query hides nothing that is put after it."""
    source = asked(server, 'SELECT 1 AS a, true AS a, 3 AS "b ""x" -- done', tmp_path)

    assert ("a", "a", 'b "x') == source.columns
    assert [("3", "true", "1")] == read(source, tmp_path, [2, 1, 0]).rows


def test_a_query_without_rows_is_one(server: str, tmp_path: Path) -> None:
    """It has columns."""
    source = asked(server, "SELECT 1 AS a WHERE false", tmp_path)

    assert ("a",) == source.columns
    assert [] == read(source, tmp_path).rows


@pytest.mark.parametrize(
    ("value", "kind"), [("ARRAY[1]", "integer[]"), ("'x'::bytea", "bytea"), ("ROW(1, 2)", "record")]
)
def test_what_is_no_cell_is_refused(server: str, tmp_path: Path, value: str, kind: str) -> None:
    """The column is named, and its type; a query of which it is not taken is read."""
    source = asked(server, f"SELECT 1 AS id, {value} AS tags", tmp_path)

    assert [("1",)] == read(source, tmp_path, [0]).rows
    with pytest.raises(SourceUnusable) as failure:
        read(source, tmp_path)
    assert f"the query: column 'tags' is of type {kind}, which is no cell" == failure.value.message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM gone", 'relation "gone" does not exist'),
        ("SELEC 1", "syntax error at or near"),
        ("", "syntax error at or near"),
        ("DELETE FROM pg_class", "syntax error at or near"),
        ("SELECT nextval('numbers')", "cannot execute nextval() in a read-only transaction"),
        ("SELECT name::integer FROM (VALUES ('canary')) AS v(name)", "it could not compute a value (22P02)"),
        ("SELECT FROM pg_class", "the query has no columns"),
    ],
)
def test_a_query_that_cannot_be_answered_is_a_sentence(server: str, tmp_path: Path, query: str, message: str) -> None:
    """It says what the server says, and quotes no value."""
    with psycopg.connect(server) as db:
        db.execute("CREATE SEQUENCE IF NOT EXISTS numbers")

    with pytest.raises(SourceUnusable) as failure:
        read(asked(server, query, tmp_path), tmp_path)

    assert message in failure.value.message
    assert "canary" not in failure.value.message


def test_a_server_that_cannot_be_reached_is_a_sentence(server: str, tmp_path: Path) -> None:
    """It names the server and never the password."""
    with pytest.raises(SourceUnusable, match=r"^Postgres at 127\.0\.0\.1:1/db: ") as failure:
        open_query("postgresql://me:canary@127.0.0.1:1/db", "SELECT 1", work=tmp_path)
    assert "canary" not in f"{failure.value.message} {failure.value.advice}"
    assert "look at address, user and password" == failure.value.advice

    host = conninfo_to_dict(server)["host"]
    with pytest.raises(SourceUnusable, match='database "gone" does not exist'):
        open_query(f"postgresql:///gone?host={host}&user=postgres", "SELECT 1", work=tmp_path)


def test_an_address_that_cannot_be_read_is_never_repeated(tmp_path: Path) -> None:
    """As it holds a password."""
    with pytest.raises(SourceUnusable, match="cannot be read") as failure:
        open_query("postgresql://me:canary%zz@host/db", "SELECT 1", work=tmp_path)

    assert "canary" not in f"{failure.value} {failure.value.advice} {failure.value.__cause__}"


def test_psycopg_is_asked_for_when_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(SourceUnusable, match=r"^rows of Postgres need psycopg$") as failure:
        open_query("postgresql:///db", "SELECT 1", work=tmp_path)

    assert "pip install 'syncengine[postgres]'" == failure.value.advice
