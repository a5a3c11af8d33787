"""What the journal remembers of a group between nights, so that a restart goes on with the one that is under way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncengine.jobs.store import JobStore


@dataclass(frozen=True, slots=True)
class Memo:
    """Nights up to `settled` have ended; that of `begun` is under way since `began_at`."""

    settled: datetime
    begun: datetime | None = None
    began_at: datetime | None = None

    def facts(self) -> dict[str, str | None]:
        """As the journal keeps it."""
        return {
            name: instant.isoformat() if instant else None
            for name, instant in (("settled", self.settled), ("begun", self.begun), ("began_at", self.began_at))
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Memo":
        """As the journal gives it back."""
        return cls(**{name: datetime.fromisoformat(text) for name, text in facts.items() if text})


async def recalled(journal: JobStore, instance: str, group: str, now: datetime) -> Memo:
    """The memo of a group; one that is new has missed nothing up to `now`."""
    found = await journal.recall(instance, _name(group))
    if found is not None:
        return Memo.of(found)
    memo = Memo(settled=now)
    await remember(journal, instance, group, memo)
    return memo


async def remember(journal: JobStore, instance: str, group: str, memo: Memo) -> None:
    """Keep the memo in the place of the one before."""
    await journal.remember(instance, _name(group), memo.facts())


def _name(group: str) -> str:
    return f"schedule {group}"
