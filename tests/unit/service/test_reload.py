"""Which changes of a configuration a running daemon can make."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncengine.config import NotifySettings, Secret, Settings, parse_all
from syncengine.config.service import ServiceSettings
from syncengine.errors import ConfigError
from syncengine.service.reload import RESTART, taken
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


def refused(before: Sequence[Settings], after: Sequence[Settings]) -> tuple[str, ...]:
    """Why a configuration cannot be taken; nothing for one that can."""
    try:
        taken(before, after)
    except ConfigError as error:
        return error.problems if error.advice == RESTART else ("no advice",)
    return ()


def test_the_same_text_read_twice_is_taken_as_it_is() -> None:
    """Secrets, addresses and lists are the same though they were read anew."""
    one, again = (parse_all(TEXT, path=Path("nightly.toml")) for _ in range(2))
    assert (again, ()) == taken(one, again)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"service": ServiceSettings(listen="127.0.0.1:1")}, "[service] listen"),
        ({"service": ServiceSettings(token=Secret("another"))}, "[service] token"),
        ({"notify": NotifySettings(quota_percent=50)}, "[notify]"),
    ],
)
def test_port_and_channels_wait_for_a_restart(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    """They stay what they were, of every instance, and it is said by their key; all else is taken."""
    before = settings_of(tmp_path, "acme", "emea")
    half = replace(before[0].limits, share=0.5)
    found, told = taken(before, [replace(each, limits=half, **change) for each in before])
    assert (f"{key} is read at the start alone. {RESTART}",) == told
    assert tuple(replace(each, limits=half) for each in before) == found


def test_what_else_the_service_says_is_taken_at_once(tmp_path: Path) -> None:
    """How long things are kept, and how long a stop may take."""
    before = settings_of(tmp_path)
    after = (replace(before[0], service=ServiceSettings(keep_days=3, grace_seconds=5)),)
    assert (after, ()) == taken(before, after)


def test_the_state_folder_stays_where_it_is(tmp_path: Path) -> None:
    """Its journal is in use: such a configuration is refused whole."""
    before = settings_of(tmp_path)
    moved = replace(before[0], state=replace(before[0].state, path=tmp_path / "elsewhere"))
    assert ("[state] path is another: its journal is in use",) == refused(before, (moved,))


@pytest.mark.parametrize("change", [{"base_url": "http://127.0.0.1:1"}, {"time_scale": 60.0}])
def test_an_instance_stays_where_it_is(tmp_path: Path, change: dict[str, Any]) -> None:
    """By its name it is told which one."""
    before = settings_of(tmp_path, "acme", "emea")
    moved = replace(before[1], instance=replace(before[1].instance, **change))
    assert ("base_url or time_scale of emea is another: its clock is in use",) == refused(before, (before[0], moved))


def test_all_reasons_are_told_at_once(tmp_path: Path) -> None:
    """Nobody likes to mend one to be told of the next."""
    before = settings_of(tmp_path, "acme", "emea")
    elsewhere = replace(before[0].state, path=tmp_path / "elsewhere")
    after = [
        replace(each, state=elsewhere, instance=replace(each.instance, base_url="http://127.0.0.1:1"))
        for each in before
    ]
    assert 3 == len(refused(before, after))


def test_the_rest_can_be_changed(tmp_path: Path) -> None:
    """Secrets, streams, limits, groups; instances that come and go."""
    before = settings_of(tmp_path, "acme", "emea")
    one = replace(
        before[0],
        instance=replace(before[0].instance, client_secret=Secret("another")),
        limits=replace(before[0].limits, share=0.5),
        sync=replace(before[0].sync, streams=("leads",)),
        schedule={},
    )
    new = replace(before[0], instance=replace(before[0].instance, name="apac", base_url="http://127.0.0.1:1"))
    assert ((one, new), ()) == taken(before, (one, new))
