"""What a night costs in calls, as numbers: a day has 50,000 of them for everybody, so each one here has its reason."""

from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.streams import STREAMS
from syncengine.reports import SyncReport
from tests.simulation.nights import Night
from tests.simulation.seeded import seeded

DEFAULT = [stream.name for stream in STREAMS.values() if stream.is_default]
LISTS = (2001, 2002)
CUSTOM = ("custom_object_car_c", "custom_object_purchase_c")


def night_of(folder: Path, *streams: str, **options: Any) -> Night:
    """A night of these streams, all of their fields."""
    night = Night(folder, 1, streams=(), **options)
    now = night.clock.now().timestamp()
    listed = b"".join(night.server.data.truth("named_account_lists", now) or ()).splitlines()
    names = tuple(orjson.loads(line)["name"] for line in listed[:2])
    special: dict[str, dict[str, Any]] = {"list_members": {"lists": LISTS}, "named_account_lists": {"names": names}}
    night.wanted = [Wanted(name, Choice(), night.reach, **special.get(name, {})) for name in streams]
    return night


async def synced(night: Night) -> tuple[SyncReport, Counter[str]]:
    """One run, its report and the calls that arrived at Marketo, by Marketo's own count; the token's is left out."""
    before = Counter(night.server.report()["calls"])
    async with night.process() as parts:
        report = await night.run(parts)
    arrived = Counter(night.server.report()["calls"]) - before
    assert ("done", arrived.total()) == (report.outcome, report.calls)
    assert 1 == arrived.pop("identity")
    await night.settle()
    return report, arrived


@seeded
async def test_a_run_without_changes_costs_twelve_calls(tmp_path: Path) -> None:
    """The default streams, the first time as any other: what there is does not matter, only that it is asked for."""
    night = night_of(tmp_path, *DEFAULT)
    for _ in range(2):
        _, calls = await synced(night)
        assert {
            "describe": 1,  # which fields leads have
            "activity_types": 1,  # as rows and, from the same answer, for the views
            "activities.paging_token": 1,  # for the deleted leads
            "deleted_leads.page": 1,
            # A job each for leads and activities of all types, which are done before the first poll.
            **{
                f"{kind}.export.{what}": 1
                for kind in ("leads", "activities")
                for what in ("create", "enqueue", "list", "file")
            },
        } == calls
        assert 12 == calls.total()


@seeded
async def test_a_run_of_every_stream_without_changes_has_a_reason_for_each_call(tmp_path: Path) -> None:
    """Nothing is asked for twice and nothing lead by lead: a call for each thing that Marketo tells in no other way."""
    night = night_of(tmp_path, *STREAMS, *CUSTOM)
    night.change(delete_leads=[1001], update_leads=1, log_changes=True, seed=1)
    await night.settle()
    first, _ = await synced(night)
    assert [] == [each.stream for each in first.streams if not each.rows]
    report, calls = await synced(night)
    polls = {name: calls.pop(name) for name in list(calls) if name.endswith(".export.list")}

    # Marketo's own count of the calls of this day is another one; nothing else has moved.
    assert {"usage": 1} == {each.stream: each.moved + each.deleted for each in report.streams if each.moved}
    jobs = {
        "leads": 1 + len(LISTS),  # one over the lookback, and a list has no date to ask by
        "activities": 1,  # all types
        "program_members": 6,  # sixty programs, ten a job: that nothing changed in them shows nowhere else
        "custom_objects": len(CUSTOM),
    }
    assert {
        **{f"{kind}.export.{what}": count for kind, count in jobs.items() for what in ("create", "enqueue", "file")},
        # The fields of each object, for its own stream and for the stream `fields`.
        "describe": 1,
        "companies.describe": 1,
        "opportunities.describe": 1,
        "opportunity_roles.describe": 1,
        "salespersons.describe": 1,
        "named_accounts.describe": 1,
        "program_members.describe": 1,
        "custom_objects.describe": len(CUSTOM),
        "custom_objects.list": 1,  # which there are, for `fields`
        # Each goes on at its own second.
        "activities.paging_token": 2,
        "deleted_leads.page": 1,
        "lead_changes.page": 1,
        # Listings of one page each; of types also for the views.
        "activity_types": 1,
        "lists.list": 1,
        "programs.list": 1,
        "campaigns.list": 1,
        "partitions": 1,
        "usage_last7days": 1,
        # By 300 keys a call: a change shows nowhere else. No role is asked for, as no lead has changed.
        "companies.query": 1,
        "salespersons.query": 1,
        "opportunities.query": 2,
        "named_account_lists.query": 1,
        "named_account_list_members.page": 2,  # a list each
    } == calls
    assert 63 == calls.total()
    # One a minute while jobs of the kind wait; each custom object is a kind.
    kinds = {f"{kind}.export.list": len(CUSTOM) if kind == "custom_objects" else 1 for kind in jobs}
    assert kinds.keys() == polls.keys()
    assert all(1 <= polls[name] <= count * (ceil(report.seconds / 60) + 1) for name, count in kinds.items())


@pytest.mark.parametrize(("days", "windows"), [(20, 1), (100, 5)])
@seeded
async def test_a_window_costs_three_calls_and_a_poll_a_minute_for_all(tmp_path: Path, days: int, windows: int) -> None:
    """Create, enqueue, file, and one list call for all windows of a kind, however many of them wait.

    A hundred days are four windows, and the last day is one of its own.
    """
    night = night_of(tmp_path, "activities", days=days, activities=300)
    report, calls = await synced(night)
    polls = calls.pop("activities.export.list")
    assert {f"activities.export.{what}": windows for what in ("create", "enqueue", "file")} == calls
    assert 1 <= polls <= ceil(report.seconds / 60) + 1


@seeded
async def test_a_window_without_rows_has_no_file_to_ask_for(tmp_path: Path) -> None:
    """Marketo's count of records says so."""
    _, calls = await synced(night_of(tmp_path, "activities", activities=0))
    assert {f"activities.export.{what}": 1 for what in ("create", "enqueue", "list")} == calls


@pytest.mark.parametrize(
    ("stream", "kind", "jobs"), [("program_members", "program_members", 6), ("list_members", "leads", 2)]
)
@seeded
async def test_parts_of_a_stream_cost_a_job_each(tmp_path: Path, stream: str, kind: str, jobs: int) -> None:
    """Sixty programs are six jobs, ten in each; a list is one."""
    night = night_of(tmp_path, *(["programs"] if stream == "program_members" else []), stream, leads=300)
    report, calls = await synced(night)
    assert [jobs] * 3 == [calls[f"{kind}.export.{what}"] for what in ("create", "enqueue", "file")]
    assert calls[f"{kind}.export.list"] <= ceil(report.seconds / 60) + 1
    calls -= Counter({name: count for name, count in calls.items() if ".export." in name})
    assert calls == ({"programs.list": 1, "program_members.describe": 1} if stream == "program_members" else {})


@pytest.mark.parametrize(
    ("stream", "endpoint", "rows", "expected"),
    [
        # A token says whether more follows.
        *(("lists", "lists.list", rows, calls) for rows, calls in ((0, 1), (1, 1), (300, 1), (301, 2), (610, 3))),
        *(("campaigns", "campaigns.list", rows, calls) for rows, calls in ((299, 1), (301, 2))),
        # A full page of assets may be the last: only one more call tells.
        *(
            ("programs", "programs.list", rows, calls)
            for rows, calls in ((0, 1), (199, 1), (200, 2), (201, 2), (400, 3))
        ),
    ],
)
@seeded
async def test_a_listing_costs_its_pages(tmp_path: Path, stream: str, endpoint: str, rows: int, expected: int) -> None:
    """Three hundred rows a call, two hundred of assets."""
    report, calls = await synced(night_of(tmp_path, stream, **{stream: rows}))
    assert {endpoint: expected} == calls
    assert rows == report.streams[0].inserted


@seeded
async def test_deleted_leads_cost_their_pages_and_a_token(tmp_path: Path) -> None:
    """The pages that Marketo makes, short and empty ones too, and never one that was read before."""
    night = night_of(tmp_path, "deleted_leads", leads=700)
    night.change(delete_leads=list(range(1_001, 1_651)))
    await night.settle()
    report, calls = await synced(night)
    assert (650, 1) == (report.streams[0].inserted, calls["activities.paging_token"])
    assert {"activities.paging_token", "deleted_leads.page"} == set(calls)
    # Marketo may make pages shorter than they could be, and empty ones.
    assert ceil(650 / 300) <= calls["deleted_leads.page"] <= 8


@seeded
async def test_the_fields_of_leads_are_asked_for_once_for_all_streams(tmp_path: Path) -> None:
    """The plan of leads, the stream of fields and the lead changes share one answer."""
    _, calls = await synced(night_of(tmp_path, "leads", "fields", "lead_changes"))
    described = {name: count for name, count in calls.items() if "describe" in name}
    # Two custom objects are described; all the others have one call each.
    assert {
        "describe": 1,
        "companies.describe": 1,
        "opportunities.describe": 1,
        "opportunity_roles.describe": 1,
        "salespersons.describe": 1,
        "named_accounts.describe": 1,
        "program_members.describe": 1,
        "custom_objects.describe": 2,
    } == described
    assert (1, 1, 1) == (calls["custom_objects.list"], calls["activities.paging_token"], calls["lead_changes.page"])


@seeded
async def test_roles_are_asked_for_again_only_where_leads_have_changed(tmp_path: Path) -> None:
    """Three hundred leads a call the first time, then none, then those that changed alone."""
    night = night_of(tmp_path, "leads", "opportunity_roles", leads=700, opportunity_roles=20)
    found = [(await synced(night))[1]["opportunity_roles.query"], (await synced(night))[1]["opportunity_roles.query"]]
    night.change(update_leads=3)
    await night.settle()
    found.append((await synced(night))[1]["opportunity_roles.query"])
    assert [ceil(700 / 300), 0, 1] == found
