"""Postgres has others beside us: runs at the same time, views and grants of its owner, and a life of its own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from syncengine.destinations import Applied, View, ViewColumn
from syncengine.destinations.postgres import Postgres
from syncengine.errors import ConfigError, DestinationUnavailable
from syncengine.schema import Field, FieldType, Schema
from tests.servers import postgres_server
from tests.unit.destinations.test_postgres import LEADS, NUMBERS, session, window

NAMED = View("named", "leads", "id", 0, "name", (ViewColumn("first", "first", FieldType.TEXT),))
JSON = Schema((LEADS.fields[0], Field("name", FieldType.JSON)), ("id",))


@pytest.fixture
def schema() -> str:
    """A schema of the server that no other test has."""
    return f"t{next(NUMBERS)}"


def one(server: str, query: str) -> Any:
    """The one value that a query gives to somebody else."""
    with session(server) as db:
        row = db.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_a_server_that_dies_loses_nothing_that_was_said() -> None:
    """Whenever it goes down, a window that was applied is there afterwards, and one that was not is not."""
    with postgres_server() as running:
        destination = Postgres(running.conninfo)
        destination.apply(window("w1", ["a"]))

        def rows() -> Iterator[pa.RecordBatch]:
            yield from window("w2", ["b", "c"]).batches
            running.crash()
            yield from window("w2", ["d"]).batches

        with pytest.raises(DestinationUnavailable, match="nothing was applied"):
            destination.apply(window("w2", batches=rows(), day=1))
        with pytest.raises(DestinationUnavailable):
            destination.check()
        running.start()

        assert [True, False] == [destination.holds("acme", "leads", name) for name in ("w1", "w2")]
        assert 1 == one(running.conninfo, "SELECT count(*) FROM marketo.leads")
        assert Applied(inserted=1, changed=1) == destination.apply(window("w2", ["b", "c"], day=1))


def together(*work: Callable[[], Applied]) -> list[Applied]:
    """Do all of this at the same time."""
    begun = threading.Barrier(len(work))

    def begin(each: Callable[[], Applied]) -> Applied:
        begun.wait()
        return each()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(begin, work))


def test_runs_at_the_same_time_do_not_disturb_each_other(server: str, schema: str) -> None:
    """Whoever comes first makes the schema; one stream's windows go one after the other, no row is there twice."""
    windows = [window(f"w{number}", ["a", "b", "c"], day=number) for number in range(6)]
    windows += [window(f"w{number}", ["a"], stream=f"s{number}") for number in range(4)]

    done = together(*(lambda each=each: Postgres(server, schema=schema).apply(each) for each in windows))

    assert [3] * 6 + [1] * 4 == [applied.rows for applied in done]
    assert 3 == sum(applied.inserted for applied in done[:6])
    assert 3 == one(server, f"SELECT count(*) FROM {schema}.leads")


def test_the_same_window_twice_at_once_is_applied_once(server: str, schema: str) -> None:
    """The second finds it in the ledger once it has the lock."""
    done = together(*([lambda: Postgres(server, schema=schema).apply(window("w1", ["a"]))] * 3))

    assert [False, True, True] == sorted(applied.already for applied in done)


def test_a_lock_is_waited_for_as_long_as_allowed(server: str, schema: str) -> None:
    """A table that somebody else holds is waited for; after that nothing is applied, and it is said."""
    destination = Postgres(server, schema=schema, lock_wait_seconds=0.1)
    destination.apply(window("w1", ["a"]))
    with session(server) as db, db.transaction():
        db.execute(f"LOCK TABLE {schema}.leads".encode())
        with pytest.raises(DestinationUnavailable, match="somebody else holds a lock") as failure:
            destination.apply(window("w2", ["b"], day=1))

    assert "pg_stat_activity" in failure.value.advice
    assert Applied(changed=1) == destination.apply(window("w2", ["b"], day=1))


def test_a_view_that_is_as_it_was_is_left_alone(server: str, schema: str) -> None:
    """What its owner has granted on it stays, however often it is asked for."""
    destination = Postgres(server, schema=schema)
    destination.apply(window("w1", ['{"first": "Ada"}'], fields=JSON, batches=json_rows('{"first": "Ada"}')))
    destination.show("acme", [NAMED])
    before = one(server, f"SELECT '{schema}.named'::regclass::oid")
    destination.show("acme", [NAMED, replace(NAMED, name="other")])

    assert before == one(server, f"SELECT '{schema}.named'::regclass::oid")
    assert "Ada" == one(server, f"SELECT first FROM {schema}.other")


def test_a_view_that_was_dropped_is_made_again(server: str, schema: str) -> None:
    """What is remembered is not taken for what is there."""
    destination = Postgres(server, schema=schema)
    destination.apply(window("w1", fields=JSON, batches=json_rows('{"first": "Ada"}')))
    destination.show("acme", [NAMED])
    with session(server) as db:
        db.execute(f"DROP VIEW {schema}.named".encode())
    destination.show("acme", [NAMED])

    assert "Ada" == one(server, f"SELECT first FROM {schema}.named")


def test_a_view_of_the_owners_is_never_dropped(server: str, schema: str) -> None:
    """When it stands in the way of a wider column, the window waits for its owner, who is told."""
    destination = Postgres(server, schema=schema)
    numbers = Schema((LEADS.fields[0], Field("name", FieldType.INTEGER)), ("id",))
    rows = [pa.RecordBatch.from_pydict({"id": [0], "name": [7]}, schema=numbers.arrow())]
    destination.apply(window("w1", fields=numbers, batches=rows))
    with session(server) as db:
        db.execute(f"CREATE VIEW {schema}.theirs AS SELECT name FROM {schema}.leads".encode())

    with pytest.raises(ConfigError, match="used by a view") as failure:
        destination.apply(window("w2", ["text"], day=1))

    assert "make it again" in failure.value.advice
    assert 7 == one(server, f"SELECT name FROM {schema}.theirs")
    with session(server) as db:
        db.execute(f"DROP VIEW {schema}.theirs".encode())
    assert Applied(changed=1, columns_widened=("name",)) == destination.apply(window("w2", ["text"], day=1))


def json_rows(*values: str) -> list[pa.RecordBatch]:
    """Leads numbered from 0 whose name is JSON."""
    return [pa.RecordBatch.from_pydict({"id": range(len(values)), "name": values}, schema=JSON.arrow())]
