"""A large file, whole or not at all: ranged, resumable by any later process, hashed as it streams.

Theory of operation. Bytes go to `<name>.part`, which only ever holds a prefix of the file: what is appended is checked
to start where the prefix ends. A break costs what lay in the socket; the next try, in this process or another, hashes
the prefix from disk and asks for the rest with `Range`. The part becomes the file only when its size and SHA-256 are
what Marketo announced and it has been synced to disk, in that order: write, fsync, rename, fsync the folder.

An error that comes with the content type of a file cannot pass: its length does not match, and neither does the hash.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract
"""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from syncengine.errors import FileDamaged, NoSpace, Unavailable
from syncengine.marketo.call import Call
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.gate import Permit
from syncengine.transport.wire import WireAnswer, WireError

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
READ_BYTES = 1024 * 1024
# Breaks in a row with no byte gained, after which the file is given up for now; each waits longer.
BREAKS_MAX = 5
BREAK_WAIT_SECONDS = 2.0
# Room beyond the file that must stay free, for the journal and the destination.
DISK_RESERVE_BYTES = 16 * 1024 * 1024
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # the disk, the user's quota, `ulimit -f`


@dataclass(frozen=True, slots=True)
class Expected:
    """What Marketo announced of a file; a hash of None cannot be checked."""

    size: int
    sha256: str | None


@dataclass(slots=True)
class _Part:
    """The prefix on disk, open for appending, with the running hash over it."""

    file: IO[bytes]
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def append(self, piece: bytes) -> None:
        # An unbuffered write may take less than it was given: on a disk that is nearly full it does.
        left = memoryview(piece)
        while left:
            written = self.file.write(left)
            self.digest.update(left[:written])
            self.size += written
            left = left[written:]

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.size, self.digest = 0, hashlib.sha256()


async def download(
    client: Client,
    call: Call[None],
    path: Path,
    expected: Expected,
    progress: Callable[[int], None] = lambda _: None,
) -> str:
    """Bring the file of `call` to `path` and give its SHA-256 in hex; a whole file already there is only hashed.

    Raises FileDamaged when the bytes are not those announced (no wrong byte of them stays), Unavailable when the
    connection keeps breaking (the part stays), NoSpace, and what `Client.stream` raises.
    """
    if await run_blocking(path.exists):
        return await run_blocking(lambda: _verified(path, expected))
    part_path = path.with_name(path.name + ".part")
    with _disk(path.parent):
        ensure_room(path.parent, expected.size - (part_path.stat().st_size if part_path.exists() else 0))
        with os.fdopen(_private(part_path), "ab", buffering=0) as file:
            part = await run_blocking(lambda: _opened(part_path, file, expected))
            await _fill(client, call, part, expected, progress)
            await run_blocking(lambda: os.fsync(file.fileno()))
    actual = part.digest.hexdigest()
    if part.size != expected.size or (expected.sha256 and actual != expected.sha256):
        part_path.unlink()
        raise FileDamaged(
            f"{call.name}: the file has {part.size} bytes and SHA-256 {actual[:12]}..., Marketo announced "
            f"{expected.size} bytes and {(expected.sha256 or 'no hash')[:12]}...."
        )
    await run_blocking(lambda: _publish(part_path, path))
    return str(actual)


async def _fill(
    client: Client, call: Call[None], part: _Part, expected: Expected, progress: Callable[[int], None]
) -> None:
    """Append until the part is as long as the file, through as many breaks as bring something."""
    breaks, furthest = 0, part.size
    progress(part.size)
    while part.size < expected.size:
        try:
            await _read_on(client, call, part, expected, progress)
        except WireError as error:
            # Only new ground counts: a server that answers each range wrongly sends the same beginning for ever.
            breaks = breaks + 1 if part.size <= furthest else 0
            furthest = max(furthest, part.size)
            if breaks >= BREAKS_MAX:
                raise Unavailable(
                    f"{call.name} broke off {breaks} times in a row at byte {part.size} of {expected.size}: {error}.",
                    code=error.code,
                    call=call.name,
                    advice="The part is kept: run the same command again to go on from there.",
                ) from error
            await client.clock.sleep(BREAK_WAIT_SECONDS * breaks)


async def _read_on(
    client: Client, call: Call[None], part: _Part, expected: Expected, progress: Callable[[int], None]
) -> None:
    headers = {"Range": f"bytes={part.size}-"} if part.size else {}
    # A compressed answer has no byte positions of the file.
    headers["Accept-Encoding"] = "identity"
    try:
        async with client.stream(call, headers) as (answer, permit):
            _place(answer, part, expected)
            await _pour(answer, permit, part, expected, progress)
    except Unavailable as error:
        if error.code != "416" or not part.size:
            raise
        part.restart()
        raise WireError("the server has nothing from that byte on", sent=True) from error


async def _pour(
    answer: WireAnswer, permit: Permit, part: _Part, expected: Expected, progress: Callable[[int], None]
) -> None:
    async for piece in answer.pieces():
        if part.size + len(piece) > expected.size:
            part.restart()
            raise FileDamaged(f"The file is longer than the {expected.size} bytes that Marketo announced.")
        part.append(piece)
        progress(part.size)
        await permit.keep()
    if part.size < expected.size:
        if expected.sha256 is None and answer.status == 200 and "Content-Length" not in answer.headers:
            # Nothing tells a part of the file from a page that a gateway sent in its place.
            part.restart()
        raise WireError("the file ended early", sent=True)


def _place(answer: WireAnswer, part: _Part, expected: Expected) -> None:
    """See to it that what comes is what belongs at the part's end."""
    if answer.status == 200:
        # The server ignored the range, or none was asked for: this body is the file from its first byte.
        length = answer.headers.get("Content-Length")
        if length is not None and length != str(expected.size):
            # An error in the clothes of a file must not cost the prefix that is already here.
            raise FileDamaged(f"The file's answer has {length} bytes where Marketo announced {expected.size}.")
        if part.size:
            part.restart()
        return
    stated = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if stated is None or int(stated[1]) != part.size or stated[3] not in {"*", str(expected.size)}:
        part.restart()
        raise WireError("the answer is another part of the file than the one asked for", sent=True)


def _opened(path: Path, file: IO[bytes], expected: Expected) -> _Part:
    """The part as it lies on disk, hashed; one longer than the file is worthless."""
    part = _Part(file)
    with path.open("rb") as prefix:
        while piece := prefix.read(READ_BYTES):
            part.digest.update(piece)
            part.size += len(piece)
    if part.size > expected.size:
        part.restart()
    return part


def _private(path: Path) -> int:
    """A part to append to. It holds rows of people, and is its owner's alone from its first byte."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _verified(path: Path, expected: Expected) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if path.stat().st_size != expected.size or (expected.sha256 and digest != expected.sha256):
        path.unlink()
        raise FileDamaged(f"{path.name} changed on disk after it was downloaded.")
    return digest


def _publish(part: Path, path: Path) -> None:
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def ensure_room(folder: Path, size: int) -> None:
    """Raise NoSpace unless `size` bytes fit into the folder's disk with the reserve to spare."""
    free = shutil.disk_usage(folder).free
    if size + DISK_RESERVE_BYTES > free:
        raise no_space(folder, f"{size} bytes are needed and {DISK_RESERVE_BYTES} kept in reserve, {free} are free")


def no_space(folder: Path, detail: str) -> NoSpace:
    """The error for a full disk under `folder`."""
    return NoSpace(
        f"No room on the disk that holds {folder}: {detail}.",
        advice="Free some room, or move [state] path to a larger disk, and run the same command again.",
    )


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_space(folder, "it is full") from error
        raise
