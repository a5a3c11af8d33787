"""What the configuration chooses, streams and a destination, reaches the run."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from syncengine.choices import open_destination
from syncengine.config import DestinationSettings, PrivacySettings, Secret, StreamSettings, SyncSettings
from syncengine.destinations.delta import Delta
from syncengine.destinations.duckdb import DuckDB
from syncengine.destinations.parquet import Parquet
from syncengine.destinations.postgres import Postgres
from syncengine.errors import ConfigError
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.slice import Reach
from syncengine.wanted import wanted_streams
from tests.unit.exports.opened import opened, settings_for
from tests.unit.exports.world import DAY
from tests.virtual import ORIGIN, virtual

START = ORIGIN - 2 * DAY
CONNECTION = "postgresql://me:hunter2@127.0.0.1:9/w"
CHOICES: dict[str, tuple[type, dict[str, Any]]] = {
    "duckdb": (DuckDB, {}),
    "postgres": (Postgres, {"url": Secret(CONNECTION)}),
    "delta": (Delta, {}),
    "parquet": (Parquet, {}),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_each_kind_of_destination_is_opened(kind: str, tmp_path: Path) -> None:
    """The class of that kind; nothing is made or asked before it is used."""
    expected, keys = CHOICES[kind]
    chosen = DestinationSettings(type=kind, path=tmp_path / "there", **keys)
    destination = open_destination(settings_for(tmp_path, destination=chosen))
    assert isinstance(destination, expected)
    destination.close()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["duckdb", "delta", "parquet"])
def test_a_destination_lies_where_its_path_says(kind: str, tmp_path: Path) -> None:
    """Its check proves it, and names the place."""
    chosen = DestinationSettings(type=kind, path=tmp_path / "there")
    destination = open_destination(settings_for(tmp_path, destination=chosen))
    named = destination.check()
    destination.close()
    assert str(tmp_path / "there") in named
    assert (tmp_path / "there").exists()


def test_a_bucket_takes_its_options(tmp_path: Path) -> None:
    """The url goes before the path, and options are handed on as texts."""
    chosen = DestinationSettings(
        type="delta",
        url=Secret("s3://bucket/marketo"),
        storage_options={"AWS_REGION": Secret("eu-west-1"), "AWS_SECRET_ACCESS_KEY": Secret("hunter2")},
    )
    destination = open_destination(settings_for(tmp_path, destination=chosen))
    assert isinstance(destination, Delta)
    assert "s3://bucket/marketo" == destination._storage.place
    assert {
        "AWS_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
    }.items() <= destination._storage.options.items()


@pytest.mark.parametrize(
    ("kind", "module", "extra"), [("postgres", "psycopg", "postgres"), ("delta", "deltalake.transaction", "delta")]
)
def test_a_missing_extra_is_told(
    kind: str, module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install stands in the advice."""
    monkeypatch.setitem(sys.modules, module, None)
    chosen = DestinationSettings(type=kind, path=tmp_path / "there", **CHOICES[kind][1])
    with pytest.raises(ConfigError) as caught:
        open_destination(settings_for(tmp_path, destination=chosen))
    assert f"pip install 'syncengine[{extra}]'" == caught.value.advice


@virtual
async def test_a_star_brings_the_custom_objects_that_there_are(tmp_path: Path) -> None:
    """They are found by one call, stand behind the streams that are named, and none comes twice."""
    one = "custom_object_*"
    async with opened(settings_for(tmp_path, sync=SyncSettings(start=START, streams=("leads", one)))) as here:
        found = await here.engine.custom_objects()
        plan = await here.engine.plan()
        wanted = await wanted_streams(here.settings, Catalog(here.engine.client))
    assert found
    assert ["leads", *found] == [each.name for each in wanted]
    assert ["leads", *found] == [each.stream for each in plan.streams]


@virtual
async def test_every_choice_reaches_the_plan(tmp_path: Path) -> None:
    """What [streams.NAME] says is what is wanted, with what [sync] says for all."""
    sync = SyncSettings(start=START, streams=("leads", "list_members"), settle_minutes=5.0)
    own = {
        "leads": StreamSettings(
            fields=("e*",), exclude=("external*",), hash=("email",), full="weekly", hard_delete=True, lookback_hours=3.0
        ),
        "list_members": StreamSettings(lists=(7, 8)),
    }
    async with opened(settings_for(tmp_path, sync=sync, streams=own)) as here:
        wanted = await wanted_streams(here.settings, Catalog(here.engine.client), full=("leads",))
    reach = Reach(start=START, lookback=timedelta(hours=3), settle=timedelta(minutes=5))
    assert [
        Wanted(
            name="leads",
            choice=Choice(("e*",), ("external*",), ("email",)),
            reach=reach,
            full=True,
            full_every=timedelta(days=7),
            hard_delete=True,
        ),
        Wanted(
            name="list_members",
            choice=Choice(),
            reach=Reach(start=START, lookback=timedelta(hours=24), settle=timedelta(minutes=5)),
            lists=(7, 8),
        ),
    ] == wanted


@virtual
async def test_a_hashed_field_lands_as_its_hash_under_the_key(tmp_path: Path) -> None:
    """The same key makes the same values in another warehouse; another key makes others."""
    landed = []
    for number, key in enumerate(("one key of a length", "one key of a length", "another key of one")):
        folder = tmp_path / str(number)
        folder.mkdir()
        settings = settings_for(
            folder,
            sync=SyncSettings(start=ORIGIN - 40 * DAY, streams=("leads",)),
            streams={"leads": StreamSettings(fields=("email",), hash=("email",))},
            privacy=PrivacySettings(hash_key=Secret(key)),
        )
        async with opened(settings) as here:
            await here.engine.sync()
        with duckdb.connect(str(settings.destination.path), read_only=True) as db:
            landed.append({row[0] for row in db.execute("SELECT email FROM marketo.leads").fetchall()} - {None})
    first, same, other = landed
    assert first
    assert not [each for each in first if "@" in each]
    assert (first, set()) == (same, first & other)
