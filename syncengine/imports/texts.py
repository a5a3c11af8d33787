"""What people write about an import, as values: shares, lengths of time, which column is which field.

Apart from the command line, since the settings beside a file that is dropped into a watched folder say the same.
"""

import re
import tomllib
from datetime import timedelta
from pathlib import Path

from syncengine.errors import ConfigError

SPANS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def share_of(text: str, said: str = "--max-failures") -> float:
    """A share: 20% or 0.2; `said` is what it was given for. Raises ConfigError."""
    is_percent = text.strip().endswith("%")
    try:
        value = float(text.strip().removesuffix("%")) / (100 if is_percent else 1)
    except ValueError:
        value = -1.0
    # A bare 1 could be meant as one percent, or as all.
    if not 0 <= value <= 1 or (value == 1 and not is_percent):
        raise ConfigError(f"{said} {text!r} is no share", advice="Write it as 20%, or as 0.2; 100% never stops.")
    return value


def span_of(text: str, said: str = "--max-wait") -> timedelta:
    """A length of time: 90s, 30m, 2h, 1d; `said` is what it was given for. Raises ConfigError."""
    found = re.fullmatch(r"\s*(\d{1,8}(?:\.\d{1,9})?)\s*([smhd])\s*", text)
    if not found or not float(found[1]):
        raise ConfigError(f"{said} {text!r} is no length of time", advice="Write it as 90s, 30m, 2h or 1d.")
    return timedelta(**{SPANS[found[2]]: float(found[1])})


def mapping_in(path: Path) -> dict[str, str]:
    """The fields of columns that a file names. Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the map {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the map {path} is no TOML: {error}") from None
    columns = document.get("columns")
    if not isinstance(columns, dict) or set(document) != {"columns"}:
        advice = 'For example:\n[columns]\n"E-Mail" = "email"\n"Notes" = ""'
        raise ConfigError(f"the map {path} has to hold the table [columns] and nothing else", advice=advice)
    if wrong := [name for name, field in columns.items() if not isinstance(field, str)]:
        raise ConfigError(f"the map {path} gives {wrong[0]!r} something else than the name of a field")
    return columns
