"""The tables of the daemon: what it does when, what it shows, whom it tells. They stand once, for all instances.

Apart from the tables of an instance, which every command reads; these only the daemon does, and `status` shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from syncengine.config.rules import (
    Rule,
    Secret,
    between,
    file_path,
    listed,
    one_of,
    schedule_name,
    stream_name,
)
from syncengine.config.service_rules import (
    cron_expression,
    listen_address,
    mail_address,
    mail_host,
    time_zone,
    webhook_url,
)

RUN_ONCE = "run-once"
SKIP = "skip"
PRIORITIES = ("high", "normal", "low")
NOTICES = ("failure", "recovery", "quota", "schema")
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_CLOSED: Mapping[str, Any] = {"extra": "forbid"}
_Path = Annotated[Path, Rule(before=file_path)]
_Names = Annotated[tuple[str, ...], Rule(before=listed)]
ScheduleName = Annotated[str, Rule(schedule_name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """The daemon itself. Without `listen` it shows nothing to any network; `token` guards what it shows.

    `grace_seconds`, of real time, is how long a stop may take. `reports` is where the account of each night is written.
    """

    __pydantic_config__ = _CLOSED
    listen: Annotated[str, Rule(listen_address)] | None = None
    token: Secret | None = None
    grace_seconds: Annotated[float, between(1, 3_600)] = 90.0
    reports: _Path = Path("reports")
    keep_days: Annotated[float, between(1, 36_500)] = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """A group of jobs and when they are due. One that names no streams, no assets and no imports brings everything.

    `cron` is read in `zone`. `missed` is what becomes of times that passed while the daemon was down. After `max_hours`
    of work a night is stopped; one that is not whole `done_within_hours` after it was due makes the daemon not ready.
    """

    __pydantic_config__ = _CLOSED
    cron: Annotated[str, Rule(cron_expression)]
    zone: Annotated[str, Rule(time_zone)] = "UTC"
    instances: _Names = ()
    streams: Annotated[tuple[Annotated[str, Rule(stream_name)], ...], Rule(before=listed)] = ()
    assets: bool = False
    imports: _Names = ()
    jitter_minutes: Annotated[float, between(0, 720)] = 0.0
    missed: Annotated[str, one_of((RUN_ONCE, SKIP), "policy")] = RUN_ONCE
    max_hours: Annotated[float, between(0.01, 168)] = 12.0
    done_within_hours: Annotated[float, between(0.01, 168)] = 6.0
    priority: Annotated[str, one_of(PRIORITIES, "priority")] = "normal"

    @property
    def brings_everything(self) -> bool:
        """Whether nothing was picked out."""
        return not (self.streams or self.assets or self.imports)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """A watched folder: files dropped in it are imported into `instance`, which may be left out when there is one.

    A file is taken when its size has stood still for `settle_seconds` of real time, and with `needs_sidecar` only
    together with its settings.
    """

    __pydantic_config__ = _CLOSED
    path: _Path
    instance: str = ""
    settle_seconds: Annotated[float, between(0, 86_400)] = 10.0
    needs_sidecar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Whom to tell of what. `webhook` takes Slack's JSON; mail goes through `smtp_host` from `mail_from` to `mail_to`.

    The same trouble is told again after `repeat_hours`, and never more than `most_per_hour` notices are sent.
    """

    __pydantic_config__ = _CLOSED
    on: Annotated[tuple[Annotated[str, one_of(NOTICES, "notice")], ...], Rule(before=listed)] = NOTICES
    webhook: Annotated[Secret, Rule(webhook_url)] | None = None
    smtp_host: Annotated[str, Rule(mail_host)] | None = None
    smtp_port: Annotated[int, between(1, 65_535)] = 587
    smtp_security: Annotated[str, one_of(("starttls", "tls", "none"), "kind of security")] = "starttls"
    smtp_user: str | None = None
    smtp_password: Secret | None = None
    mail_from: Annotated[str, Rule(mail_address)] | None = None
    mail_to: Annotated[tuple[Annotated[str, Rule(mail_address)], ...], Rule(before=listed)] = ()
    quota_percent: Annotated[float, between(1, 100)] = 80.0
    repeat_hours: Annotated[float, between(1, 8_760)] = 24.0
    most_per_hour: Annotated[int, between(1, 1_000)] = 12
