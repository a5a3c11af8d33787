"""The settings of a drop: from the TOML beside it to an order that the imports take, or to an error with all problems.

    into = "leads"                      # leads | custom-objects | program-members
    lookup_field = "email"              # of leads; so are list_id and partition
    max_failures = "20%"

    [columns]                           # which field a column is, where its heading does not say it
    "E-Mail" = "email"

The keys are the options of `syncengine import`, and mean the same.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from syncengine.config.rules import nearest
from syncengine.errors import ConfigError
from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import WAIT_MAX, Asked
from syncengine.imports.brake import FAILURES_MAX
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.imports.texts import share_of, span_of

SETTINGS_BYTES_MAX: Final = 1_000_000
NAME_CHARACTERS_SHOWN: Final = 60
INTO: Final = tuple(kind.value for kind in Kind)
# What only one kind of import takes, and which of it has to be there.
OF_KIND: Final[Mapping[str, Kind]] = {
    "lookup_field": Kind.LEADS,
    "list_id": Kind.LEADS,
    "partition": Kind.LEADS,
    "api_name": Kind.CUSTOM_OBJECTS,
    "program_id": Kind.PROGRAM_MEMBERS,
    "status": Kind.PROGRAM_MEMBERS,
}
NEEDED: Final = ("api_name", "program_id", "status")


def asked_of(file: Path, settings: Path | None) -> Asked:
    """The order to import `file` by these settings; without any, its rows are leads that are told apart by email.

    A run of its own always: it is known by the file that it reads, not by what that holds. Raises ConfigError with
    every problem of the settings.
    """
    found = _Reading(_document(settings) if settings else {})
    values = found.values
    kind = Kind(values.get("into", Kind.LEADS.value))
    found.check_kind(kind)
    if found.problems:
        assert settings is not None
        count = "1 problem" if len(found.problems) == 1 else f"{len(found.problems)} problems"
        raise ConfigError(f"the settings {settings.name} have {count}", problems=tuple(found.problems))
    return Asked(
        target=_target(kind, values),
        files=(str(file),),
        mapping=values.get("columns", {}),
        encoding=values.get("encoding"),
        route=Route(values.get("route", Route.AUTO.value)),
        allow_clear=values.get("allow_clear", False),
        policy=Policy(values.get("on_ambiguous", Policy.VERIFY.value)),
        failures_max=values.get("max_failures", FAILURES_MAX),
        wait_max=values.get("max_wait", WAIT_MAX),
        is_new=True,
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(SETTINGS_BYTES_MAX + 1)
        if len(content) > SETTINGS_BYTES_MAX:
            raise ConfigError(f"the settings {path.name} are larger than {SETTINGS_BYTES_MAX:,} bytes")
        return tomllib.loads(content.decode())
    except OSError as error:
        raise ConfigError(f"the settings {path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the settings {path.name} are no text in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the settings {path.name} are no TOML: {error}") from None


def _target(kind: Kind, values: Mapping[str, Any]) -> Target:
    match kind:
        case Kind.LEADS:
            return Target(
                kind=kind,
                keys=(values.get("lookup_field", "email"),),
                list_id=values.get("list_id"),
                partition=values.get("partition", ""),
            )
        case Kind.CUSTOM_OBJECTS:
            return Target(kind=kind, keys=(), api_name=values["api_name"])
        case Kind.PROGRAM_MEMBERS:
            return Target(kind=kind, keys=("email",), program_id=values["program_id"], status=values["status"])


@dataclass(slots=True)
class _Reading:
    """A document read key by key: what can be used of it, and a sentence for all that cannot."""

    document: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for key, value in self.document.items():
            if key not in KEYS:
                known = tuple(KEYS)
                hint = nearest(key, known) or f"; known: {', '.join(known)}"
                self.problems.append(f"{key[:NAME_CHARACTERS_SHOWN]!r} is no key of them{hint}")
                continue
            try:
                self.values[key] = KEYS[key](key, value)
            except ValueError as error:
                self.problems.append(f"{key} {error}")
            except ConfigError as error:
                self.problems.append(f"{error.message}: {error.advice[:1].lower()}{error.advice[1:].rstrip('.')}")

    def check_kind(self, kind: Kind) -> None:
        """Note what does not belong to this kind of import, and what it lacks; of an unknown kind nobody can say."""
        if "into" in self.document and "into" not in self.values:
            return
        for key, of in OF_KIND.items():
            if of is kind and key in NEEDED and key not in self.document:
                self.problems.append(f"{key} is missing: an import into {kind.value} needs it")
            elif of is not kind and key in self.document:
                self.problems.append(f'{key} is for into = "{of.value}", and these are for {kind.value}')


def _text(_: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("takes a text in quotes")
    return value


def _number(_: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 63:
        raise ValueError("takes a whole number above 0")
    return value


def _switch(_: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("takes true or false")  # noqa: TRY004  # as all others here
    return value


def _share(key: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return share_of(str(value) if is_number else _text(key, value), key)


def _columns(_: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('is a table: [columns], then lines such as "E-Mail" = "email"')  # noqa: TRY004
    if wrong := [name for name, name_of_field in value.items() if not isinstance(name_of_field, str)]:
        names = ", ".join(repr(name[:NAME_CHARACTERS_SHOWN]) for name in wrong)
        raise ValueError(f"gives {names} something else than the name of a field")
    return value


def _one_of(*known: str) -> Callable[[str, Any], str]:
    def check(_: str, value: Any) -> str:
        if value not in known:
            hint = nearest(value, known) if isinstance(value, str) else ""
            raise ValueError(f"takes one of {', '.join(known)}{hint}")
        return str(value)

    return check


KEYS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "into": _one_of(*INTO),
    "lookup_field": _text,
    "list_id": _number,
    "partition": _text,
    "api_name": _text,
    "program_id": _number,
    "status": _text,
    "encoding": _text,
    "route": _one_of(*(route.value for route in Route)),
    "allow_clear": _switch,
    "on_ambiguous": _one_of(*(policy.value for policy in Policy)),
    "max_failures": _share,
    "max_wait": lambda key, value: span_of(_text(key, value), key),
    "columns": _columns,
}
