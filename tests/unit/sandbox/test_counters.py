"""Tests of what the instance counts."""

from syncengine.sandbox.counters import Counters
from tests.unit.sandbox.caller import Caller


def test_windows_gaps_and_flight_are_the_extremes() -> None:
    """The largest window, the most in flight and the least gap between two polls of one kind are kept."""
    counters = Counters(20)
    for now, in_flight in ((0.0, 1), (5.0, 3), (19.9, 2), (20.0, 1), (90.0, 1)):
        counters.arrived("leads.export.list", "client", in_flight, now)
    counters.arrived("activities.export.status", "client", 1, 95.0)
    report = counters.report(tokens_issued=1, in_flight=0)
    assert (report["largest_window"], report["most_in_flight"]) == (3, 3)
    assert report["poll_gap_seconds_min"]["leads"] == 20.0 - 19.9
    assert "activities" not in report["poll_gap_seconds_min"]
    assert (report["first_arrival"], report["last_arrival"]) == (0.0, 95.0)


def test_calls_codes_clients_and_jobs_are_told_apart() -> None:
    """A report says who called what and what was answered."""
    caller = Caller()
    caller.queued()
    caller.call("GET", "/rest/v1/nothing.json", headers={"User-Agent": "nightly"})
    caller.instance.counters.sent("job", 10)
    caller.instance.counters.sent("job", 5)
    report = caller.instance.report()
    assert report["calls"] == {"identity": 1, "leads.export.create": 1, "leads.export.enqueue": 1, "unknown": 1}
    assert (report["calls_total"], report["codes"], report["clients"]["nightly"]) == (4, {"610": 1}, 1)
    assert (report["jobs_created"], report["file_bytes"], report["file_bytes_total"]) == ({"leads": 1}, {"job": 15}, 15)
    assert (report["tokens_issued"], report["in_flight"]) == (1, 0)


def test_imports_and_their_polls_are_counted() -> None:
    """Batches by kind, the most that ran at once, and the least gap between polls of one kind."""
    caller = Caller()
    for number in range(3):
        caller.batch(f"email\nn{number}@x.de\n")
    for seconds in (0, 7, 5):
        caller.now += seconds
        caller.batch_status(1001)
    report = caller.instance.report()
    assert (report["imports_created"], report["imports_running_most"]) == ({"leads": 3}, 2)
    assert report["poll_gap_seconds_min"] == {"leads.import": 5}
