"""The account of a run as files: which rows did not go in and why, and which of them can be sent again as they are.

Everything is made anew from what stands on disk, so that a report that was cut short is simply written again. Files
that people open in a spreadsheet are made harmless: every cell is quoted, and one that a spreadsheet would take for a
formula gets an apostrophe before it. The replay file is no such file: it holds the very bytes that were sent.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from syncengine.imports.body import Rows, cells_of, header_line
from syncengine.imports.manifest import Place, written
from syncengine.imports.outcome import Outcome

ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\0")
# What a record that is no row of the table shows of itself: enough to find it.
SHOWN_CHARACTERS_MAX = 1_000
SUMMARY = "summary.json"
REPLAY = "replay.csv"
FILES = {
    Outcome.FAILED.value: "failed.csv",
    Outcome.WARNED.value: "warnings.csv",
    Outcome.QUARANTINED.value: "quarantine.csv",
    Outcome.SUPERSEDED.value: "superseded.csv",
    Outcome.UNRESOLVED.value: "unresolved.csv",
}


@dataclass(frozen=True, slots=True)
class Account:
    """What a report is made of: the files of rows that did not simply go in, in the order of the rows.

    `names` are the columns as they were sent, `sources` the sources as the user named them.
    """

    settled: Sequence[Path]
    bodies: Sequence[Path] = field(repr=False)
    names: Sequence[str]
    sources: Sequence[str]


def write_report(folder: Path, account: Account | None, summary: dict[str, Any]) -> tuple[str, ...]:
    """Write a run's files into its folder and give their names; a file that would be empty is not there.

    Without an account only the summary is written, and what an earlier report has told of rows stays.
    """
    kept = _write_rows(folder, account) if account else [path.name for path in folder.iterdir() if path.name != SUMMARY]
    with written(folder / SUMMARY) as path:
        path.write_bytes(orjson.dumps(summary | {"files": kept}, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
    return (SUMMARY, *kept)


def _write_rows(folder: Path, account: Account) -> list[str]:
    kept = [name for outcome, name in FILES.items() if _kept(folder / name, partial(_spreadsheet, outcome, account))]
    if _kept(folder / REPLAY, partial(_replay, account)):
        kept.append(REPLAY)
    return kept


def _kept(path: Path, write: Callable[[Path], int]) -> bool:
    """Whether a file has any rows, after it was written anew."""
    with written(path) as part:
        rows = write(part)
    if not rows:
        path.unlink()
    return rows > 0


def _replay(account: Account, path: Path) -> int:
    """Rows that failed, as they were sent."""
    rows = 0
    with path.open("wb") as file:
        file.write(header_line(account.names))
        for _, _, record in _records(account, Outcome.FAILED.value):
            file.write(record)
            rows += 1
    return rows


def _spreadsheet(outcome: str, account: Account, path: Path) -> int:
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["file", "line", "row", "reason", *map(harmless, account.names)])
        for place, more, record in _records(account, outcome):
            line = [account.sources[place.source], str(place.line), str(place.row), more["reason"]]
            writer.writerow(map(harmless, [*line, *_shown(record, len(account.names))]))
            rows += 1
    return rows


def _records(account: Account, outcome: str) -> Iterator[tuple[Place, Mapping[str, str], bytes]]:
    for path in account.settled:
        yield from Rows(path, account.bodies).records(outcome)


def _shown(record: bytes, cells: int) -> list[str]:
    """A row's cells; of a record that is none, its beginning."""
    if len(record) <= 10 * SHOWN_CHARACTERS_MAX and len(found := cells_of(record)) == cells:
        return found
    return [record[: 4 * SHOWN_CHARACTERS_MAX].decode("utf-8", errors="replace")[:SHOWN_CHARACTERS_MAX]]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    shown = cell.replace("\0", "\ufffd")
    return f"'{shown}" if cell.startswith(ACTIVE) else shown
