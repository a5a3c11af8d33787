"""What single values may be."""

from datetime import UTC, date, datetime

import pytest

from syncengine.config.rules import Secret, base_url, identifier, instant, is_loopback, nearest


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://123-ABC-456.mktorest.com", "https://123-ABC-456.mktorest.com"),
        ("https://123-abc-456.mktorest.com/", "https://123-ABC-456.mktorest.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://localhost:1", "https://localhost:1"),
    ],
)
def test_addresses_that_are_taken(given: str, kept: str) -> None:
    """A subscription by https, a sandbox on loopback by either."""
    assert kept == base_url(given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "123-ABC-456.mktorest.com",
        "http://123-ABC-456.mktorest.com",
        "https://123-ABC-456.mktorest.com:8443",
        "https://123-ABC-456.mktorest.com/rest",
        "https://123-ABC-456.mktorest.com.evil.example",
        "https://evil.example/123-ABC-456.mktorest.com",
        "https://user@123-ABC-456.mktorest.com",
        "https://123-ABC-456.mktorest.com?x=1",
        "https://١٢٣-ABC-456.mktorest.com",
        "http://128.0.0.1",
        "http://localhost.evil.example",
        "http://[::1",
        "http://127.0.0.1:99999",
        "ftp://127.0.0.1",
    ],
)
def test_addresses_that_are_refused(given: str) -> None:
    """Credentials go to Marketo or stay on this machine."""
    with pytest.raises(ValueError, match=r".+"):
        base_url(given)


def test_the_rest_suffix_of_the_admin_page_is_explained() -> None:
    """Marketo shows the endpoint with /rest: the sentence says what to write."""
    with pytest.raises(ValueError, match=r"write https://123-ABC-456\.mktorest\.com \("):
        base_url("https://123-ABC-456.mktorest.com/rest")


def test_loopback_is_told_without_a_lookup() -> None:
    """Names other than localhost are never this machine."""
    assert [True, True, True, False] == [
        is_loopback(url) for url in ("http://127.0.0.1", "http://[::1]", "http://localhost", "http://example.com")
    ]


@pytest.mark.parametrize(
    "given",
    [date(2023, 1, 1), "2023-01-01", "2023-01-01T02:00:00+02:00", datetime(2023, 1, 1, tzinfo=UTC)],
)
def test_instants_become_utc(given: object) -> None:
    """A day is its midnight in UTC; an offset is honoured."""
    assert datetime(2023, 1, 1, tzinfo=UTC) == instant(given)


@pytest.mark.parametrize("given", [5, "soon", "2023-13-01", datetime(2023, 1, 1), date(1999, 1, 1), None])  # noqa: DTZ001  # naive on purpose
def test_instants_that_are_refused(given: object) -> None:
    """No guess is made about offsets or ages ago."""
    with pytest.raises(ValueError, match=r".+"):
        instant(given)


def test_identifiers_have_a_length() -> None:
    """Longer names would be cut by some databases."""
    assert "marketo" == identifier("marketo")
    with pytest.raises(ValueError, match="63"):
        identifier("x" * 64)


def test_secret_hides_itself() -> None:
    """Only reveal shows it."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r}"
    assert "hunter2" == secret.reveal()
    assert Secret("hunter2") == secret
    assert {secret} == {Secret("hunter2")}


def test_nearest_is_silent_about_strangers() -> None:
    """A guess that is far off helps nobody."""
    assert ' (did you mean "share"?)' == nearest("shaer", ("share", "in_flight"))
    assert "" == nearest("zzz", ("share", "in_flight"))
