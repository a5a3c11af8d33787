"""Files and queries that are not what they should be: a sentence, or rows laid aside with their line; never silence."""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.end_to_end.imported import Ended, imported
from tests.end_to_end.processes import Sandbox, command, sandbox, write_config
from tests.servers import postgres_server

HEADER = b"email,firstName,leadScore\n"
GOOD = b"".join(b"p%d@example.com,Anna %d,%d\n" % (number, number, number) for number in range(20))
END = len(HEADER + GOOD)
PACKED = gzip.compress(HEADER + GOOD * 50)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One instance for all tests of this file."""
    with sandbox(tmp_path_factory.mktemp("instance"), leads=20, activities=10, speed=600) as started_one:
        yield started_one


@pytest.fixture
def folder(running: Sandbox, tmp_path: Path) -> Path:
    """A folder with a configuration."""
    write_config(tmp_path, running.base_url, running.speed)
    return tmp_path


def calls_that_write(running: Sandbox) -> int:
    """How many calls have sent rows so far."""
    calls: Mapping[str, int] = running.counters()["calls"]
    return sum(count for name, count in calls.items() if name in {"leads.sync", "leads.import.create"})


@dataclass(frozen=True)
class Refused:
    """A file that stops the import before anything is sent, and what is said about it."""

    data: bytes
    said: tuple[str, ...]
    name: str = "people.csv"
    words: tuple[str, ...] = field(default=())


REFUSED = {
    "latin-1": Refused(
        HEADER + GOOD + "m@example.com,Müller,1\n".encode("latin-1"),
        (f"people.csv, line 22: byte 0xFC at offset {END + 15:,} is no UTF-8", "--encoding cp1252 (Windows), latin-1"),
    ),
    "another encoding than was said": Refused(
        HEADER + "m@example.com,M,1\n\x81@example.com,M,2\n".encode("latin-1"),
        ("people.csv, line 3: byte 0x81 at offset 44 is no CP1252",),
        words=("--encoding", "cp1252"),
    ),
    "UTF-16 without a mark": Refused(
        (HEADER + GOOD).decode().encode("utf-16-le"),
        ("line 1 (offset 0) should be the header: the row has a NUL character", "--encoding utf-16-le or utf-16-be"),
    ),
    "unknown encoding": Refused(
        HEADER + GOOD, ("there is no encoding 'klingon'", "cp1252 (Windows)"), words=("--encoding", "klingon")
    ),
    "a quote that is never closed": Refused(
        HEADER + GOOD + b'q@example.com,"Anna,1\n' + GOOD,
        (f'people.csv, line 22: the quote (") at offset {END + 14:,} is never closed', "a quote inside a quoted cell"),
    ),
    "no header": Refused(GOOD, ("looks like a row and not like a header", "add a line of field names")),
    # Everything that is wrong with a header at once.
    "a header full of faults": Refused(
        b"mail,firstNam,createdAt,title,title,, city\n" + GOOD,
        (
            "firstNam",
            "is no field that Marketo describes",
            "did you mean 'firstName'?",
            "createdAt",
            "can only be read",
            "leave the column out",
            "title",
            "stands 2 times in the header",
            "leave out all but one",
            "column 6",
            "has no name",
            "name it, or leave it out with --map",
            "' city'",
            "begins or ends with a blank",
            "Marketo knows no such field; write 'city'",
            "email",
            "is what rows are looked up by, and no column has it",
            "did you mean 'mail'?",
        ),
    ),
    "empty": Refused(b"", ("people.csv is empty: not even a header", "its first line names the columns")),
    "blank lines alone": Refused(b"\n\n  \n", ("people.csv is empty: not even a header",)),
    "cells that would clear a field": Refused(
        HEADER + GOOD + b"y@example.com,,1\n",
        ("firstName", "has empty cells, which clear the field in Marketo", "people.csv line 22", "--allow-clear"),
    ),
    "a workbook": Refused(
        b"PK\x03\x04" + bytes(500), ("people.xlsx is a spreadsheet", "save it as CSV"), name="people.xlsx"
    ),
    "a workbook by another name": Refused(
        b"PK\x03\x04" + bytes(500), ("people.csv is a spreadsheet", "save it as CSV")
    ),
    "a page": Refused(
        b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n",
        ("<!DOCTYPE html>", "is no field that Marketo describes", "no column has it"),
    ),
    "gzip that ends too soon": Refused(
        PACKED[: len(PACKED) // 2], ("people.csv.gz is damaged: its gzip breaks",), name="people.csv.gz"
    ),
    "gzip with a wrong byte": Refused(
        PACKED[:-6] + b"\0" + PACKED[-5:], ("people.csv.gz is damaged",), name="people.csv.gz"
    ),
    "a damaged Parquet file": Refused(
        b"PAR1" + bytes(3_000) + b"PAR1", ("people.parquet is no Parquet file, or damaged",), name="people.parquet"
    ),
    "no Parquet at all": Refused(HEADER + GOOD, ("people.parquet is no Parquet file",), name="people.parquet"),
    "a JSON list": Refused(
        b'[{"email":"a@example.com"}]', ("begins as one JSON list", "an object a line"), name="people.json"
    ),
    "JSON Lines without any": Refused(b"", ("people.jsonl is empty: not even one row",), name="people.jsonl"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_taken_is_refused_in_a_sentence(running: Sandbox, folder: Path, case: str) -> None:
    """What is wrong, where, and what to do; on standard output the same as JSON; nothing is sent."""
    bad = REFUSED[case]
    (folder / bad.name).write_bytes(bad.data)
    before = calls_that_write(running)
    ended = imported("leads", bad.name, *bad.words, folder=folder)
    assert_refused(ended, *bad.said)
    assert before == calls_that_write(running)
    assert not (folder / "imports").exists() or [] == list((folder / "imports").iterdir())


def assert_refused(ended: Ended, *said: str) -> None:
    """Told to people in these words, and to programs; the exit code says that something has to be mended."""
    told = ended.said + " ".join(texts_of(ended.told))
    assert (2, []) == (ended.code, [part for part in said if part not in told]), told
    if "error" in ended.told:
        assert ended.told["error"]["message"] in ended.said
        assert 2 == ended.told["error"]["exit_code"]
    else:
        assert ended.told["report"] is None
        assert ended.told["plan"]["stops"]


def texts_of(told: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    match told:
        case str():
            yield told
        case dict():
            yield from texts_of(list(told.values()))
        case list():
            for each in told:
                yield from texts_of(each)


def test_findings_are_shown_as_a_table(folder: Path) -> None:
    """To people: what stops the import, in which column, and what to do."""
    (folder / "people.csv").write_bytes(b"email,firstNam\n" + GOOD)
    done = command("import", "leads", "people.csv", "--dry-run", folder=folder)
    assert 2 == done.returncode
    (line,) = (line for line in done.stdout.splitlines() if "firstNam" in line and "stops" in line)
    found = ["stops", "the", "import", "firstNam", "is", "no", "field", "that", "Marketo", "describes"]
    assert [*found, "did", "you", "mean", "'firstName'?"] == line.split()
    assert "Nothing was sent" in done.stderr + done.stdout


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    """By its name."""
    assert_refused(imported("leads", "people.csv", folder=folder), "there is no file people.csv", "look at the path")


def test_a_folder_is_refused(folder: Path) -> None:
    """Its files are named instead."""
    (folder / "people.csv").mkdir()
    assert_refused(imported("leads", "people.csv", folder=folder), "people.csv is a folder", "name the files in it")


@pytest.mark.parametrize(
    ("address", "query", "said"),
    [
        ("duckdb:///w.duckdb", "SELEC email FROM people", ("w.duckdb: Parser Error", "SELEC")),
        ("duckdb:///w.duckdb", "SELECT nope FROM people", ("w.duckdb: Binder Error", '"nope"')),
        ("duckdb:///w.duckdb", "SELECT * FROM nobody", ("Table with name nobody does not exist",)),
        ("duckdb:///w.duckdb", "DROP TABLE people", ("read-only", "would change it")),
        ("duckdb:///w.duckdb", "SELECT email, [1] AS firstName FROM people", ("'firstName' is of type", "is no cell")),
        ("duckdb:///w.duckdb", "SELECT email, CAST(email AS int) AS leadScore FROM people", ("could not compute",)),
        ("duckdb:///nobody.duckdb", "SELECT 1", ("there is no file nobody.duckdb",)),
        ("duckdb:///people.csv", "SELECT 1", ("people.csv: it is no DuckDB database", "without --from")),
        ("mysql://root:geheim@host/db", "SELECT 1", ("postgresql:// or duckdb:///", "this is neither")),
        ("postgresql://root:geheim@127.0.0.1:9/db", "SELECT 1", ("Postgres at 127.0.0.1:9/db", "Connection refused")),
    ],
)
def test_a_query_that_cannot_be_taken_is_refused(folder: Path, address: str, query: str, said: Sequence[str]) -> None:
    """Which database, and its own words where they quote no row; a password is never repeated."""
    (folder / "people.csv").write_bytes(HEADER + GOOD)
    with duckdb.connect(str(folder / "w.duckdb")) as database:
        database.execute("CREATE TABLE people AS SELECT 'a@example.com' AS email")
    ended = imported("leads", "--from", address, "--query", query, folder=folder)
    assert_refused(ended, *said)
    assert "geheim" not in ended.said + str(ended.told)
    assert "a@example.com" not in ended.said


def test_a_query_that_postgres_refuses_is_refused(folder: Path) -> None:
    """In the server's words."""
    with postgres_server() as server:
        ended = imported("leads", "--from", server.conninfo, "--query", "SELECT * FROM nobody", folder=folder)
        assert_refused(ended, 'relation "nobody" does not exist', "try the query in psql")


JSON_LINES = (
    b'{"email":"a@example.com","firstName":"A"}\n{"email":"b@example.com","firstName":}\n["x"]\n'
    b'{"email":"c@example.com","firstName":{"x":1}}\n{"email":"d@example.com","firstName":"D"}\n'
)
OTHERS = b"".join(b"o%d@example.com,Otto,%d\n" % (number, number) for number in range(20))
LAID_ASIDE = {
    "NUL": (HEADER + GOOD + b"n@example.com,An\0na,1\n" + OTHERS, [("22", "the row has a NUL character")]),
    "ragged rows": (
        HEADER + GOOD + b"r@example.com,Anna\n" + OTHERS + b"s@example.com,Anna,1,2\n",
        [("22", "2 cells where the header has 3"), ("43", "4 cells where the header has 3")],
    ),
    "a cell of 11 MB": (
        HEADER + GOOD + b'h@example.com,"' + b"x\n" * 5_500_000 + b'",1\n' + OTHERS,
        [("22", "the row has more than 10,000,000 bytes")],
    ),
    "a cell of 9 MB": (
        HEADER + GOOD + b"h@example.com," + b"x" * 9_000_000 + b",1\n" + OTHERS,
        [("22", "firstName is longer than 255 characters")],
    ),
    "a column of wrong types": (
        HEADER + OTHERS.replace(b"Otto,", b"Otto,many "),
        [(str(line), "leadScore is no whole number") for line in range(2, 22)],
    ),
    "rows without a key": (
        HEADER + GOOD + b",Anna,1\n  ,Anna,2\n",
        [("22", "email is empty"), ("23", "email is empty")],
    ),
    "JSON Lines": (
        JSON_LINES,
        [
            ("2", "the line is no JSON: unexpected character, expected a JSON value at column 38"),
            ("3", "the line is a list, not a JSON object"),
            ("4", "'firstName' holds an object, which is no cell"),
        ],
    ),
}


@pytest.mark.parametrize("case", LAID_ASIDE)
def test_rows_that_are_wrong_are_laid_aside_with_their_line(folder: Path, case: str) -> None:
    """All others go in; the counts add up, and the command does not say that all is well."""
    data, wanted = LAID_ASIDE[case]
    name = "people.jsonl" if case == "JSON Lines" else "people.csv"
    (folder / name).write_bytes(data)
    ended = imported("leads", name, folder=folder)
    assert 1 == ended.code, ended.said
    with (Path(ended.report["folder"]) / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        kept = list(csv.DictReader(file))
    assert wanted == [(row["line"], row["reason"]) for row in kept]
    assert {name} == {row["file"] for row in kept}
    assert len(wanted) == ended.counts["quarantined"]
    assert ended.report["rows"] == sum(ended.counts.values())
    found = " ".join(f"{each['column']} {each['what']}" for each in ended.told["plan"]["findings"])
    assert [] == [reason for _, reason in wanted if reason not in found]
    assert max(len(line) for line in Path(ended.report["folder"], "quarantine.csv").read_text().splitlines()) < 5_000


def test_a_header_alone_is_an_import_of_no_rows(folder: Path) -> None:
    """An empty export is no fault; it is said that nothing was there."""
    (folder / "people.csv").write_bytes(HEADER)
    ended = imported("leads", "people.csv", folder=folder)
    assert (0, 0, {}) == (ended.code, ended.report["rows"], ended.counts)
    assert "hold no row below their header" in " ".join(texts_of(ended.told))


def test_very_many_rows_of_one_person_are_one_row(running: Sandbox, folder: Path) -> None:
    """The last one goes in; each of the others is in the account with the row that took its place."""
    count = 100_000
    with (folder / "people.csv").open("wb") as file:
        file.write(HEADER)
        file.writelines(b"Same@Example.com,Anna,%d\n" % number for number in range(count))
    ended = imported("leads", "people.csv", folder=folder)
    assert 0 == ended.code, ended.said
    assert {"imported": 1, "superseded": count - 1} == ended.counts
    (lead,) = (lead for lead in running.truth("leads") if lead["email"] == "Same@Example.com")
    assert count - 1 == lead["leadScore"]
    with (Path(ended.report["folder"]) / "superseded.csv").open() as kept:
        assert count == sum(1 for _ in kept)
