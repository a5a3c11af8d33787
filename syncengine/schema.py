"""The neutral shape in which rows travel: fields with a type of our own, as Arrow record batches.

Apart from both sides, so that a destination never learns Marketo's type names nor Marketo's decoder a database's.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    import pyarrow as pa


class FieldType(Enum):
    """The kinds of values that rows carry."""

    TEXT = "text"
    INTEGER = "integer"  # 64 bits, signed
    FLOAT = "float"  # 64 bits
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"  # microseconds, UTC
    JSON = "json"  # text that holds one JSON value


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name as Marketo's REST API spells it, and its type."""

    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a stream in order, and the names of those that identify a row."""

    fields: tuple[Field, ...]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("a schema names each field once")
        if missing := [name for name in self.key if name not in names]:
            raise ValueError(f"the key names fields that the schema lacks: {', '.join(missing)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(field.name for field in self.fields)

    def arrow(self) -> "pa.Schema":
        """The same columns as an Arrow schema."""
        import pyarrow as pa

        return pa.schema([pa.field(field.name, arrow_type(field.type)) for field in self.fields])


def arrow_type(kind: FieldType) -> "pa.DataType":
    """The Arrow type that carries values of `kind`."""
    import pyarrow as pa

    match kind:
        case FieldType.TEXT | FieldType.JSON:
            return pa.string()
        case FieldType.INTEGER:
            return pa.int64()
        case FieldType.FLOAT:
            return pa.float64()
        case FieldType.BOOLEAN:
            return pa.bool_()
        case FieldType.DATE:
            return pa.date32()
        case FieldType.TIMESTAMP:
            return pa.timestamp("us", tz="UTC")
        case _:
            assert_never(kind)
