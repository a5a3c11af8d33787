"""What Postgres alone refuses: rows that are too big, and whatever triggers and foreign keys of its owner forbid."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from syncengine.destinations import Applied
from syncengine.destinations.postgres import Postgres
from syncengine.destinations.postgres_stage import TOO_BIG
from syncengine.errors import ConfigError
from syncengine.schema import Field, FieldType, Schema
from tests.unit.destinations.test_postgres import session, window


@pytest.fixture
def schema() -> str:
    """A schema that the other module does not have."""
    return "refusing"


@pytest.fixture
def altered(server: str, schema: str) -> Iterator[Any]:
    """A table of one lead, and a function that alters it as its owner does; the schema is dropped at the end."""
    with session(server) as db:
        Postgres(server, schema=schema).apply(window("w0", ["a"]))
        db.execute(f"SET search_path = {schema}".encode())
        yield lambda statement: db.execute(statement.encode())
        db.execute(f"DROP SCHEMA {schema} CASCADE".encode())


def refused(server: str, schema: str) -> list[tuple[Any, ...]]:
    """Id and reason of each refused row, in order."""
    with session(server) as db:
        found = db.execute(f"SELECT key, reason FROM {schema}._rejected ORDER BY (key ->> 'id')::int".encode())
        return [(key["id"], reason) for key, reason in found.fetchall()]


def test_a_foreign_key_refuses_rows_one_by_one(server: str, schema: str, altered: Any) -> None:
    """The others go in, in however many steps they have to be found."""
    altered("CREATE TABLE names (name text PRIMARY KEY)")
    altered("INSERT INTO names SELECT 'n' || n FROM generate_series(0, 999) AS n UNION SELECT 'a'")
    altered("ALTER TABLE leads ADD CONSTRAINT known FOREIGN KEY (name) REFERENCES names")
    names = ["a", *(f"n{number}" for number in range(1, 1_000))]
    names[17] = names[500] = names[501] = "canary"

    applied = Postgres(server, schema=schema).apply(window("w1", names, day=1))

    assert Applied(inserted=996, unchanged=1, rejected=3) == applied
    assert [(17, "ForeignKeyViolation known"), (500, "ForeignKeyViolation known")] == refused(server, schema)[:2]


def test_what_a_check_forbids_is_asked_at_once(server: str, schema: str, altered: Any) -> None:
    """Any number of rows; their reason is the constraint's name, which may have any characters."""
    altered("""ALTER TABLE leads ADD CONSTRAINT "50% of 'it'" CHECK (name NOT LIKE 'n%')""")

    applied = Postgres(server, schema=schema).apply(window("w1", ["b"] + ["n"] * 20_000, day=1))

    assert Applied(changed=1, rejected=20_000) == applied
    assert (1, "CHECK 50% of 'it'") == refused(server, schema)[0]


def test_a_trigger_refuses_what_it_likes(server: str, schema: str, altered: Any) -> None:
    """Its own words are not repeated, as they may quote the row."""
    altered(
        "CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF new.name = 'canary' THEN RAISE EXCEPTION 'no %', new.name; END IF; RETURN new; END $$"
    )
    altered("CREATE TRIGGER veto BEFORE INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION veto()")

    applied = Postgres(server, schema=schema).apply(window("w1", ["canary", "b", "canary", "d"], day=1))

    assert Applied(inserted=2, rejected=2) == applied
    assert [(0, "RaiseException"), (2, "RaiseException")] == refused(server, schema)


def test_a_row_that_is_too_big_is_put_aside(server: str, schema: str, altered: Any) -> None:
    """Columns are many and a page is small: a row that fills them all fits nowhere, one that does not goes in."""
    fields = tuple(Field(f"f{number}", FieldType.INTEGER) for number in range(1_100))
    wide = Schema((Field("id", FieldType.INTEGER), *fields), ("id",))
    columns = [pa.array([1, 2]), *[pa.array([None, 7], pa.int64())] * len(fields)]
    rows = pa.RecordBatch.from_arrays(columns, schema=wide.arrow())

    applied = Postgres(server, schema=schema).apply(window("w1", fields=wide, stream="wide", batches=[rows]))

    assert Applied(inserted=1, rejected=1) == applied
    assert [(2, TOO_BIG)] == refused(server, schema)


def test_more_than_anybody_looks_at_ends_the_window(server: str, schema: str, altered: Any) -> None:
    """Nothing is applied when a constraint that has to be tried row by row refuses thousands."""
    altered("CREATE TABLE names (name text PRIMARY KEY)")
    altered("INSERT INTO names VALUES ('a')")
    altered("ALTER TABLE leads ADD CONSTRAINT known FOREIGN KEY (name) REFERENCES names")
    destination = Postgres(server, schema=schema, refused_at_most=20)

    with pytest.raises(ConfigError, match=r"refuses more than 20 rows .* known"):
        destination.apply(window("w1", ["a"] + ["canary"] * 21, day=1))

    assert destination.holds("acme", "leads", "w1") is False
    assert Applied(unchanged=1, rejected=20) == destination.apply(window("w1", ["a"] + ["canary"] * 20, day=1))
