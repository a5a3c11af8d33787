"""Create or update records of custom objects and memberships of programs by a key.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/custom-objects
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-custom-object-import
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-program-member-import
"""

from collections.abc import Mapping, Sequence
from typing import Any

from syncengine.sandbox.cells import BadCell, cell_reader, target
from syncengine.sandbox.lead_upserts import Action, Landing, LeadRows, skipped
from syncengine.sandbox.people import People
from syncengine.sandbox.programs import Members
from syncengine.sandbox.records import Records
from syncengine.sandbox.replies import MESSAGES
from syncengine.sandbox.values import Value

MISSING_KEYS = "missing.dedupe.fields"


class ObjectUpsert:
    """One write of custom object records that is under way; it sees the records that there were when it began."""

    def __init__(self, table: Records, key: tuple[str, ...], action: Action = "createOrUpdate") -> None:
        self._table = table
        self._key = key
        self._action = action
        self._sight = table.sights.begin(len(table))
        self._readers = {
            name: cell_reader(target(name, field.label, field.data_type, field.length))
            for name, field in table.fields.items()
        }

    def close(self) -> None:
        """The write is done: others see its records from now on."""
        self._table.sights.end(self._sight)

    def guid(self, row: int) -> Value:
        """The GUID of a record."""
        return self._table.columns(["marketoGUID"], [row])[0][0]

    def put_record(self, record: Mapping[str, Any], now: float) -> Landing:
        """Write one record of raw values by the names of their fields."""
        fields = self._table.fields
        for name in record:
            if name not in fields:
                return skipped("1006", MESSAGES["1006"].format(name))
            if not fields[name].is_updateable and name not in self._key:
                return skipped("1003", f"Field '{name}' cannot be written")
        try:
            values = {name: self._readers[name](value) for name, value in record.items()}
        except BadCell as bad:
            return skipped("1003", str(bad))
        return self._put(values, now)

    def _put(self, values: dict[str, Value], now: float) -> Landing:
        key = tuple(values.get(name) for name in self._key)
        if None in key:
            return skipped("1003", MISSING_KEYS)
        rows = self._sight.seen(self._table.lookup(self._key, key))
        if not rows:
            if self._action == "updateOnly":
                return skipped("1013")
            row = self._table.create(values, now)
            self._sight.own.add(row)
            return Landing(row, "created")
        if self._action == "createOnly":
            return skipped("1017")
        if len(rows) > 1:
            return skipped("1007")
        names = list(values)
        known = self._table.columns(names, rows)
        changed = {name: values[name] for name, (old,) in zip(names, known, strict=True) if values[name] != old}
        if changed:
            self._table.write(rows[0], changed, now)
        return Landing(rows[0], "updated")


class ObjectRows:
    """Writes the rows of a custom object file; a column that no field is called like spoils every row."""

    def __init__(self, table: Records, names: tuple[str, ...], key: tuple[str, ...]) -> None:
        self._names = names
        self._upsert = ObjectUpsert(table, key)
        self._fault = MISSING_KEYS if not set(key) <= set(names) else ""
        if not self._fault:
            unknown = [name for name in names if name not in table.fields]
            self._fault = MESSAGES["1006"].format(unknown[0]) if unknown else ""

    def close(self) -> None:
        """The job has ended."""
        self._upsert.close()

    def write(self, cells: list[str], now: float) -> tuple[str, str]:
        """Write a row; why it failed, and what is to be warned of."""
        if self._fault:
            return self._fault, ""
        landing = self._upsert.put_record(dict(zip(self._names, cells, strict=True)), now)
        return ("", "") if landing.row >= 0 else (landing.message, "")


class MemberUpsert:
    """Writes memberships of one program that are under way."""

    def __init__(self, members: Members, program_id: int, status: str) -> None:
        self._members = members
        self._program_id = program_id
        self._status = status

    def put(self, lead_id: int, values: Mapping[str, Value], now: float) -> Landing:
        """The lead is a member with this status and these values of custom fields."""
        table = self._members.records
        rows = table.lookup(("leadId", "programId"), (lead_id, self._program_id))
        wanted = {"statusName": self._status, **values}
        if not rows:
            return Landing(
                table.create(self._members.born(lead_id, self._program_id, int(now)) | wanted, now), "created"
            )
        names = list(wanted)
        known = table.columns(names, [rows[0]])
        changed = {name: wanted[name] for name, (old,) in zip(names, known, strict=True) if wanted[name] != old}
        if not changed:
            return skipped("1037")
        table.write(rows[0], changed, now)
        return Landing(rows[0], "updated")


class MemberRows:
    """Writes the rows of a program member file: leads by e-mail address, then their membership."""

    def __init__(self, people: People, members: Members, names: tuple[str, ...], upsert: MemberUpsert) -> None:
        own = [number for number, name in enumerate(names) if name in members.records.fields]
        self._lead_places = [number for number in range(len(names)) if number not in own]
        self._own = [(number, names[number]) for number in own]
        fields = members.records.fields
        self._readers = {
            name: cell_reader(target(name, fields[name].label, fields[name].data_type, fields[name].length))
            for _, name in self._own
        }
        self._upsert = upsert
        self._landed: Sequence[int] = ()
        self._leads = LeadRows(people, tuple(names[number] for number in self._lead_places), "email", self._note)

    def close(self) -> None:
        """The job has ended."""
        self._leads.close()

    def write(self, cells: list[str], now: float) -> tuple[str, str]:
        """Write a row; why it failed, and what is to be warned of."""
        try:
            values = {name: self._readers[name](cells[number]) for number, name in self._own}
        except BadCell as bad:
            return str(bad), ""
        failure, warning = self._leads.write([cells[number] for number in self._lead_places], now)
        if not failure:
            self._upsert.put(self._landed[0], values, now)
        return failure, warning

    def _note(self, lead_id: int) -> None:
        self._landed = (lead_id,)
