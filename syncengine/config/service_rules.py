"""What a single value of the daemon's tables may be; as in `rules`, a broken one is a sentence."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syncengine.config.rules import Secret, filled, is_loopback

_LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\s/\[\]]+):(\d{1,5})")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
PORT_MAX = 65_535
GAPS_LOOKED_AT = 400
# From here on a day is looked for that an expression means: 30 February is none.
_SOMEWHEN = datetime(2024, 1, 1, tzinfo=UTC)


def cron_expression(text: str) -> str:
    """Five fields of cron, for a time that comes at all; six would be seconds, which no night needs."""
    from cronsim import CronSim, CronSimError

    if len(text.split()) != 5:
        raise ValueError("takes five fields (minute hour day month weekday), such as 30 2 * * *")
    try:
        next(CronSim(text, _SOMEWHEN))
    except CronSimError as error:
        raise ValueError(
            f"is not a cron expression ({str(error).lower()}); write 30 2 * * * for half past two"
        ) from None
    except StopIteration:
        raise ValueError("names a day that never comes") from None
    return " ".join(text.split())


def shortest_gap(cron: str, zone: str) -> timedelta:
    """The least that lies between two due times that follow each other, as far as a year shows."""
    from itertools import islice, pairwise
    from zoneinfo import ZoneInfo

    from cronsim import CronSim

    times = [due.astimezone(UTC) for due in islice(CronSim(cron, _SOMEWHEN.astimezone(ZoneInfo(zone))), GAPS_LOOKED_AT)]
    # Around a clock's change a time may come again at once: what is meant is what lies between two nights.
    gaps = sorted(later - earlier for earlier, later in pairwise(times) if later > earlier)
    return gaps[len(gaps) // 50] if gaps else timedelta.max


def time_zone(text: str) -> str:
    """A zone of the IANA database."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("takes a zone such as Europe/Berlin, America/New_York or UTC") from None
    return text


def listen_address(text: str) -> str:
    """HOST:PORT; an IPv6 host in brackets."""
    found = _LISTEN.fullmatch(text.strip())
    if not found or not 1 <= int(found[2]) <= PORT_MAX:
        raise ValueError("takes HOST:PORT, such as 127.0.0.1:8642")
    return text.strip()


def listens_on_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    return is_loopback(f"http://{address}")


def webhook_url(secret: Any) -> Any:
    """An https address; http only to this machine."""
    if isinstance(secret, Secret):
        try:
            parts = urlsplit(secret.reveal().strip())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(secret.reveal().strip()))
        if not (parts.hostname and is_safe and parts.username is None and port != 0):
            raise ValueError("takes an https:// address without a user name")
    return secret


def mail_host(text: str) -> str:
    """A mail server's name or address, without a port."""
    if not _HOST.fullmatch(filled(text).strip()):
        raise ValueError("takes the mail server's name alone; its port is smtp_port")
    return text.strip()


def mail_address(text: str) -> str:
    """One address, bare."""
    if not _ADDRESS.fullmatch(text.strip()):
        raise ValueError("takes an address such as syncengine@example.com")
    return text.strip()
