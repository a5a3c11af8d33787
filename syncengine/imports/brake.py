"""When a run stops by itself: too many rows fail for the rest to be worth sending.

What is at Marketo then is still followed to its end; only nothing more is sent.
"""

from dataclasses import dataclass

FAILURES_MAX = 0.2


@dataclass(slots=True)
class Brake:
    """Counts rows of ended chunks. `share` of them may fail, 1.0 never stops; `reason` says why it did."""

    share: float = FAILURES_MAX
    rows: int = 0
    failed: int = 0
    reason: str = ""

    def count(self, rows: int, failed: int) -> None:
        """A chunk has ended with these rows, and these of them failed."""
        is_first = self.rows == 0
        self.rows += rows
        self.failed += failed
        if self.reason or self.share >= 1.0 or not failed:
            return
        if is_first and failed == rows:
            self.reason = f"all {rows:,} rows of the first chunk failed"
        elif self.failed > self.share * self.rows:
            self.reason = (
                f"{self.failed:,} of {self.rows:,} rows failed, more than the {self.share:.0%} of --max-failures"
            )
