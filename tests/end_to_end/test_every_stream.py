"""Every stream into every kind of destination, by real processes: four warehouses, one content."""

from pathlib import Path
from typing import Any

from syncengine.config import STREAMS
from tests.conformance.lakes import DeltaFolder, ParquetFolder
from tests.conformance.places import KINDS, DuckDBFile, Place, Places, PostgresSchema
from tests.end_to_end.processes import Sandbox, command, days_ago, sandbox, settle, write_config

SIZES = {"leads": 200, "activities": 400, "programs": 25, "program_members": 400, "custom_object_rows": 200}
# What the day has cost grows with each run.
TABLES = (*(name for name in STREAMS if name != "usage"), "custom_object_car_c", "custom_object_purchase_c")
# When a run read a row is its own affair. Marketo moves the activities of a merge's loser, and a run has moved those
# that its lookback reached.
OURS = {"_read_at", "_window", "_changed_at", "_deleted_at"}
MOVED = {("activities", "leadId"), ("lead_changes", "leadId"), ("lead_changes", "attributes")}


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


def change(running: Sandbox) -> None:
    running.control("change", {"update_leads": 3, "add_leads": 3, "add_activities": 9, "delete_leads": 2})
    running.control("change", {"merge_leads": [[1010, 1011]], "add_field": {"name": "brandNew", "dataType": "string"}})
    settle(running)


def test_four_warehouses_have_one_content(tmp_path: Path) -> None:
    """After a night, some changes and another night: cell by cell, deletions and merges included."""
    with Places() as places, sandbox(tmp_path, speed=600.0, years=0.2, **SIZES) as running:
        made = {}
        for kind in KINDS:
            home = tmp_path / kind
            home.mkdir()
            made[kind] = places.make(kind, home)
            write_config(home, running.base_url, running.speed, more=settings(made[kind]), start=days_ago(74))
            assert 0 == synced(home)
        change(running)
        for kind in KINDS:
            assert 0 == synced(tmp_path / kind)
        first = {table: content(made["duckdb"], table) for table in TABLES}

        assert [] == [table for table, rows in first.items() if not rows]
        assert [] == [
            (kind, table) for kind in KINDS[1:] for table in TABLES if first[table] != content(made[kind], table)
        ]
