"""Bringing a finished job's file to the spool folder, whole and checked.

The spool is a folder of ours alone (0700): a file lies there from its first byte until its rows are committed.
"""

from collections.abc import Callable
from pathlib import Path

from syncengine.errors import FileDamaged
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import ExportKind
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.download import Expected, download


def spool_path(folder: Path, job_id: str) -> Path:
    """Where the file of a window's job lies."""
    return folder / f"{job_id}.csv"


async def fetch(
    client: Client,
    kind: ExportKind,
    export_id: str,
    path: Path,
    *,
    expected: Expected,
    progress: Callable[[int], None],
) -> str:
    """Bring the file to `path`, going on from whatever part of it is there, and give its SHA-256.

    A damaged file is brought once more from its first byte: FileDamaged is raised only when that does not help.
    """
    call = exports.file(kind, export_id)
    try:
        return await download(client, call, path, expected, progress)
    except FileDamaged:
        return await download(client, call, path, expected, progress)


async def discard(path: Path) -> None:
    """Remove a window's file and its part; neither needs to be there."""

    def remove() -> None:
        for each in (path, path.with_name(path.name + ".part")):
            each.unlink(missing_ok=True)

    await run_blocking(remove)
