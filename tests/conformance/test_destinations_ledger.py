"""The ledger is the truth about what was applied, and fences those who are too late: every destination."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from syncengine.destinations import Applied, Interval, Standing
from syncengine.errors import ConfigError, DestinationFenced, DestinationUnavailable, FileDamaged
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import ID, NAME, PEOPLE, UPDATED, at, batch, people, window


def test_a_window_is_applied_once(place: Place) -> None:
    """A window that the ledger holds is answered without reading its rows."""
    first = place.open().apply(window("w1", (1, at(1), "a")))
    unread = iter([batch(PEOPLE, (2, at(1), "b"))])
    again = place.open().apply(window("w1", epoch=2, batches=unread))

    assert (first.already, again) == (False, Applied(already=True))
    assert len(list(unread)) == 1
    assert people(place) == [(1, at(1), "a")]


def test_a_failure_while_reading_leaves_nothing(place: Place) -> None:
    """What the rows' source raises comes out as it is, and neither rows, columns nor ledger have moved."""
    place.open().apply(window("w1", (1, at(1), "a")))
    wider = Schema((ID, UPDATED, Field("name", FieldType.JSON), Field("extra", FieldType.TEXT)), ("id",))

    def torn() -> Iterator[pa.RecordBatch]:
        yield batch(wider, (1, at(2), "1", "x"), (2, at(2), "2", "y"))
        raise FileDamaged("torn")

    before = place.rows("people")
    with pytest.raises(FileDamaged, match="torn"):
        place.open().apply(window("w2", schema=wider, day=1, batches=torn()))

    assert place.rows("people") == before
    assert place.open().holds("acme", "people", "w2") is False
    assert place.open().standing("acme", "people") == Standing((Interval(at(0), at(24)),), 1)


def test_an_older_epoch_is_refused(place: Place) -> None:
    """Once a later run has committed, an earlier one may not, not even a window that is known."""
    place.open().apply(window("w1", (1, at(1), "a"), epoch=1))
    place.open().apply(window("w2", (1, at(2), "b"), epoch=2, day=1))

    for late in (window("w3", (1, at(3), "c"), epoch=1, day=2), window("w1", (1, at(1), "a"), epoch=1)):
        with pytest.raises(DestinationFenced):
            place.open().apply(late)

    assert people(place) == [(1, at(2), "b")]


def test_streams_fence_apart(place: Place) -> None:
    """An epoch counts for its own stream."""
    place.open().apply(window("w1", (1, at(1), "a"), epoch=7))

    assert place.open().apply(window("w1", (1, at(1), "a"), epoch=1, stream="others")) == Applied(inserted=1)


SLOW_WRITER = """
import sys
{opening}
from syncengine.errors import DestinationFenced
from tests.conformance.windows import PEOPLE, at, batch, window

def rows():
    yield batch(PEOPLE, (1, at(1), "old"))
    print("reading", flush=True)
    sys.stdin.readline()
    yield batch(PEOPLE, (2, at(1), "old"))

try:
    print(destination.apply(window("w1", epoch=1, batches=rows())).inserted)
except DestinationFenced:
    print("fenced")
"""


def test_of_two_writers_at_once_the_older_is_stopped(place: Place) -> None:
    """While a run reads its rows a later one begins: either it waits outside, or the earlier one commits nothing."""
    command = [sys.executable, "-c", SLOW_WRITER.format(opening=place.opening)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as slow:
        assert slow.stdout is not None
        assert "reading\n" == slow.stdout.readline()
        later = window("w2", (1, at(1), "new"), epoch=2, read=1)
        try:
            place.open().apply(later)
        except DestinationUnavailable:
            told = slow.communicate("\n")[0]
            assert "2\n" == told
            place.open().apply(later)
            expected = [(1, at(1), "new"), (2, at(1), "old")]
        else:
            told = slow.communicate("\n")[0]
            assert "fenced\n" == told
            expected = [(1, at(1), "new")]

    assert expected == people(place)
    assert 2 == place.open().standing("acme", "people").epoch


def test_another_instance_may_not_write_the_same_table(place: Place) -> None:
    """Rows of two instances are never mixed: the second is told whose table it is."""
    place.open().apply(window("w1", (1, at(1), "a")))

    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().apply(window("w2", (1, at(2), "b"), instance="globex"))

    assert people(place) == [(1, at(1), "a")]


def test_streams_that_differ_in_case_may_not_share_a_table(place: Place) -> None:
    """As names have no case in one of the destinations, the second stream is told whose table it would write to."""
    place.open().apply(window("w1", (1, at(1), "a")))

    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().apply(window("w2", (1, at(2), "b"), stream="People"))


@pytest.mark.parametrize("name", ["_marketo_sync", "_marketo_marks", "_rejected", "_Marketo_Sync"])
def test_a_stream_never_takes_our_own_tables(place: Place, name: str) -> None:
    """Bookkeeping is nobody's stream."""
    place.open().check()
    with pytest.raises(ConfigError, match=name):
        place.open().apply(window("w1", (1, at(1), "a"), stream=name))

    assert place.open().standing("acme", "people") == Standing()


def test_standing_tells_what_is_committed(place: Place) -> None:
    """Stretches that touch or overlap are one, gaps stay gaps, only the stream's own count; another's are refused."""
    destination = place.open()
    assert destination.standing("acme", "people") == Standing()
    for number, (day, epoch) in enumerate([(0, 1), (4, 1), (1, 2), (5, 3), (1, 3)]):
        destination.apply(window(f"w{number}", day=day, epoch=epoch))
    destination.apply(window("w9", day=2, epoch=9, stream="others"))

    standing = place.open().standing("acme", "people")

    assert standing == Standing((Interval(at(0), at(48)), Interval(at(96), at(144))), 3)
    with pytest.raises(ConfigError, match="holds people of acme"):
        destination.standing("globex", "people")


def test_the_ledger_answers_for_each_window(place: Place) -> None:
    """A window is held by its instance and stream alone, even one without rows."""
    assert place.open().holds("acme", "people", "w1") is False
    place.open().apply(window("w1"))

    asked = [("acme", "people"), ("acme", "others"), ("globex", "people")]
    assert [place.open().holds(*whose, "w1") for whose in asked] == [True, False, False]
    assert place.open().holds("acme", "people", "w2") is False


def test_check_names_the_destination(place: Place) -> None:
    """A check leaves an empty destination that is ready, and may be repeated."""
    assert place.open().check() == place.open().check()
    assert place.open().standing("acme", "people") == Standing()


def test_readers_see_whole_windows_in_between(place: Place) -> None:
    """Between two windows other programs read what is committed, as often as they like."""
    destination = place.open()
    seen = []
    for number in (1, 2):
        destination.apply(window(f"w{number}", (number, at(1), "a"), day=number))
        seen += [len(place.rows("people")), len(place.rows("people"))]

    assert seen == [1, 1, 2, 2]


def test_what_is_closed_can_be_opened_again(place: Place) -> None:
    """Closing gives everything back; it may be repeated, and comes before anything was opened as well."""
    place.open().close()
    destination = place.open()
    destination.apply(window("w1", (1, at(1), "a")))
    destination.close()
    destination.close()

    assert place.open().apply(window("w2", (2, at(1), "b"), day=1)) == Applied(inserted=1)


def test_while_it_is_occupied_nothing_is_applied(place: Place) -> None:
    """Every operation says so, nothing is applied, and later it works."""
    place.open().apply(window("w1", (1, at(1), "a")))
    with place.occupied() as holder:
        for operation in (
            lambda: place.open().apply(window("w2", (2, at(1), "b"), day=1)),
            lambda: place.open().standing("acme", "people"),
            lambda: place.open().check(),
        ):
            with pytest.raises(DestinationUnavailable, match=holder):
                operation()

    assert place.open().apply(window("w2", (2, at(1), "b"), day=1)) == Applied(inserted=1)


def test_fields_may_come_in_another_order(place: Place) -> None:
    """Columns are told by name, not by place."""
    place.open().apply(window("w1", (1, at(1), "a")))
    turned = Schema((NAME, UPDATED, ID), ("id",))

    assert Applied(unchanged=1) == place.open().apply(window("w2", ("a", at(1), 1), schema=turned, read=1))
