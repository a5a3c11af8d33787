"""The table of streams: what each is called, how it is asked for, what identifies, orders and dates its rows.

Everything that tells one stream from another stands here as data; the stages read it and know no stream by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from syncengine.marketo.dialect import ACTIVITY_COLUMNS
from syncengine.marketo.endpoints.exports import ACTIVITIES, LEADS, ExportKind
from syncengine.schema import Field

TimeFilter = Literal["createdAt", "updatedAt"]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Asked for by bulk export: the kind of job, and the filter that takes a window's rows."""

    kind: ExportKind
    filter_field: TimeFilter


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of rows.

    `key` identifies a row; of two rows with one key the later by `newer_by` is the newer; `dated_by` is when a row came
    to be, where that never changes. `columns` fixes the fields; without it they are those that describe names.
    """

    name: str
    way: Bulk
    key: tuple[str, ...]
    newer_by: str | None = None
    dated_by: str | None = None
    columns: tuple[Field, ...] = ()

    @property
    def is_bulk(self) -> bool:
        """Whether its rows come as files of bulk export."""
        return isinstance(self.way, Bulk)


STREAMS: Mapping[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream("leads", Bulk(LEADS, "updatedAt"), key=("id",), newer_by="updatedAt"),
        Stream(
            "activities",
            # On activities this filter means the activity's own date.
            Bulk(ACTIVITIES, "createdAt"),
            key=("marketoGUID",),
            dated_by="activityDate",
            columns=ACTIVITY_COLUMNS,
        ),
    )
}


def stream_of(name: str) -> Stream:
    """The stream of this name; KeyError for one that does not exist."""
    return STREAMS[name]
