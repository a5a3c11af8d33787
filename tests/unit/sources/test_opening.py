"""What a file or an address is taken for, and what is said of those that are nothing."""

import os
from pathlib import Path

import pytest

from syncengine.errors import SourceUnusable
from syncengine.sources.opening import open_query, open_source
from tests.unit.sources.reading import Opens


@pytest.mark.parametrize(
    ("name", "data", "columns"),
    [
        ("a.csv", b"a;b\n", ("a", "b")),
        ("A.CSV", b"a,b\n", ("a", "b")),
        ("a.txt", b"a\tb\n", ("a", "b")),
        ("a", b"a,b\n", ("a", "b")),
        ("a.tsv", b"a,x\tb\n", ("a,x", "b")),
        ("a.tab.gz", b"a\tb\n", ("a", "b")),
        ("a.jsonl", b'{"a": 1, "b": 2}\n', ("a", "b")),
        ("a.ndjson.gz", b'{"a": 1, "b": 2}\n', ("a", "b")),
        ("a", b'{"a": 1, "b": 2}\n', ("a", "b")),
    ],
)
def test_a_file_is_what_its_name_says_or_its_bytes(
    opened: Opens, name: str, data: bytes, columns: tuple[str, ...]
) -> None:
    """An ending decides; without one that is known, the first bytes do."""
    assert columns == opened(data, name).columns


def test_a_format_that_is_named_decides(opened: Opens) -> None:
    """Whatever the file's name is."""
    assert ("a,b",) == opened(b"a,b\n", "people.csv", format="tsv").columns


@pytest.mark.parametrize("name", ["people.xlsx", "people.csv", "people", "people.xls"])
@pytest.mark.parametrize("head", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest"])
def test_a_spreadsheet_is_no_table(opened: Opens, name: str, head: bytes) -> None:
    """It says how to make one of it."""
    with pytest.raises(SourceUnusable, match=r"is a spreadsheet or an archive, not a text$") as failure:
        opened(head, name)

    assert "save it as CSV (UTF-8), or unpack it" == failure.value.advice


def test_a_path_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """A missing file and a folder are told apart."""
    with pytest.raises(SourceUnusable, match=r"^there is no file .*gone\.csv$"):
        open_source(str(tmp_path / "gone.csv"), work=tmp_path)
    with pytest.raises(SourceUnusable, match=r" is a folder$"):
        open_source(str(tmp_path), work=tmp_path)
    with pytest.raises(SourceUnusable, match=r"Not a directory$"):
        open_source("/dev/null/b.csv", work=tmp_path)
    with pytest.raises(SourceUnusable, match=r"File name too long$"):
        open_source(str(tmp_path / ("x" * 300)), work=tmp_path)


def test_a_file_of_somebody_else_is_a_sentence(tmp_path: Path) -> None:
    """Without the permission to read it, nothing is tried."""
    path = tmp_path / "secret.csv"
    path.write_bytes(b"a\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")

    with pytest.raises(SourceUnusable, match=r"may not be read by this user$"):
        open_source(str(path), work=tmp_path)


@pytest.mark.parametrize("address", ["mysql://me:canary@host/db", "people.duckdb", "duckdb://canary"])
def test_an_address_of_another_kind_is_refused(tmp_path: Path, address: str) -> None:
    """In words that hold nothing of it."""
    with pytest.raises(SourceUnusable, match=r"this is neither$") as failure:
        open_query(address, "SELECT 1", work=tmp_path)

    assert "canary" not in f"{failure.value.message} {failure.value.advice}"
