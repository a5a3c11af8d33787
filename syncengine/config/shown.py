"""A configuration as strangers may see it: what is set and how, without a secret and without what the environment says.

Apart from the settings, which keep no memory of where a value came from: a text with a `${VARIABLE}` in it is shown as
the file has it, and a key that a variable sets is shown by the name of that variable.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from syncengine.config.instances import instances_in
from syncengine.config.open_secrets import VARIABLE, taken
from syncengine.config.problems import Key, Problems
from syncengine.config.reading import OWN_VARIABLES, PREFIX
from syncengine.config.rules import Secret
from syncengine.config.settings import Settings

SET, NOT_SET = "(set)", "(not set)"
# Keys whose text is nobody else's concern though it opens nothing by itself.
DISCREET = frozenset({"client_id", "smtp_user"})
# In a file that cannot be read as a configuration: whatever stands beside a name like these.
_SECRET_KEY = re.compile(r"secret|password|token|key|client_id|user|webhook|credential|^url$", re.IGNORECASE)
_SECRET_LINE = re.compile(
    r"(?:secret|password|token|key|client_id|user|webhook|credential|(?<![a-z_])url)\w*[\"']?\s*=\s*"
    r"(?:\"(?P<double>[^\"\n]*)\"?|'(?P<single>[^'\n]*)'?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a file, whether it is a configuration or not."""

    text: str = field(default="", repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


def written_in(path: Path) -> Written:
    """The text of a file and, where it is TOML, its tables; empty for what cannot be read."""
    with suppress(OSError, ValueError):
        text = path.read_bytes().decode(errors="replace")
        with suppress(ValueError, RecursionError):
            return Written(text, tomllib.loads(text))
        return Written(text)
    return Written()


def shown(settings: Settings, written: Written) -> dict[str, Any]:
    """The settings of one instance as a JSON value: each key with its value, or with how it is set."""
    documents = {
        str(each.document.get("instance", {}).get("name")): each.document
        for each in instances_in(written.document, Problems({}, {}))
    }
    document = documents.get(settings.instance.name, written.document)
    found: dict[str, Any] = {}
    for each in fields(settings):
        # `import` is no name in Python.
        name = each.name.rstrip("_")
        found[name] = _shown(getattr(settings, each.name), document.get(name), (name,))
    return found


def _shown(value: Any, written: Any, key: Key) -> Any:
    if isinstance(value, Secret) or (key[-1] in DISCREET and value is not None):
        return SET
    if value is None:
        return NOT_SET
    if variable := _set_by(key):
        return f"(set by {variable})"
    inner = members_of(value)
    if inner is not None:
        below = written if isinstance(written, Mapping) else {}
        return {name: _shown(item, below.get(name), (*key, name)) for name, item in inner.items()}
    return written if any(VARIABLE.search(text) for text in _texts(written)) else _plain(value)


def members_of(value: Any) -> dict[str, Any] | None:
    """What a table holds by name; None for what is no table."""
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return {str(name): item for name, item in value.items()} if isinstance(value, Mapping) else None


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str) and "://" in value:
        return _without_credentials(value)
    return value if isinstance(value, bool | int | float | date) else str(value)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _set_by(key: Key) -> str:
    """The variable of the environment that sets a key, or the table above it."""
    variables = _variables()
    return next((variables[key[:length]] for length in range(1, len(key) + 1) if key[:length] in variables), "")


def _variables() -> dict[Key, str]:
    return {
        tuple(name.upper().removeprefix(PREFIX).lower().split("__")): name
        for name in os.environ
        if name.upper().startswith(PREFIX) and name.upper() not in OWN_VARIABLES
    }


def secrets_of(instances: Sequence[Settings], written: Written) -> frozenset[str]:
    """All texts that may stand in no report: secrets, and whatever the environment gave to the configuration.

    Of a file that is no configuration, what stands where secrets stand.
    """
    found: set[str] = set()
    for settings in instances:
        found |= set(_secrets(settings))
    found |= {taken(name) for name in (*VARIABLE.findall(written.text), *_variables().values())}
    if not instances:
        found |= set(_suspects(written.document, ""))
        found |= {match["double"] or match["single"] or "" for match in _SECRET_LINE.finditer(written.text)}
    return frozenset(found | {password for each in found if (password := _password(each))} - {""})


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    for name, item in (members_of(value) or {}).items():
        if name in DISCREET and item:
            yield item
        yield from _secrets(item)


def _suspects(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            # Under such a name, a whole table is as suspect as a text.
            yield from _suspects(item, name if _SECRET_KEY.search(name) else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _suspects(item, name)
    elif isinstance(value, str) and _SECRET_KEY.search(name):
        yield value


def _password(text: str) -> str:
    with suppress(ValueError):
        return unquote(urlsplit(text).password or "")
    return ""
