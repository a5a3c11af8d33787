"""Tests of token issue and judgement."""

import pytest

from syncengine.sandbox.auth import Tokens
from tests.unit.sandbox.caller import Caller, code_of, small_options, value_of


def test_the_same_token_is_returned_until_it_expires() -> None:
    """Asking early buys nothing: the token stays and its life runs out; at expiry a new one comes."""
    caller = Caller(token_seconds=60)
    first = value_of(caller.login())
    caller.now += 59.5
    second = value_of(caller.login())
    caller.now += 0.5
    third = value_of(caller.login())
    assert (first["expires_in"], second["expires_in"], third["expires_in"]) == (60, 0, 60)
    assert first["access_token"] == second["access_token"] != third["access_token"]
    assert caller.instance.tokens.issued == 2


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "unauthorized"),
        ({"client_secret": ""}, 401, "unauthorized"),
        ({"client_id": "stranger"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_below_the_envelope(form: dict[str, str], status: int, error: str) -> None:
    """The identity endpoint answers with an HTTP error and an OAuth body."""
    response = Caller().login(**form)
    assert (status, error) == (response.status, value_of(response)["error"])


def test_a_secret_in_the_url_is_refused() -> None:
    """A right secret in the wrong place gives no token."""
    tokens = Tokens(small_options())
    query = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
    assert tokens.identify(query, {}, 0.0).status == 401
    assert tokens.issued == 0


def test_tokens_are_judged_by_what_they_are() -> None:
    """Missing, unknown and expired tokens have a code each."""
    caller = Caller(token_seconds=60)
    caller.login()
    usage = ("GET", "/rest/v1/stats/usage.json")
    headers = [{}, {"Authorization": ""}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer stranger"}]
    codes = [code_of(caller.call(*usage, headers=header)) for header in headers]
    caller.now += 60
    codes.append(code_of(caller.call(*usage)))
    old = {"Authorization": f"Bearer {caller.token}"}
    caller.login()
    codes.append(code_of(caller.call(*usage, headers=old)))
    assert codes == ["", "600", "600", "601", "602", "602"]


def test_a_token_in_the_query_string_does_not_count() -> None:
    """Only the Authorization header carries a token."""
    caller = Caller()
    caller.login()
    query = {"access_token": caller.token}
    response = caller.call("GET", "/rest/v1/stats/usage.json", query=query, headers={"Authorization": ""})
    assert code_of(response) == "600"
