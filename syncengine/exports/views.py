"""One view for each activity type: its rows alone, its attributes as typed columns, so that nobody has to read JSON.

Apart from the stream, whose table holds all types with their attributes as Marketo gave them: a view costs no room, and
a type that changes changes it alone.
"""

import re
import unicodedata
from collections.abc import Sequence

from syncengine.destinations import View, ViewColumn
from syncengine.marketo.dialect import field_type
from syncengine.marketo.rows import ActivityType

STREAM = "activities"
NAME_CHARACTERS_MAX = 60
# The columns that the views read.
READ = ("activityTypeId", "attributes")


def of_types(types: Sequence[ActivityType]) -> tuple[View, ...]:
    """The views, named `activities_` and the type's name in small letters; types of one name also carry their id."""
    named = [(each, view_name(each.name)) for each in types]
    names = [name for _, name in named]
    # A plain name must not be another's name with its id either.
    longer = {STREAM, *(f"{name}_{each.id}" for each, name in named)}
    return tuple(
        View(
            name=name if names.count(name) == 1 and name not in longer else f"{name}_{each.id}",
            stream=STREAM,
            field="activityTypeId",
            value=each.id,
            json="attributes",
            columns=tuple(ViewColumn(one.name, one.name, field_type(one.data_type)) for one in each.attributes),
        )
        for each, name in named
    )


def view_name(type_name: str) -> str:
    """A name that needs no quotes: `Fill Out Form` is `activities_fill_out_form`."""
    plain = unicodedata.normalize("NFKD", type_name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return f"{STREAM}_{words}"[:NAME_CHARACTERS_MAX] if words else STREAM
