"""Tests of the bulk import endpoints of an instance."""

import hashlib
from typing import Any

import pytest

from tests.unit.sandbox.caller import MULTIPART, Caller, code_of, multipart, value_of

LEADS = "email,firstName,lastName\n"


def values_of(caller: Caller, stream: str, **wanted: Any) -> list[dict[str, Any]]:
    """Rows of a truth that have these values."""
    return [row for row in caller.truth(stream) if all(row[name] == value for name, value in wanted.items())]


def test_leads_of_a_file_are_created_and_updated() -> None:
    """Every cell is there afterwards, an empty one as null; the message counts."""
    caller = Caller()
    old = caller.leads_by("id", "1003", "email,title")[0]
    rows = f'new@x.de,"Ren\u00e9e, ""R""\nsecond line",N\n{old["email"].upper()},,O\n'
    assert caller.finished(LEADS + rows) == {
        "batchId": 1001,
        "importId": "1001",
        "status": "Complete",
        "numOfLeadsProcessed": 2,
        "numOfRowsFailed": 0,
        "numOfRowsWithWarning": 0,
        "message": "Import succeeded, 2 records imported (2 members)",
    }
    assert caller.leads_by("email", "new@x.de", "firstName,lastName,title") == [
        {"firstName": 'Ren\u00e9e, "R"\nsecond line', "lastName": "N", "title": None}
    ]
    assert caller.leads_by("id", "1003", "firstName,lastName,title") == [
        {"firstName": None, "lastName": "O", "title": old["title"]}
    ]
    assert len(values_of(caller, "leads", lastName="N", email="new@x.de")) == 1


def test_a_batch_is_queued_then_importing_then_complete() -> None:
    """The first answer says Queued, and the file's rows appear over time."""
    caller = Caller()
    made = value_of(caller.imported(LEADS + "".join(f"n{n}@x.de,A,B\n" for n in range(1_000))))
    assert made["result"] == [{"batchId": 1001, "importId": "1001", "status": "Queued"}]
    caller.now += 10
    shown = caller.batch_status(1001)
    assert (shown["status"], 0 < shown["numOfLeadsProcessed"] < 1_000, "message" in shown) == ("Importing", True, False)
    caller.now += 90
    assert caller.batch_status(1001)["status"] == "Complete"


def test_later_rows_of_a_file_win() -> None:
    """One key, one lead."""
    caller = Caller()
    assert caller.finished(LEADS + "n@x.de,A,1\nN@x.de,,2\n")["numOfLeadsProcessed"] == 2
    assert caller.leads_by("email", "n@x.de", "email,firstName,lastName") == [
        {"email": "N@x.de", "firstName": None, "lastName": "2"}
    ]


def test_two_files_with_one_key_at_once_make_two_leads() -> None:
    """And a third that comes later cannot tell which of them is meant."""
    caller = Caller()
    batches = [caller.batch(LEADS + f"n@x.de,A,{number}\n") for number in range(2)]
    caller.now += 100
    assert [caller.batch_status(batch)["numOfLeadsProcessed"] for batch in batches] == [1, 1]
    (duplicate,) = caller.truth("duplicate_leads")
    assert (duplicate["email"], len(duplicate["ids"])) == ("n@x.de", 2)
    shown = caller.finished(LEADS + "n@x.de,A,3\n")
    assert shown["message"] == "Import completed with errors, 0 records imported (0 members), 1 failed"
    failures = caller.listing(shown["batchId"], "failures").body
    assert failures == (
        b"email,firstName,lastName,Import Failure Reason\nn@x.de,A,3,Multiple leads match the lookup criteria\n"
    )


def test_one_after_the_other_makes_one_lead() -> None:
    """A job that has ended is seen by the next."""
    caller = Caller(imports_running=1)
    for number in range(2):
        caller.batch(LEADS + f"n@x.de,A,{number}\n")
    caller.now += 200
    assert [lead["lastName"] for lead in caller.leads_by("email", "n@x.de")] == ["1"]
    assert caller.truth("duplicate_leads") == []


def test_other_keys_can_look_up() -> None:
    """An id updates only; a custom field finds and creates."""
    caller = Caller()
    shown = caller.finished("id,city\n1005,Oslo\n99999,Rome\n", lookupField="id")
    assert (shown["numOfLeadsProcessed"], shown["numOfRowsFailed"]) == (1, 1)
    assert caller.leads_by("id", "1005", "city") == [{"city": "Oslo"}]
    caller.finished("legacyNumber,city\nL-1,Rome\nL-1,Turin\n", lookupField="legacyNumber")
    assert caller.leads_by("legacyNumber", "L-1", "city,email") == [{"city": "Turin", "email": None}]


def test_imported_leads_join_the_list() -> None:
    """Updated ones too, and nobody else does."""
    caller = Caller(leads=20)
    caller.finished(LEADS + "n@x.de,A,B\nbad,A,B\n", listId=2003)
    assert sorted(row["leadId"] for row in values_of(caller, "list_members", listId=2003)) == [1021, 1022]
    assert 1021 not in {row["leadId"] for row in values_of(caller, "list_members", listId=2002)}
    caller.batch(LEADS + "m@x.de,A,B\n", listId=2003)
    assert code_of(caller.imported(LEADS + "k@x.de,A,B\n", listId=2003)) == "1019"


@pytest.mark.parametrize(("file_format", "delimiter"), [("csv", ","), ("TSV", "\t"), ("ssv", ";")])
def test_files_come_back_in_the_format_of_the_job(file_format: str, delimiter: str) -> None:
    """Failures and warnings are written as the file was."""
    caller = Caller()
    rows = [("email", "leadScore", "notes"), ("a@x.de", "high", "x,y;z"), ("nobody", "1", "")]
    content = "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    batch = caller.finished(content, format=file_format)["batchId"]
    cell = '"x,y;z"' if delimiter in "x,y;z" else "x,y;z"
    reason = "Invalid data type in field Lead Score"
    expected = [["email", "leadScore", "notes", "Import Failure Reason"], ["a@x.de", "high", cell, reason]]
    assert caller.listing(batch, "failures").body == "".join(f"{delimiter.join(row)}\n" for row in expected).encode()
    expected = [["email", "leadScore", "notes", "Import Warning Reason"], ["nobody", "1", "", "Invalid email address"]]
    assert caller.listing(batch, "warnings").body == "".join(f"{delimiter.join(row)}\n" for row in expected).encode()


def test_a_trailing_empty_key_is_missing_from_the_failures() -> None:
    """When the key is the last column and no failed row has one, its column is left out."""
    caller = Caller()
    batch = caller.finished("firstName,email\nAda,\nBob,b@x.de\n")["batchId"]
    expected = b"firstName,Import Failure Reason\nAda,Missing value for lookup field Email Address\n"
    assert caller.listing(batch, "failures").body == expected


def test_there_is_no_file_without_rows() -> None:
    """HTTP 404: nothing failed, nothing yet, no such batch."""
    caller = Caller()
    batch = caller.finished(LEADS + "n@x.de,A,B\n")["batchId"]
    running = caller.batch("email,leadScore\na@x.de,x\n")
    for number in (batch, running, 77):
        assert caller.listing(number, "failures").status == 404
        assert caller.listing(number, "warnings").status == 404


@pytest.mark.parametrize(
    ("content", "query", "code"),
    [
        ("", {}, "1003"),
        (LEADS, {}, "1003"),
        ("email,email\na@x.de,b\n", {}, "1003"),
        ("email, lastName\na@x.de,b\n", {}, "1006"),
        ("\ufeffemail,lastName\na@x.de,b\n", {}, "1006"),
        ("email,createdAt\na@x.de,b\n", {}, "1003"),
        ("email,id\na@x.de,1\n", {}, "1003"),
        ("lastName\nA\n", {}, "1003"),
        (LEADS + "a@x.de,b,c\n", {"format": "xls"}, "1003"),
        (LEADS + "a@x.de,b,c\n", {"format": ""}, "1002"),
        (LEADS + "a@x.de,b,c\n", {"lookupField": "lastName"}, "1011"),
        (LEADS + "a@x.de,b,c\n", {"listId": "1"}, "1013"),
        (LEADS + "a@x.de,b,c\n", {"listId": "x"}, "1001"),
        (LEADS + "a@x.de,b,c\n", {"partitionName": "Nowhere"}, "1008"),
    ],
)
def test_a_lead_file_that_cannot_be_imported_is_refused(content: str, query: dict[str, str], code: str) -> None:
    """At creation, and no batch is made."""
    caller = Caller()
    assert code_of(caller.imported(content, **query)) == code
    assert caller.truth("imports") == []


def test_a_body_that_is_no_form_is_refused() -> None:
    """Content type, boundary, method."""
    caller = Caller()
    sent = {"query": {"format": "csv"}, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    assert code_of(caller.call("POST", "/bulk/v1/leads.json", b"no form", **sent)) == "613"
    sent["headers"] = {"Content-Type": "text/csv"}
    assert code_of(caller.call("POST", "/bulk/v1/leads.json", b"email\na\n", **sent)) == "612"
    assert code_of(caller.call("GET", "/bulk/v1/leads.json")) == "605"


def test_a_body_may_have_ten_megabytes() -> None:
    """And not one more."""
    caller = Caller()
    overhead, query = len(multipart(b"")), {"format": "csv"}
    for size, expected in ((10_000_000, 200), (10_000_001, 413)):
        body = multipart(b"email\nn@x.de\n".ljust(size - overhead, b"\n"))
        reply = caller.call("POST", "/bulk/v1/leads.json", body, query=query, headers=MULTIPART)
        assert (len(body), reply.status) == (size, expected)
    assert len(caller.truth("imports")) == 1


def test_a_batch_is_found_under_its_kind_for_a_week() -> None:
    """Another kind, an unknown one and an old one are 1013; a text is 1001."""
    caller = Caller(token_seconds=10**7)
    batch = caller.batch(LEADS + "n@x.de,A,B\n")
    for path in (f"/bulk/v1/program/members/import/{batch}/status.json", "/bulk/v1/leads/batch/7.json"):
        assert code_of(caller.call("GET", path)) == "1013"
    assert code_of(caller.call("GET", "/bulk/v1/leads/batch/x.json")) == "1001"
    caller.now += 7 * 86_400 - 1
    assert caller.batch_status(batch)["status"] == "Complete"
    caller.now += 1
    assert code_of(caller.call("GET", f"/bulk/v1/leads/batch/{batch}.json")) == "1013"


@pytest.mark.parametrize(
    ("kind", "content", "query", "code"),
    [
        ("program_members", "email\na@x.de\n", {"programMemberStatus": "Nobody"}, "1025"),
        ("program_members", "email\na@x.de\n", {"programMemberStatus": ""}, "1002"),
        ("program_members", "lastName\nA\n", {}, "1003"),
        ("program_members", "email,statusName\na@x.de,Member\n", {}, "1003"),
        ("program_members", "email,noSuch\na@x.de,Member\n", {}, "1006"),
        ("custom_objects", "vIN\n", {}, "1003"),
    ],
)
def test_other_files_that_cannot_be_imported_are_refused(
    kind: str, content: str, query: dict[str, str], code: str
) -> None:
    """At creation."""
    assert code_of(Caller().imported(content, kind, **query)) == code


def test_what_there_is_not_cannot_be_imported_to() -> None:
    """A draft of a custom object and a program that is not there are 1013."""
    caller = Caller()
    query = {"format": "csv", "programMemberStatus": "Member"}
    for path in ("/bulk/v1/customobjects/idea_c/import.json", "/bulk/v1/program/7/members/import.json"):
        reply = caller.call("POST", path, multipart(b"email\na@x.de\n"), query=query, headers=MULTIPART)
        assert code_of(reply) == "1013"


def test_the_truth_tells_of_batches_in_order() -> None:
    """With the hash of each file, its rows and what became of them; the counters tell how many there were."""
    caller = Caller()
    contents = [LEADS + f"n{number}@x.de,A,B\n" for number in range(3)]
    for content in contents:
        caller.batch(content)
    caller.now += 200
    caller.batch_status(1001)
    lines = caller.truth("imports")
    assert [line["sha256"] for line in lines] == [hashlib.sha256(content.encode()).hexdigest() for content in contents]
    assert [(line["batchId"], line["rows"], line["status"]) for line in lines] == [
        (number, 1, "Complete") for number in (1001, 1002, 1003)
    ]
    counters = value_of(caller.control("GET", "counters"))
    assert (counters["imports_created"], counters["imports_running_most"]) == ({"leads": 3}, 2)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"action": "error", "code": "1016", "message": "Too many imports"}, ("1016", 0)),
        ({"action": "error", "code": "713"}, ("713", 0)),
        ({"action": "drop_before"}, ("", 0)),
        ({"action": "drop_after"}, ("", 1)),
    ],
)
def test_faults_strike_imports(rule: dict[str, Any], expected: tuple[str, int]) -> None:
    """A refused or lost call makes no batch; a lost answer does."""
    caller = Caller()
    caller.control("POST", "faults", [{"path": "/bulk/v1/leads.json", "times": 1, **rule}])
    reply = caller.imported(LEADS + "n@x.de,A,B\n")
    assert (reply.code, len(caller.truth("imports"))) == expected


def test_a_job_can_be_made_to_fail_or_to_be_forgotten() -> None:
    """With the message of the rule; a forgotten batch is carried out all the same."""
    caller = Caller()
    rules = [
        {"action": "outcome", "path": "/bulk/v1/leads.json", "nth": 1, "status": "Failed", "message": "Broken"},
        {"action": "forget", "path": "/bulk/v1/leads.json", "nth": 2},
    ]
    caller.control("POST", "faults", rules)
    shown = caller.finished(LEADS + "n@x.de,A,B\n")
    assert (shown["status"], shown["message"], shown["numOfLeadsProcessed"]) == ("Failed", "Broken", 0)
    batch = caller.batch(LEADS + "m@x.de,A,B\n")
    caller.now += 100
    assert code_of(caller.call("GET", f"/bulk/v1/leads/batch/{batch}.json")) == "1013"
    assert len(caller.leads_by("email", "n@x.de,m@x.de")) == 1


def test_an_export_holds_what_was_imported_when_it_started() -> None:
    """Though nobody called in between: of three exports that wait for each other, each has the rows of its time."""
    caller = Caller(jobs_running=1, job_seconds=(60, 60), import_seconds=(90, 90), token_seconds=10**6)
    old = caller.now
    caller.batch(LEADS + "n@x.de,A,B\n")
    window = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-20T00:00:00Z"}
    jobs = [caller.queued(filter={"createdAt": window}) for _ in range(3)]
    caller.now = old + 600
    records = [caller.job(job_id)["numberOfRecords"] for job_id in jobs]
    assert records == [records[0], records[0], records[0] + 1]
