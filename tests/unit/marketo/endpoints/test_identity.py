"""The call for an access token."""

import pytest

from syncengine.marketo.endpoints import identity
from syncengine.marketo.reply import Malformed, Reply, read
from syncengine.marketo.rows import Token


def test_the_secret_travels_in_a_form_and_nowhere_else() -> None:
    """Neither path nor query holds credentials, and no token is needed to ask for one."""
    call = identity.token("who", "hush")
    assert (call.method, call.path, call.query, call.authorized) == ("POST", "/identity/oauth/token", {}, False)
    assert call.form is not None
    assert call.form["client_secret"] == "hush"


def test_an_answer_becomes_a_token() -> None:
    """Adobe's example is read whole."""
    body = b'{"access_token":"cdf01657:int","token_type":"bearer","expires_in":3599,"scope":"apis@acmeinc.com"}'
    reply = read(200, "application/json", body)
    assert isinstance(reply, Reply)
    assert Token("cdf01657:int", 3599, "apis@acmeinc.com") == identity.token("a", "b").decode(reply)


def test_an_answer_without_a_token_is_malformed() -> None:
    """An empty success does not become an empty token."""
    with pytest.raises(Malformed):
        identity.token("a", "b").decode(Reply())
