"""How each stream is asked for, in words that agree with the table and with Marketo's limits."""

import pytest

from syncengine.exports.asking import ONE_CALL, asked, lines
from syncengine.exports.streams import STREAMS, Bulk, ByKey, Listing, Since, stream_of


@pytest.mark.parametrize("name", STREAMS)
def test_every_stream_has_its_words(name: str) -> None:
    """No stream is left without a way and a cost, and a cost names calls."""
    way, cost, cursor = asked(STREAMS[name])
    assert way
    assert "call" in cost
    assert "1 call" in cost or isinstance(STREAMS[name].way, Bulk)
    assert cursor in {"", "updatedAt", "createdAt", "activityDate"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("leads", ("bulk export", "31 days or fewer: 3 calls; 1 a minute for all", "updatedAt")),
        ("custom_object_car_c", ("bulk export", "31 days or fewer: 3 calls; 1 a minute for all", "updatedAt")),
        ("program_members", ("bulk export", "10 programs: 3 calls; 1 a minute for all", "updatedAt")),
        ("list_members", ("bulk export", "a list: 3 calls; 1 a minute for all", "")),
        ("deleted_leads", ("pages since the cursor", "300 rows: 1 call; 1 to begin", "activityDate")),
        ("lists", ("whole listing", "300 rows: 1 call", "")),
        ("programs", ("whole listing", "200 rows: 1 call", "")),
        ("usage", ("whole listing", "1 call", "")),
        ("fields", ("describe of each object", "an object: 1 call", "")),
        ("opportunity_roles", ("by key", "300 changed values of leads.id: 1 call", "")),
        ("companies", ("by key", "300 values of leads.externalCompanyId: 1 call", "")),
        ("named_accounts", ("pages of each list", "a list, or 300 rows of it: 1 call", "")),
    ],
)
def test_words_of_each_way(name: str, words: tuple[str, str, str]) -> None:
    """Days, rows and keys are those that Marketo allows in one go."""
    assert words == asked(stream_of(name))


def test_what_is_read_by_time_has_a_cursor() -> None:
    """And what is read whole, or by key, has none."""
    for stream in STREAMS.values():
        cursor = asked(stream)[2]
        match stream.way:
            case Since():
                assert cursor
            case Listing() | ByKey():
                assert not cursor
            case Bulk():
                assert (stream.way.filter_field or "") == cursor


def test_streams_of_one_call_are_streams() -> None:
    """A renamed stream does not lose its words."""
    assert set(ONE_CALL) <= set(STREAMS)


def test_custom_objects_stand_behind_the_table_once() -> None:
    """Those that are configured and those that were found; all of them are on where the star is."""
    one, two = "custom_object_a", "custom_object_b"
    named = lines(["leads", one], [one, two])
    assert [*STREAMS, one, two] == [each.stream for each in named]
    assert {"leads": True, one: True, two: False, "activities": False}.items() <= {
        each.stream: each.is_on for each in named
    }.items()
    starred = lines(["custom_object_*"], [one, two])
    assert [one, two] == [each.stream for each in starred if each.is_on]
