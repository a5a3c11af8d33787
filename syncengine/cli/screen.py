"""Prints results: tables on a terminal, plain lines in a pipe or a log, one JSON value for programs.

Results go to standard output, everything about the way there to standard error.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

MEGABYTE = 1_000_000
SHOWN = str.maketrans({code: "?" for code in (*range(32), *range(127, 160)) if code not in (9, 10)})


class Screen:
    """One command's way to speak."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout

    def say(self, text: str = "") -> None:
        """A line for people: on standard error when standard output belongs to a program."""
        print(clean(text), file=sys.stderr if self.as_json else self._out, flush=True)  # the command line's own voice

    def result(self, value: Any) -> None:
        """The value for programs, when they asked for it."""
        if self.as_json:
            self._out.write(json_line(value))
            self._out.flush()

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
        """Columns under headings; those that hold figures are set right. Nothing where a program listens."""
        if self.as_json or not rows:
            return
        cells = [[clean(cell) for cell in row] for row in rows]
        right = [all(_is_figure(row[column]) for row in cells) for column in range(len(headings))]
        if self._out.isatty():
            self._rich_table(headings, cells, right, title)
        else:
            self._plain_table(headings, cells, right, title)

    def _rich_table(self, headings: Sequence[str], cells: list[list[str]], right: list[bool], title: str) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
        for heading, is_right in zip(headings, right, strict=True):
            table.add_column(heading, justify="right" if is_right else "left", overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        Console(file=self._out).print(table)

    def _plain_table(self, headings: Sequence[str], cells: list[list[str]], right: list[bool], title: str) -> None:
        lines = [list(headings), *cells]
        widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
        if title:
            self.say(title)
        for line in lines:
            parts = (
                cell.rjust(width) if is_right else cell.ljust(width)
                for cell, width, is_right in zip(line, widths, right, strict=True)
            )
            self.say("  ".join(parts).rstrip())


def clean(text: str) -> str:
    """Text without control characters: what came from outside must not drive the terminal."""
    return text.translate(SHOWN)


def json_line(value: Any) -> str:
    """A value, dataclasses and instants included, as one line of JSON."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z, default=str).decode()


def megabytes(size: int | None) -> str:
    """A size in decimal megabytes."""
    return "?" if size is None else f"{size / MEGABYTE:,.1f} MB"


def span(seconds: float | None) -> str:
    """A length of time, to a precision that fits it."""
    if seconds is None:
        return "?"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def instant(at: datetime | None) -> str:
    """An instant in UTC, to the minute."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def _is_figure(cell: str) -> bool:
    return (cell[:1].isdigit() and "Z" not in cell) or cell in {"?", "-"}
