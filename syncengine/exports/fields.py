"""Which fields of a stream are asked for, under which type, and what becomes of personal ones: plain choices on names.

Apart from the table of streams, which says what there is: here is what the configuration makes of it.

`fields`, `exclude` and `hash` take names as the REST API spells them, case-sensitive, or patterns of the shell (`*`,
`?`, `[ab]`). What identifies, orders or dates a row is always asked for and never hashed. A hashed field is text,
whatever it was: what leaves the spool is its keyed hash alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Protocol

from syncengine.errors import ConfigError
from syncengine.exports.streams import Stream
from syncengine.marketo.dialect import field_type, is_exportable
from syncengine.marketo.limits import EXPORT_FIELD_NAMES_CHARACTERS_MAX, EXPORT_FIELDS_MAX
from syncengine.schema import Field, FieldType, Schema

UNPARSED = Field("_unparsed", FieldType.JSON)
WILD = frozenset("*?[")


class Described(Protocol):
    """A field as a describe call names it."""

    @property
    def name(self) -> str:
        """The REST name."""
        ...

    @property
    def data_type(self) -> str:
        """Marketo's word for its type."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What the configuration says about a stream's fields: names and patterns."""

    fields: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A stream as this run asks for it: its columns, those that are hashed, and what was left out and why."""

    stream: Stream
    schema: Schema
    hashed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def landed(self) -> Schema:
        """The schema of what reaches the destination: the columns, and the text of cells that did not fit."""
        return landed(self.schema)


def shape(stream: Stream, described: Sequence[Described], choice: Choice) -> Shape:
    """The stream's columns: those chosen and not excluded, never without what identifies and orders its rows.

    Raises ConfigError for names that Marketo does not have, and for patterns that no name fits.
    """
    known = stream.columns or tuple(Field(each.name, field_type(each.data_type)) for each in described)
    names = [each.name for each in known]
    needed = needed_by(stream)
    if problems := _problems(stream, names, needed, choice):
        raise ConfigError(f"The fields of stream {stream.name} do not fit this instance.", problems=tuple(problems))
    wanted = matching(choice.fields, names) - matching(choice.exclude, names)
    formulas = [each.name for each in described if stream.is_bulk and not is_exportable(each.data_type)]
    left_out = [name for name in formulas if name in wanted]
    chosen = (wanted - set(formulas)) | needed
    hashed = tuple(name for name in names if name in (matching(choice.hash, names) & chosen) - needed)
    columns = [
        Field(each.name, FieldType.TEXT) if each.name in hashed else each for each in known if each.name in chosen
    ]
    notes = [f"left out {', '.join(left_out)}: bulk export does not give formula fields."] if left_out else []
    return Shape(stream, Schema(tuple(columns), stream.key), hashed, tuple(notes))


def landed(schema: Schema) -> Schema:
    """The stream's columns, then `_unparsed`, the text of cells that did not fit."""
    return Schema((*schema.fields, UNPARSED), schema.key)


def needed_by(stream: Stream) -> frozenset[str]:
    """The fields without which rows of the stream cannot be told apart, ordered or dated."""
    return frozenset({*stream.key, *(name for name in (stream.newer_by, stream.dated_by) if name)})


def matching(patterns: Iterable[str], names: Collection[str]) -> set[str]:
    """The names that a name or pattern of the list fits."""
    return {name for pattern in patterns for name in names if pattern == name or fnmatchcase(name, pattern)}


def parts(names: Sequence[str], repeated: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """The names in as few lists as one create call each can carry; `repeated` ones are in every list.

    Long lists are refused by subscriptions: more than 300 names, or more than 7,300 characters of them.
    """
    every = [name for name in names if name in repeated]
    lists: list[list[str]] = [[*every]]
    for name in names:
        if name in repeated:
            continue
        if not _fits([*lists[-1], name]):
            lists.append([*every])
        lists[-1].append(name)
    return tuple(tuple(each) for each in lists)


def _fits(names: Sequence[str]) -> bool:
    characters = sum(len(name) + 1 for name in names)
    return len(names) <= EXPORT_FIELDS_MAX and characters <= EXPORT_FIELD_NAMES_CHARACTERS_MAX


def _problems(stream: Stream, names: Sequence[str], needed: frozenset[str], choice: Choice) -> list[str]:
    found = []
    for key, listed in (("fields", choice.fields), ("exclude", choice.exclude), ("hash", choice.hash)):
        for name in listed:
            if matching([name], names):
                continue
            where = f"streams.{stream.name}.{key}"
            if WILD & set(name):
                found.append(f"{where}: no field fits the pattern {name!r} here.")
                continue
            near = get_close_matches(name, names, n=1, cutoff=0.8)
            hint = f"; did you mean {near[0]!r}?" if near else " (names are case-sensitive REST names)."
            found.append(f"{where}: Marketo has no field {name!r} here{hint}")
    found += [
        f"streams.{stream.name}.{key}: {name!r} cannot be {done}: rows are identified or ordered by it."
        for key, listed, done in (("exclude", choice.exclude, "left out"), ("hash", choice.hash, "hashed"))
        for name in listed
        if name in needed
    ]
    return found
