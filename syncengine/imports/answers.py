"""The ways in that answer at once: the synchronous call row by row, the Data Ingestion API with a bare yes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncengine.errors import OutcomeUnknown
from syncengine.imports.body import Rows
from syncengine.imports.endings import Ended, Tally, write
from syncengine.imports.manifest import Place, places
from syncengine.imports.outcome import Outcome
from syncengine.imports.route import Route
from syncengine.imports.target import Target
from syncengine.imports.upload import handed_over, synchronous
from syncengine.marketo.codes import Verdict
from syncengine.marketo.records import RecordResult
from syncengine.transport.client import Client
from syncengine.transport.retry import Patience

# What keeps rows from being taken is told at once: the worker knows what else there is to do, the journal keeps them.
AT_ONCE = Patience(tries=3, wait_seconds=60.0, queue_seconds=0.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """How each row of a chunk ended, in order; None went in."""

    ended: Sequence[Ended | None]

    def settle(self, rows: Rows, into: Path) -> Tally:
        """Write down the rows that did not simply go in."""
        return write(self._with_places(rows), into)

    def _with_places(self, rows: Rows) -> Iterator[tuple[Place, Ended]]:
        for (place, _), ended in zip(places(rows.manifest), self.ended, strict=True):
            if ended is not None:
                yield place, ended


@dataclass(frozen=True, slots=True)
class Answering:
    """Makes the calls of one route. `ingestion` is the client of the other host, where there is one."""

    route: Route
    client: Client
    ingestion: Client | None = None
    munchkin_id: str = ""

    async def ask(self, target: Target, rows: Sequence[dict[str, object]]) -> Answered:
        """Send a chunk. Raises OutcomeUnknown when it may have been executed, and what the client raises."""
        if self.route is Route.INGESTION:
            assert self.ingestion is not None
            await self.ingestion.send(handed_over(target, self.munchkin_id, rows), patience=AT_ONCE)
            return Answered([None] * len(rows))
        results = await self.client.send(synchronous(target, rows), patience=AT_ONCE)
        if len(results) != len(rows):
            raise OutcomeUnknown(
                f"Marketo answered {len(rows)} rows with {len(results)} results, so that none can be told apart."
            )
        return Answered([ended(each) for each in results])


def ended(result: RecordResult) -> Ended | None:
    """How a row ended by its result. What was already so is as good as done, with a word about it."""
    is_done = result.status.is_done
    if not result.reasons:
        return None if is_done else (Outcome.FAILED, f"Marketo calls it {result.status.value} and gives no reason")
    text = "; ".join(f"{reason.message} (code {reason.code})" for reason in result.reasons)
    is_noop = all(reason.entry.verdict is Verdict.NOOP for reason in result.reasons)
    return (Outcome.WARNED if is_done or is_noop else Outcome.FAILED), text
