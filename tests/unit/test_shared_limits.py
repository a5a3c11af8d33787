"""Whose limits a call counts towards, and which monotonic times are comparable."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from syncengine.choices import SLOTS, boot_of, limited_as
from syncengine.config import parse
from syncengine.config.settings import Settings
from syncengine.engine import open_engine
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.server import Ready, serve
from tests.unit.exports.opened import settings_for
from tests.unit.sandbox.caller import small_options
from tests.virtual import virtual

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


@virtual
async def test_engines_of_one_subscription_keep_one_book(tmp_path: Path) -> None:
    """By whatever name it is called, what one engine has spent the other may not spend again; a neighbour may."""
    one = settings_for(tmp_path)
    other_name = replace(one, instance=replace(one.instance, name="emea"))
    neighbour = replace(one, instance=replace(one.instance, name="apac", base_url="http://127.0.0.1:8"))
    async with open_engine(one) as engine:
        await engine.client.gate.book_export(1_000)

    assert [1_000, 0] == [await spent(each) for each in (other_name, neighbour)]


async def spent(settings: Settings) -> int:
    """The exported bytes of today that an engine of these settings knows of."""
    async with open_engine(settings) as engine:
        return (await engine.client.gate.use()).spent_today.export_bytes


async def test_an_engine_writes_down_by_which_clock_its_times_are(tmp_path: Path) -> None:
    """At another speed of the sandbox it says so, and its book begins anew."""
    async with anyio.create_task_group() as tasks:
        base_url = await tasks.start(serving, small_options(speed=60))
        found = settings_for(tmp_path)
        fast, faster = (
            replace(found, instance=replace(found.instance, base_url=base_url, time_scale=scale))
            for scale in (60.0, 200.0)
        )
        for each in (fast, faster):
            async with open_engine(each):
                assert [(limited_as(each), boot_of(each))] == boots(tmp_path)
        tasks.cancel_scope.cancel()


async def serving(options: SandboxOptions, *, task_status: TaskStatus[str]) -> None:
    """A sandbox on loopback, until it is cancelled."""

    def ready(it: Ready) -> None:
        task_status.started(it.base_url)

    await serve(options, ready=ready)


def boots(folder: Path) -> list[tuple[str, str]]:
    """Whose limits the limiter's file holds, and by which clock."""
    with closing(sqlite3.connect(folder / "state" / SLOTS)) as file:
        return file.execute("SELECT instance, boot_id FROM boots").fetchall()
