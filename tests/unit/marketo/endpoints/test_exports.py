"""The calls of bulk export: what is sent, and what the answers become."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import (
    ACTIVITIES,
    LEADS,
    PROGRAM_MEMBERS,
    ExportKind,
    Filter,
    JobPage,
    custom_object,
)
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ExportJob, ExportStatus, export_id

ID = "ce45a7a1-f19d-4ce2-882c-a3c795940a7d"
CARS = custom_object("car_c")
KINDS = [LEADS, ACTIVITIES, PROGRAM_MEMBERS, CARS]
JANUARY = Filter("createdAt", datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 31, 23, 59, 59, tzinfo=UTC))


def test_a_job_of_leads_is_created_as_adobe_shows_it() -> None:
    """Fields, filter and format are in the body; both ends of the window are sent exactly as given."""
    call = exports.create(LEADS, ("id", "email"), JANUARY)
    assert (call.name, call.method, call.path) == ("leads.export.create", "POST", "/bulk/v1/leads/export/create.json")
    assert call.json == {
        "format": "CSV",
        "filter": {"createdAt": {"startAt": "2023-01-01T00:00:00Z", "endAt": "2023-01-31T23:59:59Z"}},
        "fields": ["id", "email"],
    }
    assert (call.repeat, call.permission) == (Repeat.CREATES, "Read-Only Lead")


def test_a_job_of_activities_can_name_types_and_leave_fields_out() -> None:
    """Without fields Marketo gives all columns, the attributes among them."""
    chosen = Filter("createdAt", JANUARY.start, JANUARY.end, activity_type_ids=(1, 12))
    call = exports.create(ACTIVITIES, (), chosen)
    assert "fields" not in call.json
    assert call.json["filter"]["activityTypeIds"] == [1, 12]
    assert call.permission == "Read-Only Activity"


def test_a_window_is_sent_in_utc() -> None:
    """A window given in another zone is the same window."""
    start = datetime(2023, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    chosen = Filter("updatedAt", start, start + timedelta(hours=1))
    assert chosen.as_json() == {"updatedAt": {"startAt": "2023-01-01T00:00:00Z", "endAt": "2023-01-01T01:00:00Z"}}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2023, 1, 1), datetime(2023, 1, 2)),  # noqa: DTZ001  # what must be refused
        (datetime(2023, 1, 1, 0, 0, 0, 1, UTC), datetime(2023, 1, 2, tzinfo=UTC)),
        (datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 2, 0, 0, 0, 999, UTC)),
        (datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC)),
        (datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 2, 1, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_window_that_marketo_would_misread_is_not_made(start: datetime, end: datetime) -> None:
    """Naive times, fractions of a second, reversed and overlong windows stop before any call."""
    with pytest.raises(ValueError, match="window"):
        Filter("createdAt", start, end)


def test_a_window_may_be_one_second_or_31_days() -> None:
    """Both ends are included, so the shortest window starts and ends at once."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    assert Filter("createdAt", start, start).as_json()
    assert Filter("createdAt", start, start + timedelta(days=31)).as_json()


UPDATED = Filter("updatedAt", JANUARY.start, JANUARY.end)


def test_members_are_asked_for_by_program_and_last_change() -> None:
    """One program is sent as a list of one, so that the file says of which program its rows are."""
    chosen = replace(UPDATED, program_ids=(1044,))
    call = exports.create(PROGRAM_MEMBERS, ("leadId", "programId", "statusName"), chosen)
    assert (call.name, call.path, call.permission) == (
        "program_members.export.create",
        "/bulk/v1/program/members/export/create.json",
        "Read-Only Lead",
    )
    assert call.json["filter"] == UPDATED.as_json() | {"programIds": [1044]}


def test_the_program_of_a_member_is_not_asked_for_twice() -> None:
    """Marketo writes programId as the first column by itself; other kinds may have a field of this name."""
    fields = ("programId", "leadId")
    assert exports.create(PROGRAM_MEMBERS, fields, Filter(program_ids=(1,))).json["fields"] == ["leadId"]
    assert exports.create(CARS, fields, UPDATED).json["fields"] == ["programId", "leadId"]


def test_members_come_under_the_names_they_were_asked_for() -> None:
    """By default Marketo heads their columns with labels, under which no field would be found again."""
    chosen = Filter(program_ids=(1,))
    headed = exports.create(PROGRAM_MEMBERS, ("programId", "leadId", "statusName"), chosen).json["columnHeaderNames"]
    assert headed == {"leadId": "leadId", "statusName": "statusName"}
    assert "columnHeaderNames" not in exports.create(CARS, ("vIN",), UPDATED).json


def test_custom_objects_are_asked_for_by_name() -> None:
    """Each object has calls, paths and a list of jobs of its own."""
    call = exports.create(CARS, ("marketoGUID", "vIN"), Filter(static_list_id=1081))
    assert (call.name, call.path, call.permission) == (
        "custom_object_car_c.export.create",
        "/bulk/v1/customobjects/car_c/export/create.json",
        "Read-Only Custom Object",
    )
    assert call.json["filter"] == {"staticListId": 1081}
    assert exports.jobs(CARS).path == "/bulk/v1/customobjects/car_c/export.json"


@pytest.mark.parametrize("name", ["", "../leads", "car_c/export", "car c", "car%2fc", "_c", "ärger_c", "car_c\n"])
def test_no_object_name_leads_out_of_the_path(name: str) -> None:
    """A name that is none is refused before any call."""
    with pytest.raises(Malformed):
        custom_object(name)


def test_kinds_are_values() -> None:
    """The same object named twice is one kind, fit to be a key; two objects are two."""
    assert {custom_object("car_c"): 1, custom_object("boat_c"): 2}[CARS] == 1
    assert len(set(KINDS)) == 4


@pytest.mark.parametrize("kind", [LEADS, PROGRAM_MEMBERS, CARS])
def test_all_kinds_but_activities_name_fields(kind: ExportKind) -> None:
    """Only activities have columns by default."""
    chosen = replace(UPDATED, program_ids=(1,)) if kind is PROGRAM_MEMBERS else UPDATED
    assert exports.create(kind, ("id",), chosen).json["fields"] == ["id"]
    with pytest.raises(ValueError, match="names fields"):
        exports.create(kind, (), chosen)


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        (LEADS, Filter()),
        (LEADS, replace(JANUARY, static_list_id=1)),
        (LEADS, replace(JANUARY, activity_type_ids=(1,))),
        (LEADS, Filter(program_ids=(1,))),
        (ACTIVITIES, Filter(activity_type_ids=(1,))),
        (ACTIVITIES, UPDATED),
        (ACTIVITIES, replace(JANUARY, static_list_id=1)),
        (PROGRAM_MEMBERS, UPDATED),
        (PROGRAM_MEMBERS, replace(JANUARY, program_ids=(1,))),
        (PROGRAM_MEMBERS, Filter(program_ids=(1,), static_list_id=1)),
        (CARS, Filter()),
        (CARS, JANUARY),
        (CARS, replace(UPDATED, static_list_id=1)),
        (CARS, replace(UPDATED, program_ids=(1,))),
    ],
)
def test_a_kind_refuses_filters_that_it_does_not_know(kind: ExportKind, chosen: Filter) -> None:
    """Adobe's pages name the filters of each kind, and whether they go together."""
    with pytest.raises(ValueError, match=f"{kind.name} is filtered by"):
        exports.create(kind, ("id",), chosen)


@pytest.mark.parametrize("chosen", [JANUARY, UPDATED, Filter(static_list_id=1081)])
def test_leads_take_any_one_filter(chosen: Filter) -> None:
    """A window of creation, a window of change, or the members of a list."""
    assert exports.create(LEADS, ("id",), chosen).json["filter"] == chosen.as_json()


def test_a_job_takes_ten_programs() -> None:
    """The eleventh is refused before any call."""
    assert Filter(program_ids=tuple(range(10))).as_json() == {"programIds": list(range(10))}
    with pytest.raises(ValueError, match="at most 10 programs"):
        Filter(program_ids=tuple(range(11)))


@pytest.mark.parametrize("missing", ["field", "start", "end"])
def test_half_a_window_is_none(missing: str) -> None:
    """A window without its field or one of its ends would take other records than were meant."""
    whole: dict[str, Any] = {"field": "createdAt", "start": JANUARY.start, "end": JANUARY.end}
    with pytest.raises(ValueError, match="window"):
        Filter(**{**whole, missing: None})


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_of_a_job_has_its_path_and_may_be_repeated(kind: ExportKind) -> None:
    """A lost answer to any step but creation is answered by asking again."""
    root = f"{kind.root}/{ID}"
    calls = {
        ("POST", f"{root}/enqueue.json"): exports.enqueue(kind, ID),
        ("GET", f"{root}/status.json"): exports.status(kind, ID),
        ("POST", f"{root}/cancel.json"): exports.cancel(kind, ID),
        ("GET", f"{root}/file.json"): exports.file(kind, ID),
    }
    for (method, path), call in calls.items():
        assert (method, path, Repeat.SAFE) == (call.method, call.path, call.repeat)
        assert call.name == f"{kind.name}.export.{path.rsplit('/', 1)[1].removesuffix('.json')}"


@settings(deadline=None)
@given(hostile=st.text(max_size=60), kind=st.sampled_from(KINDS))
def test_no_id_leads_out_of_the_path(hostile: str, kind: ExportKind) -> None:
    """Whatever stands for an id, a call is either about one job or not made."""
    try:
        path = exports.status(kind, hostile).path
    except Malformed:
        return
    assert re.fullmatch(re.escape(kind.root) + r"/[0-9a-fA-F-]{36}/status\.json", path)


def test_the_list_can_be_narrowed_and_paged() -> None:
    """Statuses go as one text in Marketo's order, the token as it came; without either there is no query."""
    assert exports.jobs(LEADS).query == {}
    call = exports.jobs(LEADS, statuses={ExportStatus.COMPLETED, ExportStatus.QUEUED}, page_token="NEXT==")
    assert (call.method, call.path) == ("GET", "/bulk/v1/leads/export.json")
    assert call.query == {"status": "Queued,Completed", "nextPageToken": "NEXT=="}


def test_the_list_cannot_be_narrowed_to_what_is_unknown() -> None:
    """A status that Marketo has no word for is never sent."""
    with pytest.raises(ValueError, match="unknown"):
        exports.jobs(LEADS, statuses=[ExportStatus.UNKNOWN])


def test_one_unreadable_row_does_not_hide_the_other_jobs() -> None:
    """The rest of the list is still watched, and the token leads on."""
    reply = Reply(result=({"exportId": "../x"}, None, {"exportId": ID, "status": "Queued"}), next_page_token="T")
    expected = JobPage((ExportJob(export_id(ID), ExportStatus.QUEUED),), "T")
    assert expected == exports.jobs(LEADS).decode(reply)


def test_an_answer_about_no_job_is_malformed() -> None:
    """A create that names no job is not a job; the caller learns that the outcome is not known."""
    with pytest.raises(Malformed):
        exports.create(LEADS, ("id",), JANUARY).decode(Reply())


def test_an_enqueue_that_had_happened_already_names_no_job() -> None:
    """The verdict NOOP decodes to None: the job is in the queue and is watched by its id."""
    call = exports.enqueue(LEADS, ID)
    assert call.decode(Reply()) is None
    queued = call.decode(Reply(result=({"exportId": ID, "status": "Queued"},)))
    assert ExportJob(export_id(ID), ExportStatus.QUEUED) == queued
