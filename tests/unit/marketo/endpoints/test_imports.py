"""Imports: where a file goes, how its batch is read, and what must not enter a path."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints import imports
from syncengine.marketo.endpoints.imports import CustomObjectImport, ImportTarget, LeadImport, ProgramMemberImport
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ImportBatch, ImportStatus

LEADS, CARS, MEMBERS = LeadImport(), CustomObjectImport("car_c"), ProgramMemberImport(1044, "On List")
TARGETS = (LEADS, CARS, MEMBERS)
every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda each: type(each).__name__)


@dataclass(frozen=True)
class File:
    """An upload that nobody reads."""

    size: int = 10
    content_type: str = "multipart/form-data; boundary=x"

    def pieces(self) -> Iterator[bytes]:
        raise AssertionError("nothing here performs a call")


FILE = File()


def test_files_go_where_adobes_pages_send_them() -> None:
    """Each kind has a path and options of its own; the file is what is sent."""
    chosen = LeadImport("customId__c", 1081, "EMEA & more")
    calls = [imports.create(target, FILE) for target in (*TARGETS, chosen)]

    assert [
        ("POST", "/bulk/v1/leads.json", {"format": "csv", "lookupField": "email"}),
        ("POST", "/bulk/v1/customobjects/car_c/import.json", {"format": "csv"}),
        ("POST", "/bulk/v1/program/1044/members/import.json", {"format": "csv", "programMemberStatus": "On List"}),
        (
            "POST",
            "/bulk/v1/leads.json",
            {"format": "csv", "lookupField": "customId__c", "listId": "1081", "partitionName": "EMEA & more"},
        ),
    ] == [(call.method, call.path, call.query) for call in calls]
    assert {(FILE, Repeat.UNSAFE)} == {(call.upload, call.repeat) for call in calls}
    assert ["leads", "custom_object_car_c", "program_members"] == [call.name.split(".")[0] for call in calls[:3]]
    permissions = ["Read-Write Lead", "Read-Write Custom Object", "Read-Write Lead"]
    assert permissions == [call.permission for call in calls[:3]]


def test_batches_are_asked_about_where_adobes_pages_have_them() -> None:
    """Status, failures and warnings of each kind; a program is not named again."""
    assert [
        ("GET", "/bulk/v1/leads/batch/7.json"),
        ("GET", "/bulk/v1/leads/batch/7/failures.json"),
        ("GET", "/bulk/v1/leads/batch/7/warnings.json"),
        ("GET", "/bulk/v1/customobjects/car_c/import/7/status.json"),
        ("GET", "/bulk/v1/customobjects/car_c/import/7/failures.json"),
        ("GET", "/bulk/v1/customobjects/car_c/import/7/warnings.json"),
        ("GET", "/bulk/v1/program/members/import/7/status.json"),
        ("GET", "/bulk/v1/program/members/import/7/failures.json"),
        ("GET", "/bulk/v1/program/members/import/7/warnings.json"),
    ] == [
        (call.method, call.path)
        for target in TARGETS
        for call in (imports.status(target, 7), imports.failures(target, 7), imports.warnings(target, 7))
    ]


@every_target
@pytest.mark.parametrize("ask", [imports.status, imports.failures, imports.warnings])
@pytest.mark.parametrize("batch", ["7/../8", "", 0, -1, None, 1.5, True, "x"])
def test_what_is_no_batch_enters_no_path(target: ImportTarget, ask: Any, batch: Any) -> None:
    """Whatever a journal or an answer holds, a path gets a whole number or nothing."""
    with pytest.raises(Malformed, match="batchId"):
        ask(target, batch)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (CustomObjectImport("car_c/../x"), Malformed),
        (CustomObjectImport(""), Malformed),
        (ProgramMemberImport(0, "On List"), ValueError),
        (ProgramMemberImport(1044, " "), ValueError),
        (LeadImport(lookup_field=""), ValueError),
        (LeadImport(list_id=0), ValueError),
    ],
)
def test_what_marketo_would_read_otherwise_is_refused(target: ImportTarget, error: type[Exception]) -> None:
    """An empty value would take a default, a crafted one another path."""
    with pytest.raises(error):
        imports.create(target, FILE)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"batchId": 3404, "importId": "3404", "status": "Queued"}, ImportBatch(3404, ImportStatus.QUEUED)),
        (
            {
                "batchId": 1022,
                "status": "Complete",
                "numOfLeadsProcessed": 2,
                "numOfRowsFailed": 1,
                "numOfRowsWithWarning": 0,
                "message": "Import completed with errors, 2 records imported (2 members), 1 failed",
            },
            ImportBatch(
                1022,
                ImportStatus.COMPLETE,
                2,
                1,
                0,
                "Import completed with errors, 2 records imported (2 members), 1 failed",
            ),
        ),
        (
            {"batchId": 1013, "operation": "import", "status": "importing", "numOfObjectsProcessed": "3"},
            ImportBatch(1013, ImportStatus.IMPORTING, 3),
        ),
        ({"importId": "1040", "status": "FAILED"}, ImportBatch(1040, ImportStatus.FAILED)),
        ({"batchId": "9", "status": "Pausing", "message": "a\nb"}, ImportBatch(9, ImportStatus.UNKNOWN, message="a b")),
    ],
)
def test_a_batch_is_read_however_it_is_written(row: dict[str, Any], expected: ImportBatch) -> None:
    """Counts come under two names and as text, words in any case; a word of tomorrow is polled on."""
    assert expected == imports.create(LEADS, FILE).decode(Reply(result=(row,)))
    assert (expected.status in {ImportStatus.COMPLETE, ImportStatus.FAILED}) == expected.status.is_final


@every_target
@pytest.mark.parametrize(
    "result",
    [
        (),
        ({"status": "Queued"},),
        ({"batchId": 0, "status": "Queued"},),
        ({"batchId": "7/8", "status": "Queued"},),
        ({"batchId": 7},),
        ({"batchId": 7, "status": None},),
        ("7",),
        ({"batchId": 7, "status": "Queued"}, {"batchId": 8, "status": "Queued"}),
    ],
)
def test_an_answer_without_its_batch_is_no_answer(target: ImportTarget, result: tuple[Any, ...]) -> None:
    """A lost batchId is never taken for an accepted or a finished import."""
    with pytest.raises(Malformed):
        imports.create(target, FILE).decode(Reply(result=result))


def test_another_batchs_status_is_no_answer() -> None:
    """A mix-up over there does not complete the wrong chunk."""
    with pytest.raises(Malformed, match="another"):
        imports.status(LEADS, 7).decode(Reply(result=({"batchId": 8, "status": "Complete"},)))
