"""Which changes of a configuration a running daemon can make."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncengine.config import NotifySettings, Secret, Settings, parse_all
from syncengine.config.service import ServiceSettings
from syncengine.errors import ConfigError
from syncengine.service.reload import RESTART, fits
from tests.unit.service.seen.written import settings_of

TEXT = """\
[instances.acme]
base_url = "https://123-ABC-456.mktorest.com"
client_id = "id"
client_secret = "canary-secret"

[sync]
start = 2026-01-01
[service]
listen = "127.0.0.1:8642"
token = "canary-token-of-some-length"
[notify]
webhook = "https://hooks.example/canary"
mail_to = ["ops@example.com"]
mail_from = "engine@example.com"
smtp_host = "mail.example"
smtp_user = "me"
smtp_password = "canary-password"
[schedule.nightly]
cron = "30 2 * * *"
"""


def refused(before: tuple[Settings, ...], after: tuple[Settings, ...]) -> tuple[str, ...]:
    """Why a configuration cannot be taken; nothing for one that can."""
    try:
        fits(before, after)
    except ConfigError as error:
        return error.problems if error.advice == RESTART else ("no advice",)
    return ()


def test_the_same_text_read_twice_fits() -> None:
    """Secrets, addresses and lists are the same though they were read anew."""
    assert () == refused(*(parse_all(TEXT, path=Path("nightly.toml")) for _ in range(2)))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"state": "elsewhere"}, "[state] path"),
        ({"service": ServiceSettings(listen="127.0.0.1:1")}, "[service] listen"),
        ({"service": ServiceSettings(token=Secret("another"))}, "[service] token"),
        ({"notify": NotifySettings(quota_percent=50)}, "[notify]"),
    ],
)
def test_what_hangs_on_the_process_is_read_at_the_start_alone(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    """Its files, its port, its channels: the sentence names the key and shows no value."""
    before = settings_of(tmp_path)
    if "state" in change:
        change = {"state": replace(before[0].state, path=tmp_path / "elsewhere")}
    (reason,) = refused(before, (replace(before[0], **change),))
    assert f"{key} is read at the start alone" == reason


@pytest.mark.parametrize("change", [{"base_url": "http://127.0.0.1:1"}, {"time_scale": 60.0}])
def test_an_instance_stays_where_it_is(tmp_path: Path, change: dict[str, Any]) -> None:
    """By its name it is told which one."""
    before = settings_of(tmp_path, "acme", "emea")
    moved = replace(before[1], instance=replace(before[1].instance, **change))
    assert ("base_url and time_scale of emea are read at the start alone",) == refused(before, (before[0], moved))


def test_all_reasons_are_told_at_once(tmp_path: Path) -> None:
    """Nobody likes to mend one to be told of the next."""
    before = settings_of(tmp_path)
    now = replace(
        before[0],
        service=ServiceSettings(listen="127.0.0.1:1", token=Secret("another")),
        instance=replace(before[0].instance, base_url="http://127.0.0.1:1"),
    )
    assert 3 == len(refused(before, (now,)))


def test_the_rest_can_be_changed(tmp_path: Path) -> None:
    """Secrets, streams, limits, groups, what is kept for how long; instances that come and go."""
    before = settings_of(tmp_path, "acme", "emea")
    one = replace(
        before[0],
        instance=replace(before[0].instance, client_secret=Secret("another")),
        limits=replace(before[0].limits, share=0.5),
        sync=replace(before[0].sync, streams=("leads",)),
        service=replace(before[0].service, keep_days=10, grace_seconds=5),
        schedule={},
    )
    new = replace(before[0], instance=replace(before[0].instance, name="apac", base_url="http://127.0.0.1:1"))
    assert () == refused(before, (one, new))
