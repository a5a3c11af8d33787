"""How notices come to their channels: in virtual time, and once over real connections."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from syncengine.clock import SystemClock
from syncengine.config import NetworkSettings
from syncengine.config.rules import Secret
from syncengine.config.service import NotifySettings
from syncengine.service.told.channels import Undelivered
from syncengine.service.told.telling import EARLY_MAX, WAITS_SECONDS, Teller, open_channels
from tests.conftest import loopback
from tests.unit.service.told.mail_server import mail_server
from tests.unit.service.told.tellers import SETTINGS, Kept, Scripted, failed, notice, telling
from tests.virtual import virtual, virtual_clock


@virtual
async def test_a_notice_goes_to_every_channel_once() -> None:
    """What is no news goes to none."""
    clock = virtual_clock()
    chat, mail = Scripted(clock), Scripted(clock, "mail")
    async with telling((chat, mail), clock) as told:
        told.teller.tell(notice())
        told.teller.tell(notice())
        told.teller.tell(notice("nightly", "recovery"))
        await clock.sleep(1)
    expected = [*failed("nightly"), "acme: nightly works again"]
    assert (expected, expected, []) == (chat.titles, mail.titles, told.logged)


@virtual
async def test_a_channel_that_fails_is_tried_again_and_holds_up_no_other() -> None:
    """After 5, 15, 60 and 300 seconds more; the other channel has everything at once."""
    clock = virtual_clock()
    chat = Scripted(clock, failures=[Undelivered("HTTP 500") for _ in range(4)])
    mail = Scripted(clock, "mail")
    async with telling((chat, mail), clock) as told:
        told.teller.tell(notice())
        told.teller.tell(notice("weekly"))
        await clock.sleep(1)
        assert failed("nightly", "weekly") == mail.titles
        await clock.sleep(1_000)
    first, second = failed("nightly", "weekly")
    assert [(0, first), (5, first), (20, first), (80, first), (380, first), (380, second)] == chat.tried
    assert [] == told.logged


@virtual
async def test_a_message_that_cannot_be_sent_is_given_up_with_one_line() -> None:
    """The next one has its own tries."""
    clock = virtual_clock()
    chat = Scripted(clock, failures=[Undelivered("HTTP 500") for _ in (*WAITS_SECONDS, None)])
    async with telling((chat,), clock) as told:
        told.teller.tell(notice())
        told.teller.tell(notice("weekly"))
        await clock.sleep(23 * 3_600)
        assert [] == told.logged
        await clock.sleep(2 * 3_600)
    assert failed("weekly") == chat.titles
    assert ["webhook: 'acme: nightly failed' was not delivered, and is given up: HTTP 500"] == told.logged


@virtual
async def test_a_channel_that_was_away_for_half_an_hour_has_everything_after_a_quarter_more() -> None:
    """In its order, and what had no room in the hour as a sum; no wait is longer than a quarter of an hour."""
    clock = virtual_clock()
    chat = Scripted(clock)
    async with telling((chat,), clock) as told:
        chat.failures = [Undelivered("HTTP 503") for _ in range(6)]
        for number in range(5):
            told.teller.tell(notice(f"g{number}"))
            await clock.sleep(60)
        await clock.sleep(1_500)
        assert [] == chat.titles
        await clock.sleep(900)
        assert failed("g0", "g1", "g2") == chat.titles
        await clock.sleep(3_600)
    assert [*failed("g0", "g1", "g2"), "2 more notices"] == chat.titles
    assert [0, 5, 20, 80, 380, 1_280, 2_180] == [at for at, _ in chat.tried][:7]
    assert [] == told.logged


def test_a_message_is_tried_for_a_day_and_at_least_every_quarter_of_an_hour() -> None:
    """As long as the same trouble counts as told."""
    assert 900 == max(WAITS_SECONDS)
    assert 23.5 * 3_600 <= sum(WAITS_SECONDS) <= 24 * 3_600


@virtual
async def test_what_will_not_get_better_is_not_tried_again() -> None:
    """Nor is what a channel did not expect itself, of which only the kind is named."""
    clock = virtual_clock()
    chat = Scripted(clock, failures=[Undelivered("HTTP 404", again=False), KeyError("canary")])
    async with telling((chat,), clock) as told:
        for subject in ("a", "b", "c"):
            told.teller.tell(notice(subject))
        await clock.sleep(1)
    assert (3, failed("c")) == (len(chat.tried), chat.titles)
    assert ["HTTP 404", "the channel failed (KeyError)"] == [line.rpartition("up: ")[2] for line in told.logged]


@virtual
async def test_a_server_that_says_how_long_to_wait_is_waited_for() -> None:
    """When that is longer than we would have waited."""
    clock = virtual_clock()
    chat = Scripted(clock, failures=[Undelivered("HTTP 429", after_seconds=each) for each in (40, 1)])
    async with telling((chat,), clock) as told:
        told.teller.tell(notice())
        await clock.sleep(100)
    assert [0, 40, 55] == [at for at, _ in chat.tried]


@virtual
async def test_what_is_too_much_for_an_hour_is_summed_up_when_there_is_room() -> None:
    """Also over a restart, which gives nobody a new hour."""
    clock, memory = virtual_clock(), Kept()
    first, second = Scripted(clock), Scripted(clock)
    async with telling((first,), clock, memory) as told:
        for number in range(5):
            told.teller.tell(notice(f"g{number}"))
        await clock.sleep(600)
    async with telling((second,), clock, memory) as told:
        told.teller.tell(notice("g5"))
        await clock.sleep(2_990)
        assert [] == second.taken
        await clock.sleep(20)
    assert failed("g0", "g1", "g2") == first.titles
    (only,) = second.taken
    assert "3 more notices" == only.title
    assert ["- " + each for each in failed("g3", "g4", "g5")] == only.text.split("\n")[1:]


@virtual
async def test_telling_never_raises() -> None:
    """Neither without a channel, nor of something that is no notice, nor of too much before the start."""
    clock = virtual_clock()
    Teller(SETTINGS, channels=(), memory=Kept(), clock=clock).tell(notice())
    bad: Any = notice(details=(None,))
    async with telling((Scripted(clock),), clock) as told:
        told.teller.tell(bad)
    assert ["a notice cannot be told (TypeError)"] == told.logged
    logged: list[str] = []
    early = Teller(SETTINGS, channels=(Scripted(clock),), memory=Kept(), clock=clock, log=logged.append)
    for _ in range(EARLY_MAX + 1):
        early.tell(notice())
    assert 1 == len(logged)


@virtual
async def test_notices_come_at_any_time() -> None:
    """A night of many troubles keeps its order and its bound."""
    clock = virtual_clock()
    chat = Scripted(clock, seconds=2)
    async with telling((chat,), clock) as told:
        for hour in range(10):
            for number in range(hour):
                told.teller.tell(notice(f"g{number}", at=clock.now() + timedelta(days=2 * hour)))
            await clock.sleep(3_700)
        await clock.sleep(3_700)
    times = [at for at, _ in chat.tried]
    assert all(sum(start <= at < start + 3_600 for at in times) <= 3 for start in times)
    counted = [int(title.split()[0]) if "more" in title else 1 for title in chat.titles]
    assert sum(range(10)) == sum(counted)


def test_channels_are_those_that_the_settings_name() -> None:
    """A mail server without anybody to write to is none."""
    mail = NotifySettings(smtp_host="localhost", mail_from="a@example.com", mail_to=("b@example.com",))
    network, clock = NetworkSettings(), SystemClock()
    both = replace(mail, webhook=Secret("https://example.com/x"))
    found = [open_channels(each, network, clock) for each in (NotifySettings(), mail, both, replace(mail, mail_to=()))]
    assert [[], ["mail"], ["webhook", "mail"], []] == [[channel.name for channel in each] for each in found]


@pytest.mark.usefixtures("no_proxy")
async def test_a_notice_arrives_by_webhook_and_by_mail(tmp_path: Path) -> None:
    """Both, over real connections, with the same words."""

    async def take(request: web.BaseRequest) -> web.Response:
        arrived.set()
        return web.Response(text="ok")

    arrived, clock = asyncio.Event(), SystemClock()
    async with loopback(take) as chat, mail_server() as mail:
        settings = NotifySettings(
            webhook=Secret(f"{chat.base_url}/services/canary"),
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_security="none",
            mail_from="syncengine@example.com",
            mail_to=("ops@example.com",),
        )
        channels = open_channels(settings, NetworkSettings(), clock)
        async with telling(channels, clock, settings=settings) as told:
            told.teller.tell(notice(details=("leads: jane@example.com",)))
            await arrived.wait()
    text = orjson.loads(chat.seen[0].body)["text"]
    assert "acme: nightly failed\nIt broke.\n- leads: (e-mail)\n(2026-03-02 08:00Z)" == text
    assert f"{text}\n" == mail.taken[0].mail.get_content().replace("\r\n", "\n")
    assert [] == told.logged
