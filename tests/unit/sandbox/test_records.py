"""Tests of tables."""

import orjson
import pytest

from syncengine.sandbox.generated import pooled
from syncengine.sandbox.records import Records, births, guids, numbered, parsed_fields, serials, touches

NOW = 1_768_478_400
FIELDS = parsed_fields("""
id|Id|integer*
name|Name|string|40
colour|Colour|string
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
""")


def table_of(count: int = 500) -> Records:
    """A fresh table."""
    columns = {
        "id": serials(10),
        "name": numbered("name", ("A", "B")),
        "colour": pooled("colour", ("red", None)),
        "createdAt": births(NOW, 1_000_000),
        "updatedAt": touches(NOW, 1_000_000),
    }
    return Records(FIELDS, columns, seed=5, count=count)


def test_fields_are_described_as_their_line_says() -> None:
    """Length, if given, and whether the field can be updated."""
    assert [field.described() for field in FIELDS[:2]] == [
        {"name": "id", "displayName": "Id", "dataType": "integer", "updateable": False, "crmManaged": False},
        {
            "name": "name",
            "displayName": "Name",
            "dataType": "string",
            "length": 40,
            "updateable": True,
            "crmManaged": False,
        },
    ]


def test_a_row_is_the_same_whatever_is_asked_beside_it() -> None:
    """Values follow from seed and row alone."""
    table, names = table_of(), list(table_of().fields)
    together = list(zip(*table.columns(names, range(500)), strict=True))
    assert [tuple(column[0] for column in table.columns(names, [row])) for row in (0, 7, 499)] == [
        together[0],
        together[7],
        together[499],
    ]


def test_names_and_guids_belong_to_one_row_alone() -> None:
    """Keys are unique."""
    names = table_of().columns(["name"], range(500))[0]
    assert len(set(names)) == len(set(guids(range(500), range(500)))) == 500


def test_no_row_is_updated_before_its_birth() -> None:
    """Both lie before the start."""
    born, touched = table_of().columns(["createdAt", "updatedAt"], range(500))
    assert all(int(b or 0) <= int(t or 0) < NOW for b, t in zip(born, touched, strict=True))


def test_changes_show() -> None:
    """A row is updated, one comes, one goes; updatedAt moves with it."""
    table = table_of(3)
    table.update(1, {"colour": "blue"}, NOW + 5)
    row = table.add({"name": "new"}, NOW + 6)
    table.remove(0)
    assert (row, table.rows(), table.matching("colour", ["blue"])) == (3, [1, 2, 3], [1])
    assert table.between("updatedAt", NOW + 5, NOW + 6) == [1, 3]
    assert [orjson.loads(line)["id"] for line in b"".join(table.truth()).splitlines()] == [11, 12, 13]


@pytest.mark.parametrize(("row", "values"), [(9, {}), (1, {"noSuch": 1}), (1, {"id": "x"}), (0, {"name": "gone"})])
def test_an_impossible_update_is_refused(row: int, values: dict[str, object]) -> None:
    """Rows that there are not, unknown fields and wrong types change nothing."""
    table = table_of(3)
    table.remove(0)
    with pytest.raises(ValueError, match=r"."):
        table.update(row, values, NOW)
    assert table.between("updatedAt", NOW, NOW) == []
