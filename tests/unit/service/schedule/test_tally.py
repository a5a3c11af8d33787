"""What a night is doing, counted while it does it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.observe.events import AssetFetched, CallSent, Event, RunStarted, WindowApplied
from syncengine.service.schedule.nights import NightReport, StreamNight
from syncengine.service.schedule.reactions import Attempt
from syncengine.service.schedule.tally import Tally

DUE = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
COUNTS = st.integers(0, 10_000)
WINDOWS = st.builds(
    WindowApplied,
    st.sampled_from(["leads", "activities", "programs"]),
    st.just("w"),
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    st.just(1.0),
)
EVENTS = st.one_of(
    WINDOWS,
    st.builds(AssetFetched, st.just("emails")),
    st.builds(RunStarted, st.sampled_from(["3", "4", "x-9"]), st.sampled_from(["sync leads", "night nightly"])),
    st.builds(CallSent, st.just("leads.describe")),
)


def tally() -> Tally:
    return Tally("acme", "nightly", DUE, DUE + timedelta(minutes=3))


@settings(max_examples=50)
@given(st.lists(EVENTS, max_size=12), st.lists(st.sampled_from(["done", "failed"]), max_size=5))
def test_sums_equal_the_events(events: list[Event], files: list[str]) -> None:
    """Nothing is lost and nothing counted twice, in all and for each stream."""
    counting = tally()
    for event in events:
        counting.see(event)
    for ending in files:
        counting.count_file(ending)
    report = counting.report()
    windows = [event for event in events if isinstance(event, WindowApplied)]
    for name in {event.stream for event in windows}:
        own = [event for event in windows if event.stream == name]
        assert report.streams[name] == StreamNight(
            rows=sum(each.inserted + each.changed + each.unchanged + each.outdated for each in own),
            inserted=sum(each.inserted for each in own),
            changed=sum(each.changed for each in own),
            bytes=sum(each.bytes for each in own),
        )
    assert {event.stream for event in windows} == set(report.streams)
    assert sum(each.inserted + each.changed for each in windows) == report.moved
    assert sum(each.bytes for each in windows) == report.export_bytes
    assert sum(isinstance(event, AssetFetched) for event in events) == report.assets
    assert Counter(files) == report.files


def test_runs_are_those_that_the_journal_knows_by_number() -> None:
    """Each once and in order; the night itself is none of its runs, nor is an import's, which has a name."""
    counting = tally()
    for run_id, kind in (("9", "sync leads"), ("4", "assets pull"), ("9", "sync leads"), ("8", "night nightly")):
        counting.see(RunStarted(run_id, kind))
    counting.see(RunStarted("20260302-a1", "import leads"))
    assert (9, 4) == counting.report().runs


def test_an_account_says_how_the_last_attempt_ended() -> None:
    """With the outcome and the end that it is given, and what was counted beside the events."""
    counting = tally()
    counting.attempts, counting.calls = 3, 41
    counting.last = Attempt("partial", ("NotFound",), ("it is gone",), ("Look.",))
    report = counting.report("partial", DUE + timedelta(hours=1))
    assert ("acme", "nightly", DUE, DUE + timedelta(minutes=3)) == (
        report.instance,
        report.group,
        report.due,
        report.began_at,
    )
    assert ("partial", DUE + timedelta(hours=1), 3, 41) == (
        report.outcome,
        report.ended_at,
        report.attempts,
        report.calls,
    )
    assert (("it is gone",), ("Look.",)) == (report.problems, report.advice)


def test_an_account_is_not_changed_by_what_comes_later() -> None:
    """It is shown to people while the night goes on."""
    counting = tally()
    counting.count_file("done")
    before = counting.report()
    counting.count_file("done")
    counting.see(WindowApplied("leads", "w", 1, 0, 0, 0, 10, 1.0))
    assert ({"done": 1}, {}) == (before.files, before.streams)


def test_a_night_that_is_cut_short_again_and_again_counts_everything_once() -> None:
    """Each account holds the ones before it, and a killed process leaves an empty one in between."""
    parts: list[NightReport] = []
    for number in range(3):
        tally = Tally.gone_on("acme", "nightly", DUE, DUE, before=parts)
        tally.attempts += 1
        tally.calls += 10
        tally.see(RunStarted(str(number), "sync leads"))
        tally.see(WindowApplied("leads", "w", 5, 0, 0, 0, 100, 1.0))
        tally.see(AssetFetched("email"))
        tally.count_file("done")
        parts.insert(0, tally.report("interrupted", DUE))
        parts.insert(0, Tally("acme", "nightly", DUE, DUE).report("interrupted", DUE))
    report = Tally.gone_on("acme", "nightly", DUE, DUE, before=parts).report()
    assert (3, 30, (0, 1, 2), 15, 3, {"done": 3}) == (
        report.attempts,
        report.calls,
        report.runs,
        report.moved,
        report.assets,
        report.files,
    )
