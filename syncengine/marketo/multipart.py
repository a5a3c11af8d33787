"""A file in a multipart/form-data body: the bytes before it and after it, and nothing else.

Written here rather than by the HTTP library so that a body is a pure function of its file: its length is known before
a byte is read, a chunk can be cut to the limit with this overhead counted in, and a test can compare bytes.

The boundary holds 240 bits of the file's own SHA-256. A file in which it occurs would have to contain its own hash,
which nobody knows how to make; who wants to look all the same searches for `FormFile.delimiter`.

https://www.rfc-editor.org/rfc/rfc7578
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

FIELD_NAME: Final = "file"
PART_TYPE: Final = "text/csv"
FILENAME_CHARACTERS_MAX: Final = 100
BOUNDARY_PREFIX: Final = "syncengine"
# RFC 2046 allows 70 characters in all.
HASH_DIGITS: Final = 60
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What every parser reads alike inside quotes; others differ on quotes, backslashes, percents and non-ASCII.
UNSAFE = re.compile(r"[^A-Za-z0-9._ -]", re.ASCII)


@dataclass(frozen=True, slots=True)
class FormFile:
    """A body with the one part `file`: an Upload. `content` gives the file's `file_size` bytes, anew at each call.

    `filename` is what Marketo is told, and may differ from the name that was asked for: see `form_file`.
    """

    file_size: int
    filename: str
    boundary: str
    content: Callable[[], Iterator[bytes]] = field(repr=False)

    @property
    def head(self) -> bytes:
        """The bytes before the file's first."""
        return (
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{FIELD_NAME}"; filename="{self.filename}"\r\n'
            f"Content-Type: {PART_TYPE}\r\n\r\n"
        ).encode("ascii")

    @property
    def tail(self) -> bytes:
        """The bytes after the file's last."""
        return f"\r\n--{self.boundary}--\r\n".encode("ascii")

    @property
    def delimiter(self) -> bytes:
        """What would end the part if it stood in the file."""
        return f"\r\n--{self.boundary}".encode("ascii")

    @property
    def size(self) -> int:
        """The whole body's bytes."""
        return len(self.head) + self.file_size + len(self.tail)

    @property
    def content_type(self) -> str:
        """The request's media type."""
        return f"multipart/form-data; boundary={self.boundary}"

    def pieces(self) -> Iterator[bytes]:
        """The whole body; raises what `content` raises."""
        yield self.head
        yield from self.content()
        yield self.tail


def form_file(file_size: int, sha256: str, content: Callable[[], Iterator[bytes]], *, filename: str) -> FormFile:
    """The body for a file of `file_size` bytes whose hash is `sha256` in lower-case hex.

    Of `filename`, characters that parsers disagree about become underscores, and only its end is kept when it is long.
    ValueError for what is no SHA-256 or no size.
    """
    if not SHA256.fullmatch(sha256):
        raise ValueError("a SHA-256 is 64 lower-case hex digits")
    if file_size < 0:
        raise ValueError(f"a file has no {file_size} bytes")
    return FormFile(file_size, safe_name(filename), BOUNDARY_PREFIX + sha256[:HASH_DIGITS], content)


def overhead(filename: str) -> int:
    """How many bytes a body has besides its file, whatever the file is."""
    return form_file(0, "0" * 64, lambda: iter(()), filename=filename).size


def safe_name(filename: str) -> str:
    """A file name that can stand in quotes."""
    return UNSAFE.sub("_", filename)[-FILENAME_CHARACTERS_MAX:] or "_"
