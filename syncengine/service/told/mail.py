"""Notices by mail: one plain message to all, through a mail server that proves who it is.

smtplib speaks in a thread. It bounds each wait for a byte, and not their number: the connection is cut from outside
when the whole takes too long, and when the daemon stops.
"""

import asyncio
import hashlib
import os
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial

from syncengine.clock import Clock
from syncengine.config import NetworkSettings
from syncengine.config.service import NotifySettings
from syncengine.service.told.channels import SEND_SECONDS, Undelivered
from syncengine.service.told.notices import Message
from syncengine.threads import run_blocking

# The first that fits says what went wrong, and whether trying again may help.
FAILURES: Sequence[tuple[type[Exception], str, bool]] = (
    (smtplib.SMTPServerDisconnected, "the mail server hung up or was silent for too long", True),
    (TimeoutError, "the mail server was silent for too long", True),
    (
        smtplib.SMTPException,
        "the mail server lacks what [notify] asks for: STARTTLS, a way to log in, or UTF-8 in addresses",
        False,
    ),
    (ssl.SSLCertVerificationError, "the mail server's TLS certificate is not trusted", True),
    (ssl.SSLError, "no TLS with the mail server", True),
    (socket.gaierror, "the mail server's name is not known", True),
)


class Mail:
    """Sends each message to all of `mail_to` at once; the settings name a server, a sender and somebody to write to."""

    name = "mail"

    def __init__(self, settings: NotifySettings, network: NetworkSettings, clock: Clock) -> None:
        self._settings = settings
        self._network = network
        self._clock = clock

    async def send(self, message: Message) -> None:
        """Hand the message to the server; raises Undelivered."""
        cut = _Cut()
        async with asyncio.TaskGroup() as group:
            talk = group.create_task(run_blocking(partial(self._talk, message, cut)))
            try:
                with self._clock.move_on_after(self._clock.io_seconds(SEND_SECONDS)) as patience:
                    await asyncio.shield(talk)
            finally:
                # The thread is awaited on the way out: from here on it waits for nobody.
                cut.now()
        if (failure := talk.result()) is not None:
            # What a cut leaves of an answer says nothing.
            raise Undelivered(f"no answer within {SEND_SECONDS:.0f} s") if patience.cancelled_caught else failure

    def _talk(self, message: Message, cut: "_Cut") -> Undelivered | None:
        """What went wrong, as a value: a task group would wrap an exception."""
        settings = self._settings
        smtp: _Connection | None = None
        try:
            context = _context(self._network)
            mail = mail_of(message, settings)
            smtp = _Connection(
                settings,
                connect_seconds=self._clock.real_seconds(self._network.connect_seconds),
                seconds=self._clock.real_seconds(SEND_SECONDS),
                tls=context if settings.smtp_security == "tls" else None,
                cut=cut,
            )
            if settings.smtp_security == "starttls":
                smtp.starttls(context=context)
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password.reveal() if settings.smtp_password else "")
            refused = smtp.send_message(mail, settings.mail_from, settings.mail_to)
            # It has been taken: how the two part is of no concern.
            with suppress(OSError):
                smtp.quit()
        except Undelivered as failure:
            return failure
        except (OSError, ValueError) as error:
            return _undelivered(error)
        finally:
            if smtp is not None:
                smtp.close()
        if refused:
            # The others have it, and would get it again.
            return Undelivered(f"{len(refused)} of {len(settings.mail_to)} recipients were refused", again=False)
        return None


def mail_of(message: Message, settings: NotifySettings) -> EmailMessage:
    """A message as mail. One that is sent again has the same id, by which a mailbox may know it."""
    sender = settings.mail_from or ""
    name = hashlib.blake2b(f"{message.at.isoformat()}\0{message.text}".encode(errors="replace"), digest_size=16)
    mail = EmailMessage()
    mail["Subject"] = " ".join(f"[syncengine] {message.title}".split())
    mail["From"] = sender
    mail["To"] = ", ".join(settings.mail_to)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{name.hexdigest()}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message.text}\n")
    return mail


class _Cut:
    """Ends a connection from another thread than the one that waits at it."""

    def __init__(self) -> None:
        self._twin: socket.socket | None = None
        self._is_due = False

    def watch(self, connection: socket.socket) -> None:
        # TLS takes the socket over; its twin goes on to mean the same connection.
        self._twin = connection.dup()
        if self._is_due:
            self.now()

    def now(self) -> None:
        self._is_due = True
        if twin := self._twin:
            with suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)
            twin.close()


class _Connection(smtplib.SMTP):
    """smtplib's, with one way for both kinds of TLS, and with a connection that can be cut from its first byte on."""

    def __init__(
        self, to: NotifySettings, *, connect_seconds: float, seconds: float, tls: ssl.SSLContext | None, cut: _Cut
    ) -> None:
        self._connect_seconds, self._tls, self._cut = connect_seconds, tls, cut
        super().__init__(to.smtp_host or "", to.smtp_port, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), self._connect_seconds)
        connection.settimeout(timeout)
        self._cut.watch(connection)
        return self._tls.wrap_socket(connection, server_hostname=host) if self._tls else connection


def _context(network: NetworkSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if network.ca_file:
        try:
            context.load_verify_locations(network.ca_file)
        except OSError as error:
            raise Undelivered("[network] ca_file cannot be used") from error
    return context


def _undelivered(error: Exception) -> Undelivered:
    """An error of smtplib, the network or TLS in words that quote neither the server nor an address."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return _refused(f"the mail server refuses the login (code {error.smtp_code})", {error.smtp_code})
        case smtplib.SMTPRecipientsRefused():
            codes = {code for code, _ in error.recipients.values()}
            told = ", ".join(map(str, sorted(codes)))
            return _refused(f"the mail server refuses every recipient (code {told})", codes)
        case smtplib.SMTPResponseException():
            return _refused(f"the mail server refuses the message (code {error.smtp_code})", {error.smtp_code})
    for kind, message, again in FAILURES:
        if isinstance(error, kind):
            return Undelivered(message, again=again)
    if isinstance(error, OSError):
        return Undelivered(
            f"no connection to the mail server: {os.strerror(error.errno) if error.errno else 'refused'}"
        )
    return Undelivered(f"the mail cannot be written ({type(error).__name__})", again=False)


def _refused(message: str, codes: set[int]) -> Undelivered:
    return Undelivered(message, again=not all(500 <= code < 600 for code in codes))
