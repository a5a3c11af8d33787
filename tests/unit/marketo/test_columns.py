"""Columns of what is the same in every instance, against Adobe's own definitions where they lie beside the project."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.marketo import columns
from syncengine.schema import Field, FieldType, Schema

DEFINITIONS = Path(__file__).parents[4] / "shared" / "openapi"

KEYS = {
    "DELETED_LEAD_COLUMNS": ("marketoGUID",),
    "LEAD_CHANGE_COLUMNS": ("marketoGUID",),
    "ACTIVITY_TYPE_COLUMNS": ("id",),
    "LIST_COLUMNS": ("id",),
    "CAMPAIGN_COLUMNS": ("id",),
    "PROGRAM_COLUMNS": ("id",),
    "PARTITION_COLUMNS": ("id",),
    "NAMED_ACCOUNT_LIST_COLUMNS": ("marketoGUID",),
    "USAGE_COLUMNS": ("date",),
    "FIELD_COLUMNS": ("object", "name"),
}
# Which definition a table's rows have, and members of it that are no columns.
DEFINED = [
    ("DELETED_LEAD_COLUMNS", "mapi", "Activity", {"id"}),
    ("LEAD_CHANGE_COLUMNS", "mapi", "LeadChange", {"id"}),
    ("ACTIVITY_TYPE_COLUMNS", "mapi", "ActivityType", set()),
    ("LIST_COLUMNS", "mapi", "StaticList", set()),
    ("CAMPAIGN_COLUMNS", "mapi", "Campaign", set()),
    ("PARTITION_COLUMNS", "mapi", "LeadPartition", set()),
    ("NAMED_ACCOUNT_LIST_COLUMNS", "mapi", "NamedAccountList", {"reasons", "seq", "status"}),
    ("USAGE_COLUMNS", "mapi", "UsageData", set()),
    ("PROGRAM_COLUMNS", "asset", "ProgramResponse", set()),
    ("FIELD_COLUMNS", "mapi", "ObjectField", set()),
]
# `headStart` is in Adobe's examples and not in the definition; `object` is ours.
BESIDES = {"PROGRAM_COLUMNS": {"headStart"}, "FIELD_COLUMNS": {"object"}}
# What JSON types each neutral type is read from: dates are text there.
FROM_JSON = {
    FieldType.INTEGER: {"integer"},
    FieldType.BOOLEAN: {"boolean"},
    FieldType.TEXT: {"string"},
    FieldType.DATE: {"string"},
    FieldType.TIMESTAMP: {"string"},
    FieldType.JSON: {"array", "object"},
}


def table(name: str) -> tuple[Field, ...]:
    found: tuple[Field, ...] = getattr(columns, name)
    return found


@cache
def definitions(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((DEFINITIONS / f"{name}.json").read_bytes())["definitions"]
    return content


@pytest.mark.parametrize("name", KEYS)
def test_each_table_has_columns_that_identify_its_rows(name: str) -> None:
    """Names occur once, and the key is among them."""
    assert Schema(table(name), KEYS[name]).fields == table(name)


def test_no_table_is_left_out_here() -> None:
    """Every table of the module is checked."""
    assert set(KEYS) == {name for name in vars(columns) if name.endswith("_COLUMNS")} == {each[0] for each in DEFINED}


@pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="Adobe's API definitions are not at hand")
@pytest.mark.parametrize(("name", "file", "definition", "left_out"), DEFINED)
def test_columns_are_those_of_adobes_definition(name: str, file: str, definition: str, left_out: set[str]) -> None:
    """No member is forgotten or misspelt, and none has a type that could not hold it."""
    members = definitions(file)[definition]["properties"]
    known = {field.name: field.type for field in table(name)}
    assert set(members) - left_out == set(known) - BESIDES.get(name, set())
    wrong = {
        member
        for member, stated in members.items()
        if member in known and stated.get("type", "object") not in FROM_JSON[known[member]]
    }
    assert wrong == set()
