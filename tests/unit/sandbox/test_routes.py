"""Tests of reading requests."""

import pytest
from multidict import MultiDict

from syncengine.sandbox.messages import Request
from syncengine.sandbox.routes import read_call


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/identity/oauth/token", ("identity", "")),
        ("/bulk/v1/leads/export.json", ("leads.export.list", "")),
        ("/bulk/v1/activities/export/create.json", ("activities.export.create", "")),
        ("/bulk/v1/leads/export/abc/file.json", ("leads.export.file", "abc")),
        ("/bulk/v1/leads/export/abc/create.json", ("unknown", "")),
        ("/bulk/v1/leads/export/abc/list.json", ("unknown", "")),
        ("/bulk/v1/companies/export.json", ("unknown", "")),
        ("/bulk/v1/leads/export.jsonx", ("unknown", "")),
    ],
)
def test_paths_lead_to_endpoints(path: str, expected: tuple[str, str]) -> None:
    """Only exact paths are known."""
    call = read_call(Request("GET", path), {})
    assert expected == (call.endpoint, call.job_id)


def test_a_repeated_parameter_is_a_list() -> None:
    """Repeating and commas mean the same."""
    query = MultiDict([("status", "Queued"), ("status", "Failed")])
    assert read_call(Request("GET", "/bulk/v1/leads/export.json", query), {}).query == {"status": "Queued,Failed"}


def test_a_form_is_read_only_when_it_says_so() -> None:
    """The content type decides."""
    request = Request("POST", "/identity/oauth/token", {}, {}, b"a=1&b=%C3%A9&c=")
    assert read_call(request, {"content-type": "application/x-www-form-urlencoded"}).form == {
        "a": "1",
        "b": "\u00e9",
        "c": "",
    }
    assert read_call(request, {"content-type": "text/plain"}).form == {}
