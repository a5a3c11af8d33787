"""Tests of the shapes of answers."""

import orjson
import pytest

from syncengine.sandbox.replies import failure, page, plain, refusal, success


def test_success_and_failure_share_an_envelope() -> None:
    """Both are HTTP 200; a code is a text in quotes."""
    good, bad = success("a#1", [1], nextPageToken="t"), failure("a#2", "606", "slow down")
    assert isinstance(good.body, bytes)
    assert isinstance(bad.body, bytes)
    assert orjson.loads(good.body) == {"requestId": "a#1", "success": True, "result": [1], "nextPageToken": "t"}
    assert orjson.loads(bad.body) == {
        "requestId": "a#2",
        "success": False,
        "errors": [{"code": "606", "message": "slow down"}],
    }
    assert (good.status, bad.status, good.code, bad.code) == (200, 200, "", "606")


@pytest.mark.parametrize(
    ("code", "facts", "expected"),
    [
        ("606", (100, 20), "Max rate limit '100' exceeded with in '20' secs"),
        ("615", (10,), "Concurrent access limit '10' reached"),
        ("602", (), "Access token expired"),
    ],
)
def test_refusals_use_marketos_words(code: str, facts: tuple[int, ...], expected: str) -> None:
    """Facts stand in single quotes."""
    refused = refusal(code, *facts)
    assert (refused.code, refused.message) == (code, expected)


def test_pages_and_plain_texts_carry_their_status() -> None:
    """An error status is counted as a code, a maintenance page with 200 is not."""
    assert (page(503).status, page(503).code, page(200, "<p>").code) == (503, "503", "")
    assert (
        page(502).body
        == b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    )
    assert plain(404, "gone").body == b"gone"


@pytest.mark.parametrize("status", [502, 520, 599])
def test_a_page_may_have_any_status(status: int) -> None:
    """Gateways have statuses of their own, which no list of names knows."""
    response = page(status)
    assert (status, str(status)) == (response.status, response.code)
    assert isinstance(response.body, bytes)
    assert str(status).encode() in response.body
