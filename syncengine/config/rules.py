"""What a single value of the configuration may be; a broken rule is one sentence that says what is taken instead.

Apart from the settings, which only name their rules, and from pydantic, which only runs them.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncengine.config.streams import CUSTOM_OBJECTS, STREAMS, is_stream

# The host of every subscription: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/base-url
INGESTION_URL = "https://mkto-ingestion-api.adobe.io"
MARKETO_HOST = re.compile(r"\d{3}-[A-Z]{3}-\d{3}\.mktorest\.com", re.ASCII | re.IGNORECASE)
INSTANCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
OLDEST_START_YEAR = 2000
LATEST_START_YEAR = 2200
IDENTIFIER_LENGTH_MAX = 63
HASH_KEY_CHARACTERS_MIN = 16


class Secret:
    """A text that no repr, log or error shows; `reveal` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(lambda text: cls(filled(text)), core_schema.str_schema())


@dataclass(frozen=True, slots=True)
class Rule:
    """A check on one value, run by pydantic; `before` sees the value as written, `after` the typed one.

    Both return the value to use and raise ValueError with the sentence.
    """

    after: Callable[[Any], Any] | None = None
    before: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        schema = handler(source)
        if self.after:
            schema = core_schema.no_info_after_validator_function(self.after, schema)
        if self.before:
            schema = core_schema.no_info_before_validator_function(self.before, schema)
        return schema


def between(low: float, high: float) -> Rule:
    """A number within bounds, both included; true and false are not numbers."""

    def check(value: float) -> float:
        if not low <= value <= high:  # also refuses nan
            raise ValueError(f"takes a number from {low:,} to {high:,}, not {value:,}")
        return value

    def refuse_truth(value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("takes a number, not true or false")  # noqa: TRY004  # pydantic collects ValueError
        return value

    return Rule(check, refuse_truth)


def filled(text: str) -> str:
    """A text with something in it."""
    if not text.strip():
        raise ValueError("is empty")
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def instance_name(text: str) -> str:
    """A name that is fit for keys and file names."""
    if not INSTANCE_NAME.fullmatch(text):
        raise ValueError("takes a short name of letters, digits, - and _ that starts with a letter or digit")
    return text


def schedule_name(text: str) -> str:
    """A name of a group or of a watched folder, fit for file names and labels."""
    if not INSTANCE_NAME.fullmatch(text):
        raise ValueError("is called by a short name of letters, digits, - and _ that starts with a letter or digit")
    return text


def identifier(text: str) -> str:
    """A database identifier of a length that every destination takes."""
    if len(filled(text)) > IDENTIFIER_LENGTH_MAX:
        raise ValueError(f"takes a name of at most {IDENTIFIER_LENGTH_MAX} characters")
    return text


def file_path(value: object) -> object:
    """A path as text, with ~ for the home folder."""
    if not isinstance(value, str):
        raise ValueError("takes a path in quotes")  # noqa: TRY004  # pydantic collects ValueError
    try:
        return Path(filled(value)).expanduser()
    except RuntimeError:
        raise ValueError("starts with a ~ that names no home folder") from None


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine, by name or address; nothing is looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(text: str) -> str:
    """The address of a subscription, or of a sandbox on this machine; without a slash at its end."""
    try:
        parts = urlsplit(text.strip())
        host, port = _canonical(parts.hostname or ""), parts.port
    except ValueError:
        raise ValueError("is not a URL; take https://NNN-AAA-NNN.mktorest.com from Admin > Web Services") from None
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("takes an address alone, without a user name, ? or #")
    on_loopback = is_loopback(text.strip())
    if on_loopback and parts.scheme in {"http", "https"}:
        origin = f"{parts.scheme}://{parts.netloc}"
    elif MARKETO_HOST.fullmatch(host) and parts.scheme == "https" and port is None:
        origin = f"https://{host}"
    elif MARKETO_HOST.fullmatch(host):
        raise ValueError(f"must be https://{host}: credentials travel only by https and its standard port")
    else:
        raise ValueError("must be https://NNN-AAA-NNN.mktorest.com, or a sandbox on loopback (http://127.0.0.1:PORT)")
    if parts.path.rstrip("/"):
        raise ValueError(f"ends after the host: write {origin} (Marketo's Admin page shows it with /rest)")
    return origin


def ingestion_address(text: str) -> str:
    """The address of the Data Ingestion API: Adobe's, or a sandbox's on this machine.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
    """
    if text.strip().rstrip("/") == INGESTION_URL or is_loopback(text.strip()):
        return text.strip().rstrip("/")
    raise ValueError(f"must be {INGESTION_URL}, or a sandbox on loopback")


def _canonical(host: str) -> str:
    return host[:11].upper() + host[11:] if MARKETO_HOST.fullmatch(host) else host


def instant(value: object) -> object:
    """A day (its midnight in UTC) or an instant with its offset, as aware UTC."""
    if isinstance(value, str):
        try:
            value = (
                date.fromisoformat(value) if len(value.strip()) == len("2023-01-01") else datetime.fromisoformat(value)
            )
        except ValueError:
            raise ValueError("takes a date such as 2023-01-01, or an instant such as 2023-01-01T06:00:00Z") from None
    if not isinstance(value, date):
        raise ValueError("takes a date such as 2023-01-01, or an instant such as 2023-01-01T06:00:00Z")  # noqa: TRY004  # pydantic collects ValueError
    if not OLDEST_START_YEAR <= value.year < LATEST_START_YEAR:
        raise ValueError(f"takes a date from {OLDEST_START_YEAR} to {LATEST_START_YEAR}")
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is None:
        raise ValueError("has a time without an offset: add Z (UTC) or an offset such as +02:00")
    return value.astimezone(UTC)


def listed(value: object) -> object:
    """A list, or in an environment variable a text with commas; no item twice."""
    items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if isinstance(items, list | tuple):
        texts = [item for item in items if isinstance(item, str)]
        if "" in texts:
            raise ValueError("holds an empty name")
        if doubled := sorted({text for text in texts if texts.count(text) > 1}):
            raise ValueError(f"names {', '.join(doubled)} twice")
    return items


def listed_ids(value: object) -> object:
    """A list of ids, or in an environment variable one id or several with commas."""
    items = listed(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    if not isinstance(items, list | tuple) or any(isinstance(item, bool) for item in items):
        raise ValueError("takes a list of ids such as [1001, 1002]")
    return items


def list_ids(ids: tuple[int, ...]) -> tuple[int, ...]:
    """Ids as Marketo gives them: from 1 on, and none twice."""
    if wrong := [each for each in ids if each < 1]:
        raise ValueError(f"takes ids from 1 on, not {wrong[0]}")
    if doubled := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"names {', '.join(map(str, doubled))} twice")
    return ids


def fields_to_fetch(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of fields and patterns; * is all of them."""
    if not names:
        raise ValueError('takes at least one field, or ["*"] for all of them')
    return names


def stream_name(text: str) -> str:
    """The name of a stream that there can be."""
    if not is_stream(text):
        known = (*STREAMS, CUSTOM_OBJECTS)
        raise ValueError(
            f'names "{text}", an unknown stream{nearest(text, known)}; known: {", ".join(known)}, or * for all'
        )
    return text


def one_of(known: tuple[str, ...], what: str) -> Rule:
    """One of the known names; others are refused with the nearest."""

    def check(text: str) -> str:
        if text not in known:
            raise ValueError(f"names an unknown {what}{nearest(text, known)}; known: {', '.join(known)}")
        return text

    return Rule(check)


def nearest(word: str, known: tuple[str, ...]) -> str:
    """`, did you mean "x"?` when a known name is close, else nothing."""
    found = get_close_matches(word.lower(), known, n=1)
    return f' (did you mean "{found[0]}"?)' if found else ""
