"""What Prometheus scrapes: that it can be read, is named by the conventions, is true, and is documented."""

import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from syncengine.config import LimitSettings
from syncengine.imports import states
from syncengine.observe import events as told
from syncengine.reports import StreamStatus
from syncengine.service.schedule.nights import StreamNight
from syncengine.service.seen.counting import OTHER, VALUES_MAX
from syncengine.service.seen.metrics import Metrics, table
from syncengine.service.seen.snapshot import BulkJob, Snapshot, live_of
from syncengine.service.standing import GroupStanding, InboxStanding
from syncengine.transport.book import Spent
from syncengine.transport.use import GateUse
from tests.unit.service.seen.seen import all_seen, seen
from tests.unit.service.seen.written import NOW, night

CONFIGS = Path(__file__).parents[4] / "configs"
USE = GateUse(34, 50, 3, 5, Spent(12_345, 86_300_000), {"pid 1": 3}, None, NOW, frozenset({"pid 2"}))


def full() -> Snapshot:
    """An instance of which everything is known."""
    return all_seen(
        seen(
            groups=(
                GroupStanding(
                    instance="acme", group="nightly", state="backing off", next_due=NOW + timedelta(hours=18)
                ),
            ),
            nights=(night(0, "partial"), night(1)),
            live=live_of(USE, LimitSettings(reserve_calls=10_000), NOW),
            streams=(StreamStatus("leads", NOW - timedelta(hours=2), 7_200.0, 1), StreamStatus("lists", None, None, 0)),
            jobs=(BulkJob(queue="import", what="x", state=states.HELD, since=NOW),),
            inboxes=(
                InboxStanding(name="inbox", instance="acme", path="x", waiting=2, working="a.csv", done=14, failed=1),
            ),
        ),
        started_at=NOW - timedelta(days=1),
    )


def families(metrics: Metrics, snapshot: Snapshot) -> list[Metric]:
    """The exposition, as a scraper reads it."""
    return list(text_string_to_metric_families(metrics.render(snapshot).decode()))


def samples(metrics: Metrics, snapshot: Snapshot) -> dict[str, float]:
    """Every sample of ours, as Prometheus writes its name and labels."""
    return {
        sample.name.removeprefix("syncengine_")
        + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items()) if value != "acme"): sample.value
        for family in families(metrics, snapshot)
        for sample in family.samples
        if sample.name.startswith("syncengine_")
    }


def test_gauges_are_what_the_snapshot_says() -> None:
    """Every figure, in seconds, bytes and Unix time."""
    found = samples(Metrics(), full())
    at = NOW.timestamp()
    expected = {
        "start_timestamp_seconds": at - 86_400,
        "reload_timestamp_seconds": 0,
        "ready": 1,
        "journal_readable": 1,
        "destination_readable": 1,
        "calls_today": 12_345,
        "calls_limit": 50_000,
        "calls_reserve": 10_000,
        "export_today_bytes": 86_300_000,
        "export_limit_bytes": 500_000_000,
        "budget_reset_timestamp_seconds": at + 22 * 3600,
        "budget_paused_until_timestamp_seconds budget=calls": 0,
        "budget_paused_until_timestamp_seconds budget=export": at,
        "window_calls": 34,
        "window_limit_calls": 100,
        "in_flight_calls": 3,
        "in_flight_limit_calls": 10,
        "waiting_processes": 1,
        "stream_cursor_timestamp_seconds stream=leads": at - 7_200,
        "stream_cursor_timestamp_seconds stream=lists": 0,
        "stream_lag_seconds stream=leads": 7_200,
        "stream_unfinished_windows stream=leads": 1,
        "bulk_jobs queue=import state=HELD": 1,
        "bulk_jobs queue=export state=QUEUED": 0,
        "group_state group=nightly state=backing off": 1,
        "group_state group=nightly state=waiting": 0,
        "group_next_run_timestamp_seconds group=nightly": at + 18 * 3600,
        "group_last_success_timestamp_seconds group=nightly": (night(1).ended_at or NOW).timestamp(),
        "night_whole group=nightly": 0,
        "night_duration_seconds group=nightly": 38 * 60,
        "night_rows group=nightly": night().rows,
        "night_moved_rows group=nightly": night().moved,
        "night_calls group=nightly": 412,
        "night_export_bytes group=nightly": night().export_bytes,
        "inbox_files inbox=inbox state=waiting": 2,
        "inbox_files inbox=inbox state=working": 1,
        "inbox_processed_files_total inbox=inbox outcome=done": 14,
        "inbox_processed_files_total inbox=inbox outcome=failed": 1,
    }
    assert expected == {name: found.get(name) for name in expected}
    assert "stream_lag_seconds stream=lists" not in found


def test_what_is_not_known_is_not_there() -> None:
    """Zero would be a lie that an alert believes."""
    unknown = seen(
        nights=(night(),),
        live=live_of(None, LimitSettings(), NOW, "locked"),
        journal_problem="gone",
        destination_problem="gone",
        streams=(StreamStatus("leads", None, None, 0),),
    )
    found = samples(Metrics(), all_seen(unknown))
    assert (0, 0, 0) == (found["ready"], found["journal_readable"], found["destination_readable"])
    assert not [name for name in found if name.startswith(("night_", "calls_today", "window_calls", "stream_", "bulk"))]
    assert 100 == found["window_limit_calls"]


def one_of_each() -> Iterator[told.Event]:
    """Events of everything that is counted, and of some that are not."""
    yield told.CallSent("leads.export.create")
    yield told.CallAnswered("leads.export.create", 200, 0.2)
    yield told.Refused("606", "leads.export.create", 20.0)
    yield told.TokenRefreshed(3_600)
    yield told.WindowApplied("leads", "w", 5, 4, 3, 2, 1_000, 1.5)
    yield told.ChunkMoved("r-1", "r-1-1", "settled", states.DONE, 100)
    yield told.ChunkMoved("r-1", "r-1-2", "accepted", states.ACCEPTED, 100)
    yield told.AssetFetched("email")
    yield told.SchemaChanged("leads", ("a field is gone",))
    yield told.RunEnded("1", "sync leads+activities", "done", 60.0)
    yield told.RunStarted("2", "sync leads")


def test_counters_follow_the_events_of_each_instance() -> None:
    """Only what happened is counted, under the instance that it happened to; notices have no instance."""
    metrics = Metrics()
    observe = metrics.observer("acme")
    metrics.observer("emea")(told.CallSent("leads.describe"))
    for _ in range(2):
        for event in one_of_each():
            observe(event)
    metrics.noticed("failure")
    metrics.noticed("quota", "dropped")
    found = {name: value for name, value in samples(metrics, all_seen()).items() if "_bucket" not in name}
    expected = {
        "calls_total name=leads.export.create": 2,
        "calls_total marketo_instance=emea name=leads.describe": 1,
        "call_duration_seconds_count": 2,
        "call_duration_seconds_sum": 0.4,
        "refusals_total code=606": 2,
        "token_refreshes_total": 2,
        "rows_total stream=leads what=inserted": 10,
        "rows_total stream=leads what=changed": 8,
        "rows_total stream=leads what=unchanged": 6,
        "rows_total stream=leads what=outdated": 4,
        "windows_total stream=leads": 2,
        "export_bytes_total stream=leads": 2_000,
        "import_rows_total state=DONE": 200,
        "assets_total kind=email": 2,
        "schema_changes_total stream=leads": 2,
        "runs_total kind=sync outcome=done": 2,
        "notices_total kind=failure outcome=sent": 1,
        "notices_total kind=quota outcome=dropped": 1,
    }
    assert expected == {name: found.get(name) for name in expected}
    assert "import_rows_total state=ACCEPTED" not in found


def test_labels_are_bounded() -> None:
    """Whatever Marketo answers or calls its objects, a label has no more values than that, and no count is lost."""
    metrics = Metrics()
    observe = metrics.observer("acme")
    for number in range(VALUES_MAX + 50):
        observe(told.Refused(str(number), "leads", 1.0))
    found = {name: value for name, value in samples(metrics, all_seen()).items() if name.startswith("refusals")}
    assert (VALUES_MAX + 1, VALUES_MAX + 50) == (len(found), sum(found.values()))
    assert 50 == found[f"refusals_total code={OTHER}"]


def test_two_daemons_do_not_count_for_each_other() -> None:
    """Nor does whatever else lives in the process."""
    one, other = Metrics(), Metrics()
    one.observer("acme")(told.CallSent("x"))
    assert "calls_total name=x" not in samples(other, all_seen())


def test_counting_keeps_no_memory_of_single_events() -> None:
    """Thirty days of calls take as much as one."""
    observe = Metrics().observer("acme")
    observe(told.CallSent("x"))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5_000):
        observe(told.CallSent("x"))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 10_000


@pytest.fixture(scope="module")
def scraped() -> list[Metric]:
    """All families, each with a sample."""
    metrics = Metrics()
    for event in one_of_each():
        metrics.observer("acme")(event)
    metrics.noticed("failure")
    return families(metrics, full())


def test_names_follow_prometheus_conventions(scraped: list[Metric]) -> None:
    """As promtool checks them: https://prometheus.io/docs/practices/naming/ ."""
    for family in scraped:
        names = {sample.name for sample in family.samples}
        for name in names | {family.name}:
            assert re.fullmatch(r"(syncengine|process)_[a-z][a-z0-9_]*", name)
            assert not re.search(r"(milli|micro|minutes|hours|days|mega|kilo|_ms\b|_mb\b|_kb\b|percent)", name)
            assert not re.search(r"_(gauge|counter|histogram|summary)\b", name)
        assert family.documentation.endswith(".")
        match family.type:
            case "counter":
                assert {True} == {name.endswith("_total") for name in names}
            case "histogram":
                assert family.name.endswith("_seconds")
            case "gauge":
                assert not any(name.endswith(("_total", "_count", "_sum", "_bucket")) for name in names)
            case other:
                pytest.fail(f"{family.name} is a {other}")
        for sample in family.samples:
            assert not {label for label in sample.labels if label.startswith("_")}
            assert not sample.name.endswith("_created")


def test_every_metric_is_shown_with_a_sample_and_documented(scraped: list[Metric]) -> None:
    """The table in the documentation is the registry, name by name, with its labels and its meaning."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", table(), re.MULTILINE))
    documented = {name: set() if labels == "-" else set(labels.split(", ")) for name, labels in rows.items()}
    shown = {}
    for family in scraped:
        if family.name.startswith("syncengine_"):
            assert family.samples, family.name
            name = f"{family.name}_total" if family.type == "counter" else family.name
            shown[name] = set(family.samples[0].labels) - {"le"}
            assert f"| {family.documentation} |" in table()
    assert documented == shown


def test_the_documents_table_is_up_to_date() -> None:
    """`configs/metrics.md` holds what the code makes."""
    assert (CONFIGS / "metrics.md").read_text(encoding="utf-8").endswith(table())


def test_the_dashboard_asks_only_for_metrics_that_there_are() -> None:
    """Each expression's names are in the table, each panel has a title and a place of its own."""
    dashboard = orjson.loads((CONFIGS / "grafana-dashboard.json").read_bytes())
    known = set(re.findall(r"^\| `(\w+)`", table(), re.MULTILINE))
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_sum", "_count")}
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    asked = {name for expression in expressions for name in re.findall(r"syncengine_\w+", expression)}
    assert asked <= known
    assert len(asked) > 20
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert sorted(set(places)) == sorted(places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["title"] for panel in dashboard["panels"])
    assert "datasource" in dashboard["__inputs"][0]["type"]


def test_a_night_of_no_streams_has_figures_of_zero() -> None:
    """One that only pulled assets is a night."""
    empty = replace(full().instances[0], nights=(night(streams={"leads": StreamNight()}),))
    assert 0 == samples(Metrics(), all_seen(empty))["night_rows group=nightly"]
