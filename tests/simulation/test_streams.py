"""Nights of every stream: what is deleted, merged, moved or refused at Marketo ends as it has to in the warehouse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.privacy import digest
from syncengine.exports.streams import STREAMS
from syncengine.reports import StreamReport, SyncReport
from tests.simulation.nights import Night
from tests.virtual import virtual

LISTS = (2001, 2002)
KEY = b"a key for tests!"


def every(night: Night, *names: str, **changes: Any) -> list[Wanted]:
    """These streams with all of their fields, or all that the table has."""
    special: dict[str, dict[str, Any]] = {
        "list_members": {"lists": LISTS},
        "named_account_lists": {"names": ("SaaS 5", "SaaS 6")},
    }
    return [
        replace(Wanted(name, Choice(), night.reach, **special.get(name, {})), **changes) for name in names or STREAMS
    ]


async def synced(night: Night) -> SyncReport:
    async with night.process() as parts:
        report = await night.run(parts)
    await night.settle()
    return report


def of(report: SyncReport, stream: str) -> StreamReport:
    (found,) = [each for each in report.streams if each.stream == stream]
    return found


def rows(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as database:
        return database.sql(statement).fetchall()


def written(folder: Path) -> bytes:
    """Every byte that a night has left on disk."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def moved(report: SyncReport) -> dict[str, int]:
    return {each.stream: each.moved + each.deleted for each in report.streams if each.moved + each.deleted}


@virtual
async def test_every_stream_comes_and_then_only_what_changes(tmp_path: Path) -> None:
    """A second run without changes moves nothing but the day's usage; a third moves what was changed, and no more."""
    night = Night(tmp_path, 11, streams=())
    night.wanted = every(night)
    first, second = await synced(night), await synced(night)
    night.change(update_leads=2, add_leads=1, add_activities=3, seed=1)
    await night.settle()
    third = await synced(night)

    assert ("done", "done", "done") == (first.outcome, second.outcome, third.outcome)
    assert {"usage": 1} == moved(second)
    # The new lead is in a list, and of a company that nobody was of.
    assert {"leads": 3, "activities": 3, "list_members": 1, "companies": 1, "usage": 1} == moved(third)
    assert [] == night.broken_limits()


@virtual
async def test_deleted_and_merged_leads_are_marked_and_kept(tmp_path: Path) -> None:
    """The row of a deleted lead says when, that of a merge's loser says into whom; neither is read again as living."""
    night = Night(tmp_path, 12, streams=())
    night.wanted = every(night, "leads", "activities", "deleted_leads")
    await synced(night)
    night.change(delete_leads=[1001], merge_leads=[[1002, 1003]])
    await night.settle()
    report = await synced(night)

    statement = (
        "SELECT id, _deleted_at IS NOT NULL, _merged_into FROM marketo.leads WHERE id IN (1001, 1002, 1003) ORDER BY id"
    )
    assert [(1001, True, None), (1002, False, None), (1003, False, 1002)] == rows(tmp_path, statement)
    assert (1, 1) == (of(report, "deleted_leads").deleted, of(report, "activities").merged)


@virtual
async def test_hard_delete_removes_the_rows(tmp_path: Path) -> None:
    """Where the configuration says so, a deleted lead has no row any more, and none comes back by a full read."""
    night = Night(tmp_path, 13, streams=())
    night.wanted = every(night, "leads", "deleted_leads", hard_delete=True)
    await synced(night)
    night.change(delete_leads=[1001])
    await night.settle()
    await synced(night)
    night.wanted = [replace(each, full=True) for each in night.wanted]
    await synced(night)

    assert [(29,)] == rows(tmp_path, "SELECT count(*) FROM marketo.leads")


@virtual
async def test_objects_of_a_crm_are_left_out_with_a_line(tmp_path: Path) -> None:
    """1018 is no error: the stream says so, and the run is done."""
    night = Night(tmp_path, 14, streams=(), crm=True)
    night.wanted = every(night, "leads", "companies", "salespersons", "opportunity_roles", "opportunities")
    report = await synced(night)

    assert ("done", ()) == (report.outcome, report.problems)
    for name in ("companies", "salespersons", "opportunity_roles"):
        assert any("CRM" in line for line in of(report, name).problems), name


@virtual
@pytest.mark.parametrize("runs", [1, 2])
async def test_a_subscription_without_the_filter_is_read_in_the_other_way(tmp_path: Path, runs: int) -> None:
    """1035: new leads come by createdAt, changed ones by their changes; it is said, and asked for once alone."""
    night = Night(tmp_path, 15, streams=(), updated_at_filter=False)
    night.wanted = every(night, "leads")
    for _ in range(runs):
        first = await synced(night)
    night.change(update_leads=3, add_leads=2, log_changes=True)
    await night.settle()
    refusals = night.server.report()["codes"]["1035"]
    second = await synced(night)

    assert ("done", "done") == (first.outcome, second.outcome)
    assert any("1035" in line for line in of(second, "leads").problems)
    assert refusals == night.server.report()["codes"]["1035"]
    assert [] == told_apart(night, tmp_path)


def truth(night: Night) -> list[dict[str, Any]]:
    """The leads as the instance has them."""
    return [orjson.loads(line) for part in night.server.people.truth() for line in part.splitlines()]


def told_apart(night: Night, folder: Path) -> list[int]:
    """Leads whose cells differ from the truth."""
    held = {lead: cells for lead, *cells in rows(folder, "SELECT id, leadScore, isVip FROM marketo.leads")}
    return [row["id"] for row in truth(night) if held.get(row["id"]) != [row["leadScore"], row["isVip"]]]


@virtual
async def test_personal_fields_leave_the_spool_as_hashes_alone(tmp_path: Path) -> None:
    """The same address has the same hash, and the address is nowhere in the warehouse."""
    night = Night(tmp_path, 16, streams=())
    night.wanted = [Wanted("leads", Choice(("id", "email"), (), ("email",)), night.reach)]
    async with night.process() as parts:
        await night.run(replace(parts, hash_key=KEY))

    emails = [row["email"] for row in truth(night) if row["email"]]
    hashes = [found for (found,) in rows(tmp_path, "SELECT email FROM marketo.leads WHERE email IS NOT NULL")]
    assert sorted(digest(email, KEY) for email in emails) == sorted(hashes)
    assert [] == [email for email in emails if email.encode() in written(tmp_path)]


@virtual
async def test_a_field_list_that_is_too_long_comes_in_two_files(tmp_path: Path) -> None:
    """More than 300 fields are asked for by two jobs of one window, and each row has all of its columns."""
    night = Night(tmp_path, 17, streams=(), leads=10)
    for number in range(280):
        night.change(add_field={"name": f"extraField{number}", "dataType": "string"})
    night.wanted = every(night, "leads")
    report = await synced(night)

    assert ("done", 10) == (report.outcome, of(report, "leads").inserted)
    columns = [
        name for (name,) in rows(tmp_path, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'leads'")
    ]
    assert {"extraField0", "extraField279", "email"} <= set(columns)
    assert 2 == night.server.report()["jobs_created"]["leads"]
    assert [] == [path.name for path in night.spool.iterdir()]


@virtual
async def test_a_row_that_the_table_refuses_is_kept_beside(tmp_path: Path) -> None:
    """The owner of the table has forbidden NULL: the row goes to `_rejected`, all others come, and it is said."""
    night = Night(tmp_path, 18, streams=())
    night.wanted = every(night, "leads")
    await synced(night)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as database:
        database.execute("UPDATE marketo.leads SET lastName = '' WHERE lastName IS NULL")
        database.execute("ALTER TABLE marketo.leads ALTER lastName SET NOT NULL")
    night.change(new_leads=[{"lastName": None}, {"lastName": "Fits"}])
    await night.settle()
    report = await synced(night)

    assert ("partial", 1, 1) == (report.outcome, of(report, "leads").rejected, of(report, "leads").inserted)
    assert any("_rejected" in line for line in of(report, "leads").problems)
    assert [(1,)] == rows(tmp_path, "SELECT count(*) FROM marketo._rejected WHERE stream = 'leads'")


@virtual
async def test_a_stream_that_is_gone_at_marketo_stops_itself_alone(tmp_path: Path) -> None:
    """A custom object that was deleted is told as missing; everything else comes."""
    night = Night(tmp_path, 19, streams=())
    night.wanted = every(night, "leads", "custom_object_gone_c")
    report = await synced(night)

    assert ("partial", 30) == (report.outcome, of(report, "leads").inserted)
    assert ["custom_object_gone_c"] == [problem.split(":")[0] for problem in report.problems]


@virtual
async def test_long_field_lists_come_without_the_filter_too(tmp_path: Path) -> None:
    """1035 and more than 300 fields: the lists of columns are joined once the changed leads have come."""
    night = Night(tmp_path, 20, streams=(), leads=10, updated_at_filter=False)
    for number in range(280):
        night.change(add_field={"name": f"extraField{number}", "dataType": "string"})
    night.wanted = every(night, "leads")
    first = await synced(night)
    night.change(update_leads=2, add_leads=1, log_changes=True)
    await night.settle()
    second = await synced(night)

    assert ("done", "done", []) == (first.outcome, second.outcome, told_apart(night, tmp_path))


@virtual
async def test_what_a_killed_join_has_spilled_is_removed(tmp_path: Path) -> None:
    """A folder in the spool that nobody works with any more stops nobody."""
    night = Night(tmp_path, 21, streams=())
    night.wanted = every(night, "lists")
    (night.spool / "dead.join").mkdir()
    (night.spool / "dead.join" / "spilled").touch()
    report = await synced(night)

    assert ("done", []) == (report.outcome, [path.name for path in night.spool.iterdir()])


@virtual
async def test_lead_changes_bring_no_field_that_leads_hide(tmp_path: Path) -> None:
    """What leads hash or exclude does not come in clear by the list of their changes."""
    night = Night(tmp_path, 23, streams=())
    leads = Wanted("leads", Choice(("*",), ("phone",), ("email",)), night.reach)
    night.wanted = [leads, *every(night, "lead_changes")]
    values = {"email": "canary@acme.example", "phone": "canary-phone", "city": "canary-city"}
    night.change(leads=[{"id": 1001, **values}], log_changes=True)
    await night.settle()
    async with night.process() as parts:
        await night.run(replace(parts, hash_key=KEY))

    ((told,),) = rows(tmp_path, "SELECT string_agg(fields::VARCHAR, ' ') FROM marketo.lead_changes")
    assert ["canary-city"] == [value for value in values.values() if value in told]
