"""The account of a night on disk, for programs and for people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from syncengine.service.schedule.accounts import VERDICTS, as_text, write_account
from syncengine.service.schedule.nights import OUTCOMES, NightReport, StreamNight

DUE = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
NIGHT = NightReport(
    instance="acme",
    group="nightly",
    due=DUE,
    began_at=DUE + timedelta(minutes=3),
    ended_at=DUE + timedelta(minutes=41),
    outcome="partial",
    attempts=2,
    runs=(7, 9),
    streams={
        "leads": StreamNight(rows=1_200, inserted=100, changed=250, bytes=3_400_000),
        "activities": StreamNight(rows=8_000, inserted=7_900, bytes=21_000_000),
    },
    assets=12,
    files={"done": 3, "failed": 1},
    calls=1_412,
    problems=("programs: the role may not",),
    advice=("Give it the permission.",),
)
TEXT = """\
acme, nightly: night of 2026-03-01
The night is not whole: something is missing.

Due       2026-03-02 02:30 Europe/Berlin (2026-03-02T01:30Z)
Began     2026-03-02 02:33 Europe/Berlin (2026-03-02T01:33Z)
Ended     2026-03-02 03:11 Europe/Berlin (2026-03-02T02:11Z), after 38.0 minutes
Took      2 attempts, runs 7, 9
Cost      1,412 calls, 24.4 MB of bulk export

stream         rows read      inserted       changed
activities         8,000         7,900             0
leads              1,200           100           250
Assets fetched: 12
Files of watched folders, done: 3
Files of watched folders, failed: 1

What went wrong
- programs: the role may not

What to do
- Give it the permission.
"""


def test_the_text_can_be_read_over_coffee() -> None:
    """Verdict first, then times by the group's clock and in UTC, cost, what moved, what went wrong, what to do."""
    assert TEXT == as_text(NIGHT, "Europe/Berlin")


def test_a_night_without_trouble_is_short() -> None:
    """No heading without anything under it; UTC is not said twice."""
    text = as_text(
        NightReport(instance="acme", group="nightly", due=DUE, began_at=DUE, attempts=1, outcome="done"), "UTC"
    )
    assert [
        "acme, nightly: night of 2026-03-01",
        "The night is whole.",
        "",
        "Due       2026-03-02 01:30 UTC",
        "Began     2026-03-02 01:30 UTC",
        "Took      1 attempt",
        "Cost      0 calls, 0.0 MB of bulk export",
    ] == text.splitlines()


def test_every_outcome_has_a_verdict() -> None:
    """And a night under way says that it is."""
    assert set(OUTCOMES) == set(VERDICTS)
    assert "The night is under way." == as_text(replace(NIGHT, outcome=""), "UTC").splitlines()[1]


async def test_both_files_are_written_for_their_owner_alone(tmp_path: Path) -> None:
    """One folder an instance; names sort by evening and tell two nights of one evening apart."""
    written = await write_account(tmp_path / "reports", NIGHT, "Europe/Berlin")
    await write_account(tmp_path / "reports", replace(NIGHT, due=DUE + timedelta(hours=1)), "Europe/Berlin")
    folder = tmp_path / "reports" / "acme"
    name = "2026-03-01-nightly-20260302T0130Z"
    assert [folder / f"{name}.json", folder / f"{name}.txt"] == written
    assert 4 == len(list(folder.iterdir()))
    assert 0o700 == folder.stat().st_mode & 0o777
    assert (TEXT, NIGHT.facts()) == (written[1].read_text(), orjson.loads(written[0].read_bytes()))


async def test_an_account_replaces_the_one_before(tmp_path: Path) -> None:
    """A night that was cut in two is accounted for in the end."""
    await write_account(tmp_path, NIGHT, "UTC")
    _, text = await write_account(tmp_path, replace(NIGHT, outcome="done"), "UTC")
    assert "The night is whole." in text.read_text()
    assert 2 == len(list((tmp_path / "acme").iterdir()))


async def test_what_cannot_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    """It is raised, and no part of a file stays."""
    in_the_way = tmp_path / "acme" / "2026-03-01-nightly-20260302T0130Z.json"
    in_the_way.mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        await write_account(tmp_path, NIGHT, "UTC")
    assert [in_the_way] == list((tmp_path / "acme").iterdir())
