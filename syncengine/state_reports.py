"""What is answered about the state folder: whether it is whole, what was copied, what was removed, what a doctor saw.

Apart from the other reports, which are about rows and assets. Sizes are bytes, instants aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a look at the state found, and what to do about it. What is not `wrong` is only told."""

    where: str
    what: str
    advice: str = ""
    wrong: bool = True


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a look at the state folder found in so many records.

    `windows` is how many committed windows the destination's ledger was asked about; None when it was not asked.
    """

    folder: str
    findings: tuple[Finding, ...] = ()
    jobs: int = 0
    moves: int = 0
    runs: int = 0
    windows: int | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not any(each.wrong for each in self.findings)


@dataclass(frozen=True, slots=True)
class BackupPart:
    """One part of a backup: a database, or the working files of an unfinished import; `bytes` before compression."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A finished backup. `notes` say what could not be taken along."""

    path: str
    bytes: int
    taken_at: datetime
    parts: tuple[BackupPart, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What was removed of what had ended before an instant or, with `dry_run`, would be.

    `jobs` with their `moves`, of which `imports` are import runs; `runs`; `files` of nobody, with `file_bytes`.
    `bytes_gained` is what the folder is smaller by. `notes` say what was left for another time.
    """

    folder: str
    before: datetime
    dry_run: bool
    jobs: int = 0
    moves: int = 0
    imports: int = 0
    runs: int = 0
    files: int = 0
    file_bytes: int = 0
    bytes_gained: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Everything that a report of a bug needs, by section, as JSON; `problems` are what looked wrong, in words."""

    sections: Mapping[str, Any]
    problems: tuple[str, ...] = ()
