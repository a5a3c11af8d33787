"""What a prune takes and what it leaves: of imports all or nothing, of what others come after nothing."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncengine.assets import states as asset_states
from syncengine.exports.window import CLEANED, KIND
from syncengine.imports import states
from syncengine.jobs.job import Job
from syncengine.state_prune import choice, prune
from tests.unit.exports.opened import opened, settings_for
from tests.unit.test_state_verify import age, content, made
from tests.virtual import ORIGIN, virtual

BEFORE = ORIGIN


def job(name: str, kind: str, *, days: int, finished: bool = True, **given: Any) -> tuple[Job, bool]:
    """A job that was last moved so many days before the instant."""
    at = BEFORE - timedelta(days=days)
    usual = {"state": "any", "created_at": at, "updated_at": at}
    return Job(**{"id": name, "instance": "acme", "kind": kind, **usual, **given}), finished


def window(name: str, *, days: int, **given: Any) -> tuple[Job, bool]:
    facts = {"request": {"fields": [], "generation": "", "filter": None}, "start": ORIGIN.isoformat()}
    return job(
        name,
        KIND,
        days=days,
        **{"group": "leads", "state": CLEANED, "facts": {**facts, "end": ORIGIN.isoformat()}, **given},
    )


def an_import(name: str, *, days: int, chunks: int = 2, retries: str = "", **given: Any) -> list[tuple[Job, bool]]:
    run = job(name, states.IMPORT, days=days, facts={"retries": retries}, **given)
    return [run, *(job(f"{name}-{number}", states.CHUNK, days=days, facts={"run": name}) for number in range(chunks))]


def gone(jobs: Sequence[tuple[Job, bool]]) -> set[str]:
    return {job_id for _, job_id in choice(jobs, BEFORE).jobs}


def test_what_is_old_and_finished_goes() -> None:
    """But the first and the last of a stream, what is young, and what is not finished."""
    jobs = [
        window("first", days=9),
        window("old", days=5),
        window("unfinished", days=5, finished=False),
        window("last", days=1),
        window("young", days=-1),
    ]
    # The last of those that ended is kept by the plan's own rules where none is younger.
    assert {"old", "last"} == gone(jobs)
    assert {"old"} == gone(jobs[:4])


def test_what_comes_before_something_that_stays_stays() -> None:
    """However long the row is."""
    jobs = [
        window("first", days=9),
        window("a", days=8),
        window("b", days=7, after=("a", "unknown")),
        window("c", days=6, after=("b",), finished=False),
        window("d", days=6),
        window("last", days=-1),
    ]
    assert {"d"} == gone(jobs)


def test_an_import_goes_with_its_chunks_or_not_at_all() -> None:
    """One that is unfinished, or one of whose chunks is, stays as it is; and so does the latest."""
    jobs = [
        *an_import("gone", days=9),
        *an_import("open", days=8, finished=False),
        *an_import("held", days=7),
        job("held-9", states.CHUNK, days=7, finished=False, facts={"run": "held"}),
        *an_import("latest", days=6),
    ]
    assert {"gone", "gone-0", "gone-1"} == gone(jobs)
    assert (("acme", "gone"),) == choice(jobs, BEFORE).imports


def test_an_import_whose_failed_rows_were_sent_again_is_remembered_as_long_as_that() -> None:
    """Or they could be sent a third time."""
    jobs = [*an_import("once", days=9), *an_import("again", days=-1, retries="once"), *an_import("other", days=9)]
    assert {"other", "other-0", "other-1"} == gone(jobs)


def test_instances_do_not_mix() -> None:
    """The same ids in two instances are different jobs."""
    jobs = [
        *(window(name, days=days) for name, days in (("1", 9), ("2", 8), ("3", 7))),
        *(window(name, days=days, instance="emea") for name, days in (("1", 9), ("2", 8), ("3", -7))),
    ]
    assert {("acme", "2"), ("emea", "2")} == set(choice(jobs, BEFORE).jobs)


def test_of_assets_the_last_job_of_each_kind_stays() -> None:
    """A pull asks the journal for none of them; `status` knows by them what has been pulled."""
    jobs = [job(f"{kind}{days}", asset_states.ASSETS, days=days, group=kind) for kind in "ab" for days in (3, 2, 1)]
    assert {"a3", "a2", "b3", "b2"} == gone(jobs)


@virtual
async def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    """Jobs, moves, runs and files as they then go; and what is nobody's but young stays."""
    settings = settings_for(tmp_path)
    spool, imports = settings.state.path / "spool" / "acme", settings.state.path / "imports" / "acme"
    async with opened(settings) as here:
        for _ in range(6):
            await here.engine.sync()
            await here.clock.sleep(86_400.0)
        for name in ("old.1.csv", "young.1.csv"):
            (spool / name).write_bytes(b"x" * 1_000)
        age(spool / "old.1.csv", made(imports / "20250101-000000-dead"))
        made(imports / "new-abc")
        now = here.clock.now()
        before = content(tmp_path)
        dry = await prune(settings, timedelta(days=3), now=now, dry_run=True)
        assert before == content(tmp_path)
        wet = await prune(settings, timedelta(days=3), now=now)
        jobs = await here.engine.journal.jobs("acme")

    assert (dry.jobs, dry.moves, dry.runs, dry.files, dry.file_bytes) == (
        wet.jobs,
        wet.moves,
        wet.runs,
        wet.files,
        wet.file_bytes,
    )
    assert (4, 2, True) == (wet.runs, wet.files, wet.bytes_gained > 1_000)
    assert {spool / "young.1.csv"} == set(spool.iterdir())
    assert {imports / "new-abc"} == set(imports.iterdir())
    assert (0, ()) == (dry.bytes_gained, wet.notes)
    assert jobs


@virtual
async def test_without_a_journal_nothing_is_made(tmp_path: Path) -> None:
    """Pruning before the first run says so."""
    report = await prune(settings_for(tmp_path), timedelta(days=1))
    assert (0, ("There is no journal: nothing has run yet.",)) == (report.jobs, report.notes)
    assert {} == content(tmp_path)


@virtual
async def test_while_somebody_works_the_file_keeps_its_size(tmp_path: Path) -> None:
    """Rows go, and who is at work is named."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
        lease = await here.engine.journal.acquire_lease("other", "sync leads")
        report = await prune(settings, timedelta(), now=here.clock.now())
    assert lease.holder is not None
    assert (f"The journal's file keeps its size for now: {lease.holder} is at work.",) == report.notes
