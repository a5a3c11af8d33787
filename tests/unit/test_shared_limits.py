"""Whose limits a call counts towards, and which monotonic times are comparable."""

from dataclasses import replace
from pathlib import Path

from syncengine.config import parse
from syncengine.config.settings import Settings
from syncengine.engine import boot_of, limited_as

TEXT = """\
[instance]
name = "acme"
base_url = "http://127.0.0.1:8080"
client_id = "id"
client_secret = "secret"

[sync]
start = 2026-01-01
"""


def settings() -> Settings:
    return parse(TEXT, path=Path("syncengine.toml"))


def test_two_names_of_one_subscription_share_its_limits() -> None:
    """The limits are Marketo's, and it does not know what a configuration calls an instance."""
    one = settings()
    other_name = replace(one, instance=replace(one.instance, name="emea"))
    other_host = replace(one, instance=replace(one.instance, base_url="http://127.0.0.1:8081"))

    assert limited_as(one) == limited_as(other_name)
    assert limited_as(one) != limited_as(other_host)


def test_times_of_clocks_that_run_differently_are_not_compared() -> None:
    """A sandbox that is started anew at another speed meets a window that is closed once, and no turn hours ahead."""
    one = settings()
    fast = replace(one, instance=replace(one.instance, time_scale=60.0))
    faster = replace(one, instance=replace(one.instance, time_scale=200.0))

    assert 3 == len({boot_of(one), boot_of(fast), boot_of(faster)})
    assert boot_of(fast) == boot_of(replace(fast, instance=replace(fast.instance, name="emea")))
