"""Several instances in one file: each has its own tables where it says so, and the common ones otherwise.

[instance] is the short form of one [instances.NAME]. A table such as [instances.emea.limits] goes key by key over
[limits]. What the daemon does, shows and tells stands once, and so does the state folder, in which everything is kept
by instance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncengine.config.problems import Key, Problems
from syncengine.config.rules import nearest
from syncengine.config.service import LOCAL_HOSTS
from syncengine.config.service_rules import listens_on_loopback, shortest_gap
from syncengine.config.settings import Settings
from syncengine.config.streams import is_brought

INSTANCE = "instance"
INSTANCES = "instances"
# Tables that an instance may have of its own.
OWN = ("limits", "polling", "destination", "sync", "streams", "imports", "assets", "privacy", "network")


@dataclass(frozen=True, slots=True)
class Written:
    """The document of one instance, and where in the file those of its keys stand that are its own."""

    document: Mapping[str, Any]
    keys: Mapping[Key, Key]


def instances_in(document: Mapping[str, Any], problems: Problems) -> Iterator[Written]:
    """Each instance's document, in the order of the file."""
    if INSTANCES not in document:
        yield Written(document, {})
        return
    named = document[INSTANCES]
    rest = {name: table for name, table in document.items() if name not in {INSTANCES, INSTANCE}}
    if INSTANCE in document:
        problems.add((INSTANCES,), "stands beside [instance]: keep one of the two")
    if not isinstance(named, dict) or not named:
        problems.add((INSTANCES,), "takes a table for each instance, such as [instances.emea]")
        return
    if len(named) > 1 and (variable := next((each for each in problems.variables if each[0] == INSTANCE), None)):
        problems.add(variable, "would say the same of every instance: take ${VARIABLES} in the file instead")
    for name, table in named.items():
        if isinstance(table, dict):
            yield _written(name, table, rest)
        else:
            problems.add((INSTANCES, name), "is a table")


def _written(name: str, table: Mapping[str, Any], common: Mapping[str, Any]) -> Written:
    own = {key: value for key, value in table.items() if key in OWN and isinstance(value, dict)}
    instance = {"name": name} | {key: value for key, value in table.items() if key not in own}
    keys = {
        path: (INSTANCES, name, *path)
        for key, value in own.items()
        for path in _paths((key,), value)
        if path != (key,) or key not in common
    }
    keys[INSTANCE,] = (INSTANCES, name)
    document = {**common, INSTANCE: instance}
    for key, value in own.items():
        document[key] = _over(common.get(key, {}), value)
    return Written(document, keys)


def _over(common: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    """A table with the keys of another over its own, tables within likewise."""
    if not isinstance(common, dict):
        return dict(own)
    return {
        **common,
        **{key: _over(common.get(key), value) if isinstance(value, dict) else value for key, value in own.items()},
    }


def _paths(path: Key, table: Mapping[str, Any]) -> Iterator[Key]:
    yield path
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _paths((*path, key), value)
        else:
            yield (*path, key)


def tell_between(found: Sequence[Settings], problems: Problems) -> None:
    """Note what does not fit between the instances, and between them and what the daemon is to do."""
    _tell_shared_places(found, problems)
    first, names = found[0], tuple(settings.instance.name for settings in found)
    _tell_groups(found, names, problems)
    for name, inbox in first.import_.items():
        key = ("import", name, "instance")
        if inbox.instance and inbox.instance not in names:
            problems.add(key, f"names an unknown instance{nearest(inbox.instance, names)}; known: {', '.join(names)}")
        elif not inbox.instance and len(names) > 1:
            problems.add(key, f"is missing: say into which of {', '.join(names)} its files go")
        others = (each for each in first.import_ if each != name and _overlap(inbox.path, first.import_[each].path))
        if other := next(others, ""):
            sentence = f"is the folder of [import.{min(name, other)}] too, or one of them lies in the other"
            problems.add(("import", max(name, other), "path"), sentence)
    service, notify = first.service, first.notify
    if service.listen and not listens_on_loopback(service.listen) and service.token is None:
        local = service.listen.rpartition(":")[2]
        problems.add(
            ("service", "token"),
            f'is missing: others can reach {service.listen}. Add token = "${{SYNCENGINE_TOKEN}}", '
            f'or listen on "{LOCAL_HOSTS[0]}:{local}"',
        )
    if notify.mail_to and not (notify.smtp_host and notify.mail_from):
        missing = "mail_from" if notify.smtp_host else "smtp_host"
        problems.add(("notify", missing), "is missing: mail_to says that mail is to be sent")
    if notify.smtp_security == "none" and notify.smtp_host not in {None, *LOCAL_HOSTS}:
        problems.add(("notify", "smtp_security"), 'takes "none" only with a mail server on this machine')


def _overlap(one: Path, other: Path) -> bool:
    """Whether two folders are the same, however they are spelt, or one lies in the other."""
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or other in one.parents


def _tell_groups(found: Sequence[Settings], names: Sequence[str], problems: Problems) -> None:
    first = found[0]
    for name, group in first.schedule.items():
        for key, chosen, known in (
            ("instances", group.instances, names),
            ("imports", group.imports, tuple(first.import_)),
        ):
            if unknown := [each for each in chosen if each not in known]:
                what = "an unknown instance" if key == "instances" else "an unknown watched folder"
                hint = nearest(unknown[0], tuple(known))
                problems.add(
                    ("schedule", name, key), f"names {what}, {unknown[0]}{hint}; known: {', '.join(known) or 'none'}"
                )
        if timedelta(minutes=group.jitter_minutes) >= (gap := shortest_gap(group.cron, group.zone)):
            problems.add(
                ("schedule", name, "jitter_minutes"),
                f"takes less than the {gap.total_seconds() / 60:g} minutes that lie between two times of its cron",
            )
        mine = [each for each in found if not group.instances or each.instance.name in group.instances]
        synced = {stream for each in mine for stream in each.sync.streams}
        if missing := [each for each in group.streams if not is_brought(each, synced)]:
            problems.add(
                ("schedule", name, "streams"),
                f"names {missing[0]}, which is not brought: add it to streams of [sync]",
            )
        elsewhere = [
            each
            for each in group.imports
            if (into := first.import_[each].instance if each in first.import_ else "")
            and into not in {settings.instance.name for settings in mine}
        ]
        if elsewhere:
            problems.add(
                ("schedule", name, "imports"),
                f"names {elsewhere[0]}, whose files go into an instance that the group does not work for",
            )
        if group.assets and mine and all(each.assets.path is None for each in mine):
            problems.add(("schedule", name, "assets"), "has no folder to bring them to: add path to [assets]")


def _tell_shared_places(found: Sequence[Settings], problems: Problems) -> None:
    taken: dict[object, str] = {}
    for settings in found:
        name, to, assets = settings.instance.name, settings.destination, settings.assets.path
        place = (to.type, to.url or to.path, to.schema if to.type in {"duckdb", "postgres"} else "")
        if place in taken:
            key = "schema" if to.type in {"duckdb", "postgres"} else "path"
            problems.add(
                (INSTANCES, name, "destination", key),
                f"is that of {taken[place]} too: give each instance its own in [instances.{name}.destination]",
            )
        if assets is not None and assets in taken:
            problems.add(
                (INSTANCES, name, "assets", "path"),
                f"is that of {taken[assets]} too: give each instance its own in [instances.{name}.assets]",
            )
        taken |= {place: name} | ({assets: name} if assets is not None else {})
