"""What the instance saw and answered, for tests and benchmarks; separate from the limits, which decide.

Counts every API call, refused ones and those of the identity endpoint included; the control path is not counted.
"""

from collections import Counter
from typing import Any

from syncengine.sandbox.limits import ArrivalWindow


class Counters:
    """Everything since the start or the last reset."""

    def __init__(self, window_seconds: float) -> None:
        self._calls: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._clients: Counter[str] = Counter()
        self._file_bytes: Counter[str] = Counter()
        self._jobs: Counter[str] = Counter()
        self._imports: Counter[str] = Counter()
        self._ingested: Counter[str] = Counter()
        self._files_fetched = 0
        self._window = ArrivalWindow(window_seconds)
        self._in_flight_most = 0
        self._polled_at: dict[str, float] = {}
        self._poll_gaps: dict[str, float] = {}
        self._first: float | None = None
        self._last: float | None = None

    def arrived(self, endpoint: str, client: str, in_flight: int, now: float) -> None:
        """A call arrived; `in_flight` includes it."""
        self._calls[endpoint] += 1
        self._clients[client] += 1
        self._window.add(now)
        self._in_flight_most = max(self._in_flight_most, in_flight)
        self._first = now if self._first is None else self._first
        self._last = now
        kind, _, verb = endpoint.partition(".export.")
        if verb in {"status", "list"}:
            self._polled(kind, now)
        elif endpoint.endswith(".import.status"):
            self._polled(endpoint.removesuffix(".status"), now)

    def answered(self, status: int, code: str) -> None:
        """An answer was decided; `code` is empty for success."""
        self._statuses[str(status)] += 1
        if code:
            self._codes[code] += 1

    def created(self, kind: str) -> None:
        """A job was created."""
        self._jobs[kind] += 1

    def imported(self, kind: str) -> None:
        """An import was accepted."""
        self._imports[kind] += 1

    def ingested(self, kind: str, objects: int) -> None:
        """A call of the ingestion API was accepted with so many objects; it counts in no other number."""
        self._ingested[f"{kind}.calls"] += 1
        self._ingested[f"{kind}.objects"] += objects

    def fetched(self) -> None:
        """A file of the asset library was asked for, which counts in no other number."""
        self._files_fetched += 1

    def sent(self, export_id: str, count: int) -> None:
        """Bytes of an export file were handed to the network."""
        self._file_bytes[export_id] += count

    def report(self, tokens_issued: int, in_flight: int) -> dict[str, Any]:
        """All counters as one JSON value."""
        return {
            "calls": dict(self._calls),
            "calls_total": self._calls.total(),
            "codes": dict(self._codes),
            "http_statuses": dict(self._statuses),
            "clients": dict(self._clients),
            "largest_window": self._window.largest,
            "most_in_flight": self._in_flight_most,
            "in_flight": in_flight,
            "file_bytes": dict(self._file_bytes),
            "file_bytes_total": self._file_bytes.total(),
            "jobs_created": dict(self._jobs),
            "imports_created": dict(self._imports),
            "ingested": dict(self._ingested),
            "files_fetched": self._files_fetched,
            "poll_gap_seconds_min": dict(self._poll_gaps),
            "first_arrival": self._first,
            "last_arrival": self._last,
            "tokens_issued": tokens_issued,
        }

    def _polled(self, kind: str, now: float) -> None:
        before = self._polled_at.get(kind)
        if before is not None:
            self._poll_gaps[kind] = min(self._poll_gaps.get(kind, now - before), now - before)
        self._polled_at[kind] = now
