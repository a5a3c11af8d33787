"""`state backup`: one file with all that a machine's loss would take, made while work goes on.

Theory of operation
-------------------
The databases are copied by SQLite, each as of one moment, and after them the working files of those imports that the
copied journal calls unfinished. In this order a file is there whenever the journal says so: an import writes its files
first and its moves then. Only an import that ends in between takes its files away; then all is copied once more.

The spool is left out, since Marketo gives its files again, and so are copies that commands make for themselves.

Apart from the journal's own upkeep, which knows of one database.
"""

import errno
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from syncengine.choices import ASSETS, IMPORTS, JOURNAL, SLOTS
from syncengine.clock import SystemClock
from syncengine.config import Settings
from syncengine.errors import ConfigError, NoSpace, StateUnusable
from syncengine.jobs import upkeep
from syncengine.jobs.database import RESTORE, sync
from syncengine.jobs.inspection import damages, look
from syncengine.state_folder import Seen, size_of
from syncengine.state_reports import BackupPart, BackupReport
from syncengine.threads import run_blocking

# How often all is copied anew because an import has ended meanwhile.
TRIES = 3
# A copy of an asset folder that a comparison works on, and what is still being written: neither is anything to keep.
PASSING_FOLDER, PASSING_FILE = "live-", ".part"


class _Ended(Exception):
    """An import has ended, and taken its files away, since the journal was copied."""


async def backup(settings: Settings, target: Path, *, force: bool = False) -> BackupReport:
    """Write a backup of the state folder to `target`, whole or not at all, readable by its owner only.

    Raises ConfigError when the file is there already (unless `force`) or cannot be written, NoSpace, and StateUnusable
    when there is nothing to copy, or what there is is damaged.
    """
    return await run_blocking(partial(_backed_up, settings.state.path, target, force=force))


def _backed_up(folder: Path, target: Path, *, force: bool) -> BackupReport:
    if not (folder / JOURNAL).exists():
        raise StateUnusable(f"there is no journal in {folder}", advice="Check [state] path: nothing has run there yet.")
    _refuse_overwriting(target, force=force)
    part = target.with_name(f"{target.name}.part")
    with _as_ours(target):
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                taken_at = SystemClock().now()
                parts, notes = _archived(folder, target, file)
                file.flush()
                os.fsync(descriptor)
            _refuse_overwriting(target, force=force)
            part.replace(target)
            sync(target.absolute().parent)
        finally:
            part.unlink(missing_ok=True)
    return BackupReport(str(target), target.stat().st_size, taken_at, tuple(parts), tuple(notes))


def _archived(folder: Path, target: Path, file: BinaryIO) -> tuple[list[BackupPart], list[str]]:
    """Write the archive; once more from its beginning when an import ends under it."""
    for number in range(1, TRIES + 1):
        file.seek(0)
        file.truncate()
        # Beside the backup, which needs that room too: the state's own disk may be the one that is full.
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.absolute().parent) as room:
            try:
                with tarfile.open(fileobj=file, mode="w:gz") as archive:
                    return _filled(archive, folder, Path(room), is_last=number == TRIES)
            except _Ended:
                continue
    raise StateUnusable(
        f"imports end faster than {folder} can be copied", advice="Make the backup again while fewer imports run."
    )


def _filled(archive: tarfile.TarFile, folder: Path, room: Path, *, is_last: bool) -> tuple[list[BackupPart], list[str]]:
    parts, notes = [], []
    for name in (JOURNAL, SLOTS):
        if (folder / name).exists():
            upkeep.copy(folder / name, room / name)
            if found := look(room / name, damages):
                raise StateUnusable(
                    f"{folder / name} is damaged: {found[0]}", advice=RESTORE.format(path=folder / name)
                )
            archive.add(room / name, name)
            parts.append(BackupPart(name, (room / name).stat().st_size))
    made: set[str] = set()
    for instance, run_id in sorted(look(room / JOURNAL, Seen.of_journal).open_imports):
        name = f"{IMPORTS}/{instance}/{run_id}"
        if not (folder / name).is_dir():
            if not is_last:
                raise _Ended
            notes.append(f"Import {run_id} of {instance} is unfinished, and its working files are gone.")
            continue
        _add(archive, folder, name, made)
        parts.append(BackupPart(name, size_of(folder / name)))
    if (folder / ASSETS).is_dir():
        _add(archive, folder, ASSETS, made)
    return parts, notes


def _add(archive: tarfile.TarFile, folder: Path, name: str, made: set[str]) -> None:
    """Add a folder of the state with what lies in it; raises _Ended when it goes meanwhile."""
    whole = Path(name)
    above = [str(each) for each in reversed(whole.parents) if str(each) != "."]
    found = [path.relative_to(folder) for path in sorted((folder / whole).rglob("*"))]
    below = [str(path) for path in found if not _is_passing(path)]
    for each in (*above, name, *below):
        if each in made:
            continue
        made.add(each)
        try:
            archive.add(folder / each, each, recursive=False)
        except FileNotFoundError:
            # One file may go by itself; the whole folder goes when its import has ended.
            if not (folder / whole).is_dir():
                raise _Ended from None


def _is_passing(path: Path) -> bool:
    return path.name.endswith(PASSING_FILE) or any(each.startswith(PASSING_FOLDER) for each in path.parts)


def _refuse_overwriting(target: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise ConfigError(f"{target} exists already and is left as it is", advice="Name another file, or add --force.")


@contextmanager
def _as_ours(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(
                f"no room on the disk for {target}", advice="Free some room, or name a file elsewhere."
            ) from error
        raise ConfigError(
            f"{target} cannot be written: {error.strerror or type(error).__name__}",
            advice="Name a file in a folder that exists and that you may write to.",
        ) from error
