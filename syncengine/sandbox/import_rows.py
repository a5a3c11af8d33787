"""The rows of an import file, read a few at a time: a file of ten megabytes never stands in memory as rows.

Records end with LF, CR LF or CR outside quotes; a quoted cell holds anything, two quotes for one. Lines without any
text are no rows, as in Adobe's example of a program member import. What no page says: a byte order mark is a part of
the first column's name, bytes that are no UTF-8 become U+FFFD, a quote inside an unquoted cell is a quote.
"""

import io
import re
from collections.abc import Iterator

DELIMITERS = {"csv": ",", "tsv": "\t", "ssv": ";"}
# Between two quotes. Nothing is tried twice: a cell of megabytes is one step.
QUOTED = re.compile(r'"((?>[^"]*(?:""[^"]*)*))"')


class Rows:
    """The records of a file in order, header first; `read_chars` says how much of it has been read."""

    def __init__(self, body: bytes | memoryview, file_format: str) -> None:
        self.read_chars = 0
        self._delimiter = DELIMITERS[file_format]
        self._lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", errors="replace", newline="")

    def __iter__(self) -> Iterator[list[str]]:
        delimiter = self._delimiter
        for line in self._lines:
            self.read_chars += len(line)
            if '"' in line:
                yield self._quoted_record(line)
            elif text := line.rstrip("\r\n"):
                yield text.split(delimiter)

    def _quoted_record(self, line: str) -> list[str]:
        """The record that begins with this line, which has a quote."""
        parts = [line]
        cells = _cells(line, self._delimiter)
        while cells is None:
            # Within a quoted cell quotes come in pairs: only a line with an odd number of them can end it.
            while (more := self._next_line()) and more.count('"') % 2 == 0:
                parts.append(more)
            parts.append(more or '"')  # a quote that is never closed: what follows it is the cell
            cells = _cells("".join(parts), self._delimiter)
            if not more:
                break
        return cells or ["".join(parts)]

    def _next_line(self) -> str:
        line = next(self._lines, "")
        self.read_chars += len(line)
        return line


def _cells(record: str, delimiter: str) -> list[str] | None:
    """The cells of a record with its end of line; None when a quoted cell does not end in it."""
    text = record[:-2] if record.endswith("\r\n") else record[:-1] if record.endswith(("\n", "\r")) else record
    cells, place = [], 0
    while True:
        if text.startswith('"', place):
            match = QUOTED.match(text, place)
            if match is None:
                return None
            cell, place = match[1].replace('""', '"'), match.end()
        else:
            cell = ""
        end = text.find(delimiter, place)
        if end < 0:
            cells.append(cell + text[place:])
            return cells
        cells.append(cell + text[place:end])
        place = end + 1


def first_rows(body: bytes | memoryview, file_format: str, count: int) -> list[list[str]]:
    """The first records of a file."""
    rows = []
    for row in Rows(body, file_format):
        rows.append(row)
        if len(rows) == count:
            break
    return rows


def written_row(cells: list[str], file_format: str) -> str:
    """A row of a failures or warnings file, in the format of the job, with its end of line."""
    delimiter = DELIMITERS[file_format]
    return delimiter.join(_written(cell, delimiter) for cell in cells) + "\n"


def _written(cell: str, delimiter: str) -> str:
    if delimiter in cell or '"' in cell or "\n" in cell or "\r" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell
