"""Create or update a lead by a key; separate from the calls that do it, which are many.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from syncengine.sandbox.cells import INVALID_EMAIL, BadCell, cell_reader, target
from syncengine.sandbox.fields import searchable_names
from syncengine.sandbox.indices import normal_key
from syncengine.sandbox.people import FIRST_LEAD_ID, People
from syncengine.sandbox.replies import MESSAGES, invalid, refusal
from syncengine.sandbox.values import Value

Action = Literal["createOrUpdate", "createOnly", "updateOnly", "createDuplicate"]
ACTIONS: tuple[Action, ...] = ("createOrUpdate", "createOnly", "updateOnly", "createDuplicate")
MISSING_KEY = "Missing value for lookup field {}"


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of a record: `row` is where it lies, -1 for one that was skipped, with Marketo's code and message."""

    row: int
    status: Literal["created", "updated", "skipped"]
    code: str = ""
    message: str = ""

    @property
    def lead_id(self) -> int:
        """The id of the lead that was written."""
        return FIRST_LEAD_ID + self.row


def skipped(code: str, message: str = "") -> Landing:
    """A record that is not written, with Adobe's wording where there is one."""
    return Landing(-1, "skipped", code, message or MESSAGES[code])


def lead_readers(people: People, names: Sequence[str]) -> list[Callable[[Any], Value]]:
    """Readers of values for these fields; raises Refusal (1006) for one that there is not."""
    readers = []
    for name in names:
        field = people.fields.get(name)
        if field is None:
            raise refusal("1006", name)
        readers.append(cell_reader(target(name, field.label, field.data_type)))
    return readers


def check_lead_fields(people: People, names: Sequence[str], lookup: str) -> None:
    """Raise Refusal for fields that a write by this key may not name."""
    if lookup not in searchable_names(people.fields.values()):
        raise refusal("1011", lookup)
    for name in names:
        field = people.fields.get(name)
        if field is None:
            raise refusal("1006", name)
        if field.is_read_only and not name == lookup == "id":
            raise invalid(f"Field '{name}' cannot be written")


class LeadUpsert:
    """One write that is under way: a job or a call. It sees the leads that there were when it began, and its own.

    A lead is found by `lookup`, and has the value of `also` too where that is given.
    """

    def __init__(self, people: People, lookup: str, action: Action = "createOrUpdate", *, also: str = "") -> None:
        self._people = people
        self._lookup = lookup
        self._label = people.fields[lookup].label
        self._also = also
        self._action = action
        self._sight = people.sights.begin(len(people))

    def close(self) -> None:
        """The write is done: others see its leads from now on."""
        self._people.sights.end(self._sight)

    def put(self, names: tuple[str, ...], values: Sequence[Value], now: float) -> Landing:
        """Write one record of typed values."""
        if self._action == "createDuplicate":
            return self._created(names, values, now)
        place = names.index(self._lookup) if self._lookup in names else -1
        key = None if place < 0 else normal_key(self._lookup, values[place])
        if key is None:
            return skipped("1003", MISSING_KEY.format(self._label))
        rows = self._rows(key)
        if self._also:
            wanted = values[names.index(self._also)] if self._also in names else None
            known = self._people.columns([self._also], rows)[0]
            rows = [row for row, value in zip(rows, known, strict=True) if value == wanted]
        if not rows and self._lookup != "id" and self._action != "updateOnly":
            return self._created(names, values, now)
        if len(rows) == 1 and self._action != "createOnly":
            return self._updated(rows[0], names, values, now)
        return skipped("1004" if not rows else "1005" if self._action == "createOnly" else "1007")

    def _rows(self, key: Value) -> list[int]:
        if self._lookup == "id":
            row = self._people.find(int(key or 0))
            return [] if row is None else [row]
        return self._sight.seen(self._people.lookup(self._lookup, key))

    def _created(self, names: tuple[str, ...], values: Sequence[Value], now: float) -> Landing:
        row = self._people.create(names, values, now)
        self._sight.own.add(row)
        return Landing(row, "created")

    def _updated(self, row: int, names: tuple[str, ...], values: Sequence[Value], now: float) -> Landing:
        known = self._people.columns(names, [row])
        changed = {
            name: value
            for name, value, (old,) in zip(names, values, known, strict=True)
            if name != "id" and value != old
        }
        if changed:
            self._people.write(row, changed, now)
        return Landing(row, "updated")


class LeadRows:
    """Writes the rows of a lead file; `landed` is told of each lead that was written."""

    def __init__(
        self, people: People, names: tuple[str, ...], lookup: str, landed: Callable[[int], None] = lambda _id: None
    ) -> None:
        self._names = names
        self._readers = lead_readers(people, names)
        self._upsert = LeadUpsert(people, lookup)
        self._landed = landed
        self._email = names.index("email") if "email" in names else -1

    def close(self) -> None:
        """The job has ended."""
        self._upsert.close()

    def write(self, cells: list[str], now: float) -> tuple[str, str]:
        """Write a row; why it failed, and what is to be warned of."""
        try:
            values = [read(cell) for read, cell in zip(self._readers, cells, strict=True)]
        except BadCell as bad:
            return str(bad), ""
        landing = self._upsert.put(self._names, values, now)
        if landing.row < 0:
            return landing.message, ""
        self._landed(landing.lead_id)
        address = values[self._email] if self._email >= 0 else None
        return "", INVALID_EMAIL if address is not None and "@" not in str(address) else ""
