"""Who may look."""

from base64 import b64encode

import pytest

from syncengine.config import Secret
from syncengine.service.seen.guard import refused

TOKEN = Secret("a long token: with a colon, é")
PATHS = ("/", "/live", "/metrics", "/style.css", "/nowhere")


def status(token: Secret | None, path: str = "/", method: str = "GET", **headers: str) -> int:
    """What a request is answered with; 200 stands for whatever is at the path."""
    refusal = refused(token, method, path, headers)
    return refusal.status if refusal else 200


def basic(user: str, password: str) -> str:
    """A browser's answer to a question for name and password."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", PATHS)
def test_with_a_token_everything_but_health_asks_for_it(path: str) -> None:
    """Nobody learns even which paths there are."""
    assert 401 == status(TOKEN, path, Host="status.example.com")
    assert 200 == status(TOKEN, path, Host="status.example.com", Authorization=f"Bearer {TOKEN.reveal()}")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_asks_for_no_token(path: str) -> None:
    """Whoever watches whether the daemon lives is a machine without secrets."""
    assert 200 == status(TOKEN, path, Host="10.0.0.7:8642")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (f"bearer  {TOKEN.reveal()} ", 200),
        (basic("", TOKEN.reveal()), 200),
        (basic("anybody", TOKEN.reveal()), 200),
        (basic(TOKEN.reveal(), ""), 401),
        (basic("anybody", TOKEN.reveal()[:-1]), 401),
        (f"Bearer {TOKEN.reveal()}x", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Basic !!!", 401),
        ("Basic ", 401),
        (TOKEN.reveal(), 401),
        ("Bearer \udcff", 401),
    ],
)
def test_the_token_is_taken_as_bearer_or_as_any_users_password(given: str, expected: int) -> None:
    """Exactly the token, in either of two ways; what is no token at all is refused and breaks nothing."""
    assert expected == status(TOKEN, Authorization=given)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8642", 200),
        ("127.0.0.1", 200),
        ("localhost:8642", 200),
        ("[::1]:8642", 200),
        ("127.0.0.2:1", 200),
        ("evil.example:8642", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("evil@127.0.0.1", 403),
        ("evil.example/@127.0.0.1", 403),
        ("192.168.1.7:8642", 403),
        ("[::2]:8642", 403),
        ("", 403),
    ],
)
def test_without_a_token_only_names_of_this_machine_are_answered(host: str, expected: int) -> None:
    """A page of another origin that had its own name lead here learns nothing, not even whether somebody lives."""
    assert {expected} == {status(None, path, Host=host) for path in (*PATHS, "/healthz", "/readyz")}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"])
def test_nothing_can_be_done(method: str) -> None:
    """Only looking is answered, with or without a token."""
    assert 405 == status(None, method=method, Host="localhost")
    assert 405 == status(TOKEN, "/healthz", method)


def test_heads_are_looks_and_bodies_are_refused() -> None:
    """A request that brings something is not one that only looks."""
    assert 200 == status(None, method="HEAD", Host="localhost")
    refusal = refused(None, "GET", "/", {"Host": "localhost"}, has_body=True)
    assert refusal is not None
    assert 413 == refusal.status


def test_a_browser_is_told_how_to_ask() -> None:
    """The answer without a token makes a browser ask for one."""
    refusal = refused(TOKEN, "GET", "/", {})
    assert refusal is not None
    assert refusal.headers["WWW-Authenticate"].startswith("Basic ")
