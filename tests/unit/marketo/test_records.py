"""What became of each record: Adobe's examples, and answers that cannot be matched to records."""

from typing import Any

import pytest

from syncengine.marketo.codes import Verdict, lookup
from syncengine.marketo.records import Reason, RecordResult, RecordStatus, record_results, sync_input
from syncengine.marketo.reply import Malformed, Reply

NOT_FOUND = Reason("1004", "Lead not found", lookup("record", "1004"))
GUID = "dff23271-f996-47d7-984f-f2676861b5fb"


def results(*rows: object) -> list[RecordResult]:
    return record_results(Reply(result=rows))


def test_leads_are_told_by_their_place() -> None:
    """Without `seq` the order is that of the input."""
    assert [
        RecordResult(0, RecordStatus.CREATED, 50),
        RecordResult(1, RecordStatus.SKIPPED, reasons=(NOT_FOUND,)),
        RecordResult(2, RecordStatus.ADDED, 318594),
    ] == results(
        {"id": 50, "status": "created"},
        {"status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
        {"id": "318594", "status": "Added"},
    )


def test_objects_and_members_are_told_by_seq() -> None:
    """Whatever order the answer has, each result goes to its record."""
    assert [
        RecordResult(0, RecordStatus.UPDATED, guid=GUID),
        RecordResult(1, RecordStatus.CREATED, 1800),
    ] == results(
        {"seq": 1, "status": "created", "leadId": 1800}, {"seq": "0", "status": "updated", "marketoGUID": GUID}
    )


def test_a_missing_result_is_for_the_caller_to_see() -> None:
    """The list is as long as the answer, not as the input."""
    assert [[], [0]] == [[each.position for each in results(*rows)] for rows in ((), ({"status": "created"},))]


@pytest.mark.parametrize(
    "rows",
    [
        ({"seq": 0}, {"seq": 0}),
        ({"seq": 0}, {"seq": 2}),
        ({"seq": 1},),
        ({"seq": None},),
        ({"seq": -1},),
        ({"seq": 1}, {"status": "created"}),
        ("created",),
    ],
)
def test_results_that_cannot_be_matched_are_no_answer(rows: tuple[Any, ...]) -> None:
    """Two results for one record would leave another without any."""
    with pytest.raises(Malformed):
        results(*rows)


def test_reasons_have_their_line_of_the_table() -> None:
    """Codes as text or number, a reason without a code, and a full queue told apart by its words."""
    (only,) = results(
        {
            "status": "skipped",
            "reasons": [
                {"code": 1003, "message": "a\nb"},
                "odd",
                {"code": "1029", "message": "Too many jobs in queue"},
            ],
        }
    )
    assert [("1003", "a b"), ("", "odd"), ("1029", "Too many jobs in queue")] == [
        (each.code, each.message) for each in only.reasons
    ]
    assert ["1003", "UNKNOWN", "1029a"] == [each.entry.code for each in only.reasons]
    assert Verdict.SKIP_RECORD is only.reasons[0].entry.verdict


def test_only_known_words_mean_done() -> None:
    """A word of tomorrow is not taken for success."""
    words = {"created": True, "UPDATED": True, "added": True, "skipped": False, "queued": False, "": False}
    assert words == {word: RecordStatus.of(word).is_done for word in words}
    assert RecordStatus.UNKNOWN is RecordStatus.of(None)


@pytest.mark.parametrize("rows", [[], [{}], [{"a": 1}, {}], [{"a": 1}] * 301])
def test_no_call_has_nothing_or_too_much_to_say(rows: list[dict[str, object]]) -> None:
    """1 to 300 records with at least a field each."""
    with pytest.raises(ValueError, match=r"records|field"):
        sync_input(rows)
    assert 300 == len(sync_input([{"a": 1}] * 300))
