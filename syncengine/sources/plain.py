"""The plain step: whatever is compressed, encoded or piped becomes a UTF-8 file of ours, which is then read like the
user's own.

Apart from reading, so that reading knows one kind of file; the SHA-256 stays that of the bytes as the user gave them.
"""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from syncengine.errors import SourceUnusable
from syncengine.sources.feed import line_ends, reading, undecodable
from syncengine.sources.spool import Spool

BLOCK_BYTES = 262_144  # decoded, it may take four times as much
HEAD_BYTES = 512
_GZIP = b"\x1f\x8b"
_MARKS = {  # the longer ones first: UTF-32's begins with UTF-16's
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class Readable(Protocol):
    """All that is asked of bytes that come."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Original:
    """What a plain file was made from: bytes as the user gave them."""

    sha256: str
    size: int


class Given:
    """Bytes as the user gives them, counted and hashed as they come, decompressed where they are gzip.

    `head` are the first of what `read` will give. Raises SourceUnusable when the bytes end or turn bad before gzip
    says that all are there.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._counted = _Counted(file, name)
        outer = _Ahead(self._counted)
        self.gzipped = outer.head.startswith(_GZIP)
        self._raw = outer
        with self._sound():
            self._text = _Ahead(gzip.GzipFile(fileobj=outer, mode="rb")) if self.gzipped else outer  # type: ignore[call-overload]  # it only reads
        self.head = self._text.head

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end only."""
        with self._sound():
            return self._text.read(size)

    def finished(self) -> Original:
        """What was given, after the last byte of it."""
        while self._raw.read(BLOCK_BYTES):
            pass
        return Original(self._counted.hash.hexdigest(), self._counted.size)

    @contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceUnusable(
                f"{self.name} is damaged: its gzip breaks at about offset {self._counted.size:,}",
                advice="fetch or compress the file again",
            ) from error


class _Counted:
    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self.hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int) -> bytes:
        with reading(self._name):
            data = self._file.read(size)
        self.hash.update(data)
        self.size += len(data)
        return data


class _Ahead:
    """Has read a little ahead."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.head = b""
        while len(self.head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(self.head))):
            self.head += more
        self._left = self.head

    def read(self, size: int) -> bytes:
        if not self._left:
            return self._file.read(size)
        data, self._left = self._left[:size], self._left[size:]
        return data


def codec_of(encoding: str | None, head: bytes) -> str | None:
    """The codec for a text that begins with `head`, None when it is UTF-8 as it stands.

    Raises SourceUnusable when the encoding is unknown, or none of text.
    """
    if encoding is None:
        return next((codec for mark, codec in _MARKS.items() if head.startswith(mark)), None)
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)  # refuses what is no encoding of text
    except (LookupError, UnicodeError, ValueError):
        codec = None
    if codec is None or codec.incrementaldecoder is None:
        raise SourceUnusable(
            f"there is no encoding {encoding!r}",
            advice="known are for example utf-8, utf-16, cp1252 (Windows), latin-1, cp437 (DOS), shift_jis and gb18030",
        )
    return None if codec.name in {"utf-8", "utf-8-sig", "ascii"} else codec.name


def make_plain(given: Given, codec: str | None, path: Path) -> Original:
    """Write the text that is given to `path`, in UTF-8 if there is a `codec` to decode it by, else as it is.

    Raises SourceUnusable for a byte that cannot be decoded, and NoSpace.
    """
    with Spool(path) as spool:
        for block in _decoded(given, codec) if codec else iter(lambda: given.read(BLOCK_BYTES), b""):
            spool.write(block)
        spool.sync()
    return given.finished()


def _decoded(given: Given, codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)()
    read = line = 0
    block = b"."
    while block:
        block = given.read(BLOCK_BYTES)
        before = decoder.getstate()
        try:
            # A half of a pair has no UTF-8: whoever reads the plain file says where it is.
            text = decoder.decode(block, not block).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            ahead = error.start - len(before[0])
            decoder.setstate(before)
            text = decoder.decode(block[: max(0, ahead)]).encode("utf-8", "surrogatepass")
            line += 1 + line_ends(text)
            raise undecodable(given.name, codec.upper(), line, read + ahead, error.object[error.start]) from error
        except UnicodeError as error:
            raise SourceUnusable(f"{given.name} cannot be read as {codec}: {error}") from error
        yield text
        read += len(block)
        line += line_ends(text)
