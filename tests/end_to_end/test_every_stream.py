"""Every stream into every kind of destination, by real processes: four warehouses, one content."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.config import STREAMS
from tests.conformance.lakes import DeltaFolder, ParquetFolder
from tests.conformance.places import KINDS, DuckDBFile, Place, Places, PostgresSchema
from tests.end_to_end.processes import Sandbox, command, sandbox, settle, write_config

SIZES = {"leads": 300, "activities": 900, "programs": 25, "program_members": 400, "custom_object_rows": 200}
TABLES = (*STREAMS, "custom_object_car_c", "custom_object_purchase_c")
# When a run read a row is its own affair. Marketo moves the activities of a merge's loser, and a run has moved those
# that its lookback reached.
OURS = {"_read_at", "_window", "_changed_at", "_deleted_at"}
MOVED = {("activities", "leadId"), ("lead_changes", "leadId"), ("lead_changes", "attributes")}


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    with Places() as made:
        yield made


def settings(place: Place) -> str:
    """The destination's table of the configuration, and every stream there is."""
    if isinstance(place, PostgresSchema):
        where = f'type = "postgres"\nurl = "{place.conninfo}"\nschema = "{place.schema}"'
    elif isinstance(place, ParquetFolder):
        where = f'type = "parquet"\npath = "{place.path}"'
    elif isinstance(place, DeltaFolder):
        where = f'type = "delta"\npath = "{place.path}"'
    else:
        assert isinstance(place, DuckDBFile)
        where = f'path = "{place.path}"'
    chosen = '[streams.list_members]\nlists = [2001, 2002]\n[streams.named_account_lists]\nnames = ["SaaS 3", "SaaS 4"]'
    return f'streams = ["*"]\n[destination]\n{where}\n{chosen}\n'


def synced(folder: Path) -> int:
    return command("sync", "--quiet", folder=folder).returncode


def content(place: Place, table: str) -> list[dict[str, Any]]:
    """A table without what tells when it was read, and whether each row lives."""
    return [
        {name: value for name, value in row.items() if name not in OURS and (table, name) not in MOVED}
        | {"is deleted": row["_deleted_at"] is not None}
        for row in place.rows(table)
    ]


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[dict[str, Place]]:
    """Each kind of destination after a night, some changes, and another night."""
    folder = tmp_path_factory.mktemp("every stream")
    with sandbox(folder, speed=600.0, years=0.2, **SIZES) as running:
        made = {}
        for kind in KINDS:
            home = folder / kind
            home.mkdir()
            made[kind] = places.make(kind, home)
            write_config(home, running.base_url, running.speed, more=settings(made[kind]), start="2025-01-01")
            synced(home)
        change(running)
        for kind in KINDS:
            synced(folder / kind)
        yield made


def change(running: Sandbox) -> None:
    running.control("change", {"update_leads": 3, "add_leads": 3, "add_activities": 9, "delete_leads": 2})
    running.control("change", {"merge_leads": [[1010, 1011]], "add_field": {"name": "brandNew", "dataType": "string"}})
    settle(running)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("table", [table for table in TABLES if table != "usage"])
def test_every_destination_has_the_same_rows(warehouses: dict[str, Place], kind: str, table: str) -> None:
    """Cell by cell, deletions and merges included."""
    expected, actual = content(warehouses["duckdb"], table), content(warehouses[kind], table)

    assert expected
    assert expected == actual
