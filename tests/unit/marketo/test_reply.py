"""Bytes to an answer: every odd body that Marketo or a gateway has been seen to send."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.codes import Verdict
from syncengine.marketo.reply import MESSAGE_CHARACTERS_MAX, SEVERITY, Refusal, Reply, clean, read

JSON = "application/json;charset=UTF-8"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
envelopes = st.fixed_dictionaries(
    {},
    optional={
        "requestId": json_values,
        "success": st.booleans() | json_values,
        "result": json_values,
        "errors": st.lists(st.fixed_dictionaries({}, optional={"code": json_values, "message": json_values}))
        | json_values,
        "warnings": json_values,
        "nextPageToken": json_values,
        "moreResult": json_values,
        "error": json_values,
        "error_code": json_values,
        "message": json_values,
    },
)


def answered(envelope: object, status: int = 200, content_type: str = JSON) -> Reply | Refusal:
    return read(status, content_type, orjson.dumps(envelope))


def refused(envelope: object, status: int = 200) -> Refusal:
    answer = answered(envelope, status)
    assert isinstance(answer, Refusal)
    return answer


def errors(*codes: object) -> dict[str, Any]:
    return {"requestId": "a#1", "success": False, "errors": [{"code": code, "message": "m"} for code in codes]}


def test_a_page_of_rows_is_read_whole() -> None:
    """Rows, paging token, flags, warnings and the request's id come out as Marketo sent them."""
    answer = answered(
        {
            "requestId": "e42b#1",
            "success": True,
            "result": [{"id": 1}, {"id": 2}],
            "nextPageToken": "MORE==",
            "moreResult": True,
            "warnings": ["slow", {"code": 1, "message": "late"}],
        }
    )
    assert answer == Reply("e42b#1", ({"id": 1}, {"id": 2}), "MORE==", True, ("slow", "late"))


def test_success_without_a_result_is_no_rows() -> None:
    """Marketo says "nothing found" by leaving the result out."""
    expected = Reply("a#1", warnings=("No assets found",))
    assert expected == answered({"requestId": "a#1", "success": True, "warnings": ["No assets found"]})


@pytest.mark.parametrize(("sent", "read_as"), [(None, None), ("", None), (7, None), ("T", "T")])
def test_only_a_text_is_a_paging_token(sent: object, read_as: str | None) -> None:
    """An empty or odd token ends the paging rather than being sent back."""
    answer = answered({"success": True, "result": [], "nextPageToken": sent})
    assert isinstance(answer, Reply)
    assert read_as == answer.next_page_token


@pytest.mark.parametrize(("sent", "read_as"), [(None, None), ("true", None), (1, None), (True, True), (False, False)])
def test_only_a_boolean_says_whether_more_follows(sent: object, read_as: bool | None) -> None:
    """Where Marketo says nothing usable, None leaves the decision to the paging token."""
    answer = answered({"success": True, "result": [], "moreResult": sent})
    assert isinstance(answer, Reply)
    assert answer.more_result is read_as


def test_an_empty_page_can_be_followed_by_more() -> None:
    """An empty result says nothing about the pages after it."""
    answer = answered({"success": True, "result": [], "moreResult": True, "nextPageToken": "T"})
    assert answer == Reply(next_page_token="T", more_result=True)


def test_a_byte_order_mark_before_json_is_passed_over() -> None:
    """A BOM does not turn good rows into a fault."""
    assert Reply(result=(1,)) == read(200, JSON, b'\xef\xbb\xbf{"success":true,"result":[1]}')


def test_identity_answers_have_no_envelope() -> None:
    """A token's object is the reply's body and stays out of its repr."""
    answer = answered({"access_token": "cdf-secret", "expires_in": 3599, "scope": "a@b.c"})
    assert isinstance(answer, Reply)
    assert answer.body["access_token"] == "cdf-secret"
    assert "cdf-secret" not in repr(answer)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<html>Maintenance</html>"),
        ("text/html; charset=utf-8", b'{"success":true,"result":[]}'),
        (JSON, b"<html>Maintenance</html>"),
        (JSON, b""),
        (JSON, b" \n"),
        (JSON, b'{"success":true,"result":[{"id":1},{"i'),
        (JSON, b"[]"),
        (JSON, b"null"),
        (JSON, b"{}"),
        (JSON, b'{"requestId":"a#1"}'),
        (JSON, b'{"result":[{"id":1}]}'),
        (JSON, b'{"success":"true","result":[]}'),
        (JSON, b'{"success":false}'),
        (JSON, b'{"success":false,"errors":[]}'),
        (JSON, b'{"success":true,"result":"all"}'),
        (JSON, b"\xff\xfe{"),
        ("text/csv", b"id,email\n1,a@b.c\n"),
    ],
)
def test_what_is_not_marketos_envelope_is_a_fault_on_the_way(content_type: str, body: bytes) -> None:
    """Such an answer is never "no rows": it is repeated, and after a create the outcome is open."""
    answer = read(200, content_type, body)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.entry.verdict, answer.entry.unsafe_on_create) == ("2XX_NOT_JSON", Verdict.RETRY, True)


def test_an_error_with_the_content_type_of_a_file_is_still_an_error() -> None:
    """A refused download does not pass for a file of one line."""
    answer = read(200, "text/csv", orjson.dumps(errors("602")))
    assert isinstance(answer, Refusal)
    assert answer.entry.verdict is Verdict.REFRESH


@pytest.mark.parametrize("code", ["606", 606, " 606 "])
def test_a_code_is_read_from_text_and_number(code: object) -> None:
    """Marketo quotes its codes in most answers, not in all."""
    refusal = refused(errors(code))
    assert (refusal.code, refusal.request_id, refusal.message) == ("606", "a#1", "m")


def test_an_error_beside_success_true_still_refuses() -> None:
    """A contradiction is resolved towards losing nothing."""
    assert refused({**errors("611"), "success": True, "result": [1]}).code == "611"


@pytest.mark.parametrize("listed", [["down"], "down", {"message": "down"}, [{}], [None], [{"code": True}]])
def test_an_error_without_a_code_is_a_fault_on_the_way(listed: object) -> None:
    """An error that names no code is repeated, never ignored."""
    refusal = refused({"success": False, "errors": listed})
    assert (refusal.code, refusal.entry.verdict) == ("2XX_NOT_JSON", Verdict.RETRY)


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        (("606", "603"), Verdict.FATAL),
        (("603", "606"), Verdict.FATAL),
        (("606", "607"), Verdict.PAUSE),
        (("606", "601"), Verdict.REFRESH),
        (("702", "611"), Verdict.RETRY),
    ],
)
def test_of_several_errors_the_most_severe_wins(codes: tuple[str, ...], verdict: Verdict) -> None:
    """The order in which errors are listed does not matter."""
    assert verdict is refused(errors(*codes)).entry.verdict


def test_one_open_outcome_leaves_the_whole_call_open() -> None:
    """A refusal beside a time-out does not prove that a create was not executed, and one billed error is billed."""
    assert not refused(errors("606")).entry.unsafe_on_create
    entry = refused(errors("606", "604")).entry
    assert (entry.unsafe_on_create, entry.billed) == (True, True)


def test_severity_ranks_every_verdict() -> None:
    """No verdict can meet another without one of them winning."""
    assert set(Verdict) == set(SEVERITY)
    assert len(SEVERITY) == len(set(SEVERITY))


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (301, "301", Verdict.FATAL),
        (401, "401", Verdict.FATAL),
        (403, "403", Verdict.FATAL),
        (404, "404", Verdict.RETRY),
        (413, "413", Verdict.SPLIT),
        (418, "418", Verdict.FATAL),
        (429, "429", Verdict.RETRY),
        (503, "503", Verdict.RETRY),
        (520, "520", Verdict.RETRY),
        (0, "0", Verdict.RETRY),
    ],
)
def test_a_status_outside_2xx_decides_before_the_body(status: int, code: str, verdict: Verdict) -> None:
    """A good envelope under a bad status is not data."""
    refusal = refused({"success": True, "result": [1]}, status)
    assert (refusal.code, refusal.entry.verdict) == (code, verdict)


def test_identity_says_why_it_refuses() -> None:
    """OAuth's description reaches the user; the table adds what to do."""
    refusal = refused({"error": "unauthorized", "error_description": "No client with requested id"}, 401)
    assert refusal.message == "No client with requested id"
    assert "LaunchPoint" in refusal.entry.advice


def test_within_4xx_a_known_code_of_marketo_is_more_exact() -> None:
    """A 401 that carries 601 asks for a new token rather than for new credentials."""
    assert refused(errors("601"), 401).entry.verdict is Verdict.REFRESH
    assert refused(errors("413"), 413).entry.verdict is Verdict.SPLIT


def test_within_5xx_the_body_is_not_asked() -> None:
    """What a broken server says about itself does not make its fault final."""
    assert refused(errors("1003"), 500).entry.verdict is Verdict.RETRY


def test_data_ingestion_names_its_codes_in_its_own_way() -> None:
    """`error_code` is found in the table under its seven digits."""
    refusal = refused({"error_code": "4290801", "message": "Daily quota reached"}, 429)
    assert (refusal.code, refusal.entry.verdict) == ("4290801", Verdict.PAUSE)


def test_a_noop_stands_for_an_empty_reply() -> None:
    """What is already so can be decoded like an answer that holds nothing."""
    refusal = refused({"requestId": "a#1", "success": False, "errors": [{"code": "702", "message": "No data found"}]})
    assert Reply("a#1", warnings=("No data found",)) == refusal.as_empty()


def test_a_message_is_one_short_printable_line() -> None:
    """A hostile message can neither forge log lines nor drive a terminal."""
    assert clean("a\x1b[31m\r\nb\u2028c\x00") == "a [31m b c"
    assert len(clean("x" * 5_000)) == MESSAGE_CHARACTERS_MAX


def test_no_part_of_a_foreign_body_enters_a_message() -> None:
    """A page from elsewhere may hold anything; nothing of it is repeated."""
    answer = read(200, "text/html", b"<html>canary</html>")
    assert "canary" not in repr(answer)
    assert "canary" not in repr(read(502, "text/html", b"canary"))


@settings(deadline=None, max_examples=300)
@given(status=st.integers(-1, 700), content_type=st.sampled_from(["", JSON, "text/html", "text/csv"]), body=st.binary())
def test_read_never_raises_on_bytes(status: int, content_type: str, body: bytes) -> None:
    """Any bytes under any status are an answer or a refusal."""
    assert isinstance(read(status, content_type, body), Reply | Refusal)


@settings(deadline=None, max_examples=500)
@given(status=st.sampled_from([200, 401, 404, 500]), envelope=envelopes)
def test_read_never_raises_on_envelopes(status: int, envelope: dict[str, Any]) -> None:
    """Only a stated success without errors gives rows; whatever else is in the envelope refuses."""
    answer = answered(envelope, status)
    if isinstance(answer, Reply):
        assert (status, envelope["success"], envelope.get("errors") or None) == (200, True, None)
    else:
        assert answer.entry.verdict in Verdict
        assert answer.message.isprintable()
        assert len(answer.message) <= MESSAGE_CHARACTERS_MAX


@settings(deadline=None)
@given(cut=st.integers(0, 60))
def test_a_cut_answer_is_never_a_shorter_one(cut: int) -> None:
    """No prefix of an answer passes for an answer."""
    whole = b'{"requestId":"a#1","success":true,"result":[{"id":1},{"id":2}]}'
    assert isinstance(read(200, JSON, whole[: min(cut, len(whole) - 1)]), Refusal)
