"""What is to be done, as values, and the rules by which it moves.

Theory of operation
-------------------
A job is one piece of work that must survive the process: a window to export, a chunk to import. Its `state` says how
far the world has been changed for it, and an *event* takes it from one state to the next. Which events a state allows
stands in one table, a `Moves`, that each flow supplies for its kind of job; this room knows neither the states' names
nor what the ids in the facts mean.

The discipline is: intent before effect, effect recorded before the next step. A handler first moves its job to a state
that says "this may have happened", does it, and moves on to the state that says "this has happened". Whoever finds
the job after a crash reads from the state alone what is certain and what has to be found out.

A move is legal when three things hold, all checked in `moved`, in the transaction that writes it:

- the table allows the event in the stored state;
- the caller has seen the job's last move (`seq`): two tasks that both believe in a job cannot both move it;
- no later holder of the lease has taken the job over (`epoch`): a process that was frozen and thaws is turned away.

Separate from the store so that the rules are plain functions on values, the same for every kind of storage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from syncengine.errors import IllegalMove, LeaseLost

PLANNED = "plan"  # the event that opens each history
UNSEEN = datetime.min.replace(tzinfo=UTC)  # the time of a job that no store has seen yet


@dataclass(frozen=True, slots=True)
class Moves:
    """A machine of states: where a job begins, which event leads where, and where it ends.

    Raises ValueError when a state cannot be reached, cannot reach an end, or leads on from an end.
    """

    initial: str
    table: Mapping[tuple[str, str], str]
    final: frozenset[str]
    depths: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depths", self._distances())
        problems = [
            *(f"{state!r} is an end and leads on" for state in sorted(self.final & {s for s, _ in self.table})),
            *(
                f"{state!r} cannot be reached from {self.initial!r}"
                for state in sorted(self._named() - set(self.depths))
            ),
            *(f"{state!r} cannot reach an end" for state in sorted(self._named() - self._ending())),
        ]
        if problems:
            raise ValueError("a table of moves is wrong: " + "; ".join(problems))

    def after(self, state: str, event: str) -> str:
        """The state that `event` leads to; raises IllegalMove when `state` does not allow it."""
        try:
            return self.table[state, event]
        except KeyError:
            allowed = ", ".join(sorted(name for here, name in self.table if here == state)) or "nothing"
            raise IllegalMove(f"state {state!r} does not allow {event!r}; it allows {allowed}") from None

    def depth(self, state: str) -> int:
        """The fewest moves from the beginning to `state`: how far a job has come."""
        return self.depths[state]

    def _named(self) -> set[str]:
        return {self.initial, *self.final, *self.table.values(), *(state for state, _ in self.table)}

    def _distances(self) -> dict[str, int]:
        found = {self.initial: 0}
        edge = [self.initial]
        while edge:
            following = [there for here in edge for (state, _), there in self.table.items() if state == here]
            edge = [state for state in dict.fromkeys(following) if state not in found]
            found.update(dict.fromkeys(edge, max(found.values()) + 1))
        return found

    def _ending(self) -> set[str]:
        ending = set(self.final)
        while more := {here for (here, _), there in self.table.items() if there in ending} - ending:
            ending |= more
        return ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of durable work; a value, as of its move number `seq`.

    `id` is unique within the instance. `group` is whatever its planner sorts jobs by. `facts` is a JSON object.
    Jobs of a lower `priority` go first; `place` orders equals. `after` names the jobs that must be done before.
    """

    id: str
    instance: str
    kind: str
    state: str
    group: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    priority: int = 0
    place: int = 0
    after: tuple[str, ...] = ()
    epoch: int = 0
    seq: int = 0
    created_at: datetime = UNSEEN
    updated_at: datetime = UNSEEN


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One move that a job made. The first is its planning, which comes from no state."""

    job_id: str
    seq: int
    event: str
    before: str | None
    after: str
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One command's work, from its beginning to its outcome.

    With no outcome it is under way, or its process died: whether somebody holds the lease of its work tells which.
    """

    instance: str
    id: int
    kind: str
    detail: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    report: Mapping[str, Any] = field(default_factory=dict)


def planned(job: Job, moves: Moves, at: datetime) -> Job:
    """`job` as it enters the journal; raises IllegalMove when it does not stand at the beginning."""
    if job.state != moves.initial:
        raise IllegalMove(f"job {job.id!r} is planned in state {job.state!r}; its kind begins in {moves.initial!r}")
    return replace(job, facts=as_json(job.facts), seq=1, created_at=at, updated_at=at)


def moved(
    stored: Job, seen: Job, event: str, *, moves: Moves, at: datetime, attempt: int | None, facts: Mapping[str, Any]
) -> Job:
    """`stored` after `event`, as asked for by somebody who knows the job as `seen`.

    Raises LeaseLost when a later epoch owns the job, IllegalMove when the job has moved on since it was seen or when
    its state does not allow the event.
    """
    if stored.epoch > seen.epoch:
        raise LeaseLost(f"job {stored.id!r} was taken over by a later run (epoch {stored.epoch}, ours {seen.epoch})")
    if (stored.state, stored.seq) != (seen.state, seen.seq):
        raise IllegalMove(
            f"job {stored.id!r} stands in {stored.state!r} (move {stored.seq}), "
            f"not in {seen.state!r} (move {seen.seq}), so {event!r} was refused"
        )
    return replace(
        stored,
        state=moves.after(stored.state, event),
        facts={**stored.facts, **as_json(facts)},
        attempt=stored.attempt if attempt is None else attempt,
        seq=stored.seq + 1,
        updated_at=at,
    )


def adopted(stored: Job, epoch: int) -> Job:
    """`stored` as a job of the holder with `epoch`; raises LeaseLost when a later holder has it."""
    if stored.epoch > epoch:
        raise LeaseLost(f"job {stored.id!r} belongs to a later run (epoch {stored.epoch}, ours {epoch})")
    return replace(stored, epoch=epoch)


def entry(before: Job | None, after: Job, event: str) -> HistoryEntry:
    """The line that a move leaves in the history."""
    return HistoryEntry(
        after.id, after.seq, event, before.state if before else None, after.state, after.epoch, after.updated_at
    )


def as_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object as it comes back from storage; raises TypeError for what JSON cannot hold."""
    decoded: dict[str, Any] = orjson.loads(orjson.dumps(dict(value)))
    return decoded


def newest(known: Job, given: Job) -> Job:
    """Of two values of one job, the one that has seen more of its moves."""
    return given if given.seq >= known.seq else known
