"""Nights that meet trouble in some stream: the data is right in the end, and the report has a line about it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from syncengine.errors import ConfigError
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.reports import StreamReport, SyncReport
from tests.simulation.faults import NO_MEGABYTES, on
from tests.simulation.nights import Night
from tests.simulation.seeded import seeded

# Streams of each way: two by bulk export over time, two by parts of it, and three page by page.
STREAMS = ("leads", "activities", "program_members", "list_members", "programs", "lists", "deleted_leads")
BULK = {"leads", "activities", "program_members", "list_members"}
LISTS = (2001, 2002)
KEYS = {"program_members": ("programId", "leadId"), "list_members": ("listId", "leadId")}


def night_of(folder: Path, *streams: str, **options: Any) -> Night:
    """A night of these streams: of leads the fields that nights compare, of others all."""
    night = Night(folder, 1, **options)
    compared = {each.name: each for each in night.wanted}
    special: dict[str, dict[str, Any]] = {"list_members": {"lists": LISTS}}
    night.wanted = [
        compared.get(name) or Wanted(name, Choice(), night.reach, **special.get(name, {})) for name in streams
    ]
    return night


async def synced(night: Night) -> SyncReport:
    """One run, whatever is left for the next one, and then a few minutes."""
    async with night.process() as parts:
        report = await night.run(parts)
    await night.settle()
    return report


def lines(report: SyncReport, stream: str) -> str:
    """What the report says about a stream."""
    return "\n".join(of(report, stream).problems)


def of(report: SyncReport, stream: str) -> StreamReport:
    (found,) = [each for each in report.streams if each.stream == stream]
    return found


def rows(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as database:
        return database.sql(statement).fetchall()


async def problems(night: Night, folder: Path) -> list[str]:
    """What is not as it has to be: every cell of leads and activities, every key of the streams in parts."""
    wanted, night.wanted = night.wanted, [each for each in night.wanted if each.name in {"leads", "activities"}]
    # A mark is ours, and no lead is merged in these nights.
    found = [line for line in await night.problems() if not line.endswith("has other _merged_into")]
    night.wanted = wanted
    names, now = {each.name for each in wanted}, night.clock.now().timestamp()
    for name, keys in KEYS.items():
        if name in names:
            truth = {tuple(row[key] for key in keys) for row in parsed(night.server.data.truth(name, now) or ())}
            truth = {key for key in truth if name != "list_members" or key[0] in LISTS}
            held = rows(folder, f"SELECT {', '.join(keys)} FROM marketo.{name} WHERE _deleted_at IS NULL")
            found += [f"{name} {key} differs" for key in truth ^ set(held)]
    return found


def parsed(truth: Any) -> list[dict[str, Any]]:
    return [orjson.loads(line) for part in truth for line in part.splitlines()]


# Late rows.


@seeded
async def test_late_activities_are_brought_and_told_as_late(tmp_path: Path) -> None:
    """Two rows dated before the cursor, one after it: all are there, and two are said to have come late."""
    night = night_of(tmp_path, "activities", "deleted_leads")
    await synced(night)
    now = night.clock.now().timestamp()
    night.change(new_activities=[{"activityDate": int(now - hours * 3_600)} for hours in (20, 2)])
    night.change(add_activities=1)
    await night.settle()
    report = await synced(night)

    assert (3, 2) == (of(report, "activities").inserted, of(report, "activities").late)
    assert "2 rows appeared late" in lines(report, "activities")
    assert [] == await problems(night, tmp_path)


@seeded
async def test_an_instance_that_is_always_late_is_whole_after_the_lookback(tmp_path: Path) -> None:
    """A tenth of the activities show up hours after their date: night after night all of them have come."""
    night = night_of(tmp_path, "activities", lookback=timedelta(hours=31), late_activities=0.1, activities=600)
    late = 0
    for _ in range(4):
        report = await synced(night)
        late += of(report, "activities").late
        night.change(add_activities=20, seed=late)
        await night.clock.sleep(8 * 3_600.0)
    await night.clock.sleep(31 * 3_600.0)
    await synced(night)
    assert [] == await problems(night, tmp_path)
    assert late > 0


# Fields that come and go.


def all_fields(night: Night) -> Night:
    night.wanted = [replace(each, choice=Choice()) for each in night.wanted]
    return night


@seeded
async def test_a_new_field_is_brought_and_told(tmp_path: Path) -> None:
    """Its column is there from the next run on, filled where a lead has changed since; the line says how to get all."""
    night = all_fields(night_of(tmp_path, "leads"))
    await synced(night)
    night.change(add_field={"name": "shoeSize", "dataType": "integer"})
    night.change(leads=[{"id": 1001, "shoeSize": 43}])
    await night.settle()
    report = await synced(night)

    assert "done" == report.outcome
    assert "new are shoeSize" in lines(report, "leads")
    assert "syncengine sync --full leads" in lines(report, "leads")
    assert [(1001, 43)] == rows(tmp_path, "SELECT id, shoeSize FROM marketo.leads WHERE shoeSize IS NOT NULL")
    assert "shoeSize" not in lines(await synced(night), "leads")


@seeded
async def test_a_field_that_is_gone_keeps_its_column_and_is_told(tmp_path: Path) -> None:
    """What was read of it stays; leads go on without it."""
    night = all_fields(night_of(tmp_path, "leads"))
    await synced(night)
    held = "SELECT id, favouriteColour FROM marketo.leads WHERE favouriteColour IS NOT NULL ORDER BY id"
    before = rows(tmp_path, held)
    night.change(remove_field="favouriteColour")
    night.change(add_leads=1)
    await night.settle()
    report = await synced(night)

    assert ("done", 1) == (report.outcome, of(report, "leads").inserted)
    assert "no longer read are favouriteColour" in lines(report, "leads")
    assert before == rows(tmp_path, held) != []
    assert "favouriteColour" not in lines(await synced(night), "leads")


@seeded
async def test_a_field_that_is_wanted_by_name_and_gone_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    """To go on without it would be a silent loss: the configuration's line is named, and nothing was exported."""
    night = night_of(tmp_path, "leads")
    await synced(night)
    jobs = night.server.report()["jobs_created"]
    night.change(remove_field="favouriteColour")
    with pytest.raises(ConfigError) as caught:
        await synced(night)
    assert ["streams.leads.fields"] == [problem.split(":")[0] for problem in caught.value.problems]
    assert jobs == night.server.report()["jobs_created"]


# Jobs that end badly.

BAD_ENDS = ("Failed", "Canceled", "Cancelled")


@pytest.mark.parametrize("status", BAD_ENDS)
@seeded
async def test_a_job_that_ends_badly_is_made_anew(tmp_path: Path, status: str) -> None:
    """The first job of the night fails or is cancelled, in either spelling: the same run brings its rows."""
    night = night_of(
        tmp_path,
        *STREAMS,
        leads=100,
        program_members=200,
        faults=(on("create", {"action": "outcome", "status": status}, times=3),),
    )
    report = await synced(night)
    assert ("done", ()) == (report.outcome, report.problems)
    assert [] == await problems(night, tmp_path)


@pytest.mark.parametrize(
    ("status", "kind"), [("Failed", "leads"), ("Canceled", "activities"), ("Cancelled", "program/members")]
)
@seeded
async def test_jobs_that_always_end_badly_fail_their_streams_alone(tmp_path: Path, status: str, kind: str) -> None:
    """The report names stream and reason; all the other streams are whole, and the next run has the rest."""
    rule = {"action": "outcome", "status": status, "message": "boom", "path": f"*/{kind}/export/create.json"}
    night = night_of(tmp_path, *STREAMS, leads=100, program_members=200, faults=(rule,))
    report = await synced(night)

    failing = {"leads": {"leads", "list_members"}, "activities": {"activities"}}.get(kind, {"program_members"})
    assert "partial" == report.outcome
    assert failing == {problem.split(" ")[0] for problem in report.problems}
    word = "Failed" if status == "Failed" else "Cancelled"
    assert any(f"ended as {word}" in problem for problem in report.problems)
    whole = {each.stream for each in report.streams if each.rows}
    assert {"leads", "activities", "program_members", "list_members", "programs", "lists"} - failing <= whole

    night.server.set_faults([])
    assert "done" == (await synced(night)).outcome
    assert [] == await problems(night, tmp_path)


# Quotas and filters.


@pytest.mark.parametrize("call", ["create", "enqueue"])
@seeded
async def test_a_spent_export_quota_stops_exports_alone(tmp_path: Path, call: str) -> None:
    """Streams that are read page by page come all the same; the report says when to go on, and then all is whole."""
    night = night_of(tmp_path, *STREAMS, leads=100, program_members=200, faults=(on(call, NO_MEGABYTES),))
    report = await synced(night)

    assert ("paused", True) == (report.outcome, report.resume_at is not None)
    told = {problem.split(" ")[0] for problem in report.problems if "export megabytes" in problem}
    assert told >= {name for name in BULK if not of(report, name).rows} != set()
    assert told <= BULK
    assert 60 == of(report, "programs").inserted
    assert 12 == of(report, "lists").inserted
    assert {"1029": 1} == night.server.report()["codes"]

    assert report.resume_at is not None
    await night.clock.sleep((report.resume_at - night.clock.now()).total_seconds() + 1.0)
    assert "done" == (await synced(night)).outcome
    assert [] == await problems(night, tmp_path)


@seeded
async def test_a_subscription_without_the_filter_is_told_for_each_stream(tmp_path: Path) -> None:
    """1035: leads and members come in another way, custom objects have none; the rest does not notice."""
    no_filter = {"action": "error", "code": "1035", "path": "*/customobjects/*/create.json", "times": 1}
    night = night_of(
        tmp_path,
        *STREAMS,
        "custom_object_car_c",
        leads=100,
        program_members=200,
        updated_at_filter=False,
        faults=(no_filter,),
    )
    for _ in range(2):
        report = await synced(night)
        assert ("done", ()) == (report.outcome, report.problems)
        assert "1035" in lines(report, "leads")
        assert "left out" in lines(report, "custom_object_car_c")
    assert [] == await problems(night, tmp_path)
