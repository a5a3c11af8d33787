"""What an import works with, and the terms on which a run goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncengine.imports.ambiguity import Policy
from syncengine.jobs.store import JobStore
from syncengine.observe.events import Event
from syncengine.transport.client import Client


@dataclass(frozen=True, slots=True)
class Parts:
    """What an import works with. `folder` is ours, with a folder for each run; `reports` is the user's.

    `drain` is the least time in which an accepted job is certain to have run. `ingestion` is the client of the Data
    Ingestion API with the instance's Munchkin id, where the subscription has it.
    """

    instance: str
    client: Client
    store: JobStore
    folder: Path
    reports: Path
    poll_seconds: float
    drain: timedelta
    observe: Callable[[Event], None]
    ingestion: Client | None = None
    munchkin_id: str = ""

    @property
    def calls_sent(self) -> int:
        """How many calls were made so far, on whatever way."""
        return self.client.calls_sent + (self.ingestion.calls_sent if self.ingestion else 0)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run goes on: what happens to chunks whose fate is unknown, and when it stops."""

    policy: Policy
    failures_max: float
    wait_max: timedelta

    def facts(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "policy": self.policy.value,
            "failures_max": self.failures_max,
            "wait_seconds": self.wait_max.total_seconds(),
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Terms":
        """As the journal gives it back."""
        return cls(Policy(facts["policy"]), facts["failures_max"], timedelta(seconds=facts["wait_seconds"]))


@dataclass(frozen=True, slots=True)
class NewTerms:
    """What a resume changes of a run's terms; None stays as it is."""

    policy: Policy | None = None
    failures_max: float | None = None
    wait_max: timedelta | None = None

    def over(self, terms: Terms) -> Terms:
        """The terms as they are then."""
        return Terms(
            terms.policy if self.policy is None else self.policy,
            terms.failures_max if self.failures_max is None else self.failures_max,
            terms.wait_max if self.wait_max is None else self.wait_max,
        )
