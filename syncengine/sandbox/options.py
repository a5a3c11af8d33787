"""Every knob of a sandbox instance in one frozen value, so that a run can be repeated from what it was given."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

# A core that was given no start must not ask a clock: this instant keeps its data the same from run to run.
DEFAULT_START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

SPEED_MAX = 100_000
YEARS_MAX = 20
TOKEN_SECONDS_MAX = 1e10

ResetReading = Literal["CST fixed", "Central"]


def _random_name() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Options of one instance; all seconds are the sandbox's own, all sizes are bytes."""

    seed: int = 7  # people, activities, tokens, latency and job ids follow from it
    leads: int = 100_000
    activities: int = 300_000
    years: float = 3.0  # how far back the oldest lead and activity lie
    programs: int = 60
    program_members: int = 6_000
    lists: int = 12
    campaigns: int = 100
    assets: int = 2_000  # seeded ones, beside folders, programs, static lists, campaigns and what admins set up
    workspaces: int = 3
    assets_v2: bool = True  # False: a subscription without the new designer, whose paths it does not know
    companies: int = 200
    salespersons: int = 20
    opportunities: int = 400
    opportunity_roles: int = 1_000
    named_accounts: int = 150
    named_account_lists: int = 6
    custom_object_rows: int = 1_000  # of each approved custom object
    leads_from: Path | None = None  # CSV or Parquet with the user's own people instead of generated ones
    start: datetime | None = None  # first instant of the sandbox's clock; the server's default is the real now
    speed: float = 1.0  # sandbox seconds per real second
    name: str = "123-ABC-456"  # reported as the instance's Munchkin id
    client_id: str = field(default_factory=_random_name)
    client_secret: str = field(default_factory=_random_name, repr=False)
    control_key: str = field(default_factory=_random_name, repr=False)
    token_seconds: float = 3600.0
    calls_per_window: int = 100
    window_seconds: float = 20.0
    in_flight: int = 10
    calls_per_day: int = 50_000
    export_bytes_per_day: int = 500_000_000
    reset: ResetReading = "Central"  # Adobe writes both "12:00AM CST" and "midnight Central Time"
    latency_seconds: tuple[float, float] = (0.0, 0.0)  # least and most wait before the headers of an answer
    bandwidth: float | None = None  # bytes of an export file per second and download
    job_seconds: tuple[float, float] = (30.0, 120.0)  # how long an export of no rows and of very many rows takes
    jobs_running: int = 2
    jobs_queued: int = 10  # those that run included
    import_seconds: tuple[float, float] = (20.0, 90.0)  # how long an import takes, drawn for each
    imports_running: int = 2
    imports_queued: int = 10  # those that run included
    ingestion_seconds: tuple[float, float] = (1.0, 5.0)  # until what the ingestion API has taken is written
    ingestion_objects_per_day: int = 10_000_000
    status_seconds: float = 60.0  # status and list show the instance as of the last whole multiple of this
    updated_at_filter: bool = True  # False: a subscription that answers 1035 to the updatedAt filter
    crm: bool = False  # True: a native CRM sync owns companies, opportunities, their roles and sales persons (1018)
    paging_token_seconds: float = 30 * 86_400.0  # Adobe names no life of paging tokens
    late_activities: float = 0.0  # share of activities that become visible only hours after their own date
    faults: tuple[dict[str, Any], ...] = ()  # fault rules, see faults.py

    def __post_init__(self) -> None:
        if not 0 < self.speed <= SPEED_MAX:  # refuses nan too
            raise ValueError(f"the speed is a number above 0, up to {SPEED_MAX:,}")
        if not 0 < self.years <= YEARS_MAX:
            raise ValueError(f"the years are a number above 0, up to {YEARS_MAX}")
        if not 1 <= self.token_seconds <= TOKEN_SECONDS_MAX:
            raise ValueError("a token lives for at least a second")
        if self.window_seconds <= 0 or self.status_seconds <= 0 or (self.bandwidth is not None and self.bandwidth <= 0):
            raise ValueError("window_seconds, status_seconds and bandwidth are positive numbers")
        self._check_counts()
        if not 0 <= self.late_activities <= 1:
            raise ValueError("late_activities is a share from 0 to 1")
        if self.imports_running < 1 or self.imports_queued < 1:
            raise ValueError("at least one import runs and waits")
        if not self.paging_token_seconds > 0:
            raise ValueError("paging_token_seconds is a positive number")
        for low, high in (self.latency_seconds, self.job_seconds, self.import_seconds, self.ingestion_seconds):
            if not 0 <= low <= high:
                raise ValueError(f"a range goes from its least to its most: {low}, {high}")
        if self.start is not None and self.start.tzinfo is None:
            raise ValueError("the sandbox's start needs an offset")

    def _check_counts(self) -> None:
        counts: tuple[int, ...] = (
            self.leads,
            self.activities,
            self.calls_per_window,
            self.in_flight,
            self.programs,
            self.lists,
        )
        counts += (self.program_members, self.campaigns, self.companies, self.salespersons, self.opportunities)
        counts += (self.opportunity_roles, self.named_accounts, self.named_account_lists, self.custom_object_rows)
        counts += (self.assets,)
        if min(counts) < 0:
            raise ValueError("counts of the sandbox are never negative")
        if self.workspaces < 1:
            raise ValueError("an instance has at least one workspace")

    @property
    def start_seconds(self) -> float:
        """First instant of the sandbox's clock, in Unix seconds."""
        return (self.start or DEFAULT_START).timestamp()
