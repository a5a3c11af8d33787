"""Programs and their members: which lead is in which program, and what is known of each membership.

A membership is a pure function of its row: row r belongs to program r modulo their number, and its lead comes from
steps through all leads that meet none of them twice. Nothing is stored but what was changed.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/programs
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/program-members
"""

import math
from collections.abc import Sequence
from typing import Any

from syncengine.sandbox.draws import numbers, picks
from syncengine.sandbox.fates import Fates
from syncengine.sandbox.generated import Column, instants, pooled, texts
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import FIRST_LEAD_ID, SECONDS_A_YEAR
from syncengine.sandbox.records import Records, births, numbered, parsed_fields, serials, touches
from syncengine.sandbox.values import Value, utc_formatter

FIRST_PROGRAM_ID = 4_001
WORKSPACE = "Default"
FURTHER_WORKSPACES = ("EMEA, APAC", "Labs \u00e9")

PROGRAM_FIELDS = parsed_fields("""
id|Id|integer*
name|Name|string
description|Description|text
createdAt|Created At|datetime*
updatedAt|Updated At|datetime*
url|URL|string*
type|Type|string
channel|Channel|string
status|Status|string
workspace|Workspace|string
headStart|Head Start|boolean
""")

MEMBER_FIELDS = parsed_fields("""
acquiredBy|acquiredBy|boolean*
attendanceLikelihood|attendanceLikelihood|integer*
createdAt|createdAt|datetime*
isExhausted|isExhausted|boolean*
leadId|leadId|integer*
membershipDate|membershipDate|datetime*
nurtureCadence|nurtureCadence|string*|4
program|program|string*
programId|programId|integer*
reachedSuccess|reachedSuccess|boolean*
reachedSuccessDate|reachedSuccessDate|datetime*
registrationLikelihood|registrationLikelihood|integer*
statusName|statusName|string*
statusReason|statusReason|string*
trackName|trackName|string*
updatedAt|updatedAt|datetime*
waitlistPriority|waitlistPriority|integer*
seatPreference|Seat Preference|string
registrationCode|Registration Code|string|100
webinarUrl|Webinar URL|string|2000
""")
CUSTOM_MEMBER_FIELDS = ("seatPreference", "registrationCode", "webinarUrl")
SEARCHABLE_MEMBER_FIELDS = ("leadId", "reachedSuccess", "statusName", *CUSTOM_MEMBER_FIELDS)
DEFAULT_MEMBER_FIELDS = ("acquiredBy", "leadId", "membershipDate", "programId", "reachedSuccess")
# Headers of the example file; custom fields and lead fields keep their API names there.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-program-member-extract
MEMBER_HEADERS = {
    "membershipDate": "Member Date",
    "program": "Program",
    "statusName": "Status",
    "leadId": "Lead Id",
    "reachedSuccess": "Success",
}

PROGRAM_WORDS = (
    "Spring sale",
    "Webinar, live",
    'The "Big" launch',
    "Nurture\u2028DACH",
    "Trade show \u00d6",
    "=Roadshow",
)
KINDS = (
    ("Default", "Online Advertising", ""),
    ("Event", "Tradeshow", ""),
    ("Engagement", "Nurture", "on"),
    ("Email", "Email Send", "unlocked"),
    ("Event with Webinar", "Webinar", ""),
    ("Engagement", "Nurture", "off"),
)
# Standard names, and one that the user made.
STATUSES = ("Member", "Invited", "Registered", "Attended", "No Show", "On List", "Influenced", 'Waiting, "VIP"')


def workspace_names(count: int) -> tuple[str, ...]:
    """The names of the workspaces that an instance has."""
    known = (WORKSPACE, *FURTHER_WORKSPACES)
    return (*known[:count], *(f"Workspace {number}" for number in range(len(known) + 1, count + 1)))


def programs_of(options: SandboxOptions) -> Records:
    """The programs of an instance."""
    start, span = int(options.start_seconds), max(1, int(options.years * SECONDS_A_YEAR))

    def of_kind(place: int) -> Column:
        return lambda _indices, keys: [kind[place] for kind in picks("kind", keys, KINDS)]

    columns: dict[str, Column] = {
        "id": serials(FIRST_PROGRAM_ID),
        "name": numbered("name", PROGRAM_WORDS),
        "description": texts("description", ("", "A program", "First line\nsecond line"), hostile=0.3),
        "createdAt": births(start, span),
        "updatedAt": touches(start, span),
        "url": lambda indices, _keys: [f"https://app-sandbox.example/#PG{FIRST_PROGRAM_ID + i}A1" for i in indices],
        "type": of_kind(0),
        "channel": of_kind(1),
        "status": of_kind(2),
        # Most of them in the first.
        "workspace": pooled("workspace", (*[WORKSPACE] * 3, *workspace_names(options.workspaces)[1:])),
        "headStart": pooled("headStart", (False, False, True)),
    }
    programs = Records(PROGRAM_FIELDS, columns, seed=options.seed + 301, count=options.programs)
    programs.written = asset
    return programs


def asset(values: dict[str, Any]) -> dict[str, Any]:
    """A program as the asset API writes it, with its own form of dates; what is null is left out.

    Where it lies is not known here: that is told by the tree of assets.
    """
    shown = {name: value for name, value in values.items() if value is not None}
    return shown | {name: f"{values[name]}+0000" for name in ("createdAt", "updatedAt")}


def channel_names() -> list[str]:
    """The channels, in the order of their ids."""
    return list(dict.fromkeys(channel for _, channel, _ in KINDS))


def channels(name: str, options: SandboxOptions) -> list[dict[str, Any]]:
    """The channel of this name with the statuses of its programs' members, as the asset API writes it; or none.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/channels
    """
    names = channel_names()
    if name not in names:
        return []
    steps = [
        {"name": status, "description": "", "hidden": False, "step": 10 * place, "success": status == "Attended"}
        for place, status in enumerate(("Not in Program", *STATUSES))
    ]
    kind = next(kind for kind, channel, _ in KINDS if channel == name)
    # Channels are as old as the instance.
    born = int(options.start_seconds - options.years * SECONDS_A_YEAR)
    dates = dict.fromkeys(("createdAt", "updatedAt"), f"{utc_formatter()(born)}+0000")
    known = {"id": 1_000 + names.index(name), "name": name, "applicableProgramType": kind.lower()}
    return [known | {"progressionStatuses": steps} | dates]


class Members:
    """All memberships; `records` has them as rows."""

    def __init__(self, options: SandboxOptions, programs: Records, fates: Fates, lead_count: int) -> None:
        self._programs, self._fates = programs, fates
        self._program_count, self._lead_count = len(programs), lead_count
        most = self._program_count * lead_count
        self.records = Records(
            MEMBER_FIELDS, self._columns(options), seed=options.seed + 302, count=min(options.program_members, most)
        )
        self.records.is_hidden = self._hidden

    def program_rows(self, program_ids: Sequence[int]) -> list[int]:
        """Rows of members of these programs, program by program in the order of the ids."""
        return [
            row for program_id in dict.fromkeys(program_ids) for row in self.records.matching("programId", [program_id])
        ]

    def born(self, lead_id: int, program_id: int, now: int) -> dict[str, Value]:
        """What a new membership has beside its status."""
        name = self._programs.columns(["name"], [program_id - FIRST_PROGRAM_ID])[0][0]
        known: dict[str, Value] = {"leadId": lead_id, "programId": program_id, "program": name}
        return known | {"membershipDate": now, "acquiredBy": False, "isExhausted": False, "reachedSuccess": False}

    def _leads(self, indices: Sequence[int], _keys: Sequence[int]) -> list[Value]:
        step = max(1, int(self._lead_count * 0.618))
        while math.gcd(step, self._lead_count) > 1:
            step += 1
        programs = self._program_count
        places = [(index % programs * 7 + index // programs * step) % self._lead_count for index in indices]
        return self._fates.heirs([FIRST_LEAD_ID + place for place in places])

    def _columns(self, options: SandboxOptions) -> dict[str, Column]:
        start, span = int(options.start_seconds), max(1, int(options.years * SECONDS_A_YEAR))

        def program_rows(indices: Sequence[int]) -> list[int]:
            return [index % self._program_count for index in indices]

        return {
            "leadId": self._leads,
            "programId": lambda indices, _keys: [FIRST_PROGRAM_ID + row for row in program_rows(indices)],
            "program": lambda indices, _keys: self._programs.columns(["name"], program_rows(indices))[0],
            "acquiredBy": pooled("acquiredBy", (True, False, False)),
            "attendanceLikelihood": pooled("attendanceLikelihood", (None, None, *range(0, 100, 9))),
            "createdAt": births(start, span),
            "membershipDate": births(start, span),
            "updatedAt": touches(start, span),
            "isExhausted": pooled("isExhausted", (True, False, False, False)),
            "nurtureCadence": pooled("nurtureCadence", (None, "norm", "norm", "paus")),
            "reachedSuccess": pooled("reachedSuccess", (True, False, False)),
            "reachedSuccessDate": instants("reachedSuccessDate", start, span, nulls_in=3),
            "registrationLikelihood": pooled("registrationLikelihood", (None, 0, 50, 100)),
            "statusName": pooled("statusName", STATUSES),
            "statusReason": texts("statusReason", ("Came", "Did not come, ill"), nulls=0.4),
            "trackName": pooled("trackName", (None, "Track A", "Track, B")),
            "waitlistPriority": pooled("waitlistPriority", (None, None, 0, 1, 2)),
            "seatPreference": pooled("seatPreference", (None, "Front", *HOSTILE_TEXTS)),
            "registrationCode": lambda indices, keys: [
                None if number % 5 == 0 else f"R{index:05}"
                for index, number in zip(indices, numbers("registrationCode", keys, 1_000), strict=True)
            ],
            "webinarUrl": pooled("webinarUrl", (None, "https://webinar.example.com/?a=1,2&b=%20")),
        }

    def _hidden(self, rows: Sequence[int]) -> set[int]:
        """Memberships of leads that are gone, and those that a merge made double."""
        fates = self._fates
        if not fates.gone:
            return set()
        lead_ids, program_ids = self.records.columns(["leadId", "programId"], rows)
        hidden, seen = set(), set()
        for row, lead_id, program_id in zip(rows, lead_ids, program_ids, strict=True):
            if lead_id in fates.gone or (lead_id, program_id) in seen:
                hidden.add(row)
            if fates.has_merges:
                seen.add((lead_id, program_id))
        return hidden
