"""Notices to a chat, over real connections to a small server on loopback."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from syncengine.clock import SystemClock
from syncengine.config import NetworkSettings
from syncengine.config.rules import Secret
from syncengine.service.told.channels import SEND_SECONDS, Undelivered
from syncengine.service.told.notices import Message
from syncengine.service.told.webhook import ESCAPES, RETRY_AFTER_SECONDS_MAX, TEXT_MAX, Webhook, escaped
from tests.conftest import Handler, LocalhostTls, loopback, pass_seconds, real_but_ahead

pytestmark = pytest.mark.usefixtures("no_proxy")

PATH = "/services/T0/B0/canary?x=a%2Fb"
MESSAGE = Message(at=datetime(2026, 3, 2, tzinfo=UTC), title="acme: nightly failed", text="<!channel> a & b\nsecond")


def webhook(base_url: str, network: NetworkSettings | None = None) -> Webhook:
    return Webhook(Secret(f"{base_url}{PATH}"), network or NetworkSettings(), SystemClock())


async def failure_of(channel: Webhook) -> Undelivered:
    """What goes wrong; in whatever way, it names neither host nor path."""
    with pytest.raises(Undelivered) as caught:
        await channel.send(MESSAGE)
    for text in (str(caught.value), repr(caught.value)):
        assert [] == [each for each in ("canary", "services", "127.0.0.1", "localhost", "://") if each in text]
    return caught.value


def answering(status: int, **headers: str) -> Handler:
    async def answer(request: web.BaseRequest) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, headers=named, body=b"no_service")

    return answer


async def test_a_message_is_posted_as_slack_takes_it() -> None:
    """One JSON object with the text, in which nothing is a command to Slack."""
    async with loopback(answering(200)) as server:
        await webhook(server.base_url).send(MESSAGE)
    (seen,) = server.seen
    assert ("POST", PATH) == (seen.method, seen.target)
    assert seen.headers["Content-Type"].startswith("application/json")
    assert {"text": "&lt;!channel&gt; a &amp; b\nsecond"} == orjson.loads(seen.body)


@pytest.mark.parametrize(
    ("status", "again"),
    [(400, False), (403, False), (404, False), (410, False), (302, False), (429, True), (500, True)],
)
async def test_a_refusal_says_whether_trying_again_may_help(status: int, again: bool) -> None:
    """Too many at once and troubles of the server pass; what is wrong with the address does not. No redirect."""
    async with loopback(answering(status, Location="/elsewhere")) as server:
        failure = await failure_of(webhook(server.base_url))
    assert (f"HTTP {status}", again, 1) == (str(failure), failure.again, len(server.seen))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("17", 17.0),
        ("99999", RETRY_AFTER_SECONDS_MAX),
        ("9" * 400, 0.0),
        ("-5", 0.0),
        ("²", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
async def test_a_server_may_say_how_long_to_wait(wanted: str, expected: float) -> None:
    """Within bounds, and only as a number of seconds."""
    async with loopback(answering(429, Retry_After=wanted)) as server:
        assert expected == (await failure_of(webhook(server.base_url))).after_seconds


@real_but_ahead
async def test_a_server_that_is_silent_is_not_waited_for_long() -> None:
    """The whole exchange is bounded."""
    came = asyncio.Event()

    async def silent(request: web.BaseRequest) -> web.Response:
        came.set()
        await asyncio.sleep(3_600)
        return web.Response()

    async with loopback(silent) as server, asyncio.TaskGroup() as group:
        waiting = group.create_task(failure_of(webhook(server.base_url)))
        await came.wait()
        pass_seconds(SEND_SECONDS + 1)
        failure = await waiting
    assert ("no answer within 30 s", True) == (str(failure), failure.again)


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    """It may be starting."""
    async with loopback(answering(200)) as server:
        gone = server.base_url
    assert (await failure_of(webhook(gone))).again


async def test_a_certificate_that_nobody_signed_is_not_trusted(localhost_tls: LocalhostTls) -> None:
    """Unless [network] ca_file does; nothing is sent before."""
    async with loopback(answering(200), localhost_tls.context) as server:
        base_url = server.base_url.replace("127.0.0.1", "localhost")
        assert "the server's TLS certificate is not trusted" == str(await failure_of(webhook(base_url)))
        assert [] == server.seen
        await webhook(base_url, NetworkSettings(ca_file=Path(localhost_tls.ca_file))).send(MESSAGE)
    assert 1 == len(server.seen)


async def test_a_file_of_certificates_that_is_gone_is_said(tmp_path: Path) -> None:
    """It may come back, so the message is tried again."""
    channel = webhook("https://localhost:9", NetworkSettings(ca_file=tmp_path / "gone.pem"))
    assert "[network] ca_file cannot be used" == str(await failure_of(channel))


@given(text=st.text(st.sampled_from("<&>x\u00e4\n"), max_size=2 * TEXT_MAX))
def test_a_text_is_escaped_and_cut_between_characters(text: str) -> None:
    """What comes back is the text, or its beginning."""

    def undone(it: str) -> str:
        return it.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    found = escaped(text)
    assert len(found) <= TEXT_MAX
    assert not set("<>") & set(found)
    whole = sum(len(ESCAPES.get(each, each)) for each in text) < TEXT_MAX
    assert undone(found) == text if whole else text.startswith(undone(found[:-1]))
