"""People to import, in every kind of source, and what the sandbox has to have of them afterwards.

Apart from the tests, so that the benchmark's million rows are judged in the same way as their thousands.
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from syncengine.sandbox.hostile import HOSTILE_TEXTS
from tests.end_to_end.processes import COMMAND_SECONDS, Sandbox, as_text, settings

Person = Mapping[str, Any]

DAY = date(2020, 1, 1)
INSTANT = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)
COLUMNS: list[tuple[str, Any]] = [
    ("firstName", pa.string()),
    ("email", pa.string()),
    ("company", pa.string()),
    ("notes", pa.string()),
    ("leadScore", pa.int64()),
    ("lifetimeValue", pa.float64()),
    ("isVip", pa.bool_()),
    ("contractDate", pa.date32()),
    ("lastPurchaseAt", pa.timestamp("us", "UTC")),
    ("nickname", pa.string()),
]
SCHEMA: Any = pa.schema(COLUMNS)
REPEATS_EVERY = 20
# What Marketo sets by itself.
OF_MARKETO = frozenset({"id", "createdAt", "updatedAt"})


def person(number: int, email: str) -> dict[str, Any]:
    """The row of a number, with this address: hostile texts, and a value of every other type."""
    return {
        "firstName": HOSTILE_TEXTS[number % len(HOSTILE_TEXTS)],
        "email": email,
        "company": f'Smith, "{number}" & Söhne\r\n{"=" if number % 3 else ""}GmbH',
        "notes": HOSTILE_TEXTS[number * 7 % len(HOSTILE_TEXTS)] + f" {number}: met at the fair, wants to be called",
        "leadScore": number - 50,
        "lifetimeValue": number / 8,
        "isVip": number % 3 == 0,
        "contractDate": DAY + timedelta(days=number % 2_000),
        "lastPurchaseAt": INSTANT + timedelta(seconds=number),
        "nickname": HOSTILE_TEXTS[number * 11 % len(HOSTILE_TEXTS)],
    }


def key_of(number: int) -> int:
    """Whose key a row has: its own, or for one row in twenty that of a row a little before it."""
    return number - number % 7 - 1 if number % REPEATS_EVERY == REPEATS_EVERY - 1 else number


def people(count: int, *, prefix: str = "person", known: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Rows of the numbers from 0; those that repeat a key have it in capitals. `known` are the first keys."""
    for number in range(count):
        key = key_of(number)
        email = known[key] if key < len(known) else f"{prefix}{key}@example.com"
        yield person(number, email if key == number else email.upper())


def keys_of(rows: Iterable[Person]) -> set[str]:
    """What tells the rows apart, for Marketo."""
    return {str(row["email"]).casefold() for row in rows}


def write_csv(path: Path, rows: Iterable[Person], *, delimiter: str = ",", line_end: str = "\n") -> Path:
    """Rows as delimited text; gzip when the name says so."""
    with _text(path) as file:
        file.write(delimiter.join(SCHEMA.names) + line_end)
        for row in rows:
            file.write(delimiter.join(quoted(cell(row[name]), delimiter) for name in SCHEMA.names) + line_end)
    return path


def quoted(text: str, delimiter: str) -> str:
    """A cell as RFC 4180 has it; csv.writer leaves a lone CR bare when lines end in LF."""
    needs = any(mark in text for mark in (delimiter, '"', "\r", "\n"))
    return '"' + text.replace('"', '""') + '"' if needs else text


def write_jsonl(path: Path, rows: Iterable[Person]) -> Path:
    """Rows as JSON Lines; gzip when the name says so."""
    with _text(path) as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_UTC_Z).decode() + "\n")
    return path


def write_parquet(path: Path, rows: Iterable[Person]) -> Path:
    """Rows as Parquet, with the types that their values have."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), path, row_group_size=1_000)
    return path


def write_duckdb(path: Path, rows: Iterable[Person]) -> str:
    """Rows as the table `people` of a DuckDB file; gives its address."""
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    with duckdb.connect(str(path)) as database:
        database.register("given", table)
        database.execute("CREATE TABLE people AS SELECT row_number() OVER () AS place, * FROM given")
    return f"duckdb:///{path}"


def write_postgres(conninfo: str, rows: Sequence[Person]) -> str:
    """Rows as the table `people` of a Postgres database; gives its address."""
    import psycopg

    kinds = ("text", "text", "text", "text", "bigint", "float8", "boolean", "date", "timestamptz", "text")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(SCHEMA.names, kinds, strict=True))
    places = ", ".join(["%s"] * len(kinds))
    with psycopg.connect(conninfo) as database, database.cursor() as cursor:
        cursor.execute(f"CREATE TABLE people (place serial, {columns})".encode())
        names = ", ".join(f'"{name}"' for name in SCHEMA.names)
        insert = f"INSERT INTO people ({names}) VALUES ({places})".encode()
        cursor.executemany(insert, [[row[name] for name in SCHEMA.names] for row in rows])
    return conninfo


def query() -> str:
    """The SELECT that gives the rows of `people` in their order."""
    names = ", ".join(f'"{name}"' for name in SCHEMA.names)
    return f"SELECT {names} FROM people ORDER BY place"


def cell(value: object) -> str:
    """A value as a file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(as_text(value))


def _text(path: Path) -> Any:
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it told programs and what it told people."""

    code: int
    told: Any
    said: str

    @property
    def report(self) -> Any:
        """The account of the run."""
        return self.told["report"]

    @property
    def counts(self) -> dict[str, int]:
        """The rows by outcome, without those that there are none of."""
        return {name: count for name, count in self.report["counts"].items() if count}


def imported(*words: str, folder: Path, given: Path | None = None) -> Ended:
    """Run `syncengine import WORDS` in `folder` to its end; `given` is what stands at its standard input."""
    return ran("import", *words, "--quiet", folder=folder, given=given)


def ran(*words: str, folder: Path, given: Path | None = None) -> Ended:
    """Run `syncengine WORDS --json` in `folder` to its end. What it prints is JSON, and never a traceback."""
    with (given or Path("/dev/null")).open("rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-m", "syncengine", *words, "--json"],
            cwd=folder,
            env=settings(),
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.stdout, done.stderr
    return Ended(done.returncode, json.loads(done.stdout), done.stderr)


def wrong(running: Sandbox, before: Iterable[Person], rows: Iterable[Person]) -> list[str]:
    """Every lead and cell that is not what the rows say, the last of a key before all others, and what was before."""
    known = {lead["id"]: lead for lead in before}
    wanted = {str(row["email"]).casefold(): row for row in rows}
    found = []
    for lead in running.truth("leads"):
        old = known.pop(lead["id"], None)
        row = wanted.pop(str(lead["email"]).casefold(), None)
        if old is None and row is None:
            found.append(f"lead {lead['id']} is too much")
        expected = dict.fromkeys(lead) if old is None else dict(old)
        expected |= {name: as_text(value) if value != "" else None for name, value in (row or {}).items()}
        found += [
            f"lead {lead['id']}: {name}"
            for name, value in lead.items()
            if name not in OF_MARKETO and value != expected.get(name)
        ]
    found += [f"{key} is missing" for key in wanted]
    return [*found, *(f"lead {lead} is gone" for lead in known)]


def known_keys(leads: Iterable[Person], count: int) -> list[str]:
    """Some e-mail addresses that stand for one lead each."""
    found: dict[str, int] = {}
    for lead in leads:
        email = str(lead["email"] or "")
        if email.isascii() and email.strip() == email and "@" in email:
            found[email.casefold()] = found.get(email.casefold(), 0) + 1
    return [email for email, times in found.items() if times == 1][:count]
