"""The table of streams, and the columns that a run asks for."""

from typing import Any

import pytest

from syncengine.config import STREAMS as CONFIGURABLE
from syncengine.errors import ConfigError
from syncengine.exports.streams import STREAMS, Shape, shape
from syncengine.marketo.dialect import ACTIVITY_COLUMNS
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import Filter, create
from syncengine.marketo.rows import LeadField
from syncengine.schema import Field, FieldType
from tests.virtual import ORIGIN

LEADS, ACTIVITIES = STREAMS["leads"], STREAMS["activities"]
DESCRIBED = tuple(
    LeadField(name, name.title(), data_type, None, read_only=False)
    for name, data_type in (
        ("id", "integer"),
        ("email", "email"),
        ("updatedAt", "datetime"),
        ("leadScore", "score"),
        ("fullName", "formula"),
        ("birthday", "date"),
        ("tomorrow", "a type of tomorrow"),
    )
)


def names(shaped: Shape) -> tuple[str, ...]:
    return shaped.request_fields


def test_every_stream_that_can_be_configured_exists() -> None:
    """The configuration's names and the table's are the same, and a stream is called by its key."""
    assert sorted(CONFIGURABLE) == sorted(STREAMS)
    assert list(STREAMS) == [each.name for each in STREAMS.values()]


def test_no_two_streams_ask_for_the_same_kind() -> None:
    """A stream's jobs are told from another's by their kind alone."""
    assert len(STREAMS) == len({each.kind for each in STREAMS.values()})


@pytest.mark.parametrize("name", STREAMS)
def test_marketo_takes_each_stream_as_it_stands(name: str) -> None:
    """Kind, filter and columns of each stream make a valid create call."""
    stream = STREAMS[name]
    fields = shape(stream, DESCRIBED, (), ()).request_fields
    call = create(stream.kind, fields, Filter(stream.filter_field, ORIGIN, ORIGIN))
    assert (list(fields), [stream.filter_field]) == (call.json["fields"], list(call.json["filter"]))


def test_leads_are_followed_by_their_last_change() -> None:
    """A lead that changes is read again and replaces its older row: by updatedAt, keyed by id."""
    assert (exports.LEADS, "updatedAt", ("id",), "updatedAt") == (
        LEADS.kind,
        LEADS.filter_field,
        LEADS.key,
        LEADS.newer_by,
    )


def test_activities_never_change() -> None:
    """An activity is found by its own date and keyed by its GUID; no date of it says that one row is newer."""
    assert (exports.ACTIVITIES, "createdAt", ("marketoGUID",), None) == (
        ACTIVITIES.kind,
        ACTIVITIES.filter_field,
        ACTIVITIES.key,
        ACTIVITIES.newer_by,
    )


@pytest.mark.parametrize("wanted", [(), ("*",), ("*", "email")])
def test_all_fields_that_can_be_exported(wanted: tuple[str, ...]) -> None:
    """Nothing named, or a star, is everything in Marketo's order; formulas are left out, and that is said."""
    shaped = shape(LEADS, DESCRIBED, wanted, ())
    assert ("id", "email", "updatedAt", "leadScore", "birthday", "tomorrow") == names(shaped)
    assert ("leads: left out fullName: bulk export does not give formula fields.",) == shaped.notes


def test_types_are_our_own() -> None:
    """Each field carries the neutral type of Marketo's; one that is not known travels as text."""
    fields = shape(LEADS, DESCRIBED, ("leadScore", "birthday", "tomorrow"), ()).schema.fields
    assert (
        Field("id", FieldType.INTEGER),
        Field("updatedAt", FieldType.TIMESTAMP),
        Field("leadScore", FieldType.INTEGER),
        Field("birthday", FieldType.DATE),
        Field("tomorrow", FieldType.TEXT),
    ) == fields


@pytest.mark.parametrize("wanted", [("email",), ("email", "id"), ("updatedAt", "email")])
def test_key_and_date_come_unasked(wanted: tuple[str, ...]) -> None:
    """Rows can always be identified and ordered, and the order is Marketo's, not that of the configuration."""
    assert ("id", "email", "updatedAt") == names(shape(LEADS, DESCRIBED, wanted, ()))


def test_a_field_can_be_left_out() -> None:
    """Everything but."""
    assert ("id", "updatedAt", "leadScore", "tomorrow") == names(shape(LEADS, DESCRIBED, ("*",), ("email", "birthday")))


def test_activities_have_columns_of_their_own() -> None:
    """What describe says of leads, formulas included, does not touch activities."""
    whole = shape(ACTIVITIES, DESCRIBED, ("*",), ())
    part = shape(ACTIVITIES, DESCRIBED, ("activityDate",), ())
    assert (ACTIVITY_COLUMNS, ()) == (whole.schema.fields, whole.notes)
    assert (("marketoGUID", "activityDate"), ("marketoGUID",)) == (names(part), part.schema.key)


@pytest.mark.parametrize(
    ("stream", "wanted", "exclude", "words"),
    [
        (LEADS, ("Email",), (), "streams.leads.fields: Marketo has no field 'Email'"),
        (LEADS, ("*",), ("emial",), "streams.leads.exclude: Marketo has no field 'emial'"),
        (LEADS, ("*",), ("id",), "streams.leads.exclude: 'id' cannot be left out"),
        (LEADS, ("*",), ("updatedAt",), "streams.leads.exclude: 'updatedAt' cannot be left out"),
        (ACTIVITIES, ("email",), (), "streams.activities.fields: Marketo has no field 'email'"),
        (ACTIVITIES, ("*",), ("marketoGUID",), "streams.activities.exclude: 'marketoGUID' cannot be left out"),
    ],
)
def test_names_that_do_not_fit_are_refused(stream: Any, wanted: Any, exclude: Any, words: str) -> None:
    """A misspelt field, or one that rows need, is a fault of the configuration, told with the key it stands under."""
    with pytest.raises(ConfigError) as caught:
        shape(stream, DESCRIBED, wanted, exclude)
    (problem,) = caught.value.problems
    assert words == problem[: len(words)]


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends one name to find the next."""
    with pytest.raises(ConfigError) as caught:
        shape(LEADS, DESCRIBED, ("a", "email", "b"), ("c", "id"))
    assert 4 == len(caught.value.problems)
