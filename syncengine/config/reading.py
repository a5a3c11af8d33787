"""From a file's text and the environment to Settings, or to one ConfigError that lists every problem.

Order: TOML -> instances -> `${VARIABLE}` and `${file:PATH}` in values -> `SYNCENGINE_TABLE__KEY` overrides -> types and
bounds -> paths relative to the file. pydantic and pydantic-settings stay inside this module and are imported when a
file is read.
"""

import os
import stat
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from syncengine.config.across import expanded, tell_across
from syncengine.config.instances import Written, instances_in, tell_between
from syncengine.config.lines import key_lines
from syncengine.config.open_secrets import FROM_FILE, VARIABLE, open_secrets, taken
from syncengine.config.places import misfits
from syncengine.config.problems import ATTRIBUTES, IMPORT, IMPORT_ALIAS, TABLES, Key, Problems
from syncengine.config.rules import nearest
from syncengine.config.service import GroupSettings, InboxSettings, NotifySettings, ScheduleName, ServiceSettings
from syncengine.config.settings import (
    AssetSettings,
    DestinationSettings,
    ImportSettings,
    InstanceSettings,
    LimitSettings,
    NetworkSettings,
    PollingSettings,
    PrivacySettings,
    Settings,
    StateSettings,
    StreamName,
    StreamSettings,
    SyncSettings,
)
from syncengine.errors import ConfigError

DEFAULT_NAME = "syncengine.toml"
PREFIX = "SYNCENGINE_"
# Variables of the engine's own that set no key.
OWN_VARIABLES = frozenset({"SYNCENGINE_CONFIG", "SYNCENGINE_DEBUG"})
READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
MISSING = object()


def find(given: Path | None = None) -> Path:
    """The file that was asked for, else that of SYNCENGINE_CONFIG, else ./syncengine.toml."""
    if given:
        return given
    return Path(os.environ.get("SYNCENGINE_CONFIG") or DEFAULT_NAME)


def load(path: Path, instance: str | None = None) -> Settings:
    """Read one file; of several instances in it, the one that is named. Raises ConfigError."""
    return chosen(load_all(path), instance)


def load_all(path: Path) -> tuple[Settings, ...]:
    """Read one file; each instance in it has settings of its own. Raises ConfigError."""
    try:
        text = path.read_bytes().decode()
        shared = bool(path.stat().st_mode & READABLE_BY_OTHERS)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no configuration at {path}",
            advice=f"Write one with `syncengine init {path}`, or name another with -c or SYNCENGINE_CONFIG.",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file in UTF-8", advice="Name a TOML file with -c.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{path} cannot be read: {reason}", advice="Name a readable TOML file with -c.") from None
    return parse_all(text, path=path, shared=shared)


def chosen(found: Sequence[Settings], instance: str | None) -> Settings:
    """The settings of one instance. Raises ConfigError when it is not there, or not told which."""
    named = {settings.instance.name: settings for settings in found}
    if instance is None and len(found) == 1:
        return found[0]
    if instance in named:
        return named[instance]
    path, names = found[0].source, ", ".join(named)
    if instance is None:
        raise ConfigError(f"{path} has several instances: {names}", advice="Say which one with --instance NAME.")
    raise ConfigError(f"{path} has no instance {instance!r}", advice=f"It has {names}.")


def parse(text: str, *, path: Path, shared: bool = False) -> Settings:
    """The settings of the one instance in a TOML text."""
    return chosen(parse_all(text, path=path, shared=shared), None)


def parse_all(text: str, *, path: Path, shared: bool = False) -> tuple[Settings, ...]:
    """Settings of each instance in a TOML text; `shared`: others can read the file, so no secret may stand in it."""
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise _unusable(path, ("its brackets are nested too deep to be a configuration",)) from None
    except ValueError as error:
        raise _unusable(path, (f"it is not valid TOML: {error}",)) from None
    variables = {key: name for key, name in _variables().items() if "__" in name or _means_a_key(key[0], name, text)}
    lines, told = key_lines(text), dict[str, None]()
    found: list[Settings] = []
    general = Problems(lines, variables)
    for written in instances_in(document, general):
        problems = Problems(lines, variables, written=written.keys)
        settings = _one(written, problems, path, shared=shared)
        if settings is not None and not problems.told:
            found.append(settings)
        told |= dict.fromkeys(problems.sentences())
    if found and not told:
        tell_between(found, general)
    told = dict.fromkeys(general.sentences()) | told
    if told:
        raise _unusable(path, tuple(told))
    return tuple(found)


def _one(written: Written, problems: Problems, path: Path, *, shared: bool) -> Settings | None:
    document = written.document
    _refuse_unknown_tables(document, problems)
    if shared:
        for key, name in open_secrets(document):
            problems.add(key, f'can be read by others: chmod 600 {path}, or write "${{{name}}}" and set that variable')
    document = {name: _substituted(document[name], (name,), problems) for name in TABLES if name in document}
    document = {name: table for name, table in document.items() if table is not MISSING}
    settings = _validated(document, problems)
    if settings is None:
        # Without the values that are wrong, the others can still be told.
        settings = _validated(without(document, problems.told), problems)
    if settings is not None:
        if all(key[0] != "destination" for key in problems.told):
            for name, sentence in misfits(settings.destination):
                problems.add(("destination", name), sentence)
        settings = _completed(settings, path)
        tell_across(settings, problems)
    return settings


def _unusable(path: Path, problems: tuple[str, ...]) -> ConfigError:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    advice = "Nothing was sent. configs/reference.toml explains every key; `syncengine init` writes a fresh file."
    return ConfigError(f"{path} has {count}", problems=problems, advice=advice)


def without(document: Mapping[str, Any], keys: Collection[Key]) -> dict[str, Any]:
    """The tables without these keys."""
    return {
        name: without(value, [key[1:] for key in keys if key[0] == name and len(key) > 1])
        if isinstance(value, Mapping)
        else value
        for name, value in document.items()
        if (name,) not in keys
    }


def _variables() -> dict[Key, str]:
    """The SYNCENGINE_ variables of the environment by the key that each one sets, or means to set."""
    return {
        tuple(name.upper().removeprefix(PREFIX).lower().split("__")): name
        for name in os.environ
        if name.upper().startswith(PREFIX) and name.upper() not in OWN_VARIABLES
    }


def _refuse_unknown_tables(document: Mapping[str, Any], problems: Problems) -> None:
    for name in document:
        if name not in TABLES:
            problems.add((name,), f"is not a table of the configuration{nearest(name, TABLES)}")
    for key in problems.variables:
        if key[0] not in TABLES:
            problems.add(key, f"is not a key of the configuration{_meant(key[0])}")


def _means_a_key(word: str, name: str, text: str) -> bool:
    """Whether a variable without two underscores was meant to set something here.

    Not one that the file takes a value from, nor what others set for reasons of theirs (Kubernetes does so for a
    Service of our name, as SYNCENGINE_SERVICE_HOST): only a table, or a table's name with one underscore.
    """
    used = name in VARIABLE.findall(text)
    return not used and any(word == table or word.startswith(f"{table}_") for table in TABLES if table != "service")


def _meant(word: str) -> str:
    """A hint for a variable whose table and key stand together with one underscore, or nearly match a table."""
    table = next((name for name in TABLES if word.startswith(f"{name}_")), None)
    if table is None:
        return nearest(word, TABLES)
    key = word.removeprefix(f"{table}_").upper()
    return f"; did you mean {PREFIX}{table.upper()}__{key}, with two underscores?"


def _substituted(value: Any, key: Key, problems: Problems) -> Any:
    """The value with every ${VARIABLE} and ${file:PATH} replaced; MISSING, and a problem, where one is not there."""
    if isinstance(value, dict):
        table = {str(name): _substituted(item, (*key, str(name)), problems) for name, item in value.items()}
        return {name: item for name, item in table.items() if item is not MISSING}
    if isinstance(value, list):
        items = [_substituted(item, key, problems) for item in value]
        return MISSING if MISSING in items else items
    if not isinstance(value, str) or key in problems.variables:
        return value
    found = {name: taken(name) for name in VARIABLE.findall(value)}
    if absent := [name for name, text in found.items() if not text]:
        files = [name.removeprefix(FROM_FILE) for name in absent if name.startswith(FROM_FILE)]
        variables = [name for name in absent if not name.startswith(FROM_FILE)]
        if variables:
            problems.add(key, f"needs the environment variable {' and '.join(variables)}, which is not set or empty")
        else:
            problems.add(key, f"needs the file {' and '.join(files)}, which cannot be read or is empty")
        return MISSING
    if found:
        problems.substituted.add(key)
    return VARIABLE.sub(lambda match: found[match[1]], value)


def _validated(document: dict[str, Any], problems: Problems) -> Settings | None:
    from pydantic import Field, ValidationError
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

    class Document(BaseSettings):
        """The tables; what a variable of the environment sets goes over what the file says."""

        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")
        instance: InstanceSettings
        sync: SyncSettings
        limits: LimitSettings = LimitSettings()
        polling: PollingSettings = PollingSettings()
        state: StateSettings = StateSettings()
        destination: DestinationSettings = DestinationSettings()
        streams: dict[StreamName, StreamSettings] = {}
        imports: ImportSettings = ImportSettings()
        assets: AssetSettings = AssetSettings()
        privacy: PrivacySettings = PrivacySettings()
        network: NetworkSettings = NetworkSettings()
        service: ServiceSettings = ServiceSettings()
        schedule: dict[ScheduleName, GroupSettings] = {}
        import_: dict[ScheduleName, InboxSettings] = Field({}, validation_alias=IMPORT_ALIAS)
        notify: NotifySettings = NotifySettings()

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic-settings' signature
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the same
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the same
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, init_settings

    try:
        read = Document(**{IMPORT_ALIAS if name == IMPORT else name: table for name, table in document.items()})
    except ValidationError as error:
        problems.add_invalid(error)
        return None
    except SettingsError:
        for key in problems.variables:
            if len(key) == 1:
                problems.add(
                    key, f"takes a whole table as JSON; {problems.variables[key]}__KEY sets a single key of it"
                )
        return None
    return Settings(**{name: getattr(read, name) for name in ATTRIBUTES.values()})


def _completed(settings: Settings, path: Path) -> Settings:
    folder, ca_file = path.resolve().parent, settings.network.ca_file
    names = expanded(settings)
    return replace(
        settings,
        source=path,
        sync=replace(settings.sync, streams=names),
        state=replace(settings.state, path=folder / settings.state.path),
        destination=replace(settings.destination, path=folder / settings.destination.path),
        imports=replace(settings.imports, path=folder / settings.imports.path),
        assets=replace(settings.assets, path=settings.assets.path and folder / settings.assets.path),
        network=replace(settings.network, ca_file=ca_file and folder / ca_file),
        streams={name: StreamSettings() for name in names} | dict(settings.streams),
        service=replace(settings.service, reports=folder / settings.service.reports),
        import_={name: replace(inbox, path=folder / inbox.path) for name, inbox in settings.import_.items()},
    )
