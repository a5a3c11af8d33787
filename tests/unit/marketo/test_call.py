"""A call as a value."""

from syncengine.marketo.endpoints.identity import token


def test_a_printed_call_keeps_its_form_to_itself() -> None:
    """A call can be logged whole: the client secret is not in it."""
    call = token("id-canary", "secret-canary")
    assert "canary" not in repr(call)
    assert call.form == {
        "grant_type": "client_credentials",
        "client_id": "id-canary",
        "client_secret": "secret-canary",
    }
