"""Which keys each kind of destination takes, and which promises it can give."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncengine.config import DestinationSettings, Secret, parse
from syncengine.config.places import OF_ALL, TAKES, misfits, too_weak
from syncengine.config.settings import DESTINATIONS, GUARANTEES
from syncengine.destinations import Destination, Guarantee
from syncengine.destinations.delta import Delta
from syncengine.destinations.duckdb import DuckDB
from syncengine.destinations.parquet import Parquet
from syncengine.destinations.postgres import Postgres
from syncengine.errors import ConfigError

CLASSES: dict[str, type[Destination]] = {"duckdb": DuckDB, "postgres": Postgres, "delta": Delta, "parquet": Parquet}
FITTING: dict[str, dict[str, Any]] = {
    "duckdb": {},
    "postgres": {"url": Secret("postgresql://me@db/w")},
    "delta": {"path": Path("lake")},
    "parquet": {"path": Path("lake")},
}
S3 = {"url": Secret("s3://bucket/marketo")}


def told(kind: str, **keys: Any) -> list[str]:
    chosen = DestinationSettings(type=kind, **keys)
    return [f"{key} {sentence}" for key, sentence in misfits(chosen)]


def test_promises_are_those_that_the_destinations_declare() -> None:
    """What is refused by the configuration is what the classes say of themselves."""
    assert {kind: each.guarantee.name.lower() for kind, each in CLASSES.items()} == DESTINATIONS
    assert tuple(each.name.lower() for each in Guarantee) == GUARANTEES


@pytest.mark.parametrize("kind", DESTINATIONS)
def test_each_kind_takes_its_keys(kind: str) -> None:
    """The least that it needs is enough, and every key is known to some kind."""
    assert [] == told(kind, **FITTING[kind])
    assert set(DestinationSettings.__dataclass_fields__) == {*OF_ALL, *(key for keys in TAKES.values() for key in keys)}


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("delta", S3),
        ("delta", {**S3, "storage_options": {"AWS_REGION": Secret("eu-west-1")}}),
        ("postgres", {"url": Secret("host=db dbname=w")}),
        ("postgres", {"url": Secret("postgres://db/w")}),
    ],
)
def test_addresses_that_are_taken(kind: str, keys: dict[str, Any]) -> None:
    """A bucket with its options, a connection in either of its spellings."""
    assert [] == told(kind, **keys)


@pytest.mark.parametrize(
    ("kind", "keys", "sentence"),
    [
        ("duckdb", S3, 'url does not belong to type = "duckdb", which takes path, schema, memory_limit_mb, '),
        ("parquet", {"path": Path("a"), "schema": "x"}, 'schema does not belong to type = "parquet", which takes path'),
        (
            "postgres",
            {**FITTING["postgres"], "path": Path("other.duckdb")},
            'path does not belong to type = "postgres", which takes url, schema, lock_wait_seconds',
        ),
        (
            "postgres",
            {**FITTING["postgres"], "storage_options": {"AWS_REGION": Secret("x")}},
            'storage_options does not belong to type = "postgres"',
        ),
        ("postgres", {}, 'url is missing: type = "postgres" takes a connection, such as "${DATABASE_URL}"'),
        ("postgres", {"url": Secret("hunter2")}, "url takes postgresql://user@host:5432/database, or words such as"),
        ("parquet", {}, 'path is missing: type = "parquet" takes the folder for its tables'),
        ("delta", {}, 'path is missing: type = "delta" takes the folder for its tables'),
        ("delta", {"url": Secret("hunter2")}, "url takes a place such as s3://bucket/marketo; a folder of this"),
        ("delta", {"url": Secret("gs://hunter2/a")}, "url takes a place such as s3://bucket/marketo"),
        ("delta", {**S3, "path": Path("lake")}, "path stands beside url: keep one of the two"),
        (
            "delta",
            {"path": Path("lake"), "storage_options": {"AWS_REGION": Secret("x")}},
            "storage_options belong to a url such as s3://bucket/marketo; a path takes none",
        ),
    ],
)
def test_a_key_that_does_not_fit_is_told(kind: str, keys: dict[str, Any], sentence: str) -> None:
    """A key that would be ignored is a mistake; what a url says is never repeated."""
    (problem,) = told(kind, **keys)
    assert problem.startswith(sentence)
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("kind", "demanded", "is_weak"),
    [
        ("duckdb", "transactional", False),
        ("postgres", "transactional", False),
        ("delta", "transactional", False),
        ("parquet", "transactional", True),
        ("parquet", "manifest", False),
        ("parquet", "append", False),
        ("duckdb", "append", False),
    ],
)
def test_a_demand_is_met_or_refused(kind: str, demanded: str, is_weak: bool) -> None:
    """A stronger promise meets a weaker demand, never the other way round."""
    assert is_weak == (too_weak(kind, demanded) is not None)


def test_a_refused_demand_names_both() -> None:
    """What is demanded, what there is, and what to take instead."""
    chosen = replace(DestinationSettings(type="parquet", path=Path("lake")), guarantee="transactional")
    assert [
        (
            "guarantee",
            (
                'demands "transactional", and type = "parquet" can only be "manifest": '
                "take duckdb or postgres or delta, or demand less"
            ),
        )
    ] == list(misfits(chosen))


CONFIG = """\
[instance]
name = "acme"
base_url = "https://123-ABC-456.mktorest.com"
client_id = "an id"
client_secret = "a secret"
[sync]
start = 2023-01-01
[destination]
"""


def test_misfits_stand_at_their_lines() -> None:
    """All of them at once, with the key."""
    with pytest.raises(ConfigError) as caught:
        parse(f'{CONFIG}type = "parquet"\nguarantee = "transactional"\nurl = "x"', path=Path("a.toml"))
    assert [
        "line 8: destination.path is missing",
        'line 10: destination.guarantee demands "transactional"',
        "line 11: destination.url does not belong to type",
    ] == [re.split(r":(?= type)|, and| =", each)[0] for each in caught.value.problems]


def test_a_connection_comes_from_a_variable_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path that nobody wrote is no misfit; options of storage are secrets too."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/w")
    settings = parse(f'{CONFIG}type = "postgres"\nurl = "${{DATABASE_URL}}"', path=Path("a.toml"))
    assert settings.destination.url is not None
    assert "postgresql://me:hunter2@db/w" == settings.destination.url.reveal()
    assert "hunter2" not in repr(settings)
    stored = (
        f'{CONFIG}type = "delta"\nurl = "s3://b/p"\n[destination.storage_options]\nAWS_SECRET_ACCESS_KEY = "hunter2"'
    )
    shown = parse(stored, path=Path("a.toml"))
    assert "hunter2" == shown.destination.storage_options["AWS_SECRET_ACCESS_KEY"].reveal()
    assert "hunter2" not in repr(shown)


def test_an_option_of_storage_that_is_no_text_is_told_without_it() -> None:
    """Figures and tables are no options, and what stands there may be a secret."""
    text = f'{CONFIG}type = "delta"\nurl = "s3://b/p"\n[destination.storage_options]\nKEY = 31337'
    with pytest.raises(ConfigError) as caught:
        parse(text, path=Path("a.toml"))
    assert ("line 12: destination.storage_options.KEY takes a text in quotes",) == caught.value.problems


@pytest.mark.parametrize("kind", ["duckdb", "delta", "parquet"])
@pytest.mark.parametrize("place", ["s3://bucket/x", "postgresql://u:p@host/db", "S3A://b/x"])
def test_a_place_elsewhere_is_no_path(kind: str, place: str) -> None:
    """A folder named `s3:` would hold what somebody looks for in a bucket; a password in it is not repeated."""
    problems = dict(misfits(DestinationSettings(type=kind, path=Path(place))))
    assert "takes a place on this machine" in problems["path"]
    assert "u:p" not in problems["path"]
    assert (kind == "delta") == problems["path"].endswith("is a url")
