"""Queries on DuckDB files as sources."""

from pathlib import Path

import duckdb
import pytest

from syncengine.errors import SourceUnusable
from syncengine.sources import THE_SPOOL, Source
from syncengine.sources.duckdb import DuckdbQuery
from syncengine.sources.opening import open_query
from tests.unit.sources.reading import assert_records_hold_rows, read


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file with a table of people."""
    path = tmp_path / "people.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE people AS SELECT i AS id, 'canary' || i || ',\"' AS name FROM range(5000) AS r(i)")
    return path


def asked(database: Path, query: str) -> Source:
    """The query, opened."""
    return open_query(f"duckdb:///{database}", query, work=database.parent / "work")


def test_the_rows_of_a_query_are_in_its_order(database: Path, tmp_path: Path) -> None:
    """Numbered from 1, with the columns wanted."""
    source = asked(database, "SELECT id, name FROM people WHERE id > 9 ORDER BY id DESC;")

    whole = read(source, tmp_path, [1, 0])

    assert ("id", "name") == source.columns
    assert [(f'canary{n},"', str(n)) for n in range(4999, 9, -1)] == whole.rows
    assert list(range(1, 4991)) == whole.lines
    assert {THE_SPOOL} == {body for body, _, _ in whole.places}
    assert ("", 0) == (source.sha256, source.size)
    assert_records_hold_rows(whole)


def test_types_have_the_text_that_others_have(database: Path, tmp_path: Path) -> None:
    """Also DuckDB's own."""
    query = """SELECT true AS a, NULL AS b, 1.50 AS c, 2::DOUBLE AS d, '2024-03-01 10:00:00+02'::TIMESTAMPTZ AS e,
        '2024-03-01 10:00'::TIMESTAMP AS f, DATE '2024-03-01' AS g, sum(3) AS h, '{"x": 1}'::JSON AS i,
        '00000000-0000-0000-0000-000000000001'::UUID AS j, 'x'::ENUM('x', 'y') AS k"""

    (row,) = read(asked(database, query), tmp_path).rows

    assert ("true", None, "1.50", "2") == row[:4]
    assert ("2024-03-01T08:00:00Z", "2024-03-01T10:00:00", "2024-03-01", "3") == row[4:8]
    assert ('{"x": 1}', "00000000-0000-0000-0000-000000000001", "x") == row[8:]


@pytest.mark.parametrize(
    ("query", "message", "advice"),
    [
        ("SELECT * FROM gone", "Catalog Error: Table with name gone does not exist!", "try the query in duckdb"),
        ("SELEC 1", "Parser Error: ", "try the query in duckdb"),
        ("DELETE FROM people", "read-only mode", ""),
        ("", "the query gives no rows", "write a SELECT"),
        ("SELECT [1] AS l", "the query: column 'l' is of type list<", "leave the column out"),
        ("SELECT name::INTEGER FROM people", "it could not compute a value (ConversionException)", ""),
    ],
)
def test_a_query_that_cannot_be_answered_is_a_sentence(
    database: Path, tmp_path: Path, query: str, message: str, advice: str
) -> None:
    """It says what DuckDB says, and quotes no value."""
    with pytest.raises(SourceUnusable) as failure:
        read(asked(database, query), tmp_path)

    assert message in failure.value.message
    assert advice in failure.value.advice
    assert "canary" not in failure.value.message


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    """So is one that is not there."""
    (tmp_path / "a.duckdb").write_bytes(b"a,b\n" * 5_000)

    with pytest.raises(SourceUnusable, match=r"a\.duckdb: IO Error: .*not a valid DuckDB database"):
        asked(tmp_path / "a.duckdb", "SELECT 1")
    with pytest.raises(SourceUnusable, match=r"^there is no file .*b\.duckdb$"):
        asked(tmp_path / "b.duckdb", "SELECT 1")
    assert not (tmp_path / "b.duckdb").exists()


def test_a_query_too_large_for_the_memory_beside_an_import_says_what_to_do(database: Path, tmp_path: Path) -> None:
    """It may well run in duckdb itself, which has all of the machine."""
    query = "SELECT md5(i::text) || md5((i + 1)::text) AS email FROM range(300000) AS r(i) ORDER BY email"
    source = DuckdbQuery(database, query, work=tmp_path / "work", memory_bytes=4_000_000)
    with pytest.raises(SourceUnusable, match="needs more memory") as caught:
        read(source, tmp_path, [0])
    assert "COPY (...) TO 'people.parquet'" in caught.value.advice
