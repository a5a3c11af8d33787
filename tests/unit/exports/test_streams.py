"""The table of streams: what it says of each agrees with what Marketo takes, and with the other streams."""

import pytest

from syncengine.config import STREAMS as CONFIGURABLE
from syncengine.exports.fields import Choice, needed_by, shape
from syncengine.exports.streams import STREAMS, Bulk, ByKey, Stream, stream_of
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import Filter, create
from syncengine.marketo.reply import Malformed
from syncengine.marketo.rows import LeadField
from tests.virtual import ORIGIN

BULK = [name for name, stream in STREAMS.items() if isinstance(stream.way, Bulk)]
OF_PARTS = {"": Filter(), "programs": Filter(program_ids=(1, 2)), "lists": Filter(static_list_id=7)}


def described(stream: Stream) -> tuple[LeadField, ...]:
    """Fields as describe names them, with those that the stream cannot do without."""
    return tuple(LeadField(name, name, "string", None, read_only=False) for name in sorted(needed_by(stream)))


def test_what_can_be_configured_exists() -> None:
    """Each name that the configuration takes is in the table, and a stream is called by its key."""
    assert set(CONFIGURABLE) <= set(STREAMS)
    assert list(STREAMS) == [each.name for each in STREAMS.values()]


@pytest.mark.parametrize("name", BULK)
def test_marketo_takes_each_bulk_stream_as_it_stands(name: str) -> None:
    """Kind, filter and part of each stream make a valid create call."""
    stream = STREAMS[name]
    way = stream.way
    assert isinstance(way, Bulk)
    fields = shape(stream, described(stream), Choice()).schema.names
    moment = ORIGIN if way.filter_field else None
    part = OF_PARTS[way.parts]
    chosen = Filter(way.filter_field, moment, moment, program_ids=part.program_ids, static_list_id=part.static_list_id)
    assert {**chosen.as_json()} == create(way.kind, fields, chosen).json["filter"]


def test_leads_are_followed_by_their_last_change() -> None:
    """A lead that changes is read again and replaces its older row: by updatedAt, keyed by id."""
    stream = STREAMS["leads"]
    assert Bulk(exports.LEADS, "updatedAt") == stream.way
    assert (("id",), "updatedAt", None) == (stream.key, stream.newer_by, stream.dated_by)


def test_activities_never_change() -> None:
    """An activity is found by its own date and keyed by its GUID; no date of it says that one row is newer."""
    stream = STREAMS["activities"]
    assert Bulk(exports.ACTIVITIES, "createdAt") == stream.way
    assert (("marketoGUID",), None, "activityDate") == (stream.key, stream.newer_by, stream.dated_by)


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_fixed_columns_hold_what_rows_are_told_apart_by(stream: Stream) -> None:
    """Where the columns do not come from describe, keys and dates are among them."""
    assert set() == (needed_by(stream) if stream.columns else set()) - {field.name for field in stream.columns}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_comes_after_those_that_give_it_keys(stream: Stream) -> None:
    """Whatever is asked for by keys of another stream finds those of this run."""
    assert [] == [name for name in stream.needs if STREAMS[name].turn >= stream.turn]
    if isinstance(stream.way, ByKey):
        assert stream.way.stream in stream.needs


def test_custom_objects_are_streams_too() -> None:
    """The name says which object: exported by updatedAt, in a kind of its own, keyed by Marketo's GUID."""
    stream = stream_of("custom_object_pet_c")
    assert Bulk(exports.custom_object("pet_c"), "updatedAt") == stream.way
    assert (("marketoGUID",), "updatedAt", True) == (stream.key, stream.newer_by, stream.is_bulk)


@pytest.mark.parametrize(("name", "error"), [("people", KeyError), ("custom_object_../leads", Malformed)])
def test_what_cannot_be_a_stream_is_refused(name: str, error: type[Exception]) -> None:
    """A misspelt name, and an object's name that would lead to another path of the API."""
    with pytest.raises(error):
        stream_of(name)
