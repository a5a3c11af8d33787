"""Faults of a configuration as sentences: where, which key, what is wrong, what is taken instead.

A value is quoted only when it was written in the file, its key is no credential and it is short: what comes from the
environment may be a secret in the wrong place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_type_hints

from syncengine.config.lines import line_of
from syncengine.config.rules import nearest
from syncengine.config.service import GroupSettings, InboxSettings
from syncengine.config.settings import Settings, StreamSettings

if TYPE_CHECKING:
    from pydantic import ValidationError

Key = tuple[str, ...]

CREDENTIALS = {
    "client_id",
    "client_secret",
    "hash_key",
    "url",
    "storage_options",
    "token",
    "webhook",
    "smtp_user",
    "smtp_password",
    "mail_to",
}
QUOTED_CHARACTERS_MAX = 60
# The tables by name, and what holds each in the settings: Python keeps a word of its own, [import].
ATTRIBUTES = {name.rstrip("_"): name for name in Settings.__dataclass_fields__ if name != "source"}
TABLES = tuple(ATTRIBUTES)
IMPORT = "import"
IMPORT_ALIAS = "SYNCENGINE_IMPORT"
# Tables of tables, and what each of these takes.
NAMED: Mapping[str, Any] = {"streams": StreamSettings, "schedule": GroupSettings, "import": InboxSettings}
WANTED = {
    "int_type": "takes a whole number",
    "int_parsing": "takes a whole number",
    "int_parsing_size": "takes a whole number",
    "int_from_float": "takes a whole number",
    "bool_parsing": "takes true or false",
    "bool_type": "takes true or false",
    "float_type": "takes a number",
    "float_parsing": "takes a number",
    "string_type": "takes a text in quotes",
    "tuple_type": "takes a list of texts",
    "dict_type": "is a table",
    "dataclass_type": "is a table",
}


@dataclass(slots=True)
class Problems:
    """Collects faults; `lines` and `variables` say where each key was set."""

    lines: Mapping[Key, int] = field(default_factory=dict)
    variables: Mapping[Key, str] = field(default_factory=dict)  # keys set by SYNCENGINE_... variables
    substituted: set[Key] = field(default_factory=set)  # keys whose text came through ${...}
    written: Mapping[Key, Key] = field(default_factory=dict)  # keys that stand elsewhere in the file, and where
    told: dict[Key, str] = field(default_factory=dict)

    def add(self, key: Key, sentence: str) -> None:
        """Note the first fault of a key; what follows from it is not repeated."""
        self.told.setdefault(key, f"{self._place(key)}{'.'.join(self.as_written(key))} {sentence}")

    def as_written(self, key: Key) -> Key:
        """The key as the file has it: what is read as [limits] may stand in [instances.emea.limits]."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.written:
                return (*self.written[key[:length]], *key[length:])
        return key

    def add_invalid(self, error: "ValidationError") -> None:
        """Note everything that pydantic found."""
        for fault in error.errors(include_url=False, include_context=False):
            key = key_of(tuple(str(part) for part in fault["loc"] if not isinstance(part, int) and part != "[key]"))
            if key not in self.told:
                self.add(key, self._sentence(key, fault["type"], fault["msg"], fault["input"]))

    def sentences(self) -> tuple[str, ...]:
        """All faults in the order of the file, those without a line at its end."""
        far = len(self.lines) + max(self.lines.values(), default=0) + 1
        return tuple(text for _, text in sorted(self.told.items(), key=lambda item: self._line(item[0]) or far))

    def _line(self, key: Key) -> int | None:
        return line_of(self.as_written(key), self.lines)

    def _place(self, key: Key) -> str:
        if variable := self.variables.get(key):
            return f"{variable}: "
        line = self._line(key)
        return f"line {line}: " if line else ""

    def _sentence(self, key: Key, kind: str, message: str, value: Any) -> str:
        match kind:
            case "missing" if len(key) == 1:
                return f"is missing: add a table [{key[0]}]; `syncengine init` writes one to fill in"
            case "missing":
                return f"is missing: add it to [{'.'.join(self.as_written(key[:-1]))}]"
            case "unexpected_keyword_argument" | "extra_forbidden":
                table = ".".join(self.as_written(key)[:-1])
                return f"is not a key of [{table}]{nearest(key[-1], known_keys(key[:-1]))}"
            case "value_error":
                return message.removeprefix("Value error, ")
            case _:
                return WANTED.get(kind, message) + self._quoted(key, value)

    def _quoted(self, key: Key, value: Any) -> str:
        from_elsewhere = key in self.variables or key in self.substituted
        if from_elsewhere or CREDENTIALS & set(key) or not isinstance(value, str | int | float):
            return ""
        text = repr(value)
        return f", not {text}" if len(text) <= QUOTED_CHARACTERS_MAX else ""


def known_keys(table: Key) -> tuple[str, ...]:
    """The keys that a table takes."""
    if not table:
        return TABLES
    owner = NAMED.get(table[0]) or get_type_hints(Settings)[ATTRIBUTES[table[0]]]
    return tuple(owner.__dataclass_fields__)


def key_of(read: Key) -> Key:
    """The key that pydantic means: [import] goes by the name of its variable, as no attribute can be called so."""
    return (IMPORT, *read[1:]) if read[:1] == (IMPORT_ALIAS,) else read
