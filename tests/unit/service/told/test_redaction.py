"""What of a text may leave the house in a notice."""

from dataclasses import fields
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.config.rules import Secret
from syncengine.config.service import NotifySettings, ServiceSettings
from syncengine.config.settings import (
    DestinationSettings,
    InstanceSettings,
    PrivacySettings,
    Settings,
    SyncSettings,
)
from syncengine.service.told.redaction import TEXT_MAX, Discretion, secrets_of

WEBHOOK = "https://hooks.example.com/services/T0CANARY1/B0CANARY2/canaryCANARYcanary3"


def settings_with(url: str) -> Settings:
    return Settings(
        instance=InstanceSettings(
            name="acme",
            base_url="https://123-ABC-456.mktorest.com",
            client_id="canary-client-id",
            client_secret=Secret("canary-client-secret"),
        ),
        sync=SyncSettings(start=datetime(2026, 1, 1, tzinfo=UTC)),
        destination=DestinationSettings(url=Secret(url), storage_options={"KEY": Secret("canary-storage")}),
        privacy=PrivacySettings(hash_key=Secret("canary-hash-key-0123")),
        service=ServiceSettings(token=Secret("canary-token")),
        notify=NotifySettings(webhook=Secret(WEBHOOK), smtp_password=Secret("c4n")),
    )


SETTINGS = settings_with("postgresql://me:canary%2Fpass@db.example.com/warehouse")
SECRETS = secrets_of(SETTINGS)
LINE = Discretion(SECRETS).line


def test_every_secret_of_the_settings_is_known() -> None:
    """Those of all tables, and the parts that open something by themselves."""
    expected = {
        "canary-client-id",
        "canary-client-secret",
        "canary-storage",
        "canary-hash-key-0123",
        "canary-token",
        "c4n",
        "canary%2Fpass",
        "canary/pass",
        "canaryCANARYcanary3",
        "services/T0CANARY1/B0CANARY2/canaryCANARYcanary3",
        WEBHOOK,
        "postgresql://me:canary%2Fpass@db.example.com/warehouse",
    }
    assert expected == SECRETS


def test_a_password_in_a_list_of_names_and_values_is_known() -> None:
    """Postgres takes that form too, with quotes where there are blanks."""
    secrets = secrets_of(settings_with(r"host=db password = 'can\'ary 5' user=me"))
    assert {"can'ary 5", r"can\'ary 5"} <= secrets
    assert "canary6" in secrets_of(settings_with("host=db password=canary6 user=me"))


def test_no_secret_is_in_a_settings_repr() -> None:
    """The settings themselves stay silent, so that a test which prints them shows nothing."""
    shown = " ".join(repr(getattr(SETTINGS, each.name)) for each in fields(SETTINGS))
    assert [] == [each for each in SECRETS - {"canary-client-id"} if len(each) > 5 and each in shown]
    assert "canary" not in repr(Discretion(SECRETS))


@pytest.mark.parametrize("secret", sorted(SECRETS))
@pytest.mark.parametrize("around", ["it is {} here", "x={}&y", '{{"a": "{}"}}', "({})", "{}", "a\n{}\nb"])
def test_a_known_secret_is_hidden_wherever_it_stands(secret: str, around: str) -> None:
    """As it is, and as it stands in an address."""
    for spelled in (secret, quote(secret, safe="")):
        assert secret not in LINE(around.format(spelled))
        assert spelled not in LINE(around.format(spelled))


def test_a_short_secret_does_not_take_words_apart() -> None:
    """It is hidden where it stands alone."""
    assert "scan c4none (hidden)" == LINE("scan c4none c4n")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("lead jane.doe+x@mail.example.com is bad", "jane"),
        ("lead jane@localhost is bad", "jane"),
        ("lead jürgen@exämple.de is bad", "jürgen"),
        ("mailto:jane@example.com", "jane"),
        ("<jane@example.com>", "jane"),
        ("filterValues=jane%40example.com", "jane"),
        ("/lead/jane@example.com/x", "jane"),
        ("Authorization: Bearer abc.DEF-123", "abc.DEF"),
        ("the header bearer abc.DEF-123 was refused", "abc.DEF"),
        ("/rest/v1/leads.json?access_token=abcdef:sj&x=1", "abcdef"),
        ('{"access_token": "abcdef:sj"}', "abcdef"),
        ("client_secret=abcdef", "abcdef"),
        ("https://jane:abc@host/x", "abc"),
        ("postgresql://jane:a/b@c@host/x", "a/b"),
        ("postgresql://jane:se/cret:a@host/x", "se/cret"),
        ("https://jane@host/x", "jane"),
    ],
)
def test_what_looks_like_a_person_or_a_key_is_hidden(text: str, left: str) -> None:
    """Also of those that no setting names: what Marketo or a database says is quoted from time to time."""
    assert left not in LINE(text)


@pytest.mark.parametrize(
    "text",
    [
        "nightly failed: 2 of 14 streams did not come (code 1029)",
        "leads: the field annualRevenue is gone",
        "The state folder /var/lib/syncengine is full.",
        "It goes on at 06:00Z; run `syncengine status`.",
    ],
)
def test_plain_words_stay(text: str) -> None:
    """A notice is to be read, not guessed."""
    assert text == LINE(text)


def test_a_text_becomes_one_printable_line() -> None:
    """No line that is not ours, no colours of a terminal, no half characters, nothing that turns the reading round."""
    assert "a b c d e f" == LINE("a\r\nb\x1bc\u2028 d\u202ee\ud800f\t")


def test_a_very_long_text_is_cut_between_words() -> None:
    """Half a secret would not be known for one."""
    start = "word " * (TEXT_MAX // 5 - 1)
    cut = LINE(f"{start}canary-client-secret and more")
    assert "canary" not in cut
    assert cut.endswith("word …")


@given(
    secret=st.text(st.characters(codec="ascii", exclude_categories=("Cc", "Zs")), min_size=6, max_size=20),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_whatever_a_secret_looks_like_it_does_not_come_through(secret: str, before: str, after: str) -> None:
    """It may hold what means something in an address, in JSON or in a pattern."""
    line = Discretion({secret}).line(f"{before}{secret}{after}")
    assert secret not in line or secret in "(hidden)(e-mail)(token)"
