"""Secrets that are written out in the file: they may stand only where nobody but its owner can read them."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

VARIABLE = re.compile(r"\$\{([^}]*)\}")
# ${file:/run/secrets/marketo}: what systemd, Docker and Kubernetes hand over, read anew with the configuration.
FROM_FILE = "file:"
# Keys that are nothing but a secret, and the variable that each is usually taken from.
SECRETS = {
    ("instance", "client_secret"): "MARKETO_CLIENT_SECRET",
    ("privacy", "hash_key"): "SYNCENGINE_HASH_KEY",
    ("service", "token"): "SYNCENGINE_TOKEN",
    ("notify", "webhook"): "SLACK_WEBHOOK",
    ("notify", "smtp_password"): "SMTP_PASSWORD",
}
_TAKEN = "\0"  # stands where a variable stood
_PASSWORD = re.compile(r"://[^/@\s]*:(?!\0@)[^/\s]+@|(?:^|[?&\s])password\s*=\s*(?!\0(?:[\s&]|$))[^\s&]", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"secret|token|password|key|sas|credential", re.IGNORECASE)


def open_secrets(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each key with a secret in plain sight, before variables are put in, and the variable to take it from instead."""
    for (table, name), variable in SECRETS.items():
        if _is_written_out(_of(document, table).get(name)):
            yield (table, name), variable
    destination = _of(document, "destination")
    url = destination.get("url")
    if isinstance(url, str) and _PASSWORD.search(VARIABLE.sub(_TAKEN, url)):
        yield ("destination", "url"), "DATABASE_URL"
    for name, value in _of(destination, "storage_options").items():
        if _SECRET_OPTION.search(name) and _is_written_out(value):
            yield ("destination", "storage_options", name), name.upper()


def taken(name: str) -> str:
    """The text of a variable, or of a file without the line's end; nothing where there is none."""
    if not name.startswith(FROM_FILE):
        return os.environ.get(name, "")
    try:
        return Path(name.removeprefix(FROM_FILE)).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError):
        return ""


def _is_written_out(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not VARIABLE.fullmatch(value)


def _of(document: Mapping[str, Any], table: str) -> Mapping[str, Any]:
    found = document.get(table)
    return found if isinstance(found, dict) else {}
