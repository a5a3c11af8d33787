"""A window's rows come out of its own file, and of those of its other columns where one job could not ask for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import FileDamaged, NotFound
from syncengine.exports import assemble, fetch
from syncengine.exports.reading import JOBS, READING
from syncengine.exports.tally import ParseProblems
from syncengine.exports.window import KIND, PLANNED, file_fields
from syncengine.jobs.job import Job
from syncengine.jobs.memory import MemoryJobStore
from syncengine.marketo.limits import EXPORT_FIELDS_MAX
from tests.virtual import virtual, virtual_clock

# The key and the date are in each list of columns: two lists have all of these, and one is not enough.
EXTRA = [f"extra{number}" for number in range(EXPORT_FIELDS_MAX + 10)]
FIRST, LAST = EXTRA[0], EXTRA[-1]  # one in each list
UPDATED = "2026-03-02T07:00:00Z"


TO_KEPT = ("intend", "created", "enqueued", "completed", "download", "verified", "kept")


def window(name: str, columns: int | None, records: int, *, after: tuple[str, ...] = ()) -> Job:
    """A window of leads that brings one list of their columns, or all of a few."""
    names = EXTRA if columns is not None else [FIRST]
    fields = [["id", "integer"], ["updatedAt", "timestamp"], *([each, "text"] for each in names)]
    request: dict[str, Any] = {"fields": fields, **({} if columns is None else {"columns": columns})}
    facts = {"request": request, "records": records}
    return Job(id=name, instance="acme", kind=KIND, group="leads", state=PLANNED, after=after, facts=facts)


def write(spool: Path, job: Job, rows: Sequence[Mapping[str, str]]) -> Job:
    """The window's file, with `-` in every cell that a row does not state."""
    names = file_fields(job)
    lines = [names, *([str(row.get(name, "-")) for name in names] for row in rows)]
    fetch.spool_path(spool, job.id).write_text("".join(",".join(line) + "\n" for line in lines))
    return job


def row(lead_id: int, **cells: str) -> dict[str, str]:
    return {"id": str(lead_id), "updatedAt": UPDATED, **cells}


@dataclass
class Windows:
    """A journal and a spool with windows that were brought before."""

    spool: Path
    store: MemoryJobStore = field(default_factory=lambda: MemoryJobStore(JOBS, virtual_clock()))
    problems: ParseProblems = field(default_factory=ParseProblems)

    async def keep(self, job: Job, events: Sequence[str] = TO_KEPT) -> None:
        """Put a job into the journal and take it as far as these events do."""
        (job,) = await self.store.plan([job])
        for event in events:
            job = await self.store.move(job, event)

    async def rows(self, job: Job) -> dict[int, dict[str, Any]]:
        """The rows of a window by their ids."""
        batches = await assemble.rows(self.store, self.spool, job, self.problems)
        return {each["id"]: each for batch in batches for each in batch.to_pylist()}


MAIN, OTHER = window("main.1", 0, 2, after=("other.1",)), window("other.1", 1, 2)


@virtual
async def test_a_window_of_one_file_is_that_file(tmp_path: Path) -> None:
    """What Marketo counted is there; nobody else's file is looked for."""
    job = write(tmp_path, window("main.1", None, 2), [row(1, **{FIRST: "a"}), row(2)])
    found = await Windows(tmp_path).rows(job)
    assert {1: "a", 2: "-"} == {lead_id: each[FIRST] for lead_id, each in found.items()}


@virtual
@pytest.mark.parametrize("columns", [None, 0])
async def test_a_window_without_rows_needs_no_file(tmp_path: Path, columns: int | None) -> None:
    """No row is whole that the first list of columns has not, so the files of the others are not missed."""
    after = () if columns is None else ("other.1",)
    assert {} == await Windows(tmp_path).rows(window("main.1", columns, 0, after=after))


@virtual
async def test_columns_of_two_files_come_as_one_row(tmp_path: Path) -> None:
    """Each cell from the file that has it, and only rows that are in both."""
    here = Windows(tmp_path)
    write(tmp_path, MAIN, [row(1, **{FIRST: "a"}), row(2)])
    await here.keep(write(tmp_path, OTHER, [row(1, **{LAST: "z"}), row(3)]))
    found = await here.rows(MAIN)

    assert {1: ("a", "z")} == {lead_id: (each[FIRST], each[LAST]) for lead_id, each in found.items()}
    assert {*EXTRA, "id", "updatedAt", "_unparsed"} == set(found[1])


@virtual
async def test_a_kept_window_without_rows_needs_no_file_either(tmp_path: Path) -> None:
    """Its rows had changed until it was written: a later window brings all of them."""
    here = Windows(tmp_path)
    await here.keep(window("other.1", 1, 0))
    assert {} == await here.rows(write(tmp_path, MAIN, [row(1), row(2)]))


@virtual
async def test_a_reading_that_comes_before_has_no_file(tmp_path: Path) -> None:
    """Without the filter a window waits for the changed leads, too: these have rows of their own, and no columns."""
    here = Windows(tmp_path)
    await here.keep(replace(window("reading.1", None, 5), kind=READING), ())
    await here.keep(write(tmp_path, OTHER, [row(1), row(2)]))
    job = write(tmp_path, replace(MAIN, after=("reading.1", "other.1")), [row(1), row(2)])
    assert {1, 2} == set(await here.rows(job))


@virtual
@pytest.mark.parametrize("lost", ["file", "job", "kept"])
async def test_a_file_of_other_columns_that_is_gone_is_told(tmp_path: Path, lost: str) -> None:
    """A window with half of its columns would empty the others in every row: it is asked for anew instead."""
    here = Windows(tmp_path)
    write(tmp_path, MAIN, [row(1), row(2)])
    if lost != "job":
        await here.keep(OTHER, TO_KEPT[:-1] if lost == "kept" else TO_KEPT)
    if lost != "file":
        write(tmp_path, OTHER, [row(1), row(2)])
    with pytest.raises(NotFound, match="other columns are gone"):
        await here.rows(MAIN)


@virtual
async def test_each_file_has_the_rows_that_were_announced_for_it(tmp_path: Path) -> None:
    """One of the other files is shorter than Marketo said: nothing of the window is taken."""
    here = Windows(tmp_path)
    write(tmp_path, MAIN, [row(1), row(2)])
    await here.keep(write(tmp_path, OTHER, [row(1)]))
    with pytest.raises(FileDamaged, match=r"other\.1"):
        await here.rows(MAIN)
