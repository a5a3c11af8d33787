"""Marketo's error codes and what each asks of the engine; the table itself is codes.tsv.

A table, since codes change their meaning over the years: a new one is a line of data, not a branch of code. Apart from
`reply`, because jobs and reports look codes up that came in no reply (`NET_POST`, `JOB_FAILED`, rows of an import).

Source: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, get_args

# Where a code stands: in the HTTP status, in `errors` of the answer, or in `reasons` of one record.
Level = Literal["http", "response", "record"]


class Verdict(Enum):
    """What the engine does next about a code."""

    RETRY = "retry"  # wait, then the same call again
    REFRESH = "refresh"  # a new token, then the same call again
    PAUSE = "pause"  # a day's budget is used up: go on after the reset
    SKIP_RECORD = "skip_record"  # set this row aside and go on
    SPLIT = "split"  # too large: send it in parts
    FATAL = "fatal"  # repeating cannot help
    NOOP = "noop"  # what was asked for is already so
    FALLBACK = "fallback"  # take the other way that this stream has


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One line of codes.tsv.

    `code` is the table's key ("1029b", "6xx_UNKNOWN"), not always the code that Marketo sent. `billed` says whether
    the refused call counts against the day's calls and the rate. `unsafe_on_create` says that the answer leaves open
    whether a create or import was executed: such a call is not repeated blindly. `action` tells a maintainer what the
    engine does, `advice` tells the user what to do; it may be empty.
    """

    code: str
    level: Level
    message: str
    verdict: Verdict
    billed: bool
    unsafe_on_create: bool
    action: str
    advice: str


@cache
def table() -> Mapping[tuple[Level, str], CodeEntry]:
    """The whole of codes.tsv by level and code."""
    text = files(__package__).joinpath("codes.tsv").read_text(encoding="utf-8")
    entries = (entry(row) for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    return MappingProxyType({(each.level, each.code): each for each in entries})


def lookup(level: Level, code: str, message: str = "") -> CodeEntry:
    """The entry for a code at a level; every text has one, and `message` tells the meanings of 1029 apart."""
    entries = table()
    if code == "1029":
        # Records answer 1029 with the same three meanings as whole responses.
        return entries["response", meaning_of_1029(message)]
    return entries.get((level, code)) or entries.get((level, family(level, code))) or entries[level, "UNKNOWN"]


def meaning_of_1029(message: str) -> str:
    """Which of its three meanings a 1029 has: only Marketo's wording tells, whatever case or numbers it is given in."""
    wording = message.casefold()
    if "quota" in wording:
        return "1029b"
    if re.search(r"too many|queue (is )?full", wording):
        return "1029a"
    if re.search(r"already\b.*\bqueue", wording):
        return "1029c"
    return "1029"


def family(level: Level, code: str) -> str:
    """The key of the line for codes that the table does not name one by one."""
    if re.fullmatch(r"[3-5][0-9]{2}", code, re.ASCII) and level == "http":
        return f"{code[0]}XX_UNKNOWN"
    if re.fullmatch(r"[567][0-9]{2}", code, re.ASCII):
        return f"{code[0]}xx_UNKNOWN"
    if re.fullmatch(r"1[0-9]{3}", code, re.ASCII):
        return "1xxx_UNKNOWN"
    return "UNKNOWN"


def entry(row: Mapping[str, str]) -> CodeEntry:
    """One line of the table as a value; ValueError when a cell is not one of the words that its column knows."""
    (level,) = (known for known in get_args(Level) if known == row["level"])
    yes_or_no = {"yes": True, "no": False}
    return CodeEntry(
        code=row["code"],
        level=level,
        message=row["message"],
        verdict=Verdict(row["verdict"]),
        billed=yes_or_no[row["billed"]],
        unsafe_on_create=yes_or_no[row["unsafe_on_create"]],
        action=row["action"],
        advice=row["advice"],
    )
