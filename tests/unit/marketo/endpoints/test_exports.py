"""The calls of bulk export: what is sent, and what the answers become."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import ExportKind, Filter, JobPage
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ExportJob, ExportStatus, export_id

ID = "ce45a7a1-f19d-4ce2-882c-a3c795940a7d"
JANUARY = Filter("createdAt", datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 31, 23, 59, 59, tzinfo=UTC))


def test_a_job_of_leads_is_created_as_adobe_shows_it() -> None:
    """Fields, filter and format are in the body; both ends of the window are sent exactly as given."""
    call = exports.create(ExportKind.LEADS, ("id", "email"), JANUARY)
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
    call = exports.create(ExportKind.ACTIVITIES, (), chosen)
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
    assert Filter("createdAt", JANUARY.start, JANUARY.start).as_json()
    assert Filter("createdAt", JANUARY.start, JANUARY.start + timedelta(days=31)).as_json()


def test_a_kind_refuses_what_it_does_not_know() -> None:
    """Leads need fields and know no activity types; activities know no updatedAt."""
    with pytest.raises(ValueError, match="leads"):
        exports.create(ExportKind.LEADS, (), JANUARY)
    with pytest.raises(ValueError, match="leads"):
        exports.create(ExportKind.LEADS, ("id",), Filter("createdAt", JANUARY.start, JANUARY.end, (1,)))
    with pytest.raises(ValueError, match="createdAt"):
        exports.create(ExportKind.ACTIVITIES, (), Filter("updatedAt", JANUARY.start, JANUARY.end))


@pytest.mark.parametrize("kind", list(ExportKind))
def test_each_step_of_a_job_has_its_path_and_may_be_repeated(kind: ExportKind) -> None:
    """A lost answer to any step but creation is answered by asking again."""
    root = f"/bulk/v1/{kind.value}/export/{ID}"
    calls = {
        ("POST", f"{root}/enqueue.json"): exports.enqueue(kind, ID),
        ("GET", f"{root}/status.json"): exports.status(kind, ID),
        ("POST", f"{root}/cancel.json"): exports.cancel(kind, ID),
        ("GET", f"{root}/file.json"): exports.file(kind, ID),
    }
    for (method, path), call in calls.items():
        assert (method, path, Repeat.SAFE) == (call.method, call.path, call.repeat)
        assert call.name == f"{kind.value}.export.{path.rsplit('/', 1)[1].removesuffix('.json')}"


@settings(deadline=None)
@given(hostile=st.text(max_size=60), kind=st.sampled_from(ExportKind))
def test_no_id_leads_out_of_the_path(hostile: str, kind: ExportKind) -> None:
    """Whatever stands for an id, a call is either about one job or not made."""
    try:
        path = exports.status(kind, hostile).path
    except Malformed:
        return
    assert re.fullmatch(r"/bulk/v1/(leads|activities)/export/[0-9a-fA-F-]{36}/status\.json", path)


def test_the_list_can_be_narrowed_and_paged() -> None:
    """Statuses go as one text in Marketo's order, the token as it came; without either there is no query."""
    assert exports.jobs(ExportKind.LEADS).query == {}
    call = exports.jobs(ExportKind.LEADS, statuses={ExportStatus.COMPLETED, ExportStatus.QUEUED}, page_token="NEXT==")
    assert (call.method, call.path) == ("GET", "/bulk/v1/leads/export.json")
    assert call.query == {"status": "Queued,Completed", "nextPageToken": "NEXT=="}


def test_the_list_cannot_be_narrowed_to_what_is_unknown() -> None:
    """A status that Marketo has no word for is never sent."""
    with pytest.raises(ValueError, match="unknown"):
        exports.jobs(ExportKind.LEADS, statuses=[ExportStatus.UNKNOWN])


def test_one_unreadable_row_does_not_hide_the_other_jobs() -> None:
    """The rest of the list is still watched, and the token leads on."""
    reply = Reply(result=({"exportId": "../x"}, None, {"exportId": ID, "status": "Queued"}), next_page_token="T")
    expected = JobPage((ExportJob(export_id(ID), ExportStatus.QUEUED),), "T")
    assert expected == exports.jobs(ExportKind.LEADS).decode(reply)


def test_an_answer_about_no_job_is_malformed() -> None:
    """A create that names no job is not a job; the caller learns that the outcome is not known."""
    with pytest.raises(Malformed):
        exports.create(ExportKind.LEADS, ("id",), JANUARY).decode(Reply())


def test_an_enqueue_that_had_happened_already_names_no_job() -> None:
    """The verdict NOOP decodes to None: the job is in the queue and is watched by its id."""
    call = exports.enqueue(ExportKind.LEADS, ID)
    assert call.decode(Reply()) is None
    queued = call.decode(Reply(result=({"exportId": ID, "status": "Queued"},)))
    assert ExportJob(export_id(ID), ExportStatus.QUEUED) == queued
