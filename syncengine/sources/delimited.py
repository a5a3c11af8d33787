"""CSV and its kin: a UTF-8 file of records, whose rows may be given as places in the file itself.

Apart from what makes such files of others (`plain`).
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from syncengine.errors import SourceUnusable
from syncengine.sources import PIECE_BYTES, Rows
from syncengine.sources.feed import Feed, opened_feed
from syncengine.sources.pieces import Piece
from syncengine.sources.plain import Original
from syncengine.sources.records import Dialect, Record, Walk
from syncengine.sources.spool import Spool

_SPREADSHEETS = ",;\t"  # what spreadsheets write to .csv, by the country they are set to


class Delimited:
    """A UTF-8 text of records. With `original`, the file was made from that, and offsets are of the file made.

    With `delimiter` None it is the comma, or the semicolon or tab when the header has that instead.

    Raises SourceUnusable when there is no header.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        delimiter: str | None = ",",
        original: Original | None = None,
        block_bytes: int = PIECE_BYTES,
    ) -> None:
        self.path: Path | None = path
        self.name = name
        self.blank_lines = 0
        self.sha256 = original.sha256 if original else ""
        self.size = original.size if original else 0
        self._file_path = path
        self._original = original
        self._block_bytes = block_bytes
        found = {mark: self._header(mark) for mark in (delimiter or ",")}
        if delimiter is None and len(found[","]) == 1:
            found = {mark: self._header(mark) for mark in _SPREADSHEETS}
        self.delimiter, self.columns = max(found.items(), key=lambda item: len(item[1]))

    def rows(self, taken: Sequence[int], spool: Spool) -> Iterator[Rows]:
        """All rows, once."""
        fields = len(self.columns)
        direct = self.delimiter == "," and list(taken) == list(range(fields))
        with opened_feed(self._file_path, self.name, self._block_bytes) as feed:
            walk = Walk(feed, self.name, Dialect(self.delimiter))
            self._take_header(walk)
            for piece in self._pieces(feed, walk, Piece(spool, self.delimiter, direct=direct)):
                yield piece.rows(fields, taken)
            if self._original is None:
                self.sha256, self.size = feed.sha256, feed.size

    def _pieces(self, feed: Feed, walk: Walk, piece: Piece) -> Iterator[Piece]:
        fields = len(self.columns)
        strict = Dialect(self.delimiter).strict(fields)
        while True:
            if not piece.room:
                yield piece
                piece = piece.another()
            if ends := _run(strict, feed, piece.room):
                piece.add_run(feed, ends)
                continue
            record = walk.ragged(fields)
            if record is None and feed.left < self._block_bytes and feed.more():
                # What stands may be the beginning of a clean record.
                continue
            record = record or walk.record(fields)
            if record is None:
                break
            if record.blank:
                self.blank_lines += 1
            else:
                piece.add(record)
        if piece:
            yield piece

    def _header(self, delimiter: str) -> tuple[str, ...]:
        with opened_feed(self._file_path, self.name, self._block_bytes) as feed:
            header, _ = _header_of(Walk(feed, self.name, Dialect(delimiter)))
        if header is None:
            raise SourceUnusable(f"{self.name} is empty: not even a header", advice="its first line names the columns")
        if header.problem:
            raise SourceUnusable(
                f"{self.name}, line {header.line:,} (offset {header.offset:,}) should be the header: {header.problem}",
                advice=_advice(header),
            )
        return tuple(field.decode() for field in header.fields)

    def _take_header(self, walk: Walk) -> None:
        header, self.blank_lines = _header_of(walk)
        if header is None or tuple(field.decode(errors="replace") for field in header.fields) != self.columns:
            # It was looked at before the rows of other files were read, which may have taken minutes.
            raise changed_meanwhile(self.name)


def changed_meanwhile(name: str) -> SourceUnusable:
    """A file that somebody writes to while it is read."""
    return SourceUnusable(f"{name} was changed while it was read", advice="wait until it is written, then run again")


def _header_of(walk: Walk) -> tuple[Record | None, int]:
    blanks = 0
    while (record := walk.record(None)) is not None and record.blank:
        blanks += 1
    return record, blanks


def _advice(header: Record) -> str:
    if "NUL" in header.problem:
        return "if this is UTF-16, say --encoding utf-16-le or utf-16-be; else it is no text"
    return "mend the first line, or export the file again"


def _run(strict: "re.Pattern[bytes]", feed: Feed, at_most: int) -> "array[int]":
    data, at, match = feed.data, feed.at, strict.match
    ends = array("q")
    while len(ends) < at_most and (found := match(data, at)):
        at = found.end()
        ends.append(at)
    return ends
