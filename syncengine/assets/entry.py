"""What is known of a version without its content: enough to see that it is as it was, or became something else."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from syncengine.assets.documents import Document, Key, Place, core_sha256, sha256_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One version as it lies on disk, or is about to; `path` has no ending.

    `sha256` is the one that its file states. `core_sha256` is a hash of what the version is, whatever it is called and
    wherever it lies. `refused` are parts that Marketo does not give. `has_bytes` tells that a file's bytes lie beside.
    """

    key: Key
    path: PurePosixPath
    name: str
    home: Place | None
    updated: str
    row_sha256: str
    core_sha256: str
    sha256: str
    refused: tuple[str, ...] = ()
    has_bytes: bool = False


def entry_of(document: Document, path: PurePosixPath) -> Entry:
    """What an entry says of a document."""
    listed = document.listed
    return Entry(
        key=listed.key,
        path=path,
        name=listed.name,
        home=listed.home,
        updated=listed.updated,
        row_sha256=listed.sha256,
        core_sha256=core_sha256(document),
        sha256=sha256_of(document),
        refused=tuple(f"{part} ({code})" for part, code in sorted(document.unavailable.items())),
        has_bytes=document.bytes is not None,
    )
