"""One night that meets everything at once: the data is right in the end, and the report has a line about each of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.plan import NO_FILTER_NOTE
from syncengine.reports import SyncReport
from tests.end_to_end.processes import as_text
from tests.simulation.faults import NO_MEGABYTES, Rule
from tests.simulation.nights import Night, cell
from tests.simulation.seeded import seeded

KEYS: dict[str, tuple[str, ...]] = {
    "leads": ("id",),
    "activities": ("marketoGUID",),
    "program_members": ("programId", "leadId"),
    "programs": ("id",),
    "deleted_leads": ("leadId",),
    "lead_changes": ("marketoGUID",),
}
Row = dict[str, Any]
Rows = dict[tuple[Any, ...], Row]

DELETED, WINNER, LOSER, SHOD, LATE_HOURS = 1001, 1002, 1003, 1004, (20, 9)
CREATE = {
    name: f"*/v1/{path}/export/create.json"
    for name, path in (("leads", "leads"), ("activities", "activities"), ("members", "program/members"))
}
# Leads and members: the first create is refused with 1035, and teaches the rest of the run. Of members, the third is a
# group's other way, which fails when all else has come; the fourth, made for it, is above the quota.
TROUBLES: tuple[Rule, ...] = (
    {"action": "outcome", "status": "Canceled", "path": CREATE["activities"], "nth": 1},
    {"action": "outcome", "status": "Cancelled", "path": CREATE["leads"], "nth": 2},
    {"action": "outcome", "status": "Failed", "seconds": 300.0, "path": CREATE["members"], "nth": 3},
)
# Numbers of Marketo's own that a marketoGUID or a leadId stands for.
NOT_BROUGHT = {("lead_changes", "id"), ("deleted_leads", "id")}
FULL = "`syncengine sync --full leads`"
AGAIN = "export job ended as"
# What the two reports of the night have to say, and all that they say.
LINES = {
    "leads": {
        "left out fullNameFormula: bulk export does not give formula fields.",
        f"new are shoeSize: rows read before have none of it until they change; {FULL} reads them all again.",
        "no longer read are favouriteColour: their columns stay as they are.",
        NO_FILTER_NOTE["leads"],
        "1 columns were added: shoeSize",
        f"1 {AGAIN} Cancelled: asked for again",
    },
    "activities": {
        "2 rows appeared late: after their date had been read already",
        "1 rows were merged into others: see _merged_into",
        f"1 {AGAIN} Cancelled: asked for again",
    },
    "program_members": {
        NO_FILTER_NOTE["program_members"],
        f"1 {AGAIN} Failed: asked for again",
    },
    "deleted_leads": {"1 rows were deleted: see _deleted_at"},
}


def night_of(folder: Path) -> Night:
    """Two groups of programs, and of each stream all fields."""
    night = Night(folder, 1, leads=100, programs=20, program_members=200)
    night.wanted = [Wanted(name, Choice(), night.reach) for name in KEYS]
    return night


async def synced(night: Night) -> SyncReport:
    async with night.process() as parts:
        return await night.run(parts)


def filter_is_gone(night: Night) -> None:
    """From now on the subscription answers 1035 to whoever filters by `updatedAt`."""
    requests = night.server._bulk._requests
    requests._options = replace(requests._options, updated_at_filter=False)


def busy_day(night: Night) -> None:
    """What people do at Marketo until the night: every kind of change, and activities that show up late."""
    night.change(
        add_field={"name": "shoeSize", "dataType": "integer"},
        remove_field="favouriteColour",
        leads=[{"id": SHOD, "shoeSize": 43}],
        update_leads=5,
        add_leads=2,
        log_changes=True,
        seed=1,
    )
    night.change(delete_leads=[DELETED], merge_leads=[[WINNER, LOSER]], add_activities=3)
    night.change(leads=[{"id": WINNER, "lastName": "Merged"}], log_changes=True)
    now = night.clock.now().timestamp()
    night.change(new_activities=[{"activityDate": int(now - hours * 3_600)} for hours in LATE_HOURS])


def lines(*reports: SyncReport) -> dict[str, set[str]]:
    """What reports say about their streams, taken together."""
    said: dict[str, set[str]] = defaultdict(set)
    for report in reports:
        for stream in report.streams:
            said[stream.stream].update(stream.problems)
    return {name: told for name, told in said.items() if told}


def held(folder: Path, table: str) -> Rows:
    """The rows of a table by their key."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as database:
        found = database.sql(f"SELECT * FROM marketo.{table}").to_arrow_table().to_pylist()
    return {tuple(row[name] for name in KEYS[table]): row for row in found}


def truth(night: Night, table: str) -> Rows:
    """The same as Marketo has them."""
    parts = night.server.data.truth(table, night.clock.now().timestamp()) or ()
    read: Iterator[Row] = (orjson.loads(line) for part in parts for line in part.splitlines())
    return {tuple(row[name] for name in KEYS[table]): row for row in read}


def split(table: str, rows: Rows) -> tuple[Rows, Rows]:
    """The rows that Marketo still has, and those of people who are gone: leads, and their places in programs."""
    whose = {"leads": "id", "program_members": "leadId"}.get(table)
    gone = {key: row for key, row in rows.items() if whose and row[whose] in {DELETED, LOSER}}
    return {key: row for key, row in rows.items() if key not in gone}, gone


def differences(table: str, rows: Rows, true: Rows) -> list[str]:
    """Keys and cells in which a table is not the truth, whose columns are compared one and all."""
    found = [f"{table} {key} is on one side alone" for key in rows.keys() ^ true.keys()]
    for key in rows.keys() & true.keys():
        names = [name for name in true[key] if (table, name) not in NOT_BROUGHT]
        found += [f"{table} {key}: {name}" for name in names if not is_same(rows[key], true[key], name)]
    return found


def is_same(row: Row, true: Row, name: str) -> bool:
    """Whether a cell holds what Marketo says, in whatever of its ways to say it."""
    said = true[name]
    if name == "leadId":
        # What a loser did is the winner's now, for Marketo at once, for a reader by `_merged_into`.
        return bool(said == {LOSER: WINNER}.get(row[name], row[name]))
    if isinstance(said, list | dict):
        return bool(said == orjson.loads(row[name].replace(f'"value":{LOSER}', f'"value":{WINNER}')))
    if isinstance(said, str) and said.endswith("+0000"):
        true = {name: said.removesuffix("+0000").removesuffix("Z") + "Z"}
    return cell(row, name) == cell(true, name)


def changed_cells(rows: Rows, before: Rows, names: Sequence[str] = ()) -> list[str]:
    """Cells that are not as they were before the night; of all of Marketo's columns unless `names` says which."""
    return [
        f"{key}: {name}"
        for key, row in before.items()
        for name in names or [each for each in row if not each.startswith("_")]
        if cell(rows.get(key, {}), name) != cell(row, name)
    ]


def marks(leads: Rows) -> dict[int, tuple[Any, int | None]]:
    """The leads that are marked: since when they are deleted, and into whom they were merged."""
    found = {lead_id: (as_text(row["_deleted_at"]), row["_merged_into"]) for (lead_id,), row in leads.items()}
    return {lead_id: each for lead_id, each in found.items() if each != (None, None)}


@pytest.mark.parametrize(
    ("call", "nth", "waiting"),
    [
        # The quota is met when all but some members have come, or when the first cancelled job is to be made anew.
        ("members", 4, {"program_members"}),
        ("activities", 2, {"activities", "leads", "program_members"}),
    ],
)
@seeded
async def test_everything_at_once_is_told_and_whole_in_the_end(
    tmp_path: Path, call: str, nth: int, waiting: set[str]
) -> None:
    """The night stops for the quota, is gone on with in the morning, and then each cell is as Marketo has it."""
    night = night_of(tmp_path)
    assert "done" == (await synced(night)).outcome
    before = {name: held(tmp_path, name) for name in KEYS}
    await night.clock.sleep(8 * 3_600.0)
    busy_day(night)
    filter_is_gone(night)
    await night.settle()
    night.server.set_faults([*TROUBLES, {**NO_MEGABYTES, "path": CREATE[call], "nth": nth}])

    evening = await synced(night)
    assert ("paused", ("QuotaExhausted",)) == (evening.outcome, evening.errors)
    assert evening.resume_at is not None
    assert waiting == {problem.split(" from ")[0] for problem in evening.problems}
    assert all("export megabytes" in problem for problem in evening.problems)
    # What does not wait is whole by then, and not for the lookback of the morning.
    assert_whole(night, before, {name: held(tmp_path, name) for name in KEYS}, [*KEYS.keys() - waiting])
    await night.clock.sleep((evening.resume_at - night.clock.now()).total_seconds() + 1.0)
    morning = await synced(night)
    assert ("done", ()) == (morning.outcome, morning.problems)

    assert LINES == lines(evening, morning)
    # Each trouble was met, and nothing else; a refused filter once for each stream.
    assert ([1] * 4, {"1035": 2, "1029": 1}) == (night.server._faults._struck, night.server.report()["codes"])
    after = {name: held(tmp_path, name) for name in KEYS}
    assert_whole(night, before, after, list(KEYS))
    assert_marked(night, before, after)


def assert_whole(night: Night, before: dict[str, Rows], after: dict[str, Rows], names: Sequence[str]) -> None:
    """What Marketo has is there, cell by cell, and what it has no more is as it was last."""
    for name in names:
        there, gone = split(name, after[name])
        was_there = split(name, before[name])[1]
        assert ([], was_there.keys()) == (differences(name, there, truth(night, name)), gone.keys())
        assert [] == changed_cells(gone, was_there)


def assert_marked(night: Night, before: dict[str, Rows], after: dict[str, Rows]) -> None:
    """Who is gone says so; a removed field keeps what was read of it; and the changes are not what was there anyway."""
    ((_, deletion),) = truth(night, "deleted_leads").items()
    deleted_at = deletion["activityDate"].replace("+0000", "Z")
    assert {DELETED: (deleted_at, None), LOSER: (None, WINNER)} == marks(after["leads"])
    assert [] == changed_cells(after["leads"], before["leads"], ["favouriteColour"])
    assert 43 == after["leads"][SHOD,]["shoeSize"]
    assert "Merged" == after["leads"][WINNER,]["lastName"]
    assert len(after["activities"].keys() - before["activities"].keys()) >= 3 + len(LATE_HOURS)
