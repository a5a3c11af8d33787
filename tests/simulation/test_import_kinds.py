"""Custom objects and members of programs, whose answers are lost like those of leads: each row is there once.

What lies in Marketo is compared row by row; a key of two fields and a status are looked for as well.
"""

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.imports import states
from syncengine.imports.asked import Asked
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from tests.simulation.imports import Intake
from tests.simulation.seeded import Life, seeded

ROWS = 80
PROGRAM = 4_001
STATUS = "On List"
TEXTS = [text for text in HOSTILE_TEXTS if text]
CREATES = {
    "car_c": "/bulk/v1/customobjects/car_c/import.json",
    "purchase_c": "/bulk/v1/customobjects/purchase_c/import.json",
    "members": f"/bulk/v1/program/{PROGRAM}/members/import.json",
}


def cars(rng: random.Random) -> list[dict[str, str]]:
    """Records with a key of one field."""
    return [{"vIN": f"VIN {number}", "color": rng.choice(TEXTS)} for number in range(ROWS)]


def purchases(rng: random.Random) -> list[dict[str, str]]:
    """Records with a key of two fields, of which neither alone tells them apart."""
    return [
        {"leadId": str(1_001 + number % 7), "productName": f"product {number // 7}", "remark": rng.choice(TEXTS)}
        for number in range(ROWS)
    ]


def members(rng: random.Random) -> list[dict[str, str]]:
    """People, with a field of theirs and one of their membership."""
    return [
        {"email": f"m{number}@import.example", "firstName": rng.choice(TEXTS), "seatPreference": rng.choice(TEXTS)}
        for number in range(ROWS)
    ]


ROWS_OF = {"car_c": cars, "purchase_c": purchases, "members": members}


def order(intake: Intake, what: str, rows: Sequence[Mapping[str, str]], route: Route) -> Asked:
    """The order to import these rows of one kind."""
    path = intake.folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    if what == "members":
        target = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=PROGRAM, status=STATUS)
    else:
        target = Target(kind=Kind.CUSTOM_OBJECTS, keys=(), api_name=what)
    return Asked(target=target, files=(str(path),), route=route)


def truth(intake: Intake, stream: str) -> list[dict[str, Any]]:
    """What a stream holds now."""
    now = intake.clock.now().timestamp()
    intake.server.advance(now)
    return [orjson.loads(line) for line in b"".join(intake.server.truth(stream, now) or ()).splitlines()]


def missing(intake: Intake, what: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Rows that are not there exactly once."""
    if what == "members":
        people = {lead["email"]: lead for lead in truth(intake, "leads")}
        there = [
            {**people.get(row["email"], {}), **member}
            for row in rows
            for member in truth(intake, "program_members")
            if (member["leadId"], member["programId"]) == (people.get(row["email"], {}).get("id"), PROGRAM)
            and member["statusName"] == STATUS
        ]
    else:
        there = truth(intake, f"custom_objects/{what}")
    names = list(rows[0])
    found = [tuple(str(record[name]) for name in names) for record in there]
    return [str(row) for row in rows if found.count(tuple(row[name] for name in names)) != 1]


@pytest.mark.parametrize("action", ["", "drop_after", "drop_before", "reset", "latency"])
@pytest.mark.parametrize("what", ["car_c", "purchase_c", "members"])
@seeded
async def test_rows_of_every_kind_are_there_once(tmp_path: Path, what: str, action: str) -> None:
    """With all answers, or with every second one lost: looked for by their keys, sent again only where they are not."""
    intake = Intake(tmp_path, 1, file_bytes=1_200)
    rows = ROWS_OF[what](random.Random(1))
    if action:
        intake.faults({"action": action, "path": CREATES[what], "every": 2, "seconds": 700.0, "times": 2})
    assert "done" == await intake.ending(order(intake, what, rows, Route.BULK)), intake.last_error
    assert [] == missing(intake, what, rows)
    chunks = await intake.jobs()
    assert len(intake.batches()) == len(chunks)
    looked_for = sum(job.state == states.CONFIRMED for job in chunks)
    assert looked_for == (2 if action in {"drop_after", "reset", "latency"} else 0)


@pytest.mark.parametrize("route", [Route.REST, Route.INGESTION])
@pytest.mark.parametrize("what", ["car_c", "purchase_c"])
@seeded
async def test_custom_objects_go_by_json(tmp_path: Path, what: str, route: Route) -> None:
    """By the synchronous call and by the Data Ingestion API, an answer lost in between."""
    intake = Intake(tmp_path, 2, has_ingestion=True)
    rows = ROWS_OF[what](random.Random(2))
    intake.faults({"action": "drop_after", "path": f"*/customobjects/{what}*", "method": "POST", "nth": 1})
    assert "done" == await intake.ending(order(intake, what, rows, route)), intake.last_error
    assert [] == missing(intake, what, rows)


@pytest.mark.parametrize("what", ["car_c", "purchase_c", "members"])
@pytest.mark.parametrize("length", range(20, 120, 9))
@seeded
async def test_imports_of_every_kind_survive_a_death(tmp_path: Path, what: str, length: int) -> None:
    """A process dies in the middle of it; the next one finishes the run."""
    intake = Intake(tmp_path, 3, file_bytes=2_000, import_seconds=(10.0, 60.0), in_memory=True)
    rows = ROWS_OF[what](random.Random(3))
    asked = order(intake, what, rows, Route.BULK)
    await intake.ending(asked, Life(length))
    await intake.close(asked)
    assert "done" == (await intake.told()).outcome
    assert [] == missing(intake, what, rows)
    assert len(intake.batches()) == len(await intake.jobs())
