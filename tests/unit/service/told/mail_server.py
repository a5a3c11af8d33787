"""A small real mail server on loopback for tests: it takes mail, refuses it, is silent, or speaks TLS."""

import asyncio
import base64
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Taken:
    """One mail as it arrived, and over what."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    is_private: bool
    login: str = ""


@dataclass(slots=True)
class MailServer:
    """`replies` stand in the place of the usual answers by command; one of "" is silence, and "drip" never ends.

    `said` is every line of the clients but those of their mails.
    """

    replies: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    is_tls_from_start: bool = False
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    silent: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._converse(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_private, login, sender, recipients = self.is_tls_from_start, "", "", list[str]()
        streams = (reader, writer)
        await self._answer(streams, "GREETING", "220 mail.example.com")
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            command, _, rest = line.partition(" ")
            match command.upper():
                case "EHLO":
                    await self._answer(streams, "EHLO", "250-mail\r\n250-STARTTLS\r\n250 AUTH PLAIN")
                case "STARTTLS":
                    assert self.tls is not None
                    await self._answer(streams, "STARTTLS", "220 go on")
                    await writer.start_tls(self.tls)
                    is_private = True
                case "AUTH":
                    login = base64.b64decode(rest.split()[-1]).decode()
                    await self._answer(streams, "AUTH", "235 welcome")
                case "MAIL":
                    sender = rest
                    await self._answer(streams, "MAIL", "250 fine")
                case "RCPT":
                    recipients.append(rest)
                    await self._answer(streams, f"RCPT {len(recipients)}", "250 fine")
                case "DATA":
                    await self._answer(streams, "DATA", "354 go on")
                    body = await reader.readuntil(b"\r\n.\r\n")
                    mail = email.message_from_bytes(body[:-3], policy=email.policy.default)
                    assert isinstance(mail, EmailMessage)
                    self.taken.append(Taken(sender, recipients, mail, is_private, login))
                    await self._answer(streams, "END", "250 taken")
                case "QUIT":
                    await self._answer(streams, "QUIT", "221 bye")
                    return
                case _:
                    await self._answer(streams, command, "250 fine")

    async def _answer(self, streams: Streams, command: str, usual: str) -> None:
        (reader, writer), reply = streams, self.replies.get(command, usual)
        writer.write(b"2" if reply == "drip" else f"{reply}\r\n".encode() if reply else b"")
        await writer.drain()
        if reply in {"", "drip"}:
            self.silent.set()
            # Until the client has gone, or the server is closed.
            await reader.read()


@asynccontextmanager
async def mail_server(
    tls: ssl.SSLContext | None = None, *, is_tls_from_start: bool = False, replies: Mapping[str, str] | None = None
) -> AsyncIterator[MailServer]:
    """A mail server on a free port of this machine."""
    server = MailServer(replies or {}, tls, is_tls_from_start)
    async with asyncio.TaskGroup() as group:

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(group.create_task(server.serve(reader, writer)))

        tasks: list[asyncio.Task[None]] = []
        listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls if is_tls_from_start else None)
        server.port = listening.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            listening.close()
            for task in tasks:
                task.cancel()
