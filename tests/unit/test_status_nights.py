"""Nights among the runs that `status` shows."""

from pathlib import Path

from syncengine.jobs.job import Run
from syncengine.status import read_status, summary
from tests.unit.service.seen.written import NOW, Hand, journal_of, night, settings_of, write_night, write_nights


async def test_a_night_is_shown_with_its_sums(tmp_path: Path) -> None:
    """Its report names streams as keys, not as a list, and has the sums beside them."""
    (settings,) = settings_of(tmp_path)
    account = night()
    await write_nights(settings, account)
    (run,) = (await read_status(settings)).runs
    assert ("night nightly", "done", account.rows, account.moved, account.calls) == (
        run.kind,
        run.outcome,
        run.rows,
        run.moved,
        run.calls,
    )


async def test_a_night_that_moved_nothing_says_so(tmp_path: Path) -> None:
    """Nothing is a figure; only what is not known is left out."""
    (settings,) = settings_of(tmp_path)
    hand = Hand()
    async with journal_of(settings, hand) as journal:
        await write_night(journal, hand, night(1, "failed", streams={}, calls=3))
        await write_night(journal, hand, night(0, ""))
    running, failed = (await read_status(settings)).runs
    assert (0, 0, 3) == (failed.rows, failed.moved, failed.calls)
    assert (None, None, None) == (running.rows, running.moved, running.calls)


def test_a_syncs_and_an_imports_report_are_still_read() -> None:
    """Each kind of run has its own shape of report."""

    def figures(report: dict[str, object]) -> tuple[int | None, ...]:
        found = summary(Run("acme", 1, "sync leads", {}, NOW, NOW, "done", report), "done")
        return found.rows, found.moved, found.calls

    assert (7, 3, 12) == figures({"streams": [{"rows": 7, "inserted": 2, "changed": 1}], "calls": 12})
    assert (10, 9, None) == figures({"counts": {"imported": 8, "warned": 1, "failed": 1}})
    assert (None, None, None) == figures({"problem": "Marketo is down"})
