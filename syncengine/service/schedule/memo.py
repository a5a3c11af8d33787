"""What the journal remembers of a group between nights, so that a restart goes on with the one that is under way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncengine.jobs.store import JobStore


@dataclass(frozen=True, slots=True)
class Memo:
    """Nights up to `settled` have ended, by a schedule `times`; that of `begun` is under way since `began_at`."""

    settled: datetime
    times: str
    begun: datetime | None = None
    began_at: datetime | None = None

    def facts(self) -> dict[str, str | None]:
        """As the journal keeps it."""
        instants = {"settled": self.settled, "begun": self.begun, "began_at": self.began_at}
        return {"times": self.times} | {name: each.isoformat() if each else None for name, each in instants.items()}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Memo":
        """As the journal gives it back."""
        instants = {name: datetime.fromisoformat(text) for name, text in facts.items() if text and name != "times"}
        return cls(times=facts["times"], **instants)


async def recalled(journal: JobStore, instance: str, group: str, times: str, now: datetime) -> Memo:
    """The memo of a group. One that is new, or whose times are others now, has missed nothing up to `now`."""
    found = await journal.recall(instance, _name(group))
    memo = Memo.of(found) if found is not None else None
    if memo is not None and (memo.times == times or memo.begun is not None):
        return memo
    memo = Memo(settled=now, times=times)
    await remember(journal, instance, group, memo)
    return memo


async def remember(journal: JobStore, instance: str, group: str, memo: Memo) -> None:
    """Keep the memo in the place of the one before."""
    await journal.remember(instance, _name(group), memo.facts())


def _name(group: str) -> str:
    return f"schedule {group}"
