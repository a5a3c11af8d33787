"""Static lists with their members, and smart campaigns; separate from programs, which page in another way.

A list's members are a pure function of list and lead: every so many leads belong to it. Laid over it is what was added
and taken since.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-membership
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/smart-campaigns
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from syncengine.sandbox.draws import numbers
from syncengine.sandbox.generated import Column, pooled, texts
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import FIRST_LEAD_ID, SECONDS_A_YEAR, People
from syncengine.sandbox.programs import WORKSPACE
from syncengine.sandbox.records import Records, births, numbered, parsed_fields, serials, touches
from syncengine.sandbox.replies import refusal
from syncengine.sandbox.values import Value

FIRST_LIST_ID = 2_001
FIRST_CAMPAIGN_ID = 3_000
# One in so many leads is a member: one in seven, all of them, none ...
STRIDES = (7, 1, 0, 2, 3, 31, 5, 13)
TRUTH_ROWS = 2_000

LIST_FIELDS = parsed_fields("""
id|Id|integer*
name|Name|string
description|Description|text
programName|Program|string
workspaceName|Workspace|string
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
""")

CAMPAIGN_FIELDS = parsed_fields("""
id|Id|integer*
name|Name|string
description|Description|text
type|Type|string
active|Active|boolean
programId|Program Id|integer
programName|Program|string
workspaceName|Workspace|string
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
""")

PARTITIONS: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "Default", "description": "Initial system lead partition"},
    {"id": 2, "name": "EMEA, APAC", "description": 'Partition of the "rest"'},
)

LIST_WORDS = ("Buyers", "Newsletter, weekly", 'The "A" list', "Caf\u00e9 guests", "Webinar\tguests")
CAMPAIGN_WORDS = ("Send welcome", "Score: visit", "Sync, nightly", 'Alert "sales"')


def partition_named(name: str) -> None:
    """Raise Refusal (1008) for a partition that there is not; no name means the default one."""
    if name and name not in {partition["name"] for partition in PARTITIONS}:
        raise refusal("1008", name)


def _shared_columns(
    options: SandboxOptions, programs: Records, first_id: int, words: Sequence[str]
) -> dict[str, Column]:
    start, span = int(options.start_seconds), max(1, int(options.years * SECONDS_A_YEAR))

    def of_program(name: str) -> Column:
        def column(_indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
            count = len(programs)
            rows = [number if number < count else -1 for number in numbers("program", keys, count * 2 or 1)]
            known = programs.columns([name], [max(row, 0) for row in rows])[0]
            return [None if row < 0 or not count else value for row, value in zip(rows, known, strict=True)]

        return column

    homes = of_program("workspace")

    def workspaces(indices: Sequence[int], keys: Sequence[int]) -> list[Value]:
        return [home or WORKSPACE for home in homes(indices, keys)]

    return {
        "id": serials(first_id),
        "name": numbered("name", words),
        "description": texts("description", ("", "Made by hand", "First line\nsecond line"), hostile=0.3),
        "programId": of_program("id"),
        "programName": of_program("name"),
        "workspaceName": workspaces,
        "createdAt": births(start, span),
        "updatedAt": touches(start, span),
    }


def campaigns_of(options: SandboxOptions, programs: Records) -> Records:
    """The smart campaigns of an instance."""
    columns = _shared_columns(options, programs, FIRST_CAMPAIGN_ID, CAMPAIGN_WORDS) | {
        "type": pooled("type", ("batch", "trigger")),
        "active": pooled("active", (True, False)),
    }
    return Records(CAMPAIGN_FIELDS, columns, seed=options.seed + 202, count=options.campaigns)


class StaticLists:
    """All static lists; `records` has them as rows, members are rows of people."""

    def __init__(self, options: SandboxOptions, programs: Records, people: People) -> None:
        columns = _shared_columns(options, programs, FIRST_LIST_ID, LIST_WORDS)
        self.records = Records(LIST_FIELDS, columns, seed=options.seed + 201, count=options.lists)
        self._people = people
        self._given: dict[int, dict[int, bool]] = {}

    def find(self, name: str, value: Value) -> int | None:
        """The list's row by `id` or `name`."""
        return next(iter(self.records.matching(name, [value])), None)

    def has(self, row: int) -> Callable[[int], bool]:
        """Whether a lead, given by its id, is on the list."""
        stride, given = STRIDES[row % len(STRIDES)], self._given.setdefault(row, {})

        def drawn(place: int) -> bool:
            return stride > 0 and (place + row) % stride == 0 and not self._people.is_written(place)

        return lambda lead_id: given[lead_id] if lead_id in given else drawn(lead_id - FIRST_LEAD_ID)

    def members(self, row: int, first: int = 0) -> Iterator[int]:
        """Rows of the list's members, from the people's row `first` on."""
        has = self.has(row)
        return (place for place in self._people.rows(first) if has(FIRST_LEAD_ID + place))

    def put(self, row: int, lead_id: int, *, is_member: bool) -> None:
        """Add a lead to the list or take it off."""
        self._given.setdefault(row, {})[lead_id] = is_member

    def merge(self, winner: int, loser: int) -> None:
        """The winner is on every list that the loser was on."""
        for row in self.records.rows():
            if self.has(row)(loser):
                self.put(row, winner, is_member=True)

    def truth(self) -> Iterator[bytes]:
        """All memberships as JSON lines, in the order of lists and leads."""
        rows = self.records.rows()
        for row, list_id in zip(rows, self.records.columns(["id"], rows)[0], strict=True):
            members = list(self.members(row))
            for start in range(0, len(members), TRUTH_ROWS):
                yield b"".join(
                    orjson.dumps({"listId": list_id, "leadId": FIRST_LEAD_ID + place}, option=orjson.OPT_APPEND_NEWLINE)
                    for place in members[start : start + TRUTH_ROWS]
                )
