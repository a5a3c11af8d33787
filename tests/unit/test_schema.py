"""The neutral shape of rows: fields with types of our own, and what carries them."""

import subprocess
import sys

import pyarrow as pa
import pytest

from syncengine.schema import Field, FieldType, Schema, arrow_type

ID, NAME = Field("id", FieldType.INTEGER), Field("name", FieldType.TEXT)


@pytest.mark.parametrize(
    ("kind", "carrier"),
    [
        (FieldType.TEXT, pa.string()),
        (FieldType.INTEGER, pa.int64()),
        (FieldType.FLOAT, pa.float64()),
        (FieldType.BOOLEAN, pa.bool_()),
        (FieldType.DATE, pa.date32()),
        (FieldType.TIMESTAMP, pa.timestamp("us", tz="UTC")),
        (FieldType.JSON, pa.string()),
    ],
)
def test_each_type_has_a_carrier(kind: FieldType, carrier: pa.DataType) -> None:
    """Whole numbers have 64 bits, instants microseconds in UTC, JSON stays text."""
    assert carrier == arrow_type(kind)


def test_no_type_is_without_a_carrier() -> None:
    """A new type has to say what carries it."""
    assert len(FieldType) == len([arrow_type(kind) for kind in FieldType])


def test_columns_keep_their_order() -> None:
    """Names and Arrow's columns stand as the fields do, not as the key does."""
    schema = Schema((NAME, ID), ("id",))
    assert (("name", "id"), ["name", "id"]) == (schema.names, schema.arrow().names)
    assert [pa.string(), pa.int64()] == schema.arrow().types


def test_a_field_is_named_once() -> None:
    """Two columns of one name could not be told apart, whatever their types."""
    with pytest.raises(ValueError, match="once"):
        Schema((ID, Field("id", FieldType.TEXT)), ("id",))


def test_names_that_differ_in_case_are_two_fields() -> None:
    """Marketo's names are case-sensitive; what a database makes of that is its own affair."""
    assert ("id", "ID") == Schema((ID, Field("ID", FieldType.TEXT)), ("id",)).names


def test_a_key_is_among_the_fields() -> None:
    """Every missing name is told."""
    with pytest.raises(ValueError, match="mail, phone"):
        Schema((ID, NAME), ("mail", "id", "phone"))


def test_a_stream_may_have_no_key() -> None:
    """Rows that nothing identifies have a schema all the same."""
    assert () == Schema((NAME,), ()).key


def test_schemas_are_values() -> None:
    """Equal columns and key make equal schemas; another order or key does not."""
    schema = Schema((ID, NAME), ("id",))
    assert (schema, hash(schema)) == (Schema((ID, NAME), ("id",)), hash(Schema((ID, NAME), ("id",))))
    assert schema not in [Schema((NAME, ID), ("id",)), Schema((ID, NAME), ("name",)), Schema((ID, NAME), ())]


def test_the_shape_of_rows_costs_no_arrow() -> None:
    """Arrow is loaded when a schema is first carried somewhere, so that --help and plans stay fast."""
    script = "import sys, syncengine.schema as s; s.Schema((), ()); sys.exit('pyarrow' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
