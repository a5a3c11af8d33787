"""What a DuckDB table refuses by constraints that its owner has declared, each asked about beforehand."""

from pathlib import Path

import duckdb
import pytest

from syncengine.destinations import Applied
from syncengine.destinations.duckdb import DuckDB
from syncengine.errors import DestinationUnavailable
from tests.unit.destinations.test_duckdb import window


def test_every_declared_constraint_is_asked(tmp_path: Path) -> None:
    """CHECK, UNIQUE over an expression and NOT NULL of a column that is no field of ours put rows aside by name."""
    path = tmp_path / "w.duckdb"
    DuckDB(path).apply(window("w1", "ab"))
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE UNIQUE INDEX once ON marketo.leads (lower(name))")

    assert Applied(inserted=1, unchanged=2, rejected=1) == DuckDB(path).apply(window("w2", "abcC", day=1))

    with duckdb.connect(str(path)) as db:
        db.execute(
            "DROP INDEX marketo.once; DROP TABLE marketo.leads;"
            ' CREATE TABLE marketo.leads (id BIGINT, name VARCHAR CHECK (length(name) < 3), "its {own}" INT NOT NULL,'
            " _read_at TIMESTAMPTZ, _window VARCHAR)"
        )
        db.execute("INSERT INTO marketo.leads VALUES (0, 'a', 7, '2024-03-01 01:00:00Z', 'w0')")

    assert Applied(changed=1, rejected=2) == DuckDB(path).apply(window("w3", ["x", "long", "y"], day=2))
    with duckdb.connect(str(path), read_only=True) as db:
        reasons = db.execute('SELECT "window", key, reason FROM marketo._rejected ORDER BY ALL').fetchall()
        kept = db.execute('SELECT id, name, "its {own}" FROM marketo.leads').fetchall()
    assert [(0, "x", 7)] == kept
    assert [("w2", '{"id":3}'), ("w3", '{"id":1}'), ("w3", '{"id":2}')] == [row[:2] for row in reasons]
    assert all(word in reasons[place][2] for place, word in enumerate(["lower", "CHECK", "its {own}"]))


def test_a_refusal_that_nobody_declared_applies_nothing(tmp_path: Path) -> None:
    """A foreign key is not asked about: the window fails as a whole, and says what to do."""
    path = tmp_path / "w.duckdb"
    DuckDB(path).apply(window("w1", "a"))
    with duckdb.connect(str(path)) as db:
        db.execute(
            "DROP TABLE marketo.leads; CREATE TABLE marketo.names (name VARCHAR PRIMARY KEY);"
            " INSERT INTO marketo.names VALUES ('a'); CREATE TABLE marketo.leads (id BIGINT, name VARCHAR"
            " REFERENCES marketo.names (name), _read_at TIMESTAMPTZ, _window VARCHAR)"
        )

    with pytest.raises(DestinationUnavailable, match="nothing was applied") as failure:
        DuckDB(path).apply(window("w2", ["a", "canary"], day=1))

    assert "drop the constraint" in failure.value.advice
    assert "canary" not in str(failure.value)
    assert DuckDB(path).holds("acme", "leads", "w2") is False
