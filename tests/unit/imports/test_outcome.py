"""The six ends that a row can come to."""

from syncengine.imports.outcome import Counts, Outcome


def test_every_outcome_has_its_count() -> None:
    """And what has not ended is waiting; all of them add up."""
    counts = Counts(waiting=10)
    for number, outcome in enumerate(Outcome, 1):
        counts.add(outcome, number)
    counts.add(Outcome.FAILED)
    expected = {"imported": 1, "warned": 2, "failed": 4, "quarantined": 4, "superseded": 5, "unresolved": 6}
    assert expected | {"waiting": 10} == dict(counts.named())
    assert 32 == counts.total


def test_counts_come_back_from_the_journal() -> None:
    """By their names."""
    counts = Counts(1, 2, 3, 4, 5, 6, 7)
    assert counts == Counts.of(dict(counts.named()))
