"""JSON Lines: an object a line, whose keys are the columns. https://jsonlines.org

Read twice: the first time for the keys, which may differ from line to line.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from syncengine.errors import SourceUnusable
from syncengine.sources import PIECE_BYTES, PIECE_ROWS, RECORD_BYTES_MAX, THE_SOURCE, Rows, Unreadable
from syncengine.sources.delimited import changed_meanwhile
from syncengine.sources.feed import Feed, opened_feed
from syncengine.sources.plain import Original
from syncengine.sources.spool import Spool
from syncengine.sources.tables import rows_of

_REST_OF_LINE = re.compile(rb"[^\n]*+")
_TEXTS = {str, type(None)}
_KINDS = {dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean"}


class JsonLines:
    """A UTF-8 file of JSON objects; columns are their keys in the order in which they first appear.

    Strings are cells as they are, true and false are those words, a number is as it is written; null and a missing key
    are null. With `original`, the file was made from that. Raises SourceUnusable when no line is an object.
    """

    delimiter = ","

    def __init__(
        self, path: Path, name: str, *, original: Original | None = None, block_bytes: int = PIECE_BYTES
    ) -> None:
        self.path: Path | None = path
        self.name = name
        self.blank_lines = 0
        self.sha256 = original.sha256 if original else ""
        self.size = original.size if original else 0
        self._file_path = path
        self._original = original
        self._block_bytes = block_bytes
        self.columns = self._keys()

    def rows(self, taken: Sequence[int], spool: Spool) -> Iterator[Rows]:
        """All rows, once."""
        names = [self.columns[place] for place in taken]
        self.blank_lines = 0
        with opened_feed(self._file_path, self.name, self._block_bytes) as feed:
            piece = _Piece(names)
            for line in _lines(feed):
                if line.blank:
                    self.blank_lines += 1
                    continue
                piece.add(line)
                if piece.full:
                    yield piece.rows(spool)
                    piece = _Piece(names)
            if piece:
                yield piece.rows(spool)
            if feed.sha256 != self._first_sha256:
                # Keys of its second state would be missing without a word.
                raise changed_meanwhile(self.name)
            if self._original is None:
                self.sha256, self.size = feed.sha256, feed.size

    def _keys(self) -> tuple[str, ...]:
        keys: dict[str, None] = {}
        lines = 0
        with opened_feed(self._file_path, self.name, self._block_bytes) as feed:
            for line in _lines(feed):
                if not lines and line.data.lstrip().startswith(b"["):
                    raise SourceUnusable(
                        f"{self.name} begins as one JSON list, and JSON Lines are an object a line",
                        advice="convert it, for example with: jq -c '.[]'",
                    )
                lines += not line.blank
                keys.update(dict.fromkeys(line.value() or ()))
            self._first_sha256 = feed.sha256
        if not lines:
            raise SourceUnusable(f"{self.name} is empty: not even one row", advice="look at what wrote it")
        if not keys:
            raise SourceUnusable(
                f"{self.name}: no line is a JSON object with a key", advice="JSON Lines are an object a line"
            )
        return tuple(keys)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with its end; `data` are none of it when it is too large."""

    number: int
    offset: int
    length: int
    data: bytes
    large: bool = False

    @property
    def blank(self) -> bool:
        return not self.large and not self.data.strip(b" \t\r\n")

    def value(self) -> dict[str, Any] | None:
        """The object, None when it is none."""
        try:
            value = orjson.loads(self.data)
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None

    def exact(self) -> dict[str, Any]:
        """The object, its numbers as text as they are written; slower."""
        value: dict[str, Any] = json.loads(self.data, parse_float=str, parse_int=str)
        return value

    def problem(self) -> str:
        """Why there is no object."""
        if self.large:
            return f"the row has more than {RECORD_BYTES_MAX:,} bytes"
        try:
            value = orjson.loads(self.data)
        except orjson.JSONDecodeError as error:
            return f"the line is no JSON: {error.msg.split(':')[0]} at column {error.colno:,}"
        return f"the line is {_KINDS.get(type(value), 'null')}, not a JSON object"


def _lines(feed: Feed) -> Iterator[_Line]:
    number = 0
    while feed.next() >= 0:
        end = feed.data.rfind(b"\n", feed.at) + 1
        if not end and feed.left <= RECORD_BYTES_MAX and feed.more():
            continue
        if not end and not feed.ended:
            number += 1
            yield _passed_over(feed, number)
            continue
        offset = feed.offset
        text = feed.data[feed.at : end or None]
        # Not splitlines: a JSON string may hold U+2028 and its kin, and a line may end in CR and LF.
        for data in text.removesuffix(b"\n").split(b"\n"):
            number += 1
            length = min(len(data) + 1, len(text) - (offset - feed.offset))
            yield _Line(number, offset, length, data if length <= RECORD_BYTES_MAX else b"", length > RECORD_BYTES_MAX)
            offset += length
        feed.take(feed.at + len(text))


def _passed_over(feed: Feed, number: int) -> _Line:
    start = feed.offset
    for _ in feed.run(_REST_OF_LINE):
        pass
    if feed.next() >= 0:
        feed.take(feed.at + 1)
    return _Line(number, start, feed.offset - start, b"", large=True)


class _Piece:
    """Rows while they are gathered."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows: list[tuple[Any, ...]] = []
        self._lines: list[int] = []
        self._unreadable: list[Unreadable] = []
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._lines or self._unreadable)

    @property
    def full(self) -> bool:
        return self._bytes >= PIECE_BYTES or len(self._lines) + len(self._unreadable) >= PIECE_ROWS

    def add(self, line: _Line) -> None:
        value = line.value()
        if value is None:
            self._refuse(line, line.problem())
            return
        cells = tuple(map(value.get, self._names))
        kinds = set(map(type, cells))
        if float in kinds:
            # Also an integer of more than 64 bits has become one.
            cells = tuple(map(line.exact().get, self._names))
        if dict in kinds or list in kinds:
            name, cell = next(pair for pair in zip(self._names, cells, strict=True) if isinstance(pair[1], dict | list))
            self._refuse(line, f"{name!r} holds {_KINDS[type(cell)]}, which is no cell")
            return
        self._bytes += line.length
        self._lines.append(line.number)
        self._rows.append(cells)

    def rows(self, spool: Spool) -> Rows:
        columns = zip(*self._rows, strict=True) if self._rows else ((),) * len(self._names)
        cells = tuple(pa.array(_texts(column), pa.string()) for column in columns)
        return rows_of(cells, pa.array(self._lines, pa.int64()), spool, tuple(self._unreadable))

    def _refuse(self, line: _Line, reason: str) -> None:
        self._unreadable.append(Unreadable(line.number, reason, THE_SOURCE, line.offset, line.length))


def _texts(column: Sequence[Any]) -> Sequence[str | None]:
    return column if set(map(type, column)) <= _TEXTS else list(map(_text, column))


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
