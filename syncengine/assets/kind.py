"""What a kind of asset is: how it is listed, what else is asked for one of them, which columns its table has.

The table of them is in `kinds`; here is only its shape.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from syncengine.marketo.endpoints.assets import Design
from syncengine.schema import Field, FieldType

Rows = Sequence[Mapping[str, Any]]
Row = Mapping[str, Any]
Version = Literal["", "approved", "draft"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One version of an asset that more is asked for. `is_live` says that it is the version that visitors see.

    `free_form` are the ids of landing page templates whose pages have no variables.
    """

    row: Row
    version: Version
    is_live: bool
    free_form: frozenset[int] = frozenset()


def always(_: Subject) -> bool:
    """Of every asset of the kind."""
    return True


def as_it_is(rows: Rows) -> Any:
    """All rows of the answer."""
    return list(rows)


@dataclass(frozen=True, slots=True)
class Part:
    """What one more call tells of an asset. `name` is its place in the asset's file; HTML has a file of its own.

    `path` has places for `id` and `name`, of the row. `takes_status` tells that it can be asked of either version.
    """

    name: str
    path: str
    pick: Callable[[Rows], Any] = as_it_is
    when: Callable[[Subject], bool] = always
    takes_status: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    is_paged: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of asset.

    `path` lists it. `has_versions` tells that approved and draft versions are listed apart, `has_since` that the list
    takes earliestUpdatedAt, `is_paged` that it is cut into pages. `dynamic` is the path of one section of dynamic
    content. `design` is the name of a kind of the new designer, which is listed by workspace. `id` is the field that
    identifies it, `shown` the one that names it. `inline_html` takes the HTML out of the parts, where it comes in one.
    `ignored` fields of its rows follow from other assets, `entailed` ones from its name or place. `columns` are those
    that have a column of their own.
    """

    name: str
    path: str = ""
    parts: tuple[Part, ...] = ()
    has_versions: bool = False
    has_since: bool = False
    is_paged: bool = True
    dynamic: str = ""
    design: Design | None = None
    id: str = "id"
    shown: str = "name"
    inline_html: Callable[[dict[str, Any]], str | None] | None = None
    ignored: frozenset[str] = frozenset()
    entailed: frozenset[str] = frozenset()
    columns: tuple[Field, ...] = ()

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"asset_{self.name}"

    @property
    def has_text_ids(self) -> bool:
        """Whether it is identified by a text."""
        return self.id != "id" or self.design is not None

    @property
    def statuses(self) -> tuple[Version, ...]:
        """The versions that are listed one after the other."""
        return ("approved", "draft") if self.has_versions else ("",)

    @property
    def call(self) -> str:
        """What a call of its list is named."""
        return f"{self.name}.list"


def texts(*names: str) -> tuple[Field, ...]:
    """Columns of text."""
    return tuple(Field(name, FieldType.TEXT) for name in names)


def numbers(*names: str) -> tuple[Field, ...]:
    """Columns of whole numbers."""
    return tuple(Field(name, FieldType.INTEGER) for name in names)


def flags(*names: str) -> tuple[Field, ...]:
    """Columns of yes and no."""
    return tuple(Field(name, FieldType.BOOLEAN) for name in names)
