"""Which kind of source a file or an address is.

Apart from the kinds, which know nothing of each other.
"""

import stat
import sys
from pathlib import Path
from typing import BinaryIO, Literal

from syncengine.errors import SourceUnusable
from syncengine.sources import STANDARD_INPUT, Source
from syncengine.sources.delimited import Delimited
from syncengine.sources.feed import opened
from syncengine.sources.plain import Given, Original, codec_of, make_plain

Format = Literal["csv", "tsv", "jsonl", "parquet"]
_BY_NAME: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx, .ods, .zip; and .xls


def format_of(name: str) -> Format | None:
    """What a file's ending says that it is, a .gz after it left aside; None when it says nothing that is known."""
    return _BY_NAME.get(Path(name.lower().removesuffix(".gz")).suffix)


def open_source(
    path: str,
    *,
    work: Path,
    format: Format | None = None,  # noqa: A002  # what the option is called
    encoding: str | None = None,
    stdin: BinaryIO | None = None,
) -> Source:
    """The rows of a file, or of standard input for "-". The name's ending says what it is, else its first bytes do.

    `work` is a folder of this source's own: a plain file is written there when the file is compressed, in another
    encoding than UTF-8, or no file on disk; then it takes as long as reading all of it. What lies there already is
    overwritten. `encoding` is for texts; without it UTF-8, or UTF-16 and UTF-32 by their marks.

    Raises SourceUnusable and NoSpace.
    """
    if path == "-":
        return _given(Given(stdin or sys.stdin.buffer, STANDARD_INPUT), None, work=work, kind=format, encoding=encoding)
    place = Path(path)
    with opened(place, path) as file:
        there = place if stat.S_ISREG(place.stat().st_mode) else None
        return _given(Given(file, path), there, work=work, kind=format, encoding=encoding)


def open_query(address: str, query: str, *, work: Path) -> Source:
    """The rows that a query gives: of `postgresql://...`, or of `duckdb:///file` (four slashes before a full path).

    Raises SourceUnusable when the address or the query cannot be used.
    """
    if address.startswith(("postgresql://", "postgres://")):
        from syncengine.sources.postgres import PostgresQuery

        return PostgresQuery(address, query, work=work)
    if address.startswith("duckdb:///"):
        from syncengine.sources.duckdb import DuckdbQuery

        return DuckdbQuery(Path(address.removeprefix("duckdb:///")), query, work=work)
    # The address may hold a password: it is not repeated.
    raise SourceUnusable(
        "rows come from postgresql:// or duckdb:/// addresses, and this is neither",
        advice="write postgresql://user@host:5432/database or duckdb:///file.duckdb",
    )


def _given(given: Given, there: Path | None, *, work: Path, kind: Format | None, encoding: str | None) -> Source:
    name = given.name
    kind = kind or format_of(name) or ("parquet" if given.head.startswith(b"PAR1") else None)
    codec = None if kind == "parquet" else codec_of(encoding, given.head)
    if kind != "parquet" and given.head.startswith(_ARCHIVES):
        raise SourceUnusable(
            f"{name} is a spreadsheet or an archive, not a text", advice="save it as CSV (UTF-8), or unpack it"
        )
    if kind is None:
        text = given.head.decode(codec or "utf-8", "ignore").lstrip("\ufeff \t\r\n")
        kind = "jsonl" if text.startswith("{") else "csv"
    original = None
    if there is None or given.gzipped or codec:
        work.mkdir(parents=True, exist_ok=True)
        there = work / f"source.{kind}"
        original = make_plain(given, codec, there)
    return _source(there, name, kind, original)


def _source(path: Path, name: str, kind: Format, original: Original | None) -> Source:
    match kind:
        case "csv":
            return Delimited(path, name, delimiter=None, original=original)
        case "tsv":
            return Delimited(path, name, delimiter="\t", original=original)
        case "jsonl":
            from syncengine.sources.jsonl import JsonLines

            return JsonLines(path, name, original=original)
        case "parquet":
            from syncengine.sources.parquet import Parquet

            return Parquet(path, name, original=original)
