"""Delta commits to several tables one by one: whoever dies in between, and whoever else writes meanwhile."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.schema import PrimitiveType

from syncengine.destinations import Applied, Interval, Standing
from syncengine.destinations.delta import TRIES, Delta
from syncengine.destinations.delta_log import Commit, Overtaken, Table, commit
from syncengine.destinations.delta_storage import Storage
from syncengine.destinations.lake_parts import Change
from syncengine.errors import ConfigError, DestinationFenced, DestinationUnavailable
from syncengine.schema import Field as OurField
from syncengine.schema import FieldType
from syncengine.schema import Schema as OurSchema
from tests.conformance.lakes import DeltaFolder
from tests.conformance.windows import ID, PEOPLE, at, batch, marking, people, window


@pytest.fixture
def place(tmp_path: Path) -> DeltaFolder:
    """Tables with one window of two people."""
    found = DeltaFolder(tmp_path)
    found.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    return found


def opened(place: DeltaFolder, way: Commit) -> Delta:
    """A destination that commits in a way of its own."""
    return Delta(str(place.path), work_folder=place.work, commit=way)


def dying_at(name: str) -> Commit:
    """Ends before the commit to this table."""

    def dying(storage: Storage, table: Table, change: Change, **more: Any) -> None:
        if change.table == name:
            raise KeyboardInterrupt
        commit(storage, table, change, **more)

    return dying


def ledger(place: DeltaFolder) -> list[tuple[str, bool]]:
    """Each window in the ledger, and whether it is said to be committed."""
    return sorted((row["window_id"], row["committed_at"] is not None) for row in place.rows("_marketo_sync"))


def test_the_ledger_has_an_intent_until_the_next_window(place: DeltaFolder) -> None:
    """A row gets its `committed_at` once its table has been asked."""
    assert [("w1", False)] == ledger(place)

    place.open().apply(window("w2", (3, at(1), "c"), day=1))

    assert [("w1", True), ("w2", False)] == ledger(place)
    assert Standing((Interval(at(0), at(48)),), 1) == place.open().standing("acme", "people")


def test_an_intent_that_never_came_true_is_no_window(place: DeltaFolder) -> None:
    """Whoever died before the window's own commit has applied nothing, whatever the ledger says; the window goes in."""

    rows = (3, at(1), "c")
    with pytest.raises(KeyboardInterrupt):
        opened(place, dying_at("people")).apply(window("w2", rows, day=1))

    assert [("w1", True), ("w2", False)] == ledger(place)
    assert place.open().holds("acme", "people", "w2") is False
    assert Standing((Interval(at(0), at(24)),), 1) == place.open().standing("acme", "people")
    assert Applied(inserted=1) == place.open().apply(window("w2", rows, day=1))
    assert [("w1", True), ("w2", False)] == ledger(place)


def test_a_first_window_that_never_came_true_goes_in(tmp_path: Path) -> None:
    """The empty table that was made for it is not taken for somebody else's."""
    place = DeltaFolder(tmp_path)

    def dying(storage: Storage, table: Table, change: Change, **more: Any) -> None:
        commit(storage, table, replace(change, fresh=()), **{**more, "transactions": []})
        if change.table == "people":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(place, dying).apply(window("w1", (1, at(1), "a")))

    assert place.open().holds("acme", "people", "w1") is False
    assert Applied(inserted=1) == place.open().apply(window("w1", (1, at(1), "a")))


def test_a_table_that_somebody_makes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Nothing goes to it, although it was not there when the window began."""
    place = DeltaFolder(tmp_path)

    def taken() -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (1, at(1), "a"))
        # Somebody makes the same table while the rows are read.
        DeltaTable.create(str(place.path / "people"), Schema([Field("id", PrimitiveType("long"))]))

    with pytest.raises(ConfigError, match="made by somebody else"):
        place.open().apply(window("w1", batches=taken()))
    (place.path / "people").rename(tmp_path / "aside")
    place.open().apply(window("w1", (1, at(1), "a")))

    assert [(1, at(1), "a")] == people(place)


def test_marks_come_before_their_window_and_bear_repeating(place: DeltaFolder) -> None:
    """When the window's own commit is lost its marks are there already; sent again, it ends in the same tables."""
    other = DeltaFolder(place.path.parent / "other")
    other.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))

    with pytest.raises(KeyboardInterrupt):
        opened(place, dying_at("activities")).apply(marking("m1", (1, at(5), 2)))
    assert place.open().holds("acme", "activities", "m1") is False
    place.open().apply(marking("m1", (1, at(5), 2)))
    other.open().apply(marking("m1", (1, at(5), 2)))

    assert other.rows("people") == place.rows("people")
    assert other.rows("_marketo_marks") == place.rows("_marketo_marks")
    assert place.open().holds("acme", "activities", "m1") is True


def test_refused_rows_are_kept_once(place: DeltaFolder) -> None:
    """A window that is sent again after its refused rows were committed does not bring them twice."""
    schema = OurSchema((ID, OurField("extra", FieldType.JSON)), ("id",))
    rows = [(1, "{}"), (2, "{not")]

    again = [window("t1", *rows, schema=schema, stream="things", newer_by=None) for _ in range(2)]
    with pytest.raises(KeyboardInterrupt):
        opened(place, dying_at("things")).apply(again[0])
    applied = place.open().apply(again[1])

    assert Applied(inserted=1, rejected=1) == applied
    assert ['{"id":2}'] == [row["key"] for row in place.rows("_rejected")]


def test_of_two_writers_at_once_one_begins_again(place: DeltaFolder) -> None:
    """Rows that another commits while these are read are neither lost nor overwritten by what was read before."""

    def slowly() -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (1, at(3), "mine"))
        place.open().apply(window("w3", (1, at(4), "theirs"), (9, at(1), "theirs"), day=2, read=1))
        yield batch(PEOPLE, (2, at(3), "mine"))

    applied = place.open().apply(window("w2", day=1, read=1, batches=slowly()))

    assert Applied(changed=1, outdated=1) == applied
    assert [(1, at(4), "theirs"), (2, at(3), "mine"), (9, at(1), "theirs")] == people(place)
    assert ["w1", "w2", "w3"] == [window_id for window_id, _ in ledger(place)]


def test_of_two_epochs_at_once_the_older_is_refused(place: DeltaFolder) -> None:
    """Who finds that a later run has committed while it read its rows commits nothing."""

    def slowly() -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (1, at(3), "old run"))
        place.open().apply(window("w3", (2, at(4), "new run"), day=2, read=1, epoch=2))

    with pytest.raises(DestinationFenced, match="a later run has written people of acme"):
        place.open().apply(window("w2", day=1, read=1, epoch=1, batches=slowly()))

    assert [(1, at(1), "a"), (2, at(4), "new run")] == people(place)
    assert place.open().holds("acme", "people", "w2") is False


def test_a_commit_whose_answer_was_lost_is_found(place: DeltaFolder) -> None:
    """A commit that succeeded and was reported as a conflict is not made twice."""

    def deaf(storage: Storage, table: Table, change: Change, **more: Any) -> None:
        commit(storage, table, change, **more)
        if change.table == "people":
            raise Overtaken

    applied = opened(place, deaf).apply(window("w2", (3, at(1), "c"), day=1))

    assert Applied(inserted=1) == applied
    assert [1, 2, 3] == [row["id"] for row in place.rows("people")]


def test_others_who_never_stop_are_given_up_on(place: DeltaFolder) -> None:
    """After a few tries the window is not applied, and says so."""
    tries = list[int]()

    def second(storage: Storage, table: Table, change: Change, **more: Any) -> None:
        if change.table == "people":
            other = DeltaTable(str(place.path / "people"))
            tries.append(other.version())
            properties = CommitProperties(app_transactions=[Transaction("somebody", len(tries))])
            other.create_write_transaction([], "append", other.schema(), commit_properties=properties)
        commit(storage, table, change, **more)

    with pytest.raises(DestinationUnavailable, match="others keep writing to people"):
        opened(place, second).apply(window("w2", (3, at(1), "c"), day=1))

    assert TRIES == len(tries)
    assert place.open().holds("acme", "people", "w2") is False


def test_committed_at_is_when_it_was_found(place: DeltaFolder) -> None:
    """Not when the rows were read: the ledger never says what it does not know."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    destination = Delta(str(place.path), work_folder=place.work, now=lambda: now)

    destination.apply(window("w2", (3, at(1), "c"), day=1))

    assert [now, None] == [row["committed_at"] for row in place.rows("_marketo_sync")]
