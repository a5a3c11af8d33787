"""The state folder beside its databases: whose files lie in spool and imports, and which are nobody's.

Apart from those who only look and those who remove: both have to call the same file a leftover.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from syncengine.choices import IMPORTS, KINDS, SPOOL
from syncengine.exports.reading import JOBS
from syncengine.exports.window import CLEANED, COMMITTED
from syncengine.imports.runs import LEFT_BEHIND
from syncengine.imports.states import IMPORT
from syncengine.jobs.job import Job
from syncengine.jobs.upkeep import every_job


@dataclass(frozen=True, slots=True)
class Committed:
    """A window that the journal calls committed."""

    instance: str
    stream: str
    window: str


@dataclass(slots=True)
class Seen:
    """What of all jobs matters beyond the journal: whose files may lie in the folder, and what is committed."""

    owners: set[str] = field(default_factory=set)
    open_imports: set[tuple[str, str]] = field(default_factory=set)
    committed: list[Committed] = field(default_factory=list)

    def take(self, job: Job) -> None:
        """Take one job in."""
        if job.kind in KINDS and job.state not in KINDS[job.kind].final:
            self.owners |= {job.id, *job.after}
            if job.kind == IMPORT:
                self.open_imports.add((job.instance, job.id))
        if job.kind in JOBS and job.state in {CLEANED, COMMITTED} and "window" in job.facts:
            self.committed.append(Committed(job.instance, job.group, str(job.facts["window"])))

    @classmethod
    def of_journal(cls, connection: sqlite3.Connection) -> "Seen":
        """What a whole journal says."""
        seen = cls()
        for job, _ in every_job(connection):
            seen.take(job)
        return seen


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the folder beside the databases, seen before they are: what comes later is no leftover."""

    spooled: tuple[Path, ...]
    imports: tuple[Path, ...]


def listed(folder: Path) -> Listing:
    """The files of the spool, and the working folders of imports: the journal is read after this."""
    spool, imports = folder / SPOOL, folder / IMPORTS
    spooled = tuple(_spooled(spool)) if spool.is_dir() else ()
    instances = sorted(path for path in imports.iterdir() if path.is_dir()) if imports.is_dir() else ()
    return Listing(spooled, tuple(path for each in instances for path in sorted(each.iterdir())))


def _spooled(spool: Path) -> Iterator[Path]:
    """What lies in the spool: in a folder for each instance, and beside these what early versions have left."""
    for path in sorted(spool.iterdir()):
        # No instance has a dot in its name, and each file of a job has one.
        yield from sorted(path.iterdir()) if path.is_dir() and "." not in path.name else (path,)


def owner_of(path: Path) -> str:
    """The job whose file lies in the spool under this name."""
    return path.name.removesuffix(".part").rpartition(".")[0]


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; what is gone has none."""
    try:
        if path.is_dir():
            return sum(size_of(each) for each in path.iterdir())
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def is_old(path: Path, now: datetime, age: timedelta) -> bool:
    """Whether a file or folder was last changed so long ago by this machine's clock; not when it is gone."""
    try:
        return path.stat().st_mtime < (now - age).timestamp()
    except FileNotFoundError:
        return False


def orphans_of_imports(listing: Listing, seen: Seen, now: datetime) -> list[Path]:
    """Working folders of no unfinished import; a young one may be about to begin."""
    return [
        path
        for path in listing.imports
        if (path.parent.name, path.name) not in seen.open_imports and is_old(path, now, LEFT_BEHIND)
    ]


def orphans_of_spool(listing: Listing, seen: Seen) -> list[Path]:
    """Spooled files that no unfinished job owns."""
    return [path for path in listing.spooled if owner_of(path) not in seen.owners]
