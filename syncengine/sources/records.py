"""Cutting bytes into records: RFC 4180, never by lines.

A clean record is found by one regular expression that takes exactly as many fields as the header has, or nothing:
https://www.rfc-editor.org/rfc/rfc4180. Where it takes nothing, `walk` decides about that one record, piece by piece of
its bytes, as Python's csv module would read it; so a quote that is never closed costs time and no memory.
"""

import re
from dataclasses import dataclass

from syncengine.errors import SourceUnusable
from syncengine.sources import RECORD_BYTES_MAX
from syncengine.sources.feed import Feed

_QUOTE, _LF, _CR = b'"\n\r'
_LINE_END = rb"(?:\r?\n|\r(?=[^\n]))"
_CELL_IN_QUOTES = re.compile(rb'"(?:[^"]++|"")*+"')
_QUOTED = re.compile(rb'[^"]*+')


@dataclass(frozen=True, slots=True)
class Dialect:
    """What stands between cells, as the byte it is."""

    delimiter: str

    def strict(self, fields: int) -> re.Pattern[bytes]:
        """A whole record of so many fields with its line end (LF, CRLF or CR), its quotes as RFC 4180 has them.

        A line end that might go on after the bytes at hand is none yet. A blank line is no record.
        """
        record = self._mark().join([self._field()] * fields) if fields > 1 else self._field(b"++")
        return re.compile(record + _LINE_END)

    def ragged(self) -> re.Pattern[bytes]:
        """A whole record of any number of fields that is as strict; also a blank line."""
        return re.compile(self._field() + b"(?:" + self._mark() + self._field() + b")*+" + _LINE_END)

    def unquoted(self) -> re.Pattern[bytes]:
        """What of a cell without quotes lies in the bytes at hand."""
        return re.compile(b"[^" + self._mark() + rb"\r\n]*+")

    def _field(self, times: bytes = b"*+") -> bytes:
        return rb'(?:"(?:[^"\0]++|"")*+"|[^' + self._mark() + rb'\r\n"\0]' + times + b")"

    def _mark(self) -> bytes:
        return re.escape(self.delimiter.encode())


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it lies, what its cells are, and what is wrong with it.

    `fields` are empty when something is (`problem`), and for a blank line. `strict` says that its bytes are CSV as
    they stand, with LF or CRLF at the end.
    """

    line: int
    offset: int
    length: int
    fields: tuple[bytes, ...] = ()
    strict: bool = False
    problem: str = ""

    @property
    def blank(self) -> bool:
        """Whether it is a line that holds nothing."""
        return not self.fields and not self.problem


class Walk:
    """Takes one record after the other from a feed, slowly. `fields` is how many they should have, None for any."""

    def __init__(self, feed: Feed, name: str, dialect: Dialect) -> None:
        self._mark = dialect.delimiter.encode()
        self._ragged = dialect.ragged()
        self._blanks = b" \t\r\n".replace(self._mark, b"")
        self._feed = feed
        self._name = name
        self._delimiter = ord(dialect.delimiter)
        self._unquoted = dialect.unquoted()
        self._ends = {self._delimiter, _LF, _CR, -1}

    def ragged(self, fields: int) -> Record | None:
        """The next record, if all that is wrong with it is the number of its cells; quickly."""
        feed = self._feed
        found = self._ragged.match(feed.data, feed.at)
        if found is None:
            return None
        line, offset, text = feed.line, feed.offset, found.group()
        feed.take(found.end())
        if not text.strip(b"\r\n" if fields == 1 else self._blanks):
            return Record(line, offset, len(text))
        count = (_CELL_IN_QUOTES.sub(b"", text) if b'"' in text else text).count(self._mark) + 1
        return Record(line, offset, len(text), problem=_ragged(count, fields))

    def record(self, fields: int | None) -> Record | None:
        """The next record, None at the end.

        Raises SourceUnusable when a quote is never closed.
        """
        feed = self._feed
        if feed.next() < 0:
            return None
        line, self._start = feed.line, feed.offset
        self._cells: list[bytes] = []
        self._quoted = self._stray = self._after_quote = self._nul = self._large = False
        count = 1
        self._cell()
        while feed.next() == self._delimiter:
            feed.take(feed.at + 1)
            count += 1
            self._cell()
        ended = self._line_end()
        length = feed.offset - self._start
        if count == 1 and not self._quoted and self._is_blank(fields):
            return Record(line, self._start, length)
        if problem := self._problem(count, fields):
            return Record(line, self._start, length, problem=problem)
        return Record(line, self._start, length, tuple(self._cells), strict=ended and not self._stray)

    def _cell(self) -> None:
        feed = self._feed
        parts: list[bytes] = []
        if feed.next() == _QUOTE:
            self._quoted = True
            line, offset = feed.line, feed.offset
            feed.take(feed.at + 1)
            while True:
                self._hold(parts, _QUOTED)
                if feed.next() < 0:
                    raise SourceUnusable(
                        f'{self._name}, line {line:,}: the quote (") at offset {offset:,} is never closed',
                        advice='close it; a quote inside a quoted cell is written twice: ""',
                    )
                feed.take(feed.at + 1)
                if feed.next() != _QUOTE:
                    break
                feed.take(feed.at + 1)
                parts.append(b'"')
            if feed.next() not in self._ends:
                self._after_quote = True
                self._hold(parts, self._unquoted)
        else:
            self._hold(parts, self._unquoted)
            self._stray = self._stray or any(b'"' in part for part in parts)
        # A record may be too large by cells that are all empty.
        self._large = self._large or feed.offset - self._start > RECORD_BYTES_MAX
        if self._large:
            self._cells.clear()
        else:
            self._cells.append(b"".join(parts))

    def _hold(self, parts: list[bytes], pattern: re.Pattern[bytes]) -> None:
        for part in self._feed.run(pattern):
            self._nul = self._nul or b"\0" in part
            self._large = self._large or self._feed.offset - self._start > RECORD_BYTES_MAX
            if self._large:
                parts.clear()
            else:
                parts.append(part)

    def _line_end(self) -> bool:
        """Take the line end; whether it is one that a body may have."""
        feed = self._feed
        first = feed.next()
        if first < 0:
            return False
        feed.take(feed.at + 1)
        if first == _CR:
            if feed.next() != _LF:
                return False
            feed.take(feed.at + 1)
        return True

    def _is_blank(self, fields: int | None) -> bool:
        # In a table of one column, spaces are a cell.
        if self._large or self._nul:
            return False
        return not (self._cells[0] if fields == 1 else self._cells[0].strip(b" \t"))

    def _problem(self, count: int, fields: int | None) -> str:
        if self._large:
            return f"the row has more than {RECORD_BYTES_MAX:,} bytes"
        if self._nul:
            return "the row has a NUL character"
        if self._after_quote:
            return "a cell goes on after its closing quote"
        if fields is not None and count != fields:
            return _ragged(count, fields)
        return ""


def _ragged(count: int, fields: int) -> str:
    return f"{count:,} {'cell' if count == 1 else 'cells'} where the header has {fields:,}"
