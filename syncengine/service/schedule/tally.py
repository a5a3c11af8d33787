"""What a night is doing, counted while it does it: an attempt that is cut short leaves its share in the account too."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncengine.observe.events import AssetFetched, Event, RunStarted, WindowApplied
from syncengine.reports import SyncReport
from syncengine.service.schedule.nights import KIND, NightReport, StreamNight
from syncengine.service.schedule.reactions import Attempt


@dataclass(slots=True)
class Tally:
    """One night under way. It subscribes to the events of the engines that work for it."""

    instance: str
    group: str
    due: datetime
    began_at: datetime
    attempts: int = 0
    calls: int = 0
    last: Attempt = field(default_factory=lambda: Attempt("failed"))
    _runs: dict[int, None] = field(default_factory=dict)
    _streams: dict[str, StreamNight] = field(default_factory=dict)
    _assets: int = 0
    _files: Counter[str] = field(default_factory=Counter)

    @classmethod
    def gone_on(
        cls, instance: str, group: str, due: datetime, began_at: datetime, *, before: Sequence[NightReport]
    ) -> "Tally":
        """The tally of a night that earlier processes have begun; `before` are their accounts, the newest first.

        Each account holds those before it, so the newest counts that came to be written; a killed process leaves none.
        """
        known = next((each for each in before if each.attempts), None)
        if known is None:
            return cls(instance, group, due, began_at)
        return cls(
            instance,
            group,
            due,
            began_at,
            attempts=known.attempts,
            calls=known.calls,
            _runs=dict.fromkeys(known.runs),
            _streams=dict(known.streams),
            _assets=known.assets,
            _files=Counter(known.files),
        )

    def see(self, event: Event) -> None:
        """Count what an event tells."""
        match event:
            case WindowApplied():
                moved = StreamNight(
                    rows=event.inserted + event.changed + event.unchanged + event.outdated,
                    inserted=event.inserted,
                    changed=event.changed,
                    bytes=event.bytes,
                )
                self._streams[event.stream] = self._streams.get(event.stream, StreamNight()).plus(moved)
            case AssetFetched():
                self._assets += 1
            case RunStarted(run_id=run_id, kind=kind) if run_id.isdigit() and not kind.startswith(KIND):
                self._runs[int(run_id)] = None
            case _:
                pass

    def count_report(self, report: SyncReport) -> None:
        """What no event tells of a sync: rows that were rejected, deleted or merged."""
        for each in report.streams:
            aside = StreamNight(rejected=each.rejected, deleted=each.deleted + each.merged)
            self._streams[each.stream] = self._streams.get(each.stream, StreamNight()).plus(aside)

    def count_file(self, ending: str) -> None:
        """A file of a watched folder has come to its end."""
        self._files[ending] += 1

    def report(self, outcome: str = "", ended_at: datetime | None = None) -> NightReport:
        """The account so far, or of the whole night."""
        return NightReport(
            instance=self.instance,
            group=self.group,
            due=self.due,
            began_at=self.began_at,
            ended_at=ended_at,
            outcome=outcome,
            attempts=self.attempts,
            runs=tuple(self._runs),
            streams=dict(self._streams),
            assets=self._assets,
            files=dict(self._files),
            calls=self.calls,
            problems=self.last.problems,
            advice=self.last.advice,
        )
