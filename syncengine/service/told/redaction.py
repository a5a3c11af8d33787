"""What of a text may leave the house in a notice: one line, without a secret of the settings or a person's address.

Apart from `observe.redaction`, which knows what secrets look like: here are those of these settings, and the stricter
manner of a message that goes to a chat or a mailbox.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from syncengine.config.rules import Secret
from syncengine.config.settings import Settings
from syncengine.observe.redaction import HIDDEN, LENGTH_MIN, Redaction

# A longer text is no sentence, and is never shown as a whole.
TEXT_MAX = 2_000
# So short a secret stands in words by chance: it is hidden where it stands alone, and a shorter one is none.
ALONE_MIN = 3
PERSON = "(e-mail)"
# A part of a webhook's path that is its secret by itself.
SEGMENT_MIN = 12
_BESIDE = r"\s\"'<>()\[\]{},;:=|\\"
_ADDRESS = re.compile(rf"(?<![^{_BESIDE}])[^{_BESIDE}@]++@[^{_BESIDE}]+")
_ENCODED_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++%40[\w.%-]+", re.IGNORECASE)
# A password with a / or an @ in it would end the place of a user too early.
_ADDRESS_WITH_USER = re.compile(r"(?<![a-z])([a-z][a-z0-9+.-]{1,20}://)[^\s\"'<>]*@", re.IGNORECASE)
_DSN_PASSWORD = re.compile(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s&]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Discretion:
    """Makes one discreet line of a text: none of `secrets`, no address, nothing that only a terminal understands."""

    secrets: Collection[str] = field(default=(), repr=False)

    def line(self, text: str) -> str:
        """The text as one printable line."""
        if len(text) > TEXT_MAX:
            # Half a word might be half a secret.
            text = f"{text[:TEXT_MAX].rpartition(' ')[0]} …"
        text = Redaction(frozenset(self.secrets)).text(text)
        for short in sorted({each for each in self.secrets if ALONE_MIN <= len(each) < LENGTH_MIN}, key=len):
            text = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", HIDDEN, text)
        text = _ADDRESS_WITH_USER.sub(rf"\1{HIDDEN}@", text)
        text = _ENCODED_ADDRESS.sub(PERSON, _ADDRESS.sub(PERSON, text))
        return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every secret of a configuration, and the parts of those that are secret by themselves."""
    found = {settings.instance.client_id, *_revealed(settings)}
    parts = {part for each in found for part in _passwords(each)}
    if webhook := settings.notify.webhook:
        address = urlsplit(webhook.reveal().strip())
        segments = re.split(r"[/?&=]", f"{address.path}?{address.query}")
        parts |= {address.path.strip("/"), *(each for each in segments if len(each) >= SEGMENT_MIN)}
    return frozenset(each.strip() for each in found | parts) - {""}


def _revealed(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _revealed(item)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _revealed(getattr(value, each.name))


def _passwords(connection: str) -> Iterator[str]:
    """What opens a database, as it stands in an address or in a list of names and values, and decoded."""
    with suppress(ValueError):
        if password := urlsplit(connection).password:
            yield from (password, unquote(password))
    for quoted, bare in _DSN_PASSWORD.findall(connection):
        yield from (quoted, re.sub(r"\\(.)", r"\1", quoted), bare)
