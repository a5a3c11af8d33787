"""From a verified file to committed rows: how fast it goes here, and that memory does not grow with the file.

Each measurement is a process of its own, so that its peak memory is its own too. The same file is applied three times:
into an empty table, then as another window that changes nothing, then as one in which every tenth row is newer.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from syncengine.cli.screen import MEGABYTE, Screen, megabytes
from syncengine.destinations import Window
from syncengine.destinations.duckdb import DuckDB
from syncengine.exports.fields import landed
from syncengine.exports.parse import batches
from syncengine.exports.tally import ParseProblems
from syncengine.schema import Field, FieldType, Schema

# Rows and columns: a small file, a tenfold one of the same shape, and one that is wide.
SHAPES = ((50_000, 15), (500_000, 15), (100_000, 100))
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
# What the columns after id, updatedAt and email hold, over and over.
KINDS = (FieldType.TEXT, FieldType.INTEGER, FieldType.TIMESTAMP, FieldType.TEXT, FieldType.BOOLEAN, FieldType.FLOAT)


def run(screen: Screen) -> None:
    """Measure each shape and print a row for it."""
    rows = []
    for count, columns in SHAPES:
        command = [sys.executable, "-m", "benchmarks.pipeline", str(count), str(columns)]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True)
        rows.append(row(json.loads(done.stdout)))
    screen.say("From a file to rows in DuckDB: parse, merge and commit, with the default 512 MB for DuckDB.")
    headings = ("rows", "columns", "file", "first load", "rows a second", "nothing new", "a tenth new", "peak memory")
    screen.table(headings, rows)


def row(measured: dict[str, Any]) -> list[str]:
    """One shape's line of the table."""
    first, same, tenth = measured["seconds"]
    return [
        f"{measured['rows']:,}",
        f"{measured['columns']}",
        megabytes(measured["file_bytes"]),
        f"{first:.1f} s, {measured['file_bytes'] / MEGABYTE / first:.0f} MB/s",
        f"{measured['rows'] / first:,.0f}",
        f"{same:.1f} s",
        f"{tenth:.1f} s",
        megabytes(measured["peak_bytes"]),
    ]


def schema_of(columns: int) -> Schema:
    """Leads with so many columns."""
    more = (Field(f"field{place}", KINDS[place % len(KINDS)]) for place in range(columns - 3))
    fields = (Field("id", FieldType.INTEGER), Field("updatedAt", FieldType.TIMESTAMP), Field("email", FieldType.TEXT))
    return Schema((*fields, *more), ("id",))


def write(path: Path, schema: Schema, rows: int, newer_every: int | None) -> None:
    """A bulk file as Marketo writes them; every `newer_every`th row is a day newer than in other files."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(schema.names) + "\n")
        for number in range(rows):
            is_newer = newer_every is not None and number % newer_every == 0
            updated = BEGAN + timedelta(days=is_newer, seconds=number)
            cells = [str(number), f"{updated:%Y-%m-%dT%H:%M:%SZ}", f"person{number}@example.com"]
            cells += [cell(field.type, number + place) for place, field in enumerate(schema.fields[3:])]
            file.write(",".join(cells) + "\n")


def cell(kind: FieldType, number: int) -> str:
    """A value of a kind, now and then one that a naive reader trips over."""
    if number % 17 == 0:
        return "null"
    match kind:
        case FieldType.INTEGER:
            return str(number * 7)
        case FieldType.TIMESTAMP:
            return f"2024-03-{number % 28 + 1:02}T10:{number % 60:02}:00Z"
        case FieldType.BOOLEAN:
            return "true" if number % 2 else "false"
        case FieldType.FLOAT:
            return f"{number / 8}"
        case _:
            return f'"Smith, ""{number}""\nand sons"' if number % 50 == 0 else f"some words {number}"


def measure(rows: int, columns: int) -> dict[str, Any]:
    """Apply a shape's files to a fresh DuckDB file; seconds each, and this process's peak memory."""
    schema = schema_of(columns)
    with TemporaryDirectory(prefix="syncengine-bench-") as name:
        folder = Path(name)
        first, tenth = folder / "first.csv", folder / "tenth.csv"
        write(first, schema, rows, None)
        write(tenth, schema, rows, 10)
        destination = DuckDB(folder / "warehouse.duckdb", schema="marketo")
        seconds = [apply(destination, window) for window in windows(schema, (first, first, tenth), rows)]
        destination.close()
        size = first.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": rows, "columns": columns, "file_bytes": size, "seconds": seconds, "peak_bytes": peak}


def windows(schema: Schema, files: tuple[Path, ...], rows: int) -> Iterator[Window]:
    """A window for each file, one after the other."""
    for number, path in enumerate(files):
        read = batches(path, schema, header=None, expected_rows=rows, problems=ParseProblems())
        start = BEGAN + timedelta(days=number)
        yield Window(
            instance="bench",
            stream="leads",
            id=f"window {number}",
            epoch=1,
            start=start,
            end=start + timedelta(days=1),
            sha256="",
            read_at=start,
            schema=landed(schema),
            newer_by="updatedAt",
            batches=read,
        )


def apply(destination: DuckDB, window: Window) -> float:
    """Apply one window and give the seconds that it took."""
    began = perf_counter()
    destination.apply(window)
    return perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
