"""What can happen to an export job and its file: no wrong byte is applied, no right byte is fetched twice for nothing.

The file of these nights is the leads', a little over two pieces of the wire long.
"""

from pathlib import Path

import pytest

from syncengine.exports.attempts import FAILURES_IN_A_ROW_MAX
from syncengine.exports.window import CLEANED
from syncengine.sandbox.messages import PIECE_BYTES
from tests.simulation.faults import on
from tests.simulation.nights import Night
from tests.simulation.seeded import seeded

FILE_BYTES = 161_460
PLACES = [0, 1, 10_000, PIECE_BYTES - 1, PIECE_BYTES, 100_000, FILE_BYTES - 1]


async def rows_applied(night: Night) -> int:
    """How many rows the windows of all runs have brought."""
    return sum(job.facts["rows"] for job in await night.jobs() if job.state == CLEANED)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("action", ["reset", "truncate", "stall"])
@seeded
async def test_a_file_that_breaks_off_is_gone_on_with(tmp_path: Path, action: str, place: int) -> None:
    """Wherever the body ends, dies or falls silent: what has come is kept, and each byte is sent once."""
    rule = {"action": action, "bytes": place, "seconds": 90.0}
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", rule),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    report = night.server.report()
    assert 2 == report["calls"]["leads.export.file"]
    assert await night.applied_bytes() == night.exported_bytes() == report["file_bytes_total"] == FILE_BYTES


@seeded
async def test_a_short_silence_within_a_file_is_waited_out(tmp_path: Path) -> None:
    """Half a minute without a byte is no break."""
    rule = {"action": "stall", "bytes": 100_000, "seconds": 30.0}
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", rule),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert 1 == night.server.report()["calls"]["leads.export.file"]


@pytest.mark.parametrize("place", PLACES)
@seeded
async def test_a_wrong_bit_costs_a_second_download(tmp_path: Path, place: int) -> None:
    """One bit of the file is wrong: the hash tells, nothing of it is applied, and it is brought again from byte 0."""
    rule = {"action": "flip", "bytes": place}
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", rule),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()
    assert 2 * night.exported_bytes() == night.server.report()["file_bytes_total"]


@seeded
async def test_a_file_that_is_always_wrong_is_exported_anew_then_in_parts_and_then_given_up(tmp_path: Path) -> None:
    """Two downloads of each file; in the end the run is partial, none of the rows is applied, and the next one is."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", {"action": "flip", "bytes": 0}, times=999),))
    assert "partial" == await night.ending()
    report = night.server.report()
    assert report["jobs_created"]["leads"] <= 2 * FAILURES_IN_A_ROW_MAX
    assert 0 == await rows_applied(night)
    night.server.set_faults([])
    await night.pause()
    assert "done" == await night.ending()
    assert [] == await night.problems()


@seeded
async def test_a_file_that_is_wrong_twice_comes_in_halves(tmp_path: Path) -> None:
    """Two exports with two downloads each, then one of each half: none of the wrong bytes is applied."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", {"action": "flip", "bytes": 999}, times=4),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    report = night.server.report()
    assert {"leads": 4} == report["jobs_created"]
    assert report["file_bytes_total"] == 4 * FILE_BYTES + await night.applied_bytes()


@seeded
async def test_a_whole_file_where_its_rest_was_asked_for_is_taken_from_its_first_byte(tmp_path: Path) -> None:
    """A server that ignores Range after a break: the prefix is dropped, not prolonged."""
    first = {"action": "reset", "bytes": 100_000, "path": "*/file.json", "nth": 1}
    second = {"action": "ignore_range", "path": "*/file.json", "nth": 2}
    night = Night(tmp_path, 1, streams=["leads"], faults=(first, second))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert 100_000 + night.exported_bytes() == night.server.report()["file_bytes_total"]


@seeded
async def test_a_file_that_keeps_breaking_off_comes_in_many_parts(tmp_path: Path) -> None:
    """Each try brings 9,000 bytes: progress is no failure, however often, and each byte is sent once."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", {"action": "reset", "bytes": 9_000}, times=99),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    report = night.server.report()
    assert -(-report["file_bytes_total"] // 9_000) == report["calls"]["leads.export.file"]
    assert night.exported_bytes() == report["file_bytes_total"]


@seeded
async def test_a_file_that_brings_nothing_is_left_for_the_next_run_with_its_part(tmp_path: Path) -> None:
    """Five breaks in a row without a byte end the run; the next one goes on from the part, by whatever process."""
    rules = (
        {"action": "reset", "bytes": 100_000, "path": "*/file.json", "nth": 1},
        on("file", {"action": "drop_after"}, times=5),
    )
    night = Night(tmp_path, 1, streams=["leads"], faults=rules)
    assert ["Unavailable", "done"] == await night.endings(2)
    assert [] == await night.problems()
    files = [job.facts["file_bytes"] for job in await night.jobs() if job.facts["records"]]
    assert sorted(files) == sorted(night.server.report()["file_bytes"].values())


@pytest.mark.parametrize(("times", "exports"), [(1, 1), (3, 1), (4, 2)])
@seeded
async def test_a_finished_job_whose_file_is_not_there_is_looked_at_thrice(
    tmp_path: Path, times: int, exports: int
) -> None:
    """A file may lag behind its job's status for some minutes; only then is it exported once more."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("file", {"action": "http", "status": 404}, times=times),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert exports * await night.applied_bytes() == night.exported_bytes()


@pytest.mark.parametrize("pages", [1, 2, 3])
@seeded
async def test_a_page_of_html_in_place_of_a_file_costs_no_export(tmp_path: Path, pages: int) -> None:
    """A gateway's page says nothing about the file: the part stays, and the same export is asked for again."""
    broken = {"action": "reset", "bytes": 100_000, "path": "*/file.json", "nth": 1}
    night = Night(
        tmp_path, 1, streams=["leads"], faults=(broken, on("file", {"action": "http", "status": 200}, times=pages))
    )
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes() == night.server.report()["file_bytes_total"]


@pytest.mark.parametrize("status", ["Failed", "Canceled", "Cancelled"])
@pytest.mark.parametrize(("times", "exports"), [(1, 2), (2, 4), (3, 5), (4, 7)])
@seeded
async def test_a_job_that_fails_is_created_again_or_in_halves(
    tmp_path: Path, status: str, times: int, exports: int
) -> None:
    """However the end is spelled, the window is asked for anew in the same run: once whole, then half by half."""
    rule = {"action": "outcome", "status": status, "message": "no reason"}
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("create", rule, times=times),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert {"leads": exports} == night.server.report()["jobs_created"]
    assert await night.applied_bytes() == night.exported_bytes()


@pytest.mark.parametrize("status", ["Failed", "Canceled", "Cancelled"])
@seeded
async def test_windows_that_always_fail_are_left_out_and_the_others_are_not(tmp_path: Path, status: str) -> None:
    """The run is partial and says what is missing and why; the ledger waits for it, the next run brings it."""
    rule = {"action": "outcome", "status": status, "message": "too large", "path": "*/leads/*/create.json"}
    night = Night(tmp_path, 1, faults=(rule,))
    async with night.process() as parts:
        report = await night.run(parts)
    assert "partial" == report.outcome
    assert all(status.replace("Canceled", "Cancelled") in problem for problem in report.problems)
    assert all(problem.startswith("leads from ") for problem in report.problems)
    assert [0, 1] == [each.windows for each in report.streams]
    night.server.set_faults([])
    await night.pause()
    assert "done" == await night.ending()
    assert [] == await night.problems()
