"""Notices by mail, over real connections to a small mail server on loopback."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncengine.clock import SystemClock
from syncengine.config import NetworkSettings
from syncengine.config.rules import Secret
from syncengine.config.service import NotifySettings
from syncengine.service.told.channels import SEND_SECONDS, Undelivered
from syncengine.service.told.mail import Mail, mail_of
from syncengine.service.told.notices import Message
from tests.conftest import LocalhostTls, pass_seconds, real_but_ahead
from tests.unit.service.told.mail_server import MailServer, mail_server

MESSAGE = Message(
    at=datetime(2026, 3, 2, 2, 30, tzinfo=UTC),
    title="acme: nächtlich failed",
    text="acme: nächtlich failed\nTwo streams failed.\n.\n- leads: x",
)
SETTINGS = NotifySettings(
    smtp_host="localhost",
    smtp_security="none",
    mail_from="syncengine@example.com",
    mail_to=("ops@example.com", "canary@example.org"),
)


def mail_to(server: MailServer, ca_file: str = "", settings: NotifySettings = SETTINGS) -> Mail:
    network = NetworkSettings(ca_file=Path(ca_file) if ca_file else None)
    return Mail(replace(settings, smtp_port=server.port), network, SystemClock())


async def failure_of(channel: Mail) -> Undelivered:
    """What goes wrong; in whatever way, it quotes neither server nor address nor password."""
    with pytest.raises(Undelivered) as caught:
        await channel.send(MESSAGE)
    for text in (str(caught.value), repr(caught.value)):
        assert [] == [each for each in ("canary", "@", "127.0.0.1", "localhost") if each in text]
    return caught.value


async def test_one_mail_goes_to_all() -> None:
    """Plain text, whole, with its date, and marked as written by a machine."""
    async with mail_server() as server:
        await mail_to(server).send(MESSAGE)
    (taken,) = server.taken
    assert "FROM:<syncengine@example.com>" in taken.sender
    assert ["TO:<ops@example.com>", "TO:<canary@example.org>"] == taken.recipients
    assert "[syncengine] acme: nächtlich failed" == taken.mail["Subject"]
    assert "ops@example.com, canary@example.org" == taken.mail["To"]
    assert "Mon, 02 Mar 2026 02:30:00 +0000" == taken.mail["Date"]
    assert "auto-generated" == taken.mail["Auto-Submitted"]
    assert f"{MESSAGE.text}\n" == taken.mail.get_content().replace("\r\n", "\n").replace("\n..\n", "\n.\n")
    assert "QUIT" == server.said[-1].upper()


def test_a_mail_that_is_sent_again_has_the_same_id() -> None:
    """And another one has another, also when it says the same a day later; none names this machine."""
    first, again, other = (
        mail_of(each, SETTINGS)["Message-ID"]
        for each in (MESSAGE, replace(MESSAGE), replace(MESSAGE, at=datetime(2026, 3, 3, 2, 30, tzinfo=UTC)))
    )
    assert first == again != other
    assert first.endswith("@example.com>")


def test_no_title_makes_a_header() -> None:
    """A line's end in a title is a blank."""
    mail = mail_of(replace(MESSAGE, title="x\r\nBcc: eve@example.com\n\nhello"), SETTINGS)
    assert mail["Bcc"] is None
    assert "[syncengine] x Bcc: eve@example.com hello" == mail["Subject"]


async def test_no_recipient_makes_a_header() -> None:
    """An address with a line's end in it is not sent to."""
    bad = replace(SETTINGS, mail_to=("a@example.com\r\nBcc: canary@example.com",))
    async with mail_server() as server:
        failure = await failure_of(mail_to(server, settings=bad))
    assert (False, []) == (failure.again, server.taken)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_login_and_mail_go_over_tls(security: str, localhost_tls: LocalhostTls) -> None:
    """Nothing but the wish for TLS is said before."""
    settings = replace(SETTINGS, smtp_security=security, smtp_user="me", smtp_password=Secret("canary"))
    async with mail_server(localhost_tls.context, is_tls_from_start=security == "tls") as server:
        await mail_to(server, localhost_tls.ca_file, settings).send(MESSAGE)
    (taken,) = server.taken
    assert (True, "\0me\0canary") == (taken.is_private, taken.login)
    commands = [line.split()[0].upper() for line in server.said]
    before = ["EHLO", "STARTTLS"] if security == "starttls" else []
    assert [*before, "EHLO", "AUTH", "MAIL"] == commands[: len(before) + 3]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_signed_is_not_trusted(security: str, localhost_tls: LocalhostTls) -> None:
    """Neither password nor mail is given to such a server."""
    settings = replace(SETTINGS, smtp_security=security, smtp_user="me", smtp_password=Secret("canary"))
    async with mail_server(localhost_tls.context, is_tls_from_start=security == "tls") as server:
        assert "the mail server's TLS certificate is not trusted" == str(
            await failure_of(mail_to(server, "", settings))
        )
    assert [] == server.taken
    assert [] == [line for line in server.said if line.startswith("AUTH")]


async def test_a_server_without_tls_gets_no_mail() -> None:
    """There is no falling back to plain text."""
    async with mail_server(replies={"EHLO": "250-mail\r\n250 AUTH PLAIN"}) as server:
        failure = await failure_of(mail_to(server, settings=replace(SETTINGS, smtp_security="starttls")))
    assert (False, []) == (failure.again, server.taken)


@pytest.mark.parametrize(
    ("replies", "expected", "again"),
    [
        ({"AUTH": "535 no canary"}, "the mail server refuses the login (code 535)", False),
        ({"AUTH": "454 later"}, "the mail server refuses the login (code 454)", True),
        ({"MAIL": "550 not you, canary"}, "the mail server refuses the message (code 550)", False),
        ({"END": "554 spam"}, "the mail server refuses the message (code 554)", False),
        ({"END": "451 later"}, "the mail server refuses the message (code 451)", True),
        ({"GREETING": "421 busy"}, "the mail server refuses the message (code 421)", True),
        (
            {"RCPT 1": "550 canary@example.com", "RCPT 2": "550 who"},
            "the mail server refuses every recipient (code 550)",
            False,
        ),
        (
            {"RCPT 1": "550 who", "RCPT 2": "450 later"},
            "the mail server refuses every recipient (code 450, 550)",
            True,
        ),
        ({"RCPT 2": "550 canary@example.com"}, "1 of 2 recipients were refused", False),
    ],
)
async def test_a_refusal_says_whether_trying_again_may_help(
    replies: Mapping[str, str], expected: str, again: bool
) -> None:
    """Codes of 4xx pass, those of 5xx do not; who has the mail already does not get it twice."""
    settings = replace(SETTINGS, smtp_user="me", smtp_password=Secret("canary"))
    async with mail_server(replies=replies) as server:
        failure = await failure_of(mail_to(server, settings=settings))
    assert (expected, again) == (str(failure), failure.again)


async def test_a_mail_that_was_taken_is_not_sent_again_for_a_bad_farewell() -> None:
    """What comes after the server has taken it does not count."""
    async with mail_server(replies={"QUIT": "500 canary"}) as server:
        await mail_to(server).send(MESSAGE)
    assert 1 == len(server.taken)


@pytest.mark.parametrize("command", ["GREETING", "EHLO", "END"])
@pytest.mark.parametrize("reply", ["", "drip"])
@real_but_ahead
async def test_a_server_that_is_silent_is_not_waited_for_long(command: str, reply: str) -> None:
    """The whole is bounded, and the thread is free again."""
    async with mail_server(replies={command: reply}) as server, asyncio.TaskGroup() as group:
        waiting = group.create_task(failure_of(mail_to(server)))
        await server.silent.wait()
        pass_seconds(SEND_SECONDS + 1)
        failure = await waiting
    assert ("no answer within 30 s", True) == (str(failure), failure.again)


async def test_a_tls_handshake_that_never_comes_is_cut_by_a_stop() -> None:
    """A cancelled send does not wait for the server, wherever it stands."""
    begun = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        begun.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server, asyncio.TaskGroup() as group:
        settings = replace(SETTINGS, smtp_security="tls", smtp_port=server.sockets[0].getsockname()[1])
        sending = group.create_task(Mail(settings, NetworkSettings(), SystemClock()).send(MESSAGE))
        await begun.wait()
        sending.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([sending])
    assert sending.cancelled()


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    """It may be starting."""
    async with mail_server() as server:
        pass
    failure = await failure_of(mail_to(server))
    assert ("no connection to the mail server: Connection refused", True) == (str(failure), failure.again)


async def test_a_file_of_certificates_that_is_gone_is_said() -> None:
    """It may come back, so the message is tried again."""
    async with mail_server() as server:
        assert "[network] ca_file cannot be used" == str(await failure_of(mail_to(server, "/gone.pem")))
