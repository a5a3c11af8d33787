"""One pair of eyes for all batches."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import pytest

from syncengine.errors import Unsupported
from syncengine.imports.watch import Batches
from syncengine.marketo.endpoints import imports
from syncengine.marketo.rows import ImportStatus
from syncengine.transport.retry import Patience
from syncengine.transport.wire import WireError, WireRequest
from tests.scripted import Answer, Told, client_over, refused, rows
from tests.virtual import virtual, virtual_clock

POLL = 20.0


@dataclass
class Watched:
    """Batches over a scripted Marketo whose words a test changes as it goes."""

    words: dict[int, str | Answer | WireError] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    wakes: list[str] = field(default_factory=list)
    progress: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.told: Told = client_over(virtual_clock(), self.answer, patience=Patience(tries=1))
        self.batches = Batches(
            self.told.client,
            lambda batch_id: imports.status(imports.LeadImport(), batch_id),
            POLL,
            self.wakes.append,
            lambda job_id, count: self.progress.append((job_id, count)),
        )

    def answer(self, request: WireRequest) -> Answer | WireError:
        batch_id = int(request.target.partition("/batch/")[2].removesuffix(".json"))
        self.asked.append(batch_id)
        said = self.words[batch_id]
        return rows(stated(batch_id, said)) if isinstance(said, str) else said

    def add(self, *batch_ids: int, is_fresh: bool = False) -> None:
        for batch_id in batch_ids:
            self.batches.add(batch_id, f"job {batch_id}", is_fresh=is_fresh)

    async def poll(self) -> list[int]:
        """The batches that one look asks for."""
        self.asked.clear()
        await self.batches.poll()
        return list(self.asked)


def stated(batch_id: int, status: str) -> dict[str, object]:
    counts = {"numOfLeadsProcessed": 5, "numOfRowsFailed": 1, "numOfRowsWithWarning": 0}
    return {"batchId": batch_id, "status": status, "message": ""} | (counts if status != "Queued" else {})


@virtual
async def test_only_the_two_oldest_are_asked_for() -> None:
    """Two jobs run at once, first in, first out: no other can have ended."""
    seen = Watched(dict.fromkeys((1, 2, 3, 4), "Importing"))
    seen.add(3, 1, 4, 2)
    assert [1, 2] == await seen.poll()
    seen.words[2] = "Complete"
    assert [1, 2] == await seen.poll()
    assert [1, 3] == await seen.poll()
    assert (["job 2"], [2]) == (seen.wakes, list(seen.batches.news))


@virtual
async def test_a_queued_oldest_spares_the_second() -> None:
    """It stands behind it in the queue."""
    seen = Watched({1: "Queued", 2: "Queued"})
    seen.add(1, 2)
    assert [1] == await seen.poll()
    seen.words[1] = "Importing"
    assert [1, 2] == await seen.poll()


@virtual
async def test_an_ended_oldest_does_not_spare_the_second() -> None:
    """It may have ended, too."""
    seen = Watched({1: "Complete", 2: "Failed", 3: "Importing"})
    seen.add(1, 2, 3)
    assert [1, 2] == await seen.poll()
    assert ["job 1", "job 2"] == seen.wakes
    news = seen.batches.news
    assert [ImportStatus.COMPLETE, ImportStatus.FAILED] == [each.status for each in news.values() if each]


@virtual
async def test_a_batch_that_marketo_does_not_know_is_told_as_none() -> None:
    """Its seven days are over; the second is asked for all the same."""
    seen = Watched({1: refused("610", "Requested resource not found", status=404), 2: "Complete"})
    seen.add(1, 2)
    assert [1, 2] == await seen.poll()
    assert {1: None} == {batch_id: each for batch_id, each in seen.batches.news.items() if each is None}
    assert ["job 1", "job 2"] == seen.wakes


@virtual
async def test_progress_is_told_while_a_job_runs() -> None:
    """By the job's id; nothing of one that waits."""
    seen = Watched({1: "Importing", 2: "Queued"})
    seen.add(1, 2)
    await seen.poll()
    assert [("job 1", 5)] == seen.progress


@virtual
async def test_a_batch_is_watched_once() -> None:
    """However often it is given, and not any more once there is news of it."""
    seen = Watched({1: "Complete"})
    seen.add(1, 1)
    await seen.poll()
    seen.add(1)
    assert ([], ["job 1"]) == (await seen.poll(), seen.wakes)


async def running(seen: Watched, seconds: float, during: Callable[[], None] = lambda: None) -> list[int]:
    """When calls were made in so many seconds of watching."""
    clock = seen.told.clock
    start = clock.monotonic()
    async with anyio.create_task_group() as group:
        group.start_soon(seen.batches.run)
        await clock.sleep(seconds / 2)
        during()
        await clock.sleep(seconds / 2)
        group.cancel_scope.cancel()
    return [int(at - start) for at in seen.told.wire.sent_at]


@virtual
async def test_a_fresh_batch_is_not_through_at_once() -> None:
    """The first look comes after a poll's time, and one each poll's time then."""
    seen = Watched({1: "Importing"})
    seen.add(1, is_fresh=True)
    assert [20, 40, 60] == await running(seen, 70)


@virtual
async def test_an_old_batch_is_looked_at_now() -> None:
    """Its job may have ended while nobody watched."""
    seen = Watched({1: "Complete"})
    seen.add(1)
    assert ([0], ["job 1"]) == (await running(seen, 70), seen.wakes)


@virtual
async def test_nothing_to_watch_costs_nothing() -> None:
    """What comes later is watched from then on."""
    seen = Watched({1: "Importing"})
    assert [50, 70, 90] == await running(seen, 100, lambda: seen.add(1))


@virtual
async def test_batches_that_come_while_others_are_watched_bring_no_earlier_look() -> None:
    """One pace for all."""
    seen = Watched({1: "Importing", 2: "Importing"})
    seen.add(1, is_fresh=True)
    assert [20, 40, 40] == await running(seen, 56, lambda: seen.add(2, is_fresh=True))


@virtual
async def test_while_marketo_cannot_be_reached_the_next_look_comes_later() -> None:
    """Nothing is lost but time."""
    seen = Watched({1: WireError("no connection", sent=False)})
    seen.add(1)

    def mend() -> None:
        seen.words[1] = "Complete"

    await running(seen, 100, mend)
    assert ["job 1"] == seen.wakes


@virtual
async def test_a_refusal_ends_the_watching() -> None:
    """The run has to know: it would wait for ever."""
    seen = Watched({1: refused("1006", "no such field")})
    seen.add(1)
    with pytest.raises(ExceptionGroup) as raised:
        await running(seen, 100)
    assert raised.group_contains(Unsupported)
