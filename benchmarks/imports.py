"""A million people from files and a query into the sandbox by bulk import: what it costs; and every lead is its row.

Rows hold what real data holds, and one in twenty has the key of an earlier one. The importing process is a real
command; its peak memory is the kernel's. What the sandbox then has is compared lead by lead, cell by cell.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from syncengine.cli.screen import Screen, megabytes
from tests.end_to_end.imported import OF_MARKETO, REPEATS_EVERY, SCHEMA, key_of, people, person, query, write_csv
from tests.end_to_end.processes import Sandbox, as_text, sandbox, settings, write_config

ROWS = 1_000_000
PREFIX = "person"
# A job of ten megabytes takes 20 to 90 of the sandbox's seconds.
SPEED = 60.0
BATCH_ROWS = 50_000
SMALL_ROWS = 300
SMALL_TIMES = 5
LOOK_SECONDS = 0.02
FILE_BYTES_MAX = 10_000_000


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended: what it told programs, how long it took, and its peak memory."""

    told: Any
    seconds: float
    peak_bytes: int

    @property
    def report(self) -> Any:
        """The account of the import."""
        return self.told["report"]


def run(screen: Screen, *, rows: int = ROWS) -> None:
    """Import the same people from each source, then the special cases, and print a line for each."""
    with TemporaryDirectory(prefix="syncengine-bench-") as name:
        folder = Path(name)
        sources = {
            "CSV": write_sources(folder, rows),
            "Parquet": ["people.parquet"],
            "DuckDB": ["--from", f"duckdb:///{folder}/people.duckdb", "--query", query()],
        }
        size = (folder / "people.csv").stat().st_size
        screen.say(f"{rows:,} people, {megabytes(size)} as CSV, by bulk import:")
        lines = [[label, *measure(folder / label, folder, words, rows)] for label, words in sources.items()]
        headings = ("source", "chunks", "fewest", "full", "calls", "wall", "planned in", "peak memory", "wrong leads")
        screen.table(headings, lines)
        screen.say(f"{rows:,} rows of one person: {one_person(folder / 'one', rows)}.")
        screen.say(f"{SMALL_ROWS} people by the synchronous calls, from command to exit: {small(folder / 'small')}.")


def write_sources(folder: Path, rows: int) -> list[str]:
    """The same people as CSV, Parquet and a table of DuckDB; gives the words for the CSV."""
    write_csv(folder / "people.csv", people(rows, prefix=PREFIX))
    with pq.ParquetWriter(folder / "people.parquet", SCHEMA) as writer:
        batch: list[dict[str, Any]] = []
        for row in people(rows, prefix=PREFIX):
            batch.append(row)
            if len(batch) == BATCH_ROWS:
                writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
    with duckdb.connect(str(folder / "people.duckdb")) as database:
        given = f"read_parquet('{folder}/people.parquet')"
        database.execute(f"CREATE TABLE people AS SELECT row_number() OVER () AS place, * FROM {given}")  # noqa: S608  # ours
    return ["people.csv"]


def measure(place: Path, folder: Path, words: Sequence[str], rows: int) -> list[str]:
    """Import into a sandbox of its own, and judge it by what it has then."""
    place.mkdir()
    given = [str(folder / word) if word.startswith("people.") else word for word in words]
    with sandbox(place, leads=10, activities=0, speed=SPEED) as running:
        write_config(place, running.base_url, running.speed)
        before = {lead["id"] for lead in running.truth("leads")}
        done = ran(["import", "leads", *given, "--route", "bulk", "--allow-clear"], place)
        wrong = sum(1 for _ in differences(running, before, rows))
        counts = done.report["counts"]
        repeated = rows // REPEATS_EVERY
        if (counts["imported"], counts["superseded"]) != (rows - repeated, repeated) or done.report["rows"] != rows:
            raise RuntimeError(f"the counts do not add up: {counts}")
        if any(True for _ in running.truth("duplicate_leads")):
            raise RuntimeError("somebody is there twice")
        plan = done.told["plan"]
        return [
            f"{plan['chunks']}",
            f"{ceil(plan['bytes'] / FILE_BYTES_MAX)}",
            f"{plan['fullness'] or 1:.2%}",
            f"{done.report['calls']}",
            f"{done.seconds:.0f} s",
            f"{done.seconds - done.report['seconds'] / SPEED:.0f} s",
            megabytes(done.peak_bytes),
            f"{wrong}",
        ]


def ran(words: Sequence[str], folder: Path) -> Ran:
    """Run a command to its end and watch its memory. RuntimeError: it did not end well."""
    command = [sys.executable, "-m", "syncengine", *words, "--json", "--quiet"]
    began, peak = monotonic(), 0
    environment = settings(PYTHONPATH=str(Path.cwd()))
    with (folder / "told.json").open("wb") as out, (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=said)
        while process.poll() is None:
            # A child's own figure would count what its parent had before it became this program.
            peak = max(peak, peak_bytes(process.pid))
            try:
                process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
    seconds = monotonic() - began
    if process.returncode != 0:
        raise RuntimeError(f"the import ended with {process.returncode}: {(folder / 'said.txt').read_text()}")
    return Ran(json.loads((folder / "told.json").read_bytes()), seconds, peak)


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had so far; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((each for each in status.splitlines() if each.startswith("VmHWM:")), "VmHWM: 0")
    return int(line.split()[1]) * 1024


def differences(running: Sandbox, before: set[int], rows: int) -> Iterator[str]:
    """Every lead that is not the last row of its key, is there twice, or is missing; nothing is kept but marks."""
    seen = bytearray(rows)
    for lead in running.truth("leads"):
        if lead["id"] in before:
            continue
        key = int(lead["email"].partition("@")[0].casefold().removeprefix(PREFIX))
        last = max(number for number in range(key, min(key + 8, rows)) if key_of(number) == key)
        email = f"{PREFIX}{key}@example.com"
        row = person(last, email if last == key else email.upper())
        expected = dict.fromkeys(lead) | {name: as_text(value) if value != "" else None for name, value in row.items()}
        if seen[key] or any(lead[name] != value for name, value in expected.items() if name not in OF_MARKETO):
            yield lead["email"]
        seen[key] = 1
    yield from (f"{PREFIX}{key}" for key in {key_of(number) for number in range(rows)} if not seen[key])


def one_person(place: Path, rows: int) -> str:
    """So many rows with one key."""
    place.mkdir()
    with (place / "people.csv").open("wb") as file:
        file.write(b"email,leadScore\n")
        file.writelines(b"same@example.com,%d\n" % number for number in range(rows))
    with sandbox(place, leads=10, activities=0, speed=SPEED) as running:
        write_config(place, running.base_url, running.speed)
        done = ran(["import", "leads", "people.csv"], place)
        scores = [lead["leadScore"] for lead in running.truth("leads") if lead["email"] == "same@example.com"]
    if scores != [rows - 1] or done.report["counts"]["superseded"] != rows - 1:
        raise RuntimeError(f"not the last row alone was imported: {scores}")
    return f"{done.seconds:.0f} s, {megabytes(done.peak_bytes)}"


def small(place: Path) -> str:
    """A few people at Marketo's own pace, several times."""
    place.mkdir()
    seconds = []
    with sandbox(place, leads=10, activities=0, speed=1) as running:
        write_config(place, running.base_url)
        for number in range(SMALL_TIMES):
            write_csv(place / "people.csv", people(SMALL_ROWS, prefix=f"small{number}-"))
            seconds.append(ran(["import", "leads", "people.csv", "--allow-clear"], place).seconds)
    return f"{min(seconds):.2f} to {max(seconds):.2f} s"
