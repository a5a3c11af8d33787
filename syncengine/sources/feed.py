"""A file's bytes as they come: a window that moves on, checked to be UTF-8, with the line at which it stands.

Apart from cutting records: this knows blocks, offsets and lines, and nothing of quotes.
"""

import codecs
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from syncengine.errors import SourceUnusable
from syncengine.sources import PIECE_BYTES

BOM = b"\xef\xbb\xbf"
_STEP_BYTES = 262_144


def line_ends(data: bytes, start: int = 0, end: int | None = None) -> int:
    """How many line ends (LF, CRLF or CR) begin in a part of `data`."""
    end = len(data) if end is None else end
    found = data.count(b"\n", start, end)
    returns = data.count(b"\r", start, end)
    return found + returns - data.count(b"\r\n", start, end) if returns else found


class Feed:
    """`data[at:]` are bytes that are loaded and not yet taken; the byte at `at` is in line `line` of the text.

    Raises SourceUnusable from `more` when a byte is no UTF-8.
    """

    def __init__(self, file: BinaryIO, name: str, *, block_bytes: int = PIECE_BYTES) -> None:
        self._file = file
        self._name = name
        self._block_bytes = block_bytes
        self._hash = hashlib.sha256()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._base = 0
        self._after_cr = False
        self.data = b""
        self.at = 0
        self.line = 1
        self.ended = False

    @property
    def offset(self) -> int:
        """Where `at` is in the file."""
        return self._base + self.at

    @property
    def left(self) -> int:
        """How many bytes are loaded and not taken."""
        return len(self.data) - self.at

    @property
    def size(self) -> int:
        """Bytes that were loaded so far."""
        return self._base + len(self.data)

    @property
    def sha256(self) -> str:
        """Of the bytes that were loaded so far."""
        return self._hash.hexdigest()

    def offset_of(self, place: int) -> int:
        """Where a place in `data` is in the file."""
        return self._base + place

    def more(self) -> bool:
        """Drop what was taken and load a block; whether there was one."""
        if self.ended:
            return False
        with reading(self._name):
            block = self._file.read(self._block_bytes)
        self._check(block)
        self._hash.update(block)
        self._base += self.at
        self.data = self.data[self.at :] + block
        self.at = 0
        self.ended = not block
        return not self.ended

    def take(self, end: int) -> None:
        """Go on to a place in `data`."""
        self.line += line_ends(self.data, self.at, end)
        if end > self.at:
            # A line end whose two halves come in two takes is one.
            self.line -= self._after_cr and self.data.startswith(b"\n", self.at)
            self._after_cr = self.data[end - 1] == 13
        self.at = end

    def next(self) -> int:
        """The byte that comes, -1 at the end."""
        if not self.left and not self.more():
            return -1
        return self.data[self.at]

    def run(self, pattern: re.Pattern[bytes]) -> Iterator[bytes]:
        """Take bytes for as long as `pattern`, a repeated class of bytes, takes them; in parts, none of them held."""
        while self.left or self.more():
            found = pattern.match(self.data, self.at)
            assert found is not None
            part = found.group()
            self.take(found.end())
            if part:
                yield part
            if self.left:
                return

    def _check(self, block: bytes) -> None:
        # In steps: the text of a whole block may take four times its memory.
        for start in range(0, len(block) or 1, _STEP_BYTES):
            pending = self._utf8.getstate()[0]
            try:
                self._utf8.decode(block[start : start + _STEP_BYTES], not block)
            except UnicodeDecodeError as error:
                self._refuse(block, self.size + start + error.start - len(pending), error)

    def _refuse(self, block: bytes, offset: int, error: UnicodeDecodeError) -> NoReturn:
        ahead = (self.data[self.at :] + block)[: offset - self.offset]
        line = self.line + line_ends(ahead) - (self._after_cr and ahead.startswith(b"\n"))
        raise undecodable(self._name, "UTF-8", line, offset, error.object[error.start]) from error


def undecodable(name: str, encoding: str, line: int, offset: int, byte: int) -> SourceUnusable:
    """The error for a byte that is no text."""
    return SourceUnusable(
        f"{name}, line {line:,}: byte 0x{byte:02X} at offset {offset:,} is no {encoding}",
        advice="name the file's encoding, such as --encoding cp1252 (Windows), latin-1 or utf-16",
    )


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Raise SourceUnusable where the block cannot open or read the file `name`."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceUnusable(f"there is no file {name}", advice="look at the path") from error
    except IsADirectoryError as error:
        raise SourceUnusable(f"{name} is a folder", advice="name the files in it") from error
    except PermissionError as error:
        raise SourceUnusable(f"{name} may not be read by this user", advice="look at the file's permissions") from error
    except OSError as error:
        raise SourceUnusable(f"{name} cannot be read: {error.strerror or type(error).__name__}") from error


@contextmanager
def opened(path: Path, name: str) -> Iterator[BinaryIO]:
    """The file, open for reading."""
    with reading(name):
        file = path.open("rb")
    with file:
        yield file


def digest_of(path: Path, name: str) -> tuple[str, int]:
    """The SHA-256 of a file, and its size."""
    with reading(name), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


@contextmanager
def opened_feed(path: Path, name: str, block_bytes: int) -> Iterator[Feed]:
    """The file as a feed that stands after its byte order mark."""
    with opened(path, name) as file:
        feed = Feed(file, name, block_bytes=block_bytes)
        while feed.left < len(BOM) and feed.more():
            pass
        if feed.data.startswith(BOM):
            feed.take(len(BOM))
        yield feed
