"""What is imported into: a kind of object, the fields that tell its rows apart, and what else Marketo is told.

A value that goes into the journal as it is, so that a run which is taken up days later imports into the same place.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """The kinds of objects that bulk import takes.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-import
    """

    LEADS = "leads"
    CUSTOM_OBJECTS = "custom-objects"
    PROGRAM_MEMBERS = "program-members"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where rows go. `keys` are the fields by which Marketo finds the record that a row means.

    Leads have one key, the lookup field; program members are looked up by email; a custom object by its dedupe fields.
    """

    kind: Kind
    keys: tuple[str, ...]
    api_name: str = ""
    program_id: int = 0
    status: str = ""
    list_id: int | None = None
    partition: str = ""

    @property
    def label(self) -> str:
        """The target in words."""
        match self.kind:
            case Kind.LEADS:
                return "leads"
            case Kind.CUSTOM_OBJECTS:
                return f"custom object {self.api_name}"
            case Kind.PROGRAM_MEMBERS:
                return f"members of program {self.program_id}"

    @property
    def work(self) -> str:
        """The work that only one process may do at a time.

        Leads and program members are both people: two imports at once could make two records of one person.
        """
        return f"import {self.label}" if self.kind is Kind.CUSTOM_OBJECTS else "import people"

    @property
    def is_all_in_fields(self) -> bool:
        """Whether what an import leaves behind can be read from records: that somebody is on a list cannot."""
        return self.list_id is None

    def facts(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return asdict(self) | {"kind": self.kind.value}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Target":
        """As the journal gives it back."""
        return cls(**{**facts, "kind": Kind(facts["kind"]), "keys": tuple(facts["keys"])})
