"""What Prometheus scrapes: counters of this process and gauges of a snapshot, and the table that documents both.

A registry of its own, so that whatever else lives in this process stays out of the answer, and two daemons in one test
do not count for each other.
"""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from syncengine.observe.events import Observer
from syncengine.service.seen.counting import COUNTERS, HISTOGRAM, HISTOGRAM_HELP, Counters
from syncengine.service.seen.gauges import GAUGES, families
from syncengine.service.seen.snapshot import Snapshot

if TYPE_CHECKING:
    from prometheus_client import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one daemon. Counters begin at zero with it."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry
        from prometheus_client.process_collector import ProcessCollector

        self._registry = CollectorRegistry()
        self._counters = Counters(self._registry)
        ProcessCollector(registry=self._registry)
        self._versions = _version(), platform.python_version()

    def observer(self, instance: str) -> Observer:
        """A subscriber for the events of one instance's engine."""
        return self._counters.observer(instance)

    def noticed(self, kind: str, outcome: str = "sent") -> None:
        """A notice of this kind was sent, or could not be."""
        self._counters.add("syncengine_notices_total", (kind, outcome))

    def render(self, snapshot: Snapshot) -> bytes:
        """Everything, in the text format of Prometheus."""
        from prometheus_client import generate_latest

        return generate_latest(_Exposed([*self._counted(), *families(snapshot, self._versions)]))

    def _counted(self) -> "Iterator[Metric]":
        for family in self._registry.collect():
            # When a series was made is of use to OpenMetrics alone, and would double the number of lines.
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


class _Exposed:
    """What is written for one scrape."""

    def __init__(self, found: "list[Metric]") -> None:
        self._found = found

    def collect(self) -> "Iterator[Metric]":
        """The families, by name."""
        return iter(sorted(self._found, key=lambda family: family.name))


def table() -> str:
    """Every metric of ours as Markdown: its name, its labels and what it says."""
    rows = [
        *((name, labels, text) for name, (labels, text) in GAUGES.items()),
        (HISTOGRAM, ("marketo_instance",), HISTOGRAM_HELP),
        *((name, labels, text) for name, (labels, text) in COUNTERS.items()),
    ]
    lines = [f"| `{name}` | {', '.join(labels) or '-'} | {text} |" for name, labels, text in rows]
    return "\n".join(["| metric | labels | meaning |", "|---|---|---|", *lines, ""])


def _version() -> str:
    try:
        return version("syncengine")
    except PackageNotFoundError:
        return "unknown"
