"""Counters of what this process does, fed by the engine's events and labelled within bounds.

Apart from the gauges, which are read off a snapshot when somebody scrapes: these stand still unless something happens,
and are in the way of every call, so each label's child is looked up in a dictionary and made once.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from syncengine.imports.states import SETTLED
from syncengine.observe.events import (
    AssetFetched,
    CallAnswered,
    CallSent,
    ChunkMoved,
    Event,
    Observer,
    Refused,
    RunEnded,
    SchemaChanged,
    TokenRefreshed,
    WindowApplied,
)

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

# What comes from Marketo or from a schema may have any number of values; beyond this many they are counted as one.
VALUES_MAX = 200
OTHER = "other"
CALL_SECONDS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
HISTOGRAM = "syncengine_call_duration_seconds"
# Name, labels, and what it counts. Prometheus itself labels by `instance` whom it scrapes, so Marketo's is called so.
COUNTERS = MappingProxyType(
    {
        "syncengine_calls_total": (
            ("marketo_instance", "name"),
            "Calls that this process has sent to Marketo, by endpoint.",
        ),
        "syncengine_refusals_total": (
            ("marketo_instance", "code"),
            "Calls that were refused or failed and were tried again, by Marketo's code or ours.",
        ),
        "syncengine_token_refreshes_total": (
            ("marketo_instance",),
            "Access tokens that Marketo's identity service has given.",
        ),
        "syncengine_rows_total": (
            ("marketo_instance", "stream", "what"),
            "Rows that were applied to the destination: inserted, changed, unchanged or outdated.",
        ),
        "syncengine_windows_total": (("marketo_instance", "stream"), "Windows that were applied to the destination."),
        "syncengine_export_bytes_total": (
            ("marketo_instance", "stream"),
            "Size of the files of windows that were applied.",
        ),
        "syncengine_import_rows_total": (
            ("marketo_instance", "state"),
            "Rows of chunks of imports whose outcome is known, by the state in which the chunk ended.",
        ),
        "syncengine_assets_total": (("marketo_instance", "kind"), "Assets whose content was fetched, or could not be."),
        "syncengine_schema_changes_total": (
            ("marketo_instance", "stream"),
            "Runs that found other fields in a stream.",
        ),
        "syncengine_runs_total": (
            ("marketo_instance", "kind", "outcome"),
            "Runs that have ended, by what they did (sync, pull, import) and how they ended.",
        ),
        "syncengine_notices_total": (
            ("kind", "outcome"),
            "Notices, by what they tell of (failure, recovery, quota, schema) and what became of them.",
        ),
    }
)
HISTOGRAM_HELP = "Time from a call's sending to its answer's last byte, in seconds of the instance's clock."


class Counters:
    """The counters of all instances, in a registry of their own."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter, Histogram

        self._counters = {
            name: Counter(name, text, labels, registry=registry) for name, (labels, text) in COUNTERS.items()
        }
        self._seconds = Histogram(
            HISTOGRAM, HISTOGRAM_HELP, ("marketo_instance",), buckets=CALL_SECONDS_BUCKETS, registry=registry
        )
        self._children: dict[tuple[str, ...], Any] = {}
        self._values: dict[tuple[str, ...], set[str]] = {}

    def add(self, name: str, labels: tuple[str, ...], amount: float = 1) -> None:
        """Count; a label that takes too many values is counted under another name for all the rest."""
        child = self._children.get((name, *labels))
        if child is None:
            child = self._counters[name].labels(*self._bounded(name, labels))
            if len(self._children) < VALUES_MAX * VALUES_MAX:
                self._children[name, *labels] = child
        child.inc(amount)

    def observer(self, instance: str) -> Observer:
        """A subscriber for the events of one instance's engine."""
        add = self.add
        time_call = self._seconds.labels(instance).observe

        def answered(event: CallAnswered) -> None:
            time_call(event.seconds)

        def applied(event: WindowApplied) -> None:
            for what in ("inserted", "changed", "unchanged", "outdated"):
                add("syncengine_rows_total", (instance, event.stream, what), getattr(event, what))
            add("syncengine_windows_total", (instance, event.stream))
            add("syncengine_export_bytes_total", (instance, event.stream), event.bytes)

        def chunk_moved(event: ChunkMoved) -> None:
            if event.state in SETTLED:
                add("syncengine_import_rows_total", (instance, event.state), event.rows)

        takers: Mapping[type, Callable[[Any], None]] = {
            CallSent: lambda event: add("syncengine_calls_total", (instance, event.name)),
            CallAnswered: answered,
            Refused: lambda event: add("syncengine_refusals_total", (instance, event.code)),
            TokenRefreshed: lambda _: add("syncengine_token_refreshes_total", (instance,)),
            WindowApplied: applied,
            ChunkMoved: chunk_moved,
            AssetFetched: lambda event: add("syncengine_assets_total", (instance, event.kind)),
            SchemaChanged: lambda event: add("syncengine_schema_changes_total", (instance, event.stream)),
            RunEnded: lambda event: add(
                "syncengine_runs_total", (instance, event.kind.partition(" ")[0], event.outcome)
            ),
        }

        def observe(event: Event) -> None:
            if taker := takers.get(type(event)):
                taker(event)

        return observe

    def _bounded(self, name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        found = []
        for place, value in enumerate(labels):
            # Each instance has its own values: one that has many must not hide another's.
            known = self._values.setdefault((name, str(place), *labels[: min(place, 1)]), set())
            if value in known or len(known) < VALUES_MAX:
                known.add(value)
                found.append(value)
            else:
                found.append(OTHER)
        return tuple(found)
