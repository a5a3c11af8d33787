"""What a night is, and how the journal keeps its account."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.jobs.job import Run
from syncengine.service.schedule.nights import KIND, OUTCOMES, NightReport, StreamNight, evening_of, night_of

BEGAN = datetime(2026, 3, 2, 1, 33, tzinfo=UTC)
FIRST, END = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2034-12-31")
INSTANTS = st.datetimes(FIRST, END, timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"])
COUNTS = st.integers(0, 10**9)
STREAMS = st.dictionaries(
    st.sampled_from(["leads", "activities", "custom_object_car"]),
    st.builds(StreamNight, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    max_size=3,
)
LINES = st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3).map(tuple)
NIGHTS = st.builds(
    NightReport,
    instance=st.just("acme"),
    group=st.sampled_from(["nightly", "every hour"]),
    due=INSTANTS,
    began_at=st.just(BEGAN),
    ended_at=st.none() | INSTANTS,
    outcome=st.sampled_from(["", *OUTCOMES]),
    attempts=COUNTS,
    runs=st.lists(st.integers(1, 10**6), max_size=4).map(tuple),
    streams=STREAMS,
    assets=COUNTS,
    files=st.dictionaries(st.sampled_from(["done", "failed"]), COUNTS, max_size=2),
    calls=COUNTS,
    problems=LINES,
    advice=LINES,
)


def run_of(report: NightReport, kept: dict[str, Any]) -> Run:
    """The run that a journal holds of a night."""
    return Run(
        instance=report.instance,
        id=7,
        kind=f"{KIND}{report.group}",
        detail={"due": report.due.isoformat(), "work": ["night x"]},
        started_at=report.began_at,
        ended_at=report.ended_at,
        outcome=report.outcome or None,
        report=kept,
    )


@settings(max_examples=50)
@given(NIGHTS)
def test_an_account_comes_back_from_the_journal_as_it_was(report: NightReport) -> None:
    """Every fact, through the text that is stored."""
    kept = orjson.loads(orjson.dumps(report.facts()))
    assert report == night_of(run_of(report, kept))


@settings(max_examples=40)
@given(STREAMS)
def test_sums_stand_in_the_facts(streams: dict[str, StreamNight]) -> None:
    """Programs that read the JSON need not add."""
    report = NightReport(instance="a", group="g", due=BEGAN, began_at=BEGAN, streams=streams)
    facts = report.facts()
    assert sum(each.rows for each in streams.values()) == facts["rows"] == report.rows
    assert sum(each.inserted + each.changed for each in streams.values()) == facts["moved"] == report.moved
    assert sum(each.bytes for each in streams.values()) == facts["export_bytes"] == report.export_bytes


@settings(max_examples=40)
@given(st.lists(st.builds(StreamNight, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS), min_size=2, max_size=4))
def test_attempts_add_up_in_any_order(parts: list[StreamNight]) -> None:
    """Every count, whoever came first."""
    forth = back = StreamNight()
    for each in parts:
        forth = forth.plus(each)
    for each in reversed(parts):
        back = back.plus(each)
    assert forth == back
    for name in ("rows", "inserted", "changed", "rejected", "deleted", "bytes"):
        assert sum(getattr(each, name) for each in parts) == getattr(forth, name)


def test_a_run_of_another_kind_is_no_night() -> None:
    """Syncs and imports stand in the same table."""
    assert None is night_of(Run("acme", 1, "sync leads", {"due": BEGAN.isoformat()}, BEGAN))


def test_a_night_that_died_has_a_due_time_and_nothing_else() -> None:
    """Its process never came to write an account."""
    found = night_of(Run("acme", 1, "night a b", {"due": "2026-03-02T01:30:00+00:00"}, BEGAN))
    assert NightReport(instance="acme", group="a b", due=BEGAN.replace(minute=30), began_at=BEGAN) == found


def test_only_what_is_done_is_whole() -> None:
    """All other ends leave something to be brought."""
    report = NightReport(instance="a", group="g", due=BEGAN, began_at=BEGAN)
    assert ["done"] == [outcome for outcome in OUTCOMES if replace(report, outcome=outcome).is_whole]


@pytest.mark.parametrize(
    ("instant", "zone", "evening"),
    [
        ("2026-03-02T22:00", "Europe/Berlin", "2026-03-02"),
        ("2026-03-03T01:30", "Europe/Berlin", "2026-03-02"),
        ("2026-03-03T10:59", "Europe/Berlin", "2026-03-02"),
        ("2026-03-03T11:00", "Europe/Berlin", "2026-03-03"),
        # The clock goes forward at 02:00 of the 29th and back at 03:00 of 25 October: noon is noon.
        ("2026-03-29T01:00", "Europe/Berlin", "2026-03-28"),
        ("2026-03-29T09:59", "Europe/Berlin", "2026-03-28"),
        ("2026-03-29T10:00", "Europe/Berlin", "2026-03-29"),
        ("2026-10-25T00:30", "Europe/Berlin", "2026-10-24"),
        ("2026-10-25T10:59", "Europe/Berlin", "2026-10-24"),
        ("2026-10-25T11:00", "Europe/Berlin", "2026-10-25"),
        ("2026-11-01T16:59", "America/New_York", "2026-10-31"),
        ("2026-11-01T17:00", "America/New_York", "2026-11-01"),
    ],
)
def test_a_night_belongs_to_the_evening_on_which_it_began(instant: str, zone: str, evening: str) -> None:
    """From noon to noon by the clock on the wall, whatever the clock did in between."""
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert date.fromisoformat(evening) == evening_of(at, zone)


@given(INSTANTS, ZONES)
def test_an_evening_is_the_day_of_the_noon_before(instant: datetime, zone: str) -> None:
    """In every zone and in every night of the year."""
    local, evening = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None), evening_of(instant, zone)
    noon = datetime.combine(evening, datetime.min.time()) + timedelta(hours=12)
    assert noon <= local < noon + timedelta(days=1)
