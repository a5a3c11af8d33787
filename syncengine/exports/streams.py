"""The table of streams: what each is called, how it is asked for, what identifies and orders its rows.

Everything that tells one stream from another stands here as data; the stages read it and know no stream by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from syncengine.errors import ConfigError
from syncengine.marketo.dialect import ACTIVITY_COLUMNS, field_type, is_exportable
from syncengine.marketo.endpoints.exports import ACTIVITIES, LEADS, ExportKind
from syncengine.marketo.rows import LeadField
from syncengine.schema import Field, Schema


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of rows. `columns` fixes its fields; without it they are those that describe names."""

    name: str
    kind: ExportKind
    filter_field: Literal["createdAt", "updatedAt"]
    key: tuple[str, ...]
    newer_by: str | None
    columns: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A stream as this run asks for it: its columns, and what was left out and why."""

    stream: Stream
    schema: Schema
    notes: tuple[str, ...] = ()

    @property
    def request_fields(self) -> tuple[str, ...]:
        """The names that go into the create call, in order."""
        return self.schema.names


STREAMS: Mapping[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream("leads", LEADS, "updatedAt", key=("id",), newer_by="updatedAt"),
        Stream(
            "activities",
            ACTIVITIES,
            # On activities this filter means the activity's own date.
            "createdAt",
            key=("marketoGUID",),
            newer_by=None,
            columns=ACTIVITY_COLUMNS,
        ),
    )
}


def shape(stream: Stream, described: Sequence[LeadField], wanted: Sequence[str], exclude: Sequence[str]) -> Shape:
    """The stream's columns: those wanted (`*` for all) and not excluded, never without key and date.

    Raises ConfigError for names that Marketo does not have.
    """
    known = stream.columns or tuple(Field(each.name, field_type(each.data_type)) for each in described)
    names = [each.name for each in known]
    needed = {*stream.key, *((stream.newer_by,) if stream.newer_by else ())}
    problems = [
        f"streams.{stream.name}.{key}: Marketo has no field {name!r} here (names are case-sensitive REST names)."
        for key, listed in (("fields", wanted), ("exclude", exclude))
        for name in listed
        if name != "*" and name not in names
    ] + [
        f"streams.{stream.name}.exclude: {name!r} cannot be left out: rows are identified or ordered by it."
        for name in exclude
        if name in needed
    ]
    if problems:
        raise ConfigError(f"The fields of stream {stream.name} do not fit this instance.", problems=tuple(problems))
    formulas = [each.name for each in described if not stream.columns and not is_exportable(each.data_type)]
    chosen = set(names if "*" in wanted or not wanted else wanted) - set(exclude) - set(formulas) | needed
    notes = (
        (f"{stream.name}: left out {', '.join(formulas)}: bulk export does not give formula fields.",)
        if formulas
        else ()
    )
    return Shape(stream, Schema(tuple(each for each in known if each.name in chosen), stream.key), notes)
