"""Tests of the bulk export endpoints."""

import csv
import hashlib
import io
from typing import Any

import orjson
import pytest

from tests.unit.sandbox.caller import Caller, code_of, content_of, text_of, value_of

DAY = 86_400
CREATE = "/bulk/v1/leads/export/create.json"
LIST = "/bulk/v1/leads/export.json"


def window(caller: Caller, **changes: str) -> dict[str, str]:
    return {"startAt": text_of(caller.now - DAY), "endAt": text_of(caller.now), **changes}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fields": []}, "1003"),
        ({"fields": None}, "1003"),
        ({"fields": ["id", "noSuchField"]}, "1003"),
        ({"fields": ["id", "id"]}, "1003"),
        ({"fields": ["fullNameFormula"]}, "1003"),
        ({"fields": ["sfdcLeadId"]}, "1003"),
        ({"format": "XML"}, "1003"),
        ({"columnHeaderNames": {"lastName": "Name"}}, "1003"),
        ({"filter": None}, "1003"),
        ({"filter": {}}, "1003"),
        ({"filter": {"createdAt": {}, "updatedAt": {}}}, "1003"),
        ({"filter": {"createdAt": {"startAt": "2026-01-01T00:00:00Z"}}}, "1003"),
        ({"filter": {"createdAt": {"startAt": "2026-01-01", "endAt": "2026-01-02"}}}, "1003"),
        ({"filter": {"createdAt": {"startAt": "2025-11-01T00:00:00Z", "endAt": "2025-12-02T00:00:01Z"}}}, "1003"),
        ({"filter": {"createdAt": {"startAt": "2026-01-02T00:00:00Z", "endAt": "2026-01-01T00:00:00Z"}}}, "1003"),
        ({"filter": {"createdAt": {"startAt": "2030-01-01T00:00:00Z", "endAt": "2030-01-02T00:00:00Z"}}}, "1003"),
        ({"filter": {"staticListId": 7}}, "1013"),
        ({"filter": {"smartListName": "all"}}, "1035"),
        ({"filter": {"createdAt": {"startAt": "2025-12-01T00:00:00Z", "endAt": "2026-01-01T00:00:00Z"}}}, ""),
        ({"filter": {"updatedAt": {"startAt": "2025-12-01T00:00:00+0100", "endAt": "2025-12-02T00:00:00-08:00"}}}, ""),
        ({"format": "TSV", "columnHeaderNames": {"email": "E-Mail"}}, ""),
    ],
)
def test_create_takes_only_what_marketo_takes(changes: dict[str, Any], code: str) -> None:
    """Every wrong field, filter, date or format is refused; 31 days to the second are allowed."""
    caller = Caller()
    assert code == code_of(caller.create(**changes))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"fields": ["leadId", "actionResult"]}, ""),
        ({"fields": ["email"]}, "1003"),
        ({"filter": {"activityTypeIds": [1]}}, "1003"),
        ({"filter": {"updatedAt": {}}}, "1003"),
    ],
)
def test_activities_need_createdat_and_their_own_fields(changes: dict[str, Any], code: str) -> None:
    """Fields are optional for activities, the date filter is not."""
    assert code == code_of(Caller().create("activities", **changes))


def test_create_wants_json() -> None:
    """Another content type is 612, a broken body 609."""
    caller = Caller()
    assert code_of(caller.call("POST", CREATE, b"{}", headers={"Content-Type": "text/plain"})) == "612"
    assert code_of(caller.call("POST", CREATE, b"{")) == "609"


def test_a_subscription_without_the_filter_says_1035() -> None:
    """updatedAt can be switched off."""
    caller = Caller(updated_at_filter=False)
    assert code_of(caller.create(filter={"updatedAt": window(caller)})) == "1035"


def test_the_three_meanings_of_1029() -> None:
    """Queue full, quota used up, already queued: only the message tells them apart."""
    caller = Caller(export_bytes_per_day=1_000_000)
    jobs = [caller.queued() for _ in range(10)]
    eleventh = str(value_of(caller.create())["result"][0]["exportId"])
    answers = [caller.enqueue(eleventh), caller.enqueue(jobs[0])]
    caller.instance.limits.exported.add(caller.now, 1_000_000)
    answers += [caller.enqueue(eleventh), caller.create()]
    assert [value_of(answer)["errors"][0]["message"] for answer in answers] == [
        "Too many jobs (10) in queue",
        "Job already queued",
        "Export daily quota 1MB exceeded",
        "Export daily quota 1MB exceeded",
    ]


def test_a_status_is_renewed_once_a_minute() -> None:
    """What status and list show is the job as of the last whole minute, what enqueue answers is not."""
    caller = Caller()
    caller.now += 1
    job_id = str(value_of(caller.create())["result"][0]["exportId"])
    assert value_of(caller.enqueue(job_id))["result"][0]["status"] == "Queued"
    seen = []
    for seconds in (0, 58, 59, 118, 119):
        caller.now = caller.options.start_seconds + 1 + seconds
        listed = value_of(caller.call("GET", LIST))["result"][0]["status"]
        assert listed == caller.job(job_id)["status"]
        seen.append(listed)
    assert seen == ["Created", "Created", "Completed", "Completed", "Completed"]


def test_the_file_is_what_the_status_says() -> None:
    """Size, checksum and number of records agree with the bytes, and the rows are the leads of the window by id."""
    caller = Caller()
    job_id = caller.queued(fields=["id", "createdAt", "nickname", "email"])
    caller.now += 180
    shown = caller.job(job_id)
    content = content_of(caller.file(job_id))
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
    assert shown["fileSize"] == len(content)
    assert shown["fileChecksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert shown["numberOfRecords"] == len(rows) > 5
    ids = [int(row[0]) for row in rows]
    assert ids == sorted(ids)


def test_both_ends_of_a_window_belong_to_it() -> None:
    """A lead created at the second of startAt or endAt is exported."""
    caller = Caller()
    created = caller.instance.people.columns(["createdAt"], [100, 101, 102])[0]
    first, last = int(created[0] or 0), int(created[2] or 0)
    job_id = caller.queued(filter={"createdAt": {"startAt": text_of(first), "endAt": text_of(last)}})
    narrow = caller.queued(filter={"createdAt": {"startAt": text_of(first + 1), "endAt": text_of(last - 1)}})
    caller.now += 180
    assert [caller.job(job_id)["numberOfRecords"], caller.job(narrow)["numberOfRecords"]] == [3, 1]


def test_a_file_holds_the_data_of_its_start() -> None:
    """A change after the start is not in the file, though nobody looked at the job in between."""
    caller = Caller()
    job_id = caller.queued(fields=["id", "lastName"])
    caller.now += 10
    lead_id = 1001 + len(caller.instance.people) - 1
    caller.instance.change(caller.now, leads=[{"id": lead_id, "lastName": "Changed afterwards"}])
    caller.now += 170
    assert b"Changed afterwards" not in content_of(caller.file(job_id))
    later = caller.queued(fields=["id", "lastName"])
    caller.now += 180
    assert f"{lead_id},Changed afterwards\n".encode() in content_of(caller.file(later))


def test_activities_of_chosen_types_come_by_date_and_guid() -> None:
    """The type filter holds and the order is that of (activityDate, id)."""
    caller = Caller(activities=5_000)
    late = {"activityDate": text_of(caller.now - 10 * DAY), "activityTypeId": 6, "attributes": "{}"}
    caller.instance.change(caller.now, new_activities=[late])
    window_of_all = {"startAt": text_of(caller.now - 30 * DAY), "endAt": text_of(caller.now)}
    job_id = caller.queued("activities", filter={"createdAt": window_of_all, "activityTypeIds": [6, 12]})
    caller.now += 180
    rows = list(csv.DictReader(io.StringIO(content_of(caller.file(job_id, "activities")).decode(), newline="")))
    assert {row["activityTypeId"] for row in rows} == {"6", "12"}
    keys = [(row["activityDate"], int(row["marketoGUID"])) for row in rows]
    assert keys == sorted(keys)
    assert all(orjson.loads(row["attributes"]) is not None for row in rows)


def test_ranges_of_a_file() -> None:
    """A part is 206 with Content-Range, a range beyond the end 416, no range the whole file."""
    caller = Caller()
    job_id = caller.queued()
    caller.now += 180
    whole = content_of(caller.file(job_id))
    part = caller.file(job_id, Range="bytes=5-9")
    assert (part.status, part.headers["Content-Range"]) == (206, f"bytes 5-9/{len(whole)}")
    assert content_of(part) == whole[5:10]
    beyond = caller.file(job_id, Range=f"bytes={len(whole)}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")


def test_no_file_is_404_in_plain_text() -> None:
    """A job that runs, an unknown id, and the wrong kind have no file."""
    caller = Caller()
    job_id = caller.queued()
    answers = [caller.file(job_id), caller.file("stranger")]
    caller.now += 180
    answers.append(caller.file(job_id, "activities"))
    assert [answer.status for answer in answers] == [404, 404, 404]
    assert all(answer.headers["Content-Type"].startswith("text/plain") for answer in answers)


def test_cancelled_jobs_free_their_place_and_cannot_be_queued() -> None:
    """Cancelling shows Cancelled; a finished job cannot be cancelled."""
    caller = Caller()
    job_id = caller.queued()
    cancelled = caller.call("POST", f"/bulk/v1/leads/export/{job_id}/cancel.json")
    assert value_of(cancelled)["result"][0]["status"] == "Cancelled"
    assert code_of(caller.enqueue(job_id)) == "1003"
    done = caller.queued()
    caller.now += 180
    assert code_of(caller.call("POST", f"/bulk/v1/leads/export/{done}/cancel.json")) == "1003"
    assert caller.job(job_id)["status"] == "Cancelled"


def test_the_list_is_filtered_and_paged() -> None:
    """Statuses are compared in any case and spelling; pages follow the token until none comes."""
    caller = Caller()
    ids = [str(value_of(caller.create())["result"][0]["exportId"]) for _ in range(5)]
    caller.call("POST", f"/bulk/v1/leads/export/{ids[1]}/cancel.json")
    caller.create("activities")
    caller.now += 60
    cancelled = value_of(caller.call("GET", LIST, query={"status": "canceled,Failed"}))
    assert [job["exportId"] for job in cancelled["result"]] == [ids[1]]
    seen, token = [], ""
    while True:
        page = value_of(caller.call("GET", LIST, query={"batchSize": "2", "nextPageToken": token}))
        seen += [job["exportId"] for job in page["result"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert seen == ids
    assert not {"fields", "filter"} & set(cancelled["result"][0])


@pytest.mark.parametrize(
    "query", [{"status": "Lost"}, {"batchSize": "0"}, {"batchSize": "301"}, {"nextPageToken": "?"}]
)
def test_a_list_call_that_makes_no_sense_is_refused(query: dict[str, str]) -> None:
    """Unknown statuses, sizes and tokens are 1003."""
    assert code_of(Caller().call("GET", LIST, query=query)) == "1003"


def test_unknown_jobs_are_not_found() -> None:
    """Status, enqueue and cancel of an unknown id say so."""
    caller = Caller()
    calls = [("GET", "status"), ("POST", "enqueue"), ("POST", "cancel")]
    codes = [code_of(caller.call(method, f"/bulk/v1/leads/export/none/{verb}.json")) for method, verb in calls]
    assert codes == ["1013", "1013", "1013"]
